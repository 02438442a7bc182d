//! Inodes that background work looks for, so that it need not look at all. They follow from the inodes: no checkpoint
//! holds them.

use super::btree::Tree;
use super::inode::Inode;
use super::pages::{read_i64, write};
use crate::types::{InodeId, PersistenceState};
use std::cmp::Ordering;

/// See the module text. Inodes of unlinked trees stay in them until they are freed.
#[derive(Debug, Clone)]
pub(super) struct Watchlists {
    /// Files whose copies must stay: pinned, or not yet in the UFS as they should be.
    kept: Tree<8>,
    /// Files that are to be written to the UFS.
    to_persist: Tree<8>,
    /// (end of the time to live, id).
    expiring: Tree<16>,
}

/// On which lists an inode is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reasons {
    kept: bool,
    to_persist: bool,
    expires_ms: Option<i64>,
}

impl Reasons {
    fn of(inode: &Inode) -> Reasons {
        let to_persist = !inode.is_directory() && inode.persistence == PersistenceState::ToBePersisted;
        Reasons {
            kept: !inode.is_directory() && (inode.pinned || to_persist),
            to_persist,
            expires_ms: (inode.ttl_ms >= 0).then(|| inode.creation_time_ms.saturating_add(inode.ttl_ms)),
        }
    }
}

impl Watchlists {
    pub(super) fn new() -> Watchlists {
        Watchlists { kept: Tree::new(), to_persist: Tree::new(), expiring: Tree::new() }
    }

    /// Enters a new inode.
    pub(super) fn enter(&mut self, inode: &Inode) {
        self.set(inode.id, Reasons::of(inode));
    }

    /// Follows a change of an inode.
    pub(super) fn follow(&mut self, before: &Inode, after: &Inode) {
        let (old, new) = (Reasons::of(before), Reasons::of(after));
        if old != new {
            self.clear(before.id, old);
            self.set(after.id, new);
        }
    }

    /// Strikes an inode that goes.
    pub(super) fn strike(&mut self, inode: &Inode) {
        self.clear(inode.id, Reasons::of(inode));
    }

    pub(super) fn kept(&self) -> impl Iterator<Item = InodeId> {
        self.kept.iter().map(|entry| InodeId(read_i64(entry, 0)))
    }

    pub(super) fn kept_count(&self) -> u64 {
        self.kept.len()
    }

    pub(super) fn to_persist(&self, after: InodeId) -> impl Iterator<Item = InodeId> {
        let first = after.0.saturating_add(1);
        self.to_persist.iter_from(move |entry| read_i64(entry, 0).cmp(&first)).map(|entry| InodeId(read_i64(entry, 0)))
    }

    /// Those whose time ends at `now_ms` or before, the earliest first.
    pub(super) fn expired(&self, now_ms: i64) -> impl Iterator<Item = InodeId> {
        self.expiring.iter().take_while(move |entry| read_i64(&entry[..], 0) <= now_ms).map(|e| InodeId(read_i64(e, 8)))
    }

    fn set(&mut self, id: InodeId, reasons: Reasons) {
        let bytes = id.0.to_le_bytes();
        if reasons.kept {
            self.kept.insert(&bytes, order(id));
        }
        if reasons.to_persist {
            self.to_persist.insert(&bytes, order(id));
        }
        if let Some(at) = reasons.expires_ms {
            let mut entry = [0; 16];
            write(&mut entry, 0, &at.to_le_bytes());
            write(&mut entry, 8, &bytes);
            self.expiring.insert(&entry, order_of_end(at, id));
        }
    }

    fn clear(&mut self, id: InodeId, reasons: Reasons) {
        if reasons.kept {
            self.kept.remove(order(id));
        }
        if reasons.to_persist {
            self.to_persist.remove(order(id));
        }
        if let Some(at) = reasons.expires_ms {
            self.expiring.remove(order_of_end(at, id));
        }
    }
}

fn order(id: InodeId) -> impl Fn(&[u8; 8]) -> Ordering {
    move |entry| read_i64(entry, 0).cmp(&id.0)
}

fn order_of_end(at: i64, id: InodeId) -> impl Fn(&[u8; 16]) -> Ordering {
    move |entry| read_i64(entry, 0).cmp(&at).then(read_i64(entry, 8).cmp(&id.0))
}
