//! What an entry changes that a client can see.

use super::{Change, MasterState};
use crate::journal::entry::Entry;
use crate::types::InodeId;

impl MasterState {
    /// Adds what the entry will change; to be asked before it is applied. A change of a directory's times alone is
    /// none: nobody waits for it.
    pub fn changes(&self, entry: &Entry, changes: &mut Vec<Change>) {
        match entry {
            Entry::InodeDirectory(new) => {
                changes.push(Change::Edge(new.parent, new.name.as_str().into()));
                changes.push(Change::Inode(new.id));
            }
            Entry::InodeFile(new) => {
                changes.push(Change::Edge(new.parent, new.name.as_str().into()));
                changes.push(Change::Inode(new.id));
            }
            Entry::UpdateInode(update) => {
                let of_directory = || self.inodes.get(update.id).is_some_and(|inode| inode.is_directory());
                if !(update.is_of_times_only() && of_directory()) {
                    changes.push(Change::Inode(update.id));
                }
            }
            Entry::UpdateInodeDirectory(update) => changes.push(Change::Inode(update.id)),
            Entry::UpdateInodeFile(update) => changes.push(Change::Inode(update.id)),
            Entry::NewBlock { id } => changes.push(Change::Inode(*id)),
            // What a block is, is told with its file.
            Entry::BlockInfo { id, length: _ } | Entry::DeleteBlock { id } => {
                changes.push(Change::Inode(id.file()));
            }
            Entry::DeleteFile(delete) => self.change_of_place(delete.id, changes),
            Entry::Rename(rename) => {
                self.change_of_place(rename.id, changes);
                changes.push(Change::Edge(rename.new_parent, rename.new_name.as_str().into()));
            }
            Entry::UnlinkTree(unlink) => self.change_of_place(unlink.id, changes),
            Entry::SetAcl(set) => changes.push(Change::Inode(set.id)),
            Entry::AddMountPoint(_)
            | Entry::DeleteMountPoint { .. }
            | Entry::PathProperties(_)
            | Entry::RemovePathProperties { .. }
            | Entry::UpdateUfsMode(_)
            | Entry::AddSyncPoint(_)
            | Entry::RemoveSyncPoint(_) => changes.push(Change::Mounts),
            Entry::InodeDirectoryIdGenerator { .. }
            | Entry::BlockContainerIdGenerator { .. }
            | Entry::ClusterInfo { .. }
            | Entry::Answered(_)
            | Entry::CollectTree { .. }
            | Entry::UfsIntent(_)
            | Entry::UfsIntentSettled { .. }
            | Entry::PersistTime { .. } => {}
        }
    }

    fn change_of_place(&self, id: InodeId, changes: &mut Vec<Change>) {
        if let Some(inode) = self.inodes.get(id) {
            changes.push(Change::Edge(inode.parent, self.inodes.name(&inode).into()));
            changes.push(Change::Inode(id));
        }
    }
}
