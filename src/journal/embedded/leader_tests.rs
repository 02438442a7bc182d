use super::super::types::{Membership, log_id};
use super::*;

fn entry(term: u64, index: u64, payload: Payload) -> LeaderEvent<u64> {
    LeaderEvent::Committed(LogEntry { log_id: log_id(term, index), payload })
}

fn committed(index: u64, record: &Record) -> LeaderEvent<u64> {
    entry(record.term, index, Payload::Normal(record.clone()))
}

fn record(term: u64, before: Position, entries: &'static str) -> Record {
    let entries = Bytes::from(entries);
    Record { term, position: before.after(&entries), entries }
}

/// One that serves in term 2 until 100.
fn serving() -> Leader<u64> {
    let mut leader = Leader::new(Applied::default());
    assert_eq!(leader.step(LeaderEvent::Led(2), 1), []);
    assert_eq!(leader.step(LeaderEvent::Lease(100), 1), []);
    assert!(!leader.may_decide(1), "it may lack what was answered");
    assert_eq!(leader.step(entry(2, 0, Payload::Blank), 1), [LeaderEffect::Serve]);
    assert!(leader.may_decide(1) && leader.may_answer(1));
    leader
}

fn propose(leader: &mut Leader<u64>, entries: &'static str) -> Record {
    let before = leader.position();
    let (position, effects) = leader.propose(Bytes::from(entries));
    let record = record(2, before, entries);
    assert_eq!((position, effects), (record.position, vec![LeaderEffect::Propose(record.clone())]));
    record
}

#[test]
fn it_serves_when_the_first_entry_of_its_term_is_committed() {
    let mut leader = Leader::new(Applied::default());
    let old = record(1, Position::START, "a");
    assert_eq!(leader.step(entry(1, 0, Payload::Blank), 0), []);
    assert_eq!(leader.step(LeaderEvent::Led(2), 0), []);
    assert_eq!(leader.step(committed(1, &old), 0), [LeaderEffect::Apply(old.clone())]);
    assert_eq!(leader.step(entry(2, 2, Payload::Membership(Membership::default())), 0), []);
    assert_eq!(leader.step(entry(2, 3, Payload::Blank), 0), [LeaderEffect::Serve]);
    assert_eq!(leader.position(), old.position);
}

#[test]
fn a_change_is_answered_when_it_is_committed() {
    let mut leader = serving();
    let first = propose(&mut leader, "a");
    let second = propose(&mut leader, "b");
    assert_eq!(leader.position(), second.position);
    assert_eq!(leader.applied().position(), Position::START);
    assert_eq!(leader.step(committed(1, &first), 2), [LeaderEffect::Answer(first.position)]);
    assert_eq!(
        leader.step(committed(2, &second), 200),
        [LeaderEffect::Answer(second.position)],
        "without a lease, too"
    );
}

#[test]
fn without_a_lease_nothing_is_decided_or_read() {
    let mut leader = serving();
    assert!(!leader.may_decide(100) && !leader.may_answer(100));
    leader.step(LeaderEvent::Lease(50), 100);
    assert!(!leader.may_answer(100), "an older one changes nothing");
    leader.step(LeaderEvent::Lease(150), 100);
    assert!(leader.may_decide(100) && leader.may_answer(100));
}

#[test]
fn what_was_refused_is_proposed_again_in_order() {
    let mut leader = serving();
    let first = propose(&mut leader, "a");
    let second = propose(&mut leader, "b");
    assert_eq!(leader.step(LeaderEvent::Refused, 100), []);
    assert!(!leader.may_decide(99), "what is new waits for what is old");
    let again = [first.clone(), second.clone()].map(LeaderEffect::Propose);
    assert_eq!(leader.step(LeaderEvent::Lease(150), 101), again);
    // The second had got into the log alone, and does not count there.
    assert_eq!(leader.step(committed(1, &second), 102), [LeaderEffect::PassOver]);
    assert_eq!(leader.step(committed(2, &first), 102), [LeaderEffect::Answer(first.position)]);
    assert_eq!(leader.step(committed(3, &second), 102), [LeaderEffect::Answer(second.position)]);
    assert_eq!(leader.step(committed(4, &second), 102), [LeaderEffect::PassOver]);
}

#[test]
fn who_has_served_ends_when_another_may_lead() {
    let end = [LeaderEffect::End("another member may lead".into())];
    for event in [LeaderEvent::Deposed, LeaderEvent::Led(3)] {
        let mut leader = serving();
        propose(&mut leader, "a");
        assert_eq!(leader.step(event, 2), end);
        assert!(!leader.may_decide(2) && !leader.may_answer(2));
    }
    let mut leader = serving();
    let other = record(3, Position::START, "b");
    assert!(matches!(&leader.step(committed(1, &other), 2)[..], [LeaderEffect::End(_)]));
    let mut leader = serving();
    assert!(matches!(&leader.step(LeaderEvent::Installed(Applied::default()), 2)[..], [LeaderEffect::End(_)]));
    // One that has not served goes on as a follower.
    let mut leader = Leader::new(Applied::default());
    assert_eq!(leader.step(LeaderEvent::Led(2), 0), []);
    assert_eq!(leader.step(LeaderEvent::Deposed, 0), []);
    assert_eq!(leader.step(entry(2, 0, Payload::Blank), 0), [], "it does not lead any more");
    assert_eq!(leader.step(committed(1, &other), 0), [LeaderEffect::Apply(other)]);
}

#[test]
fn the_role_is_given_away_when_all_is_answered_and_never_taken_back_in_the_term() {
    let mut leader = serving();
    let first = propose(&mut leader, "a");
    assert!(leader.transfer(MemberId(7)) && !leader.transfer(MemberId(8)));
    assert!(!leader.may_decide(2) && leader.may_answer(2));
    let answered = [LeaderEffect::Answer(first.position), LeaderEffect::Transfer(MemberId(7))];
    assert_eq!(leader.step(committed(1, &first), 2), answered);
    assert!(!leader.may_answer(2));
    assert!(matches!(&leader.step(LeaderEvent::Led(2), 3)[..], [LeaderEffect::End(_)]));
}
