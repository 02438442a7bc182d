//! `MasterState::apply`: live, on a standby and at restart the same.
//!
//! Computes nothing new. Each entry is checked against the state before anything is changed.

use super::{Inode, InodeKind, MasterState};
use crate::journal::entry::{AT_ONCE, Answered, Corrupt, Entry, UfsIntent};
use crate::types::time::Millis;
use crate::types::{BlockId, InodeId, PersistenceState};
use std::sync::Arc;

/// None: an entry fits, and is applied. Else why it does not.
pub(super) type Applied = Result<(), String>;

impl MasterState {
    /// Changes the state as the entry says.
    ///
    /// # Errors
    /// An entry that does not fit the state: the journal is damaged, or was written by a master with another state.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), Corrupt> {
        let fits = |object: String| move |reason: String| Corrupt::new(object, reason);
        match entry {
            Entry::InodeDirectoryIdGenerator { container, sequence } => self
                .ids
                .set_directories(*container, *sequence)
                .map_err(fits(format!("directory id generator {container}, {sequence}"))),
            Entry::BlockContainerIdGenerator { next_container } => {
                self.ids.reserve(*next_container).map_err(fits(format!("container id generator {next_container}")))
            }
            Entry::InodeDirectory(directory) => self
                .add_directory(directory)
                .map_err(|reason| Corrupt::new(format!("new directory {} {}", directory.id, directory.path), reason)),
            Entry::InodeFile(file) => self
                .add_file(file)
                .map_err(|reason| Corrupt::new(format!("new file {} {}", file.id, file.path), reason)),
            Entry::UpdateInode(update) => {
                self.update(update).map_err(|reason| Corrupt::new(format!("update of inode {}", update.id), reason))
            }
            Entry::UpdateInodeDirectory(update) => self
                .update_directory(update)
                .map_err(|reason| Corrupt::new(format!("update of directory {}", update.id), reason)),
            Entry::UpdateInodeFile(update) => {
                self.update_file(update).map_err(|reason| Corrupt::new(format!("update of file {}", update.id), reason))
            }
            Entry::NewBlock { id } => {
                self.add_block(*id).map_err(|reason| Corrupt::new(format!("new block of file {id}"), reason))
            }
            Entry::BlockInfo { id, length } => self
                .commit_block(*id, *length)
                .map_err(|reason| Corrupt::new(format!("block {id} of {length} bytes"), reason)),
            Entry::DeleteBlock { id } => {
                self.delete_block(*id).map_err(|reason| Corrupt::new(format!("delete of block {id}"), reason))
            }
            Entry::DeleteFile(delete) => self
                .delete(delete)
                .map_err(|reason| Corrupt::new(format!("delete of inode {} {}", delete.id, delete.path), reason)),
            Entry::Rename(rename) => self.rename(rename).map_err(|reason| {
                Corrupt::new(format!("rename of inode {} {} to {}", rename.id, rename.path, rename.new_path), reason)
            }),
            Entry::ClusterInfo { cluster_id } => self.set_cluster_id(cluster_id).map_err(fits("cluster info".into())),
            Entry::AddMountPoint(mount) => self.mounts.add(mount).map_err(fits(format!("mount at {}", mount.path))),
            Entry::DeleteMountPoint { path } => self.mounts.remove(path).map_err(fits(format!("unmount of {path}"))),
            Entry::SetAcl(set) => {
                self.set_acl(set).map_err(|reason| Corrupt::new(format!("access list of inode {}", set.id), reason))
            }
            Entry::PathProperties(_)
            | Entry::RemovePathProperties { .. }
            | Entry::UpdateUfsMode(_)
            | Entry::AddSyncPoint(_)
            | Entry::RemoveSyncPoint(_) => self.admin.apply(entry).map_err(fits(format!("setting {entry:?}"))),
            Entry::Answered(answered) => self.keep_answer(answered).map_err(fits("first answer".into())),
            Entry::UnlinkTree(unlink) => self
                .unlink_tree(unlink)
                .map_err(|reason| Corrupt::new(format!("unlink of tree {} {}", unlink.id, unlink.path), reason)),
            Entry::CollectTree { ids } => ids.iter().try_for_each(|id| {
                self.collect(*id).map_err(|reason| Corrupt::new(format!("collection of inode {id}"), reason))
            }),
            Entry::UfsIntent(intent) => {
                self.begin(intent).map_err(fits(format!("intent for inode {} {}", intent.inode, intent.path)))
            }
            Entry::UfsIntentSettled { inode } => {
                self.settle(*inode).map_err(fits(format!("end of the intent for inode {inode}")))
            }
            Entry::PersistTime { inode, time_ms } => {
                self.set_persist_time(*inode, *time_ms).map_err(fits(format!("time to persist of inode {inode}")))
            }
        }
    }

    fn add_block(&mut self, id: InodeId) -> Applied {
        let mut inode = self.inode(id)?;
        let InodeKind::File { blocks, .. } = &mut inode.kind else {
            return Err("it is a directory".into());
        };
        if i64::from(*blocks) >= InodeId::FILE_SEQUENCE {
            return Err("its container has no more blocks".into());
        }
        *blocks += 1;
        self.inodes.update(&inode);
        Ok(())
    }

    fn commit_block(&mut self, id: BlockId, length: i64) -> Applied {
        if self.inode(id.file())?.is_directory() || id.index() == InodeId::FILE_SEQUENCE || length < 0 {
            return Err("it cannot be a block of a file".into());
        }
        self.blocks.set(id, length);
        Ok(())
    }

    fn delete_block(&mut self, id: BlockId) -> Applied {
        if self.blocks.remove(id) { Ok(()) } else { Err("it is not there".into()) }
    }

    fn set_cluster_id(&mut self, cluster_id: &str) -> Applied {
        match &self.cluster_id {
            Some(old) if **old != *cluster_id => Err(format!("this is cluster {old}, not {cluster_id}")),
            _ => {
                self.cluster_id = Some(cluster_id.into());
                Ok(())
            }
        }
    }

    fn keep_answer(&mut self, answered: &Answered) -> Applied {
        if !self.retries.keep(answered) {
            return Err(format!("operation {:?} has an answer already", answered.operation_id));
        }
        self.passed(answered.op_time_ms);
        Ok(())
    }

    fn begin(&mut self, intent: &UfsIntent) -> Applied {
        match intent.new_directory() {
            None => drop(self.inode(intent.inode)?),
            Some(directory) if directory.id != intent.inode => return Err("it makes another inode".into()),
            Some(_) if self.inodes.get(intent.inode).is_some() => return Err("it is there already".into()),
            Some(directory) => drop(self.directory(directory.parent)?),
        }
        self.passed(intent.op_time_ms);
        match Arc::make_mut(&mut self.intents).insert(intent.inode, intent.clone()) {
            Some(_) => Err("it has one already".into()),
            None => Ok(()),
        }
    }

    fn settle(&mut self, inode: InodeId) -> Applied {
        match Arc::make_mut(&mut self.intents).remove(&inode) {
            Some(_) => Ok(()),
            None => Err("it has none".into()),
        }
    }

    fn set_persist_time(&mut self, id: InodeId, time_ms: i64) -> Applied {
        match time_ms {
            _ if !waits_to_be_persisted(&self.inode(id)?) => return Err("it does not wait to be persisted".into()),
            AT_ONCE => self.forget_persist_time(id),
            later => {
                Arc::make_mut(&mut self.persist_times).insert(id, later);
            }
        }
        Ok(())
    }

    /// Who is persisted, or goes, waits no longer.
    pub(super) fn forget_persist_time(&mut self, id: InodeId) {
        if self.persist_times.contains_key(&id) {
            Arc::make_mut(&mut self.persist_times).remove(&id);
        }
    }

    pub(super) fn inode(&self, id: InodeId) -> Result<Inode, String> {
        self.inodes.get(id).ok_or_else(|| format!("inode {id} does not exist"))
    }

    pub(super) fn directory(&self, id: InodeId) -> Result<Inode, String> {
        let inode = self.inode(id)?;
        if inode.is_directory() { Ok(inode) } else { Err(format!("inode {id} is not a directory")) }
    }

    pub(super) fn passed(&mut self, time_ms: i64) {
        self.last_time = self.last_time.max(Millis(time_ms));
    }
}

/// Only such a file has a time at which it is persisted.
pub(super) fn waits_to_be_persisted(inode: &Inode) -> bool {
    !inode.is_directory() && inode.persistence == PersistenceState::ToBePersisted
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
