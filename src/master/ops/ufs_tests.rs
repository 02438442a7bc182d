//! What is loaded from a UFS, made there, mounted, and begun under an intent, by literal entries.

use super::tests::{entries_of, mkdir, mv, new_file, path, refusal, request, rm, run, settings, started, stat, with};
use super::*;
use crate::journal::entry::{self, AddMountPoint, Entry, InodeDirectory, UfsIntent, UpdateInodeDirectory};
use crate::types::{AlluxioPath, BlockId, ErrorKind, InodeId, OperationId, PersistenceState, TtlAction, UfsMode};

const ROOT: &str = "hdfs://nn:9000/alluxio";

fn facts(directory: bool, length: i64) -> UfsFacts {
    UfsFacts {
        directory,
        length,
        block_size_bytes: 100,
        owner: "ann".into(),
        group: "users".into(),
        mode: 0o640,
        modification_time_ms: 77,
        etag: None,
    }
}

fn load(found: &[(&str, UfsFacts)], listed: Option<&str>) -> Operation {
    let found: Vec<_> = found.iter().map(|(text, facts)| (path(text), facts.clone())).collect();
    let first = found.first().map_or_else(AlluxioPath::root, |(path, _)| path.clone());
    let uri = if first.is_root() { ROOT.to_owned() } else { format!("{ROOT}{first}") };
    Operation::Ufs(UfsOperation::Load(Load { listed: listed.map(path), ..Load::of(found, (first, uri)) }))
}

/// A namespace with these paths loaded; directories end in a slash.
pub(super) fn loaded(paths: &[&str]) -> MasterState {
    let mut state = started();
    let found: Vec<_> = paths.iter().map(|text| (*text, facts(text.ends_with('/'), 1))).collect();
    run(&mut state, load(&found, None)).unwrap();
    state
}

fn through(text: &str) -> CreateFile {
    CreateFile { write_type: WriteType::CacheThrough, recursive: true, ..new_file(text) }
}

fn known_nothing(_: &Lookup) -> bool {
    false
}

fn prepared(state: &MasterState, operation: Operation, attempt: Attempt) -> Preparation {
    let known = |_: &Lookup| true;
    prepare(state, &settings(), &request(operation), Millis(3_000), attempt, &known)
}

#[test]
fn what_was_seen_is_made_with_its_blocks() {
    let state = started();
    let entries = entries_of(&state, load(&[("/d", facts(true, 0)), ("/d/f", facts(false, 250))], Some("/")));
    let inodes: Vec<_> = entries.iter().filter(|entry| !is_generator(entry)).collect();
    let [Entry::InodeDirectory(directory), Entry::InodeFile(file), Entry::UpdateInodeDirectory(listed)] = inodes[..]
    else {
        panic!("{entries:?}")
    };
    assert_eq!((directory.parent, directory.name.as_str(), directory.mode), (InodeId::ROOT, "d", 0o640));
    assert!(!directory.direct_children_loaded, "its own children were not looked at");
    assert_eq!((file.parent, file.owner.as_str(), file.group.as_str()), (directory.id, "ann", "users"));
    assert_eq!((file.length, file.block_size_bytes, file.completed, file.cacheable), (250, 100, true, true));
    let container = file.id.container();
    assert_eq!(file.blocks, [0, 1, 2].map(|index| BlockId::of(container, index)));
    assert_eq!((file.modification_time_ms, file.persistence), (77, PersistenceState::Persisted));
    let children = Some(true);
    let expected = UpdateInodeDirectory { direct_children_loaded: children, ..UpdateInodeDirectory::of(InodeId::ROOT) };
    assert_eq!(*listed, expected);
}

#[test]
fn a_file_with_more_blocks_than_can_be_kept_is_not_seen() {
    let state = started();
    for bytes in [i64::MAX, -1] {
        let entries = entries_of(&state, load(&[("/sparse", facts(false, bytes)), ("/f", facts(false, 250))], None));
        let names = entries.iter().filter_map(|entry| match entry {
            Entry::InodeFile(file) => Some(file.name.as_str()),
            _ => None,
        });
        assert_eq!(names.collect::<Vec<_>>(), ["f"]);
    }
}

fn is_generator(entry: &Entry) -> bool {
    matches!(entry, Entry::InodeDirectoryIdGenerator { .. } | Entry::BlockContainerIdGenerator { .. })
}

#[test]
fn what_is_there_by_now_is_left_as_it_is() {
    let mut state = with(&["/mine/", "/f"]);
    assert_eq!(entries_of(&state, load(&[("/f", facts(false, 9))], None)), []);
    // Below a directory that is not in the UFS nothing can have been seen.
    assert_eq!(entries_of(&state, load(&[("/mine/x", facts(false, 9))], None)), []);
    run(&mut state, load(&[("/d", facts(true, 0))], None)).unwrap();
    run(&mut state, Operation::Ufs(UfsOperation::Begin(Box::new(rm("/d", true))))).unwrap();
    let (kind, _) = refusal(&state, load(&[("/d/x", facts(false, 1))], None));
    assert_eq!(kind, ErrorKind::Unavailable, "it is being deleted");
}

#[test]
fn what_was_seen_in_another_ufs_is_void() {
    let state = started();
    let seen_at = (path("/d"), "hdfs://other/d".to_owned());
    let found = vec![(path("/d"), facts(true, 0))];
    let refused = refusal(&state, Operation::Ufs(UfsOperation::Load(Load::of(found, seen_at))));
    assert_eq!(refused.0, ErrorKind::Unavailable);
}

#[test]
fn lookups_are_for_what_is_missing_below_what_is_in_the_ufs() {
    let mut state = with(&["/mine/"]);
    let wanted =
        |state: &MasterState, query: Query, load| prepare_query(state, &settings(), &query, load, &known_nothing);
    let status = |text: &str| Query::GetStatus { path: path(text) };
    let lookup = Lookup::Path { path: path("/a/b"), found: 0 };
    assert_eq!(wanted(&state, status("/a/b"), LoadMetadata::Once), [lookup]);
    assert_eq!(wanted(&state, status("/a/b"), LoadMetadata::Never), []);
    assert_eq!(wanted(&state, status("/mine/x"), LoadMetadata::Once), []);
    assert_eq!(wanted(&state, status("/mine"), LoadMetadata::Always), []);
    let list = |recursive| Query::ListStatus { path: AlluxioPath::root(), recursive };
    let root = Lookup::Children(AlluxioPath::root());
    assert_eq!(wanted(&state, list(false), LoadMetadata::Once), std::slice::from_ref(&root));
    run(&mut state, load(&[("/", facts(true, 0)), ("/d", facts(true, 0))], Some("/"))).unwrap();
    assert_eq!(wanted(&state, list(false), LoadMetadata::Once), []);
    assert_eq!(wanted(&state, list(true), LoadMetadata::Once), [Lookup::Children(path("/d"))]);
    assert_eq!(wanted(&state, list(false), LoadMetadata::Always), [root]);
}

#[test]
fn all_directories_are_looked_at_in_turn_however_many() {
    let mut state = started();
    let found: Vec<(String, _)> = (0..150).map(|n| (format!("/d{n:03}"), facts(true, 0))).collect();
    let found: Vec<(&str, _)> = found.iter().map(|(path, facts)| (path.as_str(), facts.clone())).collect();
    run(&mut state, load(&[("/", facts(true, 0))], None)).unwrap();
    run(&mut state, load(&found, Some("/"))).unwrap();
    let query = Query::ListStatus { path: AlluxioPath::root(), recursive: true };
    for always in [LoadMetadata::Once, LoadMetadata::Always] {
        let mut looked = std::collections::BTreeSet::new();
        loop {
            let known = |lookup: &Lookup| looked.contains(lookup);
            let next = prepare_query(&state, &settings(), &query, always, &known);
            if next.is_empty() {
                break;
            }
            assert!(next.iter().all(|lookup| !looked.contains(lookup)));
            looked.extend(next);
        }
        assert_eq!(looked.len(), 150 + usize::from(always == LoadMetadata::Always), "{always:?}");
    }
}

#[test]
fn parents_are_persisted_before_what_lies_in_them() {
    let mut state = with(&["/mine/"]);
    let file = CreateFile { ttl_ms: 60_000, ttl_action: TtlAction::Delete, ..through("/mine/x/f") };
    let create = Operation::CreateFile(file);
    assert!(is_not_yet(
        &decide(&state, &Workers::default(), &request(create.clone()), Millis(3_000), &settings()).unwrap_err()
    ));
    let mine = stat(&state, "/mine").id;
    let directory = |text: &str, id, ttl_ms, ttl_action| UfsDirectory {
        id,
        path: path(text),
        ufs_path: format!("{ROOT}{text}"),
        owner: "root".into(),
        group: "root".into(),
        mode: 0o755,
        ttl_ms,
        ttl_action,
    };
    let there = directory("/mine", Some(mine), -1, TtlAction::Free);
    let parents = vec![there, directory("/mine/x", None, 60_000, TtlAction::Delete)];
    let expected = Preparation::Persist { parents: parents.clone() };
    assert_eq!(prepared(&state, create.clone(), Attempt::Refused), expected);
    let begin = |parent: &UfsDirectory| {
        Operation::Ufs(UfsOperation::Begin(Box::new(Operation::Ufs(UfsOperation::Persist(parent.clone())))))
    };
    assert!(is_refused(&state, begin(&parents[1])), "parents come first");
    let mut deleted = state.clone();
    run(&mut deleted, rm("/mine", true)).unwrap();
    assert!(is_refused(&deleted, begin(&parents[0])), "what was deleted meanwhile is not made again");
    for parent in &parents {
        let Ok(Answer::Begun(inode)) = run(&mut state, begin(parent)) else { panic!("it begins") };
        assert!(is_refused(&state, rm("/mine", true)), "while it is made in the UFS it cannot go");
        run(&mut state, Operation::Ufs(UfsOperation::Commit(inode))).unwrap();
        assert_eq!(run(&mut state, begin(parent)), Ok(Answer::Done), "it is there");
    }
    assert_eq!(stat(&state, "/mine").persistence, PersistenceState::Persisted);
    assert_eq!(
        (stat(&state, "/mine").ttl_ms, stat(&state, "/mine/x").ttl_ms),
        (-1, 60_000),
        "it lives as long as the file"
    );
    assert_eq!(stat(&state, "/mine/x").persistence, PersistenceState::Persisted);
    assert_eq!(prepared(&state, create.clone(), Attempt::First), Preparation::Submit);
    run(&mut state, create).unwrap();
    assert_eq!(stat(&state, "/mine/x/f").persistence, PersistenceState::Persisted);
}

fn is_refused(state: &MasterState, operation: Operation) -> bool {
    refusal(state, operation).0 == ErrorKind::Unavailable
}

#[test]
fn a_directory_is_made_in_the_ufs_before_it_is_made_here() {
    let state = started();
    let Operation::CreateDirectory(create) = mkdir("/d") else { unreachable!() };
    let write_type = WriteType::Through;
    let create = Operation::CreateDirectory(CreateDirectory { write_type, ..create });
    assert_eq!(prepared(&state, create.clone(), Attempt::First), Preparation::Begin);
    assert_eq!(refusal(&state, create.clone()).0, ErrorKind::Unavailable, "not without its intent");
    let entries = entries_of(&state, Operation::Ufs(UfsOperation::Begin(Box::new(create))));
    let Some(Entry::UfsIntent(intent)) = entries.last() else { panic!("{entries:?}") };
    assert_eq!((intent.path.as_str(), intent.new_directory().map(|new| new.mode)), ("/d", Some(0o755)));
    // What would be refused is not made.
    let again = Operation::CreateDirectory(CreateDirectory {
        path: path("/"),
        recursive: true,
        allow_exists: false,
        mode: 0o755,
        write_type,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        xattr: Default::default(),
    });
    assert_eq!(prepared(&state, again, Attempt::First), Preparation::Submit);
}

#[test]
fn what_is_in_the_ufs_is_deleted_and_moved_under_an_intent() {
    let mut state = loaded(&["/d/", "/d/f", "/g"]);
    let (d, g) = (stat(&state, "/d").id, stat(&state, "/g").id);
    for operation in [rm("/d", true), mv("/g", "/d/g")] {
        let refused = refusal(&state, operation.clone());
        assert_eq!(refused.0, ErrorKind::Unavailable, "{operation:?}");
        assert_eq!(prepared(&state, operation, Attempt::Refused), Preparation::Begin);
    }
    let begin = |operation| Operation::Ufs(UfsOperation::Begin(Box::new(operation)));
    let entries = entries_of(&state, begin(rm("/d", true)));
    let intent = UfsIntent {
        inode: d,
        path: path("/d"),
        new_path: None,
        temporary: None,
        make: None,
        op_time_ms: 3_000,
        answer: None,
    };
    assert_eq!(entries, [Entry::UfsIntent(intent)]);
    assert_eq!(run(&mut state, begin(mv("/g", "/d/g"))), Ok(Answer::Begun(g)));
    assert!(matches!(prepared(&state, rm("/d", true), Attempt::Refused), Preparation::Wait));
    let entries = entries_of(&state, Operation::Ufs(UfsOperation::Commit(g)));
    let rename = entry::Rename {
        id: g,
        new_parent: d,
        new_name: "g".into(),
        op_time_ms: 3_000,
        path: path("/g"),
        new_path: path("/d/g"),
    };
    assert_eq!(entries, [Entry::UfsIntentSettled { inode: g }, Entry::Rename(rename)]);
    run(&mut state, Operation::Ufs(UfsOperation::Commit(g))).unwrap();
    assert_eq!(entries_of(&state, Operation::Ufs(UfsOperation::Commit(g))), [], "it was told twice");
    assert_eq!(stat(&state, "/d/g").id, g);
    state.verify().unwrap();
}

#[test]
fn what_is_gone_of_a_tree_is_taken_out_as_much_at_a_time_as_a_record_takes() {
    let names: Vec<String> = (0..1_002).map(|n| format!("/d/f{n:04}")).collect();
    let paths: Vec<&str> = ["/d/", "/d/left"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let mut state = loaded(&paths);
    let d = stat(&state, "/d").id;
    run(&mut state, Operation::Ufs(UfsOperation::Begin(Box::new(rm("/d", true))))).unwrap();
    let settle = |state: &mut MasterState, names: &[String], more| {
        let gone = names.iter().map(|name| path(name)).collect();
        run(state, Operation::Ufs(UfsOperation::Settle { inode: d, gone, more })).unwrap()
    };
    assert_eq!(settle(&mut state, &names[..1], true), Answer::Gone(1));
    assert_eq!(settle(&mut state, &names[1..], false), Answer::Gone(1_000));
    assert!(state.intents().contains_key(&d));
    assert_eq!(settle(&mut state, &names[1_001..], false), Answer::Done);
    assert!(state.intents().is_empty());
    assert_eq!(state.inodes().get(d).map(|directory| directory.children()), Some(1));
    assert_eq!(stat(&state, "/d/left").path, path("/d/left"));
    state.verify().unwrap();
}

#[test]
fn the_first_answer_is_kept_with_the_commit() {
    let mut state = loaded(&["/g"]);
    let id = OperationId { high: 5, low: 6 };
    let begin = Operation::Ufs(UfsOperation::Begin(Box::new(mv("/g", "/h"))));
    let with_id = Request { operation_id: Some(id), ..request(begin) };
    let decision = decide(&state, &Workers::default(), &with_id, Millis(2_000), &settings()).unwrap();
    decision.entries.iter().for_each(|entry| state.apply(entry).unwrap());
    assert_eq!(state.answered(id), None, "it is not done yet");
    let Answer::Begun(inode) = decision.answer else { panic!("{decision:?}") };
    run(&mut state, Operation::Ufs(UfsOperation::Commit(inode))).unwrap();
    let repeated = Request { operation_id: Some(id), ..request(mv("/g", "/h")) };
    let again = decide(&state, &Workers::default(), &repeated, Millis(2_000), &settings()).unwrap();
    assert_eq!(again, Decision { entries: Vec::new(), answer: Answer::Done });
}

#[test]
fn refusals_come_before_the_intent() {
    let state = loaded(&["/d/", "/d/f"]);
    for operation in [rm("/d", false), rm("/no", false), mv("/d", "/d/x"), mv("/d/f", "/d")] {
        let begin = Operation::Ufs(UfsOperation::Begin(Box::new(operation.clone())));
        assert_eq!(refusal(&state, begin), refusal(&state, operation));
    }
}

#[test]
fn a_mount_is_a_directory_and_a_row() {
    let mut state = started();
    let mount = Mount {
        path: path("/m"),
        ufs_path: "hdfs://other/data".into(),
        read_only: false,
        shared: true,
        properties: vec![("k".into(), "v".into())],
        mount_id: 42,
        seen: Seen { root: Some(facts(true, 0)), shadowed: None },
    };
    let operation = Operation::Ufs(UfsOperation::Mount(Box::new(mount)));
    let entries = entries_of(&state, operation.clone());
    let directory = entries.iter().find_map(|entry| match entry {
        Entry::InodeDirectory(InodeDirectory { mount_point: true, mode, persistence, .. }) => {
            Some((*mode, *persistence))
        }
        _ => None,
    });
    assert_eq!(directory, Some((0o646, PersistenceState::Persisted)), "all may do what the owner may");
    let row = AddMountPoint {
        path: path("/m"),
        ufs_path: "hdfs://other/data".into(),
        read_only: false,
        shared: true,
        properties: vec![("k".into(), "v".into())],
        mount_id: 42,
    };
    assert_eq!(entries.last(), Some(&Entry::AddMountPoint(row)));
    let before = stat(&state, "/").modification_time_ms;
    assert!(before > 77, "{before}");
    run(&mut state, operation.clone()).unwrap();
    assert_eq!(stat(&state, "/").modification_time_ms, before, "what is mounted is older");
    let status = stat(&state, "/m");
    assert_eq!((status.mount_id, status.ufs_path.as_str(), status.mount_point), (42, "hdfs://other/data", true));
    let entries = entries_of(&state, Operation::Ufs(UfsOperation::Unmount(path("/m"))));
    assert_eq!(entries[0], Entry::DeleteMountPoint { path: path("/m") });
    assert_eq!(entries.len(), 2, "{entries:?}");
    let Operation::Ufs(UfsOperation::Mount(mut younger)) = operation else { panic!("no mount") };
    let root = UfsFacts { modification_time_ms: 999_999, ..facts(true, 0) };
    (younger.path, younger.seen.root, younger.mount_id) = (path("/n"), Some(root), 43);
    younger.ufs_path = "hdfs://else/data".into();
    run(&mut state, Operation::Ufs(UfsOperation::Mount(younger))).unwrap();
    assert_eq!(stat(&state, "/").modification_time_ms, 999_999);
}

#[test]
fn what_is_left_in_a_ufs_is_needed_by_an_open_intent_and_by_files_that_are_not_persisted() {
    let mut state = loaded(&["/d/", "/d/f"]);
    let later = CreateFile { write_type: WriteType::AsyncThrough, ..new_file("/d/later") };
    run(&mut state, Operation::CreateFile(later)).unwrap();
    run(&mut state, super::tests::complete("/d/later")).unwrap();
    let waiting = stat(&state, "/d/later").id;
    let uri = |name: &str| format!("{ROOT}/.alluxio_ufs_persistence/{name}");
    let put = PutInPlace { id: waiting, path: path("/d/later"), temporary: uri("mine"), length: 0 };
    run(&mut state, Operation::Ufs(UfsOperation::Begin(Box::new(Operation::PutInPlace(put))))).unwrap();
    let block = |file: InodeId| Leftover::Block { id: BlockId::of(file.container(), 0), uri: file.to_string() };
    let temporary = |name: &str| Leftover::Temporary(uri(name));
    let persisted = stat(&state, "/d/f").id;
    let all = [temporary("mine"), temporary("old"), block(waiting), block(persisted), block(InodeId::of_file(999))];
    let of_no_use = |state: &MasterState| {
        let found = Query::Leftovers(all.to_vec());
        query(state, &Workers::default(), &Caller::default(), &found, &settings(), &mut Footprint::off()).unwrap()
    };
    let expected = [temporary("old"), block(persisted), block(InodeId::of_file(999))];
    assert_eq!(of_no_use(&state), Answer::Leftovers(expected.to_vec()));
    run(&mut state, Operation::Ufs(UfsOperation::Commit(waiting))).unwrap();
    assert_eq!(of_no_use(&state), Answer::Leftovers(all.to_vec()));

    // In maintenance nothing is deleted there; the blocks of this test are in another one.
    let operation = AdminOperation::SetUfsMode { ufs_path: ROOT.into(), mode: UfsMode::ReadOnly };
    run(&mut state, Operation::Admin(operation)).unwrap();
    assert_eq!(of_no_use(&state), Answer::Leftovers(all[2..].to_vec()));
}
