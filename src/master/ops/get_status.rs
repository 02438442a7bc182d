//! getStatus and exists.

use super::block_info::check_safe_mode;
use super::permissions::Access;
use super::resolve::resolve;
use super::status::status_of;
use super::{Answer, Context};
use crate::master::state::Footprint;
use crate::types::{AlluxioPath, ErrorKind, FsError, InodeId, PersistenceState};

/// What the path looks like. Only the way to it must be open to the caller.
pub(super) fn get_status(at: &Context<'_>, path: &AlluxioPath, footprint: &mut Footprint) -> Result<Answer, FsError> {
    let resolved = resolve(at, path, footprint)?;
    at.permissions(footprint).check_way(&resolved, footprint)?;
    let inode = resolved.existing()?;
    let status = status_of(at, path, inode, footprint);
    let is_nowhere = status.blocks.iter().any(|block| block.locations.is_empty());
    if status.completed && is_nowhere && status.persistence != PersistenceState::Persisted {
        // Compatible: 2.9 getStatus of a file with blocks in safe mode, as far as it matters: a client would take the
        // copies for lost.
        check_safe_mode(at)?;
    }
    Ok(Answer::Status(Box::new(status)))
}

/// Refuses who may not do that to what the path names.
pub(super) fn check_access(
    at: &Context<'_>,
    path: &AlluxioPath,
    access: u16,
    footprint: &mut Footprint,
) -> Result<Answer, FsError> {
    let resolved = resolve(at, path, footprint)?;
    at.permissions(footprint).check_target(&resolved, Access::of_bits(access), footprint)?;
    resolved.existing()?;
    Ok(Answer::Done)
}

/// What the inode looks like, for a worker: whoever has a block of it may know.
pub(super) fn status_of_id(at: &Context<'_>, id: InodeId, footprint: &mut Footprint) -> Result<Answer, FsError> {
    footprint.read_inode(id);
    let found = at.state.path_of(id).zip(at.state.inodes().get(id));
    let Some((path, inode)) = found else {
        return Err(FsError::new(ErrorKind::NotFound, format!("inodeId {id} does not exist")));
    };
    // Its place may be changing with a directory above it.
    let _way = resolve(at, &path, footprint)?;
    Ok(Answer::Status(Box::new(status_of(at, &path, &inode, footprint))))
}

/// Whether the path is there.
pub(super) fn exists(at: &Context<'_>, path: &AlluxioPath, footprint: &mut Footprint) -> Result<Answer, FsError> {
    let resolved = resolve(at, path, footprint)?;
    at.permissions(footprint).check_way(&resolved, footprint)?;
    Ok(Answer::Exists(resolved.target().is_some()))
}
