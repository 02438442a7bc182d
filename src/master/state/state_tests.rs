//! A small state that the tests of this folder begin with.

use super::MasterState;
use crate::journal::entry::{
    Entry, InodeDirectory, InodeFile, PathProperties, Replication, SetAcl, SyncPoint, UpdateInode, UpdateInodeFile,
    UpdateUfsMode,
};
use crate::types::{
    AclEntry, AlluxioPath, ContentHash, InodeId, PersistenceState, SetAclAction, TtlAction, UfsMode, XattrStrategy,
    XattrUpdate,
};

pub(super) fn path(text: &str) -> AlluxioPath {
    AlluxioPath::parse(text).unwrap()
}

pub(super) fn directory(id: i64, parent: i64, name: &str) -> Entry {
    Entry::InodeDirectory(InodeDirectory {
        id: InodeId(id),
        parent: InodeId(parent),
        name: name.into(),
        path: path(&format!("/{name}")),
        creation_time_ms: 10,
        modification_time_ms: 10,
        access_time_ms: 10,
        owner: "o".into(),
        group: "g".into(),
        mode: 0o755,
        persistence: PersistenceState::NotPersisted,
        pinned: false,
        mount_point: false,
        direct_children_loaded: false,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        extras: None,
    })
}

pub(super) fn file(container: i64, parent: i64, name: &str) -> Entry {
    Entry::InodeFile(InodeFile {
        id: InodeId::of_file(container),
        parent: InodeId(parent),
        name: name.into(),
        path: path(&format!("/{name}")),
        creation_time_ms: 10,
        modification_time_ms: 10,
        access_time_ms: 10,
        owner: "o".into(),
        group: "g".into(),
        mode: 0o644,
        persistence: PersistenceState::NotPersisted,
        pinned: false,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        length: 0,
        block_size_bytes: 64 << 20,
        completed: false,
        cacheable: true,
        blocks: Vec::new(),
        replication: Replication::USUAL,
        extras: None,
    })
}

/// `/`, `/a` (1), `/a/b` (2), `/a/f` (container 1), and `/g` (container 2) with three copies, to be persisted later; beside that a
/// list of `/a`, what few have of `/a/f`, and what administrators set.
pub(super) fn grown() -> MasterState {
    let mut state = MasterState::new();
    let copies = UpdateInodeFile { replication_min: Some(3), ..UpdateInodeFile::of(InodeId::of_file(2)) };
    let persistence = Some(PersistenceState::ToBePersisted);
    let to_persist = UpdateInode { persistence, ..UpdateInode::of(InodeId::of_file(2)) };
    for entry in [
        Entry::ClusterInfo { cluster_id: "c".into() },
        Entry::BlockContainerIdGenerator { next_container: 1001 },
        Entry::InodeDirectoryIdGenerator { container: 0, sequence: 3 },
        directory(0, -1, ""),
        directory(1, 0, "a"),
        directory(2, 1, "b"),
        file(1, 1, "f"),
        file(2, 0, "g"),
        Entry::UpdateInodeFile(copies),
        Entry::UpdateInode(to_persist),
        Entry::PersistTime { inode: InodeId::of_file(2), time_ms: 77 },
        Entry::SetAcl(SetAcl {
            id: InodeId(1),
            op_time_ms: 11,
            action: SetAclAction::Modify,
            entries: ["user:ann:rwx", "default:group:dev:r-x"].map(|text| AclEntry::parse(text).unwrap()).into(),
        }),
        Entry::UpdateInode(UpdateInode {
            content_hash: Some(ContentHash::LengthAndTime { length: 9, modification_time_ms: 8 }),
            xattr: Some(Box::new(XattrUpdate {
                strategy: XattrStrategy::UnionReplace,
                values: [("k".to_owned(), vec![7; 300])].into(),
            })),
            ..UpdateInode::of(InodeId::of_file(1))
        }),
        Entry::PathProperties(PathProperties {
            path: path("/a"),
            properties: [("k".to_owned(), "v".to_owned())].into(),
        }),
        Entry::UpdateUfsMode(UpdateUfsMode { ufs_path: "/".into(), mode: UfsMode::ReadOnly }),
        Entry::AddSyncPoint(SyncPoint { path: path("/a/b"), mount_id: 1 }),
    ] {
        state.apply(&entry).unwrap();
    }
    state
}

/// What may be applied to it next.
pub(super) fn further() -> Vec<Entry> {
    let generator = Entry::InodeDirectoryIdGenerator { container: 0, sequence: 4 };
    vec![generator, directory(3, 2, "deep"), file(3, 2, "new")]
}
