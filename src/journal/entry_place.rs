//! Pure. Entries that take inodes away or give them another place.

use crate::types::{AlluxioPath, InodeId};

/// `delete_file` of 2.9: one inode without children.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DeleteFile {
    /// Which one.
    pub id: InodeId,
    /// When; the parent's times rise to it.
    pub op_time_ms: i64,
    /// Whether the UFS was left as it is.
    pub alluxio_only: bool,
    /// Where it was.
    pub path: AlluxioPath,
}

/// `rename` of 2.9.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Rename {
    /// What is moved.
    pub id: InodeId,
    /// The directory that holds it from now on.
    pub new_parent: InodeId,
    /// Its name there.
    pub new_name: String,
    /// When; the times of both parents rise to it.
    pub op_time_ms: i64,
    /// Where it was.
    pub path: AlluxioPath,
    /// Where it is.
    pub new_path: AlluxioPath,
}

/// Takes a directory and all below it out of the namespace.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UnlinkTree {
    /// Its uppermost directory.
    pub id: InodeId,
    /// When; the parent's times rise to it.
    pub op_time_ms: i64,
    /// Where it was.
    pub path: AlluxioPath,
}
