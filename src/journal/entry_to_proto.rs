//! [pure] Entries that 2.9 has, as its messages. The values are those that a 2.9.6 master writes.

use super::entry::{Entry, InodeDirectory, InodeFile, UpdateInode, UpdateInodeDirectory, UpdateInodeFile};
use crate::proto::alluxio::proto::journal as wire;
use crate::types::{BlockId, TtlAction};

/// The message of an entry that 2.9 has.
///
/// # Panics
/// Our own kinds have no such message; the caller has taken them away.
pub(super) fn journal_entry_of(entry: &Entry) -> wire::JournalEntry {
    let mut message = wire::JournalEntry::default();
    match entry {
        Entry::InodeDirectoryIdGenerator { container, sequence } => {
            message.inode_directory_id_generator = Some(wire::InodeDirectoryIdGeneratorEntry {
                container_id: Some(*container),
                sequence_number: Some(*sequence),
            });
        }
        Entry::BlockContainerIdGenerator { next_container } => {
            message.block_container_id_generator =
                Some(wire::BlockContainerIdGeneratorEntry { next_container_id: Some(*next_container) });
        }
        Entry::InodeDirectory(directory) => message.inode_directory = Some(directory_of(directory)),
        Entry::InodeFile(file) => message.inode_file = Some(file_of(file)),
        Entry::UpdateInode(update) => message.update_inode = Some(update_of(update)),
        Entry::UpdateInodeDirectory(UpdateInodeDirectory { id, mount_point, direct_children_loaded }) => {
            message.update_inode_directory = Some(wire::UpdateInodeDirectoryEntry {
                id: Some(id.0),
                mount_point: *mount_point,
                direct_children_loaded: *direct_children_loaded,
                default_acl: None,
            });
        }
        Entry::UpdateInodeFile(update) => message.update_inode_file = Some(file_update_of(update)),
        Entry::DeleteFile(delete) => {
            message.delete_file = Some(wire::DeleteFileEntry {
                id: Some(delete.id.0),
                recursive: Some(false),
                op_time_ms: Some(delete.op_time_ms),
                // Compatible: 2.9 writes the field only when it is set.
                alluxio_only: delete.alluxio_only.then_some(true),
                path: Some(delete.path.to_string()),
            });
        }
        Entry::Rename(rename) => {
            message.rename = Some(wire::RenameEntry {
                id: Some(rename.id.0),
                dst_path: None,
                op_time_ms: Some(rename.op_time_ms),
                new_parent_id: Some(rename.new_parent.0),
                new_name: Some(rename.new_name.clone()),
                path: Some(rename.path.to_string()),
                new_path: Some(rename.new_path.to_string()),
            });
        }
        Entry::ClusterInfo { cluster_id } => {
            message.cluster_info = Some(wire::ClusterInfoEntry { cluster_id: Some(cluster_id.clone()) });
        }
        Entry::Answered(_) | Entry::UnlinkTree(_) | Entry::CollectTree { .. } => {
            unreachable!("our own kinds are not messages of 2.9")
        }
    }
    message
}

fn directory_of(directory: &InodeDirectory) -> wire::InodeDirectoryEntry {
    wire::InodeDirectoryEntry {
        id: Some(directory.id.0),
        parent_id: Some(directory.parent.0),
        name: Some(directory.name.clone()),
        persistence_state: Some(directory.persistence.text().to_owned()),
        pinned: Some(directory.pinned),
        creation_time_ms: Some(directory.creation_time_ms),
        last_modification_time_ms: Some(directory.modification_time_ms),
        owner: Some(directory.owner.clone()),
        group: Some(directory.group.clone()),
        mode: Some(i32::from(directory.mode)),
        mount_point: Some(directory.mount_point),
        direct_children_loaded: Some(directory.direct_children_loaded),
        ttl: Some(directory.ttl_ms),
        ttl_action: Some(ttl_action_of(directory.ttl_action)),
        acl: None,
        default_acl: None,
        path: Some(directory.path.to_string()),
        medium_type: Vec::new(),
        x_attr: Default::default(),
        last_access_time_ms: Some(directory.access_time_ms),
    }
}

fn file_of(file: &InodeFile) -> wire::InodeFileEntry {
    wire::InodeFileEntry {
        id: Some(file.id.0),
        parent_id: Some(file.parent.0),
        name: Some(file.name.clone()),
        persistence_state: Some(file.persistence.text().to_owned()),
        pinned: Some(file.pinned),
        creation_time_ms: Some(file.creation_time_ms),
        last_modification_time_ms: Some(file.modification_time_ms),
        block_size_bytes: Some(file.block_size_bytes),
        length: Some(file.length),
        completed: Some(file.completed),
        cacheable: Some(file.cacheable),
        blocks: ids_of(&file.blocks),
        ttl: Some(file.ttl_ms),
        owner: Some(file.owner.clone()),
        group: Some(file.group.clone()),
        mode: Some(i32::from(file.mode)),
        ttl_action: Some(ttl_action_of(file.ttl_action)),
        ufs_fingerprint: Some(String::new()),
        acl: None,
        replication_max: Some(file.replication.max),
        replication_min: Some(file.replication.min),
        // An unset number would be read as 0 by 2.9, which is a job.
        persist_job_id: Some(-1),
        temp_ufs_path: Some(String::new()),
        replication_durable: Some(file.replication.durable),
        path: Some(file.path.to_string()),
        medium_type: Vec::new(),
        should_persist_time: None,
        x_attr: Default::default(),
        last_access_time_ms: Some(file.access_time_ms),
    }
}

fn update_of(update: &UpdateInode) -> wire::UpdateInodeEntry {
    wire::UpdateInodeEntry {
        id: Some(update.id.0),
        parent_id: None,
        name: None,
        persistence_state: update.persistence.map(|state| state.text().to_owned()),
        pinned: update.pinned,
        creation_time_ms: None,
        last_modification_time_ms: update.modification_time_ms,
        overwrite_modification_time: update.overwrite_modification_time,
        owner: update.owner.clone(),
        group: update.group.clone(),
        mode: update.mode.map(i32::from),
        ttl: update.ttl_ms,
        ttl_action: update.ttl_action.map(ttl_action_of),
        acl: None,
        ufs_fingerprint: None,
        medium_type: Vec::new(),
        x_attr: Default::default(),
        last_access_time_ms: update.access_time_ms,
        overwrite_access_time: update.overwrite_access_time,
        x_attr_update_strategy: None,
    }
}

fn file_update_of(update: &UpdateInodeFile) -> wire::UpdateInodeFileEntry {
    wire::UpdateInodeFileEntry {
        id: Some(update.id.0),
        block_size_bytes: update.block_size_bytes,
        length: update.length,
        completed: update.completed,
        cacheable: update.cacheable,
        set_blocks: ids_of(&update.blocks),
        replication_max: update.replication_max,
        replication_min: update.replication_min,
        persist_job_id: None,
        temp_ufs_path: None,
        path: update.path.as_ref().map(ToString::to_string),
    }
}

fn ids_of(blocks: &[BlockId]) -> Vec<i64> {
    blocks.iter().map(|block| block.0).collect()
}

fn ttl_action_of(action: TtlAction) -> i32 {
    let action = match action {
        TtlAction::Delete => wire::PTtlAction::Delete,
        TtlAction::Free => wire::PTtlAction::Free,
        TtlAction::DeleteAlluxio => wire::PTtlAction::DeleteAlluxio,
    };
    action as i32
}
