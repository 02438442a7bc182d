//! Blocks from their id to their end, by literal entries and texts.

use super::tests::{ask, complete, entries_of, refusal, request, rm, run, settings, started, stat, touch, user, with};
use super::*;
use crate::journal::entry::{DeleteFile, Entry, UpdateInodeFile};
use crate::master::worker_call::{LeaseRule, LostStorage, Place, Registration, TierBytes, WorkerCall};
use crate::master::workers::{Known, WorkerLimits};
use crate::types::time::Boot;
use crate::types::{BlockId, ErrorKind, InodeId, PersistenceState, WorkerAddress, WorkerId};
use std::time::Duration;

const BLOCK_BYTES: i64 = 64 << 20;

fn new_block(text: &str) -> Operation {
    Operation::NewBlock(NewBlock { path: tests::path(text) })
}

fn commit(index: i64, length: i64) -> Operation {
    Operation::CommitBlock(CommitBlock { block: block(index), length, copy: None })
}

/// Block of the first file.
fn block(index: i64) -> BlockId {
    BlockId::of(1, index)
}

/// A worker that holds these blocks in that tier.
fn workers(tier: &str, blocks: &[BlockId]) -> Workers {
    let mut workers = Workers::default();
    let (worker, address) = (WorkerId(5), WorkerAddress { host: "w".into(), ..WorkerAddress::default() });
    let registration = Registration {
        worker,
        lease: LeaseRule::NotNeeded,
        capacity_bytes: TierBytes::new(),
        used_bytes: TierBytes::new(),
        lost_storage: LostStorage::new(),
        build: (String::new(), String::new()),
        vcpus: 1,
    };
    let place = Place { tier_alias: tier.into(), medium_type: tier.into() };
    let calls = [
        WorkerCall::GetId { address, fresh: worker },
        WorkerCall::Begin(Box::new(registration)),
        WorkerCall::Holds { worker, blocks: vec![(place, blocks.to_vec())] },
        WorkerCall::End { worker },
    ];
    for call in calls {
        workers.take(call, Known::Nothing, Boot::default(), Millis(0)).unwrap();
    }
    workers
}

fn status_with(state: &MasterState, workers: &Workers, text: &str) -> Result<Answer, FsError> {
    let question = Query::GetStatus { path: tests::path(text) };
    query(state, workers, &user("root", &[]), &question, &settings(), &mut Footprint::off())
}

#[test]
fn a_file_is_written_block_by_block() {
    let mut state = with(&["/f"]);
    let file = InodeId::of_file(1);
    assert_eq!(entries_of(&state, new_block("/f")), [Entry::NewBlock { id: file }]);
    assert_eq!(run(&mut state, new_block("/f")), Ok(Answer::NewBlock(block(0))));
    assert_eq!(run(&mut state, new_block("/f")), Ok(Answer::NewBlock(block(1))));
    let uncommitted = "Cannot complete a file without all the blocks committed".to_owned();
    assert_eq!(refusal(&state, complete("/f")), (ErrorKind::InvalidArgument, uncommitted));
    assert_eq!(entries_of(&state, commit(1, 10)), [Entry::BlockInfo { id: block(1), length: 10 }]);
    run(&mut state, commit(1, 10)).unwrap();
    assert_eq!(entries_of(&state, commit(1, 11)), [], "a second length is not believed");
    let mut short = state.clone();
    run(&mut short, commit(0, 3)).unwrap();
    let text = "Block index 0 has a block size smaller than the file block size (67108864)".to_owned();
    assert_eq!(refusal(&short, complete("/f")), (ErrorKind::InvalidArgument, text));
    run(&mut state, commit(0, BLOCK_BYTES)).unwrap();
    let updated = Entry::UpdateInodeFile(UpdateInodeFile {
        length: Some(BLOCK_BYTES + 10),
        completed: Some(true),
        blocks: vec![block(0), block(1)],
        path: Some(tests::path("/f")),
        ..UpdateInodeFile::of(file)
    });
    assert_eq!(entries_of(&state, complete("/f"))[1], updated);
    run(&mut state, complete("/f")).unwrap();
    let status = stat(&state, "/f");
    assert_eq!(status.blocks.iter().map(|b| b.length).collect::<Vec<_>>(), [BLOCK_BYTES, 10]);
    assert_eq!((status.length, status.in_alluxio_percentage), (BLOCK_BYTES + 10, 0));
    state.verify().unwrap();
}

#[test]
fn a_file_in_the_ufs_has_no_blocks_after_a_missing_one() {
    let mut state = started();
    let file = CreateFile { write_type: WriteType::CacheThrough, ..tests::new_file("/f") };
    run(&mut state, Operation::CreateFile(file)).unwrap();
    for _ in 0..3 {
        run(&mut state, new_block("/f")).unwrap();
    }
    let complete = |length: i64| {
        let (path, ufs_length) = (tests::path("/f"), Some(length));
        Operation::CompleteFile(CompleteFile { ufs_length, ..CompleteFile::of(path) })
    };
    run(&mut state, commit(0, BLOCK_BYTES)).unwrap();
    // Nothing after the first was kept: it is in the UFS.
    let completed = entries_of(&state, complete(BLOCK_BYTES + 10));
    assert_eq!(completed[0], Entry::BlockInfo { id: block(1), length: 10 });
    // The answer with the second id was lost: what the client has in the third block is the second of the file.
    run(&mut state, commit(2, 10)).unwrap();
    let uncommitted = "Cannot complete a file without all the blocks committed".to_owned();
    assert_eq!(refusal(&state, complete(BLOCK_BYTES + 10)), (ErrorKind::InvalidArgument, uncommitted));
}

#[test]
fn nobody_has_a_master_count_blocks_to_the_end_of_all_numbers() {
    let mut state = started();
    let through = CreateFile { write_type: WriteType::Through, block_size_bytes: 1, ..tests::new_file("/f") };
    run(&mut state, Operation::CreateFile(through)).unwrap();
    let complete = |bytes| CompleteFile { ufs_length: Some(bytes), ..CompleteFile::of(tests::path("/f")) };
    for bytes in [i64::MAX, 1 << 40, 1_000_001] {
        let (kind, text) = refusal(&state, Operation::CompleteFile(complete(bytes)));
        assert_eq!(kind, ErrorKind::InvalidArgument);
        assert!(
            text.starts_with(&format!("File f of {bytes} bytes has too many blocks of 1 bytes, more than")),
            "{text}"
        );
        assert!(text.ends_with("Write it with a larger block size."), "{text}");
    }
    run(&mut state, Operation::CompleteFile(complete(1_000))).unwrap();
    assert_eq!(stat(&state, "/f").blocks.len(), 1_000);
}

#[test]
fn blocks_that_are_longer_together_than_a_file_can_be_are_refused() {
    let mut state = with(&[]);
    let long = CreateFile { block_size_bytes: i64::MAX, ..tests::new_file("/f") };
    run(&mut state, Operation::CreateFile(long)).unwrap();
    for index in 0..2 {
        run(&mut state, new_block("/f")).unwrap();
        run(&mut state, commit(index, i64::MAX)).unwrap();
    }
    let text = "The blocks of the file are longer than a file can be".to_owned();
    assert_eq!(refusal(&state, complete("/f")), (ErrorKind::InvalidArgument, text));
}

#[test]
fn only_a_file_gets_blocks() {
    let state = with(&["/d/", "/f"]);
    assert_eq!(refusal(&state, new_block("/d")), (ErrorKind::NotFound, "Path \"/d\" must be a file.".into()));
    assert_eq!(refusal(&state, new_block("/x")), (ErrorKind::NotFound, "Path \"/x\" does not exist.".into()));
}

#[test]
fn a_block_whose_file_is_gone_is_not_journaled() {
    let mut state = with(&["/f"]);
    run(&mut state, new_block("/f")).unwrap();
    run(&mut state, rm("/f", false)).unwrap();
    assert_eq!(entries_of(&state, commit(0, 5)), []);
    let odd = BlockId(InodeId::of_file(1).0);
    let odd = Operation::CommitBlock(CommitBlock { block: odd, length: 5, copy: None });
    assert_eq!(refusal(&state, odd).0, ErrorKind::InvalidArgument);
}

#[test]
fn an_unknown_worker_commits_nothing() {
    let state = with(&["/f"]);
    let place = Place { tier_alias: "MEM".into(), medium_type: "MEM".into() };
    let copy = Some(NewCopy { worker: WorkerId(5), place, used_on_tier: 5 });
    let operation = Operation::CommitBlock(CommitBlock { block: block(0), length: 5, copy });
    let refused = refusal(&state, operation.clone());
    assert_eq!(refused, (ErrorKind::NotFound, "No worker with workerId 5 is found".into()));
    let registered = workers("MEM", &[]);
    assert!(decide(&state, &registered, &request(operation), Millis(1), &settings()).is_ok());
}

#[test]
fn blocks_go_with_their_file() {
    let mut state = with(&["/a/", "/f", "/a/g"]);
    for text in ["/f", "/a/g", "/a/g"] {
        run(&mut state, new_block(text)).unwrap();
    }
    run(&mut state, commit(0, 5)).unwrap();
    for index in 0..2 {
        let id = BlockId::of(2, index);
        run(&mut state, Operation::CommitBlock(CommitBlock { block: id, length: 7, copy: None })).unwrap();
    }
    let delete =
        DeleteFile { id: InodeId::of_file(1), op_time_ms: 3_000, alluxio_only: false, path: tests::path("/f") };
    let expected = [Entry::DeleteBlock { id: block(0) }, Entry::DeleteFile(delete)];
    assert_eq!(entries_of(&state, rm("/f", false)), expected);
    run(&mut state, rm("/f", false)).unwrap();
    run(&mut state, rm("/a", true)).unwrap();
    assert_eq!(state.blocks().count(), 2, "those of a tree are collected with it");
    let id = |index| Entry::DeleteBlock { id: BlockId::of(2, index) };
    assert_eq!(collect(&state, 2), [id(0), id(1)]);
    let all = collect(&state, 10);
    assert_eq!(all, [id(0), id(1), Entry::CollectTree { ids: vec![InodeId::of_file(2), InodeId(1)] }]);
    for entry in all {
        state.apply(&entry).unwrap();
    }
    assert_eq!((state.blocks().count(), state.inodes().count()), (0, 1));
    state.verify().unwrap();
}

#[test]
fn an_overwritten_file_takes_its_blocks_along() {
    let mut state = with(&["/f"]);
    run(&mut state, new_block("/f")).unwrap();
    run(&mut state, commit(0, 5)).unwrap();
    let overwrite = Operation::CreateFile(CreateFile { overwrite: true, ..tests::new_file("/f") });
    assert_eq!(entries_of(&state, overwrite.clone())[0], Entry::DeleteBlock { id: block(0) });
    run(&mut state, overwrite).unwrap();
    state.verify().unwrap();
}

#[test]
fn a_status_tells_the_copies() {
    let mut state = with(&["/f"]);
    for index in 0..2 {
        run(&mut state, new_block("/f")).unwrap();
        run(&mut state, commit(index, [BLOCK_BYTES, BLOCK_BYTES / 3][index as usize])).unwrap();
    }
    run(&mut state, complete("/f")).unwrap();
    let shown = |tier: &str, blocks: &[BlockId]| {
        let Ok(Answer::Status(status)) = status_with(&state, &workers(tier, blocks), "/f") else { panic!("no status") };
        let copies: Vec<_> = status.blocks.iter().map(|block| block.locations.len()).collect();
        (copies, status.in_alluxio_percentage, status.in_memory_percentage)
    };
    assert_eq!(shown("MEM", &[block(0), block(1)]), (vec![1, 1], 100, 100));
    assert_eq!(shown("MEM", &[block(0)]), (vec![1, 0], 75, 75));
    assert_eq!(shown("SSD", &[block(1)]), (vec![0, 1], 24, 0));
    let info = |id| ask(&state, &user("root", &[]), Query::BlockInfo { block: id });
    assert!(matches!(info(block(0)), Ok(Answer::Block(found)) if found.length == BLOCK_BYTES));
    let missing = info(block(7)).unwrap_err();
    let text = "BlockMeta not found for blockId 16777223";
    assert_eq!((missing.kind, missing.message.as_str()), (ErrorKind::InvalidArgument, text));
}

#[test]
fn in_safe_mode_nobody_is_told_that_copies_are_missing() {
    let mut state = with(&["/f", "/empty"]);
    run(&mut state, new_block("/f")).unwrap();
    run(&mut state, commit(0, 5)).unwrap();
    run(&mut state, complete("/f")).unwrap();
    run(&mut state, complete("/empty")).unwrap();
    let limits = WorkerLimits { timeout: Duration::from_secs(300), connect_wait: Duration::from_secs(5) };
    let mut none = Workers::default();
    none.begin_to_serve(&limits, Boot::default());
    let refused = status_with(&state, &none, "/f").unwrap_err();
    let text = "Alluxio master is in safe mode. Please try again later.";
    assert_eq!((refused.kind, refused.message.as_str()), (ErrorKind::Unavailable, text));
    let ask = |question| query(&state, &none, &user("root", &[]), &question, &settings(), &mut Footprint::off());
    for question in [Query::Workers, Query::BlockInfo { block: block(0) }] {
        assert_eq!(ask(question).unwrap_err().message, text);
    }
    assert_eq!(ask(Query::KnownWorkers), Ok(Answer::Workers(Vec::new())));
    assert!(status_with(&state, &none, "/empty").is_ok());
    assert!(ask(Query::ListStatus { path: tests::path("/"), recursive: true }).is_ok());
    let mut one = workers("MEM", &[block(0)]);
    one.begin_to_serve(&limits, Boot::default());
    assert!(status_with(&state, &one, "/f").is_ok());
}

#[test]
fn a_repeated_request_for_a_block_gets_the_same_one() {
    let mut state = with(&["/f"]);
    let operation_id = Some(crate::types::OperationId { high: 1, low: 2 });
    let request = Request { operation_id, ..request(new_block("/f")) };
    for _ in 0..2 {
        let decision = decide(&state, &Workers::default(), &request, Millis(2_000), &settings()).unwrap();
        assert_eq!(decision.answer, Answer::NewBlock(block(0)));
        decision.entries.iter().for_each(|entry| state.apply(entry).unwrap());
    }
    assert_eq!(run(&mut state, new_block("/f")), Ok(Answer::NewBlock(block(1))));
}

#[test]
fn a_file_whose_last_copy_is_gone_is_lost_until_a_worker_brings_it_back() {
    let mut state = with(&["/f", "/open"]);
    let later = CreateFile { write_type: WriteType::AsyncThrough, ..tests::new_file("/later") };
    run(&mut state, Operation::CreateFile(later)).unwrap();
    for (container, text) in [(1, "/f"), (2, "/open"), (3, "/later")] {
        run(&mut state, new_block(text)).unwrap();
        let block = BlockId::of(container, 0);
        run(&mut state, Operation::CommitBlock(CommitBlock { block, length: 5, copy: None })).unwrap();
    }
    run(&mut state, complete("/f")).unwrap();
    run(&mut state, complete("/later")).unwrap();
    let persistence = |state: &MasterState, workers: &Workers, text: &str| match status_with(state, workers, text) {
        Ok(Answer::Status(status)) => status.persistence,
        other => panic!("{other:?}"),
    };
    let none = workers("MEM", &[]);
    assert_eq!(persistence(&state, &workers("MEM", &[block(0)]), "/f"), PersistenceState::NotPersisted);
    assert_eq!(persistence(&state, &none, "/f"), PersistenceState::Lost);
    assert_eq!(persistence(&state, &none, "/open"), PersistenceState::NotPersisted, "it is still being written");
    assert_eq!(persistence(&state, &none, "/later"), PersistenceState::ToBePersisted, "its block may be in the UFS");
    let question = Query::ListStatus { path: tests::path("/"), recursive: false };
    let caller = user("root", &[]);
    let listed = |workers: &Workers| {
        let answer = query(&state, workers, &caller, &question, &settings(), &mut Footprint::off());
        let Ok(Answer::List(listed)) = answer else { panic!("{answer:?}") };
        listed.statuses.iter().find(|status| status.path.as_str() == "/f").unwrap().persistence
    };
    assert_eq!(listed(&none), PersistenceState::Lost);
    let mut early = Workers::default();
    let limits = WorkerLimits { timeout: Duration::from_secs(9), connect_wait: Duration::from_secs(5) };
    early.begin_to_serve(&limits, Boot::default());
    assert_eq!(listed(&early), PersistenceState::NotPersisted, "workers may still come");
    let persisted = crate::journal::entry::UpdateInode {
        persistence: Some(PersistenceState::Persisted),
        ..crate::journal::entry::UpdateInode::of(InodeId::of_file(1))
    };
    state.apply(&Entry::UpdateInode(persisted)).unwrap();
    assert_eq!(persistence(&state, &none, "/f"), PersistenceState::Persisted);
}

#[test]
fn a_worker_is_told_of_pinned_and_unpersisted_files() {
    let mut state = with(&["/f"]);
    let later = CreateFile { write_type: WriteType::AsyncThrough, ..tests::new_file("/later") };
    run(&mut state, Operation::CreateFile(later)).unwrap();
    run(&mut state, touch("/g")).unwrap();
    let pinned = |state: &MasterState| ask(state, &user("w", &[]), Query::PinnedFiles).unwrap();
    assert_eq!(pinned(&state), Answer::Files(vec![InodeId::of_file(2)]));
    let file = InodeId::of_file(1);
    let update =
        crate::journal::entry::UpdateInode { pinned: Some(true), ..crate::journal::entry::UpdateInode::of(file) };
    state.apply(&Entry::UpdateInode(update)).unwrap();
    assert_eq!(pinned(&state), Answer::Files(vec![file, InodeId::of_file(2)]));
    let Ok(Answer::Status(status)) = ask(&state, &user("w", &[]), Query::StatusOf { id: InodeId::of_file(2) }) else {
        panic!("no status")
    };
    assert_eq!((status.path.as_str(), status.persistence), ("/later", PersistenceState::ToBePersisted));
    run(&mut state, rm("/later", false)).unwrap();
    assert_eq!(pinned(&state), Answer::Files(vec![file]));
}

#[test]
fn files_with_too_few_copies_are_found_if_one_more_can_be_made() {
    let mut state = with(&[]);
    for (name, min) in [("/usual", 0), ("/two", 2), ("/lost", 2), ("/open", 2), ("/cold", 1)] {
        run(&mut state, Operation::CreateFile(CreateFile { replication_min: min, ..tests::new_file(name) })).unwrap();
        run(&mut state, new_block(name)).unwrap();
        let block = BlockId::of(stat(&state, name).id.container(), 0);
        run(&mut state, Operation::CommitBlock(CommitBlock { block, length: 5, copy: None })).unwrap();
        if name != "/open" {
            run(&mut state, complete(name)).unwrap();
        }
    }
    let of = |state: &MasterState, text: &str| BlockId::of(stat(state, text).id.container(), 0);
    let persisted = crate::journal::entry::UpdateInode {
        persistence: Some(PersistenceState::Persisted),
        ..crate::journal::entry::UpdateInode::of(stat(&state, "/cold").id)
    };
    state.apply(&Entry::UpdateInode(persisted)).unwrap();
    let holding = workers("MEM", &["/usual", "/two", "/open"].map(|text| of(&state, text)));
    let ask = |workers: &Workers, after, limit| {
        let question = Query::TooFewCopies { after, limit };
        query(&state, workers, &Caller::default(), &question, &settings(), &mut Footprint::off())
    };
    let found = |after, limit| {
        let Ok(Answer::TooFewCopies { files, last }) = ask(&holding, after, limit) else { panic!("no answer") };
        (files.into_iter().map(|file| (file.status.path.to_string(), file.copies)).collect::<Vec<_>>(), last)
    };
    assert_eq!(found(InodeId::NONE, 10), (vec![("/two".into(), 2), ("/cold".into(), 1)], None));
    let two = stat(&state, "/two").id;
    assert_eq!(found(InodeId::NONE, 1), (vec![("/two".into(), 2)], Some(two)));
    assert_eq!(found(two, 10), (vec![("/cold".into(), 1)], None));
    let mut early = holding.clone();
    let limits = WorkerLimits { timeout: Duration::from_secs(9), connect_wait: Duration::from_secs(5) };
    early.begin_to_serve(&limits, Boot::default());
    assert!(ask(&early, InodeId::NONE, 10).is_err(), "other workers may still come");
}
