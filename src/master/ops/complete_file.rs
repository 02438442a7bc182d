//! completeFile

use super::permissions::Access;
use super::resolve::resolve;
use super::to_persist::time_after;
use super::{Answer, CompleteFile, Context, Decision, errors};
use crate::journal::entry::{Entry, UpdateInode, UpdateInodeFile};
use crate::master::state::{Footprint, Inode, InodeKind};
use crate::types::{AlluxioPath, BlockId, ContentHash, ErrorKind, FsError, PersistenceState};

/// Blocks of one file whose length one request tells. A record of the journal holds no more, and nobody must make a
/// master count to the end of all numbers.
const BLOCKS_MAX: i64 = 1_000_000;

pub(super) fn decide(at: &Context<'_>, op: &CompleteFile) -> Result<Decision, FsError> {
    let path = &op.path;
    let OpenFile { inode, blocks, block_size_bytes, completed } = open_file(at, path)?;
    let is_persisted = inode.persistence == PersistenceState::Persisted;
    let committed = committed_length(at, &inode, blocks, block_size_bytes, is_persisted)?;
    if completed {
        let message = format!("File {} has already been completed.", path.name());
        return Err(FsError::new(ErrorKind::AlreadyExists, message));
    }
    let length = if is_persisted { op.ufs_length.unwrap_or(0) } else { committed };
    if length < 0 {
        let message = format!("File {} cannot have negative length: {length}", path.name());
        return Err(errors::invalid(message));
    }
    let Some(count) = blocks_of(length, block_size_bytes) else {
        let message = format!(
            "File {} of {length} bytes has too many blocks of {block_size_bytes} bytes, more than {BLOCKS_MAX}. Write it \
             with a larger block size.",
            path.name()
        );
        return Err(errors::invalid(message));
    };
    let set: Vec<BlockId> = (0..count).map(|index| BlockId::of(inode.id.container(), index)).collect();
    let mut entries = Vec::new();
    if is_persisted {
        entries.extend(blocks_in_ufs(at, &set, length, block_size_bytes));
    }
    // A block of no bytes stays only where there is no other.
    let surplus = at.state.blocks().of_container(inode.id.container()).filter(|block| block.index() >= count.max(1));
    entries.extend(surplus.map(|id| Entry::DeleteBlock { id }));
    entries.push(Entry::UpdateInode(UpdateInode {
        modification_time_ms: Some(at.now.0),
        overwrite_modification_time: Some(true),
        access_time_ms: Some(at.now.0),
        content_hash: Some(&op.content_hash).filter(|hash| is_persisted && **hash != ContentHash::Unknown).cloned(),
        ..UpdateInode::of(inode.id)
    }));
    entries.push(Entry::UpdateInodeFile(UpdateInodeFile {
        length: Some(length),
        completed: Some(true),
        blocks: set,
        path: Some(path.clone()),
        ..UpdateInodeFile::of(inode.id)
    }));
    if let Some(wait_ms) = op.async_persist
        && at.is_ever_persisted(path)
    {
        let persistence = Some(PersistenceState::ToBePersisted);
        entries.push(Entry::UpdateInode(UpdateInode { persistence, ..UpdateInode::of(inode.id) }));
        entries.extend(time_after(at, inode.id, wait_ms));
    }
    Ok(Decision { entries, answer: Answer::Done })
}

/// How many blocks a file of that length has; none when it is more than a file can be given at once.
pub(super) fn blocks_of(length: i64, block_size_bytes: i64) -> Option<i64> {
    let count = length.cast_unsigned().div_ceil(block_size_bytes.cast_unsigned());
    i64::try_from(count).ok().filter(|count| *count <= BLOCKS_MAX)
}

/// A file that the caller may write to.
pub(super) struct OpenFile {
    pub(super) inode: Inode,
    pub(super) blocks: u32,
    pub(super) block_size_bytes: i64,
    pub(super) completed: bool,
}

/// The file of that path, when the caller may go on writing it.
pub(super) fn open_file(at: &Context<'_>, path: &AlluxioPath) -> Result<OpenFile, FsError> {
    let mut footprint = Footprint::off();
    let resolved = resolve(at, path, &mut footprint)?;
    let permissions = at.permissions(&mut footprint);
    permissions.check_way(&resolved, &mut footprint)?;
    let inode = *resolved.existing()?;
    let InodeKind::File { block_size_bytes, blocks, completed, .. } = inode.kind else {
        // Compatible: 2.9.6 DefaultFileSystemMaster.completeFile asks for the right before it looks at the kind.
        permissions.check(&inode, Access::WRITE, path, &mut footprint)?;
        return Err(FsError::new(ErrorKind::NotFound, format!("Path \"{path}\" must be a file.")));
    };
    // Who made the file may write it to its end, whatever its mode says.
    if completed || at.state.inodes().owner(&inode) != at.caller.user {
        permissions.check(&inode, Access::WRITE, path, &mut footprint)?;
    }
    Ok(OpenFile { inode, blocks, block_size_bytes, completed })
}

/// Bytes in the committed blocks of a file: all but the last must be full.
fn committed_length(
    at: &Context<'_>,
    inode: &Inode,
    blocks: u32,
    block_size_bytes: i64,
    is_persisted: bool,
) -> Result<i64, FsError> {
    let ids = (0..i64::from(blocks)).map(|index| BlockId::of(inode.id.container(), index));
    let found: Vec<Option<i64>> = ids.map(|id| at.state.blocks().length(id)).collect();
    let lengths: Vec<i64> = found.iter().map_while(|length| *length).collect();
    // What is in the UFS need not be in Alluxio: a writer that cannot keep a block goes on without blocks.
    // Different: 2.9 takes a file in the UFS also with blocks after a missing one. A 2.9 client has such when the answer
    // with a block id was lost and it asked again: its content lies one block further than readers look for it.
    let has_gap = found[lengths.len()..].iter().any(Option::is_some);
    if has_gap || (!is_persisted && lengths.len() != blocks as usize) {
        return Err(errors::invalid("Cannot complete a file without all the blocks committed"));
    }
    let all_but_last = &lengths[..lengths.len().saturating_sub(1)];
    if let Some(index) = all_but_last.iter().position(|length| *length != block_size_bytes) {
        let message =
            format!("Block index {index} has a block size smaller than the file block size ({block_size_bytes})");
        return Err(errors::invalid(message));
    }
    let sum = lengths.iter().try_fold(0_i64, |sum, length| sum.checked_add(*length));
    sum.ok_or_else(|| errors::invalid("The blocks of the file are longer than a file can be"))
}

/// What is in the UFS is there whole.
fn blocks_in_ufs<'a>(
    at: &'a Context<'_>,
    set: &'a [BlockId],
    length: i64,
    block_size_bytes: i64,
) -> impl Iterator<Item = Entry> + 'a {
    let missing = set.iter().filter(|id| at.state.blocks().length(**id).is_none());
    missing.map(move |id| {
        let length = (length - id.index() * block_size_bytes).min(block_size_bytes);
        Entry::BlockInfo { id: *id, length }
    })
}
