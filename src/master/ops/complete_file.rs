//! completeFile

use super::permissions::Access;
use super::resolve::resolve;
use super::{Answer, CompleteFile, Context, Decision, errors};
use crate::journal::entry::{Entry, UpdateInode, UpdateInodeFile};
use crate::master::state::{Footprint, InodeKind};
use crate::types::{BlockId, ErrorKind, FsError, PersistenceState};

pub(super) fn decide(at: &Context<'_>, op: &CompleteFile) -> Result<Decision, FsError> {
    let path = &op.path;
    let mut footprint = Footprint::off();
    let resolved = resolve(at, path, &mut footprint)?;
    let permissions = at.permissions(&mut footprint);
    permissions.check_way(&resolved, &mut footprint)?;
    let inode = resolved.existing()?;
    let InodeKind::File { block_size_bytes, blocks, completed, .. } = inode.kind else {
        return Err(FsError::new(ErrorKind::NotFound, format!("Path \"{path}\" must be a file.")));
    };
    // Who made the file may write it to its end, whatever its mode says.
    if completed || at.state.inodes().owner(inode) != at.caller.user {
        permissions.check(inode, Access::WRITE, path, &mut footprint)?;
    }
    if completed {
        let message = format!("File {} has already been completed.", path.name());
        return Err(FsError::new(ErrorKind::AlreadyExists, message));
    }
    let length = match inode.persistence {
        PersistenceState::Persisted => op.ufs_length.unwrap_or(0),
        // Blocks are committed by workers, of which this version has none: what a file has is not committed.
        _ if blocks > 0 => return Err(errors::invalid("Cannot complete a file without all the blocks committed")),
        _ => 0,
    };
    if length < 0 {
        let message = format!("File {} cannot have negative length: {length}", path.name());
        return Err(errors::invalid(message));
    }
    let number_of_blocks = length.cast_unsigned().div_ceil(block_size_bytes.cast_unsigned());
    let mut entries = vec![
        Entry::UpdateInode(UpdateInode {
            modification_time_ms: Some(at.now.0),
            overwrite_modification_time: Some(true),
            access_time_ms: Some(at.now.0),
            ..UpdateInode::of(inode.id)
        }),
        Entry::UpdateInodeFile(UpdateInodeFile {
            length: Some(length),
            completed: Some(true),
            blocks: (0..number_of_blocks.cast_signed()).map(|i| BlockId::of(inode.id.container(), i)).collect(),
            path: Some(path.clone()),
            ..UpdateInodeFile::of(inode.id)
        }),
    ];
    if op.async_persist {
        let persistence = Some(PersistenceState::ToBePersisted);
        entries.push(Entry::UpdateInode(UpdateInode { persistence, ..UpdateInode::of(inode.id) }));
    }
    Ok(Decision { entries, answer: Answer::Done })
}
