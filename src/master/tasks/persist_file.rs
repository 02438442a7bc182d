//! Writes one file to the UFS through a worker: reads each block from a worker that holds it, and sends it to one that
//! writes all of it to a temporary file.

use crate::master::ops::ToPersist;
use crate::rpc::block_reader::{BlockRead, BlockReader};
use crate::rpc::block_writer::{BlockWrite, BlockWriter, UfsFile};
use crate::rpc::worker::{Worker, WorkerSettings};
use crate::types::{BlockStatus, ErrorKind, FileStatus, FsError, WorkerAddress};

/// Bytes of a chunk.
const CHUNK_BYTES: i64 = 1 << 20;

/// Writes the file to `temporary`; its length.
///
/// # Errors
/// No worker holds a block or writes.
pub(super) async fn write(
    file: &ToPersist,
    temporary: &str,
    live: &[WorkerAddress],
    settings: &WorkerSettings,
) -> Result<i64, FsError> {
    let status = &file.status;
    let writer = writer_of(status, live)?;
    let worker = Worker::connect(writer, settings).await?;
    let target = UfsFile {
        path: temporary.to_owned(),
        mount_id: status.mount_id,
        owner: status.owner.clone(),
        group: status.group.clone(),
        mode: status.mode,
    };
    let mut target = BlockWriter::open(&worker, &BlockWrite::UfsFile(target));
    for block in &status.blocks {
        copy(block, &mut target, settings).await?;
    }
    let written = target.commit().await?;
    if written != status.length {
        let text = format!("{written} bytes of {} were written, it has {}", status.path, status.length);
        return Err(FsError::new(ErrorKind::Internal, text));
    }
    Ok(written)
}

/// Who holds the first block has the shortest way; an empty file may be written by anybody.
fn writer_of<'a>(status: &'a FileStatus, live: &'a [WorkerAddress]) -> Result<&'a WorkerAddress, FsError> {
    let first = status.blocks.first().and_then(|block| block.locations.first()).map(|location| &location.address);
    let none = || FsError::new(ErrorKind::Unavailable, "there is no worker");
    first.or_else(|| live.first()).ok_or_else(none)
}

/// Copies a block from one of those that hold it; another one goes on where one fails.
async fn copy(block: &BlockStatus, target: &mut BlockWriter, settings: &WorkerSettings) -> Result<(), FsError> {
    let mut offset = 0;
    let mut failure = FsError::new(ErrorKind::Unavailable, format!("no worker holds block {}", block.id));
    for location in &block.locations {
        if offset == block.length {
            break;
        }
        let worker = match Worker::connect(&location.address, settings).await {
            Ok(worker) => worker,
            Err(error) => {
                failure = error;
                continue;
            }
        };
        let length = block.length - offset;
        let read = BlockRead { id: block.id, offset, length, chunk_bytes: CHUNK_BYTES, promote: false, ufs: None };
        let mut source = BlockReader::open(&worker, &read);
        loop {
            match source.next().await {
                Ok(Some(chunk)) => target.write(chunk).await?,
                Ok(None) => return Ok(()),
                Err(error) => {
                    offset = source.position();
                    failure = error;
                    break;
                }
            }
        }
    }
    if offset == block.length { Ok(()) } else { Err(failure) }
}
