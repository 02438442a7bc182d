//! setAttribute: mode, owner, group, pin, time to live, replication, persisted

use super::permissions::{Access, Permissions};
use super::resolve::{Resolved, resolve};
use super::walk::{Depth, Which, inodes_of};
use super::{Answer, Context, Decision, SetAttribute};
use crate::journal::entry::{Entry, UpdateInode, UpdateInodeDirectory, UpdateInodeFile};
use crate::master::state::{Footprint, Inode, InodeKind};
use crate::types::{AlluxioPath, ErrorKind, FsError, PersistenceState};

/// Media that copies can be kept on; others are passed over (2.9.6 alluxio.master.tieredstore.global.mediumtype).
const MEDIA: [&str; 3] = ["MEM", "SSD", "HDD"];

pub(super) fn decide(at: &Context<'_>, op: &SetAttribute, which: Which<'_>) -> Result<Decision, FsError> {
    let path = &op.path;
    check_group_of_owner(op)?;
    let mut footprint = Footprint::off();
    let permissions = at.permissions(&mut footprint);
    let resolved = resolve(at, path, &mut footprint)?;
    // Compatible: 2.9.6 DefaultFileSystemMaster.setAttribute, the order of the checks, and that what only Alluxio knows may
    // be changed below a mount that is read-only.
    if op.owner.is_some() || op.group.is_some() || op.mode.is_some() {
        at.check_writable(path)?;
    }
    let inode = resolved.existing()?;
    if op.owner.is_some() {
        permissions.check_super_user()?;
    }
    permissions.check_way(&resolved, &mut footprint)?;
    // Compatible: 2.9 pins and replicates all below a directory, recursive or not.
    let is_deep = op.recursive || op.pinned.is_some() || op.replication().is_some();
    let depth = if is_deep { Depth::Tree } else { Depth::Itself };
    let inodes = inodes_of(at, path, inode, depth, which)?;
    let is_named = |path: &AlluxioPath| op.recursive || *path == op.path;
    // Compatible: 2.9.6 asks for the right to what the path names first, then to what is below.
    for (path, inode) in inodes.iter().rev().filter(|(path, _)| is_named(path)) {
        check_permission(op, &permissions, inode, path, &mut footprint)?;
    }
    let mut entries = Vec::new();
    for (path, inode) in inodes {
        let is_named = is_named(&path);
        update(at, op, &inode, is_named, &mut entries)?;
    }
    if op.persisted {
        entries.extend(persisted_above(&resolved));
    }
    Ok(Decision { entries, answer: Answer::Done })
}

/// The owner changes group and mode; who may write changes what is neither.
fn check_permission(
    op: &SetAttribute,
    permissions: &Permissions<'_>,
    inode: &Inode,
    path: &AlluxioPath,
    footprint: &mut Footprint,
) -> Result<(), FsError> {
    if op.group.is_some() || op.mode.is_some() {
        permissions.check_owner(inode, path)
    } else if op.owner.is_none() {
        permissions.check(inode, Access::WRITE, path, footprint)
    } else {
        Ok(())
    }
}

/// What changes of one inode. `is_named`: it is meant by the request itself, not only as one below it.
fn update(
    at: &Context<'_>,
    op: &SetAttribute,
    inode: &Inode,
    is_named: bool,
    entries: &mut Vec<Entry>,
) -> Result<(), FsError> {
    let mut update = UpdateInode { pinned: op.pinned, ..UpdateInode::of(inode.id) };
    if op.pinned == Some(true) {
        update.media = op.media.iter().filter(|medium| MEDIA.contains(&medium.as_str())).cloned().collect();
    }
    let mut replication = None;
    // Compatible: 2.9.6 InodeTree.setReplication, of directories, too.
    if op.replication_min.is_some_and(|min| min < 0) {
        return Err(FsError::new(ErrorKind::Internal, "Min replication must be a non-negative integer"));
    }
    if op.pinned.is_some() {
        update.modification_time_ms = Some(at.now.0);
    }
    if let (Some((min, max)), InodeKind::File { replication: old, .. }) = (op.replication(), inode.kind) {
        let (min, max) = (min.unwrap_or(old.min), max.unwrap_or(old.max));
        check_replication(min, max)?;
        replication = Some(Entry::UpdateInodeFile(UpdateInodeFile {
            replication_min: Some(min),
            replication_max: Some(max),
            ..UpdateInodeFile::of(inode.id)
        }));
        // Compatible: 2.9 setReplication: a file with a fewest number of copies is pinned.
        update.pinned = Some(min > 0);
        update.modification_time_ms = Some(at.now.0);
    }
    if is_named {
        update.owner.clone_from(&op.owner);
        update.group.clone_from(&op.group);
        update.mode = op.mode.map(|mode| mode & 0o777);
        update.ttl_ms = op.ttl_ms.filter(|ttl| *ttl != inode.ttl_ms);
        update.ttl_action = op.ttl_action.filter(|action| *action != inode.ttl_action);
        if update.ttl_ms.is_some() || update.ttl_action.is_some() {
            update.modification_time_ms = Some(at.now.0);
        }
        if op.persisted {
            persist(at, inode, &mut update)?;
        }
        update.xattr = op.xattr.clone().map(Box::new);
        if op.direct_children_loaded.is_some() && inode.is_directory() {
            let direct_children_loaded = op.direct_children_loaded;
            let loaded = UpdateInodeDirectory { direct_children_loaded, ..UpdateInodeDirectory::of(inode.id) };
            entries.push(Entry::UpdateInodeDirectory(loaded));
        }
    }
    entries.extend(replication);
    if update != UpdateInode::of(inode.id) {
        entries.push(Entry::UpdateInode(update));
    }
    Ok(())
}

// Compatible: 2.9 setReplication, an IllegalArgumentException with this text.
fn check_replication(min: i32, max: i32) -> Result<(), FsError> {
    if max != -1 && max < min {
        let message = format!(
            "Cannot set min and max replication to be {min} and {max}: min replication must be smaller or equal than \
             max replication"
        );
        return Err(FsError::new(ErrorKind::Internal, message));
    }
    Ok(())
}

/// Who writes a file to the UFS by itself says so in this way.
fn persist(at: &Context<'_>, inode: &Inode, update: &mut UpdateInode) -> Result<(), FsError> {
    let InodeKind::File { completed, .. } = inode.kind else {
        return Err(FsError::new(ErrorKind::Internal, "Only files can be persisted"));
    };
    if !completed {
        return Err(FsError::new(ErrorKind::Internal, "File being persisted must be complete"));
    }
    if inode.persistence != PersistenceState::Persisted {
        update.persistence = Some(PersistenceState::Persisted);
        update.modification_time_ms = Some(at.now.0);
    }
    Ok(())
}

/// What is in the UFS lies there in its directories.
fn persisted_above<'a>(resolved: &'a Resolved<'_>) -> impl Iterator<Item = Entry> + 'a {
    let above = resolved.above().iter().rev();
    let persistence = Some(PersistenceState::Persisted);
    let not_yet = above.take_while(|directory| directory.persistence != PersistenceState::Persisted);
    not_yet.map(move |directory| Entry::UpdateInode(UpdateInode { persistence, ..UpdateInode::of(directory.id) }))
}

// Compatible: the original refuses this before it looks at the path, with the class of its exception in the text.
fn check_group_of_owner(op: &SetAttribute) -> Result<(), FsError> {
    let (Some(owner), Some(group), Some(groups)) = (&op.owner, &op.group, &op.owner_groups) else { return Ok(()) };
    if groups.contains(group) {
        return Ok(());
    }
    let message = format!(
        "Could not update owner:group for {} to {owner}:{group}. \
         alluxio.exception.status.FailedPreconditionException: Owner {owner} does not belong to the group {group}",
        op.path
    );
    Err(FsError::new(ErrorKind::Unknown, message))
}
