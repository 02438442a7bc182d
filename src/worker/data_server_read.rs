//! ReadBlock: one request, then chunks in order, each of them acknowledged by the client. Compatible: 2.9, except that
//! the window of the stream alone holds us back: acknowledgements are taken and not waited for, and a chunk is read
//! only when the one before it is on its way.

use std::sync::Arc;

use bytes::Bytes;
use tonic::Streaming;

use super::blocks::Worker;
use super::data_server::Answers;
use super::fetch::UfsBlock;
use super::read::Keep;
use crate::proto::alluxio::grpc::block::ReadRequest;
use crate::rpc::status;
use crate::types::{BlockId, ErrorKind, FsError};

/// Largest chunk, whatever the client wants (2.9: `alluxio.worker.network.reader.max.chunk.size.bytes`).
const CHUNK_BYTES_MAX: usize = 2 << 20;

/// Chunk of a client that says nothing.
const CHUNK_BYTES: usize = 1 << 20;

/// Answers one read. Ends when all is sent, or when the client half-closes or resets the stream.
pub(super) async fn read(
    worker: Arc<Worker>,
    mut inbound: Streaming<ReadRequest>,
    answers: Answers<Bytes>,
) -> Result<(), FsError> {
    let Some(request) = inbound.message().await.map_err(status::from_status)? else { return Ok(()) };
    let range = |value: i64| u64::try_from(value).ok();
    let (Some(_), Some(offset), Some(length @ 1..)) =
        (range(request.block_id()), range(request.offset()), range(request.length()))
    else {
        let text = format!(
            "Invalid read request: block id {}, offset {}, length {}",
            request.block_id(),
            request.offset(),
            request.length()
        );
        return Err(FsError::new(ErrorKind::InvalidArgument, text));
    };
    let chunk = usize::try_from(request.chunk_size()).ok().filter(|bytes| *bytes > 0);
    let chunk = chunk.unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES_MAX);
    let block = BlockId(request.block_id());
    let ufs = request.open_ufs_block_options.as_ref().and_then(|options| {
        let keep = if options.no_cache() { Keep::No } else { Keep::Yes };
        Some((UfsBlock::new(block, options)?, keep))
    });
    let mut reader = worker.open(block, offset, length, ufs).await?;
    worker.store.counters().blocks_read_remote.inc();
    loop {
        let permit = tokio::select! {
            permit = answers.reserve() => permit,
            next = inbound.message() => match next {
                Ok(Some(_)) => continue,
                // The client has enough, or is gone.
                Ok(None) | Err(_) => return Ok(()),
            },
        };
        let Ok(permit) = permit else { return Ok(()) };
        let data = reader.next(&worker, chunk).await?;
        if data.is_empty() {
            return Ok(());
        }
        worker.store.counters().bytes_read_remote.inc_by(data.len() as u64);
        permit.send(Ok(data));
    }
}
