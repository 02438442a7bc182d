//! What few inodes have follows the entries, through checkpoints and exports, and costs nothing where there is none.

use super::super::tests::{directory, file, grown, path};
use crate::journal::chain::Position;
use crate::journal::entry::{
    DefaultAclUpdate, DeleteFile, Entry, InodeExtras, InodeFile, PathProperties, SetAcl, SyncPoint, UpdateInode,
    UpdateInodeDirectory, UpdateInodeFile, UpdateUfsMode,
};
use crate::master::state::{CheckpointOrigin, MasterState};
use crate::types::{
    AccessControlList, AclEntry, ContentHash, DefaultAcl, ExtendedAcl, InodeId, SequenceNumber, SetAclAction, UfsMode,
    XattrStrategy, XattrUpdate,
};
use bytes::Bytes;

const FILE: InodeId = InodeId(33_554_431);

fn extras(state: &MasterState, id: InodeId) -> InodeExtras {
    state.inodes().extras(&state.inodes().get(id).unwrap())
}

fn set_acl(id: InodeId, action: SetAclAction, entries: &[&str]) -> Entry {
    let entries = entries.iter().map(|text| AclEntry::parse(text).unwrap()).collect();
    Entry::SetAcl(SetAcl { id, op_time_ms: 90, action, entries })
}

fn length_and_time(length: i64, modification_time_ms: i64) -> ContentHash {
    ContentHash::LengthAndTime { length, modification_time_ms }
}

fn hash(content_hash: ContentHash) -> Entry {
    Entry::UpdateInode(UpdateInode { content_hash: Some(content_hash), ..UpdateInode::of(FILE) })
}

fn pin(pinned: Option<bool>, media: &[&str]) -> Entry {
    let media = media.iter().map(|medium| (*medium).to_owned()).collect();
    Entry::UpdateInode(UpdateInode { pinned, media, ..UpdateInode::of(FILE) })
}

fn xattr(strategy: XattrStrategy, name: &str) -> Entry {
    let values = [(name.to_owned(), name.as_bytes().to_vec())].into();
    let xattr = Some(Box::new(XattrUpdate { strategy, values }));
    Entry::UpdateInode(UpdateInode { xattr, ..UpdateInode::of(FILE) })
}

fn with_extras(extras: InodeExtras) -> Entry {
    let Entry::InodeFile(file) = file(3, 1, "n") else { unreachable!() };
    Entry::InodeFile(InodeFile { extras: extras.boxed(), ..file })
}

/// Loaded again from a checkpoint, and made anew from its portable entries, a state is the same.
fn check(state: &MasterState) {
    state.verify().unwrap();
    let position = Position { sequence: SequenceNumber(1), hash: 2 };
    let origin = CheckpointOrigin { position, genesis: 3, cluster_id: "c".into() };
    let bytes = Bytes::from(state.to_checkpoint(&origin).concat());
    let (loaded, _) = MasterState::from_checkpoint(&bytes).unwrap();
    assert_eq!(loaded.digest(), state.digest());
    let mut anew = MasterState::new();
    state.portable_entries(state.ids()).for_each(|entry| anew.apply(&entry).unwrap());
    anew.verify().unwrap();
    for inode in state.inodes().iter() {
        assert_eq!(extras(&anew, inode.id), state.inodes().extras(&inode));
        assert_eq!(anew.inodes().get(inode.id).unwrap().mode, inode.mode);
    }
    assert!(anew.admin().entries().eq(state.admin().entries()));
}

#[test]
fn all_that_few_inodes_have_follows_the_entries() {
    let mut state = grown();
    check(&state);
    let mut apply = |entry: Entry| {
        state.apply(&entry).unwrap();
        check(&state);
        (extras(&state, FILE), state.inodes().get(FILE).unwrap())
    };
    assert_eq!(apply(xattr(XattrStrategy::Truncate, "x")).0.xattr.len(), 1);
    assert_eq!(apply(xattr(XattrStrategy::UnionReplace, "y")).0.xattr.len(), 2);
    assert_eq!(apply(xattr(XattrStrategy::DeleteKeys, "x")).0.xattr.keys().collect::<Vec<_>>(), ["y"]);
    for (entry, media) in [
        (pin(Some(true), &["SSD", "MEM"]), 2),
        (pin(None, &[]), 2),
        (pin(None, &["HDD"]), 1),
        (pin(Some(true), &[]), 0),
        (pin(Some(true), &["MEM"]), 1),
        (pin(Some(false), &["MEM"]), 0),
    ] {
        assert_eq!(apply(entry.clone()).0.media.len(), media, "{entry:?}");
    }
    let (file, inode) = apply(set_acl(FILE, SetAclAction::Modify, &["user:ann:r--", "group::rwx"]));
    assert_eq!((file.acl.unwrap().mask, inode.mode), (7, 0o674));
    assert_eq!(apply(set_acl(FILE, SetAclAction::RemoveAll, &[])).0.acl, None);
    let extended = Some(ExtendedAcl { groups: [("dev".to_owned(), 4)].into(), mask: 4, ..ExtendedAcl::default() });
    let acl = AccessControlList { owner: String::new(), group: "new".into(), mode: 0o700, extended: extended.clone() };
    let update = UpdateInode { acl: Some(Box::new(acl)), mode: Some(0o711), ..UpdateInode::of(FILE) };
    let (file, inode) = apply(Entry::UpdateInode(update));
    assert_eq!((file.acl, inode.mode), (extended, 0o711), "the field goes over the list");
    assert_eq!((state.inodes().owner(&inode), state.inodes().group(&inode)), ("o", "new"));
}

#[test]
fn a_default_list_is_replaced_and_removed() {
    let mut state = grown();
    let mut apply = |default_acl| {
        let update = UpdateInodeDirectory { default_acl: Some(Box::new(default_acl)), ..of(InodeId(1)) };
        state.apply(&Entry::UpdateInodeDirectory(update)).unwrap();
        check(&state);
        extras(&state, InodeId(1))
    };
    let acl = DefaultAcl { mode: 0o751, extended: None };
    assert_eq!(apply(DefaultAclUpdate::Replace(acl.clone())).default_acl, Some(acl));
    let left = apply(DefaultAclUpdate::Remove);
    assert_eq!(left.default_acl, None);
    assert!(left.acl.is_some(), "that of the directory itself stays");
}

fn of(id: InodeId) -> UpdateInodeDirectory {
    UpdateInodeDirectory::of(id)
}

#[test]
fn the_hash_of_a_content_stays_when_the_file_changes() {
    let mut state = grown();
    let set_length =
        |length| Entry::UpdateInodeFile(UpdateInodeFile { length: Some(length), ..UpdateInodeFile::of(FILE) });
    // The inode's own length and time tell it, then not, then again.
    for (entry, expected, elsewhere) in [
        (hash(length_and_time(0, 10)), length_and_time(0, 10), 0),
        (set_length(5), length_and_time(0, 10), 1),
        (hash(length_and_time(5, 10)), length_and_time(5, 10), 0),
        (hash(length_and_time(5, 11)), length_and_time(5, 11), 1),
        (hash(ContentHash::Text("etag".into())), ContentHash::Text("etag".into()), 0),
        (hash(length_and_time(5, 10)), length_and_time(5, 10), 0),
        (hash(ContentHash::Unknown), ContentHash::Unknown, 0),
    ] {
        state.apply(&entry).unwrap();
        check(&state);
        assert_eq!(extras(&state, FILE).content_hash, expected, "{entry:?}");
        assert_eq!(state.inodes.contents.len(), elsewhere, "{entry:?}");
    }
}

#[test]
fn who_has_nothing_costs_nothing_and_who_goes_leaves_nothing() {
    let mut state = grown();
    let parts = state.inodes.extras.parts.len();
    state.apply(&file(4, 0, "plain")).unwrap();
    let own = InodeExtras { content_hash: length_and_time(0, 10), ..InodeExtras::default() };
    state.apply(&with_extras(own)).unwrap();
    assert_eq!((state.inodes.extras.parts.len(), state.inodes.contents.len()), (parts, 1));
    let delete = |id| Entry::DeleteFile(DeleteFile { id, op_time_ms: 50, alluxio_only: false, path: path("/x") });
    state.apply(&delete(FILE)).unwrap();
    state.verify().unwrap();
    assert!(state.inodes.extras.parts.len() < parts);
    assert_eq!(state.inodes.contents.len(), 0);
}

#[test]
fn what_does_not_fit_is_named_and_changes_nothing() {
    let default_acl = Some(DefaultAcl { mode: 0o700, extended: None });
    let properties = |properties: &[(&str, &str)]| {
        let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Entry::PathProperties(PathProperties { path: path("/p"), properties })
    };
    let point = |at: &str, mount_id| SyncPoint { path: path(at), mount_id };
    let directory_hash = UpdateInode { content_hash: Some(length_and_time(1, 2)), ..UpdateInode::of(InodeId(1)) };
    let rows: Vec<(Entry, &str)> = vec![
        (with_extras(InodeExtras { default_acl, ..InodeExtras::default() }), "a file has no default access list"),
        (Entry::UpdateInode(directory_hash), "a directory has no content"),
        (set_acl(InodeId(99), SetAclAction::Modify, &[]), "inode 99 does not exist"),
        (set_acl(InodeId(1), SetAclAction::Remove, &["user::rwx"]), "Deleting base entry is not allowed."),
        (set_acl(FILE, SetAclAction::Modify, &["default:user::rwx"]), "Can not set default ACL for a file"),
        (properties(&[]), "it sets no property"),
        (Entry::RemovePathProperties { path: path("/p") }, "none are set"),
        (Entry::AddSyncPoint(point("/a/b", 7)), "it is one already"),
        (Entry::RemoveSyncPoint(point("/a/b", 7)), "it is one of mount 1"),
        (Entry::RemoveSyncPoint(point("/a", 1)), "it is none"),
    ];
    for (entry, reason) in rows {
        let mut state = grown();
        let before = state.digest();
        let corrupt = state.apply(&entry).unwrap_err();
        assert_eq!(corrupt.reason, reason, "{entry:?}");
        assert_eq!(state.digest(), before, "{entry:?}");
    }
}

#[test]
fn what_administrators_set_is_set_and_taken_back() {
    let mut state = grown();
    state.apply(&directory(3, 2, "deep")).unwrap();
    let admin = state.admin();
    assert_eq!(admin.path_properties()[&path("/a")]["k"], "v");
    assert_eq!((admin.ufs_mode("/"), admin.ufs_mode("hdfs://nn/")), (UfsMode::ReadOnly, UfsMode::ReadWrite));
    assert_eq!(admin.sync_points().get(&path("/a/b")), Some(&1));
    for entry in [
        Entry::RemovePathProperties { path: path("/a") },
        Entry::UpdateUfsMode(UpdateUfsMode { ufs_path: "/".into(), mode: UfsMode::ReadWrite }),
        Entry::RemoveSyncPoint(SyncPoint { path: path("/a/b"), mount_id: 1 }),
    ] {
        state.apply(&entry).unwrap();
    }
    assert_eq!(state.admin().entries().count(), 0);
}
