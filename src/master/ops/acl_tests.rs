//! Access lists, extended attributes and media: who may change them, what they permit, what children inherit.

use super::tests::{ask, mkdir, new_file, no_attributes, path, refusal, refusal_to, run, stat, touch, user, with};
use super::*;
use crate::types::{AclEntry, ErrorKind, InodeExtras, SetAclAction, XattrStrategy, XattrUpdate, Xattrs};

fn set_acl(text: &str, action: SetAclAction, entries: &[&str]) -> Operation {
    let entries = entries.iter().map(|text| AclEntry::parse(text).unwrap()).collect();
    Operation::SetAcl(SetAcl { path: path(text), action, entries, recursive: false })
}

fn modify(text: &str, entries: &[&str]) -> Operation {
    set_acl(text, SetAclAction::Modify, entries)
}

fn set(attributes: SetAttribute) -> Operation {
    Operation::SetAttribute(attributes)
}

fn extras(state: &MasterState, text: &str) -> InodeExtras {
    stat(state, text).extras.map(|extras| *extras).unwrap_or_default()
}

fn xattrs(pairs: &[(&str, &str)]) -> Xattrs {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
}

#[test]
fn a_list_permits_what_the_mode_does_not_and_takes_away_what_it_does() {
    let mut state = with(&["/d/", "/d/f"]);
    let may = |state: &MasterState, who: &Caller, access| {
        ask(state, who, Query::CheckAccess { path: path("/d/f"), access }).is_ok()
    };
    let (ann, bob, eve) = (user("ann", &[]), user("bob", &["dev"]), user("eve", &[]));
    assert_eq!([2, 4].map(|access| may(&state, &ann, access)), [false, true]);
    run(&mut state, modify("/d/f", &["user:ann:rw-", "group:dev:-w-", "other::---"])).unwrap();
    assert_eq!([2, 4].map(|access| may(&state, &ann, access)), [true, true]);
    assert_eq!([2, 4].map(|access| may(&state, &bob, access)), [true, false]);
    assert_eq!([2, 4].map(|access| may(&state, &eve, access)), [false, false]);
    run(&mut state, modify("/d/f", &["mask::r--"])).unwrap();
    assert_eq!([2, 4].map(|access| may(&state, &ann, access)), [false, true]);
    run(&mut state, set_acl("/d", SetAclAction::Modify, &["user:ann:---"])).unwrap();
    assert!(!may(&state, &ann, 4), "the way is closed");
    let mut question = Footprint::on();
    let query = Query::CheckAccess { path: path("/d/f"), access: 4 };
    let settings = super::tests::settings();
    super::query(&state, &Workers::default(), &eve, &query, &settings, &mut question).unwrap_err();
    assert!(question.inodes().contains(&stat(&state, "/d/f").id));
}

#[test]
fn the_owner_changes_lists_of_all_below_too() {
    let mut state = with(&["/d/", "/d/f"]);
    let owner = |text| set(SetAttribute { owner: Some("ann".into()), ..no_attributes(text) });
    run(&mut state, owner("/d")).unwrap();
    let ann = || user("ann", &[]);
    let operation = modify("/d", &["user:bob:r--"]);
    let Operation::SetAcl(one) = operation.clone() else { unreachable!() };
    let all = Operation::SetAcl(SetAcl { recursive: true, ..one });
    let denied = refusal_to(&state, ann(), all.clone());
    assert_eq!(
        denied,
        (ErrorKind::PermissionDenied, "Permission denied: user=ann is not the owner of path=/d/f".into())
    );
    assert_eq!(refusal_to(&state, user("bob", &[]), operation).0, ErrorKind::PermissionDenied);
    run(&mut state, all).unwrap();
    for text in ["/d", "/d/f"] {
        assert_eq!(extras(&state, text).acl.unwrap().users["bob"], 4);
    }
    assert_eq!(refusal(&state, modify("/none", &[])).0, ErrorKind::NotFound);
}

#[test]
fn what_cannot_be_is_refused_in_the_words_of_2_9() {
    let mut state = with(&["/d/", "/d/f"]);
    run(&mut state, modify("/d", &["user:ann:r--"])).unwrap();
    let rows: [(Operation, ErrorKind, &str); 7] = [
        (
            set_acl("/d", SetAclAction::Replace, &["user::rwx"]),
            ErrorKind::Unknown,
            "Replacing ACL entries must include the base entries for 'user', 'group', and 'other'. missing: \
             OWNING_GROUP, OTHER",
        ),
        (
            set_acl("/d", SetAclAction::Remove, &["mask::---"]),
            ErrorKind::InvalidArgument,
            "Deleting the mask for an extended ACL is not allowed. entry: AclEntry{type=MASK, subject=, \
             actions=AclActions{actions=[]}, isDefault=false}",
        ),
        (
            set_acl("/d", SetAclAction::Remove, &["other::rw-"]),
            ErrorKind::Internal,
            "Deleting base entry is not allowed. entry: AclEntry{type=OTHER, subject=, \
             actions=AclActions{actions=[READ, WRITE]}, isDefault=false}",
        ),
        (modify("/d/f", &["default:user::rwx"]), ErrorKind::Internal, "Can not set default ACL for a file"),
        (
            set_acl("/d/f", SetAclAction::RemoveDefault, &[]),
            ErrorKind::Internal,
            "setDefaultACL: File does not have default ACL",
        ),
        (
            set_acl("/d/f", SetAclAction::Remove, &["default:user:ann:rwx"]),
            ErrorKind::Internal,
            "getDefaultACL: File does not have default ACL",
        ),
        (modify("/none", &[]), ErrorKind::NotFound, "Path \"/none\" does not exist."),
    ];
    for (operation, kind, message) in rows {
        assert_eq!(refusal(&state, operation), (kind, message.to_owned()));
    }
    let nothing = |action| super::tests::entries_of(&state, set_acl("/d", action, &[]));
    assert_eq!((nothing(SetAclAction::Modify).len(), nothing(SetAclAction::RemoveAll).len()), (0, 1));
}

#[test]
fn who_does_not_own_the_top_of_a_tree_is_told_of_that() {
    let state = with(&["/d/", "/d/f"]);
    let Operation::SetAcl(one) = modify("/d", &["user:ann:r--"]) else { panic!("just made") };
    let all = Operation::SetAcl(SetAcl { recursive: true, ..one });
    let (kind, text) = refusal_to(&state, user("bob", &[]), all);
    let told = "Permission denied: user=bob is not the owner of path=/d";
    assert_eq!((kind, text.as_str()), (ErrorKind::PermissionDenied, told));
}

#[test]
fn children_inherit_the_default_list_and_its_owners() {
    let mut state = with(&["/d/"]);
    let owner = SetAttribute { owner: Some("olga".into()), group: Some("staff".into()), ..no_attributes("/d") };
    run(&mut state, set(owner)).unwrap();
    run(&mut state, modify("/d", &["default:user:ann:rwx", "default:other::---"])).unwrap();
    run(&mut state, mkdir("/d/e/deep")).unwrap();
    run(&mut state, touch("/d/e/f")).unwrap();
    let file = stat(&state, "/d/e/f");
    // 0755 of the directory, others taken away, then what 0644 permits; the group's bits limit the mask only.
    assert_eq!((file.mode, file.owner.as_str(), file.group.as_str()), (0o650, "olga", "staff"));
    let acl = extras(&state, "/d/e/f").acl.unwrap();
    assert_eq!((acl.users["ann"], acl.mask), (7, 4));
    for text in ["/d/e", "/d/e/deep"] {
        let of = extras(&state, text);
        assert_eq!(of.default_acl, extras(&state, "/d").default_acl, "{text}");
        assert_eq!((stat(&state, text).mode, of.acl.unwrap().mask), (0o750, 5), "{text}");
    }
    assert_eq!(extras(&state, "/d/e/f").default_acl, None);
}

#[test]
fn what_is_made_gets_extended_attributes_and_parents_if_so_wished() {
    let mut state = with(&[]);
    for (text, parents_too) in [("/a/f", true), ("/b/f", false)] {
        let xattr = NewXattrs { values: xattrs(&[("k", "v")]), parents_too };
        run(&mut state, Operation::CreateFile(CreateFile { recursive: true, xattr, ..new_file(text) })).unwrap();
        assert_eq!(extras(&state, text).xattr, xattrs(&[("k", "v")]));
    }
    assert_eq!((extras(&state, "/a").xattr.len(), extras(&state, "/b").xattr.len()), (1, 0));
    let Operation::CreateDirectory(create) = mkdir("/c") else { unreachable!() };
    let xattr = NewXattrs { values: xattrs(&[("k", "v")]), parents_too: true };
    run(&mut state, Operation::CreateDirectory(CreateDirectory { xattr, ..create })).unwrap();
    assert_eq!(extras(&state, "/c").xattr, xattrs(&[("k", "v")]));
}

#[test]
fn extended_attributes_and_loaded_children_are_set() {
    let mut state = with(&["/d/", "/d/f"]);
    let change = |strategy, pairs: &[(&str, &str)]| {
        let xattr = Some(XattrUpdate { strategy, values: xattrs(pairs) });
        set(SetAttribute { xattr, recursive: true, ..no_attributes("/d") })
    };
    run(&mut state, change(XattrStrategy::UnionReplace, &[("a", "1"), ("b", "1")])).unwrap();
    run(&mut state, change(XattrStrategy::DeleteKeys, &[("a", "")])).unwrap();
    assert_eq!(extras(&state, "/d/f").xattr, xattrs(&[("b", "1")]));
    assert_eq!(extras(&state, "/d").xattr, xattrs(&[("b", "1")]));
    let loaded = set(SetAttribute { direct_children_loaded: Some(true), recursive: true, ..no_attributes("/d") });
    run(&mut state, loaded).unwrap();
    assert!(resolve::inode_at(&state, &path("/d")).unwrap().has_children_loaded());
}

#[test]
fn who_is_pinned_stays_on_media_that_there_are() {
    let mut state = with(&["/d/", "/d/f"]);
    let pin = |pinned, media: &[&str]| {
        let media = media.iter().map(|medium| (*medium).to_owned()).collect();
        set(SetAttribute { pinned: Some(pinned), media, ..no_attributes("/d") })
    };
    run(&mut state, pin(true, &["SSD", "TAPE"])).unwrap();
    run(&mut state, touch("/d/new")).unwrap();
    for text in ["/d", "/d/f", "/d/new"] {
        assert_eq!(extras(&state, text).media, ["SSD".to_owned()].into(), "{text}");
    }
    run(&mut state, pin(true, &[])).unwrap();
    assert!(extras(&state, "/d/f").media.is_empty());
    run(&mut state, pin(true, &["MEM"])).unwrap();
    run(&mut state, pin(false, &["MEM"])).unwrap();
    assert!(extras(&state, "/d/f").media.is_empty());
}
