//! One directory of a tier: the names and permissions of the files in it, as workers of 2.9.6 have them, so that local
//! clients write where they expect to.
//!
//! ```text
//! <directory>/alluxioworker/<block id>
//! <directory>/alluxioworker/.tmp_blocks/<session id % 1024>/<session id, hex>-<block id>
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use crate::types::BlockId;

/// Folders that the blocks being written are spread over.
const SESSION_FOLDERS: u64 = 1024;

const WRITING: &str = ".tmp_blocks";

/// Everybody may write: clients on this host write their blocks themselves.
const FOR_ALL: u32 = 0o777;

/// See the module text.
#[derive(Debug, Clone)]
pub struct Folder {
    /// As configured.
    directory: PathBuf,
    /// The folder of the worker in it.
    data: PathBuf,
}

/// A folder that is this worker's.
#[derive(Debug)]
pub struct Opened {
    /// Keeps others out until it is closed; none where the file system knows no locks.
    pub claim: Option<File>,
    /// The blocks in it with their lengths.
    pub blocks: Vec<(BlockId, u64)>,
}

impl Folder {
    /// `data` is the folder's name below the directory (`alluxio.worker.data.folder`).
    pub fn new(directory: &Path, data: &str) -> Folder {
        Folder { directory: directory.to_owned(), data: directory.join(data.trim_matches('/')) }
    }

    /// As configured.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where a block lies.
    pub fn block(&self, id: BlockId) -> PathBuf {
        self.data.join(id.0.to_string())
    }

    /// Where a session writes a block.
    pub fn writing(&self, session: u64, id: BlockId) -> PathBuf {
        let folder = self.data.join(WRITING).join((session % SESSION_FOLDERS).to_string());
        folder.join(format!("{session:x}-{}", id.0))
    }

    /// Takes the folder for this process until what is returned is closed: two workers in one folder would delete each
    /// other's blocks. A file system that knows no locks has none to refuse.
    ///
    /// # Errors
    /// Another process has it.
    pub fn claim(&self) -> io::Result<Option<File>> {
        let name = self.data.file_name().unwrap_or_default().to_string_lossy();
        let path = self.directory.join(format!(".{name}.lock"));
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let opened = match options.open(&path) {
            // Apart from the first attempt: in a folder for all, only its owner may open a file and ask for it to be made.
            Err(error) if error.kind() == ErrorKind::NotFound => options.create(true).mode(FOR_ALL).open(&path),
            other => other,
        };
        let file = match opened {
            Ok(file) => file,
            Err(error) => {
                log::warn!("cannot see whether another worker uses a folder path={} error={error}", path.display());
                return Ok(None);
            }
        };
        // Another user may run the worker the next time. Only the owner can, and has to, say so.
        let _ = file.set_permissions(Permissions::from_mode(0o666));
        match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::AGAIN | Errno::ACCESS) => Err(io::Error::other("another worker uses it")),
            Err(error) => {
                log::warn!("cannot see whether another worker uses a folder path={} error={error}", path.display());
                Ok(None)
            }
            Ok(()) => Ok(Some(file)),
        }
    }

    /// Makes the directory and the folder in it if they are missing, deletes what earlier sessions left, and tells the
    /// blocks with their lengths.
    pub fn open(&self) -> io::Result<Opened> {
        if !self.directory.is_dir() {
            fs::create_dir_all(&self.directory)?;
            // As 2.9: everybody may add, nobody delete what is another's.
            fs::set_permissions(&self.directory, Permissions::from_mode(0o1777))?;
        }
        let claim = self.claim()?;
        make(&self.data)?;
        match fs::remove_dir_all(self.data.join(WRITING)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut blocks = Vec::new();
        for entry in fs::read_dir(&self.data)? {
            let entry = entry?;
            let id = entry.file_name().to_str().and_then(id_of);
            let meta = entry.metadata()?;
            match id.filter(|_| meta.is_file()) {
                Some(id) => blocks.push((id, meta.len())),
                None => log::warn!("passing over what is no block path={}", entry.path().display()),
            }
        }
        Ok(Opened { claim, blocks })
    }

    /// The size of the file system that it lies on; none when it is not told, as for a ramfs.
    pub fn file_system_bytes(&self) -> Option<u64> {
        let told = rustix::fs::statvfs(&self.data).ok()?;
        told.f_blocks.checked_mul(told.f_frsize).filter(|bytes| *bytes > 0)
    }

    /// Begins the file of a block that is being written.
    pub fn create(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.append(true).create_new(true).mode(FOR_ALL);
        let file = match options.open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Only below the directory: a RAM folder that is no longer mounted must not become one on the disk.
                make(&self.data)?;
                make(&self.data.join(WRITING))?;
                path.parent().map_or(Ok(()), make)?;
                options.open(path)?
            }
            other => other?,
        };
        // The umask of this process is not the clients'.
        file.set_permissions(Permissions::from_mode(FOR_ALL))?;
        Ok(file)
    }

    /// Deletes all blocks, and what sessions left. Not while a worker runs.
    pub fn clear(&self) -> io::Result<()> {
        if !self.data.is_dir() {
            return Ok(());
        }
        let _claim = self.claim()?;
        for entry in fs::read_dir(&self.data)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                fs::remove_dir_all(entry.path())?;
            } else {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// The block whose file has that name. `+5` and `05` are numbers, but no names of ours: the block 5 is in another file.
fn id_of(name: &str) -> Option<BlockId> {
    let id: i64 = name.parse().ok()?;
    (id >= 0 && id.to_string() == name).then_some(BlockId(id))
}

fn make(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(FOR_ALL).create(folder) {
        Ok(()) => fs::set_permissions(folder, Permissions::from_mode(FOR_ALL)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}
