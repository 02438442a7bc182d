//! Where the bytes of a block come from: the store, a fetch that brings them, or the UFS itself.

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;

use super::blocks::{Worker, blocking};
use super::fetch::{End, Fetch, Origin, UfsBlock};
use super::mounts::ufs_failed;
use super::store::{ReadableBlock, StoreError, container};
use crate::types::{BlockId, ErrorKind, FsError};
use crate::ufs::UfsReader;

/// A reader waits for a fetch that is at most so far behind; one that wants what lies further reads the UFS itself.
const FOLLOW_BYTES_MAX: u64 = 8 << 20;

/// Whether a block that comes from the UFS is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// For those who read it next.
    Yes,
    /// For nobody.
    No,
}

/// Bytes of a block, in order.
pub struct BlockReader {
    /// Of the next byte.
    position: u64,
    /// After the last byte.
    end: u64,
    source: Source,
}

enum Source {
    Store(Arc<ReadableBlock>),
    Fetch(Arc<Fetch>, UfsBlock),
    Ufs(Box<dyn UfsReader>),
}

impl Worker {
    /// Opens a block from `offset` on for `length` bytes, or as many as there are.
    ///
    /// # Errors
    /// It is neither here nor, as far as that is said, in the UFS; the UFS does not answer; the offset is beyond its
    /// end.
    pub async fn open(
        self: &Arc<Self>,
        block: BlockId,
        offset: u64,
        length: u64,
        ufs: Option<(UfsBlock, Keep)>,
    ) -> Result<BlockReader, FsError> {
        let store = Arc::clone(&self.store);
        let not_here = match blocking(move || store.read(block)).await? {
            Ok(readable) if !self.is_damaged(block, &readable, ufs.as_ref()).await => {
                return BlockReader::of(readable, offset, length);
            }
            Ok(readable) => {
                log::warn!(
                    "dropping a block that has another length than in the UFS path={} length={}",
                    readable.path.display(),
                    readable.length
                );
                let store = Arc::clone(&self.store);
                blocking(move || {
                    drop(readable);
                    store.remove(block)
                })
                .await?;
                StoreError::NoBlock(block)
            }
            Err(error @ StoreError::NoBlock(_)) => error,
            Err(other) => return Err(other.into()),
        };
        let Some((from, keep)) = ufs else { return Err(not_here.into()) };
        let end = bounded(offset, length, from.length)?;
        if keep == Keep::Yes {
            let Some(fetch) = self.fetch(block, Origin::Ufs(from.clone())) else {
                // It has come meanwhile.
                let store = Arc::clone(&self.store);
                return BlockReader::of(blocking(move || store.read(block)).await??, offset, length);
            };
            let progress = fetch.wait_for(|progress| progress.file.is_some() || progress.end.is_some()).await;
            if offset <= progress.bytes + FOLLOW_BYTES_MAX && !matches!(progress.end, Some(End::NotKept)) {
                return Ok(BlockReader { position: offset, end, source: Source::Fetch(fetch, from) });
            }
        }
        let reader = self.open_ufs(&from, offset).await?;
        Ok(BlockReader { position: offset, end, source: Source::Ufs(reader) })
    }
}

impl Worker {
    /// Whether a block is not what its file in the UFS is there, as one that lost its end with the power of its machine.
    /// Only the master is believed that it is in the UFS.
    async fn is_damaged(&self, block: BlockId, readable: &ReadableBlock, ufs: Option<&(UfsBlock, Keep)>) -> bool {
        let has_other_length = ufs.is_some_and(|(ufs, _)| ufs.length != readable.length);
        has_other_length && self.primary.is_expendable(container(block)).await.unwrap_or(false)
    }
}

/// The end of a range in something of `whole` bytes.
fn bounded(offset: u64, length: u64, whole: u64) -> Result<u64, FsError> {
    if offset > whole {
        let text = format!("Seek position {offset} is beyond the end of the block, {whole}");
        return Err(FsError::new(ErrorKind::InvalidArgument, text));
    }
    Ok(offset.saturating_add(length).min(whole))
}

impl BlockReader {
    fn of(readable: ReadableBlock, offset: u64, length: u64) -> Result<BlockReader, FsError> {
        let end = bounded(offset, length, readable.length)?;
        Ok(BlockReader { position: offset, end, source: Source::Store(Arc::new(readable)) })
    }

    /// The next bytes, at most `bytes_max`; empty at the end.
    ///
    /// # Errors
    /// The file or the UFS fails.
    pub async fn next(&mut self, worker: &Worker, bytes_max: usize) -> Result<Bytes, FsError> {
        let wanted = bytes_max.min(usize::try_from(self.end - self.position).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(Bytes::new());
        }
        let bytes = match &mut self.source {
            Source::Store(block) => {
                let (block, position) = (Arc::clone(block), self.position);
                blocking(move || piece(&block.file, position, wanted)).await??
            }
            Source::Fetch(fetch, from) => {
                let position = self.position;
                let progress = fetch.wait_for(|progress| progress.bytes > position || progress.end.is_some()).await;
                let come = usize::try_from(progress.bytes.saturating_sub(position)).unwrap_or(usize::MAX).min(wanted);
                match (come, progress.file, progress.end) {
                    (0, _, Some(End::Failed(error))) => return Err(error),
                    (0, _, Some(End::Came)) => Bytes::new(),
                    (1.., Some(file), _) => blocking(move || piece(&file, position, come)).await??,
                    _ => {
                        let mut reader = worker.open_ufs(from, position).await?;
                        let bytes = reader.read(wanted).await.map_err(ufs_failed)?;
                        self.source = Source::Ufs(reader);
                        bytes
                    }
                }
            }
            Source::Ufs(reader) => reader.read(wanted).await.map_err(ufs_failed)?,
        };
        self.position += bytes.len() as u64;
        if let Source::Ufs(_) = self.source {
            worker.store.counters().bytes_read_ufs.inc_by(bytes.len() as u64);
        }
        Ok(bytes)
    }
}

/// That many bytes of a file.
pub(super) fn piece(file: &File, position: u64, length: usize) -> Result<Bytes, FsError> {
    let mut buffer: Vec<u8> = Vec::with_capacity(length);
    while buffer.len() < length {
        let at = position + buffer.len() as u64;
        match rustix::io::pread(file, rustix::buffer::spare_capacity(&mut buffer), at) {
            Ok(0) => return Err(FsError::new(ErrorKind::Internal, "a block file ended before its end")),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                return Err(FsError::new(ErrorKind::Internal, format!("cannot read a block file: {error}")));
            }
        }
    }
    // An allocation may be larger than what was asked for, and so may be what was read into it.
    buffer.truncate(length);
    Ok(buffer.into())
}
