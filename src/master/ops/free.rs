//! free: copies in Alluxio are dropped, what is in the UFS stays

use super::permissions::Access;
use super::resolve::resolve;
use super::walk::{Depth, Which, inodes_of};
use super::{Answer, Context, Decision, Free};
use crate::journal::entry::{Entry, UpdateInode};
use crate::master::state::{Footprint, Inode};
use crate::types::{AlluxioPath, BlockId, ErrorKind, FsError, PersistenceState};

pub(super) fn decide(at: &Context<'_>, op: &Free, which: Which<'_>) -> Result<Decision, FsError> {
    let mut footprint = Footprint::off();
    let resolved = resolve(at, &op.path, &mut footprint)?;
    let permissions = at.permissions(&mut footprint);
    permissions.check_target(&resolved, Access::READ, &mut footprint)?;
    let inode = resolved.existing()?;
    if inode.children() > 0 && !op.recursive {
        let message = format!(
            "Cannot free directory {} which is not empty. Please set the \"recursive\" flag of free operation to true",
            op.path
        );
        return Err(refused(message));
    }
    let (entries, blocks) = free_tree(at, &op.path, inode, op.forced, which)?;
    Ok(Decision { entries, answer: Answer::Freed(blocks) })
}

/// What frees all files of a tree, and which blocks workers are to drop.
pub(super) fn free_tree(
    at: &Context<'_>,
    path: &AlluxioPath,
    inode: &Inode,
    forced: bool,
    which: Which<'_>,
) -> Result<(Vec<Entry>, Vec<BlockId>), FsError> {
    let (mut entries, mut blocks) = (Vec::new(), Vec::new());
    for (path, inode) in inodes_of(at, path, inode, Depth::Tree, which)? {
        if inode.is_directory() {
            continue;
        }
        if inode.persistence != PersistenceState::Persisted {
            return Err(refused(format!("Cannot free file {path} which is not persisted")));
        }
        if inode.pinned && !forced {
            let message = format!(
                "Cannot free file {path} which is pinned. Please unpin it first or set the \"forced\" flag of free \
                 operation to true"
            );
            return Err(refused(message));
        }
        if inode.pinned {
            entries.push(Entry::UpdateInode(UpdateInode {
                pinned: Some(false),
                modification_time_ms: Some(at.now.0),
                ..UpdateInode::of(inode.id)
            }));
        }
        blocks.extend(at.state.blocks().of_container(inode.id.container()));
    }
    Ok((entries, blocks))
}

// Compatible: 2.9 UnexpectedAlluxioException, which has no code of its own.
fn refused(message: String) -> FsError {
    FsError::new(ErrorKind::Unknown, message)
}
