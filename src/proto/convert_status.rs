//! What a path looks like ↔ the message that travels.

use super::alluxio::grpc::WorkerNetAddress;
use super::alluxio::grpc::file::{FileBlockInfo, FileInfo, PAcl};
use super::convert::{block_from_proto, block_to_proto, ttl_action_from_proto, ttl_action_to_proto};
use super::convert_acl::{acl_to_proto, default_acl_to_proto, extended_from_proto};
use crate::types::{
    AlluxioPath, BlockStatus, ContentHash, DefaultAcl, ErrorKind, FileStatus, FsError, InodeExtras, InodeId,
    PersistenceState,
};

/// The extended attribute that tells the hash of the content of a file in a UFS (2.9.6 Constants.ETAG_XATTR_KEY).
const CONTENT_HASH: &str = "s3_etag";

/// The kind of UFS that is a local disk.
const LOCAL: &str = "local";

/// The content hash of a file that was loaded from its UFS, or written to it before it was completed.
// Compatible: 2.9.6 InodeSyncStream.loadFileMetadataInternal and DefaultFileSystemMaster.completeFileInternal; what is
// persisted afterwards shows none.
fn shown_hash(hash: &ContentHash, completed_ms: i64) -> Option<String> {
    match hash {
        ContentHash::LengthAndTime { modification_time_ms, .. } if *modification_time_ms > completed_ms => None,
        hash => hash.text(),
    }
}

/// What tells whether a file is in its UFS as it was; "" for others. Owner, group and mode are those that it has here: what
/// the UFS has is taken over.
// Compatible: 2.9.6 MutableInodeDirectory.generateClientFileInfo: of a directory none is told.
fn fingerprint(status: &FileStatus) -> String {
    let hash = status.extras.as_deref().map_or(&ContentHash::Unknown, |extras| &extras.content_hash);
    hash.fingerprint_of_file(ufs_kind(&status.ufs_path), &status.owner, &status.group, status.mode)
}

/// Which kind of UFS has a URI.
// Compatible: 2.9.6 UnderFileSystem.getUnderFSType.
fn ufs_kind(uri: &str) -> &str {
    match uri.split_once("://").map(|(scheme, _)| scheme) {
        _ if uri.starts_with('/') => LOCAL,
        None | Some("file") => LOCAL,
        Some("s3a") => "s3",
        Some(scheme) => scheme,
    }
}

/// What a path looks like, as it travels.
// Every scalar is set, zeros too: 2.9 clients take a missing one for the proto2 default (a missing ttl for 0 ms).
pub fn status_to_proto(status: FileStatus) -> FileInfo {
    let ufs_fingerprint = fingerprint(&status);
    let extras = status.extras.as_deref();
    let acl = acl_to_proto(&status.owner, &status.group, status.mode, extras.and_then(|extras| extras.acl.as_ref()));
    let default_acl = extras.and_then(|extras| extras.default_acl.as_ref());
    let default_acl = status.folder.then(|| default_acl_to_proto(&status.owner, &status.group, default_acl));
    let mut xattr: std::collections::HashMap<_, _> =
        extras.map(|extras| extras.xattr.clone().into_iter().collect()).unwrap_or_default();
    // Both are set when it is completed; attributes that are set later change the first alone.
    let completed_ms = status.modification_time_ms.min(status.access_time_ms);
    if let Some(hash) = extras.and_then(|extras| shown_hash(&extras.content_hash, completed_ms)) {
        xattr.entry(CONTENT_HASH.to_owned()).or_insert(hash.into_bytes());
    }
    let medium_type = extras.map(|extras| extras.media.iter().cloned().collect()).unwrap_or_default();
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
        acl: Some(acl),
        default_acl,
        xattr,
        medium_type,
        ufs_fingerprint: Some(ufs_fingerprint),
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

/// The same with where its blocks are in the UFS, if that is a disk of a master, on this host: those of a persisted file that
/// no worker holds.
// Compatible: 2.9.6 DefaultFileSystemMaster.generateFileBlockInfo, LocalUnderFileSystem.getFileLocations.
pub fn located_in_ufs(mut info: FileInfo, local_host: &str) -> FileInfo {
    if !info.persisted() || ufs_kind(info.ufs_path()) != LOCAL {
        return info;
    }
    for block in &mut info.file_block_infos {
        if block.block_info.as_ref().is_some_and(|block| block.locations.is_empty()) {
            let address = WorkerNetAddress { host: Some(local_host.into()), data_port: Some(-1), ..Default::default() };
            block.ufs_locations = vec![address];
            block.ufs_string_locations = vec![local_host.to_owned()];
        }
    }
    info
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
    let extras = extras_from_proto(&mut info)?.boxed();
    Ok(FileStatus {
        extras,
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

fn extras_from_proto(info: &mut FileInfo) -> Result<InodeExtras, FsError> {
    let default_acl = info.default_acl.as_ref().filter(|acl| !acl.is_default_empty());
    let whole =
        |acl: &PAcl| extended_from_proto(acl).map(|extended| DefaultAcl { mode: acl.mode() as u16 & 0o777, extended });
    Ok(InodeExtras {
        acl: info.acl.as_ref().map(extended_from_proto).transpose()?.flatten(),
        default_acl: default_acl.map(whole).transpose()?,
        xattr: std::mem::take(&mut info.xattr).into_iter().collect(),
        media: std::mem::take(&mut info.medium_type).into_iter().collect(),
        content_hash: ContentHash::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::{located_in_ufs, status_from_proto, status_to_proto};
    use crate::types::{
        AlluxioPath, BlockId, BlockLocation, BlockStatus, ContentHash, DefaultAcl, ExtendedAcl, FileStatus,
        InodeExtras, InodeId, PersistenceState, TtlAction, WorkerAddress, WorkerId,
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
            extras: None,
        }
    }

    #[test]
    fn a_status_arrives_as_it_left() {
        assert_eq!(status_from_proto(status_to_proto(file())), Ok(file()));
    }

    #[test]
    fn what_few_have_arrives_too() {
        let named = |name: &str, bits| [(name.to_owned(), bits)].into();
        let acl = ExtendedAcl { users: named("ann", 7), groups: named("dev", 1), mask: 5 };
        let extras = InodeExtras {
            default_acl: None,
            acl: Some(acl.clone()),
            xattr: [("k".to_owned(), vec![1, 0])].into(),
            media: ["SSD".to_owned()].into(),
            content_hash: ContentHash::Unknown,
        };
        let with = FileStatus { extras: extras.clone().boxed(), ..file() };
        assert_eq!(status_from_proto(status_to_proto(with.clone())), Ok(with));
        let directory = FileStatus {
            folder: true,
            blocks: Vec::new(),
            extras: InodeExtras { default_acl: Some(DefaultAcl { mode: 0o705, extended: Some(acl) }), ..extras }
                .boxed(),
            ..file()
        };
        assert_eq!(status_from_proto(status_to_proto(directory.clone())), Ok(directory));
        let hash = ContentHash::LengthAndTime { length: 1, modification_time_ms: 3 };
        let hashed = FileStatus { extras: InodeExtras { content_hash: hash, ..Default::default() }.boxed(), ..file() };
        let at = |time| FileStatus { modification_time_ms: time, ..hashed.clone() };
        assert_eq!(status_to_proto(at(2)).xattr, [].into(), "it was completed before it was in the UFS");
        let set_later = FileStatus { access_time_ms: 2, ..at(4) };
        assert_eq!(status_to_proto(set_later).xattr, [].into());
        for time in [3, 4] {
            assert_eq!(status_to_proto(at(time)).xattr["s3_etag"], b"(len:1, modtime:3)", "loaded, or written there");
        }
    }

    #[test]
    fn the_fingerprint_of_a_file_names_its_kind_of_ufs() {
        let hash = ContentHash::LengthAndTime { length: 1, modification_time_ms: 3 };
        let extras = InodeExtras { content_hash: hash, ..Default::default() }.boxed();
        let status = FileStatus { extras, owner: "ann".into(), group: "users".into(), mode: 0o640, ..file() };
        for (uri, kind) in [("/a/f", "local"), ("hdfs://n:1/f", "hdfs"), ("s3a://b/f", "s3"), ("/a://f", "local")] {
            let info = status_to_proto(FileStatus { ufs_path: uri.into(), ..status.clone() });
            let expected =
                format!("TYPE|FILE UFS|{kind} OWNER|ann GROUP|users MODE|416 CONTENT_HASH|(len:1,_modtime:3) ");
            assert_eq!(info.ufs_fingerprint(), expected);
        }
        assert_eq!(status_to_proto(FileStatus { extras: None, ..status }).ufs_fingerprint, Some(String::new()));
    }

    #[test]
    fn blocks_that_no_worker_holds_are_where_the_local_ufs_is() {
        let mut local = FileStatus { persistence: PersistenceState::Persisted, ufs_path: "/a/f".into(), ..file() };
        local.blocks[1].locations.clear();
        let info = located_in_ufs(status_to_proto(local.clone()), "m1");
        let told: Vec<_> = info.file_block_infos.iter().map(|block| block.ufs_string_locations.join(",")).collect();
        assert_eq!(told, ["", "m1", ""]);
        let addresses = info.file_block_infos.iter().flat_map(|block| &block.ufs_locations);
        assert!(addresses.map(|address| (address.host(), address.data_port())).all(|address| address == ("m1", -1)));
        for other in [
            FileStatus { persistence: PersistenceState::ToBePersisted, ..local.clone() },
            FileStatus { ufs_path: "hdfs://n:1/f".into(), ..local },
        ] {
            let info = status_to_proto(other);
            assert_eq!(located_in_ufs(info.clone(), "m1"), info);
        }
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
}
