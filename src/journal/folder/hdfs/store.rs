//! The journal folder on HDFS.

use super::file::{HdfsClient, HeldFile};
use super::namenode::Parents;
use super::reader::Visible;
use super::segment::HdfsSegment;
use super::settings::HdfsSettings;
use super::whole::blocks_of;
use super::wire::HdfsError;
use crate::journal::folder::layout::{
    self, CHECKPOINTS, EPOCHS, FORMAT, PROBE, parse_checkpoint, parse_epoch, parse_segment, parse_temporary,
};
use crate::journal::folder::{
    CheckpointId, Format, JournalFile, JournalStore, Length, Listing, Recovery, SegmentId, SegmentWriter, StoreError,
    Usage, Written,
};
use crate::proto::alluxio_rs::hdfs::{FileStatus, LocatedBlock, LocatedBlocks};
use crate::types::SequenceNumber;
use crate::types::time::{Boot, Millis, boot_now};
use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

type Result<T> = std::result::Result<T, StoreError>;

/// Open segments whose block is remembered; a reader follows one, a new leader reads a few.
const TAILS_MAX: usize = 16;
/// How long an open segment may stand still before the NameNode is asked whether it was closed.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// A journal folder on HDFS.
#[derive(Debug)]
pub struct HdfsStore {
    client: Arc<HdfsClient>,
    tails: Mutex<BTreeMap<SegmentId, Tail>>,
    /// The folders of earlier epochs as they were listed.
    epochs: Mutex<BTreeMap<u64, Listed>>,
}

/// The folder of an epoch that was listed when there was a later one.
///
/// Whoever claims an epoch waits until the leader of the one before answers no more, so what is added to that folder once
/// the folder of a later epoch is there was never answered: a listing from then on stays good. What is deleted changes
/// the time.
#[derive(Debug, Clone)]
struct Listed {
    /// Its inode and when its entries changed, ms, as the NameNode says.
    version: (Option<u64>, u64),
    segments: Vec<SegmentId>,
}

/// The block of an open segment that shows bytes. Such a block is never given up by its writer, so its DataNodes can
/// be asked without the NameNode.
#[derive(Debug, Clone)]
struct Tail {
    block: LocatedBlock,
    /// Which of its locations answered.
    at: usize,
    /// The length of the file that was shown last.
    bytes: u64,
    /// When the NameNode said that the file is open.
    open_at: Boot,
}

impl HdfsStore {
    /// Checks the settings; nothing is sent yet.
    pub fn new(settings: HdfsSettings) -> Result<HdfsStore> {
        settings.check()?;
        Ok(HdfsStore { client: Arc::new(HdfsClient::new(settings)), tails: Mutex::default(), epochs: Mutex::default() })
    }

    fn path(&self, name: impl Display) -> String {
        format!("{}/{name}", self.client.settings.path)
    }

    /// The name for messages, with the address that the operator knows.
    fn object(&self, name: impl Display) -> String {
        format!("{}/{name}", self.client.settings.folder.trim_end_matches('/'))
    }

    async fn locate(&self, name: impl Display + Copy) -> Result<LocatedBlocks> {
        match self.client.namenode.block_locations(&self.path(name)).await {
            Ok(Some(located)) => Ok(located),
            Ok(None) => {
                // Two changes within a millisecond look like one.
                self.epochs.lock().clear();
                Err(StoreError::NotFound { object: self.object(name) })
            }
            Err(failure) => Err(failure.into_store_error("read", &self.object(name))),
        }
    }

    async fn entries(&self, folder: &str) -> Result<Vec<FileStatus>> {
        let entries = self.client.namenode.list(&self.path(folder)).await;
        let entries = entries.map_err(|failure| failure.into_store_error("list", &self.object(folder)))?;
        Ok(entries.unwrap_or_default())
    }

    /// The segments of an epoch; of one that is not the newest, as they are remembered if nothing has changed since.
    async fn segments_of(&self, epoch: u64, folder: &FileStatus, is_newest: bool) -> Result<Vec<SegmentId>> {
        let version = (folder.file_id, folder.modification_time);
        let known = self.epochs.lock().get(&epoch).filter(|listed| listed.version == version).cloned();
        if let Some(listed) = known {
            return Ok(listed.segments);
        }
        let files = self.entries(&layout::epoch_folder(epoch)).await?;
        let segments: Vec<SegmentId> = files.iter().filter_map(|file| parse_segment(epoch, &name_of(file))).collect();
        if !is_newest {
            self.epochs.lock().insert(epoch, Listed { version, segments: segments.clone() });
        }
        Ok(segments)
    }

    /// The length by the block that is remembered, if that says enough.
    async fn remembered_length(&self, segment: SegmentId) -> Option<Length> {
        let tail = self.tails.lock().get(&segment).cloned()?;
        let visible = self.client.datanodes.visible(&tail.block, tail.at).await?;
        let bytes = tail.block.offset + visible.bytes;
        if bytes <= tail.bytes && boot_now().since(tail.open_at) >= ASK_AGAIN {
            return None;
        }
        self.remember(segment, tail.block, visible, if bytes > tail.bytes { boot_now() } else { tail.open_at });
        Some(Length::Open(bytes))
    }

    fn remember(&self, segment: SegmentId, block: LocatedBlock, visible: Visible, open_at: Boot) {
        let mut tails = self.tails.lock();
        if tails.len() >= TAILS_MAX && !tails.contains_key(&segment) {
            tails.pop_first();
        }
        let bytes = block.offset + visible.bytes;
        tails.insert(segment, Tail { block, at: visible.at, bytes, open_at });
    }

    /// The first `bytes` bytes of a file that is closed, or all if it has fewer.
    async fn read_closed(&self, name: impl Display + Copy, bytes: u64) -> Result<Bytes> {
        let located = self.locate(name).await?;
        if located.under_construction {
            let reason = "it is still being written".into();
            return Err(StoreError::Unavailable { operation: "read", object: self.object(name), reason });
        }
        let length = located.file_length.min(bytes);
        let content = self.client.read_range(&blocks_of(located), 0, length).await;
        content.map_err(|failure| read_failure(failure, &self.object(name)))
    }

    /// Deletes a file; a missing one is no error.
    async fn delete(&self, name: impl Display + Copy) -> Result<()> {
        let deleted = self.client.namenode.delete(&self.path(name)).await;
        deleted.map_err(|failure| failure.into_store_error("delete", &self.object(name)))
    }

    async fn write_and_rename(&self, temporary: &str, id: CheckpointId, content: Vec<Bytes>) -> Result<Written> {
        let object = self.object(id);
        let failed = |failure: HdfsError| failure.into_store_error("write", &object);
        // The same writer may have died here before.
        self.client.namenode.delete(temporary).await.map_err(failed)?;
        let written = self.client.write_whole(temporary, content).await.map_err(failed)?;
        self.client.verify_whole(temporary, &written).await.map_err(|failure| read_failure(failure, &object))?;
        match self.client.namenode.rename(temporary, &self.path(id)).await {
            Ok(()) => Ok(Written::New),
            Err(failure) if failure.is("FileAlreadyExistsException") => Ok(Written::Existed),
            Err(failure) => Err(failed(failure)),
        }
    }
}

fn name_of(entry: &FileStatus) -> String {
    String::from_utf8_lossy(&entry.path).into_owned()
}

/// The block of a file that was just created.
async fn opened(held: HeldFile, object: &str) -> Result<HdfsSegment> {
    let opened = HdfsSegment::open(held, object.to_owned()).await;
    // The name is ours here: whatever went wrong then, "exists" and "not found" would mislead.
    opened.map_err(|failure| match failure.into_store_error("create", object) {
        StoreError::Exists { object } | StoreError::NotFound { object } => {
            let reason = "another took or deleted the new file".into();
            StoreError::Unavailable { operation: "create", object, reason }
        }
        other => other,
    })
}

fn read_failure(failure: HdfsError, object: &str) -> StoreError {
    match failure {
        HdfsError::Checksum { offset, .. } => {
            StoreError::Damaged { object: object.into(), offset, reason: failure.to_string() }
        }
        other => other.into_store_error("read", object),
    }
}

#[async_trait]
impl JournalStore for HdfsStore {
    /// A DataNode flushes one packet after the other: the next one is on its way, or waits there, meanwhile.
    fn flights_max(&self) -> usize {
        2
    }

    fn describe(&self) -> String {
        self.client.settings.folder.clone()
    }

    async fn read_format(&self) -> Result<Option<Format>> {
        match self.read_closed(FORMAT, u64::MAX).await {
            Ok(text) => layout::decode_format(&text, &self.object(FORMAT)).map(Some),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn write_format(&self, format: &Format) -> Result<()> {
        let object = self.object(FORMAT);
        let failed = |failure: HdfsError| failure.into_store_error("write", &object);
        let namenode = &self.client.namenode;
        for folder in [EPOCHS, CHECKPOINTS] {
            namenode.make_folder(&self.path(folder), Parents::Make).await.map_err(failed)?;
        }
        let temporary = self.path(format!("{FORMAT}.{}.tmp", namenode.client_name()));
        namenode.delete(&temporary).await.map_err(failed)?;
        let text = Bytes::from(layout::encode_format(format));
        self.client.write_whole(&temporary, vec![text]).await.map_err(failed)?;
        namenode.replace(&temporary, &self.path(FORMAT)).await.map_err(failed)
    }

    async fn probe(&self, writer: &str) -> Result<()> {
        let name = layout::probe(writer);
        let (path, object) = (self.path(&name), self.object(&name));
        let failed = |failure: HdfsError| failure.into_store_error("create", &object);
        let held = self.client.create(&path).await.map_err(failed)?;
        let written = async {
            let mut file = opened(held, &object).await?;
            file.append(PROBE).await?;
            file.close().await
        };
        let written = written.await;
        let deleted = self.client.namenode.delete(&path).await.map_err(failed);
        written.and(deleted)
    }

    async fn list(&self) -> Result<Listing> {
        let mut listing = Listing::default();
        let folders = self.entries(EPOCHS).await?;
        let epochs: BTreeMap<u64, &FileStatus> =
            folders.iter().filter_map(|folder| Some((parse_epoch(&name_of(folder))?, folder))).collect();
        self.epochs.lock().retain(|epoch, _| epochs.contains_key(epoch));
        let newest = epochs.keys().next_back().copied();
        for (epoch, folder) in epochs {
            listing.segments.extend(self.segments_of(epoch, folder, Some(epoch) == newest).await?);
        }
        let checkpoints = self.entries(CHECKPOINTS).await?;
        listing.checkpoints.extend(checkpoints.iter().filter_map(|file| parse_checkpoint(&name_of(file))));
        listing.segments.sort_unstable();
        listing.checkpoints.sort_unstable();
        Ok(listing)
    }

    async fn usage(&self) -> Result<Usage> {
        let mut usage = Usage::default();
        for epoch in self.entries(EPOCHS).await?.iter().filter_map(|folder| parse_epoch(&name_of(folder))) {
            let files = self.entries(&layout::epoch_folder(epoch)).await?;
            usage.bytes += files.iter().map(|file| file.length).sum::<u64>();
        }
        for file in self.entries(CHECKPOINTS).await? {
            usage.bytes += file.length;
            if parse_checkpoint(&name_of(&file)).is_some() {
                let written_at = Millis(i64::try_from(file.modification_time).unwrap_or(i64::MAX));
                usage.checkpoint_at = usage.checkpoint_at.max(Some(written_at));
            }
        }
        Ok(usage)
    }

    async fn create(&self, segment: SegmentId) -> Result<Box<dyn SegmentWriter>> {
        let (path, object) = (self.path(segment), self.object(segment));
        let failed = |failure: HdfsError| failure.into_store_error("create", &object);
        let held = match self.client.create(&path).await {
            Err(failure) if failure.is("FileNotFoundException") => {
                // The folder of the epoch is made, the journal folder never: if that is gone, so is the journal.
                let folder = self.path(layout::epoch_folder(segment.epoch));
                match self.client.namenode.make_folder(&folder, Parents::MustExist).await {
                    Err(e) if e.is("FileNotFoundException") => {
                        return Err(StoreError::NotFound { object: self.object(EPOCHS) });
                    }
                    made => made.map_err(failed)?,
                }
                self.client.create(&path).await
            }
            result => result,
        };
        Ok(Box::new(opened(held.map_err(failed)?, &object).await?))
    }

    async fn length(&self, segment: SegmentId) -> Result<Length> {
        if let Some(length) = self.remembered_length(segment).await {
            return Ok(length);
        }
        self.tails.lock().remove(&segment);
        let asked_at = boot_now();
        let located = self.locate(segment).await?;
        if !located.under_construction {
            return Ok(Length::Closed(located.file_length));
        }
        let Some(last) = located.last_block.filter(|_| !located.is_last_block_complete) else {
            return Ok(Length::Open(located.file_length));
        };
        // No DataNode has it, or none answers: that may be a block before its first byte, or one whose DataNodes
        // are gone. Only recovery can tell.
        let Some(visible) = self.client.datanodes.visible(&last, 0).await else { return Ok(Length::Unknown) };
        let bytes = last.offset + visible.bytes;
        if visible.bytes > 0 {
            self.remember(segment, last, visible, asked_at);
        }
        Ok(Length::Open(bytes))
    }

    async fn read(&self, segment: SegmentId, offset: u64, bytes: u64) -> Result<Bytes> {
        let tail = self.tails.lock().get(&segment).cloned();
        if let Some(tail) = tail.filter(|tail| tail.block.offset <= offset) {
            let part = self.client.datanodes.read(&tail.block, tail.at, offset - tail.block.offset, bytes).await;
            if let Ok(content) = part {
                return Ok(content);
            }
            self.tails.lock().remove(&segment);
        }
        let located = self.locate(segment).await?;
        let content = self.client.read_range(&blocks_of(located), offset, bytes).await;
        let content = content.map_err(|failure| read_failure(failure, &self.object(segment)))?;
        if content.len() as u64 != bytes {
            let reason = format!("{} of {bytes} bytes at {offset} are there", content.len());
            return Err(StoreError::Unavailable { operation: "read", object: self.object(segment), reason });
        }
        Ok(content)
    }

    /// Seconds at best. With replication 1 it may stay `InProgress` until the DataNode restarts: an hsync that the
    /// recovery interrupts leaves the replica so that 3.3.6 refuses to recover it ("Block length mismatch").
    async fn recover(&self, segment: SegmentId) -> Result<Recovery> {
        self.tails.lock().remove(&segment);
        match self.client.namenode.recover_lease(&self.path(segment)).await {
            Ok(true) => Ok(Recovery::Done),
            Ok(false) => Ok(Recovery::InProgress),
            Err(failure) if failure.is("RecoveryInProgressException") => Ok(Recovery::InProgress),
            Err(failure) => Err(failure.into_store_error("recover", &self.object(segment))),
        }
    }

    async fn delete_segment(&self, segment: SegmentId) -> Result<()> {
        self.tails.lock().remove(&segment);
        let failed = |failure: HdfsError| failure.into_store_error("delete", &self.object(segment));
        self.delete(segment).await?;
        match self.client.namenode.delete(&self.path(layout::epoch_folder(segment.epoch))).await {
            Err(failure) if failure.is("PathIsNotEmptyDirectoryException") => Ok(()),
            result => result.map_err(failed),
        }
    }

    async fn write_checkpoint(&self, id: CheckpointId, writer: &str, content: Vec<Bytes>) -> Result<Written> {
        let temporary = self.path(layout::temporary(id, writer));
        let written = self.write_and_rename(&temporary, id, content).await;
        if !matches!(written, Ok(Written::New))
            && let Err(e) = self.client.namenode.delete(&temporary).await
        {
            log::warn!("cannot delete a temporary checkpoint file={temporary} cause=\"{e}\"");
        }
        written
    }

    async fn read_checkpoint(&self, id: CheckpointId) -> Result<Bytes> {
        self.read_closed(id, u64::MAX).await
    }

    async fn read_checkpoint_start(&self, id: CheckpointId, bytes: u64) -> Result<Bytes> {
        self.read_closed(id, bytes).await
    }

    async fn delete_checkpoint(&self, id: CheckpointId) -> Result<()> {
        self.delete(id).await
    }

    async fn delete_unfinished(&self, newest: SequenceNumber) -> Result<()> {
        for name in self.entries(CHECKPOINTS).await?.iter().map(name_of) {
            if parse_temporary(&name).is_some_and(|id| id.sequence <= newest) {
                self.delete(&format!("{CHECKPOINTS}/{name}")).await?;
            }
        }
        Ok(())
    }

    async fn set_aside(&self, file: JournalFile, aside: &str) -> Result<()> {
        let target = format!("{aside}/{file}");
        let folder = target.rsplit_once('/').map_or(aside, |(folder, _)| folder);
        let namenode = &self.client.namenode;
        let failed = |failure: HdfsError| match failure.is("FileNotFoundException") {
            true => StoreError::NotFound { object: self.object(file) },
            false => failure.into_store_error("rename", &self.object(file)),
        };
        namenode.make_folder(&self.path(folder), Parents::Make).await.map_err(failed)?;
        namenode.rename(&self.path(file), &self.path(&target)).await.map_err(failed)?;
        match file {
            // With its last segment, the folder of an epoch goes.
            JournalFile::Segment(segment) => self.delete_segment(segment).await,
            JournalFile::Checkpoint(_) => Ok(()),
        }
    }
}
