//! The guardian's release of a master that died.

use alluxio::election::{EpochNode, Latch, Released, new_incarnation, release_of_dead};

use crate::Election;
use crate::latch_suite::{World, epoch, joined, leader, leads, nodes, refused};
use crate::nodes::now;

pub async fn all(address: &str) {
    a_dead_leader_is_released_and_its_successor_claims_at_once(address).await;
    a_dead_standby_leaves_the_latch(address).await;
    a_successor_is_not_touched(address).await;
    a_release_without_an_election_does_nothing(address).await;
}

async fn a_dead_leader_is_released_and_its_successor_claims_at_once(address: &str) {
    let election = Election::at(address);
    let incarnation = new_incarnation();
    // The dead master's session lives on, as after kill -9.
    let dead = election.contender_of("a:1", &incarnation);
    let (own, mut leading) = leads(&dead, "a:1").await;
    leading.value.owner = incarnation.clone();
    leading.version = dead.renew(&own, leading.version, &leading.value).await.unwrap();
    let standby = election.contender("b:1").await;
    let own_b = joined(&standby).await;

    let began = now();
    let released = release_of_dead(election.settings.clone(), &incarnation).await.unwrap();
    println!("release at {address} took {:?}", began.elapsed());
    assert_eq!(released, Released { epoch: Some(1), latch_nodes: vec![own.0.clone()] });
    let after = epoch(&standby).await;
    assert_eq!(after.value, EpochNode { released: true, ..leading.value.clone() });
    assert_eq!(nodes(&standby).await, [own_b.0.as_str()]);
    // What the dead master had on the way is refused, whatever version it names.
    refused(dead.renew(&own, after.version, &leading.value).await);
    refused(dead.claim(&own, &[], after.version, &leading.value).await);
    standby.claim(&own_b, &[], after.version, &leader(2, "b:1", &own_b)).await.unwrap();
    assert_eq!(
        release_of_dead(election.settings.clone(), &incarnation).await.unwrap(),
        Released::default(),
        "done is done"
    );
}

async fn a_dead_standby_leaves_the_latch(address: &str) {
    let election = Election::at(address);
    let incarnation = new_incarnation();
    let leading = election.contender("a:1").await;
    let (own, before) = leads(&leading, "a:1").await;
    let dead = election.contender_of("b:1", &incarnation);
    let own_b = joined(&dead).await;
    let released = release_of_dead(election.settings.clone(), &incarnation).await.unwrap();
    assert_eq!(released, Released { epoch: None, latch_nodes: vec![own_b.0] });
    assert_eq!(nodes(&leading).await, [own.0]);
    assert_eq!(epoch(&leading).await, before);
}

async fn a_successor_is_not_touched(address: &str) {
    let election = Election::at(address);
    let incarnation = new_incarnation();
    let dead = election.contender_of("a:1", &incarnation);
    let (own, leading) = leads(&dead, "a:1").await;
    let standby = election.contender("b:1").await;
    let own_b = joined(&standby).await;
    let second = leader(2, "b:1", &own_b);
    let version = standby.claim(&own_b, &[own.0], leading.version, &second).await.unwrap();
    let released = release_of_dead(election.settings.clone(), &incarnation).await.unwrap();
    assert_eq!(released, Released::default());
    let found = epoch(&standby).await;
    assert_eq!((found.version, found.value), (version, second));
    assert_eq!(nodes(&standby).await, [own_b.0]);
}

async fn a_release_without_an_election_does_nothing(address: &str) {
    let election = Election::at(address);
    let released = release_of_dead(election.settings.clone(), &new_incarnation()).await.unwrap();
    assert_eq!(released, Released::default());
    assert!(release_of_dead(election.settings, "bad").await.is_err_and(|error| error.to_string().contains("bad")));
}
