//! getNewBlockIdForFile

use super::complete_file::open_file;
use super::{Answer, Context, Decision, NewBlock, errors};
use crate::journal::entry::Entry;
use crate::types::{BlockId, FsError, InodeId};

// Each call gives another id: a client commits its blocks only when it closes the file, so an id that is not
// committed may be in use. A repetition of one call is known by its operation id, which our clients send; those of 2.9
// send none here.
pub(super) fn decide(at: &Context<'_>, op: &NewBlock) -> Result<Decision, FsError> {
    let file = open_file(at, &op.path)?;
    let index = i64::from(file.blocks);
    if index >= InodeId::FILE_SEQUENCE {
        return Err(errors::invalid(format!("File {} has as many blocks as a file can have", op.path)));
    }
    let block = BlockId::of(file.inode.id.container(), index);
    Ok(Decision { entries: vec![Entry::NewBlock { id: file.inode.id }], answer: Answer::NewBlock(block) })
}
