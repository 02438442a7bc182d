//! One block being read: from the file of a worker on this host, or from a stream.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;

use super::workers::Workers;
use crate::rpc::block_reader::{BlockRead, BlockReader};
use crate::rpc::local_block::OpenLocalBlock;
use crate::types::{ErrorKind, FsError, WorkerAddress};

/// A block that is being read at a worker.
#[derive(Debug)]
pub(super) enum BlockSource {
    /// The worker's own file.
    Local {
        file: Arc<File>,
        /// Keeps the worker from removing the block.
        lent: OpenLocalBlock,
        position: i64,
        end: i64,
        chunk_bytes: i64,
    },
    /// A stream of chunks.
    Stream(BlockReader),
}

impl BlockSource {
    /// Begins to read at the worker `address`.
    ///
    /// # Errors
    /// The worker cannot be reached. That it does not have the block may be told later.
    pub(super) async fn open(
        workers: &Workers,
        address: &WorkerAddress,
        read: &BlockRead,
    ) -> Result<BlockSource, FsError> {
        let worker = workers.connect(address).await?;
        if workers.has_short_cut(address)
            && let Ok(lent) = OpenLocalBlock::open(&worker, read.id, read.promote).await
            // A worker in a container names a file that we cannot see: the stream serves as well.
            && let Ok(file) = File::open(lent.path())
        {
            let (position, end) = (read.offset, read.offset + read.length);
            return Ok(BlockSource::Local { file: Arc::new(file), lent, position, end, chunk_bytes: read.chunk_bytes });
        }
        Ok(BlockSource::Stream(BlockReader::open(&worker, read)))
    }

    /// The next bytes; none at the end of what was asked for.
    ///
    /// # Errors
    /// The block cannot be read here.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, FsError> {
        match self {
            BlockSource::Stream(reader) => reader.next().await,
            BlockSource::Local { position, end, .. } if position == end => Ok(None),
            BlockSource::Local { file, lent, position, end, chunk_bytes } => {
                let (from, length) = (*position as u64, (*end - *position).min(*chunk_bytes) as usize);
                let open = Arc::clone(file);
                let read = tokio::task::spawn_blocking(move || read_at(&open, from, length)).await;
                let chunk = read.expect("reading does not panic, and nobody aborts it").map_err(|error| {
                    let text = format!("cannot read {}: {error}", lent.path().display());
                    FsError::new(ErrorKind::Unavailable, text)
                })?;
                *position += chunk.len() as i64;
                Ok(Some(chunk))
            }
        }
    }

    /// Whether it is read through the file system of this host.
    pub(super) fn is_local(&self) -> bool {
        matches!(self, BlockSource::Local { .. })
    }
}

/// Exactly `length` bytes from `offset`.
fn read_at(file: &File, offset: u64, length: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; length];
    file.read_exact_at(&mut buffer, offset)?;
    Ok(buffer.into())
}
