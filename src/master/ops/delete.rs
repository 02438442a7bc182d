//! delete

use super::permissions::{Access, Permissions};
use super::resolve::resolve;
use super::{Answer, Context, Decision, Delete, errors};
use crate::journal::entry::{DeleteFile, Entry, UnlinkTree};
use crate::master::state::{Footprint, Inode};
use crate::types::{AlluxioPath, ErrorKind, FsError, PersistenceState};

/// So many descendants that may not be deleted are named in a refusal.
const DENIALS_SHOWN_MAX: usize = 20;

pub(super) fn decide(at: &Context<'_>, op: &Delete) -> Result<Decision, FsError> {
    let path = &op.path;
    let mut footprint = Footprint::off();
    let resolved = resolve(at, path, &mut footprint)?;
    let permissions = at.permissions(&mut footprint);
    permissions.check_parent(&resolved)?;
    let inode = resolved.existing()?;
    // The root is the only mount point as yet; it cannot be deleted either way.
    if op.recursive && path.is_root() && !op.delete_mount_points {
        let message = format!(
            "Cannot delete path {path} which is or contains a mount point without --deleteMountPoint/-m option specified"
        );
        return Err(FsError::new(ErrorKind::PermissionDenied, message));
    }
    if !op.recursive && inode.children() > 0 {
        let message = format!("Cannot delete non-empty directory {} because recursive is set to false", path.name());
        return Err(FsError::new(ErrorKind::FailedPrecondition, message));
    }
    if path.is_root() {
        return Err(errors::invalid("Cannot delete the root directory"));
    }
    if op.recursive && !permissions.is_free() {
        check_descendants(at, &permissions, path, inode)?;
    }
    // A directory that is not in the UFS has nothing below it that is.
    if inode.persistence == PersistenceState::Persisted && !op.alluxio_only {
        return Err(errors::needs_ufs("Deleting", path));
    }
    let mut entries: Vec<Entry> = delete_blocks(at, inode).collect();
    entries.push(removal(path, inode, op.alluxio_only, at.now.0));
    Ok(Decision { entries, answer: Answer::Done })
}

/// The entries that delete the blocks of a file, which come before its own. Those of trees are collected with them.
pub(super) fn delete_blocks(at: &Context<'_>, inode: &Inode) -> impl Iterator<Item = Entry> {
    let container = (!inode.is_directory()).then_some(inode.id.container());
    let blocks = container.into_iter().flat_map(|container| at.state.blocks().of_container(container));
    blocks.map(|id| Entry::DeleteBlock { id })
}

/// The entry that takes an inode, and all below it, out of the namespace.
pub(super) fn removal(path: &AlluxioPath, inode: &Inode, alluxio_only: bool, op_time_ms: i64) -> Entry {
    if inode.children() > 0 {
        return Entry::UnlinkTree(UnlinkTree { id: inode.id, op_time_ms, path: path.clone() });
    }
    let delete = DeleteFile { id: inode.id, op_time_ms, alluxio_only, path: path.clone() };
    Entry::DeleteFile(delete)
}

/// Each directory below must allow the caller to take its children away.
fn check_descendants(
    at: &Context<'_>,
    permissions: &Permissions<'_>,
    path: &AlluxioPath,
    inode: &Inode,
) -> Result<(), FsError> {
    let mut denials = Vec::new();
    let mut footprint = Footprint::off();
    let mut directories = Vec::from_iter((inode.children() > 0).then(|| (path.clone(), *inode)));
    while let Some((above, directory)) = directories.pop() {
        let path_of = |child: &Inode| above.join(at.state.inodes().name(child));
        let below: Vec<(AlluxioPath, Inode)> = (at.state.inodes().children(directory.id))
            .filter(|child| child.children() > 0)
            .map(|child| (path_of(&child), child))
            .collect();
        let needed = [Some(Access::WRITE), (!below.is_empty()).then_some(Access::EXECUTE)];
        let first = at.state.inodes().children(directory.id).next();
        let shown = first.map_or_else(|| above.clone(), |first| path_of(&first));
        let mut refused = (needed.into_iter().flatten())
            .filter_map(|access| permissions.check(&directory, access, &shown, &mut footprint).err());
        denials.extend(refused.next().map(|denied| denied.message));
        if denials.len() == DENIALS_SHOWN_MAX {
            break;
        }
        directories.extend(below);
    }
    if denials.is_empty() {
        return Ok(());
    }
    let message = format!("Cannot delete directory {path}. Failed to delete children: {}", denials.join(","));
    Err(FsError::new(ErrorKind::PermissionDenied, message))
}
