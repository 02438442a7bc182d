//! Where written bytes go: a block of the store, a file of the UFS, or a block that is a file of its own in the UFS
//! because there was no room for it here.

use std::sync::Arc;

use bytes::Bytes;

use super::blocks::{Worker, blocking};
use super::mounts::ufs_failed;
use super::read::piece;
use super::store::{WritableBlock, container};
use crate::metrics::WorkerCounters;
use crate::proto::alluxio::proto::dataserver::CreateUfsFileOptions;
use crate::types::{BlockId, ErrorKind, FsError};
use crate::ufs::{Ufs, UfsDeletion, UfsOwnership, UfsWriter};

/// Room that a block gets at a time when it is longer than was said.
const GROW_BYTES: u64 = 8 << 20;

/// Room for a block to begin with when there is not as much as its writer wishes: most blocks are shorter.
const BEGIN_BYTES: u64 = 1 << 20;

/// Bytes that are moved to the UFS at a time.
const PIECE_BYTES: u64 = 1 << 20;

/// What is to be written.
#[derive(Debug)]
pub enum Kind {
    /// A block of the store.
    Block {
        /// Its id.
        block: BlockId,
        /// Room that its writer wishes.
        reserve: u64,
        /// Whether it must stay until the master tells which files must.
        pin: bool,
        /// The mount in whose UFS it goes on when there is no room; none when the write fails then.
        overflow: Option<i64>,
    },
    /// A block that is a file of its own in the UFS of this mount.
    UfsBlock {
        /// Its id.
        block: BlockId,
        /// The mount.
        mount: i64,
    },
    /// A file of the UFS.
    UfsFile(Box<CreateUfsFileOptions>),
}

/// What is being written. Dropped without `commit`, it is taken away again.
pub struct Sink {
    position: u64,
    target: Target,
}

enum Target {
    Block { block: BlockId, writable: WritableBlock, overflow: Option<i64> },
    Ufs(UfsTarget),
}

/// A file of the UFS that is being written.
struct UfsTarget {
    /// The block that it is, if it is one.
    block: Option<BlockId>,
    ufs: Arc<dyn Ufs>,
    path: String,
    ownership: UfsOwnership,
    /// Made with the first bytes or at the end.
    writer: Option<Box<dyn UfsWriter>>,
    counters: Arc<WorkerCounters>,
}

impl Sink {
    /// Begins to write.
    ///
    /// # Errors
    /// The block id is taken, there is no room, or the mount is not known.
    pub async fn begin(worker: &Worker, kind: Kind) -> Result<Sink, FsError> {
        let target = match kind {
            Kind::Block { block, reserve, pin, overflow } => {
                let begun = match worker.begin(block, reserve).await {
                    Err(error) if is_full(&error) && reserve > BEGIN_BYTES => worker.begin(block, BEGIN_BYTES).await,
                    other => other,
                };
                match (begun, overflow) {
                    (Err(error), Some(mount)) if is_full(&error) => {
                        log::debug!("a block is written to the UFS block={block} reason={error}");
                        Target::Ufs(UfsTarget::of_block(worker, block, mount).await?)
                    }
                    (begun, overflow) => {
                        let writable = begun?;
                        if pin {
                            worker.store.pin_early(container(block));
                        }
                        Target::Block { block, writable, overflow }
                    }
                }
            }
            Kind::UfsBlock { block, mount } => Target::Ufs(UfsTarget::of_block(worker, block, mount).await?),
            Kind::UfsFile(options) => Target::Ufs(UfsTarget::of_file(worker, *options).await?),
        };
        Ok(Sink { position: 0, target })
    }

    /// How much is written.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Begins a block of the UFS with the `bytes` that its client wrote by short circuit, until there was no room.
    ///
    /// # Errors
    /// It is no block of the UFS, or has begun; that many bytes are not here; the UFS fails.
    pub async fn resume(self, worker: &Worker, bytes: u64) -> Result<Sink, FsError> {
        let invalid = |text: String| FsError::new(ErrorKind::InvalidArgument, text);
        let (Target::Ufs(target @ UfsTarget { block: Some(block), .. }), 0) = (self.target, self.position) else {
            return Err(invalid("only a block in the UFS begins with what a worker has of it".into()));
        };
        let left = worker.take_left(block)?;
        let length = left.length()?;
        if length != bytes {
            return Err(invalid(format!("{length} bytes were written of block {block}, not {bytes}")));
        }
        let target = target.take_over(left, bytes).await?;
        Ok(Sink { position: bytes, target: Target::Ufs(target) })
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// There is no room, or the file cannot be written. What is written is taken away.
    pub async fn write(self, worker: &Worker, bytes: Bytes) -> Result<Sink, FsError> {
        let position = self.position + bytes.len() as u64;
        let target = match self.target {
            Target::Block { block, writable, overflow } => {
                let (writable, written) = add(worker, writable, position, bytes.clone()).await?;
                match (written, overflow) {
                    (Ok(()), overflow) => Target::Block { block, writable, overflow },
                    (Err(error), Some(mount)) if is_full(&error) => {
                        log::debug!("a block goes on in the UFS block={block} at={} reason={error}", self.position);
                        let target = UfsTarget::of_block(worker, block, mount).await?;
                        let target = target.take_over(writable, self.position).await?;
                        Target::Ufs(target.write(bytes).await?)
                    }
                    (Err(error), _) => return Err(error),
                }
            }
            Target::Ufs(target) => Target::Ufs(target.write(bytes).await?),
        };
        Ok(Sink { position, target })
    }

    /// Ends it well: from now on it is there for everybody. The content hash of a file, if its UFS tells one.
    ///
    /// # Errors
    /// It cannot be moved to its place, the master refuses it, or the UFS fails. It is gone then.
    pub async fn commit(self, worker: &Worker) -> Result<Option<String>, FsError> {
        match self.target {
            Target::Block { block, writable, .. } => {
                worker.commit(writable, block).await?;
                worker.store.counters().blocks_written_remote.inc();
                Ok(None)
            }
            Target::Ufs(target) => {
                let UfsTarget { block, ufs, path, .. } = &target;
                let (block, ufs, path) = (*block, Arc::clone(ufs), path.clone());
                target.close().await?;
                let Some(block) = block else {
                    // Without a hash the master does without.
                    let status = ufs.status(&path).await.ok().flatten();
                    return Ok(status.map(|status| status.content_hash()));
                };
                let told = worker.primary.commit_block_in_ufs(block, self.position).await;
                if told.is_err() {
                    // Of no use to anybody; what stays all the same is swept by the master.
                    let _ = ufs.delete(&path, UfsDeletion::File).await;
                }
                told.map(|()| None)
            }
        }
    }
}

impl UfsTarget {
    async fn of_file(worker: &Worker, options: CreateUfsFileOptions) -> Result<UfsTarget, FsError> {
        let path = options.ufs_path().to_owned();
        let ufs = worker.mounts.ufs(options.mount_id(), &path).await?;
        let ownership = UfsOwnership {
            mode: u16::try_from(options.mode() & 0o777).unwrap_or(0o644),
            owner: options.owner.unwrap_or_default(),
            group: options.group.unwrap_or_default(),
        };
        let counters = Arc::clone(worker.store.counters());
        Ok(UfsTarget { block: None, ufs, path, ownership, writer: None, counters })
    }

    async fn of_block(worker: &Worker, block: BlockId, mount: i64) -> Result<UfsTarget, FsError> {
        let path = worker.mounts.block(mount, block).await?;
        let ufs = worker.mounts.ufs(mount, &path).await?;
        // Workers that read it may be other users.
        let ownership = UfsOwnership { owner: String::new(), group: String::new(), mode: 0o644 };
        let counters = Arc::clone(worker.store.counters());
        Ok(UfsTarget { block: Some(block), ufs, path, ownership, writer: None, counters })
    }

    /// Copies the first `length` bytes of a block, which is given up then.
    async fn take_over(mut self, writable: WritableBlock, length: u64) -> Result<UfsTarget, FsError> {
        let file = Arc::new(writable.reader()?);
        let mut at = 0;
        while at < length {
            let (file, wanted) = (Arc::clone(&file), usize::try_from((length - at).min(PIECE_BYTES)).unwrap_or(0));
            let bytes = blocking(move || piece(&file, at, wanted)).await??;
            at += bytes.len() as u64;
            self = self.write(bytes).await?;
        }
        blocking(move || drop(writable)).await?;
        Ok(self)
    }

    async fn write(mut self, bytes: Bytes) -> Result<UfsTarget, FsError> {
        let (mut writer, length) = (self.created().await?, bytes.len() as u64);
        writer.write(bytes).await.map_err(ufs_failed)?;
        self.counters.bytes_written_ufs.inc_by(length);
        self.writer = Some(writer);
        Ok(self)
    }

    async fn close(mut self) -> Result<(), FsError> {
        self.created().await?.close().await.map_err(ufs_failed)
    }

    async fn created(&mut self) -> Result<Box<dyn UfsWriter>, FsError> {
        match self.writer.take() {
            Some(writer) => Ok(writer),
            None => self.ufs.create(&self.path, &self.ownership).await.map_err(ufs_failed),
        }
    }
}

fn is_full(error: &FsError) -> bool {
    error.kind == ErrorKind::ResourceExhausted
}

/// Adds bytes to a block, which ends at `position` then. It comes back with the outcome; after a failure its end is
/// undefined.
async fn add(
    worker: &Worker,
    mut writable: WritableBlock,
    position: u64,
    bytes: Bytes,
) -> Result<(WritableBlock, Result<(), FsError>), FsError> {
    if position > writable.promised() {
        let (same, grown) = more_room(worker, writable, position).await?;
        if grown.is_err() {
            return Ok((same, grown));
        }
        writable = same;
    }
    blocking(move || {
        let written = writable.write(&bytes).map_err(FsError::from);
        (writable, written)
    })
    .await
}

async fn more_room(
    worker: &Worker,
    writable: WritableBlock,
    position: u64,
) -> Result<(WritableBlock, Result<(), FsError>), FsError> {
    let missing = position - writable.promised();
    let (writable, grown) = worker.grow(writable, missing.max(GROW_BYTES)).await?;
    if grown.is_ok() || missing >= GROW_BYTES {
        return Ok((writable, grown));
    }
    worker.grow(writable, missing).await
}
