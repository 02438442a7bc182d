//! Users and their groups, as the operating system of the server knows them or as their names say, remembered for a while.

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::Arc;
use std::time::Duration;

use log::warn;
use parking_lot::RwLock;
use tokio::sync::OnceCell;

use crate::conf::{Conf, GroupMapping, keys};
use crate::types::Caller;
use crate::types::time::{Boot, boot_now};

/// Most users remembered at once; when there are more, all are forgotten and looked up again.
const USERS_MAX: usize = 10_000;

/// Where the groups of users come from.
#[derive(Debug, Clone, Copy)]
pub struct GroupSource {
    /// Who tells them.
    pub mapping: GroupMapping,
    /// How long an answer is believed.
    pub lifetime: Duration,
}

impl GroupSource {
    /// As configured.
    pub fn of(conf: &Conf) -> GroupSource {
        let mapping = conf.get(&keys::GROUP_MAPPING_CLASS);
        GroupSource { mapping, lifetime: conf.get(&keys::GROUP_MAPPING_CACHE_TIMEOUT) }
    }

    /// The operating system, believed for so long.
    pub fn operating_system(lifetime: Duration) -> GroupSource {
        GroupSource { mapping: GroupMapping::OperatingSystem, lifetime }
    }
}

/// Turns users into callers. A look-up may ask a directory service over the network, so it runs on a thread that may
/// block, once for all who wait for the same user.
#[derive(Debug)]
pub struct Callers {
    known: RwLock<HashMap<String, Arc<Known>>>,
    source: GroupSource,
    nobody: Arc<Caller>,
}

#[derive(Debug)]
struct Known {
    asked: Boot,
    caller: OnceCell<Arc<Caller>>,
}

impl Callers {
    /// Knows nobody yet.
    pub fn new(source: GroupSource) -> Callers {
        Callers { known: RwLock::default(), source, nobody: Arc::default() }
    }

    /// The caller `user`: "" is in no group, and neither is a user that an operating system which is asked does not know.
    pub async fn get(&self, user: &str) -> Arc<Caller> {
        if user.is_empty() {
            return Arc::clone(&self.nobody);
        }
        let known = self.entry(user);
        match known.caller.get() {
            Some(caller) => Arc::clone(caller),
            None => Arc::clone(known.caller.get_or_init(|| look_up(user.to_owned(), self.source.mapping)).await),
        }
    }

    fn entry(&self, user: &str) -> Arc<Known> {
        let now = boot_now();
        let fresh = |known: &Known| now.since(known.asked) < self.source.lifetime;
        if let Some(known) = self.known.read().get(user).filter(|known| fresh(known)) {
            return Arc::clone(known);
        }
        let mut all = self.known.write();
        // Another call may have been faster.
        if let Some(known) = all.get(user).filter(|known| fresh(known)) {
            return Arc::clone(known);
        }
        if all.len() >= USERS_MAX {
            all.clear();
        }
        let known = Arc::new(Known { asked: now, caller: OnceCell::new() });
        all.insert(user.to_owned(), Arc::clone(&known));
        known
    }
}

async fn look_up(user: String, mapping: GroupMapping) -> Arc<Caller> {
    if mapping == GroupMapping::Identity {
        return Arc::new(Caller { groups: vec![user.clone()], user });
    }
    let looked_up = tokio::task::spawn_blocking(move || {
        let groups = groups_of(&user).unwrap_or_else(|error| {
            warn!("cannot look up the groups of a user, taking none user={user} error={error}");
            Vec::new()
        });
        Caller { user, groups }
    });
    Arc::new(looked_up.await.expect("looking up groups does not panic, and nobody aborts it"))
}

/// Names of the groups, the primary one first. A group without a name is left out.
fn groups_of(user: &str) -> Result<Vec<String>, nix::Error> {
    let name = CString::new(user).map_err(|_| nix::Error::EINVAL)?;
    let Some(account) = nix::unistd::User::from_name(user)? else { return Ok(Vec::new()) };
    let mut ids = nix::unistd::getgrouplist(&name, account.gid)?;
    ids.retain(|id| *id != account.gid);
    ids.insert(0, account.gid);
    let names = ids.into_iter().map(|id| Ok(nix::unistd::Group::from_gid(id)?.map(|group| group.name)));
    names.filter_map(Result::transpose).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::{Callers, GroupMapping, GroupSource};

    fn asking_the_system(lifetime: Duration) -> Callers {
        Callers::new(GroupSource::operating_system(lifetime))
    }

    #[tokio::test]
    async fn a_user_may_be_in_a_group_of_its_own_name() {
        let source = GroupSource { mapping: GroupMapping::Identity, lifetime: Duration::from_secs(60) };
        let callers = Callers::new(source);
        assert_eq!(callers.get("no-such-user-here").await.groups, ["no-such-user-here"]);
        assert_eq!(callers.get("").await.groups, Vec::<String>::new());
    }

    #[tokio::test]
    async fn the_operating_system_tells_the_groups() {
        let callers = asking_the_system(Duration::from_secs(60));
        let expected = std::process::Command::new("id").args(["-Gn", "root"]).output().expect("id runs").stdout;
        let mut expected: Vec<_> =
            std::str::from_utf8(&expected).expect("ASCII").split_whitespace().map(str::to_owned).collect();
        let mut found = callers.get("root").await.groups.clone();
        assert_eq!(found.first().map(String::as_str), Some("root"));
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }

    #[tokio::test]
    async fn an_unknown_user_is_in_no_group() {
        let callers = asking_the_system(Duration::from_secs(60));
        for user in ["", "no-such-user-here", "nul\0inside"] {
            let caller = callers.get(user).await;
            assert_eq!((caller.user.as_str(), caller.groups.len()), (user, 0));
        }
    }

    #[tokio::test]
    async fn an_answer_is_remembered_only_for_its_lifetime() {
        let callers = asking_the_system(Duration::from_secs(60));
        assert!(Arc::ptr_eq(&callers.get("root").await, &callers.get("root").await));
        let callers = asking_the_system(Duration::ZERO);
        assert!(!Arc::ptr_eq(&callers.get("root").await, &callers.get("root").await));
    }
}
