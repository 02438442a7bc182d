//! Pure. Entries of a state as Alluxio 2.9 journals and backs them up: `JournalEntry` messages, each behind its length.

use super::entry::{Entry, InodeFile, WHEN_ASKED};
use super::entry_codec::{encode_entries, only_field_of};
use super::entry_to_proto::{field, file_of};
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};

/// Whose journal an entry stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// Containers and blocks.
    BlockMaster,
    /// Inodes and mounts.
    FileSystemMaster,
    /// The id of the cluster.
    MetaMaster,
}

impl Owner {
    /// As its folder is called.
    pub fn name(self) -> &'static str {
        match self {
            Owner::BlockMaster => "BlockMaster",
            Owner::FileSystemMaster => "FileSystemMaster",
            Owner::MetaMaster => "MetaMaster",
        }
    }

    /// The one for an entry.
    pub fn of(entry: &Entry) -> Owner {
        match entry {
            Entry::BlockContainerIdGenerator { .. } | Entry::BlockInfo { .. } | Entry::DeleteBlock { .. } => {
                Owner::BlockMaster
            }
            Entry::ClusterInfo { .. } | Entry::PathProperties(_) | Entry::RemovePathProperties { .. } => {
                Owner::MetaMaster
            }
            _ => Owner::FileSystemMaster,
        }
    }
}

/// Appends an entry that 2.9 has, with its number if it gets one. `persist_time`: what follows a file that waits for that.
/// False, and nothing is appended, for one that 2.9 does not have.
pub fn encode(out: &mut Vec<u8>, entry: &Entry, persist_time: Option<i64>, sequence: Option<i64>) -> bool {
    let mut message = Vec::new();
    if let Some(sequence) = sequence {
        encode_key(1, WireType::Varint, &mut message);
        encode_varint(sequence.cast_unsigned(), &mut message);
    }
    match entry {
        Entry::InodeFile(file) => put_file(&mut message, file, persist_time),
        entry => {
            let encoded = encode_entries(std::slice::from_ref(entry));
            let mut rest = &encoded[..];
            prost::decode_length_delimiter(&mut rest).expect("it was just encoded");
            match only_field_of(rest) {
                Ok((ALLUXIO, body)) => message.extend_from_slice(body),
                _ => return false,
            }
        }
    }
    encode_varint(message.len() as u64, out);
    out.extend_from_slice(&message);
    true
}

/// Number of the field of our own envelope that holds a `JournalEntry` of 2.9.
const ALLUXIO: u32 = 1;

fn put_file(message: &mut Vec<u8>, file: &InodeFile, persist_time: Option<i64>) {
    let mut entry = file_of(file);
    // Unset would be read as 0 by 2.9.
    entry.should_persist_time = Some(persist_time.unwrap_or(match file.persistence {
        crate::types::PersistenceState::ToBePersisted => 0,
        _ => WHEN_ASKED,
    }));
    encode_key(field::INODE_FILE, WireType::LengthDelimited, message);
    encode_varint(entry.encoded_len() as u64, message);
    entry.encode(message).expect("a vector grows as needed");
}
