//! Visiting a tree for a change of all of it.

use super::Context;
use crate::master::state::Inode;
use crate::types::{AlluxioPath, ErrorKind, FsError};

/// So many inodes are changed by one request: it is one record, decided under the lock.
const INODES_MAX: usize = 100_000;

/// How far below a path is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// What the path names.
    Itself,
    /// And all below it.
    Tree,
}

/// What the path names, and all below it if so wished; children before parents, as 2.9 does.
///
/// # Errors
/// There are too many.
pub(super) fn inodes_of(
    at: &Context<'_>,
    path: &AlluxioPath,
    inode: &Inode,
    depth: Depth,
) -> Result<Vec<(AlluxioPath, Inode)>, FsError> {
    let mut found = vec![(path.clone(), *inode)];
    let mut next = 0;
    while depth == Depth::Tree && next < found.len() {
        let (above, directory) = found[next].clone();
        for child in at.state.inodes().children(directory.id) {
            if found.len() >= INODES_MAX {
                let message = format!("Cannot change more than {INODES_MAX} inodes at once: {path}");
                return Err(FsError::new(ErrorKind::ResourceExhausted, message));
            }
            found.push((above.join(at.state.inodes().name(&child)), child));
        }
        next += 1;
    }
    found.reverse();
    Ok(found)
}
