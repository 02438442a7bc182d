//! What is answered, and what an answer waits for.

use super::tests::{ask, mkdir, mv, no_attributes, path, request, rm, run, settings, started, touch, user, with};
use super::*;
use crate::journal::entry::Entry;
use crate::master::state::Change;
use crate::types::{ErrorKind, InodeId};

fn list(state: &MasterState, text: &str, recursive: bool) -> Vec<String> {
    let answer = ask(state, &user("root", &[]), Query::ListStatus { path: path(text), recursive }).unwrap();
    let Answer::List(list) = answer else { panic!("{answer:?}") };
    list.statuses.iter().map(|status| status.path.to_string()).collect()
}

#[test]
fn a_listing_is_by_the_bytes_of_names_parents_first() {
    let state = with(&["/b/", "/b/x", "/a/", "/a/z/", "/a/z/q", "/a/y", "/a-b/", "/ü/", "/part-0002", "/part-0001"]);
    assert_eq!(list(&state, "/", false), ["/a", "/a-b", "/b", "/part-0001", "/part-0002", "/ü"]);
    let all = ["/a", "/a/y", "/a/z", "/a/z/q", "/a-b", "/b", "/b/x", "/part-0001", "/part-0002", "/ü"];
    assert_eq!(list(&state, "/", true), all);
    assert_eq!(list(&state, "/a/y", true), ["/a/y"], "a file lists itself");
    assert_eq!(list(&state, "/a-b", true), [""; 0]);
}

#[test]
fn a_missing_path_is_an_answer_to_exists_only() {
    let state = with(&["/a/", "/f"]);
    let root = user("root", &[]);
    let exists = |text: &str| ask(&state, &root, Query::Exists { path: path(text) });
    assert_eq!(exists("/a"), Ok(Answer::Exists(true)));
    assert_eq!(exists("/a/b/c"), Ok(Answer::Exists(false)));
    let through = "Traversal failed for path /f/x. Component 1(f) is a file, not a directory.";
    assert_eq!(exists("/f/x"), Err(FsError::new(ErrorKind::InvalidArgument, through)));
    for question in [Query::GetStatus { path: path("/a/b") }, Query::ListStatus { path: path("/a/b"), recursive: true }]
    {
        let missing = FsError::new(ErrorKind::NotFound, "Path \"/a/b\" does not exist.");
        assert_eq!(ask(&state, &root, question), Err(missing));
    }
}

#[test]
fn what_was_unlinked_is_gone_at_once_and_freed_later() {
    let mut state = with(&["/a/b/c/", "/a/b/f", "/z/"]);
    run(&mut state, rm("/a", true)).unwrap();
    assert_eq!(list(&state, "/", true), ["/z"]);
    run(&mut state, mkdir("/a")).unwrap();
    assert_eq!(list(&state, "/", true), ["/a", "/z"], "the name is free");
    assert_eq!(state.inodes().count(), 7);
    let id = InodeId;
    let first = collect(&state, 2);
    assert_eq!(first, [Entry::CollectTree { ids: vec![id(3), InodeId::of_file(1)] }]);
    state.apply(&first[0]).unwrap();
    let second = collect(&state, 10);
    assert_eq!(second, [Entry::CollectTree { ids: vec![id(2), id(1)] }]);
    state.apply(&second[0]).unwrap();
    assert_eq!((collect(&state, 10), state.inodes().count()), (Vec::new(), 3));
    state.verify().unwrap();
}

/// What the operation changes, asked entry by entry as the driver does.
fn changes_of(state: &MasterState, operation: Operation) -> Vec<Change> {
    let mut state = state.clone();
    let mut changes = Vec::new();
    for entry in decide(&state, &Workers::default(), &request(operation), Millis(3_000), &settings()).unwrap().entries {
        state.changes(&entry, &mut changes);
        state.apply(&entry).unwrap();
    }
    changes
}

fn waits(state: &MasterState, question: Query, changes: &[Change]) -> bool {
    let mut footprint = Footprint::on();
    let caller = user("bob", &[]);
    // Refusals count like answers.
    let _ = query(state, &Workers::default(), &caller, &question, &settings(), &mut footprint);
    changes.iter().any(|change| footprint.depends_on(change))
}

#[test]
fn changes_are_edges_and_inodes() {
    let state = with(&["/a/", "/a/f", "/b/"]);
    let edge = |parent, name: &str| Change::Edge(InodeId(parent), name.into());
    let file = InodeId::of_file(1);
    assert_eq!(changes_of(&state, mkdir("/a/n")), [edge(1, "n"), Change::Inode(InodeId(3))]);
    assert_eq!(changes_of(&state, rm("/a/f", false)), [edge(1, "f"), Change::Inode(file)]);
    assert_eq!(changes_of(&state, rm("/a", true)), [edge(0, "a"), Change::Inode(InodeId(1))]);
    assert_eq!(changes_of(&state, mv("/a/f", "/b/g")), [edge(1, "f"), Change::Inode(file), edge(2, "g")]);
    let chmod = Operation::SetAttribute(SetAttribute { mode: Some(0), ..no_attributes("/a") });
    assert_eq!(changes_of(&state, chmod), [Change::Inode(InodeId(1))]);
}

#[test]
fn an_answer_waits_for_what_it_depends_on_and_nothing_else() {
    let before = with(&["/a/", "/a/f", "/b/"]);
    let stat = |text: &str| Query::GetStatus { path: path(text) };
    let ls = |text: &str| Query::ListStatus { path: path(text), recursive: false };
    let exists = |text: &str| Query::Exists { path: path(text) };
    let after = |operation: Operation| {
        let mut state = before.clone();
        run(&mut state, operation.clone()).unwrap();
        (state, changes_of(&before, operation))
    };

    let (state, changes) = after(touch("/a/n"));
    for question in [stat("/a/n"), exists("/a/n"), ls("/a"), stat("/a"), ls("/"), exists("/a/n/x")] {
        assert!(waits(&state, question.clone(), &changes), "{question:?}");
    }
    for question in [stat("/a/f"), exists("/a"), stat("/b"), ls("/b"), exists("/a/nope"), ls("/a/f")] {
        assert!(!waits(&state, question.clone(), &changes), "{question:?}");
    }
    let (state, changes) = after(rm("/a", true));
    for question in [stat("/a/f"), exists("/a/x/y"), stat("/"), ls("/")] {
        assert!(waits(&state, question.clone(), &changes), "{question:?}: absence is an answer");
    }
    assert!(!waits(&state, ls("/b"), &changes));
    let (state, changes) = after(mv("/a", "/c"));
    for question in [stat("/c/f"), stat("/a/f"), ls("/c")] {
        assert!(waits(&state, question.clone(), &changes), "{question:?}");
    }
    let closed = Operation::SetAttribute(SetAttribute { mode: Some(0), ..no_attributes("/a") });
    let (state, changes) = after(closed);
    for question in [stat("/a/f"), exists("/a/f"), ls("/a"), stat("/a"), ls("/")] {
        assert!(waits(&state, question.clone(), &changes), "{question:?}: whether it may be seen");
    }
    assert!(!waits(&state, stat("/b"), &changes));
}

#[test]
fn a_footprint_that_is_off_collects_nothing() {
    let state = started();
    let mut footprint = Footprint::off();
    let root = Query::ListStatus { path: path("/"), recursive: true };
    query(&state, &Workers::default(), &user("bob", &[]), &root, &settings(), &mut footprint).unwrap();
    assert_eq!(footprint, Footprint::off());
}
