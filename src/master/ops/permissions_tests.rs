//! Who may do what, in the words of 2.9.6.

use super::tests::{
    ask, chmod, complete, entries_of, mkdir, mv, new_file, no_attributes, path, refusal_to, rm, run, settings, stat,
    touch, user, with,
};
use super::*;
use crate::types::{ErrorKind, FileStatus};

fn denied(text: &str) -> (ErrorKind, String) {
    (ErrorKind::PermissionDenied, format!("Permission denied: {text}"))
}

fn list(state: &MasterState, caller: &Caller, text: &str, recursive: bool) -> Result<Vec<String>, FsError> {
    let answer = ask(state, caller, Query::ListStatus { path: path(text), recursive })?;
    let Answer::List(list) = answer else { panic!("{answer:?}") };
    Ok(list.statuses.iter().map(|status: &FileStatus| status.path.to_string()).collect())
}

#[test]
fn children_may_be_added_and_taken_by_who_may_write() {
    let mut state = with(&["/d/", "/d/f"]);
    let bob = || user("bob", &["staff"]);
    let at_d = |path: &str| {
        denied(&format!(
            "user=bob, access=-w-, path={path}: failed at d, inode owner=root, inode group=root, inode mode=rwxr-xr-x"
        ))
    };
    assert_eq!(refusal_to(&state, bob(), mkdir("/d/x/y/z")), at_d("/d/x/y/z"));
    assert_eq!(refusal_to(&state, bob(), touch("/d/x")), at_d("/d/x"));
    assert_eq!(refusal_to(&state, bob(), rm("/d/f", false)), at_d("/d/f"));
    assert_eq!(refusal_to(&state, bob(), mv("/d/f", "/d/g")), at_d("/d/f"));
    assert_eq!(refusal_to(&state, bob(), rm("/d/nope", false)), at_d("/d/nope"), "before existence");
    let at_root =
        "user=bob, access=-w-, path=/x: failed at /, inode owner=root, inode group=root, inode mode=rwxr-xr-x";
    assert_eq!(refusal_to(&state, bob(), mkdir("/x")), denied(at_root));
    chmod(&mut state, "/d", 0o776);
    let no_way =
        "user=bob, access=--x, path=/d/x/y: failed at d, inode owner=root, inode group=root, inode mode=rwxrwxrw-";
    run(&mut state, mkdir("/d/x")).unwrap();
    assert_eq!(refusal_to(&state, bob(), mkdir("/d/x/y")), denied(no_way));
    let no_file = "user=bob, access=-w-, path=/: failed at /, inode owner=root, inode group=root, inode mode=rwxr-xr-x";
    assert_eq!(
        refusal_to(&state, bob(), complete("/")),
        denied(no_file),
        "before it is looked at whether it is a file"
    );
}

#[test]
fn who_is_about_to_read_must_be_allowed_to() {
    let mut state = with(&["/d/", "/d/f"]);
    chmod(&mut state, "/d/f", 0o640);
    let check =
        |user: &Caller, path: &str, access| ask(&state, user, Query::CheckAccess { path: self::path(path), access });
    let (root, bob) = (user("root", &[]), user("bob", &["staff"]));
    assert_eq!(check(&root, "/d/f", 4), Ok(Answer::Done));
    let refusal = denied(
        "user=bob, access=r--, path=/d/f: failed at f, inode owner=root, inode group=root, inode mode=rw-r-----",
    );
    assert_eq!(check(&bob, "/d/f", 4).map_err(|error| (error.kind, error.message)), Err(refusal));
    assert_eq!(check(&bob, "/d", 4), Ok(Answer::Done));
    assert_eq!(check(&bob, "/d/none", 4).map_err(|error| error.kind), Err(ErrorKind::NotFound));
}

#[test]
fn owner_group_and_others_have_their_own_bits_only() {
    let mut state = with(&["/d/"]);
    let set = SetAttribute { owner: Some("ann".into()), group: Some("staff".into()), ..no_attributes("/d") };
    run(&mut state, Operation::SetAttribute(set)).unwrap();
    let may = |state: &MasterState, caller: &Caller| list(state, caller, "/d", false).is_ok();
    let (owner, group, other) = (user("ann", &["staff"]), user("bob", &["x", "staff"]), user("eve", &["x"]));
    for (mode, expected) in
        [(0o500, [true, false, false]), (0o050, [false, true, false]), (0o005, [false, false, true])]
    {
        chmod(&mut state, "/d", mode);
        assert_eq!([&owner, &group, &other].map(|caller| may(&state, caller)), expected, "{mode:o}");
    }
    chmod(&mut state, "/d", 0);
    assert!(may(&state, &user("root", &[])), "the owner of the root");
    assert!(may(&state, &user("eve", &["supergroup"])));
}

#[test]
fn checking_can_be_off() {
    let state = with(&["/d/"]);
    let off = Settings { permission_checking: false, ..settings() };
    let request = Request { caller: user("bob", &[]), operation_id: None, operation: mkdir("/d/x") };
    assert!(decide(&state, &Workers::default(), &request, Millis(1), &off).is_ok());
}

#[test]
fn a_status_needs_the_way_and_a_list_the_directory() {
    let mut state = with(&["/d/", "/d/e/", "/d/e/f"]);
    let bob = user("bob", &[]);
    chmod(&mut state, "/d/e", 0o700);
    assert!(ask(&state, &bob, Query::GetStatus { path: path("/d/e") }).is_ok(), "only the way counts");
    let refused = ask(&state, &bob, Query::GetStatus { path: path("/d/e/nope") }).unwrap_err();
    let no_way =
        "user=bob, access=--x, path=/d/e/nope: failed at e, inode owner=root, inode group=root, inode mode=rwx------";
    assert_eq!((refused.kind, refused.message), denied(no_way));
    let refused = list(&state, &bob, "/d/e", false).unwrap_err();
    let no_list =
        "user=bob, access=r--, path=/d/e: failed at e, inode owner=root, inode group=root, inode mode=rwx------";
    assert_eq!((refused.kind, refused.message), denied(no_list));
    assert_eq!(list(&state, &bob, "/d", true).unwrap(), ["/d/e"], "what is closed is left out below");
    chmod(&mut state, "/d/e", 0o704);
    let refused = list(&state, &bob, "/d/e", false).unwrap_err();
    assert!(refused.message.contains("access=--x, path=/d/e: failed at e"), "{refused}");
}

#[test]
fn attributes_belong_to_owner_and_super_user() {
    let mut state = with(&["/d/", "/d/f"]);
    let set = |text: &str| no_attributes(text);
    let bob = || user("bob", &["staff"]);
    let mode = |text: &str| Operation::SetAttribute(SetAttribute { mode: Some(0o700), ..set(text) });
    assert_eq!(refusal_to(&state, bob(), mode("/d")), denied("user=bob is not the owner of path=/d"));
    let group = Operation::SetAttribute(SetAttribute { group: Some("staff".into()), ..set("/d") });
    assert_eq!(refusal_to(&state, bob(), group), denied("user=bob is not the owner of path=/d"));
    let owner = Operation::SetAttribute(SetAttribute { owner: Some("bob".into()), ..set("/d") });
    assert_eq!(refusal_to(&state, bob(), owner.clone()), denied("bob is not a super user or in super group"));
    let below = Operation::SetAttribute(SetAttribute { recursive: true, mode: Some(0), ..set("/d") });
    let first = denied("user=bob is not the owner of path=/d");
    assert_eq!(refusal_to(&state, bob(), below.clone()), first, "what was named comes first");
    run(&mut state, owner).unwrap();
    let request = Request { caller: bob(), operation_id: None, operation: mode("/d") };
    assert!(decide(&state, &Workers::default(), &request, Millis(1), &settings()).is_ok(), "now he owns it");
    assert_eq!(refusal_to(&state, bob(), below), denied("user=bob is not the owner of path=/d/f"));
}

#[test]
fn an_owner_must_belong_to_the_group_given_with_him() {
    let state = with(&["/p"]);
    let set = |owner_groups| SetAttribute {
        owner: Some("foo".into()),
        group: Some("bar".into()),
        owner_groups,
        ..no_attributes("/p")
    };
    let message = "Could not update owner:group for /p to foo:bar. alluxio.exception.status.FailedPreconditionException: \
                   Owner foo does not belong to the group bar";
    let refused = refusal_to(&state, user("root", &[]), Operation::SetAttribute(set(Some(vec!["x".into()]))));
    assert_eq!(refused, (ErrorKind::Unknown, message.to_owned()));
    assert_eq!(entries_of(&state, Operation::SetAttribute(set(Some(vec!["bar".into()])))).len(), 1);
    assert_eq!(entries_of(&state, Operation::SetAttribute(set(None))).len(), 1);
}

#[test]
fn who_makes_a_file_may_complete_it_whatever_its_mode() {
    let mut state = with(&[]);
    chmod(&mut state, "/", 0o777);
    let ann = user("ann", &["staff"]);
    let create = Operation::CreateFile(CreateFile { mode: 0o400, ..new_file("/f") });
    let request = Request { caller: ann.clone(), operation_id: None, operation: create };
    for entry in decide(&state, &Workers::default(), &request, Millis(1), &settings()).unwrap().entries {
        state.apply(&entry).unwrap();
    }
    let status = stat(&state, "/f");
    assert_eq!((status.owner.as_str(), status.group.as_str()), ("ann", "staff"));
    let refused = refusal_to(&state, user("bob", &[]), complete("/f"));
    assert!(refused.1.contains("access=-w-, path=/f: failed at f"), "{refused:?}");
    let request = Request { caller: ann, operation_id: None, operation: complete("/f") };
    assert!(decide(&state, &Workers::default(), &request, Millis(1), &settings()).is_ok());
}

#[test]
fn without_authentication_owner_and_group_are_those_of_the_directory() {
    let mut state = with(&["/d/"]);
    let off = Settings { permission_checking: false, ..settings() };
    let request = Request { caller: Caller::default(), operation_id: None, operation: mkdir("/d/x/y") };
    for entry in decide(&state, &Workers::default(), &request, Millis(1), &off).unwrap().entries {
        state.apply(&entry).unwrap();
    }
    let status = stat(&state, "/d/x/y");
    assert_eq!((status.owner.as_str(), status.group.as_str()), ("root", "root"));
}
