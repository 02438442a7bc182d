//! What the answers of the REST look like: the fields of the classes in `alluxio.wire` of 1.2.0.

use serde_json::{Value, json};

use crate::conf::shown_text;
use crate::master::figures::sum;
use crate::master::worker_call::{WorkerInfo, WorkerState};
use crate::types::{BlockStatus, FileStatus, PersistenceState, WorkerAddress};

/// Capacity of a UFS that was not asked.
pub(super) const UNKNOWN: i64 = -1;

/// FileInfo
pub(super) fn file(status: &FileStatus) -> Value {
    let blocks = status.blocks.iter().enumerate().map(|(index, block)| {
        json!({
            "blockInfo": self::block(block),
            "offset": index as i64 * status.block_size_bytes,
            "ufsLocations": [],
        })
    });
    json!({
        "fileId": status.id.0,
        "name": status.path.name(),
        "path": status.path.as_str(),
        "ufsPath": status.ufs_path,
        "length": status.length,
        "blockSizeBytes": status.block_size_bytes,
        "creationTimeMs": status.creation_time_ms,
        "completed": status.completed,
        "folder": status.folder,
        "pinned": status.pinned,
        "cacheable": status.cacheable,
        "persisted": status.persistence == PersistenceState::Persisted,
        "blockIds": status.blocks.iter().map(|block| block.id.0).collect::<Vec<_>>(),
        "inMemoryPercentage": status.in_memory_percentage,
        "lastModificationTimeMs": status.modification_time_ms,
        "ttl": status.ttl_ms,
        "owner": status.owner,
        "group": status.group,
        "mode": status.mode,
        "persistenceState": status.persistence.text(),
        "mountPoint": status.mount_point,
        "fileBlockInfos": blocks.collect::<Vec<_>>(),
    })
}

/// BlockInfo
pub(super) fn block(block: &BlockStatus) -> Value {
    let locations = block.locations.iter().map(|copy| {
        json!({
            "workerId": copy.worker.0,
            "workerAddress": address(&copy.address),
            "tierAlias": copy.tier_alias,
        })
    });
    json!({ "blockId": block.id.0, "length": block.length, "locations": locations.collect::<Vec<_>>() })
}

/// WorkerNetAddress
fn address(address: &WorkerAddress) -> Value {
    let WorkerAddress { host, rpc_port, data_port, web_port, .. } = address;
    json!({ "host": host, "rpcPort": rpc_port, "dataPort": data_port, "webPort": web_port })
}

/// WorkerInfo
pub(super) fn worker(worker: &WorkerInfo) -> Value {
    let state = match worker.state {
        WorkerState::Live => "In Service",
        WorkerState::Lost => "Out of Service",
        WorkerState::Decommissioned => "Decommissioned",
        WorkerState::Disabled => "Disabled",
    };
    json!({
        "id": worker.id.0,
        "address": address(&worker.address),
        "lastContactSec": worker.last_contact_s,
        "state": state,
        "capacityBytes": sum(&worker.capacity_bytes),
        "usedBytes": sum(&worker.used_bytes),
        "startTimeMs": worker.start_time.0,
    })
}

/// MountPointInfo
pub(super) fn mount(ufs_path: &str, read_only: bool, properties: &[(String, String)]) -> Value {
    let kind = ufs_path.split_once("://").map_or("local", |(scheme, _)| scheme);
    let properties: serde_json::Map<String, Value> =
        properties.iter().map(|(name, value)| (name.clone(), json!(shown_text(name, value)))).collect();
    json!({
        "ufsUri": ufs_path,
        "ufsType": if kind == "file" { "local" } else { kind },
        "ufsCapacityBytes": UNKNOWN,
        "ufsUsedBytes": UNKNOWN,
        "readOnly": read_only,
        "properties": properties,
    })
}
