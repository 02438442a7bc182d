//! Writing a file: its blocks to a worker, its content to the UFS through a worker, or both, as the write type says.

use std::collections::BTreeSet;

use bytes::Bytes;
use log::warn;

use super::block_sink::{BlockSink, NewBlock};
use super::file_system::FileSystem;
use super::options::CompleteFileOptions;
use super::workers::Workers;
use crate::conf::WriteType;
use crate::rpc::block_writer::{BlockWrite, BlockWriter, UfsFile};
use crate::rpc::retry::ClientError;
use crate::types::time::boot_now;
use crate::types::{ErrorKind, FileStatus, FsError, WorkerAddress};

/// Pause before workers are looked for again.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(250);

/// A file that is being written. Dropped before [`FileWriter::complete`], it stays incomplete, without the block that was
/// being written and without content in the UFS.
#[derive(Debug)]
pub struct FileWriter<'a> {
    files: &'a FileSystem,
    status: FileStatus,
    write_type: WriteType,
    /// The block being written.
    block: Option<BlockSink>,
    /// False once blocks could not be kept, and the UFS has to do.
    caches: bool,
    ufs: Option<BlockWriter>,
    length: i64,
}

impl<'a> FileWriter<'a> {
    /// Writes the file of `status`, which was just created.
    pub(super) async fn new(
        files: &'a FileSystem,
        status: FileStatus,
        write_type: WriteType,
    ) -> Result<FileWriter<'a>, ClientError> {
        let caches = !matches!(write_type, WriteType::Through | WriteType::None);
        let through = matches!(write_type, WriteType::Through | WriteType::CacheThrough);
        let mut writer = FileWriter { files, status, write_type, block: None, caches, ufs: None, length: 0 };
        if through {
            writer.ufs = Some(writer.open_ufs().await?);
        }
        Ok(writer)
    }

    /// What the file looked like when it was created.
    pub fn status(&self) -> &FileStatus {
        &self.status
    }

    /// Adds `chunk`.
    ///
    /// # Errors
    /// No worker takes it. A writer that failed is of no more use.
    pub async fn write(&mut self, mut chunk: Bytes) -> Result<(), ClientError> {
        if let Some(ufs) = &mut self.ufs {
            ufs.write(chunk.clone()).await?;
        }
        self.length += chunk.len() as i64;
        while self.caches && !chunk.is_empty() {
            let room = self.status.block_size_bytes - self.block.as_ref().map_or(0, BlockSink::written);
            let part = chunk.split_to(usize::try_from(room).unwrap_or(usize::MAX).min(chunk.len()));
            let is_full = part.len() as i64 == room;
            let mut kept = self.keep(part).await;
            if kept.is_ok() && is_full {
                kept = self.end_block().await;
            }
            self.without_blocks_if_possible(kept)?;
        }
        Ok(())
    }

    /// Ends the file: it can be read from now on. Gives its length.
    ///
    /// # Errors
    /// What was written could not be committed.
    pub async fn complete(mut self) -> Result<i64, ClientError> {
        let content_hash = match self.ufs.take() {
            Some(ufs) => ufs.commit().await?,
            None => None,
        };
        let ended = self.end_block().await;
        self.without_blocks_if_possible(ended)?;
        let through = matches!(self.write_type, WriteType::Through | WriteType::CacheThrough);
        let how = CompleteFileOptions {
            ufs_length: through.then_some(self.length),
            persist_later: self.write_type == WriteType::AsyncThrough,
            content_hash,
        };
        // Compatible: 2.9 AlluxioFileOutStream leaves a file of NONE incomplete.
        if self.write_type != WriteType::None {
            self.files.complete_file(&self.status.path, &how).await?;
        }
        Ok(self.length)
    }

    /// Adds `part` to the block, a new one if need be.
    async fn keep(&mut self, part: Bytes) -> Result<(), ClientError> {
        if let Some(block) = &mut self.block {
            return Ok(block.write(part).await?);
        }
        let id = self.files.new_block_id(&self.status.path).await?;
        let size = self.status.block_size_bytes;
        let block = NewBlock { id, size, pin: self.write_type == WriteType::AsyncThrough };
        // The first part is still here, so a worker that does not take it can be replaced by another.
        let open = async |worker: WorkerAddress| {
            let mut sink = BlockSink::open(self.workers(), &worker, block).await?;
            sink.write(part.clone()).await?;
            Ok(sink)
        };
        let sink = self.at_a_worker(size, open).await?;
        self.block = Some(sink);
        Ok(())
    }

    async fn end_block(&mut self) -> Result<(), ClientError> {
        match self.block.take() {
            Some(block) => Ok(block.commit().await?),
            None => Ok(()),
        }
    }

    /// A file that is also written to the UFS goes on without its blocks.
    // Compatible: 2.9 AlluxioFileOutStream, handleCacheWriteException.
    fn without_blocks_if_possible(&mut self, kept: Result<(), ClientError>) -> Result<(), ClientError> {
        match kept {
            Ok(()) => Ok(()),
            Err(error) if self.ufs.is_some() || self.write_type == WriteType::CacheThrough => {
                warn!("a file is written to the UFS only path={} error={error}", self.status.path);
                (self.caches, self.block) = (false, None);
                Ok(())
            }
            Err(ClientError::Refused(error)) => {
                Err(FsError::new(error.kind, format!("Failed to cache: {}", error.message)).into())
            }
            Err(error) => Err(error),
        }
    }

    async fn open_ufs(&self) -> Result<BlockWriter, ClientError> {
        let FileStatus { ufs_path, mount_id, owner, group, mode, .. } = self.status.clone();
        let file = BlockWrite::UfsFile(UfsFile { path: ufs_path, mount_id, owner, group, mode });
        let open = async |worker: WorkerAddress| Ok(BlockWriter::open(&self.workers().connect(&worker).await?, &file));
        self.at_a_worker(0, open).await
    }

    /// Opens something at the nearest worker that can hold `capacity_bytes`, or at the next one that does not fail.
    async fn at_a_worker<T>(
        &self,
        capacity_bytes: i64,
        open: impl AsyncFn(WorkerAddress) -> Result<T, FsError>,
    ) -> Result<T, ClientError> {
        let started = boot_now();
        let mut failed = BTreeSet::new();
        let mut last = None;
        loop {
            let all = self.files.workers().await?;
            let large = all.iter().filter(|worker| worker.capacity_bytes >= capacity_bytes);
            let fresh = large.map(|worker| &worker.address).filter(|address| !failed.contains(*address)).cloned();
            let Some(worker) = self.workers().nearest(fresh) else {
                let error = last.take().unwrap_or_else(|| no_worker(all.is_empty(), capacity_bytes));
                let may_come = error.kind == ErrorKind::Unavailable;
                if !may_come || boot_now().since(started) >= self.workers().settings.worker_wait {
                    return Err(error.into());
                }
                failed.clear();
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            match open(worker.clone()).await {
                Ok(opened) => return Ok(opened),
                Err(error) => {
                    self.workers().forget(&worker);
                    last = Some(error);
                    failed.insert(worker);
                }
            }
        }
    }

    fn workers(&self) -> &'a Workers {
        &self.files.workers
    }
}

/// Why nothing can be written.
fn no_worker(none_at_all: bool, capacity_bytes: i64) -> FsError {
    if none_at_all {
        FsError::new(ErrorKind::Unavailable, "No available Alluxio worker found")
    } else {
        let text = format!("There is no worker with enough space for a new block of size {capacity_bytes}");
        FsError::new(ErrorKind::ResourceExhausted, text)
    }
}
