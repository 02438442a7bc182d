//! A journal folder in memory, with everything that can go wrong at one.
//!
//! [`MemoryFolder`] is the synchronous core: no clock, no chance, no task. What happens, and when, is the caller's
//! choice, so a simulator can play every order of events. `MemoryStore` (`memory_store.rs`) performs each call at once and
//! well.
//!
//! The model of an open segment: its one writer sends bytes in order, and each of its replicas (DataNodes) holds some
//! prefix of them. So a replica is just a length.
//!
//! ```text
//! begin_append ─► land(append, 0) ─► land(append, 1) ─► acknowledged(append)   the caller tells its writer, or loses it
//!                 land_part: torn                         visible(segment, 1): what a reader of replica 1 sees
//! recovery_range ─► recover_to(segment, n): the writer is cut off, all replicas have n bytes, the file is closed
//! ```
//!
//! Nothing ties an append to its writer's life: a caller may land it after the writer's process died, after another
//! master took over, after the file was deleted. Only `recover_to` and `close` end that, as on HDFS.

use super::layout;
pub use super::memory_store::MemoryStore;
use super::{CheckpointId, Format, JournalFile, Length, Listing, SegmentId, StoreError, Written};
use bytes::{Bytes, BytesMut};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// A file that was created: what its writer holds. Names may be deleted, files remain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId(u64);

/// An append that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AppendId {
    file: FileId,
    start: usize,
    end: usize,
}

/// What one DataNode has of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Replica {
    /// This many bytes, which it shows.
    Shows(usize),
    /// Restarted: it has them, but shows nothing until the file is recovered.
    Hides(usize),
    /// Gone with its disk.
    Lost,
}

#[derive(Debug)]
struct File {
    segment: SegmentId,
    /// All that the writer sent. Replicas hold prefixes of it.
    sent: BytesMut,
    replicas: Vec<Replica>,
    /// Every replica had this much at one moment of an unbroken pipeline.
    acknowledged: usize,
    /// A replica failed: nothing more is acknowledged, though bytes may go on landing elsewhere.
    broken: bool,
    closed: bool,
}

/// The folder and its DataNodes. Every method is one step of the world.
#[derive(Debug)]
pub struct MemoryFolder {
    replicas: usize,
    outage: bool,
    format: Option<Format>,
    /// Whether the folder is there; made by `write_format`, ended by `delete_folder`.
    exists: bool,
    names: BTreeMap<SegmentId, FileId>,
    /// Also those whose name was deleted: their writers do not notice.
    files: BTreeMap<FileId, File>,
    checkpoints: BTreeMap<CheckpointId, Bytes>,
    /// Where files were moved: folder and name. What is in them is not modelled, since nobody reads it.
    aside: BTreeSet<(String, JournalFile)>,
}

type Result<T> = std::result::Result<T, StoreError>;

impl MemoryFolder {
    /// A folder that does not exist yet, on a store that keeps `replicas` replicas.
    pub fn new(replicas: usize) -> MemoryFolder {
        assert!(replicas > 0, "a store without replicas keeps nothing");
        MemoryFolder {
            replicas,
            outage: false,
            format: None,
            exists: false,
            names: BTreeMap::new(),
            files: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            aside: BTreeSet::new(),
        }
    }

    // ---- Calls to the folder (the NameNode). To lose a reply, make the call and do not tell the caller; to play an
    // ---- unknown outcome, make it or not and answer `Unavailable`.

    /// From now on the calls below fail with `Unavailable` and have no effect, or work again. Appends are not
    /// touched: whether they land is up to the caller.
    pub fn set_outage(&mut self, outage: bool) {
        self.outage = outage;
    }

    fn reach(&self, operation: &'static str, object: String) -> Result<String> {
        match self.outage {
            false => Ok(object),
            true => Err(StoreError::Unavailable { operation, object, reason: "the store is away".into() }),
        }
    }

    /// See `JournalStore`.
    pub fn read_format(&self) -> Result<Option<Format>> {
        self.reach("read", "FORMAT".into())?;
        Ok(self.format.clone())
    }

    /// See `JournalStore`.
    pub fn write_format(&mut self, format: &Format) -> Result<()> {
        self.reach("write", "FORMAT".into())?;
        self.exists = true;
        self.format = Some(format.clone());
        Ok(())
    }

    /// Somebody deletes the whole folder by hand. Writers of open segments do not notice, their next create does.
    pub fn delete_folder(&mut self) {
        self.exists = false;
        self.format = None;
        self.names.clear();
        self.checkpoints.clear();
    }

    /// See `JournalStore`.
    pub fn list(&self) -> Result<Listing> {
        self.reach("list", "the folder".into())?;
        Ok(Listing {
            segments: self.names.keys().copied().collect(),
            checkpoints: self.checkpoints.keys().copied().collect(),
        })
    }

    /// Bytes of all files that have a name.
    pub fn bytes(&self) -> Result<u64> {
        self.reach("list", "the folder".into())?;
        let segments = self.names.values().map(|file| self.files[file].sent.len());
        Ok(segments.chain(self.checkpoints.values().map(Bytes::len)).map(|bytes| bytes as u64).sum())
    }

    /// Creates a segment exclusively; the answer is what its writer appends with.
    pub fn create(&mut self, segment: SegmentId) -> Result<FileId> {
        let object = self.reach("create", segment.to_string())?;
        if !self.exists {
            return Err(StoreError::NotFound { object: "epochs".into() });
        }
        if self.names.contains_key(&segment) {
            return Err(StoreError::Exists { object });
        }
        let id = FileId(self.files.len() as u64);
        let replicas = vec![Replica::Shows(0); self.replicas];
        let file = File { segment, sent: BytesMut::new(), replicas, acknowledged: 0, broken: false, closed: false };
        self.files.insert(id, file);
        self.names.insert(segment, id);
        Ok(id)
    }

    /// Deletes the name. The writer goes on being acknowledged, as on HDFS.
    pub fn delete_segment(&mut self, segment: SegmentId) -> Result<()> {
        self.reach("delete", segment.to_string())?;
        self.names.remove(&segment);
        Ok(())
    }

    /// Writes a checkpoint in one step; temporary names are not modelled, since nobody reads them.
    pub fn write_checkpoint(&mut self, id: CheckpointId, content: Bytes) -> Result<Written> {
        self.reach("write", id.to_string())?;
        if !self.exists {
            return Err(StoreError::NotFound { object: "checkpoints".into() });
        }
        if self.checkpoints.contains_key(&id) {
            return Ok(Written::Existed);
        }
        self.checkpoints.insert(id, content);
        Ok(Written::New)
    }

    /// See `JournalStore`.
    pub fn read_checkpoint(&self, id: CheckpointId) -> Result<Bytes> {
        let object = self.reach("read", id.to_string())?;
        self.checkpoints.get(&id).cloned().ok_or(StoreError::NotFound { object })
    }

    /// See `JournalStore`.
    pub fn delete_checkpoint(&mut self, id: CheckpointId) -> Result<()> {
        self.reach("delete", id.to_string())?;
        self.checkpoints.remove(&id);
        Ok(())
    }

    /// See `JournalStore`.
    pub fn set_aside(&mut self, file: JournalFile, aside: &str) -> Result<()> {
        let object = self.reach("rename", file.to_string())?;
        let is_there = match file {
            JournalFile::Segment(id) => self.names.contains_key(&id),
            JournalFile::Checkpoint(id) => self.checkpoints.contains_key(&id),
        };
        if !is_there {
            return Err(StoreError::NotFound { object });
        }
        if !self.aside.insert((aside.to_owned(), file)) {
            return Err(StoreError::Exists { object: format!("{aside}/{object}") });
        }
        match file {
            JournalFile::Segment(id) => self.delete_segment(id),
            JournalFile::Checkpoint(id) => self.delete_checkpoint(id),
        }
    }

    /// See `JournalStore`.
    pub fn probe(&self, writer: &str) -> Result<()> {
        let object = self.reach("create", layout::probe(writer))?;
        if self.exists { Ok(()) } else { Err(StoreError::NotFound { object }) }
    }

    // ---- The writer and its bytes.

    /// The writer sends bytes; they are nowhere yet. Sent after `close`, `recover_to` or a failed replica too: then
    /// they are never acknowledged.
    pub fn begin_append(&mut self, file: FileId, bytes: &[u8]) -> AppendId {
        let content = &mut self.file_mut(file).sent;
        let start = content.len();
        content.extend_from_slice(bytes);
        AppendId { file, start, end: content.len() }
    }

    /// All bytes of the append reach a replica. False, without effect, when they cannot: bytes before them have not
    /// landed there, the replica does not take any, or the file is closed.
    pub fn land(&mut self, append: AppendId, replica: usize) -> bool {
        self.land_part(append, replica, append.end - append.start)
    }

    /// The first `bytes` bytes of the append reach a replica: a torn write if it stays at that.
    pub fn land_part(&mut self, append: AppendId, replica: usize, bytes: usize) -> bool {
        let upto = (append.start + bytes).min(append.end);
        let file = self.file_mut(append.file);
        match &mut file.replicas[replica] {
            Replica::Shows(has) if !file.closed && *has >= append.start => *has = upto.max(*has),
            _ => return false,
        }
        if !file.broken {
            file.acknowledged = file.replicas.iter().map(|r| r.has().unwrap_or(0)).min().unwrap_or(0);
        }
        true
    }

    /// Whether all replicas had the append while the pipeline was whole: the acknowledgement is on its way to the
    /// writer. When it arrives, if it does, is up to the caller.
    pub fn acknowledged(&self, append: AppendId) -> bool {
        self.file(append.file).acknowledged >= append.end
    }

    /// Whether the pipeline is broken or cut off: the writer will hear of it at its next append, or at once.
    pub fn writer_is_cut_off(&self, file: FileId) -> bool {
        let file = self.file(file);
        file.broken || file.closed
    }

    /// The writer ends the file at what was acknowledged; refused once it was cut off.
    pub fn close(&mut self, file: FileId) -> Result<()> {
        let object = self.reach("close", self.file(file).segment.to_string())?;
        let state = self.file_mut(file);
        if state.broken || state.closed {
            let reason = "the segment was cut off".into();
            return Err(StoreError::Unavailable { operation: "close", object, reason });
        }
        state.end_at(state.acknowledged);
        Ok(())
    }

    // ---- Readers.

    /// What a reader learns from one replica. `NotFound` when the name is gone.
    pub fn visible(&self, segment: SegmentId, replica: usize) -> Result<Length> {
        let file = self.named("read", segment)?;
        Ok(match (file.closed, file.replicas[replica]) {
            (true, _) => Length::Closed(file.final_length() as u64),
            (false, Replica::Shows(has)) => Length::Open(has as u64),
            (false, Replica::Hides(_) | Replica::Lost) => Length::Unknown,
        })
    }

    /// Reads from one replica what it shows.
    pub fn read(&self, segment: SegmentId, replica: usize, offset: u64, bytes: u64) -> Result<Bytes> {
        let file = self.named("read", segment)?;
        let (offset, end) = (offset as usize, (offset + bytes) as usize);
        let failed =
            |reason: String| Err(StoreError::Unavailable { operation: "read", object: segment.to_string(), reason });
        match file.replicas[replica] {
            Replica::Shows(has) if end <= has => Ok(Bytes::copy_from_slice(&file.sent[offset..end])),
            Replica::Shows(has) => failed(format!("bytes up to {end} of {has}")),
            Replica::Hides(_) => failed("the replica waits for recovery".into()),
            Replica::Lost => failed("the replica is gone".into()),
        }
    }

    /// How many replicas a segment has.
    pub fn replicas(&self) -> usize {
        self.replicas
    }

    // ---- Faults and recovery.

    /// Lengths that a recovery may give the file: from the shortest to the longest replica that is left. None when
    /// the file is closed already, or no replica is left.
    pub fn recovery_range(&self, segment: SegmentId) -> Result<Option<RangeInclusive<u64>>> {
        let file = self.named("recover", segment)?;
        let has = || file.replicas.iter().filter_map(|r| r.has());
        Ok(match (file.closed, has().min(), has().max()) {
            (false, Some(min), Some(max)) => Some(min as u64..=max as u64),
            _ => None,
        })
    }

    /// Cuts the writer off and closes the file at a length within `recovery_range`. Closed before: no effect.
    pub fn recover_to(&mut self, segment: SegmentId, length: u64) -> Result<()> {
        let Some(range) = self.recovery_range(segment)? else { return Ok(()) };
        assert!(range.contains(&length), "no recovery gives {segment} {length} bytes, only {range:?}");
        let id = self.names[&segment];
        self.file_mut(id).end_at(length as usize);
        Ok(())
    }

    /// The DataNode of a replica restarts. Of an open file the replica shows nothing until recovery, and the
    /// pipeline is broken; of a closed one it is as before.
    pub fn restart_replica(&mut self, segment: SegmentId, replica: usize) {
        let Some(file) = self.names.get(&segment).and_then(|id| self.files.get_mut(id)) else { return };
        if let (false, Replica::Shows(has)) = (file.closed, file.replicas[replica]) {
            file.replicas[replica] = Replica::Hides(has);
            file.broken = true;
        }
    }

    /// A replica is gone for good, and with it the pipeline of an open file.
    pub fn lose_replica(&mut self, segment: SegmentId, replica: usize) {
        let Some(file) = self.names.get(&segment).and_then(|id| self.files.get_mut(id)) else { return };
        file.replicas[replica] = Replica::Lost;
        file.broken = true;
    }

    /// Overwrites bytes of a segment on all replicas: damage that readers must notice.
    pub fn damage(&mut self, segment: SegmentId, offset: u64, bytes: &[u8]) {
        let Some(file) = self.names.get(&segment).and_then(|id| self.files.get_mut(id)) else { return };
        let offset = offset as usize;
        file.sent[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    fn named(&self, operation: &'static str, segment: SegmentId) -> Result<&File> {
        let object = self.reach(operation, segment.to_string())?;
        self.names.get(&segment).map(|id| self.file(*id)).ok_or(StoreError::NotFound { object })
    }

    fn file(&self, id: FileId) -> &File {
        self.files.get(&id).expect("files are never removed, and ids come from here")
    }

    fn file_mut(&mut self, id: FileId) -> &mut File {
        self.files.get_mut(&id).expect("files are never removed, and ids come from here")
    }
}

impl Replica {
    fn has(self) -> Option<usize> {
        match self {
            Replica::Shows(has) | Replica::Hides(has) => Some(has),
            Replica::Lost => None,
        }
    }
}

impl File {
    fn end_at(&mut self, length: usize) {
        self.closed = true;
        self.replicas.iter_mut().filter(|r| r.has().is_some()).for_each(|r| *r = Replica::Shows(length));
    }

    /// Of a closed file: all replicas that are left have the same.
    fn final_length(&self) -> usize {
        self.replicas.iter().find_map(|r| r.has()).unwrap_or(0)
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
