//! Pure. Puts the files of a journal of the originals together: a state, and what was counted on the way.

use super::checkpoint::{self, Content};
use super::envelope::Envelope;
use super::error::LegacyError;
use super::frames::{Frame, Frames, message_behind};
use super::stored_inodes;
use super::tally::Tally;
use super::translate;
use crate::journal::entry::Entry;
use crate::journal::entry_codec::message;
use crate::journal::entry_to_proto::field;
use crate::master::state::{IdGenerators, Inode, InodeKind, MasterState};
use crate::proto::alluxio::proto::journal as wire;
use crate::types::{BlockId, InodeId};
use std::collections::BTreeMap;

/// Containers that any entry may use; how many there were is known at the end.
const CONTAINERS: i64 = 1 << 39;

/// Where a log may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Behind a whole record.
    Whole,
    /// Within a record: its writer died.
    MayBeTorn,
    /// Before the entry of this number; what is behind does not count.
    Before(i64),
}

/// See the module text.
#[derive(Debug)]
pub struct Gathered {
    state: MasterState,
    /// Containers below this one may have been given out.
    next_container: i64,
    /// Lengths of committed blocks, of whatever file.
    blocks: BTreeMap<BlockId, i64>,
    /// What was read.
    pub tally: Tally,
}

/// All that a journal says.
#[derive(Debug)]
pub struct Whole {
    /// Namespace, blocks, mounts. Its own ids are not those to go on with.
    pub state: MasterState,
    /// Where new ids begin.
    pub ids: IdGenerators,
    /// What was read and left out.
    pub tally: Tally,
}

impl Default for Gathered {
    fn default() -> Gathered {
        Gathered { state: empty(), next_container: 0, blocks: BTreeMap::new(), tally: Tally::default() }
    }
}

/// A state that takes an id of any container.
fn empty() -> MasterState {
    let mut state = MasterState::new();
    for entry in [
        Entry::BlockContainerIdGenerator { next_container: CONTAINERS },
        Entry::InodeDirectoryIdGenerator { container: CONTAINERS - 1, sequence: 0 },
    ] {
        state.apply(&entry).expect("an empty state takes any ids");
    }
    state
}

impl Gathered {
    /// Takes a log, or a checkpoint of 1.x, whose entries have numbers; `expected` is the next one, none before the first.
    ///
    /// # Errors
    /// Damage, or a gap before it.
    pub fn numbered(
        &mut self,
        file: &str,
        bytes: &[u8],
        ending: Ending,
        expected: &mut Option<i64>,
    ) -> Result<(), LegacyError> {
        let damaged = |offset, reason| LegacyError::Damaged { file: file.to_owned(), offset, reason };
        let mut frames = Frames::of(bytes);
        loop {
            if let Ending::Before(end) = ending
                && expected.is_some_and(|next| next >= end)
            {
                return Ok(());
            }
            match frames.next_frame() {
                Frame::Message { offset, bytes } => {
                    let at = |reason| damaged(offset, reason);
                    let entry = Envelope::of(bytes).map_err(at)?;
                    let number = entry.sequence.ok_or_else(|| at("an entry without sequence number".into()))?;
                    let next = *expected.get_or_insert(number);
                    if number > next {
                        return Err(LegacyError::Gap { file: file.to_owned(), from: next, before: number });
                    }
                    if number == next {
                        self.take(entry.kind, entry.body).map_err(at)?;
                        *expected = number.checked_add(1);
                    }
                }
                Frame::End => return end_of(file, ending, *expected),
                Frame::Torn { offset } => return self.torn(file, bytes, offset, ending, *expected),
                Frame::NoLength { offset } => return Err(damaged(offset, "no record begins here".into())),
            }
        }
    }

    fn torn(
        &mut self,
        file: &str,
        bytes: &[u8],
        offset: usize,
        ending: Ending,
        expected: Option<i64>,
    ) -> Result<(), LegacyError> {
        if ending == Ending::Whole {
            return Err(LegacyError::CutOff { file: file.to_owned(), offset });
        }
        if let Some(behind) = expected.and_then(|next| message_behind(bytes, offset, next)) {
            let reason = format!("its record ends beyond the file, but another one stands at byte {behind}");
            return Err(LegacyError::Damaged { file: file.to_owned(), offset, reason });
        }
        end_of(file, ending, expected)?;
        let torn = bytes.len() - offset;
        self.tally.notes.push(format!("{file} ends with {torn} bytes of a record that was not finished: left out"));
        Ok(())
    }

    /// Takes a checkpoint of 2.x.
    ///
    /// # Errors
    /// Damage, or a metastore that cannot be read.
    pub fn checkpoint(&mut self, file: &str, bytes: &[u8]) -> Result<(), LegacyError> {
        let of_file = |(offset, reason)| LegacyError::Damaged { file: file.to_owned(), offset, reason };
        for part in checkpoint::parts(bytes).map_err(of_file)? {
            let name = if part.name.is_empty() { file.to_owned() } else { format!("{file} (part {})", part.name) };
            match part.content {
                Content::Entries => self.unnumbered(&name, &part.bytes)?,
                Content::Numbers => {}
                Content::Inodes => self.inodes(&name, &part.bytes)?,
                Content::Rocks => {
                    return Err(LegacyError::Rocks { file: file.to_owned(), component: part.name });
                }
            }
        }
        Ok(())
    }

    fn inodes(&mut self, name: &str, bytes: &[u8]) -> Result<(), LegacyError> {
        let mut tally = std::mem::take(&mut self.tally);
        let outcome = stored_inodes::for_each(bytes, &mut tally, |entries, _| self.apply(&entries));
        self.tally = tally;
        outcome.map_err(|(offset, reason)| LegacyError::Damaged { file: name.to_owned(), offset, reason })
    }

    /// Takes entries without numbers: of a checkpoint of 2.x or a backup.
    ///
    /// # Errors
    /// Damage.
    pub fn unnumbered(&mut self, file: &str, bytes: &[u8]) -> Result<(), LegacyError> {
        let damaged = |offset, reason| LegacyError::Damaged { file: file.to_owned(), offset, reason };
        let mut frames = Frames::of(bytes);
        loop {
            match frames.next_frame() {
                Frame::Message { offset, bytes } => {
                    let entry = Envelope::of(bytes).map_err(|reason| damaged(offset, reason))?;
                    self.take(entry.kind, entry.body).map_err(|reason| damaged(offset, reason))?;
                }
                Frame::End => return Ok(()),
                Frame::Torn { offset } => return Err(LegacyError::CutOff { file: file.to_owned(), offset }),
                Frame::NoLength { offset } => return Err(damaged(offset, "no record begins here".into())),
            }
        }
    }

    fn take(&mut self, kind: u32, body: &[u8]) -> Result<(), String> {
        match kind {
            field::BLOCK_CONTAINER_ID_GENERATOR => {
                let entry: wire::BlockContainerIdGeneratorEntry = message(body)?;
                let next = entry.next_container_id.ok_or("block_container_id_generator without next_container_id")?;
                self.tally.count("block_container_id_generator");
                return self.reserve(next);
            }
            field::INODE_DIRECTORY_ID_GENERATOR => {
                let entry: wire::InodeDirectoryIdGeneratorEntry = message(body)?;
                let container = entry.container_id.ok_or("inode_directory_id_generator without container_id")?;
                self.tally.count("inode_directory_id_generator");
                return self.reserve(container.saturating_add(1));
            }
            field::BLOCK_INFO => {
                let entry: wire::BlockInfoEntry = message(body)?;
                let id = BlockId(entry.block_id.ok_or("block_info without block_id")?);
                let length = entry.length.ok_or("block_info without length")?;
                self.tally.count("block_info");
                // Compatible: 2.9 replay: a block whose length is known keeps it.
                let known = self.blocks.entry(id).or_insert(length);
                if *known == -1 {
                    *known = length;
                }
                return Ok(());
            }
            field::DELETE_BLOCK => {
                let entry: wire::DeleteBlockEntry = message(body)?;
                self.tally.count("delete_block");
                self.blocks.remove(&BlockId(entry.block_id.ok_or("delete_block without block_id")?));
                return Ok(());
            }
            _ => {}
        }
        let entries = translate::entries_of(&self.state, kind, body, &mut self.tally)?;
        self.apply(&entries)
    }

    fn reserve(&mut self, next_container: i64) -> Result<(), String> {
        if !(0..CONTAINERS).contains(&next_container) {
            return Err(format!("there is no container {next_container}"));
        }
        self.next_container = self.next_container.max(next_container);
        Ok(())
    }

    fn apply(&mut self, entries: &[Entry]) -> Result<(), String> {
        for entry in entries {
            if matches!(entry, Entry::InodeDirectory(new) if new.id == InodeId::ROOT) && self.state.inodes().count() > 0
            {
                self.forget_inodes();
            }
            self.state.apply(entry).map_err(|corrupt| corrupt.to_string())?;
        }
        Ok(())
    }

    // Compatible: 2.9 replay: a root begins the namespace anew.
    fn forget_inodes(&mut self) {
        let before = std::mem::replace(&mut self.state, empty());
        let kept = before.mounts().iter().cloned().map(Entry::AddMountPoint);
        let cluster = before.cluster_id().map(|id| Entry::ClusterInfo { cluster_id: id.to_owned() });
        for entry in kept.chain(cluster).chain(before.admin().entries()) {
            self.state.apply(&entry).expect("an empty state takes what another one had");
        }
    }

    /// All that `folder` says, once its files are read.
    ///
    /// # Errors
    /// There is no namespace in it, or parts contradict one another.
    pub fn finish(mut self, folder: &str) -> Result<Whole, LegacyError> {
        let Some(root) = self.state.inodes().get(InodeId::ROOT) else {
            let reason = "no entry of it makes the root directory".to_owned();
            return Err(LegacyError::NoJournal { folder: folder.to_owned(), reason });
        };
        if self.state.inodes().owner(&root).is_empty() {
            let note = "the root has no owner, as with alluxio.security.authentication.type=NOSASL, so nobody is super user \
                        by it: set alluxio.security.authorization.permission.enabled=false, as it was, or \
                        alluxio.security.authorization.permission.supergroup to a group of yours";
            self.tally.notes.push(note.to_owned());
        }
        let mut of_no_file = 0;
        for (id, length) in std::mem::take(&mut self.blocks) {
            if length < 0 || !self.state.inodes().get(id.file()).is_some_and(|file| has_block(&file, id)) {
                of_no_file += 1;
                continue;
            }
            let corrupt = self.state.apply(&Entry::BlockInfo { id, length });
            corrupt.map_err(|e| LegacyError::Misfit { folder: folder.to_owned(), reason: e.to_string() })?;
        }
        if of_no_file > 0 {
            self.tally.notes.push(format!("{of_no_file} blocks belong to files that are no longer there: left out"));
        }
        let used = self.state.inodes().iter().map(|inode| inode.id.container() + 1).max().unwrap_or(0);
        let ids = IdGenerators::beginning_at(self.next_container.max(used));
        Ok(Whole { state: self.state, ids, tally: self.tally })
    }
}

/// Whether a log that ends here, before the entry `expected`, has all that it promises.
fn end_of(file: &str, ending: Ending, expected: Option<i64>) -> Result<(), LegacyError> {
    match ending {
        Ending::Before(promised) if expected.is_none_or(|found| found < promised) => {
            let found = expected.unwrap_or(0);
            Err(LegacyError::Truncated { file: file.to_owned(), promised, found })
        }
        _ => Ok(()),
    }
}

fn has_block(file: &Inode, id: BlockId) -> bool {
    matches!(file.kind, InodeKind::File { blocks, .. } if id.index() < i64::from(blocks))
}

#[cfg(test)]
#[path = "gather_tests.rs"]
mod tests;
