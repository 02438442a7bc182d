//! What every UFS promises.

use super::error::{UfsError, UfsErrorKind};
use async_trait::async_trait;
use bytes::Bytes;
use std::fmt::Debug;

/// A storage. Paths are whole URIs, as a mount has them: `hdfs://namenode:8020/a/b`, or `/a/b` on a local disk.
///
/// Every call ends within the deadline of its backend, and every step of one that is made of many
/// ([`Ufs::is_object_storage`]). A call that failed because of it may still take effect.
#[async_trait]
pub trait Ufs: Debug + Send + Sync {
    /// What the path looks like; none when nothing is there.
    async fn status(&self, path: &str) -> Result<Option<UfsStatus>, UfsError>;

    /// What a directory holds, ordered by the bytes of the names. Names that are not UTF-8, and what is neither a
    /// file nor a directory, are left out.
    async fn list(&self, path: &str) -> Result<Vec<UfsStatus>, UfsError>;

    /// Makes a directory, and its parents if they are missing. A directory that is there is left as it is.
    async fn mkdir(&self, path: &str, ownership: &UfsOwnership) -> Result<(), UfsError>;

    /// Begins a file that replaces what is there; parents are made if they are missing.
    async fn create(&self, path: &str, ownership: &UfsOwnership) -> Result<Box<dyn UfsWriter>, UfsError>;

    /// Begins to read a file at that byte; beyond its end there is nothing to read.
    async fn open(&self, path: &str, offset: u64) -> Result<Box<dyn UfsReader>, UfsError>;

    /// Moves a file or a directory to a path where nothing is and whose parent is there.
    async fn rename(&self, from: &str, to: &str) -> Result<(), UfsError>;

    /// Takes something away; `NotFound` when it is not there.
    async fn delete(&self, path: &str, what: UfsDeletion) -> Result<(), UfsError>;

    /// Changes owner, group and mode.
    async fn set_attributes(&self, path: &str, attributes: &UfsAttributes) -> Result<(), UfsError>;

    /// Whether there are objects, and no directories that a call could change as a whole. Then a change of a tree is made
    /// of many short requests, one after the other as far as the call is polled, and a call that was cut short can be made
    /// again: it goes on. Owners, modes and times of directories are not kept.
    fn is_object_storage(&self) -> bool {
        false
    }

    /// As whom it is used, who owns what is made and cannot be given away. None where owners, groups and modes are not kept.
    fn user(&self) -> Option<String>;

    /// Goes on with a rename that was cut short, when something is at both of its paths. Refused where a rename is made as
    /// a whole: there, another has put something at the new path.
    async fn resume_rename(&self, from: &str, to: &str) -> Result<(), UfsError> {
        Err(UfsError::new(UfsErrorKind::AlreadyExists, "rename", from, format!("{to} is there")))
    }
}

/// The open end of a new file. Dropped without `close`, the file is taken away again.
#[async_trait]
pub trait UfsWriter: Send {
    /// Adds bytes. After an error nothing more can be written.
    async fn write(&mut self, bytes: Bytes) -> Result<(), UfsError>;

    /// Ends the file: all of it is there for every reader.
    async fn close(self: Box<Self>) -> Result<(), UfsError>;
}

/// A place in a file.
#[async_trait]
pub trait UfsReader: Send {
    /// The next bytes, at least one and at most so many; empty at the end of the file.
    async fn read(&mut self, bytes_max: usize) -> Result<Bytes, UfsError>;
}

/// What a path looks like in the UFS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UfsStatus {
    /// Last component of the path.
    pub name: String,
    /// Whether it is a directory.
    pub directory: bool,
    /// Bytes of a file; 0 for a directory.
    pub length: u64,
    /// Bytes of a block of a file, where the UFS has such.
    pub block_size_bytes: Option<u64>,
    /// User.
    pub owner: String,
    /// Group.
    pub group: String,
    /// Permission bits, 0 to 0o777.
    pub mode: u16,
    /// Milliseconds since 1970 UTC; 0 where the UFS keeps none.
    pub modification_time_ms: i64,
    /// What the UFS calls the content of a file, where it does (the etag of an object).
    pub etag: Option<String>,
}

impl UfsStatus {
    /// Changes when the content of a file changes, as far as the UFS, or length and time, tell.
    // Compatible: 2.9 UnderFileSystemUtils.approximateContentHash, as xAttr s3_etag shows it.
    pub fn content_hash(&self) -> String {
        match &self.etag {
            Some(etag) => etag.clone(),
            None => format!("(len:{}, modtime:{})", self.length, self.modification_time_ms),
        }
    }
}

/// Who owns what is made, and who may use it. An empty name leaves it to the UFS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UfsOwnership {
    /// User.
    pub owner: String,
    /// Group.
    pub group: String,
    /// Permission bits.
    pub mode: u16,
}

/// New attributes. None leaves one as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UfsAttributes {
    /// User.
    pub owner: Option<String>,
    /// Group.
    pub group: Option<String>,
    /// Permission bits.
    pub mode: Option<u16>,
}

/// What a deletion may take away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UfsDeletion {
    /// A file; a directory is refused.
    File,
    /// A directory with nothing in it.
    EmptyDirectory,
    /// A directory with all below it.
    Tree,
}

/// How large a UFS is, in bytes, as it tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What it may hold.
    pub capacity_bytes: i64,
    /// What it holds.
    pub used_bytes: i64,
    /// What it may hold yet. Not always the difference: others may use the same disks.
    pub free_bytes: i64,
}
