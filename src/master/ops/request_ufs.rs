//! What the coordinator of the UFS asks, on its own behalf or a client's: see ARCHITECTURE.md, "UFS effects".

use super::request::{Extent, Operation};
use crate::master::state::MasterState;
use crate::types::time::Millis;
use crate::types::{AlluxioPath, ContentHash, InodeId, Names, TtlAction};
use std::fmt;

/// A change of the namespace that goes with something seen or done in a UFS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UfsOperation {
    /// Makes inodes of what was seen in a UFS.
    Load(Load),
    /// A directory that is to be in the UFS, too, so that something can lie in it: begun with an intent.
    Persist(UfsDirectory),
    /// Begins what will change the UFS; the answer names its inode.
    Begin(Box<Operation>),
    /// The UFS was changed as the intent says: so is the namespace.
    Commit(InodeId),
    /// A delete went only part of the way, or a rename not at all: the intent ends, once all that is gone was told.
    Settle {
        /// Inode of the intent.
        inode: InodeId,
        /// What is not in the UFS any more, of a tree its top only.
        gone: Vec<AlluxioPath>,
        /// Whether more is gone, which is told afterwards.
        more: bool,
    },
    /// mount
    Mount(Box<Mount>),
    /// unmount
    Unmount(AlluxioPath),
    /// updateMount
    UpdateMount(Box<UpdateMount>),
    /// A part of a change of a large tree.
    Part {
        /// The change of all of it.
        whole: Box<Operation>,
        /// What is changed now.
        inodes: Vec<InodeId>,
    },
}

impl UfsOperation {
    /// As [`Operation::touches`]. Commits and their like end an intent and are never kept out by it.
    pub(super) fn touches(&self, state: &MasterState) -> Vec<(AlluxioPath, Extent)> {
        match self {
            UfsOperation::Load(load) => {
                let found = load.found.iter().map(|(path, _)| path);
                let extent = if load.compared.is_some() { Extent::Tree } else { Extent::Itself };
                let seen = found.map(|path| (path.clone(), extent));
                let seen = seen.chain(load.listed.iter().map(|path| (path.clone(), Extent::Itself)));
                seen.chain(load.gone.iter().map(|path| (path.clone(), Extent::Tree))).collect()
            }
            UfsOperation::Persist(directory) => vec![(directory.path.clone(), Extent::Itself)],
            UfsOperation::Begin(operation) => operation.touches(state),
            UfsOperation::Commit(_) | UfsOperation::Settle { .. } => Vec::new(),
            UfsOperation::Mount(mount) => vec![(mount.path.clone(), Extent::Tree)],
            UfsOperation::Unmount(path) => vec![(path.clone(), Extent::Tree)],
            UfsOperation::UpdateMount(update) => vec![(update.path.clone(), Extent::Tree)],
            UfsOperation::Part { whole, .. } => whole.touches(state),
        }
    }
}

/// What a UFS says of a file or directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UfsFacts {
    /// Whether it is a directory.
    pub directory: bool,
    /// Bytes of a file.
    pub length: i64,
    /// Bytes of each block of a file but the last.
    pub block_size_bytes: i64,
    /// User.
    pub owner: String,
    /// Group.
    pub group: String,
    /// Permission bits.
    pub mode: u16,
    /// Milliseconds since 1970 UTC; 0 where the UFS keeps none.
    pub modification_time_ms: i64,
    /// What the UFS calls the content of a file.
    pub etag: Option<String>,
}

impl UfsFacts {
    /// Tells this content of a file from others.
    pub(super) fn content_hash(&self) -> ContentHash {
        let told = self.etag.as_deref().map(ContentHash::told).filter(|told| *told != ContentHash::Unknown);
        let Self { length, modification_time_ms, .. } = *self;
        told.unwrap_or(ContentHash::LengthAndTime { length, modification_time_ms })
    }
}

/// What was seen in a UFS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// What is there, parents first; what the namespace has already is left as it is, unless it is compared.
    pub found: Vec<(AlluxioPath, UfsFacts)>,
    /// What the namespace has and the UFS has not.
    pub gone: Vec<AlluxioPath>,
    /// A directory all of whose children are among them, with where it was seen.
    pub listed: Option<AlluxioPath>,
    /// URI that each first path had when it was looked at: another mount there makes this void.
    pub seen_at: (AlluxioPath, String),
    /// What the namespace has is compared with what was seen. So it was at this time: what came later is left as it is.
    pub compared: Option<Millis>,
    /// What was seen is what this master has put there for this file: its content is noted, and nothing else changes.
    pub own: Option<InodeId>,
    /// Which content was seen may be kept in the journal.
    pub keeps_content: bool,
    /// As whom the UFS is used, if owners, groups and modes that were seen count: an object storage keeps none.
    pub ufs_user: Option<String>,
}

impl Load {
    /// Of what was seen there, to be added to what the namespace has.
    pub fn of(found: Vec<(AlluxioPath, UfsFacts)>, seen_at: (AlluxioPath, String)) -> Load {
        let (gone, listed, compared, own, ufs_user) = (Vec::new(), None, None, None, None);
        Load { found, gone, listed, seen_at, compared, own, keeps_content: true, ufs_user }
    }
}

/// A directory as it is to be in the UFS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UfsDirectory {
    /// Which one it is; none if it is yet to be made here. One that was deleted meanwhile is not made again.
    pub id: Option<InodeId>,
    /// Where it is in the namespace.
    pub path: AlluxioPath,
    /// Where it is in the UFS.
    pub ufs_path: String,
    /// User.
    pub owner: String,
    /// Group.
    pub group: String,
    /// Permission bits.
    pub mode: u16,
    /// How long it lives, in milliseconds, if it is yet to be made; -1: for ever.
    pub ttl_ms: i64,
    /// What becomes of it then.
    pub ttl_action: TtlAction,
}

/// updateMount: all of it is set anew.
#[derive(Clone, PartialEq, Eq)]
pub struct UpdateMount {
    /// The mount point.
    pub path: AlluxioPath,
    /// Whether nothing may be written below.
    pub read_only: bool,
    /// Whether all may do below what its owner may.
    pub shared: bool,
    /// Options of the UFS.
    pub properties: Vec<(String, String)>,
    /// Its new id, which workers do not know yet: so they ask for the new options.
    pub mount_id: i64,
}

/// mount
#[derive(Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where the UFS is to begin.
    pub path: AlluxioPath,
    /// Its URI, normal.
    pub ufs_path: String,
    /// Whether nothing may be written below.
    pub read_only: bool,
    /// Whether all users may read and write there.
    pub shared: bool,
    /// What is set for this mount, by name.
    pub properties: Vec<(String, String)>,
    /// A random id.
    pub mount_id: i64,
    /// What was seen there.
    pub seen: Seen,
}

/// Without the values of the properties, some of which are secret.
impl fmt::Debug for UpdateMount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UpdateMount({}, {:?})", self.path, Names(&self.properties))
    }
}

/// Without the values of the properties, some of which are secret.
impl fmt::Debug for Mount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mount({}, {}, {:?}, {:?})", self.path, self.ufs_path, Names(&self.properties), self.seen)
    }
}

/// What was seen before a mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The directory that is mounted; none when there is none.
    pub root: Option<UfsFacts>,
    /// Where the mount point would lie in the UFS above it, if something is there already.
    pub shadowed: Option<String>,
}
