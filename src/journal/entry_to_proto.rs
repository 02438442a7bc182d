//! Pure. Entries that 2.9 has, as its messages. The values are those that a 2.9.6 master writes.

use super::entry::{
    AddMountPoint, DefaultAclUpdate, DeleteFile, InodeDirectory, InodeExtras, InodeFile, Rename, UpdateInode,
    UpdateInodeDirectory, UpdateInodeFile,
};
use super::entry_extras_proto::{acl_to_proto, default_acl_to_proto, file_fingerprint};
use crate::proto::alluxio::proto::journal as wire;
use crate::proto::alluxio::proto::shared;
use crate::types::{AccessControlList, AlluxioPath, BlockId, ContentHash, InodeId, TtlAction, Xattrs};

/// Numbers of the fields of `JournalEntry`.
pub(crate) mod field {
    pub(crate) const ADD_MOUNT_POINT: u32 = 2;
    pub(crate) const BLOCK_CONTAINER_ID_GENERATOR: u32 = 3;
    pub(crate) const BLOCK_INFO: u32 = 4;
    pub(crate) const DELETE_FILE: u32 = 6;
    pub(crate) const DELETE_MOUNT_POINT: u32 = 8;
    pub(crate) const INODE_DIRECTORY: u32 = 9;
    pub(crate) const INODE_DIRECTORY_ID_GENERATOR: u32 = 10;
    pub(crate) const INODE_FILE: u32 = 11;
    pub(crate) const RENAME: u32 = 19;
    pub(crate) const DELETE_BLOCK: u32 = 29;
    pub(crate) const UPDATE_UFS_MODE: u32 = 30;
    pub(crate) const SET_ACL: u32 = 31;
    pub(crate) const ADD_SYNC_POINT: u32 = 32;
    pub(crate) const REMOVE_SYNC_POINT: u32 = 33;
    pub(crate) const UPDATE_INODE: u32 = 35;
    pub(crate) const UPDATE_INODE_DIRECTORY: u32 = 36;
    pub(crate) const UPDATE_INODE_FILE: u32 = 37;
    pub(crate) const NEW_BLOCK: u32 = 38;
    pub(crate) const PATH_PROPERTIES: u32 = 40;
    pub(crate) const REMOVE_PATH_PROPERTIES: u32 = 41;
    pub(crate) const CLUSTER_INFO: u32 = 42;
}

pub(crate) fn directory_generator_of(container: i64, sequence: i64) -> wire::InodeDirectoryIdGeneratorEntry {
    wire::InodeDirectoryIdGeneratorEntry { container_id: Some(container), sequence_number: Some(sequence) }
}

pub(crate) fn container_generator_of(next_container: i64) -> wire::BlockContainerIdGeneratorEntry {
    wire::BlockContainerIdGeneratorEntry { next_container_id: Some(next_container) }
}

pub(crate) fn block_info_of(id: BlockId, length: i64) -> wire::BlockInfoEntry {
    // Where its copies are is not journaled by 2.9 either.
    wire::BlockInfoEntry { block_id: Some(id.0), length: Some(length), block_location: None }
}

pub(crate) fn delete_block_of(id: BlockId) -> wire::DeleteBlockEntry {
    wire::DeleteBlockEntry { block_id: Some(id.0) }
}

pub(crate) fn new_block_of(file: InodeId) -> wire::NewBlockEntry {
    wire::NewBlockEntry { id: Some(file.0) }
}

pub(crate) fn cluster_info_of(cluster_id: &str) -> wire::ClusterInfoEntry {
    wire::ClusterInfoEntry { cluster_id: Some(cluster_id.to_owned()) }
}

pub(crate) fn directory_update_of(update: &UpdateInodeDirectory) -> wire::UpdateInodeDirectoryEntry {
    wire::UpdateInodeDirectoryEntry {
        id: Some(update.id.0),
        mount_point: update.mount_point,
        direct_children_loaded: update.direct_children_loaded,
        default_acl: update.default_acl.as_deref().map(|acl| match acl {
            DefaultAclUpdate::Replace(acl) => default_acl_to_proto("", "", Some(acl)),
            DefaultAclUpdate::Remove => default_acl_to_proto("", "", None),
        }),
    }
}

pub(crate) fn mount_of(mount: &AddMountPoint) -> wire::AddMountPointEntry {
    let property =
        |(key, value): &(String, String)| wire::StringPairEntry { key: Some(key.clone()), value: Some(value.clone()) };
    wire::AddMountPointEntry {
        alluxio_path: Some(mount.path.to_string()),
        ufs_path: Some(mount.ufs_path.clone()),
        read_only: Some(mount.read_only),
        properties: mount.properties.iter().map(property).collect(),
        shared: Some(mount.shared),
        mount_id: Some(mount.mount_id),
    }
}

pub(crate) fn unmount_of(path: &AlluxioPath) -> wire::DeleteMountPointEntry {
    wire::DeleteMountPointEntry { alluxio_path: Some(path.to_string()) }
}

pub(crate) fn delete_of(delete: &DeleteFile) -> wire::DeleteFileEntry {
    wire::DeleteFileEntry {
        id: Some(delete.id.0),
        recursive: Some(false),
        op_time_ms: Some(delete.op_time_ms),
        // Compatible: 2.9 writes the field only when it is set.
        alluxio_only: delete.alluxio_only.then_some(true),
        path: Some(delete.path.to_string()),
    }
}

pub(crate) fn rename_of(rename: &Rename) -> wire::RenameEntry {
    wire::RenameEntry {
        id: Some(rename.id.0),
        dst_path: None,
        op_time_ms: Some(rename.op_time_ms),
        new_parent_id: Some(rename.new_parent.0),
        new_name: Some(rename.new_name.clone()),
        path: Some(rename.path.to_string()),
        new_path: Some(rename.new_path.to_string()),
    }
}

pub(crate) fn directory_of(directory: &InodeDirectory) -> wire::InodeDirectoryEntry {
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
        acl: list_of(&directory.extras, &directory.owner, &directory.group, directory.mode),
        default_acl: directory.extras.as_ref().and_then(|extras| {
            let acl = extras.default_acl.as_ref()?;
            Some(default_acl_to_proto(&directory.owner, &directory.group, Some(acl)))
        }),
        path: Some(directory.path.to_string()),
        medium_type: media_of(&directory.extras),
        x_attr: xattrs_of(&directory.extras),
        last_access_time_ms: Some(directory.access_time_ms),
    }
}

pub(crate) fn file_of(file: &InodeFile) -> wire::InodeFileEntry {
    let hash = file.extras.as_ref().map_or(&ContentHash::Unknown, |extras| &extras.content_hash);
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
        ufs_fingerprint: Some(file_fingerprint(hash, &file.owner, &file.group, file.mode)),
        acl: list_of(&file.extras, &file.owner, &file.group, file.mode),
        replication_max: Some(file.replication.max),
        replication_min: Some(file.replication.min),
        // An unset number would be read as 0 by 2.9, which is a job.
        persist_job_id: Some(-1),
        temp_ufs_path: Some(String::new()),
        replication_durable: Some(file.replication.durable),
        path: Some(file.path.to_string()),
        medium_type: media_of(&file.extras),
        should_persist_time: None,
        x_attr: xattrs_of(&file.extras),
        last_access_time_ms: Some(file.access_time_ms),
    }
}

pub(crate) fn update_of(update: &UpdateInode) -> wire::UpdateInodeEntry {
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
        acl: update.acl.as_deref().map(acl_to_proto),
        ufs_fingerprint: update.content_hash.as_ref().map(ContentHash::fingerprint),
        medium_type: update.media.iter().cloned().collect(),
        x_attr: update.xattr.as_ref().map(|xattr| xattr.values.clone()).unwrap_or_default(),
        last_access_time_ms: update.access_time_ms,
        overwrite_access_time: update.overwrite_access_time,
        x_attr_update_strategy: update.xattr.as_ref().map(|xattr| xattr.strategy as i32),
    }
}

pub(crate) fn file_update_of(update: &UpdateInodeFile) -> wire::UpdateInodeFileEntry {
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

/// The whole list of an inode in which somebody is named; it repeats owner, group and bits.
fn list_of(
    extras: &Option<Box<InodeExtras>>,
    owner: &str,
    group: &str,
    mode: u16,
) -> Option<shared::AccessControlList> {
    let extended = extras.as_ref()?.acl.clone();
    let whole = |extended| AccessControlList { owner: owner.into(), group: group.into(), mode, extended };
    extended.map(|extended| acl_to_proto(&whole(Some(extended))))
}

fn media_of(extras: &Option<Box<InodeExtras>>) -> Vec<String> {
    extras.as_ref().map(|extras| extras.media.iter().cloned().collect()).unwrap_or_default()
}

fn xattrs_of(extras: &Option<Box<InodeExtras>>) -> Xattrs {
    extras.as_ref().map(|extras| extras.xattr.clone()).unwrap_or_default()
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
