//! The log of a member in memory, which outlives the member, and whose flushes can be lost.

use super::disk::LogDisk;
use bytes::Bytes;
use parking_lot::Mutex as Lock;
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

/// See the module text. Copies show the same disk.
#[derive(Debug, Clone, Default)]
pub struct MemoryDisk(Arc<Lock<BTreeMap<u64, Segment>>>);

#[derive(Debug, Clone, Default)]
struct Segment {
    content: Vec<u8>,
    /// How much of it is durable.
    durable: usize,
}

impl MemoryDisk {
    /// Appends to the newest segment what may be lost.
    pub fn write(&self, bytes: &[u8]) {
        let mut segments = self.0.lock();
        let mut newest = segments.last_entry().expect("a segment is created before it is appended to");
        newest.get_mut().content.extend_from_slice(bytes);
    }

    /// What was written cannot be lost any more.
    pub fn sync(&self) {
        self.0.lock().values_mut().for_each(|segment| segment.durable = segment.content.len());
    }

    /// The machine dies. Of what is not durable in a segment, so much stays as `keep` says when it is told how much it is.
    pub fn crash(&self, mut keep: impl FnMut(usize) -> usize) {
        for segment in self.0.lock().values_mut() {
            let kept = keep(segment.content.len() - segment.durable);
            segment.content.truncate(segment.durable + kept);
            segment.durable = segment.content.len();
        }
    }

    /// All that is in it.
    pub fn segments(&self) -> Vec<(u64, Bytes)> {
        let segments = self.0.lock();
        segments.iter().map(|(number, segment)| (*number, Bytes::copy_from_slice(&segment.content))).collect()
    }

    /// A disk with this in it.
    pub fn with(segments: Vec<(u64, Bytes)>) -> MemoryDisk {
        let segment = |content: Bytes| Segment { content: content.to_vec(), durable: content.len() };
        MemoryDisk(Arc::new(Lock::new(
            segments.into_iter().map(|(number, content)| (number, segment(content))).collect(),
        )))
    }
}

impl LogDisk for MemoryDisk {
    async fn read(&mut self) -> io::Result<Vec<(u64, Bytes)>> {
        Ok(self.segments())
    }

    async fn create(&mut self, segment: u64) -> io::Result<()> {
        let mut segments = self.0.lock();
        if segments.contains_key(&segment) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        segments.insert(segment, Segment::default());
        Ok(())
    }

    async fn append(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        self.write(&bytes);
        self.sync();
        Ok(())
    }

    async fn cut(&mut self, segment: u64, bytes: u64) -> io::Result<()> {
        let mut segments = self.0.lock();
        let segment = segments.get_mut(&segment).ok_or(io::ErrorKind::NotFound)?;
        segment.content.truncate(bytes as usize);
        segment.durable = segment.content.len();
        Ok(())
    }

    async fn delete(&mut self, segment: u64) -> io::Result<()> {
        let gone = self.0.lock().remove(&segment);
        gone.map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }
}
