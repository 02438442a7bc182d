//! One block being written: into the file of a worker on this host, or into a stream.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;

use super::workers::Workers;
use crate::rpc::block_writer::{BlockWrite, BlockWriter};
use crate::rpc::local_block::CreateLocalBlock;
use crate::types::{BlockId, ErrorKind, FsError, WorkerAddress};

/// Space that is reserved at once.
const RESERVED_BYTES: i64 = 64 << 20;

/// A block that is being written. Dropped before [`BlockSink::commit`], it leaves nothing.
#[derive(Debug)]
pub(super) enum BlockSink {
    /// The worker's own file.
    Local { file: Arc<File>, lent: CreateLocalBlock, written: i64, reserved: i64 },
    /// A stream of chunks.
    Stream(Box<BlockWriter>),
}

/// A block to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewBlock {
    pub(super) id: BlockId,
    /// Most bytes of it.
    pub(super) size: i64,
    /// Whether it must stay until it is persisted.
    pub(super) pin: bool,
}

impl BlockSink {
    /// Begins to write at the worker `address`.
    ///
    /// # Errors
    /// The worker cannot be reached or has no room. A stream may tell the latter later.
    pub(super) async fn open(
        workers: &Workers,
        address: &WorkerAddress,
        block: NewBlock,
    ) -> Result<BlockSink, FsError> {
        let worker = workers.connect(address).await?;
        let NewBlock { id, size, pin } = block;
        let reserved = size.min(RESERVED_BYTES);
        if workers.has_short_cut(address) {
            let lent = CreateLocalBlock::open(&worker, id, reserved, pin).await?;
            // A worker in a container names a file that we cannot see: then the stream serves, after an abort.
            if let Ok(file) = File::options().append(true).open(lent.path()) {
                return Ok(BlockSink::Local { file: Arc::new(file), lent, written: 0, reserved });
            }
        }
        let what = BlockWrite::Block { id, pin, reserve_bytes: reserved };
        Ok(BlockSink::Stream(Box::new(BlockWriter::open(&worker, &what))))
    }

    /// Adds `chunk`.
    ///
    /// # Errors
    /// The worker failed or has no room.
    pub(super) async fn write(&mut self, chunk: Bytes) -> Result<(), FsError> {
        let (file, lent, written, reserved) = match self {
            BlockSink::Stream(writer) => return writer.write(chunk).await,
            BlockSink::Local { file, lent, written, reserved } => (file, lent, written, reserved),
        };
        let length = chunk.len() as i64;
        if *written + length > *reserved {
            let more = RESERVED_BYTES.max(*written + length - *reserved);
            lent.reserve(more).await?;
            *reserved += more;
        }
        let open = Arc::clone(file);
        let done = tokio::task::spawn_blocking(move || (&*open).write_all(&chunk)).await;
        done.expect("writing does not panic, and nobody aborts it").map_err(|error| {
            FsError::new(ErrorKind::Unavailable, format!("cannot write {}: {error}", lent.path().display()))
        })?;
        *written += length;
        Ok(())
    }

    /// How much was written.
    pub(super) fn written(&self) -> i64 {
        match self {
            BlockSink::Local { written, .. } => *written,
            BlockSink::Stream(writer) => writer.position(),
        }
    }

    /// Waits until the worker has committed what was written.
    ///
    /// # Errors
    /// It could not.
    pub(super) async fn commit(self) -> Result<(), FsError> {
        match self {
            BlockSink::Local { lent, .. } => lent.commit().await,
            BlockSink::Stream(writer) => writer.commit().await.map(drop),
        }
    }
}
