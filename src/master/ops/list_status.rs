//! listStatus.

use super::permissions::{Access, Permissions};
use super::resolve::resolve;
use super::status::status_of;
use super::{Answer, Context, errors};
use crate::master::state::{Footprint, Inode};
use crate::types::{AlluxioPath, FsError};

/// The children by name, or the file itself; recursive: depth first, parents before children.
pub(super) fn list_status(
    at: &Context<'_>,
    path: &AlluxioPath,
    recursive: bool,
    footprint: &mut Footprint,
) -> Result<Answer, FsError> {
    let (inode, permissions) = listable(at, path, footprint)?;
    if !inode.is_directory() {
        return Ok(Answer::List(vec![status_of(at, path, &inode, footprint)]));
    }
    let mut list = Vec::new();
    // One iterator per level, so that a deep tree does not need a deep stack.
    let mut levels = vec![(path.clone(), at.state.inodes().children(inode.id))];
    while let Some((above, children)) = levels.last_mut() {
        let Some(child) = children.next() else {
            levels.pop();
            continue;
        };
        let child_path = above.join(at.state.inodes().name(&child));
        list.push(status_of(at, &child_path, &child, footprint));
        if recursive && child.is_directory() && may_list(&permissions, &child, &child_path, footprint) {
            levels.push((child_path, at.state.inodes().children(child.id)));
        }
    }
    Ok(Answer::List(list))
}

/// Some of what `list_status` tells of a directory, in the same order, with the same rights.
pub(super) fn list_part(
    at: &Context<'_>,
    path: &AlluxioPath,
    offset: usize,
    limit: usize,
    footprint: &mut Footprint,
) -> Result<Answer, FsError> {
    let (inode, _) = listable(at, path, footprint)?;
    if !inode.is_directory() {
        return Err(errors::invalid(format!("{path} is a file, not a directory")));
    }
    let inodes = at.state.inodes();
    let children = inodes.children_from(inode.id, offset).take(limit);
    Ok(Answer::List(children.map(|child| status_of(at, &path.join(inodes.name(&child)), &child, footprint)).collect()))
}

/// What is there, if it may be read and, as a directory, be listed.
fn listable<'a>(
    at: &'a Context<'_>,
    path: &AlluxioPath,
    footprint: &mut Footprint,
) -> Result<(Inode, Permissions<'a>), FsError> {
    let resolved = resolve(at, path, footprint)?;
    let permissions = at.permissions(footprint);
    permissions.check_target(&resolved, Access::READ, footprint)?;
    let inode = *resolved.existing()?;
    if inode.is_directory() {
        permissions.check(&inode, Access::EXECUTE, path, footprint)?;
        footprint.listed(inode.id);
    }
    Ok((inode, permissions))
}

// Compatible: 2.9 listStatus: below the listed directory, what may not be read is left out, not refused.
fn may_list(permissions: &Permissions<'_>, child: &Inode, path: &AlluxioPath, footprint: &mut Footprint) -> bool {
    [Access::READ, Access::EXECUTE].into_iter().all(|access| permissions.check(child, access, path, footprint).is_ok())
}
