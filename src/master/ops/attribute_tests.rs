//! Pins, copies wished, times to live and free, by literal entries and texts.

use super::tests::{
    ask, complete, entries_of, no_attributes, path, refusal, refusal_to, request, rm, run, settings, stat,
};
use super::tests::{new_file, touch, user, with};
use super::*;
use crate::journal::entry::{DeleteFile, Entry, UnlinkTree, UpdateInode, UpdateInodeFile};
use crate::types::{BlockId, ErrorKind, InodeId, PersistenceState, TtlAction};

fn set(attributes: SetAttribute) -> Operation {
    Operation::SetAttribute(attributes)
}

fn free(text: &str, recursive: bool, forced: bool) -> Operation {
    Operation::Free(Free { path: path(text), recursive, forced })
}

/// A file of one block that is in the UFS, as far as the master knows.
fn persisted(state: &mut MasterState, text: &str) -> InodeId {
    run(state, touch(text)).unwrap();
    let id = stat(state, text).id;
    run(state, Operation::NewBlock(NewBlock { path: path(text) })).unwrap();
    let block = BlockId::of(id.container(), 0);
    run(state, Operation::CommitBlock(CommitBlock { block, length: 5, copy: None })).unwrap();
    run(state, complete(text)).unwrap();
    run(state, set(SetAttribute { persisted: true, ..no_attributes(text) })).unwrap();
    id
}

#[test]
fn a_pin_reaches_all_below_and_raises_the_fewest_copies() {
    let mut state = with(&["/d/", "/d/f"]);
    run(&mut state, set(SetAttribute { pinned: Some(true), ..no_attributes("/d") })).unwrap();
    assert_eq!((stat(&state, "/d").pinned, stat(&state, "/d/f").pinned), (true, true));
    assert_eq!((stat(&state, "/d/f").replication_min, stat(&state, "/d/f").replication_max), (1, -1));
    run(&mut state, touch("/d/new")).unwrap();
    assert!(stat(&state, "/d/new").pinned, "what is made below is pinned, too");
    run(&mut state, set(SetAttribute { pinned: Some(false), ..no_attributes("/d") })).unwrap();
    assert_eq!((stat(&state, "/d/f").pinned, stat(&state, "/d/f").replication_min), (false, 0));
}

#[test]
fn copies_wished_are_those_of_files() {
    let mut state = with(&["/d/", "/d/f"]);
    let file = stat(&state, "/d/f").id;
    let replicate = SetAttribute { replication_min: Some(2), replication_max: Some(3), ..no_attributes("/d") };
    let update = UpdateInodeFile { replication_min: Some(2), replication_max: Some(3), ..UpdateInodeFile::of(file) };
    let pin = UpdateInode { pinned: Some(true), modification_time_ms: Some(3_000), ..UpdateInode::of(file) };
    let expected = [Entry::UpdateInodeFile(update), Entry::UpdateInode(pin)];
    assert_eq!(entries_of(&state, set(replicate.clone())), expected);
    run(&mut state, set(replicate)).unwrap();
    let negative = SetAttribute { replication_min: Some(-1), ..no_attributes("/d") };
    let text = "Min replication must be a non-negative integer";
    assert_eq!(refusal(&state, Operation::SetAttribute(negative)), (ErrorKind::Internal, text.to_owned()));
    let too_few = SetAttribute { replication_max: Some(1), ..no_attributes("/d/f") };
    let text = "Cannot set min and max replication to be 2 and 1: min replication must be smaller or equal than max \
                replication";
    assert_eq!(refusal(&state, set(too_few)), (ErrorKind::Internal, text.into()));
}

#[test]
fn other_attributes_need_the_right_to_write() {
    let state = with(&["/f"]);
    let ttl = set(SetAttribute { ttl_ms: Some(5), ..no_attributes("/f") });
    let text = "Permission denied: user=bob, access=-w-, path=/f: failed at f, inode owner=root, inode group=root, inode \
                mode=rw-r--r--";
    assert_eq!(refusal_to(&state, user("bob", &[]), ttl), (ErrorKind::PermissionDenied, text.into()));
}

#[test]
fn who_persists_a_file_persists_what_is_above() {
    let mut state = with(&["/d/", "/d/e/"]);
    let incomplete = with(&["/f"]);
    let refused = refusal(&incomplete, set(SetAttribute { persisted: true, ..no_attributes("/f") }));
    assert_eq!(refused, (ErrorKind::Internal, "File being persisted must be complete".into()));
    let refused = refusal(&state, set(SetAttribute { persisted: true, ..no_attributes("/d") }));
    assert_eq!(refused, (ErrorKind::Internal, "Only files can be persisted".into()));
    persisted(&mut state, "/d/e/f");
    for text in ["/d", "/d/e", "/d/e/f"] {
        assert_eq!(stat(&state, text).persistence, PersistenceState::Persisted, "{text}");
    }
}

#[test]
fn only_what_is_in_the_ufs_is_freed() {
    let mut state = with(&["/d/"]);
    let file = persisted(&mut state, "/d/f");
    let block = BlockId::of(file.container(), 0);
    let text =
        "Cannot free directory /d which is not empty. Please set the \"recursive\" flag of free operation to true";
    assert_eq!(refusal(&state, free("/d", false, false)), (ErrorKind::Unknown, text.into()));
    assert_eq!(run(&mut state, free("/d", true, false)), Ok(Answer::Freed(vec![block])));
    assert_eq!(state.blocks().length(block), Some(5), "the block stays known");

    run(&mut state, set(SetAttribute { pinned: Some(true), ..no_attributes("/d/f") })).unwrap();
    let text = "Cannot free file /d/f which is pinned. Please unpin it first or set the \"forced\" flag of free operation to \
                true";
    assert_eq!(refusal(&state, free("/d/f", false, false)), (ErrorKind::Unknown, text.into()));
    assert_eq!(run(&mut state, free("/d/f", false, true)), Ok(Answer::Freed(vec![block])));
    assert!(!stat(&state, "/d/f").pinned);

    run(&mut state, touch("/d/g")).unwrap();
    let text = "Cannot free file /d/g which is not persisted";
    assert_eq!(refusal(&state, free("/d", true, false)), (ErrorKind::Unknown, text.into()));
}

fn expired(state: &MasterState, now: i64) -> Vec<String> {
    let answer = ask(state, &user("", &[]), Query::Expired { now: Millis(now), limit: 10 });
    let Ok(Answer::Expired(found)) = answer else { panic!("{answer:?}") };
    found.into_iter().map(|expired| expired.path.to_string()).collect()
}

fn expire_at(state: &MasterState, id: InodeId, now: i64) -> Decision {
    let request = request(Operation::Expire(Expire { id }));
    decide(state, &Workers::default(), &request, Millis(now), &settings()).unwrap()
}

#[test]
fn a_time_to_live_ends_in_the_order_of_its_end() {
    let mut state = with(&["/later", "/sooner", "/gone", "/never"]);
    for (text, ttl_ms) in [("/later", 500), ("/sooner", 100), ("/gone", 50)] {
        run(&mut state, set(SetAttribute { ttl_ms: Some(ttl_ms), ..no_attributes(text) })).unwrap();
    }
    run(&mut state, rm("/gone", false)).unwrap();
    assert_eq!(expired(&state, 2_099), Vec::<String>::new());
    assert_eq!(expired(&state, 2_100), ["/sooner"]);
    assert_eq!(expired(&state, 9_999), ["/sooner", "/later"]);
    let sooner = stat(&state, "/sooner").id;
    assert_eq!(expire_at(&state, sooner, 2_099).entries, [], "not yet");
    assert_eq!(expire_at(&state, InodeId::of_file(77), 9_999).entries, [], "it is gone");
    run(&mut state, set(SetAttribute { ttl_ms: Some(-1), ..no_attributes("/sooner") })).unwrap();
    assert_eq!(expired(&state, 9_999), ["/later"]);
    assert_eq!(expire_at(&state, sooner, 9_999).entries, [], "it lives for ever now");
    assert_eq!(expired(&reloaded(&state), 9_999), ["/later"], "after a restart, too");
}

/// The state as another master loads it.
fn reloaded(state: &MasterState) -> MasterState {
    use crate::journal::chain::Position;
    use crate::master::state::CheckpointOrigin;
    let origin = CheckpointOrigin { position: Position::START, genesis: 1, cluster_id: "cluster".into() };
    let bytes: Vec<u8> = state.to_checkpoint(&origin).iter().flat_map(|piece| piece.to_vec()).collect();
    MasterState::from_checkpoint(&bytes.into()).unwrap().0
}

#[test]
fn the_end_of_a_time_to_live_deletes_or_frees() {
    let mut state = with(&["/d/", "/d/x", "/f"]);
    let ttl = |text: &str, ttl_action| {
        set(SetAttribute { ttl_ms: Some(100), ttl_action: Some(ttl_action), ..no_attributes(text) })
    };
    run(&mut state, ttl("/d", TtlAction::Delete)).unwrap();
    run(&mut state, ttl("/f", TtlAction::DeleteAlluxio)).unwrap();
    let (d, f) = (stat(&state, "/d").id, stat(&state, "/f").id);
    let unlink = Entry::UnlinkTree(UnlinkTree { id: d, op_time_ms: 5_000, path: path("/d") });
    assert_eq!(expire_at(&state, d, 5_000).entries, [unlink]);
    let delete = DeleteFile { id: f, op_time_ms: 5_000, alluxio_only: true, path: path("/f") };
    assert_eq!(expire_at(&state, f, 5_000).entries, [Entry::DeleteFile(delete)]);

    let g = persisted(&mut state, "/g");
    run(&mut state, ttl("/g", TtlAction::Free)).unwrap();
    run(&mut state, set(SetAttribute { pinned: Some(true), ..no_attributes("/g") })).unwrap();
    let decision = expire_at(&state, g, 5_000);
    assert_eq!(decision.answer, Answer::Freed(vec![BlockId::of(g.container(), 0)]));
    decision.entries.iter().for_each(|entry| state.apply(entry).unwrap());
    let status = stat(&state, "/g");
    assert_eq!((status.ttl_ms, status.ttl_action, status.pinned), (-1, TtlAction::Delete, false));
}

#[test]
fn a_file_is_persisted_when_somebody_asks_for_it() {
    let mut state = with(&["/d/", "/d/f", "/open"]);
    let schedule = |text: &str| {
        Operation::SchedulePersist(SchedulePersist { path: path(text), wait_ms: 0, even_incomplete: false })
    };
    let text = "Cannot persist an incomplete Alluxio file: /open";
    assert_eq!(refusal(&state, schedule("/open")), (ErrorKind::InvalidArgument, text.into()));
    assert_eq!(refusal(&state, schedule("/d")), (ErrorKind::NotFound, "Path \"/d\" must be a file.".into()));
    let even_incomplete = SchedulePersist { path: path("/open"), wait_ms: 0, even_incomplete: true };
    run(&mut state, Operation::SchedulePersist(even_incomplete)).unwrap();
    assert_eq!(stat(&state, "/open").persistence, PersistenceState::ToBePersisted);
    run(&mut state, complete("/d/f")).unwrap();
    let waiting = |state: &MasterState, after| {
        let answer = ask(state, &user("", &[]), Query::ToPersist { after, now: Millis(0), limit: 10 });
        let Ok(Answer::ToPersist { files, .. }) = answer else { panic!("{answer:?}") };
        files.into_iter().map(|file| (file.status.path.to_string(), file.temporary_folder)).collect::<Vec<_>>()
    };
    assert_eq!(waiting(&state, InodeId::NONE), []);
    run(&mut state, schedule("/d/f")).unwrap();
    assert_eq!(entries_of(&state, schedule("/d/f")), [], "once is enough");
    let folder = "hdfs://nn:9000/alluxio/.alluxio_ufs_persistence".to_owned();
    assert_eq!(waiting(&state, InodeId::NONE), [("/d/f".to_owned(), folder)]);
    assert_eq!(waiting(&state, stat(&state, "/d/f").id), []);
    run(&mut state, set(SetAttribute { persisted: true, ..no_attributes("/d/f") })).unwrap();
    assert_eq!(waiting(&state, InodeId::NONE), []);
}

#[test]
fn what_is_never_persisted_is_not_when_somebody_asks_nor_when_it_is_complete() {
    let mut state = with(&["/d/", "/d/.staging-1", "/d/f", "/d/.staging-2"]);
    run(&mut state, complete("/d/f")).unwrap();
    run(&mut state, complete("/d/.staging-1")).unwrap();
    let settings = Settings { never_persisted: vec!["none".into(), ".staging".into()], ..settings() };
    let decided = |operation| {
        let decision = decide(&state, &Workers::default(), &request(operation), Millis(5_000), &settings).unwrap();
        let to_be = Some(PersistenceState::ToBePersisted);
        decision.entries.iter().any(|entry| matches!(entry, Entry::UpdateInode(update) if update.persistence == to_be))
    };
    let schedule = |text: &str| {
        Operation::SchedulePersist(SchedulePersist { path: path(text), wait_ms: 0, even_incomplete: false })
    };
    assert_eq!((decided(schedule("/d/f")), decided(schedule("/d/.staging-1"))), (true, false));
    let async_persist = Some(0);
    let complete = CompleteFile { async_persist, ..CompleteFile::of(path("/d/.staging-2")) };
    assert!(!decided(Operation::CompleteFile(complete)));
}

#[test]
fn a_file_waits_as_long_as_its_writer_wishes() {
    let mut state = with(&["/d/"]);
    let write = |state: &mut MasterState, text: &str, wait_ms, async_persist| {
        let later = CreateFile { write_type: WriteType::AsyncThrough, persistence_wait_ms: wait_ms, ..new_file(text) };
        run(state, Operation::CreateFile(later)).unwrap();
        run(state, Operation::CompleteFile(CompleteFile { async_persist, ..CompleteFile::of(path(text)) })).unwrap();
    };
    write(&mut state, "/at-once", 0, Some(0));
    write(&mut state, "/later", 7_000, Some(7_000));
    write(&mut state, "/asked", -1, None);
    let end = 2_000 + 7_000;
    let waiting = |state: &MasterState, now| {
        let query = Query::ToPersist { after: InodeId::NONE, now: Millis(now), limit: 10 };
        let Ok(Answer::ToPersist { files, last: None }) = ask(state, &user("", &[]), query) else {
            panic!("no answer")
        };
        files.into_iter().map(|file| file.status.path.to_string()).collect::<Vec<_>>()
    };
    for (now, expected) in [(end - 1, vec!["/at-once"]), (end, vec!["/at-once", "/later"])] {
        assert_eq!(waiting(&state, now), expected);
    }
    state.verify().unwrap();
    let schedule = |text: &str, wait_ms| {
        Operation::SchedulePersist(SchedulePersist { path: path(text), wait_ms, even_incomplete: false })
    };
    run(&mut state, schedule("/asked", 500)).unwrap();
    assert_eq!(waiting(&state, 2_000 + 499), ["/at-once"]);
    assert_eq!(waiting(&state, 2_000 + 500), ["/at-once", "/asked"]);
    run(&mut state, schedule("/later", 0)).unwrap();
    assert_eq!(waiting(&state, 0), ["/at-once", "/later"]);
    // Who is in the UFS, or gone, waits no more.
    run(&mut state, set(SetAttribute { persisted: true, ..no_attributes("/asked") })).unwrap();
    assert_eq!(state.persist_time(stat(&state, "/asked").id), None);
    write(&mut state, "/gone", -1, None);
    let id = stat(&state, "/gone").id;
    assert_eq!(state.persist_time(id), Some(-1));
    run(&mut state, rm("/gone", false)).unwrap();
    assert_eq!(state.persist_time(id), None);
    state.verify().unwrap();
}

#[test]
fn a_question_about_many_files_that_wait_is_answered_in_parts() {
    let mut state = with(&[]);
    for name in ["/a", "/b", "/c"] {
        let later = CreateFile { write_type: WriteType::AsyncThrough, ..new_file(name) };
        run(&mut state, Operation::CreateFile(later)).unwrap();
        run(&mut state, complete(name)).unwrap();
    }
    let part = |after| {
        let query = Query::ToPersist { after, now: Millis(0), limit: 2 };
        let Ok(Answer::ToPersist { files, last }) = ask(&state, &user("", &[]), query) else { panic!("no answer") };
        (files.into_iter().map(|file| file.status.path.to_string()).collect::<Vec<_>>(), last)
    };
    let (first, last) = part(InodeId::NONE);
    assert_eq!((first, last), (vec!["/a".into(), "/b".into()], Some(stat(&state, "/b").id)));
    assert_eq!(part(stat(&state, "/b").id), (vec!["/c".into()], None));
}
