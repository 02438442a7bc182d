//! The client's side of a worker: a channel, and the calls about whole blocks.
//!
//! Reading is in `block_reader.rs`, writing in `block_writer.rs`, short cuts through the file system of a shared host in
//! `local_block.rs`.

use std::sync::Arc;
use std::time::Duration;

use super::channel::{self, ChannelSettings, Connection};
use super::status;
use crate::proto::alluxio::grpc::block::block_worker_client::BlockWorkerClient;
use crate::proto::alluxio::grpc::block::{CacheRequest, RemoveBlockRequest};
use crate::proto::alluxio::proto::dataserver::OpenUfsBlockOptions;
use crate::types::{BlockId, FsError, WorkerAddress};

/// How to reach workers.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Who asks, and how long a connection may take.
    pub channel: ChannelSettings,
    /// Longest time without progress in reading (`alluxio.user.streaming.data.read.timeout`, 3 min).
    pub read_patience: Duration,
    /// Longest time without progress in writing (`alluxio.user.streaming.data.write.timeout`, 3 min).
    pub write_patience: Duration,
    /// Longest wait for a commit (`alluxio.user.streaming.writer.close.timeout`, 30 min): the worker may have to flush
    /// a slow UFS.
    pub commit_patience: Duration,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        WorkerSettings {
            channel: ChannelSettings::default(),
            read_patience: Duration::from_secs(180),
            write_patience: Duration::from_secs(180),
            commit_patience: Duration::from_secs(1800),
        }
    }
}

/// An open channel to a worker. Clones share it.
#[derive(Debug, Clone)]
pub struct Worker {
    pub(super) connection: Connection,
    /// `host:port`.
    pub(super) server: String,
    pub(super) settings: Arc<WorkerSettings>,
}

/// Where in the UFS a block lies, so that a worker without a copy can read it there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UfsBlock {
    /// The file in the UFS; none when the block is a file of its own there, which workers find.
    pub path: Option<String>,
    /// Where the block begins in it.
    pub offset_in_file: i64,
    /// Bytes of this block.
    pub length: i64,
    /// Which mount it belongs to.
    pub mount_id: i64,
    /// What the worker does with what it reads.
    pub keep: Keep,
}

/// Whether a worker keeps what it reads from the UFS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// As a copy of the block.
    Copy,
    /// Nothing.
    Nothing,
}

impl Worker {
    /// Connects to the worker at `address` and authenticates. Workers are not asked for a version (2.9.6).
    ///
    /// # Errors
    /// Nobody listens or answers in time; the worker refuses the user.
    pub async fn connect(address: &WorkerAddress, settings: &WorkerSettings) -> Result<Worker, FsError> {
        let server = address.endpoint();
        let connection = channel::open_authenticated(&server, &settings.channel).await?;
        Ok(Worker { connection, server, settings: Arc::new(settings.clone()) })
    }

    /// Asks the worker to keep a copy of the block `id`, `length` bytes, in its own time: from `source`, or from the UFS
    /// when that is this worker itself.
    ///
    /// # Errors
    /// The worker cannot be asked. Whether the copy comes to be is not told.
    pub async fn cache(
        &self,
        id: BlockId,
        length: i64,
        ufs: &UfsBlock,
        source: &WorkerAddress,
        wait: Wait,
    ) -> Result<(), FsError> {
        let request = CacheRequest {
            block_id: Some(id.0),
            source_host: Some(source.host.clone()),
            source_port: Some(source.data_port.into()),
            open_ufs_block_options: Some(ufs.to_proto()),
            length: Some(length),
            r#async: Some(wait == Wait::ForNothing),
        };
        let mut client = BlockWorkerClient::new(self.connection.clone());
        client.cache(request).await.map(drop).map_err(status::from_status)
    }

    /// Removes the worker's copy of the block `id`.
    ///
    /// # Errors
    /// There is none; the worker cannot be asked.
    pub async fn remove_block(&self, id: BlockId) -> Result<(), FsError> {
        let mut client = BlockWorkerClient::new(self.connection.clone());
        let request = RemoveBlockRequest { block_id: Some(id.0) };
        client.remove_block(request).await.map(drop).map_err(status::from_status)
    }
}

/// What a request to cache waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// The worker has taken note.
    ForNothing,
    /// The copy is there.
    ForTheCopy,
}

impl UfsBlock {
    pub(super) fn to_proto(&self) -> OpenUfsBlockOptions {
        OpenUfsBlockOptions {
            ufs_path: self.path.clone(),
            offset_in_file: Some(self.offset_in_file),
            block_size: Some(self.length),
            max_ufs_read_concurrency: Some(i32::MAX),
            mount_id: Some(self.mount_id),
            no_cache: Some(self.keep == Keep::Nothing),
            block_in_ufs_tier: self.path.is_none().then_some(true),
            ..OpenUfsBlockOptions::default()
        }
    }
}

#[cfg(test)]
#[path = "worker_tests.rs"]
mod tests;
