//! What an inode looks like to a client.

use super::Context;
use crate::master::state::{Footprint, Inode, InodeKind};
use crate::types::{AlluxioPath, BlockId, BlockLocation, BlockStatus, FileStatus, PersistenceState};

/// Alias of the first tier, which is memory.
const MEMORY_TIER: &str = "MEM";

/// The status of an inode at that path. The number of a directory's children is part of it.
pub(super) fn status_of(at: &Context<'_>, path: &AlluxioPath, inode: &Inode, footprint: &mut Footprint) -> FileStatus {
    footprint.read_inode(inode.id);
    if inode.is_directory() {
        footprint.listed(inode.id);
    }
    let inodes = at.state.inodes();
    let place = at.place(path);
    let common = FileStatus {
        id: inode.id,
        path: path.clone(),
        ufs_path: place.ufs_path,
        length: 0,
        block_size_bytes: 0,
        creation_time_ms: inode.creation_time_ms,
        modification_time_ms: inode.modification_time_ms,
        access_time_ms: inode.access_time_ms,
        folder: inode.is_directory(),
        completed: true,
        cacheable: false,
        pinned: inode.pinned,
        mount_point: false,
        mount_id: place.mount_id,
        owner: inodes.owner(inode).to_owned(),
        group: inodes.group(inode).to_owned(),
        mode: inode.mode,
        persistence: inode.persistence,
        ttl_ms: inode.ttl_ms,
        ttl_action: inode.ttl_action,
        replication_min: 0,
        replication_max: 0,
        blocks: Vec::new(),
        in_alluxio_percentage: 0,
        in_memory_percentage: 0,
        extras: inodes.extras(inode).boxed(),
    };
    match inode.kind {
        InodeKind::Directory { children, mount_point, direct_children_loaded: _ } => {
            FileStatus { length: children.cast_signed(), mount_point, ..common }
        }
        InodeKind::File { length, block_size_bytes, blocks, completed, cacheable, replication } => {
            let block = |index| block_of(at, inode, index, length, block_size_bytes);
            let blocks: Vec<BlockStatus> = (0..i64::from(blocks)).map(block).collect();
            let is_lost = completed
                && inode.persistence == PersistenceState::NotPersisted
                && blocks.iter().any(|block| block.length > 0 && block.locations.is_empty())
                && !at.workers.is_in_safe_mode();
            FileStatus {
                // Compatible: 2.9 LostFileDetector. There it is journaled and stays so; here a worker that comes back
                // brings its files back. What is to be persisted yet may lie in the UFS block by block.
                persistence: if is_lost { PersistenceState::Lost } else { inode.persistence },
                length,
                block_size_bytes,
                completed,
                cacheable,
                replication_min: replication.min,
                replication_max: replication.max,
                in_alluxio_percentage: percentage(&blocks, length, |_| true),
                in_memory_percentage: percentage(&blocks, length, |copy| copy.tier_alias == MEMORY_TIER),
                blocks,
                ..common
            }
        }
    }
}

/// Block `index` of a file, with its copies. One that is not committed has the length that follows from the file's.
fn block_of(at: &Context<'_>, inode: &Inode, index: i64, length: i64, block_size_bytes: i64) -> BlockStatus {
    let id = BlockId::of(inode.id.container(), index);
    let expected = (length - index * block_size_bytes).clamp(0, block_size_bytes);
    let length = at.state.blocks().length(id).unwrap_or(expected);
    BlockStatus { id, length, locations: at.workers.locations(id) }
}

/// Per cent of a file's bytes that have a copy of that kind; all of an empty file.
fn percentage(blocks: &[BlockStatus], length: i64, is_kind: impl Fn(&BlockLocation) -> bool) -> i32 {
    if length == 0 {
        return 100;
    }
    let held = blocks.iter().filter(|block| block.locations.iter().any(&is_kind));
    let held: i128 = held.map(|block| i128::from(block.length)).sum();
    i32::try_from(held * 100 / i128::from(length)).unwrap_or(100)
}
