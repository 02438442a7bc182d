//! Pure. Entries as bytes: a record's body is a row of `alluxio_rs.journal.Entry`, each behind its varint length.
//!
//! Reading is strict. What this program does not know, or cannot keep, is an error that names it: an entry that was
//! only half understood would make two masters differ.

use super::entry::{Answered, AnsweredOperation, Corrupt, Entry, MakeInUfs, UfsIntent, UnlinkTree};
use super::entry_to_proto::field;
use super::{entry_extras_proto, entry_from_proto, entry_to_proto};
use crate::proto::alluxio_rs::journal as wire;
use crate::types::{AlluxioPath, InodeId, OperationId};
use prost::Message;
use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint, encoded_len_varint, key_len};

/// Longest entry that is read: an UnlinkTree or CollectTree is far below, and so is every path that is accepted.
const ENTRY_BYTES_MAX: usize = 16 << 20;

/// The bytes of these entries, in order.
pub fn encode_entries(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * 128);
    for entry in entries {
        encode(entry, &mut bytes);
    }
    bytes
}

/// The entries in these bytes.
///
/// # Errors
/// Bytes that are no entries, or entries with a kind or field that this program does not know or cannot keep.
pub fn decode_entries(bytes: &[u8]) -> Result<Vec<Entry>, Corrupt> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let offset = bytes.len() - rest.len();
        let at = |reason: String| Corrupt::new(format!("entry {} at byte {offset}", entries.len()), reason);
        let length = prost::decode_length_delimiter(&mut rest).map_err(|e| at(format!("no length: {e}")))?;
        if length > ENTRY_BYTES_MAX {
            return Err(at(format!("{length} bytes, more than the limit of {ENTRY_BYTES_MAX}")));
        }
        if length > rest.len() {
            return Err(at(format!("{length} bytes are announced, {} are there", rest.len())));
        }
        let (one, after) = rest.split_at(length);
        entries.push(decode_one(one).map_err(at)?);
        rest = after;
    }
    Ok(entries)
}

/// Numbers of the kinds in `alluxio_rs.journal.Entry`.
mod kind {
    pub(super) const ALLUXIO: u32 = 1;
    pub(super) const ANSWERED: u32 = 2;
    pub(super) const UNLINK_TREE: u32 = 3;
    pub(super) const COLLECT_TREE: u32 = 4;
    pub(super) const UFS_INTENT: u32 = 5;
    pub(super) const UFS_INTENT_SETTLED: u32 = 6;
    pub(super) const PERSIST_TIME: u32 = 7;
}

fn decode_one(bytes: &[u8]) -> Result<Entry, String> {
    let (kind, body) = only_field_of(bytes)?;
    match kind {
        kind::ALLUXIO => entry_from_proto::entry_of(body),
        kind::ANSWERED => answered_of(message(body)?).map(Entry::Answered),
        kind::UNLINK_TREE => {
            let wire::UnlinkTreeEntry { id, op_time_ms, path } = message(body)?;
            let path = path.ok_or("unlink_tree without path")?;
            let path = AlluxioPath::parse(&path).map_err(|e| format!("unlink_tree: {e}"))?;
            Ok(Entry::UnlinkTree(UnlinkTree { id: InodeId(id), op_time_ms, path }))
        }
        kind::COLLECT_TREE => {
            let wire::CollectTreeEntry { ids } = message(body)?;
            Ok(Entry::CollectTree { ids: ids.into_iter().map(InodeId).collect() })
        }
        kind::UFS_INTENT => intent_of(message(body)?),
        kind::UFS_INTENT_SETTLED => {
            let wire::UfsIntentSettledEntry { inode_id } = message(body)?;
            Ok(Entry::UfsIntentSettled { inode: InodeId(inode_id) })
        }
        kind::PERSIST_TIME => {
            let wire::PersistTimeEntry { inode_id, time_ms } = message(body)?;
            Ok(Entry::PersistTime { inode: InodeId(inode_id), time_ms })
        }
        other => Err(format!("kind {other} is not known to this program; it was written by a newer one")),
    }
}

/// Number and content of the only field of a message: both envelopes say one thing.
pub(crate) fn only_field_of(bytes: &[u8]) -> Result<(u32, &[u8]), String> {
    let mut rest = bytes;
    let (field, wire_type) = decode_key(&mut rest).map_err(|e| e.to_string())?;
    let length = decode_varint(&mut rest).map_err(|e| e.to_string())?;
    if wire_type != WireType::LengthDelimited || length != rest.len() as u64 {
        return Err("it does not say exactly one thing".into());
    }
    Ok((field, rest))
}

/// The message in all of these bytes.
pub(crate) fn message<M: Message + Default>(bytes: &[u8]) -> Result<M, String> {
    let message = M::decode(bytes).map_err(|e| e.to_string())?;
    // Fields that the messages do not have are dropped by the decoder, and required ones made up: the length tells.
    if message.encoded_len() != bytes.len() {
        return Err("it has fields that this program does not know, or lacks some".into());
    }
    Ok(message)
}

fn intent_of(intent: wire::UfsIntentEntry) -> Result<Entry, String> {
    let wire::UfsIntentEntry { inode_id, path, new_path, op_time_ms, answer, temporary, make, persists_directory } =
        intent;
    let path_of = |text: String| AlluxioPath::parse(&text).map_err(|e| format!("ufs_intent: {e}"));
    Ok(Entry::UfsIntent(UfsIntent {
        inode: InodeId(inode_id),
        path: path_of(path)?,
        new_path: new_path.map(path_of).transpose()?,
        temporary,
        make: match (make, persists_directory) {
            (Some(make), _) => Some(MakeInUfs::New(Box::new(entry_from_proto::directory_of(make)?))),
            (None, Some(true)) => Some(MakeInUfs::Existing),
            (None, _) => None,
        },
        op_time_ms,
        answer: answer.map(answered_of).transpose()?,
    }))
}

fn answered_of(answered: wire::AnsweredEntry) -> Result<Answered, String> {
    let wire::AnsweredEntry { operation_id_high, operation_id_low, operation, arguments, inode_id, op_time_ms } =
        answered;
    let operation = AnsweredOperation::of_number(operation)
        .ok_or_else(|| format!("answered: no operation has the number {operation}"))?;
    Ok(Answered {
        operation_id: OperationId { high: operation_id_high, low: operation_id_low },
        operation,
        arguments,
        inode: InodeId(inode_id),
        op_time_ms,
    })
}

fn answered_to_wire(answered: &Answered) -> wire::AnsweredEntry {
    wire::AnsweredEntry {
        operation_id_high: answered.operation_id.high,
        operation_id_low: answered.operation_id.low,
        operation: answered.operation as u32,
        arguments: answered.arguments,
        inode_id: answered.inode.0,
        op_time_ms: answered.op_time_ms,
    }
}

fn encode(entry: &Entry, bytes: &mut Vec<u8>) {
    use entry_extras_proto as extras;
    use entry_to_proto as to;
    match entry {
        Entry::InodeDirectoryIdGenerator { container, sequence } => {
            let generator = to::directory_generator_of(*container, *sequence);
            put_alluxio(bytes, field::INODE_DIRECTORY_ID_GENERATOR, &generator);
        }
        Entry::BlockContainerIdGenerator { next_container } => {
            put_alluxio(bytes, field::BLOCK_CONTAINER_ID_GENERATOR, &to::container_generator_of(*next_container));
        }
        Entry::InodeDirectory(new) => put_alluxio(bytes, field::INODE_DIRECTORY, &to::directory_of(new)),
        Entry::InodeFile(new) => put_alluxio(bytes, field::INODE_FILE, &to::file_of(new)),
        Entry::UpdateInode(update) => put_alluxio(bytes, field::UPDATE_INODE, &to::update_of(update)),
        Entry::UpdateInodeDirectory(update) => {
            put_alluxio(bytes, field::UPDATE_INODE_DIRECTORY, &to::directory_update_of(update));
        }
        Entry::UpdateInodeFile(update) => {
            put_alluxio(bytes, field::UPDATE_INODE_FILE, &to::file_update_of(update));
        }
        Entry::NewBlock { id } => put_alluxio(bytes, field::NEW_BLOCK, &to::new_block_of(*id)),
        Entry::BlockInfo { id, length } => {
            put_alluxio(bytes, field::BLOCK_INFO, &to::block_info_of(*id, *length));
        }
        Entry::DeleteBlock { id } => put_alluxio(bytes, field::DELETE_BLOCK, &to::delete_block_of(*id)),
        Entry::DeleteFile(delete) => put_alluxio(bytes, field::DELETE_FILE, &to::delete_of(delete)),
        Entry::Rename(rename) => put_alluxio(bytes, field::RENAME, &to::rename_of(rename)),
        Entry::ClusterInfo { cluster_id } => put_alluxio(bytes, field::CLUSTER_INFO, &to::cluster_info_of(cluster_id)),
        Entry::AddMountPoint(mount) => put_alluxio(bytes, field::ADD_MOUNT_POINT, &to::mount_of(mount)),
        Entry::DeleteMountPoint { path } => put_alluxio(bytes, field::DELETE_MOUNT_POINT, &to::unmount_of(path)),
        Entry::SetAcl(set) => put_alluxio(bytes, field::SET_ACL, &extras::set_acl_to_proto(set)),
        Entry::PathProperties(set) => {
            put_alluxio(bytes, field::PATH_PROPERTIES, &extras::path_properties_to_proto(set));
        }
        Entry::RemovePathProperties { path } => {
            put_alluxio(bytes, field::REMOVE_PATH_PROPERTIES, &extras::removed_properties_to_proto(path));
        }
        Entry::UpdateUfsMode(update) => {
            put_alluxio(bytes, field::UPDATE_UFS_MODE, &extras::ufs_mode_to_proto(update));
        }
        Entry::AddSyncPoint(point) => put_alluxio(bytes, field::ADD_SYNC_POINT, &extras::sync_point_to_proto(point)),
        Entry::RemoveSyncPoint(point) => {
            put_alluxio(bytes, field::REMOVE_SYNC_POINT, &extras::removed_sync_point_to_proto(point));
        }
        Entry::Answered(_)
        | Entry::UnlinkTree(_)
        | Entry::CollectTree { .. }
        | Entry::UfsIntent(_)
        | Entry::UfsIntentSettled { .. }
        | Entry::PersistTime { .. } => encode_own(entry, bytes),
    }
}

/// One that 2.9 does not have.
fn encode_own(entry: &Entry, bytes: &mut Vec<u8>) {
    match entry {
        Entry::Answered(answered) => put(bytes, kind::ANSWERED, &answered_to_wire(answered)),
        Entry::UnlinkTree(UnlinkTree { id, op_time_ms, path }) => {
            let path = Some(path.to_string());
            put(bytes, kind::UNLINK_TREE, &wire::UnlinkTreeEntry { id: id.0, op_time_ms: *op_time_ms, path });
        }
        Entry::CollectTree { ids } => {
            let ids = ids.iter().map(|id| id.0).collect();
            put(bytes, kind::COLLECT_TREE, &wire::CollectTreeEntry { ids });
        }
        Entry::UfsIntent(intent) => {
            let intent = wire::UfsIntentEntry {
                inode_id: intent.inode.0,
                path: intent.path.to_string(),
                new_path: intent.new_path.as_ref().map(ToString::to_string),
                op_time_ms: intent.op_time_ms,
                answer: intent.answer.as_ref().map(answered_to_wire),
                temporary: intent.temporary.clone(),
                make: intent.new_directory().map(entry_to_proto::directory_of),
                persists_directory: matches!(intent.make, Some(MakeInUfs::Existing)).then_some(true),
            };
            put(bytes, kind::UFS_INTENT, &intent);
        }
        Entry::UfsIntentSettled { inode } => {
            put(bytes, kind::UFS_INTENT_SETTLED, &wire::UfsIntentSettledEntry { inode_id: inode.0 });
        }
        Entry::PersistTime { inode, time_ms } => {
            put(bytes, kind::PERSIST_TIME, &wire::PersistTimeEntry { inode_id: inode.0, time_ms: *time_ms });
        }
        _ => unreachable!("`encode` has the kinds of 2.9"),
    }
}

/// An entry that has this field of `alluxio_rs.journal.Entry`.
fn put(bytes: &mut Vec<u8>, kind: u32, message: &impl Message) {
    let length = message.encoded_len();
    encode_varint((key_len(kind) + encoded_len_varint(length as u64) + length) as u64, bytes);
    put_field(bytes, kind, length);
    message.encode(bytes).expect("a vector grows as needed");
}

/// An entry that has this field of `JournalEntry`.
fn put_alluxio(bytes: &mut Vec<u8>, field: u32, message: &impl Message) {
    let length = message.encoded_len();
    let inner = key_len(field) + encoded_len_varint(length as u64) + length;
    encode_varint((key_len(kind::ALLUXIO) + encoded_len_varint(inner as u64) + inner) as u64, bytes);
    put_field(bytes, kind::ALLUXIO, inner);
    put_field(bytes, field, length);
    message.encode(bytes).expect("a vector grows as needed");
}

fn put_field(bytes: &mut Vec<u8>, field: u32, length: usize) {
    encode_key(field, WireType::LengthDelimited, bytes);
    encode_varint(length as u64, bytes);
}

#[cfg(test)]
#[path = "entry_codec_tests.rs"]
mod tests;
