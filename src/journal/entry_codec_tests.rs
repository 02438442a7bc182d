//! The bytes of every kind, and that nothing is read which is not understood.

use super::super::entry::{
    AddMountPoint, Answered, AnsweredOperation, DefaultAclUpdate, DeleteFile, Entry, InodeDirectory, InodeExtras,
    InodeFile, MakeInUfs, PathProperties, Rename, Replication, SetAcl, SyncPoint, UfsIntent, UnlinkTree, UpdateInode,
    UpdateInodeDirectory, UpdateInodeFile, UpdateUfsMode,
};
use super::{decode_entries, encode_entries, wire};
use crate::proto::alluxio::proto::journal as alluxio;
use crate::types::{
    AccessControlList, AclEntry, AlluxioPath, BlockId, ContentHash, DefaultAcl, ExtendedAcl, InodeId, OperationId,
    PersistenceState, SetAclAction, TtlAction, UfsMode, XattrStrategy, XattrUpdate, Xattrs,
};
use prost::Message;

fn path(text: &str) -> AlluxioPath {
    AlluxioPath::parse(text).unwrap()
}

fn directory() -> InodeDirectory {
    InodeDirectory {
        id: InodeId(1),
        parent: InodeId::ROOT,
        name: "t".into(),
        path: path("/t"),
        creation_time_ms: 1_000,
        modification_time_ms: 1_001,
        access_time_ms: 1_002,
        owner: "root".into(),
        group: "wheel".into(),
        mode: 0o755,
        persistence: PersistenceState::NotPersisted,
        pinned: false,
        mount_point: false,
        direct_children_loaded: true,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        extras: None,
    }
}

fn file() -> InodeFile {
    InodeFile {
        id: InodeId(33_554_431),
        parent: InodeId(1),
        name: "f".into(),
        path: path("/t/f"),
        creation_time_ms: 1_000,
        modification_time_ms: 1_000,
        access_time_ms: 1_000,
        owner: "root".into(),
        group: "root".into(),
        mode: 0o644,
        persistence: PersistenceState::ToBePersisted,
        pinned: true,
        ttl_ms: 60_000,
        ttl_action: TtlAction::Delete,
        length: 12,
        block_size_bytes: 64 << 20,
        completed: false,
        cacheable: true,
        blocks: vec![BlockId(16_777_216)],
        replication: Replication { min: 1, max: 3, durable: 2 },
        extras: None,
    }
}

/// All that few inodes have.
fn extras() -> InodeExtras {
    let named = |name: &str, bits| [(name.to_owned(), bits)].into();
    let acl = ExtendedAcl { users: named("u", 7), groups: named("g", 0), mask: 5 };
    InodeExtras {
        default_acl: Some(DefaultAcl { mode: 0o640, extended: Some(acl.clone()) }),
        acl: Some(acl),
        xattr: [("k".to_owned(), vec![1, 0, 255]), ("l".to_owned(), Vec::new())].into(),
        media: ["MEM".to_owned(), "SSD".to_owned()].into(),
        content_hash: ContentHash::LengthAndTime { length: 12, modification_time_ms: 1_000 },
    }
}

/// One of each kind, with every field set somewhere.
pub(super) fn one_of_each() -> Vec<Entry> {
    vec![
        Entry::InodeDirectoryIdGenerator { container: 0, sequence: 2 },
        Entry::BlockContainerIdGenerator { next_container: 1001 },
        Entry::InodeDirectory(directory()),
        Entry::InodeFile(file()),
        Entry::InodeDirectory(InodeDirectory {
            extras: InodeExtras { content_hash: ContentHash::Unknown, ..extras() }.boxed(),
            ..directory()
        }),
        Entry::InodeFile(InodeFile { extras: InodeExtras { default_acl: None, ..extras() }.boxed(), ..file() }),
        Entry::InodeFile(InodeFile {
            owner: "two words|".into(),
            extras: InodeExtras { content_hash: ContentHash::Text("etag".into()), ..InodeExtras::default() }.boxed(),
            ..file()
        }),
        Entry::SetAcl(SetAcl {
            id: InodeId(1),
            op_time_ms: 5,
            action: SetAclAction::RemoveDefault,
            entries: ["user::rwx", "user:a:r--", "group::-w-", "default:group:b:--x", "mask::---", "other::r-x"]
                .map(|text| AclEntry::parse(text).unwrap())
                .into(),
        }),
        Entry::PathProperties(PathProperties {
            path: path("/t"),
            properties: [("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())].into(),
        }),
        Entry::RemovePathProperties { path: path("/t") },
        Entry::UpdateUfsMode(UpdateUfsMode { ufs_path: "hdfs://nn/".into(), mode: UfsMode::NoAccess }),
        Entry::UpdateUfsMode(UpdateUfsMode { ufs_path: "/".into(), mode: UfsMode::ReadWrite }),
        Entry::AddSyncPoint(SyncPoint { path: path("/t"), mount_id: 1 }),
        Entry::RemoveSyncPoint(SyncPoint { path: path("/t"), mount_id: 77 }),
        Entry::UpdateInode(UpdateInode::of(InodeId(5))),
        Entry::UpdateInode(UpdateInode {
            id: InodeId(5),
            owner: Some("a".into()),
            group: Some("b".into()),
            mode: Some(0o700),
            modification_time_ms: Some(7),
            overwrite_modification_time: Some(true),
            access_time_ms: Some(8),
            overwrite_access_time: Some(false),
            persistence: Some(PersistenceState::Persisted),
            pinned: Some(true),
            ttl_ms: Some(9),
            ttl_action: Some(TtlAction::DeleteAlluxio),
            acl: Some(Box::new(AccessControlList {
                owner: "a".into(),
                group: "b".into(),
                mode: 0o751,
                extended: extras().acl,
            })),
            content_hash: Some(extras().content_hash),
            media: extras().media,
            xattr: Some(Box::new(XattrUpdate { strategy: XattrStrategy::UnionPreserve, values: extras().xattr })),
        }),
        Entry::UpdateInode(UpdateInode {
            content_hash: Some(ContentHash::Unknown),
            xattr: Some(Box::new(XattrUpdate { strategy: XattrStrategy::Truncate, values: Xattrs::new() })),
            ..UpdateInode::of(InodeId(5))
        }),
        Entry::UpdateInodeDirectory(UpdateInodeDirectory {
            default_acl: Some(Box::new(DefaultAclUpdate::Remove)),
            ..UpdateInodeDirectory::of(InodeId(1))
        }),
        Entry::UpdateInodeDirectory(UpdateInodeDirectory {
            id: InodeId(1),
            mount_point: Some(false),
            direct_children_loaded: Some(true),
            default_acl: extras().default_acl.map(|acl| Box::new(DefaultAclUpdate::Replace(acl))),
        }),
        Entry::UpdateInodeFile(UpdateInodeFile {
            id: InodeId(33_554_431),
            block_size_bytes: Some(1),
            length: Some(12),
            completed: Some(true),
            cacheable: Some(false),
            blocks: vec![BlockId(16_777_216), BlockId(16_777_217)],
            replication_min: Some(1),
            replication_max: Some(-1),
            path: Some(path("/t/f")),
        }),
        Entry::NewBlock { id: InodeId(33_554_431) },
        Entry::BlockInfo { id: BlockId(16_777_216), length: 12 },
        Entry::DeleteBlock { id: BlockId(16_777_216) },
        Entry::DeleteFile(DeleteFile { id: InodeId(1), op_time_ms: 5, alluxio_only: true, path: path("/t") }),
        Entry::Rename(Rename {
            id: InodeId(1),
            new_parent: InodeId(2),
            new_name: "ü".into(),
            op_time_ms: 6,
            path: path("/t"),
            new_path: path("/x/ü"),
        }),
        Entry::ClusterInfo { cluster_id: "d3b1".into() },
        Entry::Answered(Answered {
            operation_id: OperationId { high: u64::MAX, low: 1 },
            operation: AnsweredOperation::Rename,
            arguments: 0x0123_4567_89ab_cdef,
            inode: InodeId::ROOT,
            op_time_ms: 5,
        }),
        Entry::UnlinkTree(UnlinkTree { id: InodeId(1), op_time_ms: 5, path: path("/t") }),
        Entry::CollectTree { ids: vec![InodeId(3), InodeId(2)] },
        Entry::AddMountPoint(AddMountPoint {
            path: path("/m"),
            ufs_path: "hdfs://nn/m".into(),
            read_only: true,
            shared: false,
            properties: vec![("a".into(), "1".into()), ("b".into(), String::new())],
            mount_id: 77,
        }),
        Entry::DeleteMountPoint { path: path("/m") },
        Entry::UfsIntent(UfsIntent {
            inode: InodeId(1),
            path: path("/t"),
            new_path: Some(path("/u")),
            temporary: None,
            make: None,
            op_time_ms: 5,
            answer: Some(Answered {
                operation_id: OperationId { high: 1, low: 2 },
                operation: AnsweredOperation::Rename,
                arguments: 3,
                inode: InodeId::ROOT,
                op_time_ms: 5,
            }),
        }),
        Entry::UfsIntent(UfsIntent {
            inode: InodeId(1),
            path: path("/t"),
            new_path: None,
            temporary: Some("hdfs://h/t".into()),
            make: None,
            op_time_ms: 5,
            answer: None,
        }),
        Entry::UfsIntent(UfsIntent {
            inode: InodeId(9),
            path: path("/t/m"),
            new_path: None,
            temporary: None,
            make: Some(MakeInUfs::New(Box::new(InodeDirectory {
                id: InodeId(9),
                name: "m".into(),
                path: path("/t/m"),
                ..directory()
            }))),
            op_time_ms: 5,
            answer: None,
        }),
        Entry::UfsIntent(UfsIntent {
            inode: InodeId(1),
            path: path("/t"),
            new_path: None,
            temporary: None,
            make: Some(MakeInUfs::Existing),
            op_time_ms: 5,
            answer: None,
        }),
        Entry::UfsIntentSettled { inode: InodeId(1) },
        Entry::PersistTime { inode: InodeId(1), time_ms: -1 },
    ]
}

#[test]
fn every_kind_is_read_as_it_was_written() {
    let entries = one_of_each();
    assert_eq!(decode_entries(&encode_entries(&entries)), Ok(entries));
    assert_eq!(decode_entries(&[]), Ok(Vec::new()));
}

#[test]
fn the_bytes_are_those_of_the_message_files() {
    for entry in one_of_each() {
        let bytes = encode_entries(std::slice::from_ref(&entry));
        let message = wire::Entry::decode_length_delimited(&bytes[..]).unwrap();
        assert!(message.kind.is_some(), "{entry:?}");
        assert_eq!(message.encode_length_delimited_to_vec(), bytes, "{entry:?}");
    }
}

#[test]
fn the_bytes_are_those_of_the_2_9_journal() {
    // Written by hand from the field numbers of JournalEntry: 35 update_inode, 6 delete_file, 9 inode_directory.
    let update = Entry::UpdateInode(UpdateInode { mode: Some(0o755), ..UpdateInode::of(InodeId(5)) });
    assert_eq!(encode_entries(&[update]), b"\x0a\x0a\x08\x9a\x02\x05\x08\x05\x58\xed\x03");
    let delete = Entry::DeleteFile(DeleteFile { id: InodeId(1), op_time_ms: 5, alluxio_only: false, path: path("/t") });
    assert_eq!(encode_entries(&[delete]), b"\x0e\x0a\x0c\x32\x0a\x08\x01\x10\x00\x18\x05\x2a\x02/t");
    let expected = b"\x5a\x0a\x58\x4a\x56\
        \x08\x01\x10\x00\x1a\x01t\x22\x0dNOT_PERSISTED\x28\x00\x30\xe8\x07\x38\xe9\x07\
        \x42\x04root\x4a\x05wheel\x50\xed\x03\x58\x00\x60\x01\
        \x68\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x70\x01\x8a\x01\x02/t\xa0\x01\xea\x07";
    let expected = with_lengths(expected);
    assert_eq!(encode_entries(&[Entry::InodeDirectory(directory())]), expected);
}

/// The three lengths before the body of a directory, counted instead of written by hand.
fn with_lengths(bytes: &[u8]) -> Vec<u8> {
    let body = &bytes[5..];
    let length = body.len() as u8;
    [&[length + 4, 0x0a, length + 2, 0x4a, length], body].concat()
}

#[test]
fn the_bytes_of_our_own_kinds_stay() {
    let answered = Entry::Answered(Answered {
        operation_id: OperationId { high: 1, low: 2 },
        operation: AnsweredOperation::Delete,
        arguments: 3,
        inode: InodeId(4),
        op_time_ms: 5,
    });
    let expected = b"\x23\x12\x21\x09\x01\0\0\0\0\0\0\0\x11\x02\0\0\0\0\0\0\0\x18\x05\
        \x21\x03\0\0\0\0\0\0\0\x28\x04\x30\x05";
    assert_eq!(encode_entries(&[answered]), expected);
    let unlink = Entry::UnlinkTree(UnlinkTree { id: InodeId(1), op_time_ms: 5, path: path("/t") });
    assert_eq!(encode_entries(&[unlink]), b"\x0a\x1a\x08\x08\x01\x10\x05\x1a\x02/t");
    assert_eq!(encode_entries(&[Entry::CollectTree { ids: vec![InodeId(3)] }]), b"\x04\x22\x02\x08\x03");
}

#[test]
fn a_list_that_contradicts_the_file_is_refused() {
    let refused = |change: &dyn Fn(&mut alluxio::InodeFileEntry)| {
        let extras = InodeExtras { default_acl: None, ..extras() }.boxed();
        let mut message = super::entry_to_proto::file_of(&InodeFile { extras, ..file() });
        change(&mut message);
        let message = alluxio::JournalEntry { inode_file: Some(message), ..Default::default() };
        let entry = wire::Entry { kind: Some(wire::entry::Kind::Alluxio(message)) };
        decode_entries(&entry.encode_length_delimited_to_vec()).map_err(|corrupt| corrupt.reason)
    };
    assert!(refused(&|_| ()).is_ok());
    let contradicts = Err("inode_file: acl says another owner, group or mode".to_owned());
    assert_eq!(refused(&|file| file.owner = Some("x".into())), contradicts);
    let both = refused(&|file| {
        file.owner = Some("x".into());
        file.acl.as_mut().unwrap().owning_user = Some("x".into());
    });
    assert_eq!(both, Err(unlike_fingerprint()));
    assert_eq!(refused(&|file| file.acl.as_mut().unwrap().owning_group = Some("x".into())), contradicts);
    assert_eq!(refused(&|file| file.acl.as_mut().unwrap().other_actions = None), contradicts);
    let number = refused(&|file| file.acl.as_mut().unwrap().mask_actions.as_mut().unwrap().actions.push(9));
    assert_eq!(number, Err("access list: no action has the number 9".into()));
}

/// A fingerprint says owner, group and bits, too.
fn unlike_fingerprint() -> String {
    "inode_file: this program cannot keep what ufs_fingerprint says".into()
}

#[test]
fn a_cut_or_foreign_entry_is_named() {
    let bytes = encode_entries(&one_of_each());
    for end in 1..bytes.len() {
        // What remains is read whole, or refused; never something else.
        if let Ok(read) = decode_entries(&bytes[..end]) {
            assert_eq!(read[..], one_of_each()[..read.len()]);
        }
    }
    let refused = |bytes: &[u8]| decode_entries(bytes).unwrap_err().to_string();
    assert_eq!(refused(&bytes[..3]), "entry 0 at byte 0: 8 bytes are announced, 2 are there");
    // Field 9 of Entry does not exist, nor does field 77 of delete_file.
    assert!(refused(b"\x02\x4a\x00").contains("kind 9 is not known to this program"));
    assert!(
        refused(b"\x0b\x0a\x09\x32\x07\x08\x01\x10\x00\xe8\x04\x01").contains("fields that this program does not know")
    );
    assert!(refused(b"\x02\x12\x00").contains("fields"), "answered without its required fields");
    assert!(refused(b"\xff\xff\xff\xff\x0f").contains("more than the limit"));
}

#[test]
fn what_cannot_be_kept_is_refused_by_name() {
    let refused = |message: alluxio::JournalEntry| {
        let entry = wire::Entry { kind: Some(wire::entry::Kind::Alluxio(message)) };
        decode_entries(&entry.encode_length_delimited_to_vec()).unwrap_err().reason
    };
    let empty = alluxio::JournalEntry::default();
    assert!(refused(empty.clone()).contains("invalid varint"), "nothing is said");
    let both = alluxio::JournalEntry {
        cluster_info: Some(alluxio::ClusterInfoEntry { cluster_id: Some("c".into()) }),
        delete_file: Some(alluxio::DeleteFileEntry::default()),
        ..empty.clone()
    };
    assert_eq!(refused(both), "it does not say exactly one thing");
    let persist_directory = Some(alluxio::PersistDirectoryEntry::default());
    let reason = refused(alluxio::JournalEntry { persist_directory, ..empty.clone() });
    assert_eq!(reason, "journal entry: this program cannot keep what persist_directory (15) says");
    let delete_mount_point = Some(alluxio::DeleteMountPointEntry::default());
    let reason = refused(alluxio::JournalEntry { delete_mount_point, ..empty.clone() });
    assert_eq!(reason, "delete_mount_point without path");
    let located = alluxio::BlockInfoEntry { block_location: Some(Default::default()), ..Default::default() };
    let reason = refused(alluxio::JournalEntry { block_info: Some(located), ..empty.clone() });
    assert_eq!(reason, "block_info: this program cannot keep what block_location says");
    let update = alluxio::UpdateInodeEntry { id: Some(1), ..Default::default() };
    let of_update = |update| refused(alluxio::JournalEntry { update_inode: Some(update), ..Default::default() });
    let fingerprint = alluxio::UpdateInodeEntry { ufs_fingerprint: Some("TYPE|FILE".into()), ..update.clone() };
    let xattr = alluxio::UpdateInodeEntry { x_attr: extras().xattr, ..update.clone() };
    assert_eq!(of_update(xattr), "update_inode: xAttr without xAttr_update_strategy");
    let strategy = alluxio::UpdateInodeEntry { x_attr_update_strategy: Some(9), ..update.clone() };
    assert_eq!(of_update(strategy), "update_inode: no xAttr_update_strategy has the number 9");
    assert_eq!(of_update(fingerprint), "update_inode: this program cannot keep what ufs_fingerprint says");
    let mode = alluxio::UpdateInodeEntry { mode: Some(0o1777), ..update.clone() };
    assert_eq!(of_update(mode), "update_inode: no permission bits: 1023");
    let state = alluxio::UpdateInodeEntry { persistence_state: Some("GONE".into()), ..update.clone() };
    assert_eq!(of_update(state), "update_inode: no persistence state: \"GONE\"");
    let action = alluxio::UpdateInodeEntry { ttl_action: Some(7), ..update };
    assert_eq!(of_update(action), "update_inode: no ttl action has the number 7");
    let cluster_info = Some(alluxio::ClusterInfoEntry { cluster_id: None });
    assert_eq!(refused(alluxio::JournalEntry { cluster_info, ..empty }), "cluster_info without cluster_id");
}
