//! Short circuit: clients on this host read and write the files of blocks themselves; the stream says how long.

use std::sync::Arc;

use tonic::Streaming;

use super::blocks::{Worker, blocking};
use super::data_server::Answers;
use super::store::container;
use crate::proto::alluxio::grpc::block::{
    CreateLocalBlockRequest, CreateLocalBlockResponse, OpenLocalBlockRequest, OpenLocalBlockResponse,
};
use crate::rpc::status;
use crate::types::{BlockId, ErrorKind, FsError};

/// OpenLocalBlock: tells where the block lies, and keeps it there until the client half-closes or is gone.
pub(super) async fn open(
    worker: Arc<Worker>,
    mut inbound: Streaming<OpenLocalBlockRequest>,
    answers: Answers<OpenLocalBlockResponse>,
) -> Result<(), FsError> {
    let Some(request) = inbound.message().await.map_err(status::from_status)? else { return Ok(()) };
    let (store, block) = (Arc::clone(&worker.store), BlockId(request.block_id()));
    let readable = blocking(move || store.read(block)).await??;
    let path = readable.path.display().to_string();
    if answers.send(Ok(OpenLocalBlockResponse { path: Some(path) })).await.is_ok() {
        let counters = worker.store.counters();
        counters.blocks_read_local.inc();
        counters.bytes_read_local.inc_by(readable.length);
        while let Ok(Some(_)) = inbound.message().await {}
    }
    drop(readable);
    Ok(())
}

/// CreateLocalBlock: tells where the client may write, promises it room, and commits when it half-closes. A client that
/// is gone has given up.
pub(super) async fn create(
    worker: Arc<Worker>,
    mut inbound: Streaming<CreateLocalBlockRequest>,
    answers: Answers<CreateLocalBlockResponse>,
) -> Result<(), FsError> {
    let Some(first) = inbound.message().await.map_err(status::from_status)? else { return Ok(()) };
    let block = BlockId(first.block_id());
    let mut writable = worker.begin(block, room(&first)?).await?;
    if first.pin_on_create() {
        worker.store.pin_early(container(block));
    }
    let path = writable.path().display().to_string();
    if answers.send(Ok(CreateLocalBlockResponse { path: Some(path) })).await.is_err() {
        return Ok(());
    }
    // A reset is an error, and drops the block.
    while let Some(request) = inbound.message().await.map_err(status::from_status)? {
        if !request.only_reserve_space() || request.block_id() != block.0 {
            let text = format!("block {} is being created; only more room for it can be asked for", block.0);
            return Err(FsError::new(ErrorKind::InvalidArgument, text));
        }
        let (same, grown) = worker.grow(writable, room(&request)?).await?;
        writable = same;
        if let Err(error) = grown {
            // Compatible: 2.9, of a client that goes on in the UFS (UFS_FALLBACK_BLOCK).
            if error.kind == ErrorKind::ResourceExhausted && request.cleanup_on_failure == Some(false) {
                worker.leave(block, writable);
            }
            return Err(error);
        }
        // Compatible: 2.9, the answer to a wish for room has no path.
        if answers.send(Ok(CreateLocalBlockResponse { path: None })).await.is_err() {
            return Ok(());
        }
    }
    let bytes = worker.commit(writable, block).await?;
    let counters = worker.store.counters();
    counters.blocks_written_local.inc();
    counters.bytes_written_local.inc_by(bytes);
    Ok(())
}

fn room(request: &CreateLocalBlockRequest) -> Result<u64, FsError> {
    u64::try_from(request.space_to_reserve()).map_err(|_| {
        let text = format!("space_to_reserve is {}", request.space_to_reserve());
        FsError::new(ErrorKind::InvalidArgument, text)
    })
}
