//! How calls are made: what a caller may choose.

use crate::conf::WriteType;
use crate::types::TtlAction;

/// Whether the UFS is asked for what the namespace does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadMetadata {
    /// Only what has never been asked.
    Once,
    /// All of it again.
    Always,
}

/// How a directory is listed.
#[derive(Debug, Clone)]
pub struct ListOptions {
    /// With all below it, parents first.
    pub recursive: bool,
    /// Whether the UFS is asked.
    pub load: LoadMetadata,
}

/// How a directory is made.
#[derive(Debug, Clone)]
pub struct CreateDirectoryOptions {
    /// Missing parents are made too.
    pub recursive: bool,
    /// An existing directory is a success.
    pub allow_exists: bool,
    /// Permission bits, umask applied.
    pub mode: u16,
    /// Whether it goes to the UFS.
    pub write_type: WriteType,
    /// What happens when a time to live, set later, ends.
    pub ttl_action: TtlAction,
}

/// How a file is made.
#[derive(Debug, Clone)]
pub struct CreateFileOptions {
    /// Missing parents are made too.
    pub recursive: bool,
    /// Permission bits, umask applied.
    pub mode: u16,
    /// Size of its blocks.
    pub block_size_bytes: i64,
    /// Where its content goes.
    pub write_type: WriteType,
    /// What happens when a time to live, set later, ends.
    pub ttl_action: TtlAction,
}

/// How the writing of a file ends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct CompleteFileOptions {
    /// Its length in the UFS, if it was written there.
    pub ufs_length: Option<i64>,
    /// Whether the master has it written to the UFS.
    pub persist_later: bool,
    /// Which content was written to the UFS, as its worker tells.
    pub content_hash: Option<String>,
}

/// What goes when something is deleted.
#[derive(Debug, Clone, Default)]
pub struct DeleteOptions {
    /// With all below it.
    pub recursive: bool,
    /// The UFS keeps it.
    pub alluxio_only: bool,
    /// Nobody looks whether the UFS has what Alluxio does not know.
    pub unchecked: bool,
    /// Mounts at and below the path end.
    pub mount_points: bool,
    /// The directory above is compared with the UFS when it is used next.
    pub sync_parent_next_time: bool,
}

/// What is changed of a file or directory; the rest stays.
#[derive(Debug, Clone, Default)]
pub struct SetAttributeOptions {
    /// With all below it.
    pub recursive: bool,
    /// New permission bits.
    pub mode: Option<u16>,
    /// New owner.
    pub owner: Option<String>,
    /// New group.
    pub group: Option<String>,
    /// Whether its blocks must stay.
    pub pinned: Option<bool>,
    /// Media on which they must stay; none for any.
    pub pinned_media: Vec<String>,
    /// Fewest copies wished.
    pub replication_min: Option<i32>,
    /// Most copies wished, -1 without limit.
    pub replication_max: Option<i32>,
    /// Whether the children of a directory count as looked at in the UFS.
    pub direct_children_loaded: Option<bool>,
    /// New time to live, and what happens when it ends; -1 ms for none.
    pub ttl: Option<(i64, TtlAction)>,
}

/// How a UFS is mounted.
#[derive(Debug, Clone, Default)]
pub struct MountOptions {
    /// Nothing may be written there.
    pub read_only: bool,
    /// All users of Alluxio use the same credentials.
    pub shared: bool,
    /// What is mounted there ends in the same step.
    pub remount: bool,
    /// What the UFS needs to know.
    pub properties: Vec<(String, String)>,
}

/// A mount, as the master lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MountPoint {
    /// Where in the namespace.
    pub path: String,
    /// What is mounted there.
    pub ufs: String,
    /// Its kind, as `hdfs`.
    pub ufs_type: String,
    /// Nothing may be written there.
    pub read_only: bool,
}

/// Whether pinned files are freed, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forced {
    /// They are.
    Yes,
    /// They are a reason to refuse.
    No,
}

/// What reading leaves in Alluxio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadType {
    /// No copy.
    NoCache,
    /// A copy of what was read.
    Cache,
    /// A copy in the top tier.
    CachePromote,
}
