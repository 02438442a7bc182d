//! Changes of a UFS that end, fail, or whose master dies between any two steps: namespace and UFS agree afterwards.

use super::*;
use crate::master::ops::{
    Caller, CreateDirectory, CreateFile, Delete, Load, Rename, Request, UfsFacts, WriteType, decide,
};
use crate::master::workers::Workers;
use crate::types::time::Millis;
use crate::types::{OperationId, TtlAction};
use crate::ufs::{MemoryUfs, Ufs, UfsDeletion, UfsErrorKind, UfsOwnership};
use bytes::Bytes;
use std::collections::BTreeSet;

#[path = "task_partial_tests.rs"]
mod partial;

const ROOT: &str = "memory://m/root";

fn path(text: &str) -> AlluxioPath {
    AlluxioPath::parse(text).unwrap()
}

fn settings() -> Settings {
    Settings {
        permission_checking: false,
        super_group: String::new(),
        umask: 0o022,
        root_ufs: ROOT.into(),
        root_options: Default::default(),
        never_persisted: Vec::new(),
        journal: String::new(),
    }
}

fn ownership() -> UfsOwnership {
    UfsOwnership { owner: "o".into(), group: "g".into(), mode: 0o755 }
}

/// A namespace over a UFS, without a master: what is decided is applied.
struct World {
    state: MasterState,
    ufs: MemoryUfs,
    /// What the next change of the UFS does instead of what it should.
    fault: Option<Fault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It is made, but nobody hears of it.
    ReplyLost,
    /// It is not made, and nobody knows.
    NotMade,
    /// It is refused.
    Refused,
    /// Of a tree, all but one file is deleted; then it is refused.
    Partly,
}

impl World {
    /// These files, with the directories above them, in both.
    async fn with(files: &[&str]) -> World {
        let ufs = MemoryUfs::new();
        ufs.mkdir(ROOT, &ownership()).await.unwrap();
        for file in files {
            let mut writer = ufs.create(&format!("{ROOT}{file}"), &ownership()).await.unwrap();
            writer.write(Bytes::from_static(b"x")).await.unwrap();
            writer.close().await.unwrap();
        }
        let mut state = MasterState::new();
        for entry in ops::bootstrap(&state, "o", "g", Millis(1_000), "c".into(), 0) {
            state.apply(&entry).unwrap();
        }
        let mut world = World { state, ufs, fault: None };
        let found = world.paths_in_ufs().into_iter().map(|(path, directory)| (path, facts(directory))).collect();
        let listed = Some(AlluxioPath::root());
        let load = Load { listed, ..Load::of(found, (AlluxioPath::root(), ROOT.into())) };
        world.submit(Operation::Ufs(UfsOperation::Load(load)), None).unwrap();
        world
    }

    fn submit(&mut self, operation: Operation, operation_id: Option<OperationId>) -> Result<Answer, FsError> {
        let request = Request { caller: Caller::default(), operation_id, operation };
        let decision = decide(&self.state, &Workers::default(), &request, Millis(2_000), &settings())?;
        decision.entries.iter().for_each(|entry| self.state.apply(entry).unwrap());
        Ok(decision.answer)
    }

    /// Performs steps until the end, or until so many are done.
    async fn run(
        &mut self,
        (mut task, mut step): (UfsTask, Step),
        id: Option<OperationId>,
        steps_max: usize,
    ) -> Option<Result<(), FsError>> {
        for _ in 0..steps_max {
            let told = match step {
                Step::Done(result) => return Some(result),
                Step::Submit(operation) => Told::Answer(self.submit(Operation::Ufs(operation), id)),
                Step::Call(call) | Step::Again(call) => self.call(&call).await,
            };
            step = task.step(told, &self.state, &settings());
        }
        None
    }

    async fn call(&mut self, call: &UfsCall) -> Told {
        let fault = if call.is_change() { self.fault.take() } else { None };
        match fault {
            Some(Fault::NotMade) => return Told::Unknown("no reply".into()),
            Some(Fault::Refused) => return Told::Refused("it does not want to".into()),
            Some(Fault::Partly) => {
                let UfsCall::DeleteTree(top) = call else { panic!("{call:?} has no parts") };
                let files = self.ufs.paths().into_iter().filter(|path| path.starts_with(&format!("{top}/")));
                for file in files.filter(|path| !path.ends_with('/')).skip(1).collect::<Vec<_>>() {
                    self.ufs.delete(&file, UfsDeletion::File).await.unwrap();
                }
                return Told::Refused("it stopped".into());
            }
            Some(Fault::ReplyLost) | None => {}
        }
        let told = match call {
            UfsCall::Make { uri, owner, group, mode } => {
                let ownership = UfsOwnership { owner: owner.clone(), group: group.clone(), mode: *mode };
                self.ufs.mkdir(uri, &ownership).await.map(|()| Told::Done)
            }
            UfsCall::Rename { from, to } => self.ufs.rename(from, to).await.map(|()| Told::Done),
            UfsCall::Resume { from, to } => self.ufs.resume_rename(from, to).await.map(|()| Told::Done),
            UfsCall::DeleteFile(uri) => self.ufs.delete(uri, UfsDeletion::File).await.map(|()| Told::Done),
            UfsCall::DeleteTree(uri) => self.ufs.delete(uri, UfsDeletion::Tree).await.map(|()| Told::Done),
            UfsCall::Look(uri) => {
                let there = self.ufs.status(uri).await.unwrap().is_some();
                Ok(if there { Told::Done } else { Told::Absent })
            }
            UfsCall::List(uri) => {
                let listed = self.ufs.list(uri).await;
                listed.map(|listed| Told::Names(listed.into_iter().map(|status| status.name).collect()))
            }
        };
        match told {
            _ if fault == Some(Fault::ReplyLost) => Told::Unknown("no reply".into()),
            Ok(told) => told,
            Err(error) => super::super::change::failure(call, &error),
        }
    }

    /// Another master takes over: it settles what is open.
    async fn take_over(&mut self) {
        for inode in self.state.intents().keys().copied().collect::<Vec<_>>() {
            let begun = UfsTask::settle(inode, &self.state, &settings());
            self.run(begun, None, 1_000).await.expect("it ends").ok();
        }
    }

    fn paths_in_ufs(&self) -> Vec<(AlluxioPath, bool)> {
        let below = |uri: &String| uri.strip_prefix(ROOT).filter(|rest| rest.len() > 1).map(str::to_owned);
        let paths = self.ufs.paths();
        paths.iter().filter_map(below).map(|rest| (path(&rest), rest.ends_with('/'))).collect()
    }

    /// What both have, which must be the same.
    fn agreed(&self) -> BTreeSet<String> {
        let in_ufs: BTreeSet<String> = self.paths_in_ufs().into_iter().map(|(path, _)| path.to_string()).collect();
        let inodes = self.state.inodes().iter().filter(|inode| inode.id != InodeId::ROOT);
        let persisted = inodes.filter(|inode| inode.persistence == PersistenceState::Persisted);
        let in_namespace: BTreeSet<String> =
            persisted.filter_map(|inode| self.state.path_of(inode.id)).map(|path| path.to_string()).collect();
        assert_eq!(in_namespace, in_ufs, "namespace and UFS agree");
        assert!(self.state.intents().is_empty(), "nothing is open");
        in_ufs
    }
}

fn facts(directory: bool) -> UfsFacts {
    UfsFacts {
        directory,
        length: i64::from(!directory),
        block_size_bytes: 1 << 20,
        owner: "o".into(),
        group: "g".into(),
        mode: 0o755,
        modification_time_ms: 1,
        etag: None,
    }
}

fn rm(text: &str) -> Operation {
    Operation::Delete(Delete { recursive: true, ..Delete::of(path(text)) })
}

fn mv(from: &str, to: &str) -> Operation {
    Operation::Rename(Rename { source: path(from), target: path(to) })
}

fn make(text: &str) -> Operation {
    Operation::CreateDirectory(CreateDirectory {
        path: path(text),
        recursive: false,
        allow_exists: false,
        mode: 0o750,
        write_type: WriteType::CacheThrough,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        xattr: Default::default(),
    })
}

fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

const FILES: [&str; 4] = ["/a/b/f", "/a/b/g", "/a/h", "/c/x"];

/// What is done, and what is there afterwards.
fn changes() -> Vec<(Operation, BTreeSet<String>)> {
    vec![
        (rm("/a/h"), set(&["/a", "/a/b", "/a/b/f", "/a/b/g", "/c", "/c/x"])),
        (rm("/a"), set(&["/c", "/c/x"])),
        (mv("/a/h", "/c/h"), set(&["/a", "/a/b", "/a/b/f", "/a/b/g", "/c", "/c/h", "/c/x"])),
        (mv("/a/b", "/d"), set(&["/a", "/a/h", "/c", "/c/x", "/d", "/d/f", "/d/g"])),
        (make("/c/m"), set(&["/a", "/a/b", "/a/b/f", "/a/b/g", "/a/h", "/c", "/c/m", "/c/x"])),
    ]
}

#[tokio::test]
async fn a_change_is_made_in_both() {
    for (operation, after) in changes() {
        let mut world = World::with(&FILES).await;
        let result = world.run(UfsTask::begin(operation.clone()), None, 100).await;
        assert_eq!(result, Some(Ok(())), "{operation:?}");
        assert_eq!(world.agreed(), after, "{operation:?}");
    }
}

#[tokio::test]
async fn a_master_may_die_between_any_two_steps() {
    let mut killed = 0;
    for (operation, after) in changes() {
        let before = World::with(&FILES).await.agreed();
        for fault in [None, Some(Fault::ReplyLost), Some(Fault::NotMade), Some(Fault::Refused)] {
            for steps in 0..20 {
                let mut world = World::with(&FILES).await;
                world.fault = fault;
                let result = world.run(UfsTask::begin(operation.clone()), None, steps).await;
                world.take_over().await;
                let agreed = world.agreed();
                match result {
                    Some(Ok(())) => assert_eq!(agreed, after, "{operation:?} {fault:?} {steps}"),
                    Some(Err(_)) => assert_eq!(agreed, before, "{operation:?} {fault:?} {steps}"),
                    None => killed += 1,
                }
                assert!(agreed == before || agreed == after, "{operation:?} {fault:?} {steps}: {agreed:?}");
            }
        }
    }
    assert!(killed > 40, "{killed} were killed on their way");
}

#[tokio::test]
async fn what_a_refused_delete_has_deleted_is_gone_from_the_namespace_too() {
    for steps in 0..20 {
        let mut world = World::with(&FILES).await;
        world.fault = Some(Fault::Partly);
        let result = world.run(UfsTask::begin(rm("/a")), None, steps).await;
        world.take_over().await;
        let agreed = world.agreed();
        if let Some(result) = result {
            assert_eq!(agreed, set(&["/a", "/a/b", "/a/b/f", "/c", "/c/x"]));
            let refused = result.unwrap_err();
            assert_eq!(refused.kind, ErrorKind::FailedPrecondition);
            assert_eq!(refused.message, "Failed to delete 1 paths from the under file system: /a (it stopped)");
        }
    }
}

#[tokio::test]
async fn a_refused_rename_says_so_in_the_words_of_2_9() {
    let mut world = World::with(&FILES).await;
    world.fault = Some(Fault::Refused);
    let refused = world.run(UfsTask::begin(mv("/a/h", "/c/h")), None, 100).await.unwrap().unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Unknown);
    let message = "Failed to rename memory://m/root/a/h to memory://m/root/c/h in the under file system";
    assert_eq!(refused.message, message);
}

#[tokio::test]
async fn a_repetition_after_a_takeover_gets_the_first_answer() {
    let id = Some(OperationId { high: 1, low: 2 });
    let mut world = World::with(&FILES).await;
    // Intent and call, no commit.
    assert_eq!(world.run(UfsTask::begin(mv("/a/h", "/c/h")), id, 2).await, None);
    world.take_over().await;
    assert_eq!(world.run(UfsTask::begin(mv("/a/h", "/c/h")), id, 100).await, Some(Ok(())));
    assert_eq!(world.submit(mv("/a/h", "/c/h"), id), Ok(Answer::Done));
    assert!(world.agreed().contains("/c/h"));
}

/// What a dead master made is not found in the UFS by others before whoever asked for it is answered.
#[tokio::test]
async fn a_directory_that_a_dead_master_made_is_new_to_who_asked_for_it() {
    let id = Some(OperationId { high: 1, low: 2 });
    let mut world = World::with(&FILES).await;
    assert_eq!(world.run(UfsTask::begin(make("/c/m")), id, 2).await, None);
    let load = Load::of(vec![(path("/c/m"), facts(true))], (path("/c/m"), format!("{ROOT}/c/m")));
    let seen = world.submit(Operation::Ufs(UfsOperation::Load(load)), None).unwrap_err();
    assert!(ops::is_not_yet(&seen), "{seen}");
    world.take_over().await;
    assert_eq!(world.run(UfsTask::begin(make("/c/m")), id, 100).await, Some(Ok(())));
    let another = world.run(UfsTask::begin(make("/c/m")), None, 100).await.unwrap().unwrap_err();
    assert_eq!(another.kind, ErrorKind::AlreadyExists);
    let made = ops::inode_at(&world.state, &path("/c/m")).unwrap();
    assert_eq!((made.mode, world.agreed().contains("/c/m")), (0o750, true));
}

/// Nor is what a dead master made taken for somebody else's because it cannot be made again.
#[tokio::test]
async fn a_directory_that_was_made_and_then_refused_is_made() {
    let id = Some(OperationId { high: 1, low: 2 });
    let mut world = World::with(&FILES).await;
    assert_eq!(world.run(UfsTask::begin(make("/c/m")), id, 2).await, None);
    world.fault = Some(Fault::Refused);
    world.take_over().await;
    assert!(world.agreed().contains("/c/m"));
    assert_eq!(world.run(UfsTask::begin(make("/c/m")), id, 100).await, Some(Ok(())), "it is told its first answer");
}

/// Others may use the UFS, too: where a directory was deleted, a file does not keep the intent open for ever.
#[tokio::test]
async fn a_file_in_the_place_of_a_deleted_directory_ends_the_delete() {
    let mut world = World::with(&FILES).await;
    assert_eq!(world.run(UfsTask::begin(rm("/a/b")), None, 1).await, None);
    world.ufs.delete(&format!("{ROOT}/a/b"), UfsDeletion::Tree).await.unwrap();
    world.ufs.create(&format!("{ROOT}/a/b"), &ownership()).await.unwrap().close().await.unwrap();
    world.take_over().await;
    assert!(ops::inode_at(&world.state, &path("/a/b")).is_none() && world.state.intents().is_empty());
}

#[tokio::test]
async fn a_file_in_the_way_of_a_new_directory_is_no_directory() {
    let mut world = World::with(&FILES).await;
    let writer = world.ufs.create(&format!("{ROOT}/c/m"), &ownership()).await.unwrap();
    writer.close().await.unwrap();
    for steps in [2, 100] {
        let result = world.run(UfsTask::begin(make("/c/m")), None, steps).await;
        assert!(
            result.is_none_or(|result| result.is_err_and(|error| error.message.starts_with("Failed to make /c/m in ")))
        );
        world.take_over().await;
        assert!(ops::inode_at(&world.state, &path("/c/m")).is_none() && world.state.intents().is_empty());
    }
}

#[tokio::test]
async fn what_an_open_intent_touches_is_closed_to_others() {
    let mut world = World::with(&FILES).await;
    assert_eq!(world.run(UfsTask::begin(mv("/a/b", "/d")), None, 1).await, None);
    let touch = |text: &str| {
        Operation::CreateFile(CreateFile {
            path: path(text),
            recursive: false,
            overwrite: false,
            mode: 0o644,
            block_size_bytes: 1,
            write_type: WriteType::MustCache,
            ttl_ms: -1,
            ttl_action: TtlAction::Free,
            replication_min: 0,
            replication_max: -1,
            replication_durable: 1,
            persistence_wait_ms: 0,
            xattr: Default::default(),
        })
    };
    for closed in [touch("/a/b/new"), touch("/d"), rm("/a"), rm("/a/b/f"), mv("/a/h", "/a/b/h"), mv("/c", "/d/c")] {
        let refused = world.submit(closed.clone(), None).unwrap_err();
        assert!(ops::is_not_yet(&refused), "{closed:?}: {refused}");
    }
    world.submit(touch("/a/new"), None).unwrap();
    world.take_over().await;
    world.submit(touch("/a/b/new"), None).unwrap();
}

const TEMPORARY: &str = "memory://m/temporary";

impl World {
    /// A file that is to be persisted, of two bytes, which lie in a temporary file.
    async fn with_written(files: &[&str]) -> (World, Operation) {
        let mut world = World::with(files).await;
        let create = CreateFile {
            path: path("/a/new"),
            recursive: false,
            overwrite: false,
            mode: 0o644,
            block_size_bytes: 1 << 20,
            write_type: WriteType::AsyncThrough,
            ttl_ms: -1,
            ttl_action: TtlAction::Free,
            replication_min: 0,
            replication_max: -1,
            replication_durable: 1,
            persistence_wait_ms: 0,
            xattr: Default::default(),
        };
        let Ok(Answer::Status(new)) = world.submit(Operation::CreateFile(create), None) else { panic!("no file") };
        world.submit(Operation::NewBlock(ops::NewBlock { path: path("/a/new") }), None).unwrap();
        let block = crate::types::BlockId::of(new.id.container(), 0);
        world.submit(Operation::CommitBlock(ops::CommitBlock { block, length: 2, copy: None }), None).unwrap();
        let complete = ops::CompleteFile { async_persist: Some(0), ..ops::CompleteFile::of(path("/a/new")) };
        world.submit(Operation::CompleteFile(complete), None).unwrap();
        let mut writer = world.ufs.create(TEMPORARY, &ownership()).await.unwrap();
        writer.write(Bytes::from_static(b"xy")).await.unwrap();
        writer.close().await.unwrap();
        let put = ops::PutInPlace { id: new.id, path: path("/a/new"), temporary: TEMPORARY.into(), length: 2 };
        (world, Operation::PutInPlace(put))
    }

    async fn length_in_ufs(&self, file: &str) -> Option<u64> {
        self.ufs.status(&format!("{ROOT}{file}")).await.unwrap().map(|status| status.length)
    }
}

#[tokio::test]
async fn a_file_is_put_in_its_place_or_stays_to_be_persisted() {
    let (mut done, mut killed) = (0, 0);
    for fault in [None, Some(Fault::ReplyLost), Some(Fault::NotMade), Some(Fault::Refused)] {
        for steps in 0..20 {
            let (mut world, put) = World::with_written(&FILES).await;
            world.fault = fault;
            let result = world.run(UfsTask::begin(put.clone()), None, steps).await;
            world.take_over().await;
            let is_there = world.agreed().contains("/a/new");
            match result {
                Some(Ok(())) => assert!(is_there, "{fault:?} {steps}"),
                Some(Err(_)) => assert!(!is_there, "{fault:?} {steps}"),
                None => killed += 1,
            }
            done += usize::from(is_there);
            if !is_there {
                // Nothing of the first try is in the way of the next.
                world.fault = None;
                assert_eq!(world.run(UfsTask::begin(put), None, 100).await, Some(Ok(())), "{fault:?} {steps}");
            }
            assert!(world.agreed().contains("/a/new"));
            assert_eq!(world.length_in_ufs("/a/new").await, Some(2));
        }
    }
    assert!(done > 20 && killed > 10, "{done} at once, {killed} killed on their way");
}

#[tokio::test]
async fn what_lies_in_the_place_of_a_file_is_replaced() {
    let (mut world, put) = World::with_written(&FILES).await;
    let mut stale = world.ufs.create(&format!("{ROOT}/a/new"), &ownership()).await.unwrap();
    stale.write(Bytes::from_static(b"older")).await.unwrap();
    stale.close().await.unwrap();
    assert_eq!(world.run(UfsTask::begin(put), None, 100).await, Some(Ok(())));
    assert!(world.agreed().contains("/a/new"));
    assert_eq!(world.length_in_ufs("/a/new").await, Some(2));
}

#[tokio::test]
async fn what_was_written_of_a_file_that_has_changed_is_not_put_anywhere() {
    let (mut world, put) = World::with_written(&FILES).await;
    world.submit(mv("/a/new", "/new"), None).unwrap();
    let refused = world.run(UfsTask::begin(put.clone()), None, 100).await.unwrap().unwrap_err();
    assert_eq!(refused.kind, ErrorKind::FailedPrecondition);
    world.submit(mv("/new", "/a/new"), None).unwrap();
    // While it is put in its place, nothing else happens to it.
    world.run(UfsTask::begin(put.clone()), None, 1).await;
    let refused = world.submit(rm("/a/new"), None).unwrap_err();
    assert!(ops::is_not_yet(&refused), "{refused}");
    world.take_over().await;
    world.submit(rm("/a/new"), None).unwrap();
    assert_eq!(
        world.run(UfsTask::begin(put), None, 100).await.unwrap().unwrap_err().kind,
        ErrorKind::FailedPrecondition
    );
    assert_eq!(world.length_in_ufs("/a/new").await, None);
}
