//! What the first primary of a cluster journals.

use crate::journal::entry::{Entry, InodeDirectory};
use crate::master::state::MasterState;
use crate::types::time::Millis;
use crate::types::{AlluxioPath, InodeId, PersistenceState, TtlAction};

/// The entries that give a state a root and the cluster its id; none of what is there already.
///
/// `owner` and `group` are those of the master's process: the owner of the root is the super user. Ids, but that of the
/// root, begin at `first_container`; 0 is where those of 2.9 begin.
pub fn bootstrap(
    state: &MasterState,
    owner: &str,
    group: &str,
    now: Millis,
    cluster_id: String,
    first_container: i64,
) -> Vec<Entry> {
    let now_ms = now.max(state.last_time()).0;
    let mut entries = Vec::new();
    if state.cluster_id().is_none() {
        entries.push(Entry::ClusterInfo { cluster_id });
    }
    if state.inodes().get(InodeId::ROOT).is_some() {
        return entries;
    }
    let mut ids = state.ids();
    let id = ids.take_directory(&mut entries);
    entries.push(Entry::InodeDirectory(InodeDirectory {
        id,
        parent: InodeId::NONE,
        name: String::new(),
        path: AlluxioPath::root(),
        creation_time_ms: now_ms,
        modification_time_ms: now_ms,
        access_time_ms: now_ms,
        owner: owner.to_owned(),
        group: group.to_owned(),
        mode: 0o755,
        persistence: PersistenceState::Persisted,
        pinned: false,
        mount_point: false,
        direct_children_loaded: false,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        extras: None,
    }));
    if first_container > 0 {
        ids.begin_at(first_container, &mut entries);
    }
    entries
}

/// Where the ids of a history begin, by its random number: a worker that kept blocks of an earlier one must not take them
/// for blocks of new files. In the lower half of all containers, beyond those that are reserved with the id of the root.
pub fn first_container(genesis: u64) -> i64 {
    const LOWER_HALF_BITS: u32 = 38;
    let random = genesis >> (u64::BITS - LOWER_HALF_BITS);
    2_000 + i64::try_from(random).expect("it has 38 bits")
}
