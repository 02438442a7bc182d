//! Inodes by id, and by parent and name.
//!
//! `ids` leads from an id to the slot of its record; `edges` from (parent id, name) to the same slot, ordered by the
//! bytes of the name within a parent. An edge holds the first eight bytes of the name; only when they are equal is
//! the whole name looked up. An inode of a tree that was unlinked has an id and no way from the root.

use super::btree::Tree;
use super::extras::{Extras, Stored};
use super::inode::{
    Content, INODE_BYTES, Inode, InodeKind, Record, content_is_elsewhere_in, name_in, replication_is_elsewhere_in,
};
use super::interner::Interner;
use super::names::Names;
use super::pages::{array, read_i64, read_u32, write};
use super::slots::Slots;
use super::watchlists::Watchlists;
use crate::journal::entry::{InodeExtras, Replication};
use crate::types::{ContentHash, InodeId};
use std::cmp::Ordering;
use std::ops::Bound;

/// (id, slot).
pub(super) const ID_BYTES: usize = 12;
/// (parent id, first bytes of the name, slot).
pub(super) const EDGE_BYTES: usize = 20;
/// (id, min, max, durable).
pub(super) const REPLICATION_BYTES: usize = 20;

/// (id, length, modification time).
pub(super) const CONTENT_BYTES: usize = 24;

/// All inodes.
#[derive(Debug, Clone)]
pub struct InodeTree {
    pub(super) ids: Tree<ID_BYTES>,
    pub(super) edges: Tree<EDGE_BYTES>,
    pub(super) records: Slots,
    pub(super) names: Names,
    /// Replication of the files that do not have the usual one.
    pub(super) replications: Tree<REPLICATION_BYTES>,
    /// Contents of files that were loaded and are not what the inode's own length and time tell.
    pub(super) contents: Tree<CONTENT_BYTES>,
    /// Whether an inode has, or had, what only masters of feature level 2 know.
    pub(super) is_of_level_2: bool,
    /// What else few inodes have.
    pub(super) extras: Extras,
    pub(super) users: Interner,
    pub(super) watchlists: Watchlists,
}

impl InodeTree {
    pub(super) fn new() -> InodeTree {
        InodeTree {
            ids: Tree::new(),
            edges: Tree::new(),
            records: Slots::new(INODE_BYTES),
            names: Names::new(),
            replications: Tree::new(),
            contents: Tree::new(),
            is_of_level_2: false,
            extras: Extras::new(),
            users: Interner::default(),
            watchlists: Watchlists::new(),
        }
    }

    /// How many inodes there are, those of unlinked trees included.
    pub fn count(&self) -> u64 {
        self.ids.len()
    }

    /// The inode of that id, though its tree may be unlinked.
    pub fn get(&self, id: InodeId) -> Option<Inode> {
        self.slot_of(id).map(|slot| self.read(slot))
    }

    /// The child of that name.
    pub fn child(&self, parent: InodeId, name: &str) -> Option<Inode> {
        let edge = self.edges.find(edge_order(&self.records, &self.names, parent, name.as_bytes()))?;
        Some(self.read(read_u32(edge, 16)))
    }

    /// The children of a directory, ordered by the bytes of their names.
    pub fn children(&self, parent: InodeId) -> impl Iterator<Item = Inode> {
        self.children_from(parent, 0)
    }

    /// The same without the first `skipped`, which are not looked at.
    pub fn children_from(&self, parent: InodeId, skipped: usize) -> impl Iterator<Item = Inode> {
        self.edges
            .iter_from(move |edge| read_i64(edge, 0).cmp(&parent.0).then(Ordering::Greater))
            .take_while(move |edge| read_i64(&edge[..], 0) == parent.0)
            .skip(skipped)
            .map(|edge| self.read(read_u32(edge, 16)))
    }

    /// The children from that name on.
    pub fn children_within(&self, parent: InodeId, from: Bound<&str>) -> impl Iterator<Item = Inode> {
        let (name, at_name) = match from {
            Bound::Unbounded => ("", Ordering::Equal),
            Bound::Included(name) => (name, Ordering::Equal),
            Bound::Excluded(name) => (name, Ordering::Less),
        };
        let order = edge_order(&self.records, &self.names, parent, name.as_bytes());
        self.edges
            .iter_from(move |edge| order(edge).then(at_name))
            .take_while(move |edge| read_i64(&edge[..], 0) == parent.0)
            .map(|edge| self.read(read_u32(edge, 16)))
    }

    /// All inodes by id, those of unlinked trees included.
    pub fn iter(&self) -> impl Iterator<Item = Inode> {
        self.ids.iter().map(|entry| self.read(read_u32(entry, 8)))
    }

    /// Files whose copies must stay: pinned, or to be written to the UFS.
    pub fn kept(&self) -> impl Iterator<Item = InodeId> {
        self.watchlists.kept()
    }

    /// How many files' copies must stay.
    pub fn kept_count(&self) -> u64 {
        self.watchlists.kept_count()
    }

    /// Files that are to be written to the UFS, by id, after this one.
    pub fn to_persist(&self, after: InodeId) -> impl Iterator<Item = InodeId> {
        self.watchlists.to_persist(after)
    }

    /// Files whose replication is not the usual one, by id, after this one.
    pub fn with_unusual_replication(&self, after: InodeId) -> impl Iterator<Item = InodeId> {
        let first = InodeId(after.0.saturating_add(1));
        self.replications.iter_from(id_order(first)).map(|entry| InodeId(read_i64(entry, 0)))
    }

    /// Inodes whose time to live ends at `now_ms` or before, the earliest first.
    pub fn expired(&self, now_ms: i64) -> impl Iterator<Item = InodeId> {
        self.watchlists.expired(now_ms)
    }

    /// Makes the lists of background work from the inodes of a checkpoint, which were verified.
    pub(super) fn make_watchlists(&mut self) {
        let mut watchlists = Watchlists::new();
        self.iter().for_each(|inode| watchlists.enter(&inode));
        self.watchlists = watchlists;
    }

    /// Last component of its path; "" for the root.
    pub fn name(&self, inode: &Inode) -> &str {
        std::str::from_utf8(self.names.get(inode.name)).expect("names were text when they were kept")
    }

    /// User that it belongs to.
    pub fn owner(&self, inode: &Inode) -> &str {
        self.users.text(inode.owner)
    }

    /// Group that it belongs to.
    pub fn group(&self, inode: &Inode) -> &str {
        self.users.text(inode.group)
    }

    /// All that few inodes have.
    pub fn extras(&self, inode: &Inode) -> InodeExtras {
        let mut extras = match inode.has_extras {
            true => self.extras.get(inode.id).expect("the flag says that they are there"),
            false => InodeExtras::default(),
        };
        if let Some(Content { length, modification_time_ms }) = inode.content {
            extras.content_hash = ContentHash::LengthAndTime { length, modification_time_ms };
        }
        extras
    }

    /// Replaces all that few inodes have; `update` is to follow.
    pub(super) fn set_extras(&mut self, inode: &mut Inode, extras: &InodeExtras) {
        inode.content = match extras.content_hash {
            ContentHash::LengthAndTime { length, modification_time_ms } => {
                Some(Content { length, modification_time_ms })
            }
            ContentHash::Unknown | ContentHash::Text(_) => None,
        };
        inode.has_extras = self.extras.set(inode.id, extras) == Stored::Something;
        self.is_of_level_2 |= *extras != InodeExtras::default();
    }

    /// Adds an inode with its name, and the edge to it unless it is the root. False, and nothing is changed, when its
    /// id or its edge is taken.
    pub(super) fn insert(&mut self, mut inode: Inode, name: &str) -> bool {
        inode.name = self.names.add(name);
        inode.slot = self.records.take();
        let mut entry = [0; ID_BYTES];
        write(&mut entry, 0, &inode.id.0.to_le_bytes());
        write(&mut entry, 8, &inode.slot.to_le_bytes());
        let has_id = self.ids.insert(&entry, id_order(inode.id));
        if has_id && (inode.parent == InodeId::NONE || self.add_edge(inode.parent, name, inode.slot)) {
            self.store(&inode);
            self.watchlists.enter(&inode);
            return true;
        }
        if has_id {
            self.ids.remove(id_order(inode.id));
        }
        self.names.remove(inode.name);
        self.records.give_back(inode.slot);
        false
    }

    /// Writes an inode back that `get` or `child` gave; its name and place stay.
    pub(super) fn update(&mut self, inode: &Inode) {
        let before = self.read(inode.slot);
        self.watchlists.follow(&before, inode);
        self.forget_elsewhere(inode);
        self.store(inode);
    }

    /// Takes the edge to an inode away. False when there was none.
    pub(super) fn remove_edge(&mut self, inode: &Inode) -> bool {
        let name = self.names.get(inode.name);
        self.edges.remove(edge_order(&self.records, &self.names, inode.parent, name)).is_some()
    }

    /// Frees an inode without edge and children.
    pub(super) fn remove(&mut self, inode: &Inode) {
        let before = self.read(inode.slot);
        self.watchlists.strike(&before);
        self.forget_elsewhere(inode);
        if before.has_extras {
            self.extras.remove(inode.id);
        }
        self.ids.remove(id_order(inode.id));
        self.names.remove(inode.name);
        self.records.give_back(inode.slot);
    }

    /// Takes away what the record says stands elsewhere, but for the extras.
    fn forget_elsewhere(&mut self, inode: &Inode) {
        let record = self.records.get(inode.slot);
        let (replication, content) = (replication_is_elsewhere_in(record), content_is_elsewhere_in(record));
        if replication {
            self.replications.remove(id_order(inode.id));
        }
        if content {
            self.contents.remove(id_order(inode.id));
        }
    }

    /// Moves an inode whose edge is there to an edge that is free. False, and nothing is changed, when one is not so.
    pub(super) fn relink(&mut self, inode: &mut Inode, parent: InodeId, name: &str) -> bool {
        if self.child(parent, name).is_some() || !self.remove_edge(inode) {
            return false;
        }
        self.names.remove(inode.name);
        inode.name = self.names.add(name);
        inode.parent = parent;
        self.update(inode);
        self.add_edge(parent, name, inode.slot)
    }

    fn add_edge(&mut self, parent: InodeId, name: &str, slot: u32) -> bool {
        let mut edge = [0; EDGE_BYTES];
        write(&mut edge, 0, &parent.0.to_le_bytes());
        write(&mut edge, 8, &first_bytes(name.as_bytes()));
        write(&mut edge, 16, &slot.to_le_bytes());
        self.edges.insert(&edge, edge_order(&self.records, &self.names, parent, name.as_bytes()))
    }

    fn slot_of(&self, id: InodeId) -> Option<u32> {
        self.ids.find(id_order(id)).map(|entry| read_u32(entry, 8))
    }

    fn read(&self, slot: u32) -> Inode {
        let Record { mut inode, replication_elsewhere, content_elsewhere } =
            Record::decode(slot, self.records.get(slot)).expect("records are written whole and checked when loaded");
        if replication_elsewhere && let InodeKind::File { replication, .. } = &mut inode.kind {
            let found = self.replications.find(id_order(inode.id)).expect("the flag says that it is there");
            *replication = replication_in(found);
        }
        if content_elsewhere {
            let found = self.contents.find(id_order(inode.id)).expect("the flag says that it is there");
            inode.content = Some(Content { length: read_i64(found, 8), modification_time_ms: read_i64(found, 16) });
        }
        inode
    }

    fn store(&mut self, inode: &Inode) {
        let mut replication_elsewhere = false;
        if let InodeKind::File { replication, .. } = inode.kind
            && replication != Replication::USUAL
        {
            let mut entry = [0; REPLICATION_BYTES];
            write(&mut entry, 0, &inode.id.0.to_le_bytes());
            write(&mut entry, 8, &replication.min.to_le_bytes());
            write(&mut entry, 12, &replication.max.to_le_bytes());
            write(&mut entry, 16, &replication.durable.to_le_bytes());
            replication_elsewhere = self.replications.insert(&entry, id_order(inode.id));
        }
        let mut content_elsewhere = false;
        if let Some(content) = inode.content.filter(|content| Some(*content) != inode.own_content()) {
            let mut entry = [0; CONTENT_BYTES];
            write(&mut entry, 0, &inode.id.0.to_le_bytes());
            write(&mut entry, 8, &content.length.to_le_bytes());
            write(&mut entry, 16, &content.modification_time_ms.to_le_bytes());
            content_elsewhere = self.contents.insert(&entry, id_order(inode.id));
        }
        Record { inode: *inode, replication_elsewhere, content_elsewhere }.encode(self.records.get_mut(inode.slot));
    }
}

/// How an entry that begins with an id stands to `id`.
pub(super) fn id_order<const E: usize>(id: InodeId) -> impl Fn(&[u8; E]) -> Ordering {
    move |entry| read_i64(entry, 0).cmp(&id.0)
}

/// How an edge stands to (parent, name).
fn edge_order<'a>(
    records: &'a Slots,
    names: &'a Names,
    parent: InodeId,
    name: &'a [u8],
) -> impl Fn(&[u8; EDGE_BYTES]) -> Ordering + 'a {
    let first = first_bytes(name);
    move |edge| {
        read_i64(edge, 0)
            .cmp(&parent.0)
            .then_with(|| array::<8>(edge, 8).cmp(&first))
            .then_with(|| names.get(name_in(records.get(read_u32(edge, 16)))).cmp(name))
    }
}

/// The first eight bytes of a name, zeros after its end: they compare as the names do, or are equal.
pub(super) fn first_bytes(name: &[u8]) -> [u8; 8] {
    let mut first = [0; 8];
    let length = name.len().min(8);
    first[..length].copy_from_slice(&name[..length]);
    first
}

/// The replication in an entry of the side table.
fn replication_in(entry: &[u8; REPLICATION_BYTES]) -> Replication {
    let number = |at| i32::from_le_bytes(array(entry, at));
    Replication { min: number(8), max: number(12), durable: number(16) }
}
