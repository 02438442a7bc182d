//! Pure. What becomes of an inode of which the UFS shows something else than what was loaded from it.
//!
//! 2.9.6 UfsSyncUtils.computeSyncPlan, but for two things: what is not in the UFS, or is being written, is left as it is,
//! and a directory that is gone stays as long as something below it is in Alluxio alone.

use super::intents::removal;
use super::request_ufs::UfsFacts;
use super::{Context, Load};
use crate::journal::entry::{Entry, UpdateInode};
use crate::master::state::{Inode, InodeKind};
use crate::types::time::Millis;
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
    let Some(since) = load.compared else { return stays() };
    // Whose directory the root is, who formats decides; what is in the place of a mount point, the mount.
    let is_fixed = inode.id == InodeId::ROOT || at.state.mounts().at(path).is_some();
    if is_fixed || !is_loaded(inode) || is_newer(at, inode, since) {
        return stays();
    }
    let holds_mount = at.state.mounts().below(path).next().is_some();
    match facts {
        Some(facts) if facts.directory == inode.is_directory() && has_content(at, load, inode, facts) => {
            Judgement::Stays(Vec::from_iter(update(at, load, inode, facts)))
        }
        _ if holds_mount || !all_are_loaded(at, inode, since) => stays(),
        _ => Judgement::Goes(removal(at, path, inode, at.now.0, true)),
    }
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
fn content_of(at: &Context<'_>, inode: &Inode) -> ContentHash {
    at.state.inodes().extras(inode).content_hash
}

fn all_are_loaded(at: &Context<'_>, inode: &Inode, since: Millis) -> bool {
    let mut directories = vec![inode.id];
    while let Some(directory) = directories.pop() {
        for child in at.state.inodes().children(directory) {
            if !is_loaded(&child) || is_newer(at, &child, since) {
                return false;
            }
            directories.extend(child.is_directory().then_some(child.id));
        }
    }
    true
}

/// Whether a file holds what the UFS has: as was noted when it was loaded or written, else by length, if the UFS has not
/// changed since it was written here.
fn has_content(at: &Context<'_>, load: &Load, inode: &Inode, facts: &UfsFacts) -> bool {
    let InodeKind::File { length, .. } = inode.kind else { return true };
    match content_of(at, inode) {
        ContentHash::LengthAndTime { length, modification_time_ms } => {
            (length, modification_time_ms) == (facts.length, facts.modification_time_ms)
        }
        ContentHash::Text(_) | ContentHash::Unknown => {
            length == facts.length && (load.is_own || facts.modification_time_ms <= inode.modification_time_ms)
        }
    }
}

/// New owner, group and mode of a file that was loaded; the content, if it was not noted.
///
/// What was written here, and a directory, may always have had other owners in the UFS: those of the process that made it.
fn update(at: &Context<'_>, load: &Load, inode: &Inode, facts: &UfsFacts) -> Option<Entry> {
    let inodes = at.state.inodes();
    let new = |old: &str, new: &str| (!new.is_empty() && new != old).then(|| new.to_owned());
    let is_to_be_noted = load.keeps_content && !inode.is_directory() && content_of(at, inode) == ContentHash::Unknown;
    let was_loaded = matches!(
        content_of(at, inode),
        ContentHash::LengthAndTime { modification_time_ms, .. } if modification_time_ms == inode.modification_time_ms
    );
    let update = UpdateInode {
        owner: new(inodes.owner(inode), &facts.owner).filter(|_| was_loaded),
        group: new(inodes.group(inode), &facts.group).filter(|_| was_loaded),
        mode: Some(facts.mode).filter(|mode| was_loaded && *mode != inode.mode),
        content_hash: is_to_be_noted.then(|| facts.content_hash()),
        ..UpdateInode::of(inode.id)
    };
    (update != UpdateInode::of(inode.id)).then_some(Entry::UpdateInode(update))
}
