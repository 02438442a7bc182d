//! Sessions that end, nodes deleted by hand, servers that die.

use std::sync::mpsc;
use std::time::Duration;

use alluxio::election::{Latch, LatchError, ZookeeperSettings};

use crate::Election;
use crate::bed::Bed;
use crate::latch_suite::{World, epoch, joined, leads, nodes, refused, until_changed};
use crate::nodes::{client, now};

pub async fn all(address: &str) {
    a_node_deleted_by_hand_ends_the_right_to_renew(address).await;
    a_deleted_epoch_node_refuses_and_wakes(address).await;
    an_epoch_node_that_is_none_of_ours_is_named_until_it_is_deleted(address).await;
    a_session_that_expired_drops_the_node_and_a_join_makes_a_new_one(address).await;
}

async fn a_node_deleted_by_hand_ends_the_right_to_renew(address: &str) {
    let election = Election::at(address);
    let latch = election.contender("a:1").await;
    let (own, leading) = leads(&latch, "a:1").await;
    client(address).await.delete(&format!("{}/{}", election.election_path(), own.0), None).await.unwrap();
    until_nodes(&latch, &[]).await;
    refused(latch.renew(&own, leading.version, &leading.value).await);
    assert_eq!(epoch(&latch).await, leading);
    let again = joined(&latch).await;
    assert_ne!(again, own);
    assert_eq!(nodes(&latch).await, [again.0]);
}

async fn a_deleted_epoch_node_refuses_and_wakes(address: &str) {
    let election = Election::at(address);
    let latch = election.contender("a:1").await;
    let (own, leading) = leads(&latch, "a:1").await;
    let path = format!("/alluxio-rs/{}/epoch", election.settings.cluster_id);
    client(address).await.delete(&path, None).await.unwrap();
    while latch.read_epoch().await.unwrap().is_some() {
        until_changed(&latch).await;
    }
    refused(latch.renew(&own, leading.version, &leading.value).await);
    refused(latch.release(leading.version, &leading.value).await);
    assert_eq!(latch.create_epoch(&leading.value).await.unwrap(), 0);
    while latch.read_epoch().await.unwrap().is_none() {
        until_changed(&latch).await;
    }
}

async fn an_epoch_node_that_is_none_of_ours_is_named_until_it_is_deleted(address: &str) {
    let election = Election::at(address);
    let latch = election.contender("a:1").await;
    let (own, leading) = leads(&latch, "a:1").await;
    let path = format!("/alluxio-rs/{}/epoch", election.settings.cluster_id);
    let zookeeper = client(address).await;
    for garbage in [&b""[..], b"garbage", &[0xff; 300]] {
        zookeeper.set_data(&path, garbage, None).await.unwrap();
        // Others see it, say what to do, and wait for it; the leader may not write over it.
        let told = election.contender("b:1").await.read_epoch().await.unwrap_err();
        let text = told.to_string();
        assert!(text.contains(&path) && text.contains("delete that node of ZooKeeper"), "{text}");
        assert!(told.may_pass(), "{text}");
        refused(latch.renew(&own, leading.version, &leading.value).await);
    }
    zookeeper.delete(&path, None).await.unwrap();
    assert_eq!(latch.create_epoch(&leading.value).await.unwrap(), 0);
    assert_eq!(epoch(&election.contender("b:1").await).await.value, leading.value);
}

/// The thread with the first contender stands still, as after SIGSTOP, until its session is over.
async fn a_session_that_expired_drops_the_node_and_a_join_makes_a_new_one(address: &str) {
    let mut election = Election::at(address);
    election.settings.session_timeout = Duration::from_secs(1);
    let settings = election.settings.clone();
    let (stopped, has_stopped) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let election = Election { settings };
            let latch = election.contender("a:1").await;
            let (own, leading) = leads(&latch, "a:1").await;
            latch.publish("a:1").await.unwrap();
            stopped.send(own.clone()).unwrap();
            may_go_on.recv().unwrap();
            // It still believes that it leads; ZooKeeper knows better.
            let answer = latch.renew(&own, leading.version, &leading.value).await;
            assert!(answer.is_err(), "{answer:?}");
            while !matches!(latch.read_epoch().await, Err(LatchError::SessionExpired)) {
                until_changed(&latch).await;
            }
            let answer = latch.renew(&own, leading.version, &leading.value).await;
            assert!(matches!(answer, Err(LatchError::SessionExpired)), "{answer:?}");
            let again = joined(&latch).await;
            assert_eq!(nodes(&latch).await.last(), Some(&again.0));
            assert_eq!(epoch(&latch).await, leading);
            latch.leave().await;
        });
    });
    let own = has_stopped.recv_timeout(Duration::from_secs(20)).unwrap();
    let standby = election.contender("b:1").await;
    let own_b = joined(&standby).await;
    assert_eq!(nodes(&standby).await, [own.0.as_str(), own_b.0.as_str()]);
    until_nodes(&standby, &[&own_b.0]).await;
    go_on.send(()).unwrap();
    tokio::task::spawn_blocking(move || thread.join()).await.unwrap().expect("the stopped contender saw its end");
}

pub async fn a_server_that_is_killed_makes_outcomes_unknown_until_it_is_back(bed: &Bed) {
    let mut election = Election::at(&bed.address());
    election.settings.session_timeout = Duration::from_secs(20);
    let latch = election.contender("a:1").await;
    let (own, mut leading) = leads(&latch, "a:1").await;
    let killed = async { tokio::task::block_in_place(|| bed.kill(1)) };
    killed.await;
    let began = now();
    let answer = latch.renew(&own, leading.version, &leading.value).await;
    assert!(matches!(answer, Err(LatchError::Unknown { .. })), "{answer:?}");
    let limit = election.settings.call_timeout;
    assert!(began.elapsed() < limit + Duration::from_secs(1), "{:?}", began.elapsed());
    let text = answer.unwrap_err().to_string();
    assert!(text.contains("renew") && text.contains(&bed.address()), "{text}");
    tokio::task::block_in_place(|| bed.start(1));
    // As F1 says: read, and go on from there if it is still ours.
    let limit = Duration::from_secs(15);
    let recovered = tokio::time::timeout(limit, async {
        loop {
            match latch.read_epoch().await {
                Ok(found) => leading.version = found.unwrap().version,
                Err(LatchError::Unknown { .. }) => continue,
                Err(error) => panic!("{error}"),
            }
            match latch.renew(&own, leading.version, &leading.value).await {
                Ok(version) => return version,
                Err(LatchError::Unknown { .. } | LatchError::Refused { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    });
    leading.version = recovered.await.expect("the session goes on with the server");
    assert_eq!(epoch(&latch).await, leading);
    assert_eq!(joined(&latch).await, own, "the session went on");
    // The watches were set again on the new connection.
    until_changed(&latch).await;
    latch.renew(&own, leading.version, &leading.value).await.unwrap();
    until_changed(&latch).await;
    latch.leave().await;
}

/// Every contender, whichever server it uses, goes on when one server is killed, each of them in turn.
pub async fn an_ensemble_that_loses_one_server_goes_on(bed: &Bed) {
    let election = Election { settings: ZookeeperSettings::new(&bed.address(), "ensemble", "unset:1") };
    let latches = [election.contender("a:1").await, election.contender("b:1").await, election.contender("c:1").await];
    let (own, mut leading) = leads(&latches[0], "a:1").await;
    joined(&latches[1]).await;
    joined(&latches[2]).await;
    for server in 1..=3 {
        tokio::task::block_in_place(|| bed.kill(server));
        let began = now();
        let limit = Duration::from_secs(20);
        let renewed = tokio::time::timeout(limit, async {
            loop {
                if let Ok(Some(found)) = latches[0].read_epoch().await {
                    leading.version = found.version;
                }
                match latches[0].renew(&own, leading.version, &leading.value).await {
                    Ok(version) => return version,
                    Err(LatchError::Unknown { .. } | LatchError::Refused { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        });
        leading.version = renewed.await.expect("two servers are a quorum");
        println!("renewed {:?} after server {server} was killed", began.elapsed());
        for latch in &latches {
            let seen = tokio::time::timeout(limit, async {
                loop {
                    match latch.read_epoch().await {
                        Ok(found) => return found.unwrap(),
                        Err(LatchError::Unknown { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
            assert_eq!(seen.await.expect("two servers are a quorum"), leading);
        }
        tokio::task::block_in_place(|| bed.start(server));
    }
    assert_eq!(nodes(&latches[2]).await.len(), 3, "no session was lost");
}

async fn until_nodes(latch: &impl Latch, expected: &[&str]) {
    while nodes(latch).await != expected {
        until_changed(latch).await;
    }
}
