//! A state as the entries that make it anew: what an import journals, and what an export or a backup holds.
//!
//! Left out is what means something to a running cluster only: kept answers, open intents, trees that are unlinked.

use super::{IdGenerators, Inode, InodeKind, MasterState};
use crate::journal::entry::{Entry, InodeDirectory, InodeFile};
use crate::types::{AlluxioPath, BlockId, InodeId};
use std::collections::VecDeque;

impl MasterState {
    /// The entries that make an empty state this one, parents before children, with ids that go on at `ids`. When a file
    /// is to be persisted, and its blocks, follow it.
    pub fn portable_entries(&self, ids: IdGenerators) -> impl Iterator<Item = Entry> {
        let cluster = self.cluster_id().map(|id| Entry::ClusterInfo { cluster_id: id.to_owned() });
        let mounts = self.mounts.iter().cloned().map(Entry::AddMountPoint);
        cluster.into_iter().chain(ids.entries()).chain(Walk::of(self)).chain(mounts).chain(self.admin.entries())
    }
}

/// All inodes below the root.
struct Walk<'a> {
    state: &'a MasterState,
    /// Entries of the last inode that are still to be given.
    ready: VecDeque<Entry>,
    /// Directories whose children are still to be given.
    directories: Vec<(InodeId, AlluxioPath)>,
    children: Box<dyn Iterator<Item = Inode> + 'a>,
    /// Where those are.
    at: AlluxioPath,
}

impl<'a> Walk<'a> {
    fn of(state: &'a MasterState) -> Walk<'a> {
        let mut walk = Walk {
            state,
            ready: VecDeque::new(),
            directories: Vec::new(),
            children: Box::new(std::iter::empty()),
            at: AlluxioPath::root(),
        };
        if let Some(root) = state.inodes.get(InodeId::ROOT) {
            walk.enter(&root, AlluxioPath::root());
        }
        walk
    }

    fn enter(&mut self, inode: &Inode, path: AlluxioPath) {
        match self.state.entry_of(inode, &path) {
            Entry::InodeFile(file) => {
                let (inode, blocks) = (file.id, file.blocks.clone());
                self.ready.push_back(Entry::InodeFile(file));
                let time = self.state.persist_time(inode).map(|time_ms| Entry::PersistTime { inode, time_ms });
                self.ready.extend(time);
                let lengths = &self.state.blocks;
                let committed = blocks.into_iter().filter_map(|id| Some((id, lengths.length(id)?)));
                self.ready.extend(committed.map(|(id, length)| Entry::BlockInfo { id, length }));
            }
            entry => {
                self.ready.push_back(entry);
                if inode.children() > 0 {
                    self.directories.push((inode.id, path));
                }
            }
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            if let Some(entry) = self.ready.pop_front() {
                return Some(entry);
            }
            if let Some(inode) = self.children.next() {
                let path = self.at.join(self.state.inodes.name(&inode));
                self.enter(&inode, path);
            } else {
                let (directory, path) = self.directories.pop()?;
                self.at = path;
                self.children = Box::new(self.state.inodes.children(directory));
            }
        }
    }
}

impl MasterState {
    /// The entry that would make this inode as it is.
    fn entry_of(&self, inode: &Inode, path: &AlluxioPath) -> Entry {
        let text = str::to_owned;
        let extras = self.inodes.extras(inode).boxed();
        let (name, owner, group) = (self.inodes.name(inode), self.inodes.owner(inode), self.inodes.group(inode));
        match inode.kind {
            InodeKind::Directory { children: _, mount_point, direct_children_loaded } => {
                Entry::InodeDirectory(InodeDirectory {
                    id: inode.id,
                    parent: inode.parent,
                    name: text(name),
                    path: path.clone(),
                    creation_time_ms: inode.creation_time_ms,
                    modification_time_ms: inode.modification_time_ms,
                    access_time_ms: inode.access_time_ms,
                    owner: text(owner),
                    group: text(group),
                    mode: inode.mode,
                    persistence: inode.persistence,
                    pinned: inode.pinned,
                    mount_point,
                    direct_children_loaded,
                    ttl_ms: inode.ttl_ms,
                    ttl_action: inode.ttl_action,
                    extras,
                })
            }
            InodeKind::File { length, block_size_bytes, blocks, completed, cacheable, replication } => {
                Entry::InodeFile(InodeFile {
                    id: inode.id,
                    parent: inode.parent,
                    name: text(name),
                    path: path.clone(),
                    creation_time_ms: inode.creation_time_ms,
                    modification_time_ms: inode.modification_time_ms,
                    access_time_ms: inode.access_time_ms,
                    owner: text(owner),
                    group: text(group),
                    mode: inode.mode,
                    persistence: inode.persistence,
                    pinned: inode.pinned,
                    ttl_ms: inode.ttl_ms,
                    ttl_action: inode.ttl_action,
                    length,
                    block_size_bytes,
                    completed,
                    cacheable,
                    blocks: (0..i64::from(blocks)).map(|i| BlockId::of(inode.id.container(), i)).collect(),
                    replication,
                    extras,
                })
            }
        }
    }
}
