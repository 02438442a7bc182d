//! Pure. What becomes of an inode of which the UFS shows something else than what was loaded from it.
//!
//! 2.9.6 UfsSyncUtils.computeSyncPlan, but for three things: what is not in the UFS, or is being written, is left as it is;
//! a directory that is gone stays as long as something below it is in Alluxio alone; which owner, group and mode the UFS
//! showed last is not kept, so that [`take_over`] tells by the inode whether they are new.

use super::intents::removal;
use super::mount::mode_of_mount;
use super::request_ufs::UfsFacts;
use super::{Context, Load};
use crate::journal::entry::{Entry, UpdateInode};
use crate::master::state::{Inode, InodeKind, MasterState};
use crate::types::time::Millis;
use crate::types::ufs_names::is_nobodys;
use crate::types::{AlluxioPath, ContentHash, InodeId, PersistenceState};

/// See [`judge`].
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It stays, but for what the entries change.
    Stays(Vec<Entry>),
    /// These entries take it away; what is in its place, if anything, is to be loaded.
    Goes(Vec<Entry>),
}

/// What the UFS shows at the place of an inode, if anything: whether that is what the namespace has.
pub(super) fn judge(
    at: &Context<'_>,
    load: &Load,
    path: &AlluxioPath,
    inode: &Inode,
    facts: Option<&UfsFacts>,
) -> Judgement {
    let stays = || Judgement::Stays(Vec::new());
    let changed = |update: UpdateInode| match update == UpdateInode::of(inode.id) {
        true => Judgement::Stays(Vec::new()),
        false => Judgement::Stays(vec![Entry::UpdateInode(update)]),
    };
    if load.own == Some(inode.id) {
        return facts.map_or_else(stays, |facts| changed(noted(at, load, inode, facts)));
    }
    let Some(since) = load.compared else { return stays() };
    // Whose directory the root is, who formats decides. Names that no look shows are not missed by any. A clock that went
    // back since tells nothing.
    let is_fixed = inode.id == InodeId::ROOT || is_nobodys(path.name());
    if is_fixed || !is_loaded(inode) || is_newer(at, inode, since) || at.now < since {
        return stays();
    }
    if let Some(mount) = at.state.mounts().at(path) {
        // What a listing shows in its place is not what is mounted.
        let seen = facts.filter(|facts| facts.directory && load.seen_at.0 == *path);
        return seen.map_or_else(stays, |facts| {
            let shown = UfsFacts { mode: mode_of_mount(facts.mode, mount.shared), ..facts.clone() };
            changed(take_over(at, load, inode, &shown, UpdateInode::of(inode.id)))
        });
    }
    match facts {
        Some(facts) if facts.directory == inode.is_directory() && has_content(at.state, inode, facts) => {
            changed(take_over(at, load, inode, facts, noted(at, load, inode, facts)))
        }
        _ if inode.is_directory() && !may_go(at, path, inode, since) => stays(),
        _ => Judgement::Goes(removal(at, path, inode, at.now.0, true)),
    }
}

/// Whether all below a directory may go with it. One with very much in it stays: others wait while it is looked through.
fn may_go(at: &Context<'_>, path: &AlluxioPath, inode: &Inode, since: Millis) -> bool {
    const INODES_MAX: usize = 100_000;
    let (mut directories, mut seen) = (vec![inode.id], 0);
    while let Some(directory) = directories.pop() {
        for child in at.state.inodes().children(directory) {
            seen += 1;
            if seen > INODES_MAX || !is_loaded(&child) || is_newer(at, &child, since) {
                return false;
            }
            directories.extend(child.is_directory().then_some(child.id));
        }
    }
    at.state.mounts().below(path).next().is_none()
}

/// Whether it is in the UFS, whole.
fn is_loaded(inode: &Inode) -> bool {
    let is_whole = !matches!(inode.kind, InodeKind::File { completed: false, .. });
    is_whole && inode.persistence == PersistenceState::Persisted
}

/// Whether it came into being, or was written, after the UFS was looked at. A time that is still to come is the UFS's.
fn is_newer(at: &Context<'_>, inode: &Inode, since: Millis) -> bool {
    let is_written = !inode.is_directory() && (since.0..=at.now.0).contains(&inode.modification_time_ms);
    inode.creation_time_ms >= since.0 || is_written
}

/// Which content was loaded or written, as was noted then.
fn content_of(state: &MasterState, inode: &Inode) -> ContentHash {
    state.inodes().extras(inode).content_hash
}

/// Whether what the UFS has in the place of an inode, if anything, is what the inode says.
// Compatible: 2.9.6 DefaultFileSystemMaster.checkConsistencyInternal, but for owners and modes.
pub fn is_consistent(state: &MasterState, inode: &Inode, facts: Option<&UfsFacts>) -> bool {
    match facts {
        _ if inode.persistence != PersistenceState::Persisted => facts.is_none(),
        Some(facts) => facts.directory == inode.is_directory() && has_content(state, inode, facts),
        None => false,
    }
}

/// Whether a file holds what the UFS has: by the content that was noted, if the UFS tells it too, else by its length.
fn has_content(state: &MasterState, inode: &Inode, facts: &UfsFacts) -> bool {
    let InodeKind::File { length, .. } = inode.kind else { return true };
    match (content_of(state, inode), facts.content_hash()) {
        (ContentHash::LengthAndTime { length, modification_time_ms }, _) => {
            (length, modification_time_ms) == (facts.length, facts.modification_time_ms)
        }
        (ContentHash::Text(noted), ContentHash::Text(seen)) => noted == seen,
        (ContentHash::Text(_) | ContentHash::Unknown, _) => length == facts.length,
    }
}

/// The content of a file, if it was not noted.
fn noted(at: &Context<'_>, load: &Load, inode: &Inode, facts: &UfsFacts) -> UpdateInode {
    let update = UpdateInode::of(inode.id);
    let InodeKind::File { length, .. } = inode.kind else { return update };
    let is_to_be_noted =
        load.keeps_content && content_of(at.state, inode) == ContentHash::Unknown && length == facts.length;
    UpdateInode { content_hash: is_to_be_noted.then(|| facts.content_hash()), ..update }
}

/// With owner, group and mode as the UFS has them, as far as others gave it these.
///
/// What is changed in Alluxio is changed in the UFS first, and no look falls in between. So another mode is one that was set
/// there, unless an access list, which is in Alluxio alone, says what the group may. So are another owner and group of what
/// was loaded. What was made here may have had others in the UFS from the beginning: a directory that of the user of the
/// UFS, which could not give it away; a file also those that its writer told the worker, who may have been another one than
/// the master saw. Those stay.
// Compatible: 2.9.6 InodeSyncStream.syncExistingInodeMetadata, which sets all three, when one is not as it was seen last.
fn take_over(at: &Context<'_>, load: &Load, inode: &Inode, facts: &UfsFacts, update: UpdateInode) -> UpdateInode {
    let Some(ufs_user) = &load.ufs_user else { return update };
    let inodes = at.state.inodes();
    let as_loaded = inode.modification_time_ms < inode.creation_time_ms;
    let is_given = as_loaded || (inode.is_directory() && facts.owner != *ufs_user);
    let new = |shown: &str, has: &str| (is_given && !shown.is_empty() && shown != has).then(|| shown.to_owned());
    UpdateInode {
        owner: new(&facts.owner, inodes.owner(inode)),
        group: new(&facts.group, inodes.group(inode)),
        mode: Some(facts.mode).filter(|mode| *mode != inode.mode && inodes.extras(inode).acl.is_none()),
        ..update
    }
}
