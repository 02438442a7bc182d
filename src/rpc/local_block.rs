//! Short cuts: a client on the worker's host reads and writes the files of blocks itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::duplex::Duplex;
use super::worker::Worker;
use crate::proto::alluxio::grpc::block::{
    CreateLocalBlockRequest, CreateLocalBlockResponse, OpenLocalBlockRequest, OpenLocalBlockResponse,
};
use crate::types::{BlockId, ErrorKind, FsError};

const OPEN_LOCAL_BLOCK: &str = "/alluxio.grpc.block.BlockWorker/OpenLocalBlock";
const CREATE_LOCAL_BLOCK: &str = "/alluxio.grpc.block.BlockWorker/CreateLocalBlock";

/// The file of a block, which stays as long as this is kept.
#[derive(Debug)]
pub struct OpenLocalBlock {
    path: PathBuf,
    /// Its end lets the worker remove the block again.
    _call: Duplex<OpenLocalBlockRequest, OpenLocalBlockResponse>,
}

impl OpenLocalBlock {
    /// Asks `worker` for the file of the block `id`.
    ///
    /// # Errors
    /// The worker has no copy of it (`NotFound`) or cannot be asked.
    pub async fn open(worker: &Worker, id: BlockId, promote: bool) -> Result<OpenLocalBlock, FsError> {
        let request = OpenLocalBlockRequest { block_id: Some(id.0), promote: Some(promote) };
        let connection = worker.connection.clone();
        let mut call: Duplex<_, OpenLocalBlockResponse> =
            Duplex::open(connection, &worker.server, OPEN_LOCAL_BLOCK, worker.settings.read_patience, request);
        let path = path_of(call.expect().await?.path, id)?;
        Ok(OpenLocalBlock { path, _call: call })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The file of a block that is being written by the client. Dropped before [`CreateLocalBlock::commit`], it is removed.
#[derive(Debug)]
pub struct CreateLocalBlock {
    path: PathBuf,
    call: Duplex<CreateLocalBlockRequest, CreateLocalBlockResponse>,
    request: CreateLocalBlockRequest,
    commit_patience: Duration,
}

impl CreateLocalBlock {
    /// Asks `worker` for a file into which the block `id` is written, with room for `reserve_bytes`.
    ///
    /// # Errors
    /// The worker has no room, has the block, or cannot be asked.
    pub async fn open(worker: &Worker, id: BlockId, reserve_bytes: i64, pin: bool) -> Result<Self, FsError> {
        let request = CreateLocalBlockRequest {
            block_id: Some(id.0),
            tier: Some(0),
            space_to_reserve: Some(reserve_bytes),
            medium_type: Some(String::new()),
            pin_on_create: Some(pin),
            only_reserve_space: None,
            cleanup_on_failure: None,
        };
        let connection = worker.connection.clone();
        let mut call: Duplex<_, CreateLocalBlockResponse> = Duplex::open(
            connection,
            &worker.server,
            CREATE_LOCAL_BLOCK,
            worker.settings.write_patience,
            request.clone(),
        );
        let path = path_of(call.expect().await?.path, id)?;
        Ok(CreateLocalBlock { path, call, request, commit_patience: worker.settings.commit_patience })
    }

    /// The file, which exists and is empty.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes room for `more_bytes` beyond what was reserved before.
    ///
    /// # Errors
    /// The worker has no room.
    pub async fn reserve(&mut self, more_bytes: i64) -> Result<(), FsError> {
        let request = CreateLocalBlockRequest {
            only_reserve_space: Some(true),
            space_to_reserve: Some(more_bytes),
            ..self.request.clone()
        };
        self.call.send(request).await?;
        self.call.expect().await.map(drop)
    }

    /// Makes what stands in the file the block.
    ///
    /// # Errors
    /// The worker could not commit it.
    pub async fn commit(mut self) -> Result<(), FsError> {
        self.call.half_close().await?;
        self.call.be_patient(self.commit_patience);
        while self.call.receive().await?.is_some() {}
        Ok(())
    }
}

fn path_of(answer: Option<String>, id: BlockId) -> Result<PathBuf, FsError> {
    let path = answer.map(PathBuf::from).filter(|path| path.is_absolute());
    path.ok_or_else(|| FsError::new(ErrorKind::Internal, format!("the worker gave no path for block {}", id.0)))
}
