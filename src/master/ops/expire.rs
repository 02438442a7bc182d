//! What happens when the time to live of an inode has ended.

use super::free::free_tree;
use super::intents::removal;
use super::walk::Which;
use super::{Answer, Context, Decision, Expire, Expired, errors};
use crate::journal::entry::{Entry, UpdateInode};
use crate::master::state::Inode;
use crate::types::{AlluxioPath, FsError, PersistenceState, TtlAction};

/// Some of the inodes whose time has ended; those that are not in the namespace any more are left out.
pub(super) fn expired(at: &Context<'_>, now_ms: i64, limit: usize) -> Answer {
    let ids = at.state.inodes().expired(now_ms);
    let found = ids.filter_map(|id| at.state.path_of(id).map(|path| Expired { id, path }));
    Answer::Expired(found.take(limit).collect())
}

/// Does it, if the inode is still there and its time has still ended.
pub(super) fn decide(at: &Context<'_>, op: &Expire, which: Which<'_>) -> Result<Decision, FsError> {
    let Some((path, inode)) = check(at, op) else {
        return Ok(Decision::done());
    };
    if inode.ttl_action == TtlAction::Free {
        // Compatible: 2.9 InodeTtlChecker: freed by force, then without pin and time to live.
        let (mut entries, blocks) = free_tree(at, &path, &inode, true, which)?;
        let last = which.has(inode.id).then(|| UpdateInode {
            ttl_ms: Some(-1),
            ttl_action: Some(TtlAction::Delete),
            pinned: Some(false),
            ..UpdateInode::of(inode.id)
        });
        entries.extend(last.map(Entry::UpdateInode));
        return Ok(Decision { entries, answer: Answer::Freed(blocks) });
    }
    let alluxio_only = inode.ttl_action == TtlAction::DeleteAlluxio;
    if inode.persistence == PersistenceState::Persisted && !alluxio_only {
        return Err(errors::not_yet(&path));
    }
    Ok(Decision { entries: removal(at, &path, &inode, at.now.0, alluxio_only), answer: Answer::Done })
}

/// Whether it frees what is there, and deletes nothing.
pub(super) fn frees(at: &Context<'_>, op: &Expire) -> bool {
    check(at, op).is_some_and(|(_, inode)| inode.ttl_action == TtlAction::Free)
}

/// The inode, if it is still there and its time has still ended.
pub(super) fn check(at: &Context<'_>, op: &Expire) -> Option<(AlluxioPath, Inode)> {
    let (inode, path) = at.state.inodes().get(op.id).zip(at.state.path_of(op.id))?;
    let has_ended = inode.ttl_ms >= 0 && inode.creation_time_ms.saturating_add(inode.ttl_ms) <= at.now.0;
    (has_ended && !path.is_root()).then_some((path, inode))
}
