//! delete

use super::intents::removal;
use super::permissions::{Access, Permissions};
use super::resolve::resolve;
use super::{Answer, Context, Decision, Delete, errors};
use crate::journal::entry::Entry;
use crate::master::state::{Footprint, Inode};
use crate::types::{AlluxioPath, ErrorKind, FsError, PersistenceState};

/// So many descendants that may not be deleted are named in a refusal.
const DENIALS_SHOWN_MAX: usize = 20;

pub(super) fn decide(at: &Context<'_>, op: &Delete) -> Result<Decision, FsError> {
    let inode = check(at, op)?;
    if is_in_ufs(at, op, &inode) {
        return Err(errors::not_yet(&op.path));
    }
    let entries = removal(at, &op.path, &inode, at.now.0, op.alluxio_only);
    Ok(Decision { entries, answer: Answer::Done })
}

/// Whether the UFS has to be changed, too. A directory that is not in it has nothing below it that is, but for what
/// is mounted there; a mount point is given up without touching what was mounted.
fn is_in_ufs(at: &Context<'_>, op: &Delete, inode: &Inode) -> bool {
    let persisted = inode.persistence == PersistenceState::Persisted;
    persisted && !op.alluxio_only && at.state.mounts().at(&op.path).is_none()
}

/// All checks; what is to be deleted.
pub(super) fn check(at: &Context<'_>, op: &Delete) -> Result<Inode, FsError> {
    let path = &op.path;
    let mut footprint = Footprint::off();
    let resolved = resolve(at, path, &mut footprint)?;
    let permissions = at.permissions(&mut footprint);
    permissions.check_parent(&resolved)?;
    at.check_writable(path)?;
    let inode = resolved.existing()?;
    let mut mounts = at.state.mounts().below(path).filter(|mount| op.recursive || mount.path == *path);
    if (op.recursive && path.is_root() || mounts.next().is_some()) && !op.delete_mount_points {
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
    Ok(*inode)
}

/// The entries that delete the blocks of a file, which come before its own. Those of trees are collected with them.
pub(super) fn delete_blocks(at: &Context<'_>, inode: &Inode) -> impl Iterator<Item = Entry> {
    let container = (!inode.is_directory()).then_some(inode.id.container());
    let blocks = container.into_iter().flat_map(|container| at.state.blocks().of_container(container));
    blocks.map(|id| Entry::DeleteBlock { id })
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
