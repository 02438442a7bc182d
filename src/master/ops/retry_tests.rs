//! Operations that are asked again.

use super::tests::{mkdir, mv, new_file, no_attributes, refusal, request, rm, settings, started, user};
use super::*;
use crate::journal::chain::Position;
use crate::journal::entry::{Answered, AnsweredOperation, Entry};
use crate::master::state::{ANSWERS_FOR_MS, ANSWERS_MAX, ANSWERS_MIN, CheckpointOrigin};
use crate::types::{ErrorKind, InodeId, OperationId, SequenceNumber};

const ID: OperationId = OperationId { high: 7, low: 9 };

fn with_id(operation: Operation) -> Request {
    Request { operation_id: Some(ID), ..request(operation) }
}

fn run(state: &mut MasterState, request: &Request) -> Result<Decision, FsError> {
    let decision = decide(state, &Workers::default(), request, Millis(2_000), &settings())?;
    for entry in &decision.entries {
        state.apply(entry).unwrap();
    }
    Ok(decision)
}

#[test]
fn a_repetition_gets_the_first_answer_and_changes_nothing() {
    let mut state = started();
    let create = with_id(Operation::CreateFile(new_file("/f")));
    let first = run(&mut state, &create).unwrap();
    let Some(Entry::Answered(kept)) = first.entries.last() else { panic!("{first:?}") };
    assert_eq!((kept.operation, kept.inode), (AnsweredOperation::CreateFile, InodeId::of_file(1)));
    let again = run(&mut state, &create).unwrap();
    assert_eq!(again, Decision { entries: Vec::new(), answer: first.answer });
    assert_eq!(refusal(&state, Operation::CreateFile(new_file("/f"))).0, ErrorKind::AlreadyExists, "without the id");

    for operation in [mkdir("/d"), mv("/f", "/g"), rm("/g", false)] {
        let request =
            Request { operation_id: Some(OperationId { high: 1, low: state.digest() }), ..request(operation) };
        assert!(!run(&mut state, &request).unwrap().entries.is_empty());
        let again = run(&mut state, &request).unwrap();
        assert_eq!(again, Decision { entries: Vec::new(), answer: Answer::Done }, "{request:?}");
    }
    // The file of the first answer is gone by now; that it was made is true all the same.
    assert_eq!(run(&mut state, &create).unwrap(), again);
}

#[test]
fn an_id_is_bound_to_operation_arguments_and_user() {
    let mut state = started();
    run(&mut state, &with_id(mkdir("/d"))).unwrap();
    let Operation::CreateDirectory(create) = mkdir("/d") else { unreachable!() };
    let other_user = Request { caller: user("bob", &["root"]), ..with_id(mkdir("/d")) };
    for request in [
        with_id(mkdir("/e")),
        with_id(Operation::CreateDirectory(CreateDirectory { mode: 0o700, ..create.clone() })),
        with_id(Operation::CreateDirectory(CreateDirectory { allow_exists: true, ..create })),
        with_id(rm("/d", false)),
        other_user,
    ] {
        let refused = run(&mut state, &request).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::InvalidArgument, "{request:?}");
        let message = "Operation id 00000000000000070000000000000009 was used before with other arguments";
        assert_eq!(refused.message, message);
    }
}

#[test]
fn refusals_and_what_changes_nothing_are_not_kept() {
    let mut state = started();
    run(&mut state, &with_id(rm("/nope", false))).unwrap_err();
    run(&mut state, &with_id(mv("/", "/"))).unwrap();
    let set = Operation::SetAttribute(SetAttribute { mode: Some(0o711), ..no_attributes("/") });
    assert_eq!(run(&mut state, &with_id(set)).unwrap().entries.len(), 1);
    assert_eq!(state.answered(ID), None);
}

#[test]
fn the_hash_of_arguments_stays() {
    // Journaled: another value would refuse the repetitions that cross an upgrade.
    let mut state = started();
    run(&mut state, &with_id(mkdir("/d"))).unwrap();
    assert_eq!(state.answered(ID).map(|kept| format!("{:016x}", kept.arguments)), Some("ab5e84df779a4daa".into()));
}

fn answer(number: u64, op_time_ms: i64) -> Entry {
    Entry::Answered(Answered {
        operation_id: OperationId { high: number.wrapping_mul(0x9e37_79b9_7f4a_7c15), low: number },
        operation: AnsweredOperation::Delete,
        arguments: number,
        inode: InodeId::ROOT,
        op_time_ms,
    })
}

fn is_kept(state: &MasterState, number: u64) -> bool {
    let Entry::Answered(answered) = answer(number, 0) else { unreachable!() };
    state.answered(answered.operation_id).is_some()
}

#[test]
fn answers_make_room_when_they_are_many_and_old() {
    let mut state = MasterState::new();
    for number in 0..ANSWERS_MIN + 2 {
        state.apply(&answer(number, 1_000)).unwrap();
    }
    assert!(is_kept(&state, 0), "clients may still ask again");
    assert!(state.apply(&answer(1, 1_000)).is_err(), "an id has one answer");
    state.apply(&answer(80_000, 1_000 + ANSWERS_FOR_MS)).unwrap();
    assert!(is_kept(&state, 0));
    // A wall clock that steps by an hour makes nobody forget the newest.
    state.apply(&answer(80_001, 3_601_000)).unwrap();
    assert!(!is_kept(&state, 3) && is_kept(&state, 4) && is_kept(&state, 80_000) && is_kept(&state, 80_001));
    state.verify().unwrap();
    let position = Position { sequence: SequenceNumber(7), hash: 7 };
    let origin = CheckpointOrigin { position, genesis: 7, cluster_id: "c".into() };
    let checkpoint = state.to_checkpoint(&origin).concat();
    for mut other in [state.clone(), MasterState::from_checkpoint(&checkpoint.into()).unwrap().0] {
        assert!(!is_kept(&other, 3) && is_kept(&other, 4) && is_kept(&other, 80_001));
        other.apply(&answer(80_002, 3_601_000)).unwrap();
        assert!(!is_kept(&other, 4) && is_kept(&other, 80_002) && is_kept(&state, 4));
        assert!(other.apply(&answer(80_002, 3_601_000)).is_err(), "an id has one answer");
    }
}

#[test]
fn there_are_never_more_answers_than_have_room() {
    let mut state = MasterState::new();
    for number in 0..ANSWERS_MAX {
        state.apply(&answer(number, 1_000)).unwrap();
    }
    assert!(is_kept(&state, 0));
    state.apply(&answer(ANSWERS_MAX, 1_000)).unwrap();
    assert!(!is_kept(&state, 0) && is_kept(&state, 1) && is_kept(&state, ANSWERS_MAX));
}
