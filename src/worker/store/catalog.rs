//! Pure. What the store knows of its blocks: where they lie, who uses them, which may go, what the masters must hear.
//!
//! Invariants:
//! - a block id stands for at most one of: a block being written, a block, a block that is going;
//! - the bytes used of a directory are those of its blocks and the promises to those being written;
//! - nothing is evicted that is in use, pinned, or not known to be in the UFS.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::plan::{self, Candidate, Fill, Placement};
use crate::types::BlockId;

/// Most changes kept for masters that have not heard of them; who misses more registers anew.
const CHANGES_MAX: usize = 100_000;

/// Most files asked for at a time whether they are in the UFS.
const QUESTIONS_MAX: usize = 32;

/// The file that a block is of: the container of its ids.
pub fn container(block: BlockId) -> i64 {
    block.0 >> 24
}

/// See the module text.
#[derive(Debug)]
pub struct Catalog {
    directories: Vec<Fill>,
    blocks: BTreeMap<BlockId, Block>,
    /// Blocks by when they were used last. Those that are going are not among them.
    by_use: BTreeMap<u64, BlockId>,
    writing: BTreeMap<BlockId, Writing>,
    /// Counts uses.
    clock: u64,
    files: Files,
    changes: VecDeque<Change>,
    /// Number of the first of them.
    changes_begin: u64,
}

/// What is known of files, by their container.
#[derive(Debug, Default)]
struct Files {
    /// The master's list: pinned, or waiting to be persisted.
    pinned: BTreeSet<i64>,
    /// Pinned by who writes them, until a list that was asked for after this one.
    pinned_early: BTreeMap<i64, u64>,
    /// Number of the list that was asked for last.
    list: u64,
    /// In the UFS, or gone: their blocks may go.
    expendable: BTreeSet<i64>,
    /// Not in the UFS when it was asked last. Forgotten with each list.
    needed: BTreeSet<i64>,
}

#[derive(Debug)]
struct Block {
    directory: usize,
    bytes: u64,
    used_at: u64,
    /// Readers that must find it.
    locks: u32,
    /// To be deleted when its last reader has gone.
    going: bool,
}

#[derive(Debug)]
struct Writing {
    directory: usize,
    promised: u64,
}

/// A block came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It lies in this directory now.
    Added(BlockId, usize),
    /// It is gone.
    Removed(BlockId),
}

/// An answer to a wish for room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Room {
    /// Given in this directory. The files of the evicted blocks are still to be deleted, see [`Catalog::deleted`].
    Given(Placement),
    /// Some of what might go is of files of which it is not known whether they are in the UFS: find out, ask again.
    Ask(Vec<i64>),
    /// There is none.
    None,
}

/// The id is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// By a block that is being written.
    Writing,
    /// By a block, or one that is going.
    Block,
}

impl Catalog {
    /// Of empty directories, from the top tier down.
    pub fn new(directories: Vec<Fill>) -> Catalog {
        Catalog {
            directories,
            blocks: BTreeMap::new(),
            by_use: BTreeMap::new(),
            writing: BTreeMap::new(),
            clock: 0,
            files: Files::default(),
            changes: VecDeque::new(),
            changes_begin: 0,
        }
    }

    /// How full the directories are.
    pub fn fills(&self) -> &[Fill] {
        &self.directories
    }

    /// How many blocks there are.
    pub fn len(&self) -> usize {
        self.by_use.len()
    }

    /// All blocks with their directories, and the number of the change that comes next.
    pub fn report(&self) -> (Vec<(BlockId, usize)>, u64) {
        let present = self.blocks.iter().filter(|(_, block)| !block.going);
        let blocks = present.map(|(id, block)| (*id, block.directory)).collect();
        (blocks, self.changes_begin + self.changes.len() as u64)
    }

    /// The changes from number `from` on, at most `max`, and the number after them; none if some are forgotten.
    pub fn changes(&self, from: u64, max: usize) -> Option<(Vec<Change>, u64)> {
        let skipped = usize::try_from(from.checked_sub(self.changes_begin)?).ok()?;
        let changes: Vec<_> = self.changes.iter().skip(skipped).take(max).copied().collect();
        let next = from + changes.len() as u64;
        Some((changes, next))
    }

    fn changed(&mut self, change: Change) {
        self.changes.push_back(change);
        if self.changes.len() > CHANGES_MAX {
            self.changes.pop_front();
            self.changes_begin += 1;
        }
    }

    /// Takes up a block that lay in a directory when the store was opened. False if there is one of this id already.
    pub fn found(&mut self, id: BlockId, directory: usize, bytes: u64) -> bool {
        let new = !self.blocks.contains_key(&id);
        if new {
            self.directories[directory].used += bytes;
            self.enter(id, directory, bytes);
        }
        new
    }

    fn enter(&mut self, id: BlockId, directory: usize, bytes: u64) {
        self.clock += 1;
        self.by_use.insert(self.clock, id);
        self.blocks.insert(id, Block { directory, bytes, used_at: self.clock, locks: 0, going: false });
    }

    /// Begins to write a block for which `bytes` are promised.
    ///
    /// # Errors
    /// The id is taken.
    pub fn begin(&mut self, id: BlockId, bytes: u64) -> Result<Room, Taken> {
        if self.writing.contains_key(&id) {
            return Err(Taken::Writing);
        }
        if self.blocks.contains_key(&id) {
            return Err(Taken::Block);
        }
        let placement = plan::place(&self.directories, bytes, |directory| self.candidates(directory));
        let room = self.decide(placement);
        if let Room::Given(Placement { directory, .. }) = &room {
            self.directories[*directory].used += bytes;
            self.writing.insert(id, Writing { directory: *directory, promised: bytes });
        }
        Ok(room)
    }

    /// Promises `more` bytes to a block that is being written.
    pub fn grow(&mut self, id: BlockId, more: u64) -> Room {
        let Some(directory) = self.writing.get(&id).map(|writing| writing.directory) else { return Room::None };
        let evict = plan::make_room(&self.directories[directory], more, self.candidates(directory));
        let room = self.decide(evict.map(|evict| Placement { directory, evict }));
        if let (Room::Given(_), Some(writing)) = (&room, self.writing.get_mut(&id)) {
            writing.promised += more;
            self.directories[directory].used += more;
        }
        room
    }

    /// What may go, or may turn out to, the least recently used first.
    fn candidates(&self, directory: usize) -> impl Iterator<Item = Candidate> {
        self.by_use.iter().filter_map(move |(used_at, id)| {
            let block = self.blocks.get(id)?;
            let free = block.directory == directory && block.locks == 0 && self.files.may_go(container(*id));
            free.then_some(Candidate { block: *id, bytes: block.bytes, used_at: *used_at })
        })
    }

    fn decide(&mut self, placement: Option<Placement>) -> Room {
        let Some(placement) = placement else { return Room::None };
        let files = placement.evict.iter().map(|id| container(*id));
        let unknown: BTreeSet<_> = files.filter(|file| !self.files.expendable.contains(file)).collect();
        if !unknown.is_empty() {
            return Room::Ask(unknown.into_iter().take(QUESTIONS_MAX).collect());
        }
        for id in &placement.evict {
            self.condemn(*id);
        }
        Room::Given(placement)
    }

    /// Ends the writing of a block, which lies in its place with `bytes` now.
    pub fn commit(&mut self, id: BlockId, bytes: u64) {
        let Some(Writing { directory, promised }) = self.writing.remove(&id) else { return };
        let used = &mut self.directories[directory].used;
        *used = used.saturating_sub(promised) + bytes;
        self.enter(id, directory, bytes);
        self.changed(Change::Added(id, directory));
    }

    /// Gives up the writing of a block. Its file is deleted already.
    pub fn abort(&mut self, id: BlockId) {
        if let Some(Writing { directory, promised }) = self.writing.remove(&id) {
            let used = &mut self.directories[directory].used;
            *used = used.saturating_sub(promised);
        }
    }

    /// Has masters hear that a block is not here that is still being written, so that no other of its id can come first.
    pub fn withdraw(&mut self, id: BlockId) {
        if self.writing.contains_key(&id) {
            self.changed(Change::Removed(id));
        }
    }

    /// Keeps a block until [`Catalog::unlock`], and notes the use. Its directory and length, if it is there.
    pub fn lock(&mut self, id: BlockId) -> Option<(usize, u64)> {
        let block = self.blocks.get_mut(&id).filter(|block| !block.going)?;
        block.locks += 1;
        self.clock += 1;
        self.by_use.remove(&block.used_at);
        self.by_use.insert(self.clock, id);
        block.used_at = self.clock;
        Some((block.directory, block.bytes))
    }

    /// Whether there is such a block.
    pub fn has(&self, id: BlockId) -> bool {
        self.blocks.get(&id).is_some_and(|block| !block.going)
    }

    /// Ends a lock. The directory, if the block's file must be deleted now.
    #[must_use]
    pub fn unlock(&mut self, id: BlockId) -> Option<usize> {
        let block = self.blocks.get_mut(&id)?;
        block.locks = block.locks.saturating_sub(1);
        (block.going && block.locks == 0).then_some(block.directory)
    }

    /// Makes a block go: nobody finds it any more. Some if there is one: its directory, if its file must be deleted now.
    pub fn remove(&mut self, id: BlockId) -> Option<Option<usize>> {
        self.blocks.get(&id).filter(|block| !block.going)?;
        self.condemn(id);
        let block = self.blocks.get(&id)?;
        Some((block.locks == 0).then_some(block.directory))
    }

    fn condemn(&mut self, id: BlockId) {
        let Some(block) = self.blocks.get_mut(&id) else { return };
        block.going = true;
        self.by_use.remove(&block.used_at);
        if block.locks == 0 {
            // Its room is given away already.
            self.directories[block.directory].used -= block.bytes;
            block.bytes = 0;
        }
        self.changed(Change::Removed(id));
    }

    /// The file of a block that went is deleted: its id is free.
    pub fn deleted(&mut self, id: BlockId) {
        if let Some(block) = self.blocks.remove(&id) {
            debug_assert!(block.going && block.locks == 0, "only blocks that go are deleted");
            self.directories[block.directory].used -= block.bytes;
        }
    }

    /// Keeps the blocks of a file until a list of pins that is asked for later says otherwise.
    pub fn pin_early(&mut self, file: i64) {
        self.files.pinned_early.insert(file, self.files.list);
    }

    /// A list of pinned files is going to be asked for; its number.
    pub fn list_asked(&mut self) -> u64 {
        self.files.list += 1;
        self.files.list
    }

    /// The list of that number: containers of the files that must stay.
    pub fn listed(&mut self, list: u64, pinned: BTreeSet<i64>) {
        self.files.pinned_early.retain(|_, since| *since >= list);
        self.files.pinned = pinned;
        self.files.needed.clear();
        // Forgets files without a block now and then, rather than with each block.
        let Catalog { blocks, files, .. } = self;
        if files.expendable.len() > 2 * blocks.len() + QUESTIONS_MAX {
            let present: BTreeSet<i64> = blocks.keys().map(|id| container(*id)).collect();
            files.expendable.retain(|file| present.contains(file));
        }
    }

    /// The file is in the UFS, or gone.
    pub fn is_expendable(&mut self, file: i64) {
        self.files.expendable.insert(file);
    }

    /// The file is in Alluxio only.
    pub fn is_needed(&mut self, file: i64) {
        self.files.needed.insert(file);
    }
}

impl Files {
    fn may_go(&self, file: i64) -> bool {
        !self.pinned.contains(&file) && !self.pinned_early.contains_key(&file) && !self.needed.contains(&file)
    }
}

#[cfg(test)]
#[path = "catalog_tests.rs"]
mod tests;
