//! Changes of trees that are too large for one record.

use super::tests::{no_attributes, path, request, run, settings, stat, user, with};
use super::ufs_tests::loaded;
use super::*;
use crate::types::{AclEntry, AclSubject, ErrorKind, InodeId, SetAclAction, TtlAction};

const NOW: Millis = Millis(9_000);

fn names() -> Vec<String> {
    (0..1_500).map(|n| format!("/d/f{n:04}")).collect()
}

fn tree(make: fn(&[&str]) -> MasterState) -> MasterState {
    let names = names();
    let paths: Vec<&str> = ["/d/", "/d/e/"].into_iter().chain(names.iter().map(String::as_str)).collect();
    make(&paths)
}

/// Has all parts decided, each on what the last one left; how many inodes they had.
fn change(state: &mut MasterState, request: &Request) -> Result<Vec<usize>, FsError> {
    let parts = parts_of(state, &settings(), request, NOW)?;
    for inodes in &parts {
        let whole = Box::new(request.operation.clone());
        let operation = Operation::Ufs(UfsOperation::Part { whole, inodes: inodes.clone() });
        let part = Request { operation, ..request.clone() };
        let decision = decide(state, &Workers::default(), &part, NOW, &settings()).unwrap();
        decision.entries.iter().for_each(|entry| state.apply(entry).unwrap());
    }
    state.verify().unwrap();
    Ok(parts.iter().map(Vec::len).collect())
}

/// What is to be done with an operation that is refused as it is.
fn prepared(state: &MasterState, request: &Request) -> Preparation {
    let refused = decide(state, &Workers::default(), request, NOW, &settings()).unwrap_err();
    assert!(is_not_yet(&refused), "{refused}");
    prepare(state, &settings(), request, NOW, Attempt::Refused, &|_| true)
}

#[test]
fn attributes_of_a_large_tree_are_set_in_parts() {
    let mut state = tree(with);
    let set = SetAttribute { recursive: true, mode: Some(0o700), ttl_ms: Some(7), ..no_attributes("/d") };
    let request = request(Operation::SetAttribute(set));
    assert_eq!(prepared(&state, &request), Preparation::InParts);
    assert_eq!(change(&mut state, &request), Ok(vec![1_000, 502]));
    for text in names().iter().map(String::as_str).chain(["/d", "/d/e"]) {
        assert_eq!((stat(&state, text).mode, stat(&state, text).ttl_ms), (0o700, 7), "{text}");
    }
    assert_eq!(stat(&state, "/").ttl_ms, -1);
}

#[test]
fn what_is_refused_of_a_large_tree_changes_nothing_of_it() {
    let mut state = tree(with);
    let owner = SetAttribute { recursive: true, owner: Some("bob".into()), ..no_attributes("/d") };
    change(&mut state, &request(Operation::SetAttribute(owner))).unwrap();
    let owner = SetAttribute { owner: Some("ann".into()), ..no_attributes("/d/f0003") };
    run(&mut state, Operation::SetAttribute(owner)).unwrap();
    let before = state.digest();
    let set = SetAttribute { recursive: true, mode: Some(0o700), ..no_attributes("/d") };
    let by_bob = Request { caller: user("bob", &[]), ..request(Operation::SetAttribute(set)) };
    let refused = change(&mut state, &by_bob).unwrap_err();
    assert!(refused.message.ends_with("user=bob is not the owner of path=/d/f0003"), "{refused}");
    assert_eq!(state.digest(), before);
}

/// What is made, moved or deleted in between is no concern of a part that was to change it.
#[test]
fn a_part_changes_what_is_still_there() {
    let mut state = tree(with);
    let set = SetAttribute { recursive: true, mode: Some(0o700), ..no_attributes("/d") };
    let request = request(Operation::SetAttribute(set));
    let parts = parts_of(&state, &settings(), &request, NOW).unwrap();
    run(&mut state, tests::rm("/d/f0001", false)).unwrap();
    run(&mut state, tests::mv("/d/f0002", "/moved")).unwrap();
    let part = |inodes: &[InodeId]| {
        let operation = UfsOperation::Part { whole: Box::new(request.operation.clone()), inodes: inodes.to_vec() };
        Request { operation: Operation::Ufs(operation), ..request.clone() }
    };
    for inodes in &parts {
        let decision = decide(&state, &Workers::default(), &part(inodes), NOW, &settings()).unwrap();
        decision.entries.iter().for_each(|entry| state.apply(entry).unwrap());
    }
    assert_eq!((stat(&state, "/moved").mode, stat(&state, "/d/f0003").mode), (0o644, 0o700));
}

#[test]
fn lists_of_a_large_tree_are_set_in_parts() {
    let mut state = tree(with);
    let entry = AclEntry { is_default: false, subject: AclSubject::User("ann".into()), permitted: 6 };
    let set = SetAcl { path: path("/d"), recursive: true, action: SetAclAction::Modify, entries: vec![entry] };
    let request = request(Operation::SetAcl(set));
    assert_eq!(prepared(&state, &request), Preparation::InParts);
    assert_eq!(change(&mut state, &request), Ok(vec![1_000, 502]));
    let has_list = |text: &str| inode_at(&state, &path(text)).is_some_and(|inode| inode.has_extras());
    assert!(names().iter().all(|name| has_list(name)) && has_list("/d") && !has_list("/"));
}

#[test]
fn a_large_tree_is_freed_in_parts() {
    let mut state = tree(loaded);
    let pin = SetAttribute { pinned: Some(true), ..no_attributes("/d/f0007") };
    run(&mut state, Operation::SetAttribute(pin)).unwrap();
    let free = |forced| request(Operation::Free(Free { path: path("/d"), recursive: true, forced }));
    assert_eq!(prepared(&state, &free(false)), Preparation::InParts);
    let refused = change(&mut state, &free(false)).unwrap_err();
    assert!(refused.message.starts_with("Cannot free file /d/f0007 which is pinned."), "{refused}");
    assert_eq!(refused.kind, ErrorKind::Unknown);
    assert_eq!(change(&mut state, &free(true)), Ok(vec![1_000, 502]));
    assert!(!stat(&state, "/d/f0007").pinned);
}

#[test]
fn the_time_to_live_of_a_large_tree_ends_with_its_last_part() {
    let mut state = tree(loaded);
    let ttl = SetAttribute { ttl_ms: Some(1), ttl_action: Some(TtlAction::Free), ..no_attributes("/d") };
    run(&mut state, Operation::SetAttribute(ttl)).unwrap();
    let expire = request(Operation::Expire(Expire { id: stat(&state, "/d").id }));
    assert_eq!(prepared(&state, &expire), Preparation::InParts);
    assert_eq!(change(&mut state, &expire), Ok(vec![1_000, 502]));
    assert_eq!((stat(&state, "/d").ttl_ms, stat(&state, "/d").ttl_action), (-1, TtlAction::Delete));
}

#[test]
fn what_of_a_part_is_in_the_ufs_is_set_there_first() {
    let state = tree(loaded);
    let set = SetAttribute { recursive: true, mode: Some(0o700), ..no_attributes("/d") };
    let request = request(Operation::SetAttribute(set));
    let parts = parts_of(&state, &settings(), &request, NOW).unwrap();
    let changes = changes_of_part(&state, &settings(), &request, &parts[0], NOW).unwrap();
    assert_eq!(changes.len(), 1_000);
    let first = changes.first().unwrap();
    assert_eq!((first.ufs_path.as_str(), first.mode), ("hdfs://nn:9000/alluxio/d", Some(0o700)));
}

/// Who waited for its turn meanwhile must not be told that it was done.
#[test]
fn of_a_tree_that_has_gone_there_are_no_parts() {
    let mut state = tree(with);
    let set = SetAttribute { recursive: true, mode: Some(0o700), ..no_attributes("/d") };
    let request = request(Operation::SetAttribute(set));
    run(&mut state, tests::rm("/d", true)).unwrap();
    assert!(is_not_yet(&parts_of(&state, &settings(), &request, NOW).unwrap_err()));
}

#[test]
fn a_part_changes_no_ufs_that_may_not_be_changed() {
    use crate::journal::entry::{Entry, UpdateUfsMode};
    use crate::types::UfsMode;
    let mut state = tree(loaded);
    let mode = UpdateUfsMode { ufs_path: "hdfs://nn:9000/".into(), mode: UfsMode::ReadOnly };
    state.apply(&Entry::UpdateUfsMode(mode)).unwrap();
    let set = SetAttribute { recursive: true, mode: Some(0o700), ..no_attributes("/d") };
    let refused = change(&mut state, &request(Operation::SetAttribute(set))).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::PermissionDenied, "{refused}");
    let ttl = SetAttribute { recursive: true, ttl_ms: Some(7), ..no_attributes("/d") };
    assert!(change(&mut state, &request(Operation::SetAttribute(ttl))).is_ok(), "only Alluxio knows of it");
}
