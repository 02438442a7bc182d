//! Pure. An entry of the originals as entries of ours, for the state that it meets.
//!
//! What 2.9 says and ours says too goes through our own strict reading, after what has no place in our state is taken
//! off and counted, and what older versions did not write is filled in. Entries of 1.x are in `translate_1x.rs`.

use super::admin;
use super::tally::Tally;
use super::translate_1x;
use crate::journal::entry::{AT_ONCE, DeleteFile, Entry, Rename, Replication};
use crate::journal::entry_codec::message;
use crate::journal::entry_extras_proto::{acl_of, acl_to_proto, file_fingerprint, set_acl_of};
use crate::journal::entry_from_proto as strict;
use crate::journal::entry_to_proto::field;
use crate::master::state::MasterState;
use crate::proto::alluxio::proto::journal as wire;
use crate::proto::alluxio::proto::shared;
use crate::types::{AccessControlList, AlluxioPath, ContentHash, InodeId, PersistenceState, Xattrs};
use prost::Message;

/// The attribute that 2.9 gives to files of a UFS. Where the UFS has nothing better it tells length and time, which the
/// hash of the content does, too.
const CONTENT_HASH: &str = "s3_etag";
const STICKY: &str = "setuid, setgid and sticky bits";

/// Entries that say nothing about the namespace: number, name, and what is lost with them.
const LEFT_OUT: &[(u32, &str, &str)] = &[
    (7, "delete_lineage", "lineage"),
    (13, "lineage", "lineage"),
    (14, "lineage_id_generator", "lineage"),
    (21, "complete_partition", "key-value stores"),
    (22, "complete_store", "key-value stores"),
    (23, "create_store", "key-value stores"),
    (25, "delete_store", "key-value stores"),
    (26, "merge_store", "key-value stores"),
    (28, "rename_store", "key-value stores"),
    (34, "active_sync_tx_id", "how far active sync has come"),
    (43, "add_table", "the table catalog"),
    (44, "attach_db", "the table catalog"),
    (45, "detach_db", "the table catalog"),
    (46, "add_transform_job_info", "the table catalog"),
    (47, "remove_transform_job_info", "the table catalog"),
    (48, "complete_transform_table", "the table catalog"),
    (49, "update_database_info", "the table catalog"),
    (50, "remove_table", "the table catalog"),
    (51, "add_table_partitions", "the table catalog"),
    (53, "load_job", "jobs of the scheduler"),
    (54, "copy_job", "jobs of the scheduler"),
];

/// What an entry of kind `kind` with this content changes in `state`.
///
/// # Errors
/// A kind or a field that no version has, or something that cannot be in this state.
pub fn entries_of(state: &MasterState, kind: u32, body: &[u8], tally: &mut Tally) -> Result<Vec<Entry>, String> {
    let entry = match kind {
        field::ADD_MOUNT_POINT => return mount(state, tolerant(body)?, tally),
        field::DELETE_MOUNT_POINT => return unmount(state, message(body)?, tally),
        field::INODE_DIRECTORY => Entry::InodeDirectory(strict::directory_of(directory(tolerant(body)?, tally)?)?),
        field::INODE_FILE => return file(tolerant(body)?, tally),
        field::DELETE_FILE => return delete(state, &message(body)?, tally),
        field::RENAME => return rename(state, message(body)?, tally),
        field::UPDATE_INODE => return update(state, tolerant(body)?, tally),
        field::UPDATE_INODE_DIRECTORY => {
            tally.count("update_inode_directory");
            strict::directory_update_of(message(body)?)?
        }
        field::UPDATE_INODE_FILE => {
            tally.count("update_inode_file");
            let entry: wire::UpdateInodeFileEntry = message(body)?;
            // Who persists a file: it is persisted anew.
            strict::file_update_of(wire::UpdateInodeFileEntry { persist_job_id: None, temp_ufs_path: None, ..entry })?
        }
        field::NEW_BLOCK => {
            tally.count("new_block");
            strict::new_block_of(message(body)?)?
        }
        field::CLUSTER_INFO => {
            tally.count("cluster_info");
            strict::cluster_info_of(message(body)?)?
        }
        field::SET_ACL => {
            tally.count("set_acl");
            let entry: wire::SetAclEntry = message(body)?;
            Entry::SetAcl(set_acl_of(wire::SetAclEntry { op_time_ms: Some(entry.op_time_ms()), ..entry })?)
        }
        field::UPDATE_UFS_MODE
        | field::ADD_SYNC_POINT
        | field::REMOVE_SYNC_POINT
        | field::PATH_PROPERTIES
        | field::REMOVE_PATH_PROPERTIES => return admin::entries_of(state, kind, body, tally),
        other => match LEFT_OUT.iter().find(|(number, ..)| *number == other) {
            Some((_, name, what)) => {
                tally.count(name);
                tally.drop_one(what);
                return Ok(Vec::new());
            }
            None => return translate_1x::entries_of(state, kind, body, tally),
        },
    };
    Ok(vec![entry])
}

/// As [`message`]; but Java writes empty values of maps, which our encoder leaves out.
pub(super) fn tolerant<M: Message + Default>(body: &[u8]) -> Result<M, String> {
    message(body).or_else(|strict| {
        let decoded = M::decode(body).map_err(|e| e.to_string())?;
        // Only maps and nested messages can come back shorter; an unknown field would be known by its number.
        if known_fields_only::<M>(body) { Ok(decoded) } else { Err(strict) }
    })
}

/// Whether each field of a message is one that this program knows: one without any other field has an empty rest.
fn known_fields_only<M: Message + Default>(body: &[u8]) -> bool {
    use prost::encoding::{DecodeContext, decode_key, skip_field};
    let mut rest = body;
    while !rest.is_empty() {
        let field = rest;
        let Ok((number, wire_type)) = decode_key(&mut rest) else { return false };
        if skip_field(wire_type, number, &mut rest, DecodeContext::default()).is_err() {
            return false;
        }
        let bytes = &field[..field.len() - rest.len()];
        if !M::decode(bytes).is_ok_and(|alone| alone.encoded_len() > 0) {
            return false;
        }
    }
    true
}

/// An inode's directory entry as ours reads it.
pub fn directory(mut new: wire::InodeDirectoryEntry, tally: &mut Tally) -> Result<wire::InodeDirectoryEntry, String> {
    tally.count("inode_directory");
    let whole = whole_list(new.acl.take(), new.owner.take(), new.group.take(), new.mode, tally)?;
    let persistence_state = new.persistence_state.take().map(persistence);
    Ok(wire::InodeDirectoryEntry {
        acl: whole.extended.is_some().then(|| acl_to_proto(&whole)),
        owner: Some(whole.owner),
        group: Some(whole.group),
        mode: Some(i32::from(whole.mode)),
        persistence_state,
        pinned: Some(new.pinned()),
        mount_point: Some(new.mount_point()),
        direct_children_loaded: Some(new.direct_children_loaded()),
        ttl: new.ttl.or(Some(-1)),
        ttl_action: Some(new.ttl_action() as i32),
        last_access_time_ms: new.last_access_time_ms.or(new.last_modification_time_ms),
        path: Some(path_or_name(new.path, new.name.as_deref())),
        x_attr: without_hash(new.x_attr),
        ..new
    })
}

/// A new file, and when it is persisted if that is not at once.
pub fn file(new: wire::InodeFileEntry, tally: &mut Tally) -> Result<Vec<Entry>, String> {
    let time_ms = new.should_persist_time.filter(|time| *time != AT_ONCE);
    let Entry::InodeFile(file) = strict::file_of(plain_file(new, tally)?)? else {
        unreachable!("a file entry is that of a file");
    };
    let inode = file.id;
    let waits = file.persistence == PersistenceState::ToBePersisted;
    let time = time_ms.filter(|_| waits).map(|time_ms| Entry::PersistTime { inode, time_ms });
    Ok(std::iter::once(Entry::InodeFile(file)).chain(time).collect())
}

/// An inode's file entry as ours reads it.
fn plain_file(mut new: wire::InodeFileEntry, tally: &mut Tally) -> Result<wire::InodeFileEntry, String> {
    tally.count("inode_file");
    let whole = whole_list(new.acl.take(), new.owner.take(), new.group.take(), new.mode, tally)?;
    // Kind, owner, group and bits follow from the file.
    let hash = ContentHash::in_fingerprint(new.ufs_fingerprint());
    let persistence_state = new.persistence_state.take().map(persistence);
    // Compatible: 2.9 replay: a pinned file has at least one copy.
    let copies = if new.pinned() { 1 } else { Replication::USUAL.min };
    Ok(wire::InodeFileEntry {
        ufs_fingerprint: Some(file_fingerprint(&hash, &whole.owner, &whole.group, whole.mode)),
        acl: whole.extended.is_some().then(|| acl_to_proto(&whole)),
        owner: Some(whole.owner),
        group: Some(whole.group),
        mode: Some(i32::from(whole.mode)),
        persistence_state,
        pinned: Some(new.pinned()),
        ttl: new.ttl.or(Some(-1)),
        ttl_action: Some(new.ttl_action() as i32),
        length: Some(new.length()),
        completed: Some(new.completed()),
        cacheable: Some(new.cacheable()),
        replication_min: new.replication_min.or(Some(copies)),
        replication_max: new.replication_max.or(Some(Replication::USUAL.max)),
        replication_durable: new.replication_durable.or(Some(Replication::USUAL.durable)),
        last_access_time_ms: new.last_access_time_ms.or(new.last_modification_time_ms),
        path: Some(path_or_name(new.path, new.name.as_deref())),
        // Who persists the file begins anew.
        persist_job_id: Some(-1),
        temp_ufs_path: Some(String::new()),
        should_persist_time: None,
        x_attr: without_hash(new.x_attr),
        ..new
    })
}

fn update(state: &MasterState, mut new: wire::UpdateInodeEntry, tally: &mut Tally) -> Result<Vec<Entry>, String> {
    tally.count("update_inode");
    let id = InodeId(new.id.ok_or("update_inode without id")?);
    tally.drop_if(new.mode() & !0o777 != 0, STICKY);
    let xattr_strategy = (!new.x_attr.is_empty()).then(|| new.x_attr_update_strategy());
    let x_attr = without_hash(std::mem::take(&mut new.x_attr));
    // One without values takes away what is there, or does nothing.
    let xattr_strategy = xattr_strategy
        .filter(|strategy| !x_attr.is_empty() || *strategy == wire::XAttrUpdateStrategy::Truncate)
        .map(|strategy| strategy as i32);
    tally.drop_if(new.creation_time_ms.is_some(), "changed creation times");
    let moved = (new.parent_id.take(), new.name.take());
    let plain = wire::UpdateInodeEntry {
        owner: new.owner.filter(|name| !name.is_empty()),
        group: new.group.filter(|name| !name.is_empty()),
        mode: new.mode.map(|mode| mode & 0o777),
        persistence_state: new.persistence_state.map(persistence),
        creation_time_ms: None,
        ufs_fingerprint: new.ufs_fingerprint.map(|text| ContentHash::in_fingerprint(&text).fingerprint()),
        x_attr,
        x_attr_update_strategy: xattr_strategy,
        ..new
    };
    let entry = strict::update_of(plain)?;
    let Some(inode) = state.inodes().get(id) else {
        let Entry::UpdateInode(update) = &entry else { unreachable!("an update is an update") };
        // Compatible: 2.9 replay: a file may be read after it is deleted.
        let late = update.is_of_times_only() && update.modification_time_ms.is_none() && moved == (None, None);
        return if late { Ok(Vec::new()) } else { Err(format!("update_inode: inode {id} does not exist")) };
    };
    let mut entries = vec![entry];
    if moved != (None, None) {
        let (parent, name) = moved;
        let new_name = name.unwrap_or_else(|| state.inodes().name(&inode).to_owned());
        entries.push(renamed(id, parent.map_or(inode.parent, InodeId), new_name, 0));
    }
    Ok(entries)
}

fn delete(state: &MasterState, entry: &wire::DeleteFileEntry, tally: &mut Tally) -> Result<Vec<Entry>, String> {
    tally.count("delete_file");
    let id = InodeId(entry.id.ok_or("delete_file without id")?);
    let op_time_ms = entry.op_time_ms.ok_or("delete_file without op_time_ms")?;
    // 1.x says it once for a whole tree; 2.x names each inode, children first.
    let ids = if entry.recursive() { children_first(state, id) } else { vec![id] };
    let alluxio_only = entry.alluxio_only();
    let gone = |id| Entry::DeleteFile(DeleteFile { id, op_time_ms, alluxio_only, path: AlluxioPath::root() });
    Ok(ids.into_iter().map(gone).collect())
}

/// An inode and all below it, children before parents.
pub fn children_first(state: &MasterState, id: InodeId) -> Vec<InodeId> {
    let mut parents_first = vec![id];
    let mut next = 0;
    while let Some(id) = parents_first.get(next) {
        let children: Vec<InodeId> = state.inodes().children(*id).map(|child| child.id).collect();
        parents_first.extend(children);
        next += 1;
    }
    parents_first.reverse();
    parents_first
}

fn rename(state: &MasterState, entry: wire::RenameEntry, tally: &mut Tally) -> Result<Vec<Entry>, String> {
    tally.count("rename");
    let wire::RenameEntry { id, dst_path, op_time_ms, new_parent_id, new_name, path: _, new_path: _ } = entry;
    let id = InodeId(id.ok_or("rename without id")?);
    let op_time_ms = op_time_ms.ok_or("rename without op_time_ms")?;
    let (parent, name) = match (new_parent_id, new_name, dst_path) {
        (Some(parent), Some(name), _) => (InodeId(parent), name),
        // 1.x
        (_, _, Some(text)) => {
            let path = AlluxioPath::parse(&text).map_err(|e| format!("rename: {e}"))?;
            let parent = path.parent().ok_or("rename to the root")?;
            (at_path(state, &parent).ok_or_else(|| format!("rename: {parent} does not exist"))?, path.name().to_owned())
        }
        _ => return Err("rename without new_parent_id, new_name or dst_path".into()),
    };
    Ok(vec![renamed(id, parent, name, op_time_ms)])
}

fn renamed(id: InodeId, new_parent: InodeId, new_name: String, op_time_ms: i64) -> Entry {
    let path = AlluxioPath::root();
    Entry::Rename(Rename { id, new_parent, new_name, op_time_ms, new_path: path.clone(), path })
}

/// The inode at a path.
pub fn at_path(state: &MasterState, path: &AlluxioPath) -> Option<InodeId> {
    path.components().try_fold(InodeId::ROOT, |at, name| state.inodes().child(at, name).map(|inode| inode.id))
}

fn mount(state: &MasterState, entry: wire::AddMountPointEntry, tally: &mut Tally) -> Result<Vec<Entry>, String> {
    tally.count("add_mount_point");
    let path = entry.alluxio_path.as_deref().ok_or("add_mount_point without alluxio_path")?;
    let path = AlluxioPath::parse(path).map_err(|e| format!("add_mount_point: {e}"))?;
    if path.is_root() {
        tally.drop_one("the mount of the root (it is alluxio.master.mount.table.root.ufs here)");
        return Ok(Vec::new());
    }
    let known = state.mounts().at(&path);
    // 1.2 has no ids of mounts: the first that is free.
    let free = || (2..).find(|id| state.mounts().of_id(*id).is_none());
    let mount_id = entry.mount_id.or_else(|| known.map(|mount| mount.mount_id)).or_else(free);
    let (read_only, shared) = (Some(entry.read_only()), Some(entry.shared()));
    let value = |pair: wire::StringPairEntry| wire::StringPairEntry { value: Some(pair.value().to_owned()), ..pair };
    let properties = entry.properties.into_iter().map(value).collect();
    let plain = wire::AddMountPointEntry { read_only, shared, mount_id, properties, ..entry };
    let before = known.map(|_| Entry::DeleteMountPoint { path });
    Ok(before.into_iter().chain([strict::mount_of(plain)?]).collect())
}

fn unmount(state: &MasterState, entry: wire::DeleteMountPointEntry, tally: &mut Tally) -> Result<Vec<Entry>, String> {
    tally.count("delete_mount_point");
    let entry = strict::unmount_of(entry)?;
    // Compatible: 2.9 replay: one that is not there is not missed.
    let is_there = matches!(&entry, Entry::DeleteMountPoint { path } if state.mounts().at(path).is_some());
    Ok(is_there.then_some(entry).into_iter().collect())
}

/// Owner, group and bits: of the list if there is one, else of the fields; 1.x and 2.x agree on what is missing.
fn whole_list(
    list: Option<shared::AccessControlList>,
    owner: Option<String>,
    group: Option<String>,
    mode: Option<i32>,
    tally: &mut Tally,
) -> Result<AccessControlList, String> {
    if let Some(list) = list {
        return acl_of(list);
    }
    let mode = mode.unwrap_or(0o777);
    tally.drop_if(mode & !0o777 != 0, STICKY);
    let mode = (mode & 0o777) as u16;
    Ok(AccessControlList { owner: owner.unwrap_or_default(), group: group.unwrap_or_default(), mode, extended: None })
}

/// Extended attributes without the one that follows from the hash of the content.
fn without_hash(mut xattrs: Xattrs) -> Xattrs {
    let follows = |value: &[u8]| {
        std::str::from_utf8(value).is_ok_and(|text| matches!(ContentHash::of(text), ContentHash::LengthAndTime { .. }))
    };
    xattrs.retain(|name, value| name != CONTENT_HASH || !follows(value));
    xattrs
}

/// The state of that name; 1.0 and 1.1 had another one for a file that is being persisted.
fn persistence(text: String) -> String {
    if text == "IN_PROGRESS" { PersistenceState::ToBePersisted.text().to_owned() } else { text }
}

/// Paths are informational: one that is missing is told by the name.
fn path_or_name(path: Option<String>, name: Option<&str>) -> String {
    path.filter(|path| path.starts_with('/')).unwrap_or_else(|| format!("/{}", name.unwrap_or_default()))
}

#[cfg(test)]
#[path = "translate_tests.rs"]
mod tests;
