//! setAttribute: mode, owner, group

use super::resolve::resolve;
use super::{Answer, Context, Decision, SetAttribute};
use crate::journal::entry::{Entry, UpdateInode};
use crate::master::state::{Footprint, Inode};
use crate::types::{AlluxioPath, ErrorKind, FsError};

/// So many inodes are changed by one request: it is one record, decided under the lock.
const INODES_MAX: usize = 100_000;

pub(super) fn decide(at: &Context<'_>, op: &SetAttribute) -> Result<Decision, FsError> {
    let path = &op.path;
    check_group_of_owner(op)?;
    let mut footprint = Footprint::off();
    let permissions = at.permissions(&mut footprint);
    if op.owner.is_some() {
        permissions.check_super_user()?;
    }
    let resolved = resolve(at, path, &mut footprint)?;
    permissions.check_way(&resolved, &mut footprint)?;
    let inode = resolved.existing()?;
    let mut entries = Vec::new();
    for_each(at, path, inode, op.recursive, |path, inode| {
        if op.group.is_some() || op.mode.is_some() {
            permissions.check_owner(inode, path)?;
        }
        let update = UpdateInode {
            owner: op.owner.clone(),
            group: op.group.clone(),
            mode: op.mode.map(|mode| mode & 0o777),
            ..UpdateInode::of(inode.id)
        };
        if update != UpdateInode::of(inode.id) {
            entries.push(Entry::UpdateInode(update));
        }
        Ok(())
    })?;
    Ok(Decision { entries, answer: Answer::Done })
}

/// Visits what the path names, and all below it if `recursive`; children before parents, as 2.9 does.
fn for_each(
    at: &Context<'_>,
    path: &AlluxioPath,
    inode: &Inode,
    recursive: bool,
    mut visit: impl FnMut(&AlluxioPath, &Inode) -> Result<(), FsError>,
) -> Result<(), FsError> {
    let mut count = 0;
    let mut found = vec![(path.clone(), *inode)];
    let mut next = 0;
    while recursive && next < found.len() {
        let (above, directory) = found[next].clone();
        for child in at.state.inodes().children(directory.id) {
            count += 1;
            if count >= INODES_MAX {
                let message = format!("Cannot set attributes of more than {INODES_MAX} inodes at once: {path}");
                return Err(FsError::new(ErrorKind::ResourceExhausted, message));
            }
            found.push((above.join(at.state.inodes().name(&child)), child));
        }
        next += 1;
    }
    found.iter().rev().try_for_each(|(path, inode)| visit(path, inode))
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
