//! [pure] Entries as bytes: a record's body is a row of `alluxio_rs.journal.Entry`, each behind its varint length.
//!
//! Reading is strict. What this program does not know, or cannot keep, is an error that names it: an entry that was
//! only half understood would make two masters differ.

use super::entry::{Answered, AnsweredOperation, Corrupt, Entry, UnlinkTree};
use super::{entry_from_proto, entry_to_proto};
use crate::proto::alluxio_rs::journal as wire;
use crate::types::{AlluxioPath, InodeId, OperationId};
use prost::Message;
use wire::entry::Kind;

/// Longest entry that is read: an UnlinkTree or CollectTree is far below, and so is every path that is accepted.
const ENTRY_BYTES_MAX: usize = 16 << 20;

/// The bytes of these entries, in order.
pub fn encode_entries(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(entries.len() * 128);
    for entry in entries {
        let message = wire::Entry { kind: Some(kind_of(entry)) };
        bytes.reserve(message.encoded_len() + 10);
        message.encode_length_delimited(&mut bytes).expect("a vector grows as needed");
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

fn decode_one(bytes: &[u8]) -> Result<Entry, String> {
    let message = wire::Entry::decode(bytes).map_err(|e| e.to_string())?;
    // Fields that the messages do not have are dropped by the decoder, and required ones made up: the length tells.
    let encoded_len = message.encoded_len();
    match message.kind {
        None => Err("a kind of entry that this program does not know; it was written by a newer one".into()),
        Some(_) if encoded_len != bytes.len() => Err("fields that this program does not know, or lacks fields".into()),
        Some(Kind::Alluxio(entry)) => entry_from_proto::entry_of(entry),
        Some(Kind::Answered(answered)) => answered_of(answered),
        Some(Kind::UnlinkTree(wire::UnlinkTreeEntry { id, op_time_ms, path })) => {
            let path = path.ok_or("unlink_tree without path")?;
            let path = AlluxioPath::parse(&path).map_err(|e| format!("unlink_tree: {e}"))?;
            Ok(Entry::UnlinkTree(UnlinkTree { id: InodeId(id), op_time_ms, path }))
        }
        Some(Kind::CollectTree(wire::CollectTreeEntry { ids })) => {
            Ok(Entry::CollectTree { ids: ids.into_iter().map(InodeId).collect() })
        }
    }
}

fn answered_of(answered: wire::AnsweredEntry) -> Result<Entry, String> {
    let wire::AnsweredEntry { operation_id_high, operation_id_low, operation, arguments, inode_id, op_time_ms } =
        answered;
    let operation = AnsweredOperation::of_number(operation)
        .ok_or_else(|| format!("answered: no operation has the number {operation}"))?;
    Ok(Entry::Answered(Answered {
        operation_id: OperationId { high: operation_id_high, low: operation_id_low },
        operation,
        arguments,
        inode: InodeId(inode_id),
        op_time_ms,
    }))
}

fn kind_of(entry: &Entry) -> Kind {
    match entry {
        Entry::Answered(answered) => Kind::Answered(wire::AnsweredEntry {
            operation_id_high: answered.operation_id.high,
            operation_id_low: answered.operation_id.low,
            operation: answered.operation as u32,
            arguments: answered.arguments,
            inode_id: answered.inode.0,
            op_time_ms: answered.op_time_ms,
        }),
        Entry::UnlinkTree(unlink) => Kind::UnlinkTree(wire::UnlinkTreeEntry {
            id: unlink.id.0,
            op_time_ms: unlink.op_time_ms,
            path: Some(unlink.path.to_string()),
        }),
        Entry::CollectTree { ids } => {
            Kind::CollectTree(wire::CollectTreeEntry { ids: ids.iter().map(|id| id.0).collect() })
        }
        Entry::InodeDirectoryIdGenerator { .. }
        | Entry::BlockContainerIdGenerator { .. }
        | Entry::InodeDirectory(_)
        | Entry::InodeFile(_)
        | Entry::UpdateInode(_)
        | Entry::UpdateInodeDirectory(_)
        | Entry::UpdateInodeFile(_)
        | Entry::DeleteFile(_)
        | Entry::Rename(_)
        | Entry::ClusterInfo { .. } => Kind::Alluxio(entry_to_proto::journal_entry_of(entry)),
    }
}

#[cfg(test)]
#[path = "entry_codec_tests.rs"]
mod tests;
