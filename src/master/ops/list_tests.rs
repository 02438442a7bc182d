//! Listings in parts.

use super::tests::{chmod, path, rm, run, settings, user, with};
use super::*;
use crate::types::InodeId;

const TREE: [&str; 12] =
    ["/a/", "/a/b/", "/a/b/c", "/a/b/d/", "/a/x", "/ab/", "/ab/c", "/ab/d", "/b", "/c/", "/c/a/", "/c/a/z"];

/// All that a walk tells, so many entries at a time.
fn walked(state: &MasterState, caller: &Caller, mut walk: Walk, limit: usize) -> Result<Vec<String>, FsError> {
    let mut paths = Vec::new();
    loop {
        let part = list_on(state, &Workers::default(), caller, &settings(), &mut walk, limit)?;
        assert!(part.statuses.len() <= limit);
        paths.extend(part.statuses.iter().map(|status| status.path.to_string()));
        if part.is_last {
            return Ok(paths);
        }
    }
}

fn listed(state: &MasterState, walk: Walk) -> Vec<String> {
    let all = walked(state, &user("root", &[]), walk.clone(), usize::MAX).unwrap();
    for limit in 1..=all.len() {
        assert_eq!(walked(state, &user("root", &[]), walk.clone(), limit).as_ref(), Ok(&all), "by {limit}");
    }
    all
}

fn tree(text: &str) -> Walk {
    Walk::new(path(text), true)
}

fn after(names: &[&str]) -> Start {
    Start::After(names.iter().map(|name| (*name).to_owned()).collect())
}

#[test]
fn parts_of_any_size_are_the_whole() {
    let state = with(&TREE);
    let whole: Vec<String> = TREE.iter().map(|path| path.trim_end_matches('/').to_owned()).collect();
    assert_eq!(listed(&state, tree("/")), whole);
    assert_eq!(listed(&state, Walk::new(path("/a"), false)), ["/a/b", "/a/x"]);
    assert_eq!(listed(&state, tree("/a/x")), ["/a/x"]);
    assert!(listed(&state, tree("/a/x").within(after(&["x"]), Vec::new(), 0)).is_empty());
    assert!(listed(&state, tree("/a/b/d")).is_empty());
}

#[test]
fn a_walk_begins_after_what_need_not_be_there() {
    let state = with(&TREE);
    let from = |start| listed(&state, tree("/").within(start, Vec::new(), 0));
    assert_eq!(from(after(&["a", "b", "d"])), ["/a/x", "/ab", "/ab/c", "/ab/d", "/b", "/c", "/c/a", "/c/a/z"]);
    assert_eq!(from(after(&["ab"])), ["/ab/c", "/ab/d", "/b", "/c", "/c/a", "/c/a/z"], "what is in it comes after it");
    assert_eq!(from(after(&["aa", "z"])), ["/ab", "/ab/c", "/ab/d", "/b", "/c", "/c/a", "/c/a/z"]);
    assert!(from(after(&["d"])).is_empty());
    let z = resolve::inode_at(&state, &path("/ab/c")).unwrap().id;
    assert_eq!(from(Start::AfterInode(z)), ["/ab/d", "/b", "/c", "/c/a", "/c/a/z"]);
    let children = |start| listed(&state, Walk::new(path("/"), false).within(start, Vec::new(), 0));
    assert_eq!(children(after(&["a", "x"])), ["/ab", "/b", "/c"]);
}

#[test]
fn an_inode_that_is_gone_or_elsewhere_is_no_beginning() {
    let mut state = with(&TREE);
    let elsewhere = resolve::inode_at(&state, &path("/b")).unwrap().id;
    let gone = resolve::inode_at(&state, &path("/ab/c")).unwrap().id;
    run(&mut state, rm("/ab", true)).unwrap();
    let refused = |top: &str, id: InodeId, prefix: &[&str]| {
        let prefix = prefix.iter().map(|name| (*name).to_owned()).collect();
        let walk = tree(top).within(Start::AfterInode(id), prefix, 0);
        walked(&state, &user("root", &[]), walk, 1).unwrap_err().message
    };
    let end = "Inode was not found during partial listing. It was likely removed across listing calls.";
    assert_eq!(refused("/", gone, &[]), format!("\"Inode {gone} does not exit\" {end}"));
    assert_eq!(refused("/a", elsewhere, &[]), format!("\"/a\" {end}"));
    let text = "Prefix component [a, x] does not match path component [b] of the listing offset";
    assert_eq!(refused("/", elsewhere, &["a", "x"]), text);
}

#[test]
fn a_prefix_is_whole_names_and_the_beginning_of_one() {
    let state = with(&TREE);
    let within = |prefix: &[&str], start, skip| {
        let prefix = prefix.iter().map(|name| (*name).to_owned()).collect();
        listed(&state, tree("/").within(start, prefix, skip))
    };
    assert_eq!(within(&["a"], Start::First, 0), ["/a", "/a/b", "/a/b/c", "/a/b/d", "/a/x", "/ab", "/ab/c", "/ab/d"]);
    assert_eq!(within(&["a", "b"], Start::First, 0), ["/a/b", "/a/b/c", "/a/b/d"]);
    assert_eq!(within(&["a", "b"], after(&["a", "b", "c"]), 0), ["/a/b/d"]);
    assert_eq!(within(&["b"], after(&["a", "z"]), 0), ["/b"]);
    assert_eq!(within(&["a"], Start::First, 6), ["/ab/c", "/ab/d"]);
    assert!(within(&["a"], Start::First, 9).is_empty());
    assert!(within(&["a", "x", "y"], Start::First, 0).is_empty());
}

#[test]
fn what_may_not_be_read_is_left_out_below_and_refused_at_the_top() {
    let mut state = with(&TREE);
    chmod(&mut state, "/a/b", 0o700);
    let bob = user("bob", &[]);
    let seen = |walk: Walk| walked(&state, &bob, walk, 2);
    assert_eq!(seen(tree("/a")), Ok(vec!["/a/b".into(), "/a/x".into()]));
    assert_eq!(seen(tree("/a").within(after(&["b", "c"]), Vec::new(), 0)), Ok(vec!["/a/x".into()]));
    assert_eq!(seen(tree("/a/b")).unwrap_err().kind, crate::types::ErrorKind::PermissionDenied);
}
