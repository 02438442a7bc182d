//! Messages into our own types, as a client reads them.

use crate::proto::alluxio::grpc::TtlAction as WireTtlAction;
use crate::proto::alluxio::grpc::file::FileInfo;
use crate::types::{AlluxioPath, BlockId, FileStatus, InodeId, PersistenceState, TtlAction};

/// The status that a message means, or what in it makes no sense. Missing fields read as proto2 defaults.
pub(super) fn file_status(info: FileInfo) -> Result<FileStatus, String> {
    let path = AlluxioPath::parse(info.path()).map_err(|error| error.to_string())?;
    let persistence = PersistenceState::parse(info.persistence_state())
        .ok_or_else(|| format!("a known persistence state for {path}: \"{}\"", info.persistence_state()))?;
    Ok(FileStatus {
        id: InodeId(info.file_id()),
        path,
        ufs_path: info.ufs_path().to_owned(),
        length: info.length(),
        block_size_bytes: info.block_size_bytes(),
        creation_time_ms: info.creation_time_ms(),
        modification_time_ms: info.last_modification_time_ms(),
        access_time_ms: info.last_access_time_ms(),
        folder: info.folder(),
        completed: info.completed(),
        cacheable: info.cacheable(),
        pinned: info.pinned(),
        mount_point: info.mount_point(),
        mount_id: info.mount_id(),
        owner: info.owner().to_owned(),
        group: info.group().to_owned(),
        mode: u16::try_from(info.mode() & 0o777).unwrap_or_default(),
        persistence,
        ttl_ms: info.ttl.unwrap_or(-1),
        ttl_action: match info.ttl_action() {
            WireTtlAction::Delete => TtlAction::Delete,
            WireTtlAction::Free => TtlAction::Free,
            WireTtlAction::DeleteAlluxio => TtlAction::DeleteAlluxio,
        },
        replication_min: info.replication_min(),
        replication_max: info.replication_max.unwrap_or(-1),
        block_ids: info.block_ids.iter().copied().map(BlockId).collect(),
        in_alluxio_percentage: info.in_alluxio_percentage(),
        in_memory_percentage: info.in_memory_percentage(),
    })
}
