//! Visiting a tree for a change of all of it: of a small one at once, of a large one part by part (parts.rs).

use super::{Context, errors};
use crate::master::state::{Inode, InodeTree};
use crate::types::{AlluxioPath, FsError, InodeId};

/// So many inodes are changed by one record at the most, which is decided under the lock: others wait for a millisecond
/// or two.
pub(super) const AT_ONCE: usize = 1_000;

/// How far below a path is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// What the path names.
    Itself,
    /// And all below it.
    Tree,
}

/// Which of them are meant.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    /// All, if they are few.
    All,
    /// These, as far as they are there.
    Part(&'a [InodeId]),
}

impl Which<'_> {
    /// Whether what the path names is among them.
    pub(super) fn has(&self, top: InodeId) -> bool {
        match self {
            Which::All => true,
            Which::Part(ids) => ids.contains(&top),
        }
    }
}

/// What the path names, and all below it if so wished; children before parents, as 2.9 does.
///
/// # Errors
/// Not yet: there are so many that they are to be changed in parts.
pub(super) fn inodes_of(
    at: &Context<'_>,
    path: &AlluxioPath,
    inode: &Inode,
    depth: Depth,
    which: Which<'_>,
) -> Result<Vec<(AlluxioPath, Inode)>, FsError> {
    if let Which::Part(ids) = which {
        let there = ids.iter().filter_map(|id| at.state.inodes().get(*id).zip(at.state.path_of(*id)));
        return Ok(there.map(|(inode, path)| (path, inode)).filter(|(below, _)| path.is_prefix_of(below)).collect());
    }
    let mut found = vec![(path.clone(), *inode)];
    let mut next = 0;
    while depth == Depth::Tree && next < found.len() {
        let (above, directory) = found[next].clone();
        for child in at.state.inodes().children(directory.id) {
            if found.len() >= AT_ONCE {
                return Err(errors::not_yet(path));
            }
            found.push((above.join(at.state.inodes().name(&child)), child));
        }
        next += 1;
    }
    found.reverse();
    Ok(found)
}

/// The ids of the same, however many there are; parents before children.
pub(super) fn ids_of_tree(inodes: &InodeTree, top: &Inode) -> Vec<InodeId> {
    let mut found = vec![top.id];
    let mut directories = std::collections::VecDeque::from([*top]);
    while let Some(directory) = directories.pop_front() {
        for child in inodes.children(directory.id) {
            found.push(child.id);
            directories.extend((child.children() > 0).then_some(child));
        }
    }
    found
}
