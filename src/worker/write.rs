//! Where written bytes go: a block of the store, or a file of the UFS.

use std::sync::Arc;

use bytes::Bytes;

use super::blocks::{Worker, blocking};
use super::mounts::ufs_failed;
use super::store::{WritableBlock, container};
use crate::proto::alluxio::proto::dataserver::CreateUfsFileOptions;
use crate::types::{BlockId, ErrorKind, FsError};
use crate::ufs::{Ufs, UfsOwnership, UfsWriter};

/// Room that a block gets at a time when it is longer than was said.
const GROW_BYTES: u64 = 8 << 20;

/// Room for a block to begin with when there is not as much as its writer wishes: most blocks are shorter.
const BEGIN_BYTES: u64 = 1 << 20;

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
    Block { block: BlockId, writable: WritableBlock },
    UfsFile { ufs: Arc<dyn Ufs>, path: String, ownership: UfsOwnership, writer: Option<Box<dyn UfsWriter>> },
}

impl Sink {
    /// Begins to write.
    ///
    /// # Errors
    /// The block id is taken, there is no room, or the mount is not known.
    pub async fn begin(worker: &Worker, kind: Kind) -> Result<Sink, FsError> {
        let target = match kind {
            Kind::Block { block, reserve, pin } => {
                let writable = match worker.begin(block, reserve).await {
                    Err(error) if error.kind == ErrorKind::ResourceExhausted && reserve > BEGIN_BYTES => {
                        worker.begin(block, BEGIN_BYTES).await?
                    }
                    other => other?,
                };
                if pin {
                    worker.store.pin_early(container(block));
                }
                Target::Block { block, writable }
            }
            Kind::UfsFile(options) => {
                let path = options.ufs_path().to_owned();
                let ufs = worker.mounts.ufs(options.mount_id(), &path).await?;
                let ownership = UfsOwnership {
                    mode: u16::try_from(options.mode() & 0o777).unwrap_or(0o644),
                    owner: options.owner.unwrap_or_default(),
                    group: options.group.unwrap_or_default(),
                };
                Target::UfsFile { ufs, path, ownership, writer: None }
            }
        };
        Ok(Sink { position: 0, target })
    }

    /// How much is written.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// There is no room, or the file cannot be written. What is written is taken away.
    pub async fn write(self, worker: &Worker, bytes: Bytes) -> Result<Sink, FsError> {
        let position = self.position + bytes.len() as u64;
        let target = match self.target {
            Target::Block { block, mut writable } => {
                if position > writable.promised() {
                    writable = more_room(worker, writable, position).await?;
                }
                let written = blocking(move || writable.write(&bytes).map(|()| writable)).await?;
                Target::Block { block, writable: written? }
            }
            Target::UfsFile { ufs, path, ownership, writer } => {
                let mut writer = created(writer, ufs.as_ref(), &path, &ownership).await?;
                writer.write(bytes).await.map_err(ufs_failed)?;
                Target::UfsFile { ufs, path, ownership, writer: Some(writer) }
            }
        };
        Ok(Sink { position, target })
    }

    /// Ends it well: from now on it is there for everybody. The content hash of a file, if its UFS tells one.
    ///
    /// # Errors
    /// It cannot be moved to its place, the master refuses it, or the UFS fails. It is gone then.
    pub async fn commit(self, worker: &Worker) -> Result<Option<String>, FsError> {
        match self.target {
            Target::Block { block, writable } => worker.commit(writable, block).await.map(|()| None),
            Target::UfsFile { ufs, path, ownership, writer } => {
                let writer = created(writer, ufs.as_ref(), &path, &ownership).await?;
                writer.close().await.map_err(ufs_failed)?;
                // Without a hash the master does without.
                let status = ufs.status(&path).await.ok().flatten();
                Ok(status.map(|status| status.content_hash()))
            }
        }
    }
}

async fn more_room(worker: &Worker, writable: WritableBlock, position: u64) -> Result<WritableBlock, FsError> {
    let missing = position - writable.promised();
    let (writable, grown) = worker.grow(writable, missing.max(GROW_BYTES)).await?;
    if grown.is_ok() || missing >= GROW_BYTES {
        return grown.map(|()| writable);
    }
    let (writable, grown) = worker.grow(writable, missing).await?;
    grown.map(|()| writable)
}

/// The file, made with its first bytes or at its end.
async fn created(
    writer: Option<Box<dyn UfsWriter>>,
    ufs: &dyn Ufs,
    path: &str,
    ownership: &UfsOwnership,
) -> Result<Box<dyn UfsWriter>, FsError> {
    match writer {
        Some(writer) => Ok(writer),
        None => ufs.create(path, ownership).await.map_err(ufs_failed),
    }
}
