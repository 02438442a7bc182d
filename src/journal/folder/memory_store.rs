//! The folder in memory as the store of a process that needs no disk. Passes the same suite as the others.

use super::memory::{FileId, MemoryFolder};
use super::{
    CheckpointId, Flushed, Format, JournalFile, JournalStore, Length, Listing, Recovery, SegmentId, SegmentWriter,
    StoreError, Usage, Written,
};
use crate::types::SequenceNumber;
use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use std::future::ready;
use std::sync::Arc;

type Result<T> = std::result::Result<T, StoreError>;

/// The folder as one process uses it: every call succeeds at once unless the folder says otherwise.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    folder: Arc<Mutex<MemoryFolder>>,
}

/// Bytes that a segment of a [`MemoryStore`] takes.
const SEGMENT_BYTES: u64 = 64 << 20;

impl MemoryStore {
    /// A client of the folder; several may share one.
    pub fn new(folder: Arc<Mutex<MemoryFolder>>) -> MemoryStore {
        MemoryStore { folder }
    }
}

#[async_trait]
impl JournalStore for MemoryStore {
    fn describe(&self) -> String {
        "memory".into()
    }

    async fn read_format(&self) -> Result<Option<Format>> {
        self.folder.lock().read_format()
    }

    async fn write_format(&self, format: &Format) -> Result<()> {
        self.folder.lock().write_format(format)
    }

    async fn list(&self) -> Result<Listing> {
        self.folder.lock().list()
    }

    async fn usage(&self) -> Result<Usage> {
        Ok(Usage { bytes: self.folder.lock().bytes()?, ..Usage::default() })
    }

    async fn create(&self, segment: SegmentId) -> Result<Box<dyn SegmentWriter>> {
        let file = self.folder.lock().create(segment)?;
        Ok(Box::new(MemorySegment { folder: self.folder.clone(), file, segment, written: 0 }))
    }

    async fn length(&self, segment: SegmentId) -> Result<Length> {
        let folder = self.folder.lock();
        for replica in 0..folder.replicas() {
            match folder.visible(segment, replica)? {
                Length::Unknown => {}
                length => return Ok(length),
            }
        }
        Ok(Length::Unknown)
    }

    async fn read(&self, segment: SegmentId, offset: u64, bytes: u64) -> Result<Bytes> {
        let folder = self.folder.lock();
        let mut result = folder.read(segment, 0, offset, bytes);
        for replica in 1..folder.replicas() {
            if result.is_err() {
                result = folder.read(segment, replica, offset, bytes);
            }
        }
        result
    }

    async fn recover(&self, segment: SegmentId) -> Result<Recovery> {
        let mut folder = self.folder.lock();
        if let Some(range) = folder.recovery_range(segment)? {
            folder.recover_to(segment, *range.start())?;
        }
        Ok(Recovery::Done)
    }

    async fn delete_segment(&self, segment: SegmentId) -> Result<()> {
        self.folder.lock().delete_segment(segment)
    }

    async fn probe(&self, writer: &str) -> Result<()> {
        self.folder.lock().probe(writer)
    }

    async fn write_checkpoint(&self, id: CheckpointId, _writer: &str, content: Vec<Bytes>) -> Result<Written> {
        self.folder.lock().write_checkpoint(id, Bytes::from(content.concat()))
    }

    async fn read_checkpoint(&self, id: CheckpointId) -> Result<Bytes> {
        self.folder.lock().read_checkpoint(id)
    }

    async fn read_checkpoint_start(&self, id: CheckpointId, bytes: u64) -> Result<Bytes> {
        let whole = self.folder.lock().read_checkpoint(id)?;
        Ok(whole.slice(..whole.len().min(bytes as usize)))
    }

    async fn delete_checkpoint(&self, id: CheckpointId) -> Result<()> {
        self.folder.lock().delete_checkpoint(id)
    }

    /// A checkpoint is written in one step here: there is never any unfinished.
    async fn delete_unfinished(&self, _newest: SequenceNumber) -> Result<()> {
        Ok(())
    }

    async fn set_aside(&self, file: JournalFile, aside: &str) -> Result<()> {
        self.folder.lock().set_aside(file, aside)
    }
}

#[derive(Debug)]
struct MemorySegment {
    folder: Arc<Mutex<MemoryFolder>>,
    file: FileId,
    segment: SegmentId,
    written: u64,
}

impl MemorySegment {
    fn flush(&mut self, bytes: &[u8]) -> Result<()> {
        let object = self.segment.to_string();
        if bytes.len() as u64 > self.room_bytes() {
            self.written = SEGMENT_BYTES;
            return Err(StoreError::Full { object, reason: format!("{} bytes do not fit", bytes.len()) });
        }
        let mut folder = self.folder.lock();
        let append = folder.begin_append(self.file, bytes);
        (0..folder.replicas()).for_each(|replica| {
            folder.land(append, replica);
        });
        if !folder.acknowledged(append) {
            let reason = "the segment was cut off".into();
            return Err(StoreError::Unavailable { operation: "append", object, reason });
        }
        self.written += bytes.len() as u64;
        Ok(())
    }
}

#[async_trait]
impl SegmentWriter for MemorySegment {
    async fn send(&mut self, bytes: Bytes) -> Flushed {
        Box::pin(ready(self.flush(&bytes)))
    }

    fn room_bytes(&self) -> u64 {
        SEGMENT_BYTES - self.written
    }

    async fn close(&mut self) -> Result<()> {
        self.folder.lock().close(self.file)
    }
}
