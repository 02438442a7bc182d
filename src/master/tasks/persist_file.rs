//! Writes one file to the UFS through a worker: reads each block from a worker that holds it, and sends it to one that
//! writes all of it to a temporary file.

use crate::master::ops::ToPersist;
use crate::rpc::block_reader::{BlockRead, BlockReader};
use crate::rpc::block_writer::{BlockWrite, BlockWriter, UfsFile};
use crate::rpc::worker::{Keep, UfsBlock, Worker, WorkerSettings};
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
        copy(block, &sources_of(block, status.mount_id, writer), &mut target, settings).await?;
    }
    let written = target.position();
    target.commit().await?;
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

/// Who may have a block: those that hold it; a block that no worker could keep is a file of its own in the UFS, which
/// `writer` reads.
fn sources_of(block: &BlockStatus, mount_id: i64, writer: &WorkerAddress) -> Vec<(WorkerAddress, Option<UfsBlock>)> {
    let alone = UfsBlock { path: None, offset_in_file: 0, length: block.length, mount_id, keep: Keep::Nothing };
    let holders = block.locations.iter().map(|location| (location.address.clone(), None));
    holders.chain([(writer.clone(), Some(alone))]).collect()
}

/// Copies a block from one of its sources; another one goes on where one fails.
async fn copy(
    block: &BlockStatus,
    sources: &[(WorkerAddress, Option<UfsBlock>)],
    target: &mut BlockWriter,
    settings: &WorkerSettings,
) -> Result<(), FsError> {
    let mut offset = 0;
    let mut failure = None;
    for (address, ufs) in sources {
        if offset == block.length {
            break;
        }
        let worker = match Worker::connect(address, settings).await {
            Ok(worker) => worker,
            Err(error) => {
                failure.get_or_insert(error);
                continue;
            }
        };
        let length = block.length - offset;
        let read =
            BlockRead { id: block.id, offset, length, chunk_bytes: CHUNK_BYTES, promote: false, ufs: ufs.clone() };
        let mut source = BlockReader::open(&worker, &read);
        loop {
            match source.next().await {
                Ok(Some(chunk)) => target.write(chunk).await?,
                Ok(None) => return Ok(()),
                Err(error) => {
                    offset = source.position();
                    failure.get_or_insert(error);
                    break;
                }
            }
        }
    }
    match failure {
        Some(error) if offset < block.length => Err(error),
        _ => Ok(()),
    }
}
