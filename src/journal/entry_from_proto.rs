//! Pure. Messages of 2.9 as entries. Every field of a message is taken or refused by name; the patterns have no
//! `..`, so that a new field cannot be forgotten.

use super::entry::{
    AddMountPoint, DeleteFile, Entry, InodeDirectory, InodeExtras, InodeFile, Rename, Replication, UpdateInode,
    UpdateInodeDirectory, UpdateInodeFile,
};
use super::entry_codec::{message, only_field_of};
use super::entry_extras_proto as extras;
use super::entry_to_proto::field;
use crate::proto::alluxio::proto::journal as wire;
use crate::proto::alluxio::proto::shared::AccessControlList as WireAcl;
use crate::types::{AlluxioPath, BlockId, ContentHash, ExtendedAcl, InodeId, PersistenceState, TtlAction};

/// The entry in the bytes of a `JournalEntry`, which has many fields of which exactly one is set.
///
/// The field is read by its number and the message in it alone: the whole `JournalEntry` has some kilobytes in memory,
/// which would make a replay three times slower.
pub(super) fn entry_of(bytes: &[u8]) -> Result<Entry, String> {
    let (field, body) = only_field_of(bytes)?;
    match field {
        field::ADD_MOUNT_POINT => mount_of(message(body)?),
        field::BLOCK_CONTAINER_ID_GENERATOR => container_generator_of(message(body)?),
        field::BLOCK_INFO => block_info_of(message(body)?),
        field::CLUSTER_INFO => cluster_info_of(message(body)?),
        field::DELETE_BLOCK => delete_block_of(message(body)?),
        field::DELETE_FILE => delete_of(message(body)?),
        field::DELETE_MOUNT_POINT => unmount_of(message(body)?),
        field::INODE_DIRECTORY => directory_of(message(body)?).map(Entry::InodeDirectory),
        field::INODE_DIRECTORY_ID_GENERATOR => directory_generator_of(message(body)?),
        field::INODE_FILE => file_of(message(body)?),
        field::NEW_BLOCK => new_block_of(message(body)?),
        field::RENAME => rename_of(message(body)?),
        field::UPDATE_INODE => update_of(message(body)?),
        field::UPDATE_INODE_DIRECTORY => directory_update_of(message(body)?),
        field::UPDATE_INODE_FILE => file_update_of(message(body)?),
        field::SET_ACL => extras::set_acl_of(message(body)?).map(Entry::SetAcl),
        field::PATH_PROPERTIES => extras::path_properties_of(message(body)?),
        field::REMOVE_PATH_PROPERTIES => extras::removed_properties_of(message(body)?),
        field::UPDATE_UFS_MODE => extras::ufs_mode_of(message(body)?),
        field::ADD_SYNC_POINT => extras::sync_point_of(message(body)?).map(Entry::AddSyncPoint),
        field::REMOVE_SYNC_POINT => extras::removed_sync_point_of(message(body)?).map(Entry::RemoveSyncPoint),
        other => {
            let name =
                NOT_KEPT.iter().find(|(number, _)| *number == other).map_or("an unknown field", |(_, name)| name);
            Err(format!("journal entry: this program cannot keep what {name} ({other}) says"))
        }
    }
}

/// What a 2.9 journal may say and ours does not.
const NOT_KEPT: [(u32, &str); 9] = [
    (1, "sequence_number"),
    (5, "complete_file"),
    (12, "inode_last_modification_time"),
    (15, "persist_directory"),
    (16, "async_persist_request"),
    (27, "set_attribute"),
    (34, "active_sync_tx_id"),
    (39, "journal_entries"),
    (52, "operationId"),
];

fn container_generator_of(entry: wire::BlockContainerIdGeneratorEntry) -> Result<Entry, String> {
    let wire::BlockContainerIdGeneratorEntry { next_container_id } = entry;
    let kind = "block_container_id_generator";
    Ok(Entry::BlockContainerIdGenerator { next_container: need(kind, "next_container_id", next_container_id)? })
}

fn block_info_of(entry: wire::BlockInfoEntry) -> Result<Entry, String> {
    let wire::BlockInfoEntry { block_id, length, block_location } = entry;
    let kind = "block_info";
    refuse(kind, [("block_location", block_location.is_some())])?;
    Ok(Entry::BlockInfo { id: BlockId(need(kind, "block_id", block_id)?), length: need(kind, "length", length)? })
}

fn delete_block_of(entry: wire::DeleteBlockEntry) -> Result<Entry, String> {
    let wire::DeleteBlockEntry { block_id } = entry;
    Ok(Entry::DeleteBlock { id: BlockId(need("delete_block", "block_id", block_id)?) })
}

pub(crate) fn new_block_of(entry: wire::NewBlockEntry) -> Result<Entry, String> {
    let wire::NewBlockEntry { id } = entry;
    Ok(Entry::NewBlock { id: InodeId(need("new_block", "id", id)?) })
}

pub(crate) fn cluster_info_of(entry: wire::ClusterInfoEntry) -> Result<Entry, String> {
    let wire::ClusterInfoEntry { cluster_id } = entry;
    Ok(Entry::ClusterInfo { cluster_id: need("cluster_info", "cluster_id", cluster_id)? })
}

fn delete_of(entry: wire::DeleteFileEntry) -> Result<Entry, String> {
    let wire::DeleteFileEntry { id, recursive, op_time_ms, alluxio_only, path } = entry;
    let kind = "delete_file";
    // 1.x takes a whole tree with it; ours and those of 2.9 name each inode.
    refuse(kind, [("recursive", recursive != Some(false)), ("alluxioOnly = false", alluxio_only == Some(false))])?;
    Ok(Entry::DeleteFile(DeleteFile {
        id: InodeId(need(kind, "id", id)?),
        op_time_ms: need(kind, "op_time_ms", op_time_ms)?,
        alluxio_only: alluxio_only.is_some(),
        path: path_of(kind, path)?,
    }))
}

pub(crate) fn mount_of(entry: wire::AddMountPointEntry) -> Result<Entry, String> {
    let wire::AddMountPointEntry { alluxio_path, ufs_path, read_only, properties, shared, mount_id } = entry;
    let kind = "add_mount_point";
    let property = |pair: wire::StringPairEntry| {
        let wire::StringPairEntry { key, value } = pair;
        Ok::<_, String>((need(kind, "key", key)?, need(kind, "value", value)?))
    };
    Ok(Entry::AddMountPoint(AddMountPoint {
        path: path_of(kind, alluxio_path)?,
        ufs_path: need(kind, "ufs_path", ufs_path)?,
        read_only: need(kind, "readOnly", read_only)?,
        shared: need(kind, "shared", shared)?,
        properties: properties.into_iter().map(property).collect::<Result<_, _>>()?,
        mount_id: need(kind, "mount_id", mount_id)?,
    }))
}

pub(crate) fn unmount_of(entry: wire::DeleteMountPointEntry) -> Result<Entry, String> {
    let wire::DeleteMountPointEntry { alluxio_path } = entry;
    Ok(Entry::DeleteMountPoint { path: path_of("delete_mount_point", alluxio_path)? })
}

pub(crate) fn directory_of(entry: wire::InodeDirectoryEntry) -> Result<InodeDirectory, String> {
    let wire::InodeDirectoryEntry {
        id,
        parent_id,
        name,
        persistence_state,
        pinned,
        creation_time_ms,
        last_modification_time_ms,
        owner,
        group,
        mode,
        mount_point,
        direct_children_loaded,
        ttl,
        ttl_action,
        acl,
        default_acl,
        path,
        medium_type,
        x_attr,
        last_access_time_ms,
    } = entry;
    let kind = "inode_directory";
    let (owner, group) = (need(kind, "owner", owner)?, need(kind, "group", group)?);
    let mode = mode_of(kind, need(kind, "mode", mode)?)?;
    let extras = InodeExtras {
        acl: extended_of(kind, acl, (&owner, &group, mode))?,
        default_acl: default_acl.map(extras::default_acl_of).transpose()?.flatten(),
        xattr: x_attr,
        media: medium_type.into_iter().collect(),
        content_hash: ContentHash::Unknown,
    };
    Ok(InodeDirectory {
        id: InodeId(need(kind, "id", id)?),
        parent: InodeId(need(kind, "parent_id", parent_id)?),
        name: need(kind, "name", name)?,
        path: path_of(kind, path)?,
        creation_time_ms: need(kind, "creation_time_ms", creation_time_ms)?,
        modification_time_ms: need(kind, "last_modification_time_ms", last_modification_time_ms)?,
        access_time_ms: need(kind, "last_access_time_ms", last_access_time_ms)?,
        owner,
        group,
        mode,
        persistence: persistence_of(kind, &need(kind, "persistence_state", persistence_state)?)?,
        pinned: need(kind, "pinned", pinned)?,
        mount_point: need(kind, "mount_point", mount_point)?,
        direct_children_loaded: need(kind, "direct_children_loaded", direct_children_loaded)?,
        ttl_ms: need(kind, "ttl", ttl)?,
        ttl_action: ttl_action_of(kind, need(kind, "ttlAction", ttl_action)?)?,
        extras: extras.boxed(),
    })
}

fn directory_generator_of(entry: wire::InodeDirectoryIdGeneratorEntry) -> Result<Entry, String> {
    let wire::InodeDirectoryIdGeneratorEntry { container_id, sequence_number } = entry;
    let kind = "inode_directory_id_generator";
    Ok(Entry::InodeDirectoryIdGenerator {
        container: need(kind, "container_id", container_id)?,
        sequence: need(kind, "sequence_number", sequence_number)?,
    })
}

pub(crate) fn file_of(entry: wire::InodeFileEntry) -> Result<Entry, String> {
    let wire::InodeFileEntry {
        id,
        parent_id,
        name,
        persistence_state,
        pinned,
        creation_time_ms,
        last_modification_time_ms,
        block_size_bytes,
        length,
        completed,
        cacheable,
        blocks,
        ttl,
        owner,
        group,
        mode,
        ttl_action,
        ufs_fingerprint,
        acl,
        replication_max,
        replication_min,
        persist_job_id,
        temp_ufs_path,
        replication_durable,
        path,
        medium_type,
        should_persist_time,
        x_attr: xattr,
        last_access_time_ms,
    } = entry;
    let kind = "inode_file";
    refuse(
        kind,
        [
            ("persist_job_id", persist_job_id != Some(-1)),
            ("temp_ufs_path", temp_ufs_path.as_deref() != Some("")),
            ("should_persist_time", should_persist_time.is_some()),
        ],
    )?;
    let (owner, group) = (need(kind, "owner", owner)?, need(kind, "group", group)?);
    let mode = mode_of(kind, need(kind, "mode", mode)?)?;
    let acl = extended_of(kind, acl, (&owner, &group, mode))?;
    let content_hash = hash_of(need(kind, "ufs_fingerprint", ufs_fingerprint)?, (&owner, &group, mode))?;
    let extras = InodeExtras { acl, default_acl: None, xattr, media: medium_type.into_iter().collect(), content_hash };
    Ok(Entry::InodeFile(InodeFile {
        id: InodeId(need(kind, "id", id)?),
        parent: InodeId(need(kind, "parent_id", parent_id)?),
        name: need(kind, "name", name)?,
        path: path_of(kind, path)?,
        creation_time_ms: need(kind, "creation_time_ms", creation_time_ms)?,
        modification_time_ms: need(kind, "last_modification_time_ms", last_modification_time_ms)?,
        access_time_ms: need(kind, "last_access_time_ms", last_access_time_ms)?,
        owner,
        group,
        mode,
        persistence: persistence_of(kind, &need(kind, "persistence_state", persistence_state)?)?,
        pinned: need(kind, "pinned", pinned)?,
        ttl_ms: need(kind, "ttl", ttl)?,
        ttl_action: ttl_action_of(kind, need(kind, "ttlAction", ttl_action)?)?,
        length: need(kind, "length", length)?,
        block_size_bytes: need(kind, "block_size_bytes", block_size_bytes)?,
        completed: need(kind, "completed", completed)?,
        cacheable: need(kind, "cacheable", cacheable)?,
        blocks: blocks.into_iter().map(BlockId).collect(),
        replication: replication_of(kind, replication_min, replication_max, replication_durable)?,
        extras: extras.boxed(),
    }))
}

fn rename_of(entry: wire::RenameEntry) -> Result<Entry, String> {
    let wire::RenameEntry { id, dst_path, op_time_ms, new_parent_id, new_name, path, new_path } = entry;
    let kind = "rename";
    refuse(kind, [("dst_path", dst_path.is_some())])?;
    Ok(Entry::Rename(Rename {
        id: InodeId(need(kind, "id", id)?),
        new_parent: InodeId(need(kind, "new_parent_id", new_parent_id)?),
        new_name: need(kind, "new_name", new_name)?,
        op_time_ms: need(kind, "op_time_ms", op_time_ms)?,
        path: path_of(kind, path)?,
        new_path: path_of(kind, new_path)?,
    }))
}

pub(crate) fn update_of(entry: wire::UpdateInodeEntry) -> Result<Entry, String> {
    let wire::UpdateInodeEntry {
        id,
        parent_id,
        name,
        persistence_state,
        pinned,
        creation_time_ms,
        last_modification_time_ms,
        overwrite_modification_time,
        owner,
        group,
        mode,
        ttl,
        ttl_action,
        acl,
        ufs_fingerprint,
        medium_type,
        x_attr,
        last_access_time_ms,
        overwrite_access_time,
        x_attr_update_strategy,
    } = entry;
    let kind = "update_inode";
    refuse(
        kind,
        [
            ("parent_id", parent_id.is_some()),
            ("name", name.is_some()),
            ("creation_time_ms", creation_time_ms.is_some()),
        ],
    )?;
    let content_hash = ufs_fingerprint.as_deref().map(ContentHash::in_fingerprint);
    let kept = content_hash.as_ref().map(ContentHash::fingerprint);
    refuse(kind, [("ufs_fingerprint", ufs_fingerprint != kept)])?;
    Ok(Entry::UpdateInode(UpdateInode {
        id: InodeId(need(kind, "id", id)?),
        owner,
        group,
        mode: mode.map(|mode| mode_of(kind, mode)).transpose()?,
        modification_time_ms: last_modification_time_ms,
        overwrite_modification_time,
        access_time_ms: last_access_time_ms,
        overwrite_access_time,
        persistence: persistence_state.map(|text| persistence_of(kind, &text)).transpose()?,
        pinned,
        ttl_ms: ttl,
        ttl_action: ttl_action.map(|action| ttl_action_of(kind, action)).transpose()?,
        acl: acl.map(extras::acl_of).transpose()?.map(Box::new),
        content_hash,
        media: medium_type.into_iter().collect(),
        xattr: extras::xattr_update_of(x_attr, x_attr_update_strategy)?,
    }))
}

pub(crate) fn directory_update_of(entry: wire::UpdateInodeDirectoryEntry) -> Result<Entry, String> {
    let wire::UpdateInodeDirectoryEntry { id, mount_point, direct_children_loaded, default_acl } = entry;
    let kind = "update_inode_directory";
    let id = InodeId(need(kind, "id", id)?);
    let default_acl = default_acl.map(extras::default_update_of).transpose()?;
    Ok(Entry::UpdateInodeDirectory(UpdateInodeDirectory { id, mount_point, direct_children_loaded, default_acl }))
}

pub(crate) fn file_update_of(entry: wire::UpdateInodeFileEntry) -> Result<Entry, String> {
    let wire::UpdateInodeFileEntry {
        id,
        block_size_bytes,
        length,
        completed,
        cacheable,
        set_blocks,
        replication_max,
        replication_min,
        persist_job_id,
        temp_ufs_path,
        path,
    } = entry;
    let kind = "update_inode_file";
    refuse(kind, [("persist_job_id", persist_job_id.is_some()), ("temp_ufs_path", temp_ufs_path.is_some())])?;
    Ok(Entry::UpdateInodeFile(UpdateInodeFile {
        id: InodeId(need(kind, "id", id)?),
        block_size_bytes,
        length,
        completed,
        cacheable,
        blocks: set_blocks.into_iter().map(BlockId).collect(),
        replication_min,
        replication_max,
        path: path.map(|path| path_of(kind, Some(path))).transpose()?,
    }))
}

/// The part of a list that goes beyond owner, group and bits, which it repeats.
fn extended_of(
    kind: &str,
    list: Option<WireAcl>,
    (owner, group, mode): (&str, &str, u16),
) -> Result<Option<ExtendedAcl>, String> {
    let Some(list) = list.map(extras::acl_of).transpose()? else { return Ok(None) };
    if (list.owner.as_str(), list.group.as_str(), list.mode) != (owner, group, mode) {
        return Err(format!("{kind}: acl says another owner, group or mode"));
    }
    Ok(list.extended)
}

/// The hash in the fingerprint of a file, which says nothing else than what follows from the file.
fn hash_of(fingerprint: String, (owner, group, mode): (&str, &str, u16)) -> Result<ContentHash, String> {
    let hash = ContentHash::in_fingerprint(&fingerprint);
    let kept = extras::file_fingerprint(&hash, owner, group, mode);
    refuse("inode_file", [("ufs_fingerprint", fingerprint != kept)])?;
    Ok(hash)
}

/// Refuses the first of these fields that is there.
fn refuse<const N: usize>(kind: &str, fields: [(&str, bool); N]) -> Result<(), String> {
    match fields.into_iter().find(|(_, there)| *there) {
        Some((field, _)) => Err(format!("{kind}: this program cannot keep what {field} says")),
        None => Ok(()),
    }
}

pub(super) fn need<T>(kind: &str, field: &str, value: Option<T>) -> Result<T, String> {
    value.ok_or_else(|| format!("{kind} without {field}"))
}

fn replication_of(kind: &str, min: Option<i32>, max: Option<i32>, durable: Option<i32>) -> Result<Replication, String> {
    Ok(Replication {
        min: need(kind, "replication_min", min)?,
        max: need(kind, "replication_max", max)?,
        durable: need(kind, "replication_durable", durable)?,
    })
}

pub(super) fn path_of(kind: &str, text: Option<String>) -> Result<AlluxioPath, String> {
    AlluxioPath::parse(&need(kind, "path", text)?).map_err(|e| format!("{kind}: {e}"))
}

fn mode_of(kind: &str, mode: i32) -> Result<u16, String> {
    u16::try_from(mode).ok().filter(|mode| *mode <= 0o777).ok_or_else(|| format!("{kind}: no permission bits: {mode}"))
}

fn persistence_of(kind: &str, text: &str) -> Result<PersistenceState, String> {
    PersistenceState::parse(text).ok_or_else(|| format!("{kind}: no persistence state: {text:?}"))
}

fn ttl_action_of(kind: &str, number: i32) -> Result<TtlAction, String> {
    match wire::PTtlAction::try_from(number) {
        Ok(wire::PTtlAction::Delete) => Ok(TtlAction::Delete),
        Ok(wire::PTtlAction::Free) => Ok(TtlAction::Free),
        Ok(wire::PTtlAction::DeleteAlluxio) => Ok(TtlAction::DeleteAlluxio),
        Err(_) => Err(format!("{kind}: no ttl action has the number {number}")),
    }
}
