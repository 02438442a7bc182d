//! What an inode looks like to a client.

use super::Settings;
use crate::master::state::{Footprint, Inode, InodeKind, MasterState};
use crate::types::{AlluxioPath, BlockId, BlockStatus, FileStatus};

/// Id of the mount of the root.
pub(super) const ROOT_MOUNT_ID: i64 = 1;

/// The status of an inode at that path. The number of a directory's children is part of it.
pub(super) fn status_of(
    state: &MasterState,
    settings: &Settings,
    path: &AlluxioPath,
    inode: &Inode,
    footprint: &mut Footprint,
) -> FileStatus {
    footprint.read_inode(inode.id);
    if inode.is_directory() {
        footprint.listed(inode.id);
    }
    let inodes = state.inodes();
    let common = FileStatus {
        id: inode.id,
        path: path.clone(),
        ufs_path: ufs_path(&settings.root_ufs, path),
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
        mount_id: ROOT_MOUNT_ID,
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
    };
    match inode.kind {
        InodeKind::Directory { children, mount_point, direct_children_loaded: _ } => {
            FileStatus { length: children.cast_signed(), mount_point, ..common }
        }
        InodeKind::File { length, block_size_bytes, blocks, completed, cacheable, replication } => FileStatus {
            length,
            block_size_bytes,
            completed,
            cacheable,
            replication_min: replication.min,
            replication_max: replication.max,
            blocks: (0..i64::from(blocks)).map(|index| block_of(inode, index, length, block_size_bytes)).collect(),
            in_alluxio_percentage: percentage_of_nothing(length),
            in_memory_percentage: percentage_of_nothing(length),
            ..common
        },
    }
}

/// Block `index` of a file, all of whose blocks but the last are full.
fn block_of(inode: &Inode, index: i64, length: i64, block_size_bytes: i64) -> BlockStatus {
    let length = (length - index * block_size_bytes).clamp(0, block_size_bytes);
    BlockStatus { id: BlockId::of(inode.id.container(), index), length, locations: Vec::new() }
}

/// No worker holds anything of any file yet, and all of an empty one.
fn percentage_of_nothing(length: i64) -> i32 {
    if length == 0 { 100 } else { 0 }
}

/// Where a path is in the UFS of the root.
pub(super) fn ufs_path(root_ufs: &str, path: &AlluxioPath) -> String {
    if path.is_root() {
        return root_ufs.to_owned();
    }
    format!("{}{path}", root_ufs.trim_end_matches('/'))
}
