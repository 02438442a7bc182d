//! From a path to inodes.

use super::{Context, errors};
use crate::master::state::{Footprint, Inode, MasterState};
use crate::types::{AlluxioPath, ErrorKind, FsError, InodeId};

/// The inodes along a path as far as they exist, the root first, and the names of what is missing.
pub(super) struct Resolved<'a> {
    pub(super) path: &'a AlluxioPath,
    pub(super) found: Vec<Inode>,
    pub(super) missing: Vec<&'a str>,
}

/// Walks down a path.
///
/// # Errors
/// A path that goes through a file.
pub(super) fn resolve<'a>(
    at: &Context<'_>,
    path: &'a AlluxioPath,
    footprint: &mut Footprint,
) -> Result<Resolved<'a>, FsError> {
    let inodes = at.state.inodes();
    let root = inodes.get(InodeId::ROOT);
    let mut last = root.ok_or_else(|| FsError::new(ErrorKind::Unavailable, "The namespace has no root yet."))?;
    let mut resolved = Resolved { path, found: vec![last], missing: Vec::new() };
    for name in path.components() {
        if !resolved.missing.is_empty() {
            resolved.missing.push(name);
            continue;
        }
        if !last.is_directory() {
            return Err(errors::traversal_failed(path, resolved.found.len() - 1, inodes.name(&last)));
        }
        footprint.looked_up(last.id, name);
        match inodes.child(last.id, name) {
            Some(child) => {
                resolved.found.push(child);
                last = child;
            }
            None => resolved.missing.push(name),
        }
    }
    Ok(resolved)
}

/// What a path names, if it is there.
pub fn inode_at(state: &MasterState, path: &AlluxioPath) -> Option<Inode> {
    let inodes = state.inodes();
    path.components().try_fold(inodes.get(InodeId::ROOT)?, |inode, name| inodes.child(inode.id, name))
}

impl Resolved<'_> {
    /// What the path names, when all of it exists.
    pub(super) fn target(&self) -> Option<&Inode> {
        self.found.last().filter(|_| self.missing.is_empty())
    }

    /// What the path names.
    ///
    /// # Errors
    /// It does not exist.
    pub(super) fn existing(&self) -> Result<&Inode, FsError> {
        self.target().ok_or_else(|| errors::path_does_not_exist(self.path))
    }

    /// The last inode of the path that exists.
    pub(super) fn last(&self) -> &Inode {
        self.found.last().expect("the root is found first")
    }

    /// The inodes above what the path names, as far as they exist; none for the root.
    pub(super) fn above(&self) -> &[Inode] {
        if self.missing.is_empty() { &self.found[..self.found.len() - 1] } else { &self.found }
    }
}
