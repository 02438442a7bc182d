//! Reading a block from a worker as a stream of chunks.

use bytes::Bytes;

use super::duplex::Duplex;
use super::worker::{UfsBlock, Worker};
use crate::proto::alluxio::grpc::block::{ReadRequest, ReadResponse};
use crate::types::{BlockId, ErrorKind, FsError};

const READ_BLOCK: &str = "/alluxio.grpc.block.BlockWorker/ReadBlock";

/// What is read of a block.
#[derive(Debug, Clone)]
pub struct BlockRead {
    /// The block.
    pub id: BlockId,
    /// First byte.
    pub offset: i64,
    /// How many, more than none.
    pub length: i64,
    /// Most bytes of a chunk (`alluxio.user.streaming.reader.chunk.size.bytes`, 1 MB).
    pub chunk_bytes: i64,
    /// Whether the copy moves to the top tier (CACHE_PROMOTE).
    pub promote: bool,
    /// Where the block is in the UFS, if it is.
    pub ufs: Option<UfsBlock>,
}

/// A read that is under way. The worker is never more than its own buffer (4 MB) ahead of what was taken here: each chunk
/// is acknowledged when it is taken.
#[derive(Debug)]
pub struct BlockReader {
    call: Duplex<ReadRequest, ReadResponse>,
    /// What was asked for; an acknowledgement repeats it.
    request: ReadRequest,
    /// Of the next byte in the block.
    position: i64,
    end: i64,
}

impl BlockReader {
    /// Begins to read. Errors of the worker come with the first chunk.
    pub fn open(worker: &Worker, read: &BlockRead) -> BlockReader {
        let request = ReadRequest {
            block_id: Some(read.id.0),
            offset: Some(read.offset),
            length: Some(read.length),
            promote: Some(read.promote),
            chunk_size: Some(read.chunk_bytes),
            open_ufs_block_options: read.ufs.as_ref().map(UfsBlock::to_proto),
            ..ReadRequest::default()
        };
        let connection = worker.connection.clone();
        let call = Duplex::open(connection, &worker.server, READ_BLOCK, worker.settings.read_patience, request.clone());
        BlockReader { call, request, position: read.offset, end: read.offset + read.length }
    }

    /// The next bytes; none at the end of what was asked for.
    ///
    /// # Errors
    /// The worker has no such block and cannot get it, fails, is silent, or sends less or more than was asked for. A
    /// reader that failed is of no more use; another one may begin at [`BlockReader::position`].
    pub async fn next(&mut self) -> Result<Option<Bytes>, FsError> {
        while self.position < self.end {
            let chunk = self.call.expect().await?.chunk.and_then(|chunk| chunk.data).unwrap_or_default();
            if chunk.is_empty() {
                continue;
            }
            let reached = self.position + chunk.len() as i64;
            if reached > self.end {
                let text = format!("block {}: got bytes up to {reached}, of {}", self.request.block_id(), self.end);
                return Err(FsError::new(ErrorKind::Internal, text));
            }
            self.position = reached;
            let acknowledgement = ReadRequest { offset_received: Some(reached), ..self.request.clone() };
            self.call.send_beside_answers(acknowledgement).await;
            return Ok(Some(chunk));
        }
        Ok(None)
    }

    /// Where in the block the next byte is.
    pub fn position(&self) -> i64 {
        self.position
    }
}
