//! getBlockInfo, and what is asked about workers.

use super::mount::mounts;
use super::{Answer, Context, errors};
use crate::master::state::Footprint;
use crate::types::{BlockId, BlockStatus, ErrorKind, FsError};

/// A committed block with its copies.
pub(super) fn block_info(at: &Context<'_>, block: BlockId, footprint: &mut Footprint) -> Result<Answer, FsError> {
    check_safe_mode(at)?;
    footprint.read_inode(block.file());
    match at.state.blocks().length(block) {
        Some(length) => Ok(Answer::Block(BlockStatus { id: block, length, locations: at.workers.locations(block) })),
        None => Err(errors::invalid(format!("BlockMeta not found for blockId {block}"))),
    }
}

/// All workers.
pub(super) fn workers(at: &Context<'_>) -> Result<Answer, FsError> {
    check_safe_mode(at)?;
    Ok(known_workers(at))
}

/// Those that have come so far.
pub(super) fn known_workers(at: &Context<'_>) -> Answer {
    Answer::Workers(at.workers.infos().collect())
}

/// Files whose copies must not be evicted. One too many or too few in flight harms nobody: it is asked each second.
pub(super) fn pinned_files(at: &Context<'_>) -> Answer {
    Answer::Files(at.state.inodes().kept().collect())
}

/// The mount of that id.
pub(super) fn ufs(at: &Context<'_>, mount_id: i64, footprint: &mut Footprint) -> Answer {
    footprint.read_mounts();
    Answer::Ufs(mounts(at).find(|mount| mount.mount_id == mount_id).map(Box::new))
}

/// Who would be told of too few workers or copies waits: clients try again.
pub(super) fn check_safe_mode(at: &Context<'_>) -> Result<(), FsError> {
    if at.workers.is_in_safe_mode() {
        let message = "Alluxio master is in safe mode. Please try again later.";
        return Err(FsError::new(ErrorKind::Unavailable, message));
    }
    Ok(())
}
