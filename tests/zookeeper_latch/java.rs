//! One election with Java contenders, which use Curator as the Java masters do.

use alluxio::election::{Latch, LatchError, ZookeeperLatch};

use crate::Election;
use crate::bed::Curator;
use crate::latch_suite::{World, joined, nodes, until_changed};

/// Java waits for us and we see Java before us, in the order of joining, whoever came first.
pub async fn contenders_take_turns(version: &str, address: &str) {
    let election = Election::at(address);
    let ours = election.contender("ours:19998").await;
    joined(&ours).await;
    let mut java = tokio::task::block_in_place(|| start(version, address, &election, "java:19998"));
    until_count(&ours, 2).await;
    let standing = ours.participants().await.unwrap();
    let addresses: Vec<&str> = standing.iter().map(|who| who.address.as_str()).collect();
    assert_eq!(addresses, ["ours:19998", "java:19998"]);
    // Curator counts our node, reads its address, and sees that it leads.
    java.say("who");
    let mut seen: Vec<String> = tokio::task::block_in_place(|| (0..2).map(|_| java.until("PARTICIPANT")).collect());
    seen.sort();
    assert_eq!(seen, ["java:19998 false", "ours:19998 true"]);
    assert!(!java.has_said("LEADER"), "two leaders");
    ours.leave().await;
    tokio::task::block_in_place(|| java.until("LEADER"));
    java.say("quit");
}

/// Where Java masters stand, we do not enter; when they are gone, we do.
pub async fn java_masters_are_foreign(version: &str, address: &str) {
    let election = Election::at(address);
    let java = tokio::task::block_in_place(|| {
        let java = start(version, address, &election, "java:19998");
        java.until("LEADER");
        java
    });
    let ours = election.contender("ours:19998").await;
    let refused = ours.join().await.expect_err("a Java cluster is there");
    let text = refused.to_string();
    assert!(matches!(refused, LatchError::Foreign { .. }), "{text}");
    assert!(text.contains("java:19998") && text.contains(election.election_path()), "{text}");
    assert_eq!(nodes(&ours).await.len(), 1, "we left no node there");
    drop(java); // kill -9: its node stays until its session ends
    while let Err(error) = ours.join().await {
        assert!(matches!(error, LatchError::Foreign { .. }), "{error}");
        until_changed(&ours).await;
    }
    assert_eq!(nodes(&ours).await.len(), 1);
}

fn start(version: &str, address: &str, election: &Election, id: &str) -> Curator {
    Curator::start(version, address, election.election_path(), id)
}

async fn until_count(latch: &ZookeeperLatch, count: usize) {
    while nodes(latch).await.len() != count {
        until_changed(latch).await;
    }
}
