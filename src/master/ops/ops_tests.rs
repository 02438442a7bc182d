//! Operations decided, applied and asked, by literal entries and texts.

use super::*;
use crate::journal::entry::{self, DeleteFile, Entry, InodeDirectory, UnlinkTree, UpdateInode, UpdateInodeFile};
use crate::types::{AlluxioPath, ErrorKind, FileStatus, InodeId, PersistenceState, TtlAction};

pub(super) fn path(text: &str) -> AlluxioPath {
    AlluxioPath::parse(text).unwrap()
}

pub(super) fn settings() -> Settings {
    Settings {
        permission_checking: true,
        super_group: "supergroup".into(),
        umask: 0o022,
        root_ufs: "hdfs://nn:9000/alluxio".into(),
        root_options: Default::default(),
        never_persisted: Vec::new(),
        journal: "hdfs://nn:9000/alluxio/kept/journal".into(),
    }
}

pub(super) fn started() -> MasterState {
    let mut state = MasterState::new();
    for entry in bootstrap(&state, "root", "root", Millis(1_000), "cluster".into(), 0) {
        state.apply(&entry).unwrap();
    }
    state
}

pub(super) fn request(operation: Operation) -> Request {
    let caller = Caller { user: "root".into(), groups: vec!["root".into()] };
    Request { caller, operation_id: None, operation }
}

pub(super) fn mkdir(text: &str) -> Operation {
    Operation::CreateDirectory(CreateDirectory {
        path: path(text),
        recursive: true,
        allow_exists: false,
        mode: 0o755,
        write_type: WriteType::MustCache,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        xattr: Default::default(),
    })
}

pub(super) fn run(state: &mut MasterState, operation: Operation) -> Result<Answer, FsError> {
    let decision = decide(state, &Workers::default(), &request(operation), Millis(2_000), &settings())?;
    for entry in &decision.entries {
        state.apply(entry).unwrap();
    }
    Ok(decision.answer)
}

pub(super) fn new_file(text: &str) -> CreateFile {
    CreateFile {
        path: path(text),
        recursive: false,
        overwrite: false,
        mode: 0o644,
        block_size_bytes: 64 << 20,
        write_type: WriteType::MustCache,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        replication_min: 0,
        replication_max: -1,
        replication_durable: 1,
        persistence_wait_ms: 0,
        xattr: Default::default(),
    }
}

pub(super) fn no_attributes(text: &str) -> SetAttribute {
    SetAttribute::of(path(text))
}

pub(super) fn touch(text: &str) -> Operation {
    Operation::CreateFile(new_file(text))
}

pub(super) fn rm(text: &str, recursive: bool) -> Operation {
    Operation::Delete(Delete { recursive, ..Delete::of(path(text)) })
}

pub(super) fn mv(source: &str, target: &str) -> Operation {
    Operation::Rename(Rename { source: path(source), target: path(target) })
}

pub(super) fn complete(text: &str) -> Operation {
    Operation::CompleteFile(CompleteFile::of(path(text)))
}

pub(super) fn user(name: &str, groups: &[&str]) -> Caller {
    Caller { user: name.into(), groups: groups.iter().map(|group| (*group).to_owned()).collect() }
}

/// A root with these directories (ending in a slash) and files, made by root.
pub(super) fn with(paths: &[&str]) -> MasterState {
    let mut state = started();
    for text in paths {
        run(&mut state, if text.ends_with('/') { mkdir(text) } else { touch(text) }).unwrap();
    }
    state
}

pub(super) fn entries_of(state: &MasterState, operation: Operation) -> Vec<Entry> {
    decide(state, &Workers::default(), &request(operation), Millis(3_000), &settings()).unwrap().entries
}

pub(super) fn refusal(state: &MasterState, operation: Operation) -> (ErrorKind, String) {
    refusal_to(state, user("root", &["root"]), operation)
}

pub(super) fn refusal_to(state: &MasterState, caller: Caller, operation: Operation) -> (ErrorKind, String) {
    let request = Request { caller, operation_id: None, operation };
    let FsError { kind, message } =
        decide(state, &Workers::default(), &request, Millis(3_000), &settings()).unwrap_err();
    (kind, message)
}

pub(super) fn ask(state: &MasterState, caller: &Caller, question: Query) -> Result<Answer, FsError> {
    query(state, &Workers::default(), caller, &question, &settings(), &mut Footprint::off())
}

pub(super) fn stat(state: &MasterState, text: &str) -> FileStatus {
    let answer = ask(state, &user("root", &[]), Query::GetStatus { path: path(text) }).unwrap();
    let Answer::Status(status) = answer else { panic!("{answer:?}") };
    *status
}

pub(super) fn chmod(state: &mut MasterState, text: &str, mode: u16) {
    run(state, Operation::SetAttribute(SetAttribute { mode: Some(mode), ..no_attributes(text) })).unwrap();
}

#[test]
fn ids_of_two_histories_are_not_the_same() {
    let first_file = |genesis: u64| {
        let mut state = MasterState::new();
        for entry in bootstrap(&state, "root", "root", Millis(1_000), "c".into(), first_container(genesis)) {
            state.apply(&entry).unwrap();
        }
        run(&mut state, mkdir("/d")).unwrap();
        let Answer::Status(status) = run(&mut state, touch("/d/f")).unwrap() else { panic!("no status") };
        status.id.container()
    };
    assert_eq!(first_file(0), 2_001);
    assert_eq!(first_file(1 << 63), 2_001 + (1 << 37));
    assert_eq!(first_file(u64::MAX), 2_000 + (1 << 38));
}

#[test]
fn the_first_primary_journals_cluster_ids_and_root() {
    let state = MasterState::new();
    let entries = bootstrap(&state, "alice", "users", Millis(1_000), "c-1".into(), 0);
    let root = InodeDirectory {
        id: InodeId::ROOT,
        parent: InodeId::NONE,
        name: String::new(),
        path: AlluxioPath::root(),
        creation_time_ms: 1_000,
        modification_time_ms: 1_000,
        access_time_ms: 1_000,
        owner: "alice".into(),
        group: "users".into(),
        mode: 0o755,
        persistence: PersistenceState::Persisted,
        pinned: false,
        mount_point: false,
        direct_children_loaded: false,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        extras: None,
    };
    let expected = [
        Entry::ClusterInfo { cluster_id: "c-1".into() },
        Entry::BlockContainerIdGenerator { next_container: 1001 },
        Entry::InodeDirectoryIdGenerator { container: 0, sequence: 0 },
        Entry::InodeDirectoryIdGenerator { container: 0, sequence: 1 },
        Entry::InodeDirectory(root),
    ];
    assert_eq!(entries, expected);
    assert!(bootstrap(&started(), "bob", "users", Millis(9), "c-2".into(), 0).is_empty(), "only once");
    let unready = ask(&state, &user("root", &[]), Query::GetStatus { path: path("/") }).unwrap_err();
    assert_eq!(unready.kind, ErrorKind::Unavailable);
}

#[test]
fn mkdir_of_many_levels_is_one_batch() {
    let made = |id, parent, name: &str, text: &str, mode| {
        Entry::InodeDirectory(InodeDirectory {
            id: InodeId(id),
            parent: InodeId(parent),
            name: name.into(),
            path: path(text),
            creation_time_ms: 3_000,
            modification_time_ms: 3_000,
            access_time_ms: 3_000,
            owner: "root".into(),
            group: "root".into(),
            mode,
            persistence: PersistenceState::NotPersisted,
            pinned: false,
            mount_point: false,
            direct_children_loaded: false,
            ttl_ms: 5,
            ttl_action: TtlAction::Delete,
            extras: None,
        })
    };
    let generator = |sequence| Entry::InodeDirectoryIdGenerator { container: 0, sequence };
    let Operation::CreateDirectory(create) = mkdir("/a/b") else { unreachable!() };
    let create = CreateDirectory { mode: 0o1770, ttl_ms: 5, ttl_action: TtlAction::Delete, ..create };
    let parent_times = Entry::UpdateInode(UpdateInode {
        modification_time_ms: Some(3_000),
        access_time_ms: Some(3_000),
        ..UpdateInode::of(InodeId::ROOT)
    });
    let expected =
        [parent_times, generator(2), made(1, 0, "a", "/a", 0o755), generator(3), made(2, 1, "b", "/a/b", 0o770)];
    assert_eq!(entries_of(&started(), Operation::CreateDirectory(create)), expected);
}

#[test]
fn a_new_file_is_answered_as_it_is_then_seen() {
    let mut state = with(&["/a/"]);
    let create = CreateFile { mode: 0o777, write_type: WriteType::AsyncThrough, ..new_file("/a/f") };
    let Answer::Status(answered) = run(&mut state, Operation::CreateFile(create)).unwrap() else { unreachable!() };
    assert_eq!(*answered, stat(&state, "/a/f"));
    assert_eq!((answered.id, answered.mode, answered.completed), (InodeId(33_554_431), 0o777, false));
    assert_eq!(answered.persistence, PersistenceState::ToBePersisted);
    assert_eq!(answered.ufs_path, "hdfs://nn:9000/alluxio/a/f");
    assert_eq!((answered.in_alluxio_percentage, answered.cacheable, answered.mount_id), (100, true, 1));

    let update = |update| Entry::UpdateInode(UpdateInode { ..update });
    let id = answered.id;
    let operation = CompleteFile { async_persist: Some(0), ..CompleteFile::of(path("/a/f")) };
    let expected = [
        update(UpdateInode {
            modification_time_ms: Some(3_000),
            overwrite_modification_time: Some(true),
            access_time_ms: Some(3_000),
            ..UpdateInode::of(id)
        }),
        Entry::UpdateInodeFile(UpdateInodeFile {
            length: Some(0),
            completed: Some(true),
            path: Some(path("/a/f")),
            ..UpdateInodeFile::of(id)
        }),
        update(UpdateInode { persistence: Some(PersistenceState::ToBePersisted), ..UpdateInode::of(id) }),
    ];
    assert_eq!(entries_of(&state, Operation::CompleteFile(operation)), expected);
    run(&mut state, complete("/a/f")).unwrap();
    assert!(stat(&state, "/a/f").completed);
}

#[test]
fn a_directory_shows_its_children_and_nothing_of_a_file() {
    let state = with(&["/a/", "/a/f", "/a/g"]);
    let status = stat(&state, "/a");
    assert_eq!((status.length, status.block_size_bytes, status.folder, status.completed), (2, 0, true, true));
    assert_eq!((status.cacheable, status.in_alluxio_percentage, status.replication_max), (false, 0, 0));
    let root = stat(&state, "/");
    assert_eq!((root.id, root.path.name(), root.ufs_path.as_str()), (InodeId(0), "", "hdfs://nn:9000/alluxio"));
}

#[test]
fn delete_and_rename_are_one_entry_each() {
    let state = with(&["/a/b/", "/a/f"]);
    let (a, b) = (stat(&state, "/a").id, stat(&state, "/a/b").id);
    let delete = DeleteFile { id: b, op_time_ms: 3_000, alluxio_only: false, path: path("/a/b") };
    assert_eq!(entries_of(&state, rm("/a/b", false)), [Entry::DeleteFile(delete)]);
    let unlink = UnlinkTree { id: a, op_time_ms: 3_000, path: path("/a") };
    assert_eq!(entries_of(&state, rm("/a", true)), [Entry::UnlinkTree(unlink)]);
    let rename = entry::Rename {
        id: b,
        new_parent: InodeId::ROOT,
        new_name: "c".into(),
        op_time_ms: 3_000,
        path: path("/a/b"),
        new_path: path("/c"),
    };
    assert_eq!(entries_of(&state, mv("/a/b", "/c")), [Entry::Rename(rename)]);
    assert_eq!(entries_of(&state, mv("/a", "/a")), []);
    assert_eq!(entries_of(&state, mv("/", "/")), []);
}

#[test]
fn overwriting_deletes_the_old_file_in_the_same_batch() {
    let mut state = with(&["/f"]);
    let old = stat(&state, "/f").id;
    let overwrite = CreateFile { overwrite: true, ..new_file("/f") };
    let entries = entries_of(&state, Operation::CreateFile(overwrite.clone()));
    assert!(matches!(&entries[0], Entry::DeleteFile(delete) if delete.id == old));
    run(&mut state, Operation::CreateFile(overwrite)).unwrap();
    assert_eq!(stat(&state, "/f").id, InodeId::of_file(2));
    assert_eq!(stat(&state, "/").length, 1);
}

#[test]
fn times_of_the_state_never_run_backwards() {
    let mut state = started();
    run(&mut state, mkdir("/late")).unwrap();
    let early = decide(&state, &Workers::default(), &request(mkdir("/early")), Millis(5), &settings()).unwrap();
    early.entries.iter().for_each(|entry| state.apply(entry).unwrap());
    assert_eq!(stat(&state, "/early").creation_time_ms, 2_000);
    assert_eq!(state.last_time(), Millis(2_000));
}

#[test]
fn set_attribute_journals_what_was_asked_for_below_first() {
    let state = with(&["/a/", "/a/f"]);
    let (a, f) = (stat(&state, "/a").id, stat(&state, "/a/f").id);
    let set = SetAttribute { recursive: true, mode: Some(0o700), ..no_attributes("/a") };
    let mode = |id| Entry::UpdateInode(UpdateInode { mode: Some(0o700), ..UpdateInode::of(id) });
    assert_eq!(entries_of(&state, Operation::SetAttribute(set)), [mode(f), mode(a)]);
    let owner = SetAttribute { owner: Some("bob".into()), group: Some("g".into()), ..no_attributes("/a") };
    let expected = UpdateInode { owner: Some("bob".into()), group: Some("g".into()), ..UpdateInode::of(a) };
    assert_eq!(entries_of(&state, Operation::SetAttribute(owner)), [Entry::UpdateInode(expected)]);
    assert_eq!(entries_of(&state, Operation::SetAttribute(no_attributes("/a"))), []);
}

#[test]
fn refusals_are_those_of_2_9() {
    use ErrorKind::{AlreadyExists, FailedPrecondition, Internal, InvalidArgument, NotFound, PermissionDenied};
    let state = with(&["/e/", "/e/f", "/e/h", "/e/sub/"]);
    let create = |create: CreateFile| Operation::CreateFile(create);
    let Operation::CreateDirectory(directory) = mkdir("/q/w/r") else { unreachable!() };
    let mkdir_with = |text: &str, recursive, allow_exists| {
        Operation::CreateDirectory(CreateDirectory { path: path(text), recursive, allow_exists, ..directory.clone() })
    };
    let overwrite = |text: &str| create(CreateFile { overwrite: true, ..new_file(text) });
    let attributes = |text: &str| Operation::SetAttribute(SetAttribute { mode: Some(0), ..no_attributes(text) });
    let taken = |text: &str| {
        format!("{text} already exists. If you want to overwrite the file, you need to specify the overwrite option.")
    };
    let (file_taken, directory_taken, root_taken) = (taken("/e/f"), taken("/e"), taken("/"));
    let rows: Vec<(Operation, ErrorKind, &str)> = vec![
        (rm("/nope", false), NotFound, "Path \"/nope\" does not exist."),
        (attributes("/nope"), NotFound, "Path \"/nope\" does not exist."),
        (mv("/nope", "/x"), NotFound, "Path \"/nope\" does not exist."),
        (mv("/e", "/nope/deep/x"), NotFound, "Path \"/nope/deep\" does not exist."),
        (complete("/nope"), NotFound, "Path \"/nope\" does not exist."),
        (
            touch("/e/f/g"),
            InvalidArgument,
            "Traversal failed for path /e/f/g. Component 2(f) is a file, not a directory.",
        ),
        (
            mv("/e/h", "/e/f/g"),
            InvalidArgument,
            "Traversal failed for path /e/f/g. Component 2(f) is a file, not a directory.",
        ),
        (mkdir("/e"), AlreadyExists, "Not allowed to create directory because path already exists: /e"),
        (mkdir("/e/f"), AlreadyExists, "Not allowed to create directory because path already exists: /e/f"),
        (mkdir_with("/", true, true), AlreadyExists, "Not allowed to create existing root path: /"),
        (mkdir_with("/q/w/r", false, false), NotFound, "File /q/w/r creation failed. Component 1(q) does not exist"),
        (touch("/e/new/r"), NotFound, "File /e/new/r creation failed. Component 2(new) does not exist"),
        (mkdir_with("/e/f", true, true), Internal, "Inode f is not a directory"),
        (touch("/e/f"), AlreadyExists, &file_taken),
        (touch("/e"), AlreadyExists, &directory_taken),
        (touch("/"), AlreadyExists, &root_taken),
        (overwrite("/e"), AlreadyExists, "/e already exists. Directories cannot be overwritten with create"),
        (overwrite("/"), AlreadyExists, "/ already exists. Directories cannot be overwritten with create"),
        (create(CreateFile { block_size_bytes: 0, ..new_file("/n") }), InvalidArgument, "Invalid block size 0"),
        (
            create(CreateFile { replication_min: 3, replication_max: 2, ..new_file("/n") }),
            Internal,
            "Cannot set min and max replication to be 3 and 2: min replication must be smaller or equal than max \
             replication",
        ),
        (rm("/e", false), FailedPrecondition, "Cannot delete non-empty directory e because recursive is set to false"),
        (
            rm("/", true),
            PermissionDenied,
            "Cannot delete path / which is or contains a mount point without --deleteMountPoint/-m option specified",
        ),
        (mv("/e/f", "/e/h"), AlreadyExists, "Cannot rename because destination already exists. src: /e/f dst: /e/h"),
        (mv("/", "/x"), InvalidArgument, "The root directory cannot be renamed"),
        (mv("/e", "/"), InvalidArgument, "Cannot rename a path to the root directory"),
        (mv("/e", "/e/sub/x"), InvalidArgument, "Cannot rename because /e is a prefix of /e/sub/x"),
        (complete("/e"), NotFound, "Path \"/e\" must be a file."),
        (
            mv("/e/f/y", "/e/f/x/z"),
            InvalidArgument,
            "Traversal failed for path /e/f/x/z. Component 2(f) is a file, not a directory.",
        ),
        (
            mv("/e/f/y", "/e/f/z"),
            InvalidArgument,
            "Traversal failed for path /e/f/y. Component 2(f) is a file, not a directory.",
        ),
    ];
    for (operation, kind, message) in rows {
        assert_eq!(refusal(&state, operation.clone()), (kind, message.to_owned()), "{operation:?}");
    }
    let root = Delete { recursive: true, delete_mount_points: true, ..Delete::of(path("/")) };
    let cannot = (InvalidArgument, "Cannot delete the root directory".to_owned());
    assert_eq!(refusal(&state, Operation::Delete(root)), cannot);
    assert_eq!(refusal(&started(), rm("/", false)), cannot);
    assert_eq!(refusal(&state, rm("/", false)).0, FailedPrecondition, "emptiness comes before the root");
}

#[test]
fn a_file_is_completed_once() {
    let mut state = with(&["/f"]);
    run(&mut state, complete("/f")).unwrap();
    let expected = (ErrorKind::AlreadyExists, "File f has already been completed.".to_owned());
    assert_eq!(refusal(&state, complete("/f")), expected);
}

#[test]
fn an_existing_directory_may_be_asked_for() {
    let state = with(&["/e/"]);
    let Operation::CreateDirectory(create) = mkdir("/e") else { unreachable!() };
    assert_eq!(entries_of(&state, Operation::CreateDirectory(CreateDirectory { allow_exists: true, ..create })), []);
}

#[test]
fn names_and_depths_beyond_the_limits_are_refused() {
    let state = started();
    let (kind, message) = refusal(&state, mkdir(&format!("/{}", "x".repeat(4_097))));
    assert_eq!(kind, ErrorKind::InvalidArgument);
    assert!(message.starts_with("Path component 1 has 4097 bytes, the limit is 4096: xxx"), "{message}");
    let (kind, message) = refusal(&state, mkdir(&"/d".repeat(1_001)));
    assert_eq!((kind, message.as_str()), (ErrorKind::InvalidArgument, "Path with 1001 components, the limit is 1000"));
    let longest = format!("/{}", "x".repeat(4_096));
    assert_eq!(stat(&with(&[&format!("{longest}/")]), &longest).path.as_str(), longest);
}
