//! The part of `apply` that makes, changes, moves and removes inodes.

use super::apply::{Applied, waits_to_be_persisted};
use super::apply_extras::check;
use super::{Inode, InodeKind, MasterState, NAME_BYTES_MAX};
use crate::journal::entry::{
    DeleteFile, InodeDirectory, InodeFile, Rename, UnlinkTree, UpdateInode, UpdateInodeDirectory, UpdateInodeFile,
};
use crate::types::{BlockId, InodeId, InodeType};
use std::sync::Arc;

impl MasterState {
    pub(super) fn add_directory(&mut self, new: &InodeDirectory) -> Applied {
        if new.id.0 & InodeId::FILE_SEQUENCE == InodeId::FILE_SEQUENCE || new.id.container() >= self.ids.next_container
        {
            return Err("the id was not given to a directory".into());
        }
        check(InodeType::Directory, new.extras.as_deref())?;
        let kind = InodeKind::Directory {
            children: 0,
            mount_point: new.mount_point,
            direct_children_loaded: new.direct_children_loaded,
        };
        let inode = Inode {
            id: new.id,
            parent: new.parent,
            kind,
            creation_time_ms: new.creation_time_ms,
            modification_time_ms: new.modification_time_ms,
            access_time_ms: new.access_time_ms,
            ttl_ms: new.ttl_ms,
            ttl_action: new.ttl_action,
            mode: new.mode,
            persistence: new.persistence,
            pinned: new.pinned,
            owner: self.inodes.users.number(&new.owner),
            group: self.inodes.users.number(&new.group),
            name: Inode::NO_NAME,
            slot: Inode::NO_SLOT,
            content: None,
            has_extras: false,
        };
        if new.id == InodeId::ROOT {
            if self.inodes.count() > 0 || new.parent != InodeId::NONE || !new.name.is_empty() {
                return Err("the root is the first inode, without name and parent".into());
            }
            self.inodes.insert(inode, "");
            self.passed(new.creation_time_ms);
        } else {
            self.add(inode, &new.name)?;
        }
        self.add_extras(new.id, new.extras.as_deref())
    }

    pub(super) fn add_file(&mut self, new: &InodeFile) -> Applied {
        if new.id.0 & InodeId::FILE_SEQUENCE != InodeId::FILE_SEQUENCE {
            return Err("the id is not that of a file".into());
        }
        check(InodeType::File, new.extras.as_deref())?;
        self.ids.check_container(new.id.container())?;
        let kind = InodeKind::File {
            length: new.length,
            block_size_bytes: new.block_size_bytes,
            blocks: number_of_blocks(new.id, &new.blocks)?,
            completed: new.completed,
            cacheable: new.cacheable,
            replication: new.replication,
        };
        let inode = Inode {
            id: new.id,
            parent: new.parent,
            kind,
            creation_time_ms: new.creation_time_ms,
            modification_time_ms: new.modification_time_ms,
            access_time_ms: new.access_time_ms,
            ttl_ms: new.ttl_ms,
            ttl_action: new.ttl_action,
            mode: new.mode,
            persistence: new.persistence,
            pinned: new.pinned,
            owner: self.inodes.users.number(&new.owner),
            group: self.inodes.users.number(&new.group),
            name: Inode::NO_NAME,
            slot: Inode::NO_SLOT,
            content: None,
            has_extras: false,
        };
        self.add(inode, &new.name)?;
        self.add_extras(new.id, new.extras.as_deref())?;
        self.ids.use_container(new.id.container())
    }

    fn add(&mut self, inode: Inode, name: &str) -> Applied {
        check_name(name)?;
        let mut parent = self.directory(inode.parent)?;
        if !self.inodes.insert(inode, name) {
            return Err(format!("the id is taken, or the name {name:?} in directory {}", inode.parent));
        }
        parent.count_children(1);
        self.inodes.update(&parent);
        self.passed(inode.creation_time_ms);
        Ok(())
    }

    pub(super) fn update(&mut self, update: &UpdateInode) -> Applied {
        let mut inode = self.inode(update.id)?;
        self.update_extras(&mut inode, update)?;
        if let Some(owner) = update.owner.as_deref().filter(|owner| !owner.is_empty()) {
            inode.owner = self.inodes.users.number(owner);
        }
        if let Some(group) = update.group.as_deref().filter(|group| !group.is_empty()) {
            inode.group = self.inodes.users.number(group);
        }
        inode.mode = update.mode.unwrap_or(inode.mode);
        inode.persistence = update.persistence.unwrap_or(inode.persistence);
        inode.ttl_ms = update.ttl_ms.unwrap_or(inode.ttl_ms);
        inode.ttl_action = update.ttl_action.unwrap_or(inode.ttl_action);
        if let Some(time) = update.modification_time_ms {
            let floor =
                if update.overwrite_modification_time == Some(true) { time } else { inode.modification_time_ms };
            inode.modification_time_ms = floor.max(time);
            self.passed(time);
        }
        if let Some(time) = update.access_time_ms {
            let floor = if update.overwrite_access_time == Some(true) { time } else { inode.access_time_ms };
            inode.access_time_ms = floor.max(time);
        }
        if let Some(pinned) = update.pinned {
            inode.pin(pinned);
        }
        self.inodes.update(&inode);
        if !waits_to_be_persisted(&inode) {
            self.forget_persist_time(inode.id);
        }
        Ok(())
    }

    pub(super) fn update_directory(&mut self, update: &UpdateInodeDirectory) -> Applied {
        let mut inode = self.directory(update.id)?;
        if let InodeKind::Directory { mount_point, direct_children_loaded, .. } = &mut inode.kind {
            *mount_point = update.mount_point.unwrap_or(*mount_point);
            *direct_children_loaded = update.direct_children_loaded.unwrap_or(*direct_children_loaded);
        }
        if let Some(acl) = &update.default_acl {
            self.set_default_acl(&mut inode, acl);
        }
        self.inodes.update(&inode);
        Ok(())
    }

    pub(super) fn update_file(&mut self, update: &UpdateInodeFile) -> Applied {
        let mut inode = self.inode(update.id)?;
        let InodeKind::File { length, block_size_bytes, blocks, completed, cacheable, replication } = &mut inode.kind
        else {
            return Err("it is a directory".into());
        };
        *length = update.length.unwrap_or(*length);
        *block_size_bytes = update.block_size_bytes.unwrap_or(*block_size_bytes);
        *completed = update.completed.unwrap_or(*completed);
        *cacheable = update.cacheable.unwrap_or(*cacheable);
        replication.min = update.replication_min.unwrap_or(replication.min);
        replication.max = update.replication_max.unwrap_or(replication.max);
        if !update.blocks.is_empty() {
            *blocks = number_of_blocks(update.id, &update.blocks)?;
        }
        self.inodes.update(&inode);
        Ok(())
    }

    /// Who goes leaves no blocks behind.
    fn check_blocks_are_gone(&self, inode: &Inode) -> Applied {
        let left = if inode.is_directory() { None } else { self.blocks.of_container(inode.id.container()).next() };
        left.map_or(Ok(()), |block| Err(format!("it still has block {block}")))
    }

    pub(super) fn delete(&mut self, delete: &DeleteFile) -> Applied {
        let inode = self.inode(delete.id)?;
        if inode.children() > 0 {
            return Err(format!("it has {} children", inode.children()));
        }
        self.check_blocks_are_gone(&inode)?;
        self.cut_off(&inode, delete.op_time_ms)?;
        self.forget_persist_time(inode.id);
        self.inodes.remove(&inode);
        Ok(())
    }

    pub(super) fn rename(&mut self, rename: &Rename) -> Applied {
        check_name(&rename.new_name)?;
        let mut inode = self.inode(rename.id)?;
        let mut old_parent = self.directory(inode.parent)?;
        let mut new_parent = self.directory(rename.new_parent)?;
        if inode.is_directory() && self.is_below(rename.new_parent, |id| id == rename.id) {
            return Err("a directory cannot be moved below itself".into());
        }
        if !self.inodes.relink(&mut inode, rename.new_parent, &rename.new_name) {
            return Err(format!("the name {:?} is taken in directory {}", rename.new_name, rename.new_parent));
        }
        old_parent.raise_times(rename.op_time_ms);
        if old_parent.id != new_parent.id {
            old_parent.count_children(-1);
            new_parent.count_children(1);
            new_parent.raise_times(rename.op_time_ms);
            self.inodes.update(&new_parent);
        }
        self.inodes.update(&old_parent);
        self.passed(rename.op_time_ms);
        Ok(())
    }

    pub(super) fn unlink_tree(&mut self, unlink: &UnlinkTree) -> Applied {
        let inode = self.directory(unlink.id)?;
        self.cut_off(&inode, unlink.op_time_ms)?;
        Arc::make_mut(&mut self.unlinked).insert(unlink.id);
        Ok(())
    }

    /// Frees one inode of an unlinked tree.
    pub(super) fn collect(&mut self, id: InodeId) -> Applied {
        let inode = self.inode(id)?;
        if inode.children() > 0 {
            return Err(format!("it has {} children", inode.children()));
        }
        self.check_blocks_are_gone(&inode)?;
        if !self.is_below(id, |id| self.unlinked.contains(&id)) {
            return Err("it is not in an unlinked tree".into());
        }
        if self.unlinked.contains(&id) {
            Arc::make_mut(&mut self.unlinked).remove(&id);
        } else {
            let mut parent = self.directory(inode.parent)?;
            if !self.inodes.remove_edge(&inode) {
                return Err("there is no edge to it".into());
            }
            parent.count_children(-1);
            self.inodes.update(&parent);
        }
        self.forget_persist_time(id);
        self.inodes.remove(&inode);
        Ok(())
    }

    /// Takes the edge to an inode away, and lets its parent know.
    fn cut_off(&mut self, inode: &Inode, op_time_ms: i64) -> Applied {
        let mut parent = self.directory(inode.parent)?;
        if !self.inodes.remove_edge(inode) {
            return Err("there is no edge to it".into());
        }
        parent.count_children(-1);
        parent.raise_times(op_time_ms);
        self.inodes.update(&parent);
        self.passed(op_time_ms);
        Ok(())
    }

    /// Whether `id`, or an inode above it, is one of those.
    fn is_below(&self, id: InodeId, one_of: impl Fn(InodeId) -> bool) -> bool {
        let mut at = Some(id);
        while let Some(id) = at {
            if one_of(id) {
                return true;
            }
            at = self.inodes.get(id).map(|inode| inode.parent);
        }
        false
    }
}

/// Names are single components of a path.
fn check_name(name: &str) -> Applied {
    match name {
        "" | "." | ".." => Err(format!("{name:?} is no name")),
        _ if name.contains('/') || name.len() > NAME_BYTES_MAX => Err("the name is no single component".into()),
        _ => Ok(()),
    }
}

/// How many blocks a file has; they must be the first of its container, as all generations number them.
fn number_of_blocks(file: InodeId, blocks: &[BlockId]) -> Result<u32, String> {
    let expected = (0..).map(|index| BlockId::of(file.container(), index));
    match blocks.iter().zip(expected).find(|(block, expected)| *block != expected) {
        Some((block, expected)) => Err(format!("block {} stands where {} belongs", block.0, expected.0)),
        None => u32::try_from(blocks.len()).map_err(|_| "too many blocks".into()),
    }
}
