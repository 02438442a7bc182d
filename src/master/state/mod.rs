//! Pure. The state of the master on copy-on-write pages, and `apply`, the only way to change it.
//!
//! Read `pages.rs`, `slots.rs`, `btree.rs` (what everything lies on), then `inode.rs`, `inode_tree.rs`,
//! `extras.rs` and `blocks.rs`, then `apply.rs`. `footprint.rs` tells what an answer waits for, `checkpoint.rs` how a state becomes a file.
//! May use `journal::entry` and `types`.

mod admin;
mod apply;
mod apply_extras;
mod apply_inodes;
mod blocks;
mod btree;
mod changes;
mod checkpoint;
mod digest;
mod extras;
mod fields;
mod footprint;
mod ids;
mod inode;
mod inode_tree;
mod interner;
mod mount_table;
mod names;
mod pages;
mod portable;
mod retries;
mod slots;
mod verify;
mod watchlists;

pub use admin::AdminSettings;
pub use blocks::Blocks;
pub use checkpoint::CheckpointOrigin;
pub use footprint::{Change, Footprint};
pub use ids::IdGenerators;
pub use inode::{Inode, InodeKind};
pub use inode_tree::InodeTree;
pub use mount_table::{MountTable, ROOT_MOUNT_ID, ufs_path};
pub use names::NAME_BYTES_MAX;
pub use retries::{ANSWERS_FOR_MS, ANSWERS_MAX, ANSWERS_MIN};

use crate::journal::entry::{Answered, UfsIntent};
use crate::types::time::Millis;
use crate::types::{AlluxioPath, InodeId, OperationId};
use retries::Retries;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The whole state. A clone is a snapshot: it shares all pages, takes microseconds, and hinders no writer.
#[derive(Debug, Clone)]
pub struct MasterState {
    inodes: InodeTree,
    blocks: Blocks,
    ids: IdGenerators,
    retries: Retries,
    mounts: MountTable,
    admin: AdminSettings,
    /// Changes of a UFS that were begun and are not settled, by their inode.
    intents: Arc<BTreeMap<InodeId, UfsIntent>>,
    /// When files are written to the UFS that are to be, if not at once.
    persist_times: Arc<BTreeMap<InodeId, i64>>,
    /// Uppermost directories of the trees that were unlinked and are not collected yet.
    unlinked: Arc<BTreeSet<InodeId>>,
    cluster_id: Option<Arc<str>>,
    last_time: Millis,
}

impl Default for MasterState {
    fn default() -> MasterState {
        MasterState::new()
    }
}

impl MasterState {
    /// The state before the first entry: without even a root.
    pub fn new() -> MasterState {
        MasterState {
            inodes: InodeTree::new(),
            blocks: Blocks::new(),
            ids: IdGenerators::default(),
            retries: Retries::new(),
            mounts: MountTable::default(),
            admin: AdminSettings::default(),
            intents: Arc::default(),
            persist_times: Arc::default(),
            unlinked: Arc::default(),
            cluster_id: None,
            last_time: Millis(0),
        }
    }

    /// All inodes.
    pub fn inodes(&self) -> &InodeTree {
        &self.inodes
    }

    /// Where the inode is; none when it, or a directory above it, is not in the namespace any more.
    pub fn path_of(&self, id: InodeId) -> Option<AlluxioPath> {
        let mut names = Vec::new();
        let mut inode = self.inodes.get(id)?;
        while inode.id != InodeId::ROOT {
            if self.unlinked.contains(&inode.id) {
                return None;
            }
            names.push(self.inodes.name(&inode));
            inode = self.inodes.get(inode.parent)?;
        }
        Some(names.iter().rev().fold(AlluxioPath::root(), |path, name| path.join(name)))
    }

    /// All committed blocks.
    pub fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    /// Where new ids come from. A copy: taking from it changes nothing here.
    pub fn ids(&self) -> IdGenerators {
        self.ids
    }

    /// The kept first answer to that operation.
    pub fn answered(&self, id: OperationId) -> Option<Answered> {
        self.retries.find(id)
    }

    /// The mounts beside that of the root.
    pub fn mounts(&self) -> &MountTable {
        &self.mounts
    }

    /// Changes of a UFS that were begun and are not settled, by their inode.
    pub fn intents(&self) -> &BTreeMap<InodeId, UfsIntent> {
        &self.intents
    }

    /// When a file is written to the UFS that is to be, if not at once: not before then, or when somebody asks.
    pub fn persist_time(&self, id: InodeId) -> Option<i64> {
        self.persist_times.get(&id).copied()
    }

    /// Uppermost directories of the trees that are to be collected.
    pub fn unlinked(&self) -> &BTreeSet<InodeId> {
        &self.unlinked
    }

    /// Id of the cluster, once it is journaled.
    pub fn cluster_id(&self) -> Option<&str> {
        self.cluster_id.as_deref()
    }

    /// The latest time that any entry carried. Nothing is decided at an earlier one.
    pub fn last_time(&self) -> Millis {
        self.last_time
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
