//! Blocks come and go: room is made for them, they are committed here and at the master.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::fetch::Fetch;
use super::mounts::Mounts;
use super::primary::{Committed, PrimaryMaster};
use super::store::{Begun, BlockStore, Grown, PlacedBlock, WritableBlock};
use super::tasks::Tasks;
use crate::rpc::channel::ChannelSettings;
use crate::types::time::{Boot, boot_now};
use crate::types::{BlockId, ErrorKind, FsError, WorkerAddress};

/// How long it is asked which files may go before a wish for room is refused
/// (2.9: `alluxio.worker.free.space.timeout`).
const FREE_SPACE_LIMIT: Duration = Duration::from_secs(10);

/// How long what a local client has written is kept for it after there was no more room; it goes on at once.
const LEFT_FOR: Duration = Duration::from_secs(60);

/// Blocks that are fetched from the UFS at a time; more are read through without being kept.
const FETCHES_MAX: usize = 64;

/// What the calls of a worker share.
#[derive(Debug)]
pub struct Worker {
    /// Where it is reached.
    pub address: WorkerAddress,
    /// As whom it asks other workers.
    pub channel: ChannelSettings,
    /// Its blocks.
    pub store: Arc<BlockStore>,
    /// Who knows the files.
    pub primary: Arc<PrimaryMaster>,
    /// What is below them.
    pub mounts: Mounts,
    /// What it has begun.
    pub tasks: Arc<Tasks>,
    /// What local clients have begun and want to go on with in the UFS, and until when it is kept for them.
    left: Mutex<BTreeMap<BlockId, (Boot, WritableBlock)>>,
    /// Blocks that are fetched now.
    pub(super) fetches: Mutex<BTreeMap<BlockId, Arc<Fetch>>>,
    /// How many more may be.
    pub(super) fetch_room: Arc<Semaphore>,
}

impl Worker {
    /// A worker that serves nothing yet.
    pub fn new(
        address: WorkerAddress,
        channel: ChannelSettings,
        store: Arc<BlockStore>,
        primary: Arc<PrimaryMaster>,
        mounts: Mounts,
    ) -> Worker {
        Worker {
            address,
            channel,
            store,
            primary,
            mounts,
            tasks: Arc::default(),
            left: Mutex::default(),
            fetches: Mutex::default(),
            fetch_room: Arc::new(Semaphore::new(FETCHES_MAX)),
        }
    }

    /// Begins to write a block with room for `bytes`; what may go for it is found out.
    ///
    /// # Errors
    /// The id is taken, there is no room, the file cannot be made, or the master cannot be asked.
    pub async fn begin(&self, block: BlockId, bytes: u64) -> Result<WritableBlock, FsError> {
        let session = rand::random::<u64>() >> 1;
        let end = boot_now() + FREE_SPACE_LIMIT;
        loop {
            let store = Arc::clone(&self.store);
            match blocking(move || store.begin(session, block, bytes)).await?? {
                Begun::Block(writable) => return Ok(writable),
                Begun::Ask(_) if boot_now() > end => return Err(too_slow()),
                Begun::Ask(files) => self.judge(files).await?,
            }
        }
    }

    /// Asks for room for `more` bytes of a block. It comes back with the outcome.
    ///
    /// # Errors
    /// There is no room, or the master cannot be asked.
    pub async fn grow(
        &self,
        mut block: WritableBlock,
        more: u64,
    ) -> Result<(WritableBlock, Result<(), FsError>), FsError> {
        let end = boot_now() + FREE_SPACE_LIMIT;
        loop {
            let (same, grown) = blocking(move || {
                let grown = block.grow(more);
                (block, grown)
            })
            .await?;
            block = same;
            match grown {
                Ok(Grown::Yes) => return Ok((block, Ok(()))),
                Ok(Grown::Ask(_)) if boot_now() > end => return Ok((block, Err(too_slow()))),
                Ok(Grown::Ask(files)) => self.judge(files).await?,
                Err(error) => return Ok((block, Err(error.into()))),
            }
        }
    }

    /// Keeps what was written of a block for a while, for the client that goes on with it in the UFS.
    pub fn leave(self: &Arc<Self>, block: BlockId, writable: WritableBlock) {
        let until = boot_now() + LEFT_FOR;
        // Another one by this id had to be gone before this one could be begun.
        self.left.lock().insert(block, (until, writable));
        let worker = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::time::sleep(LEFT_FOR).await;
            let forgotten = worker.forget_left(block, until);
            // It cannot fail: this deletes a file, or warns.
            let _ = blocking(move || drop(forgotten)).await;
        });
    }

    fn forget_left(&self, block: BlockId, until: Boot) -> Option<(Boot, WritableBlock)> {
        let mut left = self.left.lock();
        let is_over = left.get(&block).is_some_and(|(end, _)| *end == until);
        if is_over { left.remove(&block) } else { None }
    }

    /// What was left of a block.
    ///
    /// # Errors
    /// There is nothing, or not any more.
    pub fn take_left(&self, block: BlockId) -> Result<WritableBlock, FsError> {
        let gone = || {
            let text = format!("nothing that was written of block {block} is left to be continued in the UFS");
            FsError::new(ErrorKind::NotFound, text)
        };
        self.left.lock().remove(&block).map(|(_, writable)| writable).ok_or_else(gone)
    }

    async fn judge(&self, files: Vec<i64>) -> Result<(), FsError> {
        for file in files {
            let expendable = self.primary.is_expendable(file).await?;
            self.store.judge(file, expendable);
        }
        Ok(())
    }

    /// Moves a block to its place, tells the primary, and then lets readers find it: a block is never reported by a
    /// heartbeat before the primary knows it, because a primary has unknown blocks dropped. Gives its length.
    ///
    /// # Errors
    /// The file cannot be moved, or the primary refuses or is not to be found. The block is gone then.
    pub async fn commit(&self, writable: WritableBlock, block: BlockId) -> Result<u64, FsError> {
        let placed: PlacedBlock = blocking(move || writable.place()).await??;
        let tier = self.store.tier_of(placed.directory());
        let committed = Committed {
            block,
            length: placed.length(),
            tier_alias: self.store.settings().tier_aliases[tier].clone(),
            used_on_tier: self.store.usage()[tier].1,
        };
        match self.primary.commit_block(&committed).await {
            Ok(()) => {
                placed.publish();
                Ok(committed.length)
            }
            Err(error) => {
                blocking(move || placed.give_up()).await?;
                // Compatible: 2.9 FAILED_COMMIT_BLOCK_TO_MASTER.
                let text = format!("Failed to commit block with blockId {} to master: {error}", block.0);
                Err(FsError::new(error.kind, text))
            }
        }
    }
}

fn too_slow() -> FsError {
    let text =
        format!("could not find out within {} s which blocks may be evicted to make room", FREE_SPACE_LIMIT.as_secs());
    FsError::new(ErrorKind::ResourceExhausted, text)
}

/// Runs `work` on a thread that may block.
///
/// # Errors
/// It panicked, or the worker ends.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, FsError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| FsError::new(ErrorKind::Internal, format!("a thread for files failed: {error}")))
}
