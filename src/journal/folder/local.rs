//! The journal folder on a local disk, for one master alone.
//!
//! The lock on `LOCK` stands for election and fencing: the kernel frees it when its holder dies, so whoever has it is
//! the only writer, and nobody need be cut off. A file knows no "closed" state: its length is always an open one.
//! Blocking calls run on tokio's threads for them; each ends within the deadline for its caller.

use super::chunks::{Chunks, Sum};
use super::layout::{self, CHECKPOINTS, EPOCHS, FORMAT};
use super::local_folder::{self, missing_is_fine};
use super::{
    CheckpointId, Flushed, Format, JournalFile, JournalStore, Length, Listing, Recovery, SegmentId, SegmentWriter,
    StoreError, Usage, Written,
};
use crate::types::SequenceNumber;
use async_trait::async_trait;
use bytes::Bytes;
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::future::ready;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const LOCK: &str = "LOCK";
/// How long a checkpoint may take, which can be many gigabytes.
const CHECKPOINT_DEADLINE: Duration = Duration::from_secs(20 * 60);

type Result<T> = std::result::Result<T, StoreError>;

/// A folder on a local disk and how to use it.
#[derive(Debug, Clone)]
pub struct LocalSettings {
    /// The folder.
    pub folder: PathBuf,
    /// A call that takes longer has failed for its caller; a flush that does ends the segment.
    pub deadline: Duration,
    /// The most that a segment holds.
    pub segment_bytes: u64,
}

impl LocalSettings {
    /// The folder with the usual limits.
    pub fn new(folder: impl Into<PathBuf>) -> LocalSettings {
        LocalSettings { folder: folder.into(), deadline: Duration::from_secs(30), segment_bytes: 64 << 20 }
    }
}

/// What to do about a folder that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingFolder {
    /// Make it: it is about to be formatted.
    Make,
    /// `NotFound`: nothing was formatted there.
    Refuse,
}

/// The right to write to a local journal folder, held until this is dropped or the process dies.
///
/// The descriptor closes on exec. A child made by fork alone would hold the lock as well, beyond its parent's death.
#[derive(Debug)]
pub struct LocalLock {
    _file: File,
    /// The folder itself, so that whoever deletes LOCK lets nobody else in; none where folders cannot be locked.
    _folder: Option<File>,
}

impl LocalLock {
    /// Takes the lock, or says at once that another process has it.
    pub fn acquire(folder: &Path, missing: MissingFolder) -> Result<LocalLock> {
        let failed = |e: io::Error| store_error("lock", folder, &e);
        if missing == MissingFolder::Make {
            std::fs::create_dir_all(folder).map_err(failed)?;
        } else {
            local_folder::refuse_no_folder(folder).map_err(failed)?;
        }
        let path = folder.join(LOCK);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|e| store_error("lock", &path, &e))?;
        let in_use = || StoreError::Unavailable {
            operation: "lock",
            object: format!("journal folder {}", folder.display()),
            reason: "another process uses it; stop that one, or configure another folder".into(),
        };
        let own = File::open(folder).map_err(failed)?;
        let folder_lock = match rustix::fs::flock(&own, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Some(own),
            Err(Errno::WOULDBLOCK) => return Err(in_use()),
            Err(_) => None,
        };
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(LocalLock { _file: file, _folder: folder_lock }),
            Err(Errno::WOULDBLOCK) => Err(in_use()),
            Err(e) => Err(failed(e.into())),
        }
    }
}

/// A journal folder on a local disk. Who writes holds its [`LocalLock`].
#[derive(Debug, Clone)]
pub struct LocalStore {
    settings: LocalSettings,
}

impl LocalStore {
    /// Touches nothing yet.
    pub fn new(settings: LocalSettings) -> LocalStore {
        LocalStore { settings }
    }

    fn path(&self, name: impl std::fmt::Display) -> PathBuf {
        self.settings.folder.join(name.to_string())
    }

    /// Runs blocking work on the thread that is there for it; the error names `path`.
    async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        path: &Path,
        work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
    ) -> Result<T> {
        blocking(self.settings.deadline, operation, path, work).await
    }
}

/// A call that is given up goes on alone: what it does may still take effect.
async fn blocking<T: Send + 'static>(
    deadline: Duration,
    operation: &'static str,
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T> {
    let owned = path.to_path_buf();
    let task = tokio::task::spawn_blocking(move || work(&owned));
    let failed = |reason: String| StoreError::Unavailable { operation, object: path.display().to_string(), reason };
    match tokio::time::timeout(deadline, task).await {
        Ok(Ok(result)) => result.map_err(|e| store_error(operation, path, &e)),
        Ok(Err(e)) => Err(failed(e.to_string())),
        Err(_) => Err(failed(format!("the disk did not answer within {} ms", deadline.as_millis()))),
    }
}

fn store_error(operation: &'static str, path: &Path, error: &io::Error) -> StoreError {
    let object = path.display().to_string();
    let reason = error.to_string();
    match error.kind() {
        ErrorKind::NotFound => StoreError::NotFound { object },
        ErrorKind::AlreadyExists => StoreError::Exists { object },
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StoreError::Denied { object, reason },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full { object, reason },
        _ => StoreError::Unavailable { operation, object, reason },
    }
}

/// A name is durable when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn parent(path: &Path) -> &Path {
    path.parent().expect("names in the journal folder have a parent")
}

fn make_folder(path: &Path) -> io::Result<()> {
    match std::fs::create_dir(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| sync_folder(parent(path))),
    }
}

/// Makes the folder of the epoch, and never one above it.
fn create(path: &Path) -> io::Result<File> {
    make_folder(parent(path))?;
    let file = OpenOptions::new().create_new(true).write(true).open(path)?;
    sync_folder(parent(path))?;
    Ok(file)
}

fn delete_segment(path: &Path) -> io::Result<()> {
    missing_is_fine(std::fs::remove_file(path))?;
    match std::fs::remove_dir(parent(path)) {
        Err(e) if e.kind() == ErrorKind::DirectoryNotEmpty => Ok(()),
        result => missing_is_fine(result),
    }
}

/// A link never replaces what stands under the name.
fn set_aside(path: &Path, target: &Path) -> io::Result<()> {
    std::fs::create_dir_all(parent(target))?;
    std::fs::hard_link(path, target)?;
    sync_folder(parent(target))?;
    std::fs::remove_file(path)?;
    sync_folder(parent(path))
}

fn write_durably(path: &Path, content: Vec<Bytes>) -> io::Result<Vec<Sum>> {
    let mut file = File::create(path)?;
    let mut chunks = Chunks::new(content);
    for chunk in chunks.by_ref() {
        file.write_all(&chunk)?;
        // Bit by bit: the flushes of the journal, on the same disk, would wait for all of it.
        file.sync_data()?;
    }
    file.sync_all()?;
    Ok(chunks.sums())
}

fn verify(path: &Path, written: &[Sum]) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut read = Vec::new();
    for sum in written {
        read.resize(sum.bytes, 0);
        file.read_exact(&mut read)?;
        if !sum.is_of(&read) {
            return Err(io::Error::other("what was written is not what is read"));
        }
    }
    match file.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(io::Error::other("the file is longer than what was written")),
    }
}

/// A link never replaces what stands under the name, on every file system that has links.
fn write_checkpoint(temporary: &Path, path: &Path, content: Vec<Bytes>) -> io::Result<Written> {
    let written = write_durably(temporary, content)
        .and_then(|sums| verify(temporary, &sums))
        .and_then(|()| std::fs::hard_link(temporary, path));
    missing_is_fine(std::fs::remove_file(temporary))?;
    match written {
        Ok(()) => sync_folder(parent(path)).map(|()| Written::New),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(Written::Existed),
        Err(e) => Err(e),
    }
}

fn write_format(folder: &Path, text: Vec<Bytes>) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    make_folder(&folder.join(EPOCHS))?;
    make_folder(&folder.join(CHECKPOINTS))?;
    let temporary = folder.join(format!("{FORMAT}.tmp"));
    write_durably(&temporary, text)?;
    std::fs::rename(&temporary, folder.join(FORMAT))?;
    sync_folder(folder)
}

fn probe(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().create_new(true).write(true).open(path)?;
    let written = file.write_all(&layout::PROBE).and_then(|()| file.sync_all());
    std::fs::remove_file(path)?;
    written
}

#[async_trait]
impl JournalStore for LocalStore {
    fn describe(&self) -> String {
        self.settings.folder.display().to_string()
    }

    async fn read_format(&self) -> Result<Option<Format>> {
        let path = self.path(FORMAT);
        let read = |path: &Path| {
            local_folder::refuse_no_file(path)?;
            std::fs::read(path)
        };
        match self.run("read", &path, read).await {
            Ok(text) => layout::decode_format(&text, &path.display().to_string()).map(Some),
            Err(StoreError::NotFound { .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    async fn write_format(&self, format: &Format) -> Result<()> {
        let text = vec![Bytes::from(layout::encode_format(format))];
        self.run("format", &self.settings.folder, move |folder| write_format(folder, text)).await
    }

    async fn probe(&self, writer: &str) -> Result<()> {
        let path = self.path(layout::probe(writer));
        self.run("write", &path, probe).await
    }

    async fn list(&self) -> Result<Listing> {
        self.run("list", &self.settings.folder, local_folder::list).await
    }

    async fn usage(&self) -> Result<Usage> {
        self.run("list", &self.settings.folder, local_folder::usage).await
    }

    async fn create(&self, segment: SegmentId) -> Result<Box<dyn SegmentWriter>> {
        let path = self.path(segment);
        let file = Some(Arc::new(self.run("create", &path, create).await?));
        Ok(Box::new(LocalSegment {
            file,
            path,
            deadline: self.settings.deadline,
            room: self.settings.segment_bytes,
            written: 0,
        }))
    }

    async fn length(&self, segment: SegmentId) -> Result<Length> {
        let metadata = self.run("read", &self.path(segment), |path| std::fs::metadata(path)).await?;
        Ok(Length::Open(metadata.len()))
    }

    async fn read(&self, segment: SegmentId, offset: u64, bytes: u64) -> Result<Bytes> {
        let read = move |path: &Path| {
            let file = File::open(path)?;
            let has = file.metadata()?.len();
            if offset + bytes > has {
                return Err(io::Error::other(format!("bytes up to {} of {has} are asked for", offset + bytes)));
            }
            let mut content = vec![0; bytes as usize];
            file.read_exact_at(&mut content, offset)?;
            Ok(Bytes::from(content))
        };
        self.run("read", &self.path(segment), read).await
    }

    async fn recover(&self, segment: SegmentId) -> Result<Recovery> {
        // Whoever wrote it before is gone: the caller holds the lock.
        self.length(segment).await.map(|_| Recovery::Done)
    }

    async fn delete_segment(&self, segment: SegmentId) -> Result<()> {
        self.run("delete", &self.path(segment), delete_segment).await
    }

    async fn write_checkpoint(&self, id: CheckpointId, writer: &str, content: Vec<Bytes>) -> Result<Written> {
        let temporary = self.path(layout::temporary(id, writer));
        let write = move |path: &Path| write_checkpoint(&temporary, path, content);
        blocking(CHECKPOINT_DEADLINE, "write", &self.path(id), write).await
    }

    async fn read_checkpoint(&self, id: CheckpointId) -> Result<Bytes> {
        blocking(CHECKPOINT_DEADLINE, "read", &self.path(id), |path| std::fs::read(path).map(Bytes::from)).await
    }

    async fn read_checkpoint_start(&self, id: CheckpointId, bytes: u64) -> Result<Bytes> {
        let read = move |path: &Path| {
            let mut start = Vec::new();
            File::open(path)?.take(bytes).read_to_end(&mut start)?;
            Ok(Bytes::from(start))
        };
        self.run("read", &self.path(id), read).await
    }

    async fn delete_checkpoint(&self, id: CheckpointId) -> Result<()> {
        self.run("delete", &self.path(id), |path| missing_is_fine(std::fs::remove_file(path))).await
    }

    async fn delete_unfinished(&self, newest: SequenceNumber) -> Result<()> {
        self.run("delete", &self.path(CHECKPOINTS), move |path| local_folder::delete_unfinished(path, newest)).await
    }

    async fn set_aside(&self, file: JournalFile, aside: &str) -> Result<()> {
        let target = self.path(aside).join(file.to_string());
        self.run("rename", &self.path(file), move |path| set_aside(path, &target)).await?;
        match file {
            // With its last segment, the folder of an epoch goes.
            JournalFile::Segment(segment) => self.delete_segment(segment).await,
            JournalFile::Checkpoint(_) => Ok(()),
        }
    }
}

#[derive(Debug)]
struct LocalSegment {
    /// Gone after the first error, and while an append is under way: one that is given up ends the segment.
    file: Option<Arc<File>>,
    path: PathBuf,
    deadline: Duration,
    room: u64,
    written: u64,
}

impl LocalSegment {
    fn ended(&self, operation: &'static str) -> StoreError {
        let reason = "the segment has ended".into();
        StoreError::Unavailable { operation, object: self.path.display().to_string(), reason }
    }

    async fn flush(&mut self, bytes: Bytes) -> Result<()> {
        let file = self.file.take().ok_or_else(|| self.ended("append"))?;
        let length = bytes.len() as u64;
        if length > self.room {
            let reason = format!("{length} bytes where the segment has room for {}", self.room);
            return Err(StoreError::Full { object: self.path.display().to_string(), reason });
        }
        let flush = {
            let file = file.clone();
            let end = self.written + length;
            move |_: &Path| {
                (&*file).write_all(&bytes)?;
                file.sync_data()?;
                // Nobody else writes here: another length, or no name, is somebody's hand.
                let facts = rustix::fs::fstat(&*file)?;
                match (facts.st_nlink, facts.st_size.unsigned_abs()) {
                    (0, _) => Err(io::Error::other("the file was deleted by hand")),
                    (_, size) if size != end => {
                        Err(io::Error::other(format!("the file was changed by hand: {size} bytes instead of {end}")))
                    }
                    _ => Ok(()),
                }
            }
        };
        blocking(self.deadline, "append", &self.path, flush).await?;
        self.room -= length;
        self.written += length;
        self.file = Some(file);
        Ok(())
    }
}

#[async_trait]
impl SegmentWriter for LocalSegment {
    async fn send(&mut self, bytes: Bytes) -> Flushed {
        Box::pin(ready(self.flush(bytes).await))
    }

    fn room_bytes(&self) -> u64 {
        self.room
    }

    async fn close(&mut self) -> Result<()> {
        // All of it is durable already.
        self.file.take().map(drop).ok_or_else(|| self.ended("close"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::folder::store_suite::{self, Place};

    struct Local(tempfile::TempDir);

    #[async_trait]
    impl Place for Local {
        async fn open(&self) -> Box<dyn JournalStore> {
            Box::new(LocalStore::new(LocalSettings::new(self.0.path().join("journal"))))
        }

        fn fences(&self) -> bool {
            false
        }

        async fn leave(&self, name: &str, content: Bytes) -> bool {
            std::fs::write(self.0.path().join("journal").join(name), content).unwrap();
            true
        }
    }

    store_suite::every_behaviour!(async { Local(tempfile::tempdir().unwrap()) });

    #[test]
    fn a_folder_is_used_by_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let lock = LocalLock::acquire(folder.path(), MissingFolder::Refuse).unwrap();
        let refusal = LocalLock::acquire(folder.path(), MissingFolder::Refuse).unwrap_err().to_string();
        let name = folder.path().display().to_string();
        assert!(refusal.contains(&name) && refusal.contains("another process uses it"), "{refusal}");
        drop(lock);
        LocalLock::acquire(folder.path(), MissingFolder::Refuse).unwrap();
        let file = folder.path().join(LOCK);
        let refusal = LocalLock::acquire(&file, MissingFolder::Refuse).unwrap_err().to_string();
        assert!(refusal.contains("not a directory") && refusal.contains(file.to_str().unwrap()), "{refusal}");
    }

    #[test]
    fn the_lock_makes_a_folder_only_when_it_is_told_to() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/journal");
        let refusal = LocalLock::acquire(&inner, MissingFolder::Refuse).unwrap_err();
        assert!(matches!(refusal, StoreError::NotFound { .. }) && !inner.exists(), "{refusal}");
        LocalLock::acquire(&inner, MissingFolder::Make).unwrap();
        assert!(inner.join(LOCK).exists());
    }

    #[tokio::test]
    async fn what_lies_in_the_way_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "text").unwrap();
        let store = LocalStore::new(LocalSettings::new(&file));
        let format = Format { layout: 1, feature_level: 1, cluster_id: "c".into() };
        let failure = store.write_format(&format).await.unwrap_err().to_string();
        assert!(failure.contains(&file.display().to_string()), "{failure}");
    }
}
