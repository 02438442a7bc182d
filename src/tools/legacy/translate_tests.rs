use super::*;

fn state() -> MasterState {
    let mut state = MasterState::new();
    let ids = crate::master::state::IdGenerators::beginning_at(1000);
    for entry in crate::master::ops::bootstrap(&state, "u", "g", crate::types::time::Millis(1), "c".into(), 0) {
        state.apply(&entry).unwrap();
    }
    ids.entries().for_each(|entry| state.apply(&entry).unwrap());
    state
}

fn take(state: &mut MasterState, kind: u32, message: &impl Message, tally: &mut Tally) -> Result<(), String> {
    for entry in entries_of(state, kind, &message.encode_to_vec(), tally)? {
        state.apply(&entry).map_err(|e| e.to_string())?;
    }
    Ok(())
}

fn new_directory(id: i64, parent: i64, name: &str) -> wire::InodeDirectoryEntry {
    wire::InodeDirectoryEntry {
        id: Some(id),
        parent_id: Some(parent),
        name: Some(name.into()),
        persistence_state: Some("NOT_PERSISTED".into()),
        creation_time_ms: Some(5),
        last_modification_time_ms: Some(6),
        ..wire::InodeDirectoryEntry::default()
    }
}

#[test]
fn what_has_no_place_is_counted_and_the_rest_is_kept() {
    let (mut state, mut tally) = (state(), Tally::default());
    let directory = wire::InodeDirectoryEntry {
        mode: Some(0o1755),
        medium_type: vec!["MEM".into()],
        // Java writes the empty value, our encoder does not.
        x_attr: [("k".to_owned(), Vec::new())].into(),
        ..new_directory(1, 0, "d")
    };
    let mut bytes = directory.encode_to_vec();
    let map = bytes.windows(5).position(|w| w == [0x9a, 0x01, 3, 0x0a, 1]).unwrap();
    bytes[map + 2] = 5;
    bytes.splice(map + 6..map + 6, [0x12, 0]);
    for entry in entries_of(&state, field::INODE_DIRECTORY, &bytes, &mut tally).unwrap() {
        state.apply(&entry).unwrap();
    }
    let made = state.inodes().get(InodeId(1)).unwrap();
    assert_eq!((made.mode, made.ttl_ms, made.access_time_ms), (0o755, -1, 6));
    assert_eq!(tally.dropped.values().sum::<u64>(), 1, "{tally:?}");
    let extras = state.inodes().extras(&made);
    assert_eq!((extras.xattr, extras.media), ([("k".to_owned(), Vec::new())].into(), ["MEM".to_owned()].into()));
}

#[test]
fn a_field_that_no_version_has_is_refused() {
    let mut bytes = new_directory(1, 0, "d").encode_to_vec();
    bytes.extend([0xc0, 0x3e, 7]);
    assert!(entries_of(&state(), field::INODE_DIRECTORY, &bytes, &mut Tally::default()).is_err());
}

#[test]
fn old_trees_go_with_one_entry_and_are_pinned_with_one() {
    let (mut state, mut tally) = (state(), Tally::default());
    for (id, parent) in [(1, 0), (2, 1), (3, 2)] {
        take(&mut state, field::INODE_DIRECTORY, &new_directory(id, parent, "d"), &mut tally).unwrap();
    }
    let pin = wire::SetAttributeEntry { id: Some(1), op_time_ms: Some(9), pinned: Some(true), ..Default::default() };
    take(&mut state, 27, &pin, &mut tally).unwrap();
    let deepest = state.inodes().get(InodeId(3)).unwrap();
    assert_eq!((deepest.pinned, deepest.modification_time_ms), (true, 9));
    let delete =
        wire::DeleteFileEntry { id: Some(1), op_time_ms: Some(10), recursive: Some(true), ..Default::default() };
    take(&mut state, field::DELETE_FILE, &delete, &mut tally).unwrap();
    assert_eq!(state.inodes().count(), 1);
    let again = take(&mut state, field::DELETE_FILE, &delete, &mut tally);
    assert!(again.is_err());
}

#[test]
fn an_old_rename_says_where_to_by_a_path() {
    let (mut state, mut tally) = (state(), Tally::default());
    for (id, name) in [(1, "a"), (2, "b")] {
        take(&mut state, field::INODE_DIRECTORY, &new_directory(id, 0, name), &mut tally).unwrap();
    }
    let rename = wire::RenameEntry {
        id: Some(1),
        dst_path: Some("/b/new".into()),
        op_time_ms: Some(20),
        ..wire::RenameEntry::default()
    };
    take(&mut state, field::RENAME, &rename, &mut tally).unwrap();
    assert_eq!(state.path_of(InodeId(1)).unwrap().as_str(), "/b/new");
    assert_eq!(state.inodes().get(InodeId(2)).unwrap().modification_time_ms, 20);
}

#[test]
fn a_late_access_time_is_passed_over_and_another_late_change_is_not() {
    let (mut state, mut tally) = (state(), Tally::default());
    let late = wire::UpdateInodeEntry { id: Some(77), last_access_time_ms: Some(5), ..Default::default() };
    take(&mut state, field::UPDATE_INODE, &late, &mut tally).unwrap();
    let wrong = wire::UpdateInodeEntry { pinned: Some(true), ..late };
    assert!(take(&mut state, field::UPDATE_INODE, &wrong, &mut tally).is_err());
}

#[test]
fn who_writes_a_file_of_a_lineage_chooses_its_blocks() {
    let (mut state, mut tally) = (state(), Tally::default());
    let file = wire::InodeFileEntry {
        id: Some((2 << 24) - 1),
        parent_id: Some(0),
        name: Some("out".into()),
        persistence_state: Some("NOT_PERSISTED".into()),
        creation_time_ms: Some(5),
        last_modification_time_ms: Some(6),
        block_size_bytes: Some(1024),
        ..wire::InodeFileEntry::default()
    };
    take(&mut state, field::INODE_FILE, &file, &mut tally).unwrap();
    // One that does not say what happens when the file has lived its time.
    let plain = translate_1x::ReinitializeFileEntry {
        path: Some("/out".into()),
        block_size_bytes: Some(300),
        ttl: Some(7),
        ttl_action: None,
    };
    take(&mut state, 18, &plain, &mut tally).unwrap();
    let made = state.inodes().iter().find(|inode| !inode.is_directory()).unwrap();
    assert!(matches!(made.kind, crate::master::state::InodeKind::File { block_size_bytes: 300, .. }), "{made:?}");
    assert_eq!((made.ttl_ms, made.modification_time_ms, tally.dropped.len()), (7, 6, 0));
    let elsewhere = translate_1x::ReinitializeFileEntry { path: Some("/none".into()), ..plain };
    assert!(take(&mut state, 18, &elsewhere, &mut tally).unwrap_err().contains("/none does not exist"));
}

fn list(entries: &[&str]) -> shared::AccessControlList {
    let mut acls = crate::types::InodeAcls { mode: 0o750, extended: None, default: None };
    let entries: Vec<_> = entries.iter().map(|text| crate::types::AclEntry::parse(text).unwrap()).collect();
    acls.change(crate::types::SetAclAction::Modify, &entries, crate::types::InodeType::File).unwrap();
    let (owner, group) = ("olga".into(), "staff".into());
    acl_to_proto(&AccessControlList { owner, group, mode: acls.mode, extended: acls.extended })
}

fn new_file(name: &str) -> wire::InodeFileEntry {
    wire::InodeFileEntry {
        id: Some(InodeId::of_file(7).0),
        parent_id: Some(0),
        name: Some(name.into()),
        persistence_state: Some("PERSISTED".into()),
        creation_time_ms: Some(5),
        last_modification_time_ms: Some(6),
        block_size_bytes: Some(1),
        ..wire::InodeFileEntry::default()
    }
}

#[test]
fn access_lists_and_hashes_are_kept() {
    let (mut state, mut tally) = (state(), Tally::default());
    let file = wire::InodeFileEntry {
        acl: Some(list(&["user:ann:rw-", "mask::r--"])),
        ufs_fingerprint: Some("TYPE|FILE UFS|hdfs OWNER|o GROUP|g MODE|420 CONTENT_HASH|(len:3,_modtime:4) ".into()),
        x_attr: [("s3_etag".to_owned(), b"(len:3, modtime:4)".to_vec()), ("k".to_owned(), b"v".to_vec())].into(),
        ..new_file("f")
    };
    take(&mut state, field::INODE_FILE, &file, &mut tally).unwrap();
    let file = state.inodes().get(InodeId::of_file(7)).unwrap();
    let extras = state.inodes().extras(&file);
    assert_eq!((state.inodes().owner(&file), state.inodes().group(&file), file.mode), ("olga", "staff", 0o750));
    let acl = extras.acl.unwrap();
    assert_eq!((acl.users["ann"], acl.mask), (6, 4));
    assert_eq!(extras.content_hash, ContentHash::LengthAndTime { length: 3, modification_time_ms: 4 });
    assert_eq!(extras.xattr.keys().collect::<Vec<_>>(), ["k"], "that of length and time follows from the hash");
    assert!(tally.dropped.is_empty(), "{tally:?}");

    // A whole list replaces the one before, and fields go over it.
    let update = wire::UpdateInodeEntry {
        id: Some(InodeId::of_file(7).0),
        acl: Some(list(&[])),
        owner: Some("eve".into()),
        ufs_fingerprint: Some(String::new()),
        x_attr: [("s3_etag".to_owned(), b"9f86d081".to_vec())].into(),
        ..Default::default()
    };
    take(&mut state, field::UPDATE_INODE, &update, &mut tally).unwrap();
    let file = state.inodes().get(InodeId::of_file(7)).unwrap();
    let extras = state.inodes().extras(&file);
    assert_eq!((state.inodes().owner(&file), extras.acl), ("eve", None));
    assert_eq!(extras.content_hash, ContentHash::Unknown);
    assert_eq!(extras.xattr.keys().collect::<Vec<_>>(), ["s3_etag"], "2.9 truncates unless it says another strategy");
}

#[test]
fn lists_are_changed_as_2_9_changes_them() {
    let (mut state, mut tally) = (state(), Tally::default());
    let directory =
        wire::InodeDirectoryEntry { default_acl: Some(list(&["user:ann:r--"])), ..new_directory(1, 0, "d") };
    take(&mut state, field::INODE_DIRECTORY, &directory, &mut tally).unwrap();
    let extras = |state: &MasterState| state.inodes().extras(&state.inodes().get(InodeId(1)).unwrap());
    assert_eq!(extras(&state).default_acl.unwrap().extended.unwrap().users["ann"], 4);
    let set = wire::SetAclEntry {
        id: Some(1),
        action: Some(wire::PSetAclAction::Modify as i32),
        entries: vec![shared::AclEntry {
            r#type: Some(shared::AclEntryType::NamedGroup as i32),
            subject: Some("dev".into()),
            actions: vec![shared::AclAction::Write as i32],
            is_default: None,
        }],
        ..wire::SetAclEntry::default()
    };
    take(&mut state, field::SET_ACL, &set, &mut tally).unwrap();
    assert_eq!(extras(&state).acl.unwrap().groups["dev"], 2);
    let empty = shared::AccessControlList { is_default: Some(true), is_empty: Some(true), ..Default::default() };
    let update = wire::UpdateInodeDirectoryEntry { id: Some(1), default_acl: Some(empty), ..Default::default() };
    take(&mut state, field::UPDATE_INODE_DIRECTORY, &update, &mut tally).unwrap();
    assert_eq!(extras(&state).default_acl, None);
    assert!(tally.dropped.is_empty(), "{tally:?}");
}

#[test]
fn what_administrators_set_is_kept_and_what_changes_nothing_is_passed_over() {
    let (mut state, mut tally) = (state(), Tally::default());
    let mut take = |kind, message: &dyn Fn() -> Vec<u8>| {
        for entry in entries_of(&state, kind, &message(), &mut tally).unwrap() {
            state.apply(&entry).unwrap();
        }
        let admin = state.admin();
        (admin.path_properties().len(), admin.ufs_modes().len(), admin.sync_points().len())
    };
    let path = || Some("/d".to_owned());
    let set = wire::PathPropertiesEntry { path: path(), properties: [("k".to_owned(), "v".to_owned())].into() };
    let removed = wire::RemovePathPropertiesEntry { path: path() };
    assert_eq!(take(field::REMOVE_PATH_PROPERTIES, &|| removed.encode_to_vec()), (0, 0, 0));
    assert_eq!(take(field::PATH_PROPERTIES, &|| set.encode_to_vec()), (1, 0, 0));
    assert_eq!(take(field::REMOVE_PATH_PROPERTIES, &|| removed.encode_to_vec()), (0, 0, 0));
    let mode =
        |mode: wire::UfsMode| wire::UpdateUfsModeEntry { ufs_path: Some("/".into()), ufs_mode: Some(mode as i32) };
    assert_eq!(take(field::UPDATE_UFS_MODE, &|| mode(wire::UfsMode::NoAccess).encode_to_vec()), (0, 1, 0));
    assert_eq!(take(field::UPDATE_UFS_MODE, &|| mode(wire::UfsMode::ReadWrite).encode_to_vec()), (0, 0, 0));
    let point = wire::AddSyncPointEntry { syncpoint_path: path(), mount_id: Some(1) };
    let gone = wire::RemoveSyncPointEntry { syncpoint_path: path(), mount_id: Some(1) };
    assert_eq!(take(field::REMOVE_SYNC_POINT, &|| gone.encode_to_vec()), (0, 0, 0));
    for _ in 0..2 {
        assert_eq!(take(field::ADD_SYNC_POINT, &|| point.encode_to_vec()), (0, 0, 1));
    }
    assert_eq!(take(field::REMOVE_SYNC_POINT, &|| gone.encode_to_vec()), (0, 0, 0));
    assert!(tally.dropped.is_empty(), "{tally:?}");
}
