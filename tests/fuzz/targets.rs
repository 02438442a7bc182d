//! The decoders, what they are fed with, and what must hold of what they take.

use std::path::{Path, PathBuf};

use alluxio::journal::chain::Position;
use alluxio::journal::codec::{self, Decoded, Frame};
use alluxio::journal::entry_codec::{decode_entries, encode_entries};
use alluxio::journal::folder::local::{LocalSettings, LocalStore};
use alluxio::journal::folder::{JournalStore, SegmentId};
use alluxio::master::state::{CheckpointOrigin, MasterState};
use alluxio::tools::legacy::checkpoint;
use alluxio::tools::legacy::gather::{Ending, Gathered};
use alluxio::types::{AclEntry, AlluxioPath};
use alluxio::ufs::UfsUri;
use bytes::Bytes;

pub struct Target {
    pub name: &'static str,
    /// What is whole.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Whether it is taken.
    pub feed: fn(&[u8]) -> bool,
    /// Makes checksums right again, which would keep everything else from being read.
    pub mend: Option<fn(&mut [u8])>,
}

pub const TARGETS: [Target; 9] = [
    Target { name: "entries", seeds: entries, feed: feed_entries, mend: None },
    Target { name: "segment", seeds: segments, feed: feed_segment, mend: Some(mend_segment) },
    Target { name: "checkpoint", seeds: checkpoints, feed: feed_checkpoint, mend: Some(mend_checkpoint) },
    Target { name: "format", seeds: formats, feed: feed_format, mend: None },
    Target { name: "journal-of-1.x", seeds: logs_of_1x, feed: feed_log, mend: None },
    Target { name: "journal-of-2.x", seeds: logs_of_2x, feed: feed_log, mend: None },
    Target { name: "checkpoint-of-2.x", seeds: checkpoints_of_2x, feed: feed_checkpoint_of_2x, mend: None },
    Target { name: "acl", seeds: acls, feed: feed_acl, mend: None },
    Target { name: "path", seeds: paths, feed: feed_path, mend: None },
];

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn files(folder: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(data(folder)).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().filter(|path| path.is_file()).map(|path| std::fs::read(path).unwrap()).collect()
}

fn segments() -> Vec<Vec<u8>> {
    ["1", "2"].iter().flat_map(|epoch| files(&format!("journal-layout-1/epochs/{epoch}"))).collect()
}

fn checkpoints() -> Vec<Vec<u8>> {
    files("journal-layout-1/checkpoints")
}

fn formats() -> Vec<Vec<u8>> {
    vec![std::fs::read(data("journal-layout-1/FORMAT")).unwrap()]
}

fn logs_of_1x() -> Vec<Vec<u8>> {
    let read = |name: &str| std::fs::read(data(&format!("legacy-journals/v0-1.4.0/later/{name}"))).unwrap();
    vec![read("FileSystemMaster/log.out"), read("BlockMaster/log.out")]
}

fn logs_of_2x() -> Vec<Vec<u8>> {
    files("legacy-journals/v1-1.8.1/running/FileSystemMaster/v1/logs")
}

fn checkpoints_of_2x() -> Vec<Vec<u8>> {
    files("legacy-journals/v1-1.8.1/after-restart/FileSystemMaster/v1/checkpoints")
}

fn acls() -> Vec<Vec<u8>> {
    ["user:ann:rwx", "default:group::r-x", "mask::---", "other::r--"].map(|text| text.as_bytes().to_vec()).into()
}

fn paths() -> Vec<Vec<u8>> {
    ["/a/b/../c", "hdfs://nn:8020/a//b", "file:///a", "epochs/2/0.log"].map(|text| text.as_bytes().to_vec()).into()
}

/// The frames of a segment, as far as they can be read.
fn frames(bytes: &[u8]) -> impl Iterator<Item = (Frame, usize)> {
    let bytes = Bytes::copy_from_slice(bytes);
    let mut at = 0;
    std::iter::from_fn(move || match codec::decode_alone(&bytes.slice(at..)) {
        Decoded::Frame(frame, length) => {
            at += length;
            Some((frame, length))
        }
        Decoded::Torn | Decoded::Damaged(_) => None,
    })
}

fn entries() -> Vec<Vec<u8>> {
    let of_frame = |(frame, _)| match frame {
        Frame::Record(record) if !record.entries.is_empty() => Some(record.entries.to_vec()),
        _ => None,
    };
    segments().iter().flat_map(|segment| frames(segment).filter_map(of_frame).collect::<Vec<_>>()).collect()
}

fn feed_entries(bytes: &[u8]) -> bool {
    let Ok(entries) = decode_entries(bytes) else { return false };
    let again = decode_entries(&encode_entries(&entries)).expect("what was read can be written, and read again");
    assert_eq!(entries, again);
    let mut state = MasterState::default();
    let _ = entries.iter().try_for_each(|entry| state.apply(entry));
    true
}

fn feed_segment(bytes: &[u8]) -> bool {
    let bytes = Bytes::copy_from_slice(bytes);
    let _ = codec::decode(&bytes, Position::START);
    let _ = codec::length_of(&bytes);
    let mut state = MasterState::default();
    let mut seen = 0;
    for (frame, _) in frames(&bytes) {
        seen += 1;
        if let Frame::Record(record) = frame
            && let Ok(entries) = decode_entries(&record.entries)
        {
            let _ = entries.iter().try_for_each(|entry| state.apply(entry));
        }
    }
    seen > 0
}

/// Both checksums of the first frame.
fn mend_segment(bytes: &mut [u8]) {
    const HEADER_BYTES: usize = 48;
    if bytes.len() < HEADER_BYTES {
        return;
    }
    let length = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let body = bytes.get(HEADER_BYTES..HEADER_BYTES.saturating_add(length)).unwrap_or_default();
    let sum = crc32c::crc32c(body).to_le_bytes();
    bytes[HEADER_BYTES - 8..HEADER_BYTES - 4].copy_from_slice(&sum);
    let sum = crc32c::crc32c(&bytes[..HEADER_BYTES - 4]).to_le_bytes();
    bytes[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&sum);
}

fn feed_checkpoint(bytes: &[u8]) -> bool {
    let bytes = Bytes::copy_from_slice(bytes);
    let _ = CheckpointOrigin::read(&bytes);
    let Ok((state, origin)) = MasterState::from_checkpoint(&bytes) else { return false };
    state.verify().expect("it was verified");
    let again = state.to_checkpoint(&origin).concat().into();
    let (again, _) = MasterState::from_checkpoint(&again).expect("what was read can be written, and read again");
    assert_eq!(state.digest(), again.digest());
    true
}

/// The checksum of the header.
fn mend_checkpoint(bytes: &mut [u8]) {
    const PREFIX_BYTES: usize = 20;
    if bytes.len() < PREFIX_BYTES {
        return;
    }
    let length = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    let header = bytes.get(PREFIX_BYTES..PREFIX_BYTES.saturating_add(length)).unwrap_or_default();
    let sum = crc32c::crc32c(header).to_le_bytes();
    bytes[16..20].copy_from_slice(&sum);
}

fn feed_format(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("FORMAT"), bytes).unwrap();
    let store = LocalStore::new(LocalSettings::new(folder.path()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(store.read_format()).is_ok()
}

fn feed_log(bytes: &[u8]) -> bool {
    let mut gathered = Gathered::default();
    let _ = gathered.numbered("log", bytes, Ending::MayBeTorn, &mut None);
    finish(gathered);
    // One log alone need not be a journal.
    true
}

fn feed_checkpoint_of_2x(bytes: &[u8]) -> bool {
    let mut gathered = Gathered::default();
    let taken = match checkpoint::has_type(bytes) {
        true => gathered.checkpoint("checkpoint", bytes),
        false => gathered.numbered("checkpoint", bytes, Ending::Whole, &mut None),
    };
    let taken = taken.is_ok();
    finish(gathered);
    taken
}

/// A part of a journal may not be enough for a namespace.
fn finish(gathered: Gathered) {
    if let Ok(whole) = gathered.finish("journal") {
        whole.state.verify().expect("what is made of it fits together");
    }
}

fn feed_acl(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let _ = AclEntry::parse_without_permissions(&text);
    let Ok(entry) = AclEntry::parse(&text) else { return false };
    assert_eq!(AclEntry::parse(&entry.to_string()).as_ref().ok(), Some(&entry), "{text}");
    true
}

fn feed_path(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let (path, uri) = (AlluxioPath::parse(&text), UfsUri::parse(&text));
    if let Ok(path) = &path {
        assert_eq!(AlluxioPath::parse(path.as_str()).as_ref().ok(), Some(path), "{text}");
    }
    if let Ok(uri) = &uri {
        assert_eq!(UfsUri::parse(&uri.to_string()).as_ref().ok(), Some(uri), "{text}");
    }
    let segment = SegmentId::parse(&text);
    path.is_ok() || uri.is_ok() || segment.is_some()
}
