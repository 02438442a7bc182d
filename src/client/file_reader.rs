//! Reading a file: block after block, each from the nearest worker that gives it.
//!
//! A worker that fails is left out until all others have failed, too; then the master is asked again where the block is,
//! and all are tried once more, for `alluxio.user.block.read.retry.max.duration`. What was read before is not read
//! again: a stream begins where the last one ended.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use log::debug;

use super::block_source::BlockSource;
use super::file_system::FileSystem;
use super::options::ReadType;
use super::workers::Workers;
use crate::rpc::block_reader::BlockRead;
use crate::rpc::retry::ClientError;
use crate::rpc::worker::{Keep, UfsBlock, Wait};
use crate::types::time::{Boot, boot_now};
use crate::types::{BlockStatus, ErrorKind, FileStatus, FsError, PersistenceState, WorkerAddress};

/// What is said of a block that nobody has.
pub(super) const UNAVAILABLE: &str = "is unavailable in both Alluxio and UFS.";

/// A file that is being read, from its beginning unless it was told to seek.
#[derive(Debug)]
pub struct FileReader<'a> {
    files: &'a FileSystem,
    status: FileStatus,
    read_type: ReadType,
    /// Of the next byte in the file.
    position: i64,
    /// The block that `position` is in, while it is being read.
    current: Option<Current>,
    /// Workers that failed since all of them were tried last.
    failed: BTreeSet<WorkerAddress>,
    /// Since when no byte came, and the next pause.
    trouble: Option<(Boot, Duration)>,
}

#[derive(Debug)]
struct Current {
    source: BlockSource,
    worker: WorkerAddress,
    /// Index of the block in the file.
    index: usize,
}

impl<'a> FileReader<'a> {
    pub(super) fn new(files: &'a FileSystem, status: FileStatus, read_type: ReadType) -> FileReader<'a> {
        FileReader { files, status, read_type, position: 0, current: None, failed: BTreeSet::new(), trouble: None }
    }

    /// What the file looked like when it was opened.
    pub fn status(&self) -> &FileStatus {
        &self.status
    }

    /// Goes on at `position`, which is not beyond the end.
    pub fn seek(&mut self, position: i64) {
        assert!((0..=self.status.length).contains(&position), "{position} is in a file of {}", self.status.length);
        self.position = position;
        self.current = None;
    }

    /// The next bytes, never more than a chunk; none at the end of the file.
    ///
    /// # Errors
    /// No worker gives the block in time.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        while self.position < self.status.length {
            match self.step().await {
                Ok(Some(chunk)) => {
                    self.position += chunk.len() as i64;
                    self.trouble = None;
                    return Ok(Some(chunk));
                }
                Ok(None) => self.end_block().await,
                Err(error) => self.recover(error).await?,
            }
        }
        // The last block has been read to its end, too.
        self.end_block().await;
        Ok(None)
    }

    /// The next bytes of the block that is being read; none at its end.
    async fn step(&mut self) -> Result<Option<Bytes>, ClientError> {
        let current = match &mut self.current {
            Some(current) => current,
            None => {
                let current = self.open().await?;
                self.current.insert(current)
            }
        };
        Ok(current.source.next().await?)
    }

    /// Opens the block that `position` is in at the nearest worker that has not failed.
    async fn open(&mut self) -> Result<Current, ClientError> {
        let (index, offset) = self.place()?;
        let block = &self.status.blocks[index];
        let worker = self.choose(block).await?;
        let read = BlockRead {
            id: block.id,
            offset,
            length: block.length - offset,
            chunk_bytes: self.workers().settings.chunk_bytes,
            promote: self.read_type == ReadType::CachePromote,
            ufs: self.in_ufs(index),
        };
        match BlockSource::open(self.workers(), &worker, &read).await {
            Ok(source) => Ok(Current { source, worker, index }),
            Err(error) => {
                self.give_up(worker);
                Err(error.into())
            }
        }
    }

    /// The block that `position` is in, and where in it.
    fn place(&self) -> Result<(usize, i64), ClientError> {
        let FileStatus { block_size_bytes, path, .. } = &self.status;
        let index = usize::try_from(self.position / (*block_size_bytes).max(1)).unwrap_or(usize::MAX);
        let offset = self.position % (*block_size_bytes).max(1);
        match self.status.blocks.get(index) {
            Some(block) if offset < block.length => Ok((index, offset)),
            _ => {
                let text = format!("byte {} of {path} lies in no block of it", self.position);
                Err(FsError::new(ErrorKind::Internal, text).into())
            }
        }
    }

    /// The nearest worker that has the block, or that can get it from the UFS.
    async fn choose(&self, block: &BlockStatus) -> Result<WorkerAddress, ClientError> {
        let fresh = |address: &WorkerAddress| !self.failed.contains(address);
        let copies = block.locations.iter().map(|location| location.address.clone());
        if let Some(worker) = self.workers().nearest(copies.filter(fresh)) {
            return Ok(worker);
        }
        if is_in_ufs(&self.status) {
            let all = self.files.workers().await?.into_iter().map(|worker| worker.address);
            let none = || FsError::new(ErrorKind::Unavailable, "No available Alluxio worker found");
            return Ok(self.workers().nearest(all.filter(fresh)).ok_or_else(none)?);
        }
        let text = format!("Block {} {UNAVAILABLE}", block.id.0);
        Err(FsError::new(ErrorKind::Unavailable, text).into())
    }

    /// Where block `index` is in the UFS, if it is.
    fn in_ufs(&self, index: usize) -> Option<UfsBlock> {
        let keep = if self.read_type == ReadType::NoCache { Keep::Nothing } else { Keep::Copy };
        ufs_block(&self.status, index, keep)
    }

    /// After a block: a copy of it is asked for where the next reader will look first.
    async fn end_block(&mut self) {
        let Some(Current { source, worker, index }) = self.current.take() else { return };
        if source.is_local() || self.read_type == ReadType::NoCache {
            return;
        }
        let (Some(ufs), block) = (self.in_ufs(index), &self.status.blocks[index]) else { return };
        let near = match self.files.workers().await {
            Ok(all) => all.into_iter().map(|worker| worker.address).find(|w| self.workers().settings.place.is_local(w)),
            Err(_) => None,
        };
        let has_it = |worker: &WorkerAddress| block.locations.iter().any(|location| location.address == *worker);
        let target = near.unwrap_or_else(|| worker.clone());
        if has_it(&target) {
            return;
        }
        let asked = async {
            let target = self.workers().connect(&target).await?;
            target.cache(block.id, block.length, &ufs, &worker, Wait::ForNothing).await
        };
        // Reading has succeeded; a copy is a wish.
        if let Err(error) = asked.await {
            debug!("no copy of a block is made block={} error={error}", block.id.0);
        }
    }

    /// After a failure: prepares the next attempt.
    async fn recover(&mut self, error: ClientError) -> Result<(), ClientError> {
        let ClientError::Refused(refusal) = &error else { return Err(error) };
        if let Some(Current { worker, .. }) = self.current.take() {
            self.give_up(worker);
        }
        let retry = &self.workers().settings.read_retry;
        let (max_duration, max_sleep) = (retry.max_duration, retry.max_sleep);
        let (since, pause) = *self.trouble.get_or_insert((boot_now(), retry.base_sleep));
        let hopeless = matches!(refusal.kind, ErrorKind::PermissionDenied | ErrorKind::InvalidArgument);
        if hopeless || boot_now().since(since) >= max_duration {
            return Err(self.of_last_attempt(error));
        }
        if self.has_another().await {
            return Ok(());
        }
        tokio::time::sleep(pause).await;
        self.trouble = Some((since, (pause * 2).min(max_sleep)));
        self.failed.clear();
        if let Ok((index, _)) = self.place() {
            self.status.blocks[index] = self.files.block(self.status.blocks[index].id).await?;
        }
        Ok(())
    }

    /// What is told in the end: a worker that was asked for a block of which there is no copy did not find it in the UFS
    /// either.
    fn of_last_attempt(&self, error: ClientError) -> ClientError {
        let is_nowhere = |block: &BlockStatus| block.locations.is_empty();
        match (&error, self.place()) {
            (ClientError::Refused(FsError { kind: ErrorKind::NotFound, .. }), Ok((index, _)))
                if self.status.blocks.get(index).is_some_and(is_nowhere) =>
            {
                let text = format!("Block {} {UNAVAILABLE}", self.status.blocks[index].id.0);
                FsError::new(ErrorKind::Unavailable, text).into()
            }
            _ => error,
        }
    }

    /// Whether there is a worker that has not failed.
    async fn has_another(&self) -> bool {
        match self.place() {
            Ok((index, _)) => self.choose(&self.status.blocks[index]).await.is_ok(),
            Err(_) => false,
        }
    }

    fn give_up(&mut self, worker: WorkerAddress) {
        debug!("a worker cannot give a block worker={}", worker.endpoint());
        self.workers().forget(&worker);
        self.failed.insert(worker);
    }

    fn workers(&self) -> &'a Workers {
        &self.files.workers
    }
}

/// Where block `index` of a file is in the UFS, if it is.
// Compatible: 2.9 InStreamOptions, getOpenUfsBlockOptions: until a file is persisted, a block that no worker could keep
// is a file of its own.
pub(super) fn ufs_block(status: &FileStatus, index: usize, keep: Keep) -> Option<UfsBlock> {
    is_in_ufs(status).then(|| {
        let is_alone = status.persistence == PersistenceState::ToBePersisted;
        UfsBlock {
            path: (!is_alone).then(|| status.ufs_path.clone()),
            offset_in_file: if is_alone { 0 } else { index as i64 * status.block_size_bytes },
            length: status.blocks[index].length,
            mount_id: status.mount_id,
            keep,
        }
    })
}

/// Whether what workers do not have may be in the UFS.
fn is_in_ufs(status: &FileStatus) -> bool {
    matches!(status.persistence, PersistenceState::Persisted | PersistenceState::ToBePersisted)
}
