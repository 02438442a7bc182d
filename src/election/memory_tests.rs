use super::{MemoryElection, STATES_MAX, SessionId, StateNumber};
use crate::election::{Contender, EpochNode, LatchError, OwnNode};

fn contender(number: u64) -> Contender {
    Contender::new("cluster", &format!("{number:012x}")).expect("12 digits")
}

fn join(election: &mut MemoryElection, number: u64) -> (SessionId, OwnNode) {
    let session = election.open_session();
    let own = election.join(session, &contender(number), &format!("host-{number}:1")).expect("join");
    (session, own)
}

fn node(epoch: u64) -> EpochNode {
    EpochNode { epoch, ..EpochNode::default() }
}

#[test]
fn an_ended_session_takes_its_node_and_its_address_along() {
    let mut election = MemoryElection::default();
    let (a, own_a) = join(&mut election, 1);
    let (b, own_b) = join(&mut election, 2);
    election.publish(a, "a:1").expect("publish");
    election.end_session(a);
    assert!(!election.is_live(a));
    assert_eq!(election.primary(), None);
    let left = election.participants(b, StateNumber::NEWEST).expect("b lives");
    assert_eq!(left.iter().map(|who| &who.node).collect::<Vec<_>>(), [&own_b.0]);
    for answer in [election.renew(a, &own_a, 0, &node(1)), election.create_epoch(a, &node(1))] {
        assert!(matches!(answer, Err(LatchError::SessionExpired)));
    }
    assert!(matches!(election.join(a, &contender(1), "a:1"), Err(LatchError::SessionExpired)));
}

#[test]
fn a_follower_may_lag_but_a_session_never_goes_back() {
    let mut election = MemoryElection::default();
    let (a, own) = join(&mut election, 1);
    let reader = election.open_session();
    election.create_epoch(a, &node(0)).expect("create");
    let mut version = 0;
    let mut numbers = vec![election.newest()];
    for epoch in 1..=3 {
        version = election.renew(a, &own, version, &node(epoch)).expect("renew");
        numbers.push(election.newest());
    }
    let mut read = |session, at| election.read_epoch(session, at).expect("live").map(|found| found.value.epoch);
    assert_eq!(read(reader, StateNumber(0)), None);
    assert_eq!(read(reader, numbers[1]), Some(1));
    assert_eq!(read(reader, numbers[0]), Some(1), "it has seen epoch 1");
    assert_eq!(read(a, numbers[0]), Some(3), "it has seen its own write");
    election.sync(reader).expect("live");
    assert_eq!(election.read_epoch(reader, numbers[1]).expect("live").map(|found| found.version), Some(version));
}

#[test]
fn states_are_kept_up_to_the_limit() {
    let mut election = MemoryElection::default();
    let (a, own) = join(&mut election, 1);
    election.create_epoch(a, &node(0)).expect("create");
    for version in 0..STATES_MAX as i32 + 10 {
        election.renew(a, &own, version, &node(version as u64 + 1)).expect("renew");
    }
    let reader = election.open_session();
    let oldest = election.read_epoch(reader, StateNumber(0)).expect("live").expect("created long before");
    assert_eq!(oldest.value.epoch, 11);
}

#[test]
fn a_node_deleted_by_hand_leaves_the_session_alive_but_refuses_its_renewals() {
    let mut election = MemoryElection::default();
    let (a, own) = join(&mut election, 1);
    election.create_epoch(a, &node(0)).expect("create");
    assert!(election.delete_node(&own.0));
    assert!(!election.delete_node(&own.0));
    assert!(election.is_live(a));
    let answer = election.renew(a, &own, 0, &node(1));
    assert!(matches!(&answer, Err(LatchError::Refused { reason, .. }) if reason.contains(&own.0)), "{answer:?}");
}

#[test]
fn nobody_joins_a_foreign_cluster() {
    let mut election = MemoryElection::default();
    let foreign = election.add_foreign("java:19998");
    let session = election.open_session();
    let answer = election.join(session, &contender(1), "a:1");
    let text = answer.expect_err("a foreign participant is there").to_string();
    assert!(text.contains("java:19998") && text.contains(&foreign), "{text}");
    assert!(election.delete_node(&foreign));
    election.join(session, &contender(1), "a:1").expect("it is gone");
}

#[test]
fn a_new_session_of_the_same_incarnation_replaces_its_old_node() {
    let mut election = MemoryElection::default();
    let (_, old) = join(&mut election, 1);
    let (b, new) = join(&mut election, 1);
    assert_ne!(old, new);
    let nodes = election.participants(b, StateNumber::NEWEST).expect("live");
    assert_eq!(nodes.iter().map(|who| &who.node).collect::<Vec<_>>(), [&new.0]);
}

#[test]
fn a_restored_copy_has_the_old_epoch_and_no_sessions() {
    let mut election = MemoryElection::default();
    let (a, own) = join(&mut election, 1);
    election.create_epoch(a, &node(0)).expect("create");
    let then = election.newest();
    election.renew(a, &own, 0, &node(1)).expect("renew");
    election.restore(then);
    assert!(!election.is_live(a));
    let b = election.open_session();
    let found = election.read_epoch(b, StateNumber::NEWEST).expect("live").expect("restored");
    assert_eq!((found.value.epoch, found.version), (0, 0));
    assert!(election.participants(b, StateNumber::NEWEST).expect("live").is_empty());
    election.delete_epoch();
    assert_eq!(election.read_epoch(b, StateNumber::NEWEST).expect("live"), None);
}

#[test]
fn clients_take_the_address_published_last() {
    let mut election = MemoryElection::default();
    let (a, b) = (election.open_session(), election.open_session());
    for (session, address) in [(a, "a:1"), (b, "b:1")] {
        election.publish(session, address).expect("live");
        assert_eq!(election.primary(), Some(address));
    }
    election.publish(a, "a:1").expect("live");
    assert_eq!(election.primary(), Some("b:1"), "what stands stays as old as it is");
    let later = election.open_session();
    election.publish(later, "a:1").expect("live");
    assert_eq!(election.primary(), Some("a:1"));
    election.end_session(a);
    assert_eq!(election.primary(), Some("a:1"), "it is that of the later session");
    election.end_session(later);
    assert_eq!(election.primary(), Some("b:1"));
}
