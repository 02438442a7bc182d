//! What happens when the time to live of an inode has ended.

use super::delete::{delete_blocks, removal};
use super::free::free_tree;
use super::{Answer, Context, Decision, Expire, Expired, errors};
use crate::journal::entry::{Entry, UpdateInode};
use crate::types::{FsError, PersistenceState, TtlAction};

/// Some of the inodes whose time has ended; those that are not in the namespace any more are left out.
pub(super) fn expired(at: &Context<'_>, now_ms: i64, limit: usize) -> Answer {
    let ids = at.state.inodes().expired(now_ms);
    let found = ids.filter_map(|id| at.state.path_of(id).map(|path| Expired { id, path }));
    Answer::Expired(found.take(limit).collect())
}

/// Does it, if the inode is still there and its time has still ended.
pub(super) fn decide(at: &Context<'_>, op: &Expire) -> Result<Decision, FsError> {
    let nothing = Ok(Decision { entries: Vec::new(), answer: Answer::Done });
    let Some((inode, path)) = at.state.inodes().get(op.id).zip(at.state.path_of(op.id)) else { return nothing };
    if inode.ttl_ms < 0 || inode.creation_time_ms.saturating_add(inode.ttl_ms) > at.now.0 || path.is_root() {
        return nothing;
    }
    if inode.ttl_action == TtlAction::Free {
        // Compatible: 2.9 InodeTtlChecker: freed by force, then without pin and time to live.
        let (mut entries, blocks) = free_tree(at, &path, &inode, true)?;
        entries.push(Entry::UpdateInode(UpdateInode {
            ttl_ms: Some(-1),
            ttl_action: Some(TtlAction::Delete),
            pinned: Some(false),
            ..UpdateInode::of(inode.id)
        }));
        return Ok(Decision { entries, answer: Answer::Freed(blocks) });
    }
    let alluxio_only = inode.ttl_action == TtlAction::DeleteAlluxio;
    if inode.persistence == PersistenceState::Persisted && !alluxio_only {
        return Err(errors::needs_ufs("Deleting", &path));
    }
    let mut entries: Vec<Entry> = delete_blocks(at, &inode).collect();
    entries.push(removal(&path, &inode, alluxio_only, at.now.0));
    Ok(Decision { entries, answer: Answer::Done })
}
