//! Our own types ↔ the messages that travel.

use super::alluxio::grpc;
use super::alluxio::grpc::Bits;
use super::alluxio::grpc::file::FsOpPId;
use super::alluxio::proto::journal::XAttrUpdateStrategy;
pub use super::convert_acl::{acl_action_from_proto, acl_entry_from_proto};
pub use super::convert_status::{located_in_ufs, status_from_proto, status_to_proto};
use crate::types::{
    AlluxioPath, BlockId, BlockLocation, BlockStatus, ErrorKind, FsError, OperationId, TtlAction, WorkerAddress,
    WorkerId, XattrStrategy,
};

/// Bytes and components of a path that is asked for: what one request costs stays bounded. More than any path that can be
/// made has at first, for a tree may be moved below another. The limits are ours; 2.9 knows none.
const PATH_BYTES_MAX: usize = 64 << 10;
const PATH_LEVELS_MAX: usize = 4_000;

/// The path of a request; `alluxio://host:port/a` is `/a`, as for 2.9.6 AlluxioURI.
///
/// # Errors
/// It is none, the text is that of 2.9.6; it holds a NUL, which no UFS keeps in a name; or it is too long.
pub fn path(text: &str) -> Result<AlluxioPath, FsError> {
    let invalid = |text: String| FsError::new(ErrorKind::InvalidArgument, text);
    if text.len() > PATH_BYTES_MAX {
        let shown: String = text.chars().take(40).collect();
        return Err(invalid(format!("Path of {} bytes, the limit is {PATH_BYTES_MAX}: {shown}...", text.len())));
    }
    let levels = text.bytes().filter(|byte| *byte == b'/').count();
    if levels > PATH_LEVELS_MAX {
        return Err(invalid(format!("Path with {levels} components, the limit is {PATH_LEVELS_MAX}")));
    }
    if text.contains('\0') {
        return Err(invalid(format!("Path {text:?} is invalid: a name cannot hold a NUL.")));
    }
    AlluxioPath::parse(without_authority(text)).map_err(|error| invalid(error.to_string()))
}

/// What follows scheme and authority of this file system; the whole text if it has none.
fn without_authority(text: &str) -> &str {
    let Some(rest) = text.strip_prefix("alluxio://") else { return text };
    rest.find('/').map_or("/", |at| &rest[at..])
}

/// Permission bits as they travel.
pub fn mode_to_proto(mode: u16) -> grpc::PMode {
    // The enum counts the eight combinations from 1.
    let bits = |shift: u16| i32::from(mode >> shift & 7) + Bits::None as i32;
    grpc::PMode { owner_bits: bits(6), group_bits: bits(3), other_bits: bits(0) }
}

/// How new extended attributes meet those that are there.
pub fn xattr_strategy_from_proto(strategy: XAttrUpdateStrategy) -> XattrStrategy {
    match strategy {
        XAttrUpdateStrategy::Truncate => XattrStrategy::Truncate,
        XAttrUpdateStrategy::UnionReplace => XattrStrategy::UnionReplace,
        XAttrUpdateStrategy::UnionPreserve => XattrStrategy::UnionPreserve,
        XAttrUpdateStrategy::DeleteKeys => XattrStrategy::DeleteKeys,
    }
}

/// What is to be done with something: 4 read, 2 write, 1 execute.
pub fn bits_from_proto(bits: Bits) -> u16 {
    (bits as i32 - Bits::None as i32) as u16
}

/// Permission bits, 0 to 0o777.
pub fn mode_from_proto(mode: &grpc::PMode) -> u16 {
    let bits = bits_from_proto;
    bits(mode.owner_bits()) << 6 | bits(mode.group_bits()) << 3 | bits(mode.other_bits())
}

/// The id that makes a repetition recognisable, as it travels.
pub fn operation_id_to_proto(id: OperationId) -> FsOpPId {
    FsOpPId { most_significant_bits: Some(id.high.cast_signed()), least_significant_bits: Some(id.low.cast_signed()) }
}

/// The id that makes a repetition recognisable.
pub fn operation_id_from_proto(id: &FsOpPId) -> OperationId {
    OperationId { high: id.most_significant_bits().cast_unsigned(), low: id.least_significant_bits().cast_unsigned() }
}

/// What happens when the time to live ends, as it travels.
pub fn ttl_action_to_proto(action: TtlAction) -> grpc::TtlAction {
    match action {
        TtlAction::Delete => grpc::TtlAction::Delete,
        TtlAction::Free => grpc::TtlAction::Free,
        TtlAction::DeleteAlluxio => grpc::TtlAction::DeleteAlluxio,
    }
}

/// What happens when the time to live ends.
pub fn ttl_action_from_proto(action: grpc::TtlAction) -> TtlAction {
    match action {
        grpc::TtlAction::Delete => TtlAction::Delete,
        grpc::TtlAction::Free => TtlAction::Free,
        grpc::TtlAction::DeleteAlluxio => TtlAction::DeleteAlluxio,
    }
}

/// A block with its copies, as it travels.
pub fn block_to_proto(block: BlockStatus) -> grpc::BlockInfo {
    let locations = block.locations.into_iter().map(|location| grpc::BlockLocation {
        worker_id: Some(location.worker.0),
        worker_address: Some(worker_address_to_proto(location.address)),
        tier_alias: Some(location.tier_alias),
        medium_type: Some(location.medium_type),
    });
    grpc::BlockInfo { block_id: Some(block.id.0), length: Some(block.length), locations: locations.collect() }
}

/// A block with its copies.
pub fn block_from_proto(block: grpc::BlockInfo) -> BlockStatus {
    let (id, length) = (BlockId(block.block_id()), block.length());
    let locations = block.locations.into_iter().map(|location| BlockLocation {
        worker: WorkerId(location.worker_id()),
        address: worker_address_from_proto(location.worker_address.unwrap_or_default()),
        tier_alias: location.tier_alias.unwrap_or_default(),
        medium_type: location.medium_type.unwrap_or_default(),
    });
    BlockStatus { id, length, locations: locations.collect() }
}

/// Where a worker is reached, as it travels.
pub fn worker_address_to_proto(address: WorkerAddress) -> grpc::WorkerNetAddress {
    let tiers = address.tiers.into_iter();
    let tiers = tiers.map(|(name, value)| {
        // Compatible: 2.9, of which nothing is known: clients show `rack=null`.
        grpc::LocalityTier { tier_name: Some(name), value: Some(value).filter(|value| !value.is_empty()) }
    });
    grpc::WorkerNetAddress {
        host: Some(address.host),
        rpc_port: Some(address.rpc_port.into()),
        data_port: Some(address.data_port.into()),
        web_port: Some(address.web_port.into()),
        domain_socket_path: Some(address.domain_socket_path),
        tiered_identity: Some(grpc::TieredIdentity { tiers: tiers.collect() }),
        container_host: Some(address.container_host),
    }
}

/// Where a worker is reached. A port that is none is 0.
pub fn worker_address_from_proto(address: grpc::WorkerNetAddress) -> WorkerAddress {
    let port = |port: i32| u16::try_from(port).unwrap_or(0);
    let tiers = address.tiered_identity.clone().unwrap_or_default().tiers.into_iter();
    WorkerAddress {
        rpc_port: port(address.rpc_port()),
        data_port: port(address.data_port()),
        web_port: port(address.web_port()),
        tiers: tiers.map(|tier| (tier.tier_name.unwrap_or_default(), tier.value.unwrap_or_default())).collect(),
        host: address.host.unwrap_or_default(),
        container_host: address.container_host.unwrap_or_default(),
        domain_socket_path: address.domain_socket_path.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::{mode_from_proto, mode_to_proto, operation_id_from_proto, operation_id_to_proto, path};
    use crate::proto::alluxio::grpc::PMode;
    use crate::types::OperationId;

    #[test]
    fn modes_travel_as_three_counts_from_one() {
        assert_eq!(mode_to_proto(0o750), PMode { owner_bits: 8, group_bits: 6, other_bits: 1 });
        for mode in 0..=0o777 {
            assert_eq!(mode_from_proto(&mode_to_proto(mode)), mode);
        }
    }

    #[test]
    fn an_operation_id_keeps_all_its_bits() {
        let id = OperationId { high: u64::MAX - 1, low: 1 << 63 };
        assert_eq!(operation_id_from_proto(&operation_id_to_proto(id)), id);
    }

    #[test]
    fn a_text_that_is_no_path_is_named() {
        assert_eq!(path("a/b").unwrap_err().message, "Path \"a/b\" is invalid.");
        assert_eq!(path("/a\0b").unwrap_err().message, "Path \"/a\\0b\" is invalid: a name cannot hold a NUL.");
        assert_eq!(path("hdfs://h:1/a").unwrap_err().message, "Path \"hdfs://h:1/a\" is invalid.");
    }

    #[test]
    fn scheme_and_authority_of_this_file_system_are_no_part_of_a_path() {
        for (text, bare) in [("alluxio://h:19998/a/b", "/a/b"), ("alluxio:///a", "/a"), ("alluxio://h:19998", "/")] {
            assert_eq!(path(text).unwrap().as_str(), bare);
        }
    }
}
