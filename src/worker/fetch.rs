//! A block on its way into the store, from the UFS or from another worker: one for each block, however many wait for it.
//! Readers follow it closely.

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use log::debug;
use tokio::sync::watch;

use super::blocks::{Worker, blocking};
use super::mounts::ufs_failed;
use super::primary::signed;
use super::store::{StoreError, WritableBlock, container};
use crate::proto::alluxio::proto::dataserver::OpenUfsBlockOptions;
use crate::rpc::block_reader::{BlockRead, BlockReader};
use crate::rpc::worker::{Worker as Peer, WorkerSettings};
use crate::types::{BlockId, ErrorKind, FsError, WorkerAddress};
use crate::ufs::{UfsErrorKind, UfsReader};

/// Bytes that are asked of the UFS at a time.
const PIECE_BYTES: usize = 1 << 20;

/// Where a block lies in the UFS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UfsBlock {
    /// The mount that the file belongs to.
    pub mount: i64,
    /// Where in the mount.
    pub place: UfsPlace,
    /// Its length.
    pub length: u64,
}

/// What a block is in the UFS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UfsPlace {
    /// A part of its file.
    PartOf {
        /// The file.
        path: String,
        /// Where the block begins in it.
        offset: u64,
    },
    /// A file of its own, because no worker could keep it.
    Alone(BlockId),
}

impl UfsBlock {
    /// Where these options say that the block is; none when they name no place.
    pub fn new(block: BlockId, options: &OpenUfsBlockOptions) -> Option<UfsBlock> {
        let place = match options.ufs_path.clone().filter(|path| !path.is_empty()) {
            Some(path) => UfsPlace::PartOf { path, offset: u64::try_from(options.offset_in_file()).ok()? },
            None if options.block_in_ufs_tier() => UfsPlace::Alone(block),
            None => return None,
        };
        Some(UfsBlock { mount: options.mount_id(), place, length: u64::try_from(options.block_size()).ok()? })
    }
}

/// From where a block is fetched.
#[derive(Debug, Clone)]
pub enum Origin {
    /// The UFS.
    Ufs(UfsBlock),
    /// Another worker that has a block of this length.
    Peer(WorkerAddress, u64),
}

/// Its bytes, in order.
enum Pieces {
    Ufs(Box<dyn UfsReader>),
    Peer(Box<BlockReader>),
}

impl Pieces {
    /// The next bytes; empty at the end.
    async fn next(&mut self, bytes_max: usize) -> Result<Bytes, FsError> {
        match self {
            Pieces::Ufs(reader) => reader.read(bytes_max).await.map_err(ufs_failed),
            Pieces::Peer(reader) => reader.next().await.map(Option::unwrap_or_default),
        }
    }
}

/// A block on its way.
#[derive(Debug)]
pub struct Fetch {
    progress: watch::Sender<Progress>,
}

/// How far it is.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// What has come, once it has a file.
    pub file: Option<Arc<File>>,
    /// How much that is.
    pub bytes: u64,
    /// How it ended for its readers.
    pub end: Option<End>,
    /// Nothing more will happen: the block is kept by now, or will not be.
    pub over: bool,
}

/// How it ended.
#[derive(Debug, Clone)]
pub enum End {
    /// All that the UFS has came; it is in the file.
    Came,
    /// It cannot be kept: read it without.
    NotKept,
    /// The UFS failed.
    Failed(FsError),
}

impl Fetch {
    /// Waits until `ready`.
    pub async fn wait_for(&self, ready: impl FnMut(&Progress) -> bool) -> Progress {
        let mut progress = self.progress.subscribe();
        // The sender is in `self`.
        progress.wait_for(ready).await.map_or_else(|_| Progress::default(), |progress| progress.clone())
    }
}

impl Worker {
    /// The fetch of a block, begun if nobody has yet. None when it is here meanwhile.
    pub fn fetch(self: &Arc<Self>, block: BlockId, from: Origin) -> Option<Arc<Fetch>> {
        let mut fetches = self.fetches.lock();
        if let Some(fetch) = fetches.get(&block) {
            return Some(Arc::clone(fetch));
        }
        // A fetch leaves the list after its block can be found.
        if self.store.has(block) {
            return None;
        }
        let fetch = Arc::new(Fetch { progress: watch::Sender::default() });
        fetches.insert(block, Arc::clone(&fetch));
        let (worker, running) = (Arc::clone(self), Arc::clone(&fetch));
        self.tasks.spawn(async move {
            let listed = Listed { worker: Arc::clone(&worker), block };
            let end = worker.run_fetch(block, &from, &running.progress).await;
            if !matches!(end, End::Came) {
                debug!("a block is not kept block={} from={from:?} end={end:?}", block.0);
            }
            running.progress.send_modify(|progress| {
                progress.end = Some(end);
                progress.over = true;
            });
            drop(listed);
        });
        Some(fetch)
    }

    async fn run_fetch(&self, block: BlockId, from: &Origin, progress: &watch::Sender<Progress>) -> End {
        let Ok(_permit) = self.fetch_room.try_acquire() else { return End::NotKept };
        let opened = match from {
            Origin::Ufs(ufs) => self.open_ufs(ufs, 0).await.map(|reader| (Pieces::Ufs(reader), ufs.length)),
            Origin::Peer(peer, length) => self.open_peer(block, peer, *length).await.map(|reader| (reader, *length)),
        };
        let (mut pieces, length) = match opened {
            Ok(opened) => opened,
            Err(error) => return End::Failed(error),
        };
        let Ok(mut writable) = self.begin(block, length).await else { return End::NotKept };
        let Ok(file) = writable.reader() else { return End::NotKept };
        progress.send_modify(|progress| progress.file = Some(Arc::new(file)));
        let mut bytes = 0;
        while bytes < length {
            let wanted = PIECE_BYTES.min(usize::try_from(length - bytes).unwrap_or(PIECE_BYTES));
            let piece = match pieces.next(wanted).await {
                // The file has become shorter: readers get what there is, and nobody takes it for the block.
                Ok(piece) if piece.is_empty() => return End::Came,
                Ok(piece) => piece,
                Err(error) => return End::Failed(error),
            };
            bytes += piece.len() as u64;
            if let Pieces::Ufs(_) = pieces {
                self.store.counters().bytes_read_ufs.inc_by(piece.len() as u64);
            }
            writable = match written(writable, piece).await {
                Ok(writable) => writable,
                Err(error) => {
                    log::warn!("cannot keep a block block={} error={error}", block.0);
                    return End::NotKept;
                }
            };
            progress.send_modify(|progress| progress.bytes = bytes);
        }
        // Readers have all they want; whether the master takes note is not their concern.
        progress.send_modify(|progress| progress.end = Some(End::Came));
        if let Err(error) = self.commit(writable, block).await {
            log::warn!("cannot keep a block block={} error={error}", block.0);
        } else if matches!(from, Origin::Ufs(UfsBlock { place: UfsPlace::PartOf { .. }, .. })) {
            // All of its file is in the UFS.
            self.store.judge(container(block), true);
        }
        End::Came
    }

    async fn open_peer(&self, block: BlockId, peer: &WorkerAddress, length: u64) -> Result<Pieces, FsError> {
        let settings = WorkerSettings { channel: self.channel.clone(), ..WorkerSettings::default() };
        let peer = Peer::connect(peer, &settings).await?;
        let read = BlockRead {
            id: block,
            offset: 0,
            length: signed(length),
            chunk_bytes: PIECE_BYTES as i64,
            promote: false,
            ufs: None,
        };
        Ok(Pieces::Peer(Box::new(BlockReader::open(&peer, &read))))
    }

    /// Opens the UFS at byte `at` of a block.
    ///
    /// # Errors
    /// There is no such mount or file, or the UFS does not answer.
    pub async fn open_ufs(&self, block: &UfsBlock, at: u64) -> Result<Box<dyn UfsReader>, FsError> {
        match &block.place {
            UfsPlace::PartOf { path, offset } => {
                let ufs = self.mounts.ufs(block.mount, path).await?;
                ufs.open(path, offset + at).await.map_err(ufs_failed)
            }
            UfsPlace::Alone(id) => {
                let path = self.mounts.block(block.mount, *id).await?;
                let ufs = self.mounts.ufs(block.mount, &path).await?;
                ufs.open(&path, at).await.map_err(|error| match error.kind {
                    UfsErrorKind::NotFound => StoreError::NoBlock(*id).into(),
                    _ => ufs_failed(error),
                })
            }
        }
    }
}

async fn written(mut writable: WritableBlock, piece: Bytes) -> Result<WritableBlock, FsError> {
    blocking(move || writable.write(&piece).map(|()| writable)).await?.map_err(FsError::from)
}

/// A fetch's place in the list.
struct Listed {
    worker: Arc<Worker>,
    block: BlockId,
}

impl Drop for Listed {
    fn drop(&mut self) {
        let fetch = self.worker.fetches.lock().remove(&self.block);
        if let Some(fetch) = fetch {
            // Aborted in the middle, when the worker ends: nobody must wait for more.
            let ended = || FsError::new(ErrorKind::Unavailable, "This worker is stopping.");
            fetch.progress.send_if_modified(|progress| {
                let open = !progress.over;
                progress.end.get_or_insert_with(|| End::Failed(ended()));
                progress.over = true;
                open
            });
        }
    }
}
