//! Pure. All about a file, in the words of `stat` of 2.9.

use super::acl;
use crate::proto::alluxio::grpc::file::{FileInfo, PAcl};
use crate::proto::alluxio::grpc::{BlockInfo, LocalityTier, WorkerNetAddress};

/// A file or directory with all that is told of it.
// Compatible: 2.9 URIStatus and FileInfo, toString; tests/shell, fs-05-stat-du-count-test of 2.9.6.
pub(super) fn file(info: &FileInfo) -> String {
    let blocks = info.file_block_infos.iter().map(|block| {
        let shown = block.block_info.as_ref().map_or_else(|| "null".to_owned(), self::block);
        let places = list(block.ufs_string_locations.iter().cloned());
        format!("FileBlockInfo{{blockInfo={shown}, offset={}, ufsLocations={places}}}", block.offset())
    });
    let mut xattr: Vec<String> =
        info.xattr.iter().map(|(key, value)| format!("{key}:{}", String::from_utf8_lossy(value))).collect();
    xattr.sort();
    let fields = [
        ("fileId", info.file_id().to_string()),
        ("name", info.name().to_owned()),
        ("path", info.path().to_owned()),
        ("ufsPath", info.ufs_path().to_owned()),
        ("length", info.length().to_string()),
        ("blockSizeBytes", info.block_size_bytes().to_string()),
        ("creationTimeMs", info.creation_time_ms().to_string()),
        ("completed", info.completed().to_string()),
        ("folder", info.folder().to_string()),
        ("pinned", info.pinned().to_string()),
        ("pinnedlocation", list(info.medium_type.iter().cloned())),
        ("cacheable", info.cacheable().to_string()),
        ("persisted", info.persisted().to_string()),
        ("blockIds", list(info.block_ids.iter().map(i64::to_string))),
        ("inMemoryPercentage", info.in_memory_percentage().to_string()),
        ("lastModificationTimesMs", info.last_modification_time_ms().to_string()),
        ("ttl", info.ttl().to_string()),
        ("lastAccessTimesMs", info.last_access_time_ms().to_string()),
        ("ttlAction", info.ttl_action().as_str_name().to_owned()),
        ("owner", info.owner().to_owned()),
        ("group", info.group().to_owned()),
        ("mode", info.mode().to_string()),
        ("persistenceState", info.persistence_state().to_owned()),
        ("mountPoint", info.mount_point().to_string()),
        ("replicationMax", info.replication_max().to_string()),
        ("replicationMin", info.replication_min().to_string()),
        ("fileBlockInfos", list(blocks)),
        ("mountId", info.mount_id().to_string()),
        ("inAlluxioPercentage", info.in_alluxio_percentage().to_string()),
        ("ufsFingerprint", info.ufs_fingerprint().to_owned()),
        ("acl", acl::entries(&access(info)).join(",")),
        ("defaultAcl", default_access(info).map_or_else(String::new, |list| acl::entries(list).join(","))),
        ("xattr", list(xattr.into_iter())),
    ];
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("URIStatus{{info=FileInfo{{{}}}, cacheContext=null}}", fields.join(", "))
}

/// Its access control list. A server that tells none has none but what the mode says.
pub(super) fn access(info: &FileInfo) -> PAcl {
    info.acl.clone().unwrap_or_else(|| PAcl { mode: info.mode, ..PAcl::default() })
}

/// The list of what is made below it, if it has one.
pub(super) fn default_access(info: &FileInfo) -> Option<&PAcl> {
    info.default_acl.as_ref().filter(|list| !list.is_default_empty())
}

/// Whether more is said of it than its mode says.
pub(super) fn has_extended(info: &FileInfo) -> bool {
    info.acl.as_ref().is_some_and(|list| !list.entries.is_empty()) || default_access(info).is_some()
}

/// A block with its copies.
pub fn block(block: &BlockInfo) -> String {
    let locations = block.locations.iter().map(|location| {
        let address = location.worker_address.as_ref().map_or_else(|| "null".to_owned(), self::address);
        format!(
            "BlockLocation{{workerId={}, address={address}, tierAlias={}, mediumType={}}}",
            location.worker_id(),
            location.tier_alias(),
            location.medium_type()
        )
    });
    format!("BlockInfo{{id={}, length={}, locations={}}}", block.block_id(), block.length(), list(locations))
}

fn address(address: &WorkerNetAddress) -> String {
    let tier = |tier: &LocalityTier| {
        // A place that is not known is null.
        let place = tier.value.as_deref().filter(|place| !place.is_empty()).unwrap_or("null");
        format!("{}={place}", tier.tier_name())
    };
    let tiers: Vec<String> = address.tiered_identity.iter().flat_map(|identity| &identity.tiers).map(tier).collect();
    format!(
        "WorkerNetAddress{{host={}, containerHost={}, rpcPort={}, dataPort={}, webPort={}, domainSocketPath={}, \
         tieredIdentity=TieredIdentity({})}}",
        address.host(),
        address.container_host(),
        address.rpc_port(),
        address.data_port(),
        address.web_port(),
        address.domain_socket_path(),
        tiers.join(", ")
    )
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}
