//! Pure. Inodes as the metastore HEAP of 2.x writes them into a checkpoint: in no order, children before parents too.

use super::frames::{Frame, Frames};
use super::tally::Tally;
use super::translate;
use crate::journal::entry::Entry;
use crate::journal::entry_codec::message;
use crate::journal::entry_from_proto as strict;
use crate::proto::alluxio::proto::journal as wire;
use crate::proto::alluxio::proto::meta::Inode;
use crate::types::InodeId;
use prost::Message;
use std::collections::BTreeMap;

/// Gives each inode to `add`, parents before children, as entries and where in `bytes` it stands.
///
/// # Errors
/// Where, and what does not fit; also what `add` says.
pub fn for_each(
    bytes: &[u8],
    tally: &mut Tally,
    mut add: impl FnMut(Vec<Entry>, &mut Tally) -> Result<(), String>,
) -> Result<(), (usize, String)> {
    let mut below = by_parent(bytes)?;
    let mut next = vec![InodeId::NONE.0];
    while let Some(parent) = next.pop() {
        for (offset, message) in below.remove(&parent).unwrap_or_default() {
            let at = |reason| (offset, reason);
            let inode = decode(message).map_err(at)?;
            next.extend(inode.is_directory().then(|| inode.id()));
            let entries = entries_of(inode, tally).map_err(at)?;
            add(entries, tally).map_err(at)?;
        }
    }
    match below.iter().next() {
        Some((parent, inodes)) => Err((inodes[0].0, format!("directory {parent} above this inode is not there"))),
        None => Ok(()),
    }
}

type Places<'a> = BTreeMap<i64, Vec<(usize, &'a [u8])>>;

/// Where the inodes of each parent stand.
fn by_parent(bytes: &[u8]) -> Result<Places<'_>, (usize, String)> {
    let mut frames = Frames::of(bytes);
    let mut below = Places::new();
    loop {
        match frames.next_frame() {
            Frame::Message { offset, bytes } => {
                let inode = decode(bytes).map_err(|reason| (offset, reason))?;
                let parent = inode.parent_id.ok_or_else(|| (offset, "an inode without parent".to_owned()))?;
                below.entry(parent).or_default().push((offset, bytes));
            }
            Frame::End => return Ok(below),
            Frame::Torn { offset } => return Err((offset, "the last inode is cut off".into())),
            Frame::NoLength { offset } => return Err((offset, "no inode begins here".into())),
        }
    }
}

fn decode(bytes: &[u8]) -> Result<Inode, String> {
    // Java writes empty values of maps, which our encoder leaves out.
    message(bytes).or_else(|strict| match Inode::decode(bytes) {
        Ok(inode) if !inode.x_attr.is_empty() => Ok(inode),
        _ => Err(strict),
    })
}

fn entries_of(inode: Inode, tally: &mut Tally) -> Result<Vec<Entry>, String> {
    if inode.is_directory() { directory(inode, tally) } else { file(inode, tally) }
}

fn directory(inode: Inode, tally: &mut Tally) -> Result<Vec<Entry>, String> {
    let entry = wire::InodeDirectoryEntry {
        id: inode.id,
        parent_id: inode.parent_id,
        ttl_action: Some(inode.ttl_action.unwrap_or_default()),
        name: Some(inode.name.unwrap_or_default()),
        persistence_state: inode.persistence_state,
        pinned: inode.is_pinned,
        creation_time_ms: inode.creation_time_ms,
        last_modification_time_ms: inode.last_modified_ms,
        mount_point: inode.is_mount_point,
        direct_children_loaded: inode.has_direct_children_loaded,
        ttl: inode.ttl,
        acl: inode.access_acl,
        default_acl: inode.default_acl,
        medium_type: inode.medium_type,
        x_attr: inode.x_attr,
        last_access_time_ms: inode.last_accessed_ms,
        ..wire::InodeDirectoryEntry::default()
    };
    Ok(vec![Entry::InodeDirectory(strict::directory_of(translate::directory(entry, tally)?)?)])
}

fn file(inode: Inode, tally: &mut Tally) -> Result<Vec<Entry>, String> {
    let entry = wire::InodeFileEntry {
        id: inode.id,
        parent_id: inode.parent_id,
        ttl_action: Some(inode.ttl_action.unwrap_or_default()),
        name: inode.name,
        persistence_state: inode.persistence_state,
        pinned: inode.is_pinned,
        creation_time_ms: inode.creation_time_ms,
        last_modification_time_ms: inode.last_modified_ms,
        block_size_bytes: Some(inode.block_size_bytes.unwrap_or_default()),
        ufs_fingerprint: inode.ufs_fingerprint,
        length: inode.length,
        completed: inode.is_completed,
        cacheable: inode.is_cacheable,
        blocks: inode.blocks,
        ttl: inode.ttl,
        acl: inode.access_acl,
        replication_max: inode.replication_max,
        replication_min: inode.replication_min,
        replication_durable: inode.replication_durable,
        medium_type: inode.medium_type,
        should_persist_time: inode.should_persist_time,
        x_attr: inode.x_attr,
        last_access_time_ms: inode.last_accessed_ms,
        ..wire::InodeFileEntry::default()
    };
    translate::file(entry, tally)
}
