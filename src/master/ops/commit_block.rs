//! commitBlock and commitBlockInUfs: a block is there whole.

use super::{Answer, CommitBlock, Context, Decision, errors};
use crate::journal::entry::Entry;
use crate::types::{ErrorKind, FsError, InodeId};

// Compatible: 2.9 commitBlock: an unknown worker is refused; a second length is not believed, and no error. Different:
// nothing is journaled of a block whose file is gone; its copy is dropped again.
pub(super) fn decide(at: &Context<'_>, op: &CommitBlock) -> Result<Decision, FsError> {
    if let Some(copy) = &op.copy
        && !at.workers.is_live(copy.worker)
    {
        let message = format!("No worker with workerId {} is found", copy.worker.0);
        return Err(FsError::new(ErrorKind::NotFound, message));
    }
    if op.length < 0 || op.block.0 < 0 || op.block.index() == InodeId::FILE_SEQUENCE {
        return Err(errors::invalid(format!("Block {} of {} bytes is no block", op.block, op.length)));
    }
    let has_file = at.state.inodes().get(op.block.file()).is_some();
    let is_new = has_file && at.state.blocks().length(op.block).is_none();
    let entry = is_new.then_some(Entry::BlockInfo { id: op.block, length: op.length });
    Ok(Decision { entries: entry.into_iter().collect(), answer: Answer::Done })
}
