//! Pure. Entries of new inodes and of new values in them.

use super::entry_extras::{DefaultAclUpdate, InodeExtras};
use crate::types::{
    AccessControlList, AlluxioPath, BlockId, ContentHash, InodeId, PersistenceState, TtlAction, XattrUpdate,
};
use std::collections::BTreeSet;

/// `inode_directory` of 2.9.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct InodeDirectory {
    /// Its id, from the directory id generator.
    pub id: InodeId,
    /// Above it; `InodeId::NONE` for the root.
    pub parent: InodeId,
    /// Last component of its path; "" for the root.
    pub name: String,
    /// Where it was made.
    pub path: AlluxioPath,
    /// When it was made.
    pub creation_time_ms: i64,
    /// When its children changed last.
    pub modification_time_ms: i64,
    /// When it was read last.
    pub access_time_ms: i64,
    /// User.
    pub owner: String,
    /// Group.
    pub group: String,
    /// Permission bits.
    pub mode: u16,
    /// Whether it is in the UFS.
    pub persistence: PersistenceState,
    /// Whether blocks below it must stay.
    pub pinned: bool,
    /// Whether another UFS begins here.
    pub mount_point: bool,
    /// Whether all its children in the UFS are known.
    pub direct_children_loaded: bool,
    /// -1 for none.
    pub ttl_ms: i64,
    /// What happens then.
    pub ttl_action: TtlAction,
    /// What few have; none, or something in it.
    pub extras: Option<Box<InodeExtras>>,
}

/// `inode_file` of 2.9.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct InodeFile {
    /// Its id: its container and the sequence that marks a file.
    pub id: InodeId,
    /// The directory that holds it.
    pub parent: InodeId,
    /// Last component of its path.
    pub name: String,
    /// Where it was made.
    pub path: AlluxioPath,
    /// When it was made.
    pub creation_time_ms: i64,
    /// When its content changed last.
    pub modification_time_ms: i64,
    /// When it was read last.
    pub access_time_ms: i64,
    /// User.
    pub owner: String,
    /// Group.
    pub group: String,
    /// Permission bits.
    pub mode: u16,
    /// Whether it is in the UFS.
    pub persistence: PersistenceState,
    /// Whether its blocks must stay.
    pub pinned: bool,
    /// -1 for none.
    pub ttl_ms: i64,
    /// What happens then.
    pub ttl_action: TtlAction,
    /// Bytes.
    pub length: i64,
    /// Bytes of every block but the last.
    pub block_size_bytes: i64,
    /// False while it is being written.
    pub completed: bool,
    /// Whether reads may leave copies in Alluxio.
    pub cacheable: bool,
    /// The first blocks of its container, in order.
    pub blocks: Vec<BlockId>,
    /// Copies wished.
    pub replication: Replication,
    /// What few have; none, or something in it.
    pub extras: Option<Box<InodeExtras>>,
}

/// How many copies of each block are wished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Replication {
    /// Fewest.
    pub min: i32,
    /// Most, -1 without limit.
    pub max: i32,
    /// Copies before the content is persisted.
    pub durable: i32,
}

impl Replication {
    /// What a file has when nobody asked for anything.
    pub const USUAL: Replication = Replication { min: 0, max: -1, durable: 1 };
}

/// `update_inode` of 2.9. None leaves a value as it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UpdateInode {
    /// Which file or directory.
    pub id: InodeId,
    /// User.
    pub owner: Option<String>,
    /// Group.
    pub group: Option<String>,
    /// Permission bits.
    pub mode: Option<u16>,
    /// Taken when later than what is there, or when `overwrite_modification_time`.
    pub modification_time_ms: Option<i64>,
    /// Whether the modification time may go back.
    pub overwrite_modification_time: Option<bool>,
    /// Taken when later than what is there, or when `overwrite_access_time`.
    pub access_time_ms: Option<i64>,
    /// Whether the access time may go back.
    pub overwrite_access_time: Option<bool>,
    /// Whether it is in the UFS.
    pub persistence: Option<PersistenceState>,
    /// Whether its blocks must stay. Replay raises or clears the fewest copies of a file with it.
    pub pinned: Option<bool>,
    /// -1 for none.
    pub ttl_ms: Option<i64>,
    /// What happens then.
    pub ttl_action: Option<TtlAction>,
    /// A whole list: owner, unless it is empty, group, bits, and all beyond them. The values above go over it.
    pub acl: Option<Box<AccessControlList>>,
    /// Tells whether the UFS has the content that was loaded; of files only.
    pub content_hash: Option<ContentHash>,
    /// Media that its blocks must stay on. Empty leaves them as they are, but with `pinned` there are none then.
    pub media: BTreeSet<String>,
    /// How extended attributes change.
    pub xattr: Option<Box<XattrUpdate>>,
}

impl UpdateInode {
    /// An update of `id` that changes nothing yet.
    pub fn of(id: InodeId) -> UpdateInode {
        UpdateInode {
            id,
            owner: None,
            group: None,
            mode: None,
            modification_time_ms: None,
            overwrite_modification_time: None,
            access_time_ms: None,
            overwrite_access_time: None,
            persistence: None,
            pinned: None,
            ttl_ms: None,
            ttl_action: None,
            acl: None,
            content_hash: None,
            media: BTreeSet::new(),
            xattr: None,
        }
    }

    /// Whether nothing but times changes.
    pub fn is_of_times_only(&self) -> bool {
        let times = UpdateInode {
            modification_time_ms: self.modification_time_ms,
            overwrite_modification_time: self.overwrite_modification_time,
            access_time_ms: self.access_time_ms,
            overwrite_access_time: self.overwrite_access_time,
            ..UpdateInode::of(self.id)
        };
        *self == times
    }
}

/// `update_inode_directory` of 2.9. None leaves a value as it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UpdateInodeDirectory {
    /// Which directory.
    pub id: InodeId,
    /// Whether another UFS begins here.
    pub mount_point: Option<bool>,
    /// Whether all its children in the UFS are known.
    pub direct_children_loaded: Option<bool>,
    /// What new children inherit.
    pub default_acl: Option<Box<DefaultAclUpdate>>,
}

impl UpdateInodeDirectory {
    /// An update of `id` that changes nothing yet.
    pub fn of(id: InodeId) -> UpdateInodeDirectory {
        UpdateInodeDirectory { id, mount_point: None, direct_children_loaded: None, default_acl: None }
    }
}

/// `update_inode_file` of 2.9. None, and no blocks, leave a value as it is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UpdateInodeFile {
    /// Which file.
    pub id: InodeId,
    /// Bytes of every block but the last.
    pub block_size_bytes: Option<i64>,
    /// Bytes.
    pub length: Option<i64>,
    /// False while it is being written.
    pub completed: Option<bool>,
    /// Whether reads may leave copies in Alluxio.
    pub cacheable: Option<bool>,
    /// All its blocks: the first of its container, in order.
    pub blocks: Vec<BlockId>,
    /// Fewest copies.
    pub replication_min: Option<i32>,
    /// Most copies, -1 without limit.
    pub replication_max: Option<i32>,
    /// Where it was then.
    pub path: Option<AlluxioPath>,
}

impl UpdateInodeFile {
    /// An update of `id` that changes nothing yet.
    pub fn of(id: InodeId) -> UpdateInodeFile {
        UpdateInodeFile {
            id,
            block_size_bytes: None,
            length: None,
            completed: None,
            cacheable: None,
            blocks: Vec::new(),
            replication_min: None,
            replication_max: None,
            path: None,
        }
    }
}
