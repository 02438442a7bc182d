//! The log of a member in files of a local folder.

use super::disk::LogDisk;
use super::log::{SEGMENT_BYTES, file_name, segment_of};
use bytes::Bytes;
use rustix::fs::{FallocateFlags, fallocate};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// See the module text.
#[derive(Debug)]
pub struct LocalDisk {
    folder: PathBuf,
    /// The segment that was created last, and how much of it is written.
    newest: Option<(Arc<File>, u64)>,
}

impl LocalDisk {
    /// The segments of this folder, which is made if it is not there.
    pub fn new(folder: PathBuf) -> LocalDisk {
        LocalDisk { folder, newest: None }
    }

    fn path(&self, segment: u64) -> PathBuf {
        self.folder.join(file_name(segment))
    }
}

impl LogDisk for LocalDisk {
    async fn read(&mut self) -> io::Result<Vec<(u64, Bytes)>> {
        let folder = self.folder.clone();
        on_thread(folder.clone(), move || {
            fs::create_dir_all(&folder)?;
            let mut segments = Vec::new();
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if let Some(segment) = entry.file_name().to_str().and_then(segment_of) {
                    segments.push((segment, fs::read(entry.path())?.into()));
                }
            }
            segments.sort_by_key(|(segment, _)| *segment);
            Ok(segments)
        })
        .await
    }

    async fn create(&mut self, segment: u64) -> io::Result<()> {
        let (folder, path) = (self.folder.clone(), self.path(segment));
        let create = move || {
            let file = OpenOptions::new().write(true).create_new(true).open(path)?;
            // With its room and length in place, a flush of what is written later writes nothing else. Not every file
            // system can do that, and none has to.
            let _ = fallocate(&file, FallocateFlags::empty(), 0, SEGMENT_BYTES);
            file.sync_all()?;
            sync_folder(&folder)?;
            Ok(file)
        };
        let file = on_thread(self.path(segment), create).await?;
        self.newest = Some((Arc::new(file), 0));
        Ok(())
    }

    async fn append(&mut self, bytes: Vec<u8>) -> io::Result<()> {
        let (file, offset) = self.newest.clone().expect("a segment is created before it is appended to");
        let length = bytes.len() as u64;
        let written = file.clone();
        let write = move || {
            written.write_all_at(&bytes, offset)?;
            written.sync_data()
        };
        on_thread(self.folder.clone(), write).await?;
        self.newest = Some((file, offset + length));
        Ok(())
    }

    async fn cut(&mut self, segment: u64, bytes: u64) -> io::Result<()> {
        let path = self.path(segment);
        let cut = move || {
            let file = OpenOptions::new().write(true).open(path)?;
            file.set_len(bytes)?;
            file.sync_all()
        };
        on_thread(self.path(segment), cut).await
    }

    async fn delete(&mut self, segment: u64) -> io::Result<()> {
        let (folder, path) = (self.folder.clone(), self.path(segment));
        let delete = move || {
            fs::remove_file(path)?;
            sync_folder(&folder)
        };
        on_thread(self.path(segment), delete).await
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Off the threads that others wait on. Errors name the file.
async fn on_thread<T: Send + 'static>(
    path: PathBuf,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let outcome = tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?;
    outcome.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}
