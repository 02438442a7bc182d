//! The blocks of a worker as files. Every call but those on the catalog's numbers blocks: call it on a thread for that.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log::{info, warn};
use parking_lot::Mutex;
use tokio::sync::watch;

use super::catalog::{Catalog, Change, Room, Taken};
use super::error::StoreError;
use super::folder::{Folder, Opened};
use super::plan::{Fill, Placement};
use crate::metrics::WorkerCounters;
use crate::process::{SAYS, tell};
use crate::types::BlockId;

/// One directory of the store.
#[derive(Debug, Clone)]
pub struct DirectorySettings {
    /// Number of its tier, 0 at the top.
    pub tier: usize,
    /// Where it is.
    pub path: PathBuf,
    /// Bytes that may lie in it.
    pub capacity_bytes: u64,
}

/// What a store is made of.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Names of the tiers from the top, as `MEM`.
    pub tier_aliases: Vec<String>,
    /// The directories.
    pub directories: Vec<DirectorySettings>,
    /// Name of the worker's folder in each of them.
    pub data_folder: String,
    /// The host of the worker, for messages.
    pub worker: String,
}

/// See the module text.
#[derive(Debug)]
pub struct BlockStore {
    settings: StoreSettings,
    /// One for each directory.
    folders: Vec<Folder>,
    /// Keep other workers out of them.
    _claims: Vec<File>,
    catalog: Mutex<Catalog>,
    /// Tells that there are changes.
    news: watch::Sender<()>,
    /// What this worker has done. Shared with those who count elsewhere.
    counters: Arc<WorkerCounters>,
}

/// What came of a wish for room for a block that is to be written.
#[derive(Debug)]
pub enum Begun {
    /// It may be written.
    Block(WritableBlock),
    /// These files (by their containers) must be looked up first, see [`BlockStore::judge`].
    Ask(Vec<i64>),
}

/// What came of a wish for more room.
#[derive(Debug, PartialEq, Eq)]
pub enum Grown {
    /// There is more.
    Yes,
    /// These files (by their containers) must be looked up first, see [`BlockStore::judge`].
    Ask(Vec<i64>),
}

impl BlockStore {
    /// Takes up the blocks that lie in the directories; deletes what earlier sessions left.
    ///
    /// # Errors
    /// A directory cannot be used.
    pub fn open(settings: StoreSettings) -> Result<Arc<BlockStore>, StoreError> {
        let fills = settings.directories.iter().map(|directory| Fill {
            tier: directory.tier,
            capacity: directory.capacity_bytes,
            used: 0,
        });
        let mut catalog = Catalog::new(fills.collect());
        let folders: Vec<_> =
            settings.directories.iter().map(|d| Folder::new(&d.path, &settings.data_folder)).collect();
        let mut claims = Vec::new();
        for (number, folder) in folders.iter().enumerate() {
            let Opened { claim, blocks } =
                folder.open().map_err(|source| StoreError::file("use the folder", folder.directory(), source))?;
            claims.extend(claim);
            for (block, bytes) in blocks {
                if !catalog.found(block, number, bytes) {
                    warn!(
                        "a block lies in two directories, the second is not used path={}",
                        folder.block(block).display()
                    );
                }
            }
            let Fill { used, capacity, .. } = catalog.fills()[number];
            info!(
                "opened folder={} blocks={} used={used} capacity={capacity}",
                folder.directory().display(),
                catalog.len()
            );
            if let Some(whole) = folder.file_system_bytes().filter(|whole| *whole < capacity) {
                let small = format!(
                    "the file system of {} has {whole} bytes, less than the {capacity} of \
                     alluxio.worker.ramdisk.size (ALLUXIO_WORKER_MEMORY_SIZE): writes will fail when it is full",
                    folder.directory().display()
                );
                warn!("{small}");
                tell(&format!("{SAYS}{small}"));
            }
        }
        Ok(Arc::new(BlockStore {
            settings,
            folders,
            _claims: claims,
            catalog: Mutex::new(catalog),
            news: watch::Sender::new(()),
            counters: Arc::default(),
        }))
    }

    /// What it is made of.
    pub fn settings(&self) -> &StoreSettings {
        &self.settings
    }

    /// What this worker has done.
    pub fn counters(&self) -> &Arc<WorkerCounters> {
        &self.counters
    }

    /// How many blocks there are.
    pub fn block_count(&self) -> usize {
        self.catalog.lock().len()
    }

    /// Bytes that the tiers may hold, and bytes that they do, from the top.
    pub fn usage(&self) -> Vec<(u64, u64)> {
        let mut usage = vec![(0, 0); self.settings.tier_aliases.len()];
        for Fill { tier, capacity, used } in self.catalog.lock().fills() {
            usage[*tier].0 += capacity;
            usage[*tier].1 += used;
        }
        usage
    }

    /// The same of all tiers together.
    pub fn usage_of_all(&self) -> (u64, u64) {
        self.usage().iter().fold((0, 0), |sum, tier| (sum.0 + tier.0, sum.1 + tier.1))
    }

    /// Bytes that each directory may hold, and bytes that it does, in the order of the settings.
    pub fn usage_of_directories(&self) -> Vec<(u64, u64)> {
        self.catalog.lock().fills().iter().map(|fill| (fill.capacity, fill.used)).collect()
    }

    /// The tier of a directory.
    pub fn tier_of(&self, directory: usize) -> usize {
        self.settings.directories[directory].tier
    }

    /// All blocks with their directories, and the number of the change that comes next.
    pub fn report(&self) -> (Vec<(BlockId, usize)>, u64) {
        self.catalog.lock().report()
    }

    /// Tells that there are changes.
    pub fn news(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// The changes from number `from` on, at most `max`, and the number after them; none if some are forgotten.
    pub fn changes(&self, from: u64, max: usize) -> Option<(Vec<Change>, u64)> {
        self.catalog.lock().changes(from, max)
    }

    /// A list of pinned files is going to be asked for; its number.
    pub fn pins_asked(&self) -> u64 {
        self.catalog.lock().list_asked()
    }

    /// The list of that number: containers of the files that must stay.
    pub fn pins_listed(&self, list: u64, pinned: BTreeSet<i64>) {
        self.catalog.lock().listed(list, pinned);
    }

    /// Keeps the blocks of a file until a list of pins that is asked for later says otherwise.
    pub fn pin_early(&self, file: i64) {
        self.catalog.lock().pin_early(file);
    }

    /// What the master says of a file: whether its blocks may go.
    pub fn judge(&self, file: i64, expendable: bool) {
        let mut catalog = self.catalog.lock();
        if expendable { catalog.is_expendable(file) } else { catalog.is_needed(file) }
    }

    /// Begins to write a block for which there must be room for `bytes`.
    ///
    /// # Errors
    /// The id is taken, there is no room, or the file cannot be made.
    pub fn begin(self: &Arc<Self>, session: u64, block: BlockId, bytes: u64) -> Result<Begun, StoreError> {
        let room = self.catalog.lock().begin(block, bytes);
        let placement = match room {
            Ok(Room::Given(placement)) => placement,
            Ok(Room::Ask(files)) => return Ok(Begun::Ask(files)),
            Ok(Room::None) => return Err(self.no_room(block, bytes)),
            Err(Taken::Writing) => return Err(StoreError::Writing(block)),
            Err(Taken::Block) => return Err(StoreError::Exists(block)),
        };
        self.delete_evicted(&placement);
        let folder = &self.folders[placement.directory];
        let path = folder.writing(session, block);
        match folder.create(&path) {
            Ok(file) => {
                let store = Arc::clone(self);
                let directory = placement.directory;
                Ok(Begun::Block(WritableBlock { store, block, directory, path, file, promised: bytes, open: true }))
            }
            Err(source) => {
                self.catalog.lock().abort(block);
                Err(StoreError::file("create the block file", &path, source))
            }
        }
    }

    fn no_room(&self, block: BlockId, bytes: u64) -> StoreError {
        let (capacity, used) = self.usage().into_iter().fold((0, 0), |sum, tier| (sum.0 + tier.0, sum.1 + tier.1));
        StoreError::NoRoom { worker: self.settings.worker.clone(), block, bytes, used, capacity }
    }

    fn delete_evicted(&self, placement: &Placement) {
        for block in &placement.evict {
            self.counters.blocks_evicted.inc();
            self.delete(*block, placement.directory);
        }
    }

    /// Deletes the file of a block that is gone for the catalog.
    fn delete(&self, block: BlockId, directory: usize) {
        let path = self.folders[directory].block(block);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                warn!(
                    "cannot delete a block, its room is lost until the worker restarts path={} error={error}",
                    path.display()
                );
            }
            _ => {}
        }
        self.catalog.lock().deleted(block);
    }

    /// Opens a block for reading. It stays until the reader is dropped.
    ///
    /// # Errors
    /// It is not here, or its file cannot be read.
    pub fn read(self: &Arc<Self>, block: BlockId) -> Result<ReadableBlock, StoreError> {
        let (directory, length) = self.catalog.lock().lock(block).ok_or(StoreError::NoBlock(block))?;
        let path = self.folders[directory].block(block);
        let lock = BlockLock { store: Arc::clone(self), block };
        let opened = File::open(&path).and_then(|file| file.metadata().map(|meta| (file, meta.len())));
        match opened {
            Ok((file, found)) if found == length => {
                self.counters.blocks_accessed.inc();
                Ok(ReadableBlock { path, file, length, _lock: lock })
            }
            Ok((_, found)) => {
                warn!("a block file has another length path={} expected={length} found={found}", path.display());
                drop(lock);
                self.remove(block);
                Err(StoreError::NoBlock(block))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                warn!("a block file has vanished path={}", path.display());
                drop(lock);
                self.remove(block);
                Err(StoreError::NoBlock(block))
            }
            Err(source) => Err(StoreError::file("open the block file", &path, source)),
        }
    }

    /// Whether there is such a block.
    pub fn has(&self, block: BlockId) -> bool {
        self.catalog.lock().has(block)
    }

    /// Drops a block, at once or with its last reader. False if there is none.
    pub fn remove(&self, block: BlockId) -> bool {
        let removed = self.catalog.lock().remove(block);
        if let Some(Some(directory)) = removed {
            self.delete(block, directory);
        }
        self.news.send_replace(());
        if removed.is_some() {
            self.counters.blocks_deleted.inc();
        }
        removed.is_some()
    }

    /// Drops all blocks.
    pub fn remove_all(&self) {
        let (blocks, _) = self.report();
        for (block, _) in blocks {
            self.remove(block);
        }
    }
}

/// Keeps a block where it is.
#[derive(Debug)]
struct BlockLock {
    store: Arc<BlockStore>,
    block: BlockId,
}

impl Drop for BlockLock {
    fn drop(&mut self) {
        let going = self.store.catalog.lock().unlock(self.block);
        if let Some(directory) = going {
            self.store.delete(self.block, directory);
        }
    }
}

/// A block that is read.
#[derive(Debug)]
pub struct ReadableBlock {
    /// Where it lies.
    pub path: PathBuf,
    /// Its file.
    pub file: File,
    /// Its length.
    pub length: u64,
    _lock: BlockLock,
}

/// A block that is written. Dropped without `commit`, it is deleted.
#[derive(Debug)]
pub struct WritableBlock {
    store: Arc<BlockStore>,
    block: BlockId,
    directory: usize,
    path: PathBuf,
    /// At its end.
    file: File,
    promised: u64,
    /// Neither committed nor aborted.
    open: bool,
}

impl WritableBlock {
    /// Where a local client may write it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A second handle to what is written.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn reader(&self) -> Result<File, StoreError> {
        File::open(&self.path).map_err(|source| StoreError::file("open the block file", &self.path, source))
    }

    /// Bytes that its file has.
    ///
    /// # Errors
    /// The file has vanished.
    pub fn length(&self) -> Result<u64, StoreError> {
        let found = self.file.metadata();
        found.map(|meta| meta.len()).map_err(|source| StoreError::file("look at the block file", &self.path, source))
    }

    /// The number of its directory.
    pub fn directory(&self) -> usize {
        self.directory
    }

    /// Bytes that it may have.
    pub fn promised(&self) -> u64 {
        self.promised
    }

    /// Asks for room for `more` bytes.
    ///
    /// # Errors
    /// There is none.
    pub fn grow(&mut self, more: u64) -> Result<Grown, StoreError> {
        let room = self.store.catalog.lock().grow(self.block, more);
        match room {
            Room::Given(placement) => {
                self.store.delete_evicted(&placement);
                self.promised += more;
                Ok(Grown::Yes)
            }
            Room::Ask(files) => Ok(Grown::Ask(files)),
            Room::None => Err(self.store.no_room(self.block, more)),
        }
    }

    /// Adds bytes, for which there must be room.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.write_all(bytes).map_err(|source| StoreError::file("write the block file", &self.path, source))
    }

    /// Moves the block to its place. Nobody finds it before [`PlacedBlock::publish`].
    ///
    /// # Errors
    /// The file is not what it should be, or cannot be moved.
    pub fn place(mut self) -> Result<PlacedBlock, StoreError> {
        let failed = |path: &Path, source| StoreError::file("commit the block file", path, source);
        let meta = std::fs::symlink_metadata(&self.path).map_err(|source| failed(&self.path, source))?;
        if !meta.is_file() {
            return Err(failed(&self.path, std::io::Error::other("it is not a file any more")));
        }
        let path = self.store.folders[self.directory].block(self.block);
        std::fs::rename(&self.path, &path).map_err(|source| failed(&self.path, source))?;
        self.path = path;
        Ok(PlacedBlock { block: self, length: meta.len() })
    }
}

impl Drop for WritableBlock {
    fn drop(&mut self) {
        if self.open {
            match std::fs::remove_file(&self.path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    warn!("cannot delete a block that was given up path={} error={error}", self.path.display());
                }
                _ => {}
            }
            self.store.catalog.lock().abort(self.block);
            self.store.counters.blocks_canceled.inc();
        }
    }
}

/// A block in its place that is still nobody's. Dropped without `publish`, it is deleted.
#[derive(Debug)]
pub struct PlacedBlock {
    block: WritableBlock,
    length: u64,
}

impl PlacedBlock {
    /// Its length.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// The number of its directory.
    pub fn directory(&self) -> usize {
        self.block.directory
    }

    /// Deletes it again. Masters hear that it is not here: one may know it whose answer was lost.
    pub fn give_up(self) {
        self.block.store.catalog.lock().withdraw(self.block.block);
        let news = Arc::clone(&self.block.store);
        drop(self);
        news.news.send_replace(());
    }

    /// Lets readers find it, and masters hear of it.
    pub fn publish(mut self) {
        self.block.open = false;
        self.block.store.catalog.lock().commit(self.block.block, self.length);
        self.block.store.counters.blocks_cached.inc();
        self.block.store.news.send_replace(());
    }
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
