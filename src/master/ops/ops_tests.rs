//! Operations decided, applied and asked, by literal entries and texts.

use super::*;
use crate::types::{AlluxioPath, ErrorKind, FileStatus, TtlAction};

pub(super) fn path(text: &str) -> AlluxioPath {
    AlluxioPath::parse(text).unwrap()
}

pub(super) fn settings() -> Settings {
    Settings {
        permission_checking: true,
        super_group: "supergroup".into(),
        umask: 0o022,
        root_ufs: "hdfs://nn:9000/alluxio".into(),
    }
}

pub(super) fn started() -> MasterState {
    let mut state = MasterState::new();
    for entry in bootstrap(&state, "root", "root", Millis(1_000), "cluster".into()) {
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
    })
}

pub(super) fn run(state: &mut MasterState, operation: Operation) -> Result<Answer, FsError> {
    let decision = decide(state, &request(operation), Millis(2_000), &settings())?;
    for entry in &decision.entries {
        state.apply(entry).unwrap();
    }
    Ok(decision.answer)
}

#[test]
fn what_was_made_is_listed() {
    let mut state = started();
    run(&mut state, mkdir("/a/b/c")).unwrap();
    run(&mut state, mkdir("/a/a")).unwrap();
    let list = Query::ListStatus { path: path("/"), recursive: true };
    let answer = query(&state, &request(mkdir("/")).caller, &list, &settings(), &mut Footprint::off()).unwrap();
    let Answer::List(list) = answer else { panic!("{answer:?}") };
    let paths: Vec<&str> = list.iter().map(|s: &FileStatus| s.path.as_str()).collect();
    assert_eq!(paths, ["/a", "/a/a", "/a/b", "/a/b/c"]);
    assert_eq!(list[0].length, 2);
    let again = run(&mut state, mkdir("/a/b")).unwrap_err();
    assert_eq!(again.kind, ErrorKind::AlreadyExists);
    assert_eq!(again.message, "Not allowed to create directory because path already exists: /a/b");
}
