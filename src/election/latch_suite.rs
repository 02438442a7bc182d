//! What every latch does. `tests/zookeeper_latch.rs` joins this file too, to run it against real servers: it names
//! nothing but `super`.

use std::time::Duration;

use super::{EpochNode, Latch, LatchError, OwnNode, Versioned};

/// An election of its own for one case.
pub trait World {
    /// The latch that is tried.
    type Contender: Latch;

    /// A new contender of a new process incarnation, not yet in the election.
    async fn contender(&self, address: &str) -> Self::Contender;
}

/// What a latch does for one contender.
pub async fn alone<W: World>(fresh: impl AsyncFn() -> W) {
    a_released_node_is_claimed_and_then_renewed(&fresh().await).await;
    a_write_of_an_old_version_is_refused_and_changes_nothing(&fresh().await).await;
    the_epoch_node_is_made_once(&fresh().await).await;
    every_field_of_the_epoch_node_comes_back(&fresh().await).await;
    joining_again_keeps_the_node(&fresh().await).await;
    a_release_takes_the_node_out_of_the_latch(&fresh().await).await;
    a_release_needs_no_node(&fresh().await).await;
    who_left_may_come_back(&fresh().await).await;
    a_change_wakes_who_waits_even_if_it_came_before(&fresh().await).await;
    an_address_is_published_again(&fresh().await).await;
}

/// What a latch does for several contenders.
pub async fn together<W: World>(fresh: impl AsyncFn() -> W) {
    contenders_stand_in_the_order_of_joining(&fresh().await).await;
    of_two_claims_of_one_version_one_wins(&fresh().await).await;
    a_claim_removes_those_ahead_in_the_same_step(&fresh().await).await;
    a_refused_claim_removes_nobody(&fresh().await).await;
    a_claim_does_not_mind_who_is_gone_already(&fresh().await).await;
    who_waits_sees_the_leader_release_and_leave(&fresh().await).await;
    a_successor_can_be_released_only_by_its_version(&fresh().await).await;
}

async fn a_released_node_is_claimed_and_then_renewed(world: &impl World) {
    let latch = world.contender("a:1").await;
    let own = joined(&latch).await;
    let found = epoch(&latch).await;
    assert!(found.value.released);
    let first = leader(1, "a:1", &own);
    let claimed = latch.claim(&own, &[], found.version, &first).await.expect("nobody else claims");
    assert!(claimed > found.version);
    assert_eq!(epoch(&latch).await, Versioned { value: first.clone(), version: claimed });
    let renewed = latch.renew(&own, claimed, &first).await.expect("the version is ours");
    assert!(renewed > claimed);
    assert_eq!(epoch(&latch).await, Versioned { value: first, version: renewed });
}

async fn a_write_of_an_old_version_is_refused_and_changes_nothing(world: &impl World) {
    let latch = world.contender("a:1").await;
    let (own, leading) = leads(&latch, "a:1").await;
    let other = EpochNode { epoch: 77, ..leading.value.clone() };
    let old = leading.version - 1;
    refused(latch.renew(&own, old, &other).await);
    refused(latch.claim(&own, &[], old, &other).await);
    refused(latch.release(old, &EpochNode { released: true, ..other }).await);
    assert_eq!(epoch(&latch).await, leading);
    assert_eq!(nodes(&latch).await, [own.0]);
}

async fn the_epoch_node_is_made_once(world: &impl World) {
    let latch = world.contender("a:1").await;
    let found = epoch(&latch).await;
    refused(latch.create_epoch(&EpochNode { epoch: 77, ..EpochNode::default() }).await);
    assert_eq!(epoch(&latch).await, found);
}

async fn every_field_of_the_epoch_node_comes_back(world: &impl World) {
    let latch = world.contender("a:1").await;
    let (own, leading) = leads(&latch, "a:1").await;
    let node = EpochNode {
        epoch: u64::MAX,
        owner: "an owner".into(),
        released: false,
        address: "höst:1".into(),
        latch: own.0.clone(),
        lease_ms: 2_000,
        segments: u32::MAX,
        segments_epoch: 8,
        genesis: 0xfeed,
        durable_sequence: u64::MAX - 1,
        durable_hash: u64::MAX,
    };
    latch.renew(&own, leading.version, &node).await.expect("the version is ours");
    assert_eq!(epoch(&latch).await.value, node);
}

async fn joining_again_keeps_the_node(world: &impl World) {
    let latch = world.contender("a:1").await;
    let own = joined(&latch).await;
    assert_eq!(joined(&latch).await, own);
    assert_eq!(nodes(&latch).await, [own.0]);
}

async fn a_release_takes_the_node_out_of_the_latch(world: &impl World) {
    let latch = world.contender("a:1").await;
    let (own, leading) = leads(&latch, "a:1").await;
    let released = EpochNode { released: true, ..leading.value };
    latch.release(leading.version, &released).await.expect("the version is ours");
    let after = epoch(&latch).await;
    assert_eq!(after.value, released);
    assert_eq!(nodes(&latch).await, [""; 0]);
    refused(latch.renew(&own, after.version, &released).await);
    let again = joined(&latch).await;
    assert_ne!(again, own);
    let second = leader(2, "a:1", &again);
    latch.claim(&again, &[], after.version, &second).await.expect("released and the version is seen");
}

async fn a_release_needs_no_node(world: &impl World) {
    let latch = world.contender("a:1").await;
    let (_, leading) = leads(&latch, "a:1").await;
    let gone = EpochNode { released: true, latch: "_c_gone-lock-0000000009".into(), ..leading.value };
    latch.release(leading.version, &gone).await.expect("a node that is gone does not hinder");
    let after = epoch(&latch).await;
    assert!(after.value.released);
    let unnamed = EpochNode { latch: String::new(), ..gone };
    latch.release(after.version, &unnamed).await.expect("no node is named");
}

async fn who_left_may_come_back(world: &impl World) {
    let latch = world.contender("a:1").await;
    let (own, leading) = leads(&latch, "a:1").await;
    latch.leave().await;
    let again = joined(&latch).await;
    assert_eq!(nodes(&latch).await, [again.0.as_str()]);
    assert_ne!(again, own);
    refused(latch.renew(&own, leading.version, &leading.value).await);
    latch.renew(&again, leading.version, &leading.value).await.expect("its node and version are right");
}

async fn a_change_wakes_who_waits_even_if_it_came_before(world: &impl World) {
    let latch = world.contender("a:1").await;
    let (own, mut leading) = leads(&latch, "a:1").await;
    for _ in 0..3 {
        // Whoever has read the new version after a return need not be woken for it once more; one who has not is.
        leading.version = latch.renew(&own, leading.version, &leading.value).await.expect("the version is ours");
        until_changed(&latch).await;
    }
}

async fn an_address_is_published_again(world: &impl World) {
    let latch = world.contender("a:1").await;
    joined(&latch).await;
    for _ in 0..2 {
        latch.publish("a:1").await.expect("publish");
    }
}

async fn contenders_stand_in_the_order_of_joining(world: &impl World) {
    let latches = [world.contender("a:1").await, world.contender("b:1").await, world.contender("c:1").await];
    for latch in &latches {
        joined(latch).await;
    }
    for latch in &latches {
        let participants = latch.participants().await.expect("participants");
        let addresses: Vec<&str> = participants.iter().map(|who| who.address.as_str()).collect();
        assert_eq!(addresses, ["a:1", "b:1", "c:1"]);
    }
    latches[0].leave().await;
    let again = joined(&latches[0]).await;
    assert_eq!(nodes(&latches[1]).await.last(), Some(&again.0), "who comes back stands behind");
}

async fn of_two_claims_of_one_version_one_wins(world: &impl World) {
    let (a, b) = (world.contender("a:1").await, world.contender("b:1").await);
    let (own_a, own_b) = (joined(&a).await, joined(&b).await);
    let seen = epoch(&b).await.version;
    let node = leader(1, "a:1", &own_a);
    let version = a.claim(&own_a, &[], seen, &node).await.expect("the first");
    refused(b.claim(&own_b, &[], seen, &leader(1, "b:1", &own_b)).await);
    assert_eq!(epoch(&b).await, Versioned { value: node, version });
}

async fn a_claim_removes_those_ahead_in_the_same_step(world: &impl World) {
    let (a, b) = (world.contender("a:1").await, world.contender("b:1").await);
    let (own_a, leading) = leads(&a, "a:1").await;
    let own_b = joined(&b).await;
    let ahead = [own_a.0.clone()];
    let second = leader(2, "b:1", &own_b);
    b.claim(&own_b, &ahead, leading.version, &second).await.expect("nobody renewed meanwhile");
    assert_eq!(nodes(&a).await, [own_b.0.as_str()]);
    let now = epoch(&a).await;
    assert_eq!(now.value, second);
    // Even with the right version: the node that gave the right to write is gone.
    refused(a.renew(&own_a, now.version, &leading.value).await);
    assert_eq!(epoch(&a).await, now);
}

async fn a_refused_claim_removes_nobody(world: &impl World) {
    let (a, b) = (world.contender("a:1").await, world.contender("b:1").await);
    let (own_a, leading) = leads(&a, "a:1").await;
    let own_b = joined(&b).await;
    let renewed = a.renew(&own_a, leading.version, &leading.value).await.expect("the version is ours");
    let ahead = [own_a.0.clone()];
    refused(b.claim(&own_b, &ahead, leading.version, &leader(2, "b:1", &own_b)).await);
    assert_eq!(nodes(&b).await, [own_a.0.as_str(), own_b.0.as_str()]);
    assert_eq!(epoch(&b).await, Versioned { value: leading.value, version: renewed });
}

async fn a_claim_does_not_mind_who_is_gone_already(world: &impl World) {
    let (a, b, c) = (world.contender("a:1").await, world.contender("b:1").await, world.contender("c:1").await);
    let (own_a, leading) = leads(&a, "a:1").await;
    let (own_b, own_c) = (joined(&b).await, joined(&c).await);
    a.leave().await;
    let ahead = [own_a.0, own_b.0];
    c.claim(&own_c, &ahead, leading.version, &leader(2, "c:1", &own_c)).await.expect("one ahead is gone already");
    assert_eq!(nodes(&c).await, [own_c.0.as_str()]);
}

async fn who_waits_sees_the_leader_release_and_leave(world: &impl World) {
    let (a, b) = (world.contender("a:1").await, world.contender("b:1").await);
    let (_, leading) = leads(&a, "a:1").await;
    let own_b = joined(&b).await;
    let release = async {
        a.release(leading.version, &EpochNode { released: true, ..leading.value.clone() }).await.expect("release");
        a.leave().await;
    };
    let wait = async {
        while !epoch(&b).await.value.released || nodes(&b).await != [own_b.0.as_str()] {
            until_changed(&b).await;
        }
    };
    tokio::join!(wait, release);
}

async fn a_successor_can_be_released_only_by_its_version(world: &impl World) {
    let (a, b) = (world.contender("a:1").await, world.contender("b:1").await);
    let (own_a, leading) = leads(&a, "a:1").await;
    let own_b = joined(&b).await;
    let second = leader(2, "b:1", &own_b);
    let version = b.claim(&own_b, &[own_a.0], leading.version, &second).await.expect("claim");
    refused(a.release(leading.version, &EpochNode { released: true, ..leading.value }).await);
    assert_eq!(epoch(&a).await, Versioned { value: second, version });
}

/// Joins.
pub async fn joined(latch: &impl Latch) -> OwnNode {
    latch.join().await.expect("join")
}

/// Joins and claims the next epoch.
pub async fn leads(latch: &impl Latch, address: &str) -> (OwnNode, Versioned<EpochNode>) {
    let own = joined(latch).await;
    let found = epoch(latch).await;
    let value = leader(found.value.epoch + 1, address, &own);
    let version = latch.claim(&own, &[], found.version, &value).await.expect("claim");
    (own, Versioned { value, version })
}

/// The epoch node; made as one that nobody owns when there is none.
pub async fn epoch(latch: &impl Latch) -> Versioned<EpochNode> {
    if let Some(found) = latch.read_epoch().await.expect("read the epoch node") {
        return found;
    }
    let free = EpochNode { released: true, ..EpochNode::default() };
    latch.create_epoch(&free).await.expect("create the epoch node");
    latch.read_epoch().await.expect("read the epoch node").expect("it was just made")
}

/// The node of a leader.
pub fn leader(epoch: u64, address: &str, own: &OwnNode) -> EpochNode {
    let owner = format!("incarnation at {address}");
    EpochNode { epoch, owner, address: address.into(), latch: own.0.clone(), segments: 1, ..EpochNode::default() }
}

/// The names of the latch nodes in their order.
pub async fn nodes(latch: &impl Latch) -> Vec<String> {
    latch.participants().await.expect("participants").into_iter().map(|who| who.node).collect()
}

/// Fails unless the answer is a refusal.
#[track_caller]
pub fn refused<T: std::fmt::Debug>(answer: Result<T, LatchError>) {
    assert!(matches!(answer, Err(LatchError::Refused { .. })), "expected a refusal, got {answer:?}");
}

/// Waits for `changed`, not for ever.
pub async fn until_changed(latch: &impl Latch) {
    let waited = tokio::time::timeout(Duration::from_secs(5), latch.changed()).await;
    waited.expect("a change within 5 s");
}
