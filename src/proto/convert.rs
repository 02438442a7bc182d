//! Our own types ↔ the messages that travel.

use super::alluxio::grpc;
use super::alluxio::grpc::Bits;
use super::alluxio::grpc::file::{FileBlockInfo, FileInfo, FsOpPId};
use crate::types::{
    AlluxioPath, BlockId, BlockLocation, BlockStatus, ErrorKind, FileStatus, FsError, InodeId, OperationId,
    PersistenceState, TtlAction, WorkerAddress, WorkerId,
};

/// Bytes and components of a path that is asked for: what one request costs stays bounded. More than any path that can be
/// made has at first, for a tree may be moved below another. The limits are ours; 2.9 knows none.
const PATH_BYTES_MAX: usize = 64 << 10;
const PATH_LEVELS_MAX: usize = 4_000;

/// The path of a request.
///
/// # Errors
/// It is none, the text is that of 2.9.6; or it is too long.
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
    AlluxioPath::parse(text).map_err(|error| invalid(error.to_string()))
}

/// Permission bits as they travel.
pub fn mode_to_proto(mode: u16) -> grpc::PMode {
    // The enum counts the eight combinations from 1.
    let bits = |shift: u16| i32::from(mode >> shift & 7) + Bits::None as i32;
    grpc::PMode { owner_bits: bits(6), group_bits: bits(3), other_bits: bits(0) }
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

/// What a path looks like, as it travels.
// Every scalar is set, zeros too: 2.9 clients take a missing one for the proto2 default (a missing ttl for 0 ms).
pub fn status_to_proto(status: FileStatus) -> FileInfo {
    let block_ids = status.blocks.iter().map(|block| block.id.0).collect();
    FileInfo {
        file_id: Some(status.id.0),
        name: Some(status.path.name().to_owned()),
        path: Some(status.path.into_string()),
        ufs_path: Some(status.ufs_path),
        length: Some(status.length),
        block_size_bytes: Some(status.block_size_bytes),
        creation_time_ms: Some(status.creation_time_ms),
        completed: Some(status.completed),
        folder: Some(status.folder),
        pinned: Some(status.pinned),
        cacheable: Some(status.cacheable),
        persisted: Some(status.persistence == PersistenceState::Persisted),
        block_ids,
        last_modification_time_ms: Some(status.modification_time_ms),
        ttl: Some(status.ttl_ms),
        owner: Some(status.owner),
        group: Some(status.group),
        mode: Some(status.mode.into()),
        persistence_state: Some(status.persistence.text().to_owned()),
        mount_point: Some(status.mount_point),
        file_block_infos: block_infos(status.blocks, status.block_size_bytes),
        ttl_action: Some(ttl_action_to_proto(status.ttl_action).into()),
        mount_id: Some(status.mount_id),
        in_alluxio_percentage: Some(status.in_alluxio_percentage),
        in_memory_percentage: Some(status.in_memory_percentage),
        replication_max: Some(status.replication_max),
        replication_min: Some(status.replication_min),
        last_access_time_ms: Some(status.access_time_ms),
        ..FileInfo::default()
    }
}

/// One per block: clients cannot read a block that has none, wherever its copies are.
fn block_infos(blocks: Vec<BlockStatus>, block_size_bytes: i64) -> Vec<FileBlockInfo> {
    let offsets = (0..).map(|index: i64| index * block_size_bytes);
    let infos = blocks.into_iter().zip(offsets).map(|(block, offset)| FileBlockInfo {
        block_info: Some(block_to_proto(block)),
        offset: Some(offset),
        ..FileBlockInfo::default()
    });
    infos.collect()
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
    let tiers = tiers.map(|(name, value)| grpc::LocalityTier { tier_name: Some(name), value: Some(value) });
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

/// What a server says a path looks like.
///
/// # Errors
/// The path is none, or the persistence state has another name.
pub fn status_from_proto(mut info: FileInfo) -> Result<FileStatus, FsError> {
    let odd = |what: &str, text: &str| {
        FsError::new(ErrorKind::Internal, format!("The server's answer has the {what} \"{text}\", which is none."))
    };
    let blocks = std::mem::take(&mut info.file_block_infos).into_iter().filter_map(|info| info.block_info);
    let blocks = blocks.map(block_from_proto).collect();
    let (ttl_action, mode) = (ttl_action_from_proto(info.ttl_action()), info.mode() as u16 & 0o777);
    Ok(FileStatus {
        id: InodeId(info.file_id()),
        path: AlluxioPath::parse(info.path()).map_err(|_| odd("path", info.path()))?,
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
        mode,
        persistence: PersistenceState::parse(info.persistence_state())
            .ok_or_else(|| odd("persistence state", info.persistence_state()))?,
        ttl_ms: info.ttl(),
        ttl_action,
        replication_min: info.replication_min(),
        replication_max: info.replication_max(),
        blocks,
        in_alluxio_percentage: info.in_alluxio_percentage(),
        in_memory_percentage: info.in_memory_percentage(),
        ufs_path: info.ufs_path.unwrap_or_default(),
        owner: info.owner.unwrap_or_default(),
        group: info.group.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::{mode_from_proto, mode_to_proto, operation_id_from_proto, operation_id_to_proto};
    use super::{path, status_from_proto, status_to_proto};
    use crate::proto::alluxio::grpc::PMode;
    use crate::types::{
        AlluxioPath, BlockId, BlockLocation, BlockStatus, FileStatus, InodeId, OperationId, PersistenceState,
        TtlAction, WorkerAddress, WorkerId,
    };

    fn block(index: i64, length: i64) -> BlockStatus {
        let address = WorkerAddress {
            host: "w".into(),
            rpc_port: 29999,
            data_port: 29998,
            web_port: 30000,
            tiers: vec![("node".into(), "w".into())],
            ..WorkerAddress::default()
        };
        let location =
            BlockLocation { worker: WorkerId(7), address, tier_alias: "MEM".into(), medium_type: "MEM".into() };
        BlockStatus { id: BlockId::of(3, index), length, locations: vec![location] }
    }

    fn file() -> FileStatus {
        FileStatus {
            id: InodeId::of_file(3),
            path: AlluxioPath::parse("/a/b").unwrap(),
            ufs_path: "hdfs://h/a/b".into(),
            length: 250,
            block_size_bytes: 100,
            creation_time_ms: 1,
            modification_time_ms: 2,
            access_time_ms: 3,
            folder: false,
            completed: true,
            cacheable: true,
            pinned: true,
            mount_point: false,
            mount_id: 1,
            owner: "ada".into(),
            group: "staff".into(),
            mode: 0o640,
            persistence: PersistenceState::ToBePersisted,
            ttl_ms: -1,
            ttl_action: TtlAction::Free,
            replication_min: 1,
            replication_max: -1,
            blocks: [100, 100, 50].into_iter().zip(0..).map(|(length, index)| block(index, length)).collect(),
            in_alluxio_percentage: 40,
            in_memory_percentage: 30,
        }
    }

    #[test]
    fn a_status_arrives_as_it_left() {
        assert_eq!(status_from_proto(status_to_proto(file())), Ok(file()));
    }

    #[test]
    fn every_block_has_its_place_in_the_file() {
        let info = status_to_proto(file());
        let blocks: Vec<_> =
            info.file_block_infos.iter().map(|info| (info.offset(), info.block_info.as_ref())).collect();
        let lengths: Vec<_> = blocks.iter().map(|(offset, block)| (*offset, block.unwrap().length())).collect();
        assert_eq!(lengths, [(0, 100), (100, 100), (200, 50)]);
        assert!(blocks.iter().zip(&info.block_ids).all(|((_, block), id)| block.unwrap().block_id() == *id));
    }

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
    }
}
