use super::*;

fn acl(mode: u16, entries: &[&str]) -> AccessControlList {
    let mut acls = InodeAcls { mode, extended: None, default: None };
    acls.change(SetAclAction::Modify, &parsed(entries), InodeType::File).unwrap();
    AccessControlList { owner: "olga".into(), group: "staff".into(), mode: acls.mode, extended: acls.extended }
}

fn parsed(entries: &[&str]) -> Vec<AclEntry> {
    entries.iter().map(|entry| AclEntry::parse(entry).unwrap()).collect()
}

fn texts(entries: &[AclEntry]) -> Vec<String> {
    entries.iter().map(ToString::to_string).collect()
}

/// A directory with these entries, default ones too.
fn directory(mode: u16, entries: &[&str]) -> InodeAcls {
    let mut acls = InodeAcls { mode, extended: None, default: None };
    acls.change(SetAclAction::Modify, &parsed(entries), InodeType::Directory).unwrap();
    acls
}

fn shown(acls: &InodeAcls) -> String {
    let InodeAcls { mode, extended, default } = acls.clone();
    let own = AccessControlList { owner: String::new(), group: String::new(), mode, extended };
    let all = own.entries().into_iter().chain(default.iter().flat_map(DefaultAcl::entries));
    all.map(|entry| entry.to_string()).collect::<Vec<_>>().join(",")
}

#[test]
fn the_first_entry_that_fits_says_what_is_permitted() {
    let list = acl(0o741, &["user:bob:rw-", "group:dev:r--", "group:ops:-wx", "mask::r-x"]);
    let cases: &[(&str, &[&str], u16)] = &[
        ("olga", &[], 7),
        ("olga", &["dev"], 7),
        // Masked, and neither his groups nor others count.
        ("bob", &["ops", "staff"], 4),
        ("eve", &["staff"], 4),
        ("eve", &["ops"], 1),
        // Groups add up.
        ("eve", &["dev", "ops"], 5),
        ("eve", &["staff", "ops"], 5),
        ("eve", &["guests"], 1),
        ("eve", &[], 1),
    ];
    for (user, groups, permitted) in cases {
        let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        assert_eq!(list.permitted(user, &groups), *permitted, "{user} {groups:?}");
    }
}

#[test]
fn a_group_that_permits_less_than_others_is_what_counts() {
    let plain = acl(0o707, &[]);
    assert_eq!(plain.permitted("eve", &["staff".to_owned()]), 0);
    assert_eq!(plain.permitted("eve", &[]), 7);
}

#[test]
fn what_is_asked_for_is_done_with_the_entries() {
    use SetAclAction::{Modify, Remove, RemoveAll, RemoveDefault, Replace};
    let before = ["user:bob:rw-", "group:dev:r-x", "default:user:ann:rwx"];
    let base = "user::rwx,group::r-x,other::---,user:bob:rw-,group:dev:r-x,mask::rwx";
    let default = "default:user::rwx,default:group::r-x,default:other::---,default:user:ann:rwx,default:mask::rwx";
    let cases: &[(SetAclAction, &[&str], String)] = &[
        (Modify, &[], format!("{base},{default}")),
        (
            Modify,
            &["user:bob:r--", "group::r--"],
            format!("user::rwx,group::r--,other::---,user:bob:r--,group:dev:r-x,mask::r-x,{default}"),
        ),
        // A mask that is named is not computed.
        (
            Modify,
            &["user:bob:rwx", "mask::r--"],
            format!("user::rwx,group::r-x,other::---,user:bob:rwx,group:dev:r-x,mask::r--,{default}"),
        ),
        (Replace, &["user::r--", "group::---", "other::r--"], format!("user::r--,group::---,other::r--,{default}")),
        (
            Replace,
            &["default:user::rw-"],
            format!("{base},{}", default.replace("default:user::rwx", "default:user::rw-")),
        ),
        (Remove, &["user:bob:"], format!("user::rwx,group::r-x,other::---,group:dev:r-x,mask::r-x,{default}")),
        (Remove, &["user:bob:", "group:dev:"], format!("user::rwx,group::r-x,other::---,{default}")),
        (Remove, &["user:nobody:"], format!("{base},{default}")),
        (Remove, &["default:user:ann:"], format!("{base},default:user::rwx,default:group::r-x,default:other::---")),
        (RemoveAll, &[], format!("user::rwx,group::r-x,other::---,{default}")),
        (RemoveDefault, &[], base.to_owned()),
    ];
    for (action, entries, expected) in cases {
        let mut acls = directory(0o750, &before);
        let entries: Vec<AclEntry> = match action {
            Remove => entries.iter().map(|entry| AclEntry::parse_without_permissions(entry).unwrap()).collect(),
            _ => parsed(entries),
        };
        acls.change(*action, &entries, InodeType::Directory).unwrap();
        assert_eq!(shown(&acls), *expected, "{action:?} {:?}", texts(&entries));
    }
}

#[test]
fn a_base_entry_of_the_default_list_falls_back_to_that_of_the_directory() {
    let mut acls = directory(0o750, &["default:user::---", "default:other::rwx"]);
    let entries = parsed(&["default:user::---", "default:other::---"]);
    acls.change(SetAclAction::Remove, &entries, InodeType::Directory).unwrap();
    assert_eq!(acls.default.unwrap().mode, 0o750);
}

#[test]
fn what_cannot_be_is_refused() {
    let change =
        |action, entries: &[&str], is| directory(0o750, &["user:bob:rwx"]).change(action, &parsed(entries), is);
    let remove = |entries| change(SetAclAction::Remove, entries, InodeType::Directory);
    assert_eq!(remove(&["user::rwx"]), Err(AclRefusal::BaseEntry));
    assert_eq!(remove(&["other::rwx"]), Err(AclRefusal::BaseEntry));
    assert_eq!(remove(&["mask::rwx"]), Err(AclRefusal::Mask));
    let of_file = Err(AclRefusal::DefaultOfFile);
    assert_eq!(change(SetAclAction::Modify, &["default:user::rwx"], InodeType::File), of_file);
    assert_eq!(change(SetAclAction::RemoveDefault, &[], InodeType::File), of_file);
}

#[test]
fn a_mask_of_nobody_does_not_stay() {
    let acls = directory(0o750, &["mask::r--"]);
    assert_eq!(acls.extended, None);
}

#[test]
fn a_child_gets_what_the_default_list_and_the_client_both_permit() {
    let child = |entries: &[&str], mode| directory(0o777, entries).default.unwrap().of_child(mode);
    assert_eq!(child(&["default:user::rwx", "default:group::rw-", "default:other::r-x"], 0o754), (0o744, None));
    // With named ones the group's bits of the client limit the mask; the owning group keeps its bits.
    let (mode, extended) = child(&["default:user:ann:rwx", "default:other::r-x"], 0o640);
    assert_eq!((mode, extended.as_ref().unwrap().mask), (0o670, 4));
    assert_eq!(extended.unwrap().users["ann"], 7);
}

#[test]
fn entries_read_back_as_they_are_shown() {
    for text in ["user::rwx", "user:bob:r-x", "group::---", "group:dev:-w-", "mask::--x", "other::r--"] {
        for text in [text.to_owned(), format!("default:{text}")] {
            assert_eq!(AclEntry::parse(&text).unwrap().to_string(), text);
        }
    }
    assert_eq!(AclEntry::parse(" user : bob : r-x ").unwrap().to_string(), "user:bob:r-x");
}

#[test]
fn a_text_that_is_no_entry_is_named() {
    let cases = [
        ("", "Unexpected acl components: "),
        ("user:bob", "Unexpected acl components: user:bob"),
        ("user::", "Unexpected acl components: user::"),
        ("default:user:rwx", "Unexpected acl components: default:user:rwx"),
        ("a:b:c:d:e", "Unexpected acl components: a:b:c:d:e"),
        (":bob:rwx", "ACL entry type is empty: :bob:rwx"),
        ("owner:bob:rwx", "Unexpected ACL entry type: owner:bob:rwx"),
        ("mask:bob:rwx", "Subject for acl mask type must be empty: mask:bob:rwx"),
        ("other:bob:rwx", "Subject for acl other type must be empty: other:bob:rwx"),
        ("user:bob:rxw", "Invalid mode string: rxw"),
        ("user:bob:7", "Invalid mode string: 7"),
    ];
    for (text, message) in cases {
        assert_eq!(AclEntry::parse(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn who_takes_entries_away_says_no_permissions() {
    let parse = |text| AclEntry::parse_without_permissions(text).map(|entry| entry.subject).map_err(|e| e.to_string());
    assert_eq!(parse("user:bob"), Ok(AclSubject::User("bob".into())));
    assert_eq!(parse("default:group:dev:"), Ok(AclSubject::Group("dev".into())));
    assert_eq!(parse("mask"), Ok(AclSubject::Mask));
    assert_eq!(parse("user:bob:rwx"), Err("ACL permissions cannot be specified: user:bob:rwx".into()));
    assert_eq!(parse("user::"), Err("ACL entry must have subject: user::".into()));
    assert_eq!(parse("default:user:bob:rwx:x"), Err("Unexpected acl components: default:user:bob:rwx:x".into()));
}
