//! delete

use super::intents::removal;
use super::resolve::resolve;
use super::{Answer, Context, Decision, Delete, RightsBelow, errors, rights_below};
use crate::journal::entry::{Entry, UpdateInodeDirectory};
use crate::master::state::{Footprint, Inode};
use crate::types::{ErrorKind, FsError, PersistenceState};

pub(super) fn decide(at: &Context<'_>, op: &Delete) -> Result<Decision, FsError> {
    let inode = check(at, op)?;
    if is_in_ufs(at, op, &inode) {
        return Err(errors::not_yet(&op.path));
    }
    let mut entries = removal(at, &op.path, &inode, at.now.0, op.alluxio_only);
    if let Some(syncs_parent) = op.syncs_parent.filter(|_| op.alluxio_only) {
        let direct_children_loaded = Some(!syncs_parent);
        let parent = UpdateInodeDirectory { direct_children_loaded, ..UpdateInodeDirectory::of(inode.parent) };
        entries.push(Entry::UpdateInodeDirectory(parent));
    }
    Ok(Decision { entries, answer: Answer::Done })
}

/// Whether the UFS has to be changed, too. A directory that is not in it has nothing below it that is, but for what
/// is mounted there; a mount point is given up without touching what was mounted.
fn is_in_ufs(at: &Context<'_>, op: &Delete, inode: &Inode) -> bool {
    let persisted = inode.persistence == PersistenceState::Persisted;
    persisted && !op.alluxio_only && at.state.mounts().at(&op.path).is_none()
}

/// All checks; what is to be deleted.
// Compatible: 2.9.6 DefaultFileSystemMaster.delete, in its order. What is known to Alluxio alone may be taken away below a
// mount that is read-only, to be loaded from there again.
pub(super) fn check(at: &Context<'_>, op: &Delete) -> Result<Inode, FsError> {
    let path = &op.path;
    let mut footprint = Footprint::off();
    let resolved = resolve(at, path, &mut footprint)?;
    at.permissions(&mut footprint).check_parent(&resolved)?;
    if !op.alluxio_only {
        at.check_writable(path)?;
    }
    let inode = resolved.existing()?;
    if op.recursive {
        check_mounts(at, op)?;
    }
    if !op.recursive && inode.children() > 0 {
        let message = format!("Cannot delete non-empty directory {} because recursive is set to false", path.name());
        return Err(FsError::new(ErrorKind::FailedPrecondition, message));
    }
    if path.is_root() {
        return Err(errors::invalid("Cannot delete the root directory"));
    }
    if op.recursive && op.rights_below != RightsBelow::Checked(inode.id) {
        rights_below::check_few(at, &resolved)?;
    }
    Ok(*inode)
}

fn check_mounts(at: &Context<'_>, op: &Delete) -> Result<(), FsError> {
    let (path, mounts) = (&op.path, at.state.mounts());
    let refused = |message| Err(FsError::new(ErrorKind::PermissionDenied, message));
    if (path.is_root() || mounts.below(path).next().is_some()) && !op.delete_mount_points {
        return refused(format!(
            "Cannot delete path {path} which is or contains a mount point without --deleteMountPoint/-m option specified"
        ));
    }
    let of_read_only = mounts.below(path).filter(|mount| mount.read_only).map(|mount| {
        let [path, ufs_path] = [mount.path.as_str(), &mount.ufs_path];
        format!(
            "A write operation on {path} under a readonly mount point MountInfo{{AlluxioURI={path}, UfsURI={ufs_path}}} is \
             not allowed"
        )
    });
    let failed: Vec<String> = of_read_only.collect();
    if failed.is_empty() {
        return Ok(());
    }
    refused(format!("Cannot delete directory {path}. Failed to delete children: {}", failed.join(",")))
}

/// The entries that delete the blocks of a file, which come before its own. Those of trees are collected with them.
pub(super) fn delete_blocks(at: &Context<'_>, inode: &Inode) -> impl Iterator<Item = Entry> {
    let container = (!inode.is_directory()).then_some(inode.id.container());
    let blocks = container.into_iter().flat_map(|container| at.state.blocks().of_container(container));
    blocks.map(|id| Entry::DeleteBlock { id })
}
