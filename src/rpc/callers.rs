//! Users and their groups, as the operating system of the server knows them, remembered for a while.

use std::collections::HashMap;
use std::ffi::CString;
use std::sync::Arc;
use std::time::Duration;

use log::warn;
use parking_lot::RwLock;
use tokio::sync::OnceCell;

use crate::types::Caller;
use crate::types::time::{Boot, boot_now};

/// Most users remembered at once; when there are more, all are forgotten and looked up again.
const USERS_MAX: usize = 10_000;

/// Turns users into callers. A look-up may ask a directory service over the network, so it runs on a thread that may
/// block, once for all who wait for the same user.
#[derive(Debug)]
pub struct Callers {
    known: RwLock<HashMap<String, Arc<Known>>>,
    /// How long an answer is believed (`alluxio.security.group.mapping.cache.timeout`, 1 min).
    lifetime: Duration,
    nobody: Arc<Caller>,
}

#[derive(Debug)]
struct Known {
    asked: Boot,
    caller: OnceCell<Arc<Caller>>,
}

impl Callers {
    /// Remembers answers for `lifetime`.
    pub fn new(lifetime: Duration) -> Callers {
        Callers { known: RwLock::default(), lifetime, nobody: Arc::default() }
    }

    /// The caller `user`: "" is in no group, and so is a user that the operating system does not know.
    pub async fn get(&self, user: &str) -> Arc<Caller> {
        if user.is_empty() {
            return Arc::clone(&self.nobody);
        }
        let known = self.entry(user);
        match known.caller.get() {
            Some(caller) => Arc::clone(caller),
            None => Arc::clone(known.caller.get_or_init(|| look_up(user.to_owned())).await),
        }
    }

    fn entry(&self, user: &str) -> Arc<Known> {
        let now = boot_now();
        let fresh = |known: &Known| now.since(known.asked) < self.lifetime;
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

async fn look_up(user: String) -> Arc<Caller> {
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

    use super::Callers;

    #[tokio::test]
    async fn the_operating_system_tells_the_groups() {
        let callers = Callers::new(Duration::from_secs(60));
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
        let callers = Callers::new(Duration::from_secs(60));
        for user in ["", "no-such-user-here", "nul\0inside"] {
            let caller = callers.get(user).await;
            assert_eq!((caller.user.as_str(), caller.groups.len()), (user, 0));
        }
    }

    #[tokio::test]
    async fn an_answer_is_remembered_only_for_its_lifetime() {
        let callers = Callers::new(Duration::from_secs(60));
        assert!(Arc::ptr_eq(&callers.get("root").await, &callers.get("root").await));
        let callers = Callers::new(Duration::ZERO);
        assert!(!Arc::ptr_eq(&callers.get("root").await, &callers.get("root").await));
    }
}
