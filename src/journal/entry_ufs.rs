//! Pure. Entries of mounts, and of changes in a UFS that were begun.

use super::entry_answered::Answered;
use super::entry_inode::InodeDirectory;
use crate::types::{AlluxioPath, InodeId, Names};
use std::fmt;

/// `add_mount_point` of 2.9.
#[derive(Clone, PartialEq, Eq, serde::Serialize)]
pub struct AddMountPoint {
    /// Where the UFS begins in the namespace.
    pub path: AlluxioPath,
    /// Its URI.
    pub ufs_path: String,
    /// Whether nothing may be written below.
    pub read_only: bool,
    /// Whether all users may read and write there.
    pub shared: bool,
    /// What was set for this mount, by name.
    pub properties: Vec<(String, String)>,
    /// Id of the mount.
    pub mount_id: i64,
}

/// Without the values of the properties, some of which are secret.
impl fmt::Debug for AddMountPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddMountPoint")
            .field("path", &self.path)
            .field("ufs_path", &self.ufs_path)
            .field("read_only", &self.read_only)
            .field("shared", &self.shared)
            .field("properties", &Names(&self.properties))
            .field("mount_id", &self.mount_id)
            .finish()
    }
}

/// A change of UFS and namespace that was begun. Until it is settled, nothing else may change what it touches.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UfsIntent {
    /// What is moved, deleted, persisted or made; it has one open intent at most.
    pub inode: InodeId,
    /// Where it is.
    pub path: AlluxioPath,
    /// Where it is to be; none for a delete.
    pub new_path: Option<AlluxioPath>,
    /// What is to be put in its place in the UFS, when it is neither moved nor deleted but persisted: a URI.
    pub temporary: Option<String>,
    /// Which directory is made in the UFS, when it is none of these.
    pub make: Option<MakeInUfs>,
    /// When.
    pub op_time_ms: i64,
    /// What to keep for a repetition of the operation, once it is done.
    pub answer: Option<Answered>,
}

/// A directory that is made in a UFS.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub enum MakeInUfs {
    /// One that is made here afterwards.
    New(Box<InodeDirectory>),
    /// One that is here already, and persisted then: the inode of the intent.
    Existing,
}

impl UfsIntent {
    /// The directory that is not here before the intent is settled.
    pub fn new_directory(&self) -> Option<&InodeDirectory> {
        match &self.make {
            Some(MakeInUfs::New(directory)) => Some(directory),
            Some(MakeInUfs::Existing) | None => None,
        }
    }
}
