//! Pure. Files, blocks and workers in the words of `fileInfo` of 1.2.0.

use crate::types::{BlockLocation, BlockStatus, FileStatus, PersistenceState};

/// A file with all that is known of it.
// Compatible: 1.2.0 FileInfo, toString; tests/shell, 09-fileInfo-location.
pub(super) fn file(status: &FileStatus) -> String {
    let blocks = status.blocks.iter().zip(0..).map(|(info, index): (_, i64)| {
        let offset = index * status.block_size_bytes;
        format!("FileBlockInfo{{blockInfo={}, offset={offset}, ufsLocations=[]}}", block(info))
    });
    let fields = [
        ("fileId", status.id.to_string()),
        ("name", status.path.name().to_owned()),
        ("path", status.path.to_string()),
        ("ufsPath", status.ufs_path.clone()),
        ("length", status.length.to_string()),
        ("blockSizeBytes", status.block_size_bytes.to_string()),
        ("creationTimeMs", status.creation_time_ms.to_string()),
        ("completed", status.completed.to_string()),
        ("folder", status.folder.to_string()),
        ("pinned", status.pinned.to_string()),
        ("cacheable", status.cacheable.to_string()),
        ("persisted", (status.persistence == PersistenceState::Persisted).to_string()),
        ("blockIds", list(status.blocks.iter().map(|block| block.id.0.to_string()))),
        ("inMemoryPercentage", status.in_memory_percentage.to_string()),
        ("lastModificationTimesMs", status.modification_time_ms.to_string()),
        ("ttl", status.ttl_ms.to_string()),
        ("owner", status.owner.clone()),
        ("group", status.group.clone()),
        ("mode", status.mode.to_string()),
        ("persistenceState", status.persistence.text().to_owned()),
        ("mountPoint", status.mount_point.to_string()),
        ("fileBlockInfos", list(blocks)),
    ];
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("FileInfo{{{}}}", fields.join(", "))
}

/// A block with its copies.
pub(super) fn block(block: &BlockStatus) -> String {
    let locations = list(block.locations.iter().map(location));
    format!("BlockInfo{{id={}, length={}, locations={locations}}}", block.id.0, block.length)
}

fn location(location: &BlockLocation) -> String {
    let (worker, address) = (location.worker.0, &location.address);
    format!(
        "BlockLocation{{workerId={worker}, address=WorkerNetAddress{{host={}, rpcPort={}, dataPort={}, webPort={}}}, \
         tierAlias={}}}",
        address.host, address.rpc_port, address.data_port, address.web_port, location.tier_alias
    )
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}
