//! Replies that are lost, and servers that fall silent.

use std::time::Duration;

use alluxio::election::{Finder, FinderSettings, Latch, LatchError, LookupSettings, Primary};
use tokio::net::TcpListener;
use zookeeper_client as zk;

use crate::Election;
use crate::latch_suite::{World, epoch, joined, leads, nodes};
use crate::nodes::{client, create, now};
use crate::proxy::{CREATE, MULTI, Proxy, SYNC};

pub async fn all(address: &str) {
    a_join_whose_reply_is_lost_makes_one_node(address).await;
    who_joins_at_the_same_time_as_a_foreigner_leaves_again(address).await;
    a_renewal_whose_reply_is_lost_is_seen_by_the_next_reading(address).await;
    a_reading_first_asks_the_leader(address).await;
    a_silent_server_costs_one_limit_and_the_next_server_goes_on(address).await;
    a_lookup_does_not_wait_for_a_silent_server(address).await;
}

async fn a_join_whose_reply_is_lost_makes_one_node(address: &str) {
    let proxy = Proxy::before(address.to_owned()).await;
    let election = Election::at(&proxy.address);
    let other = election.contender("b:1").await;
    let first = joined(&other).await; // makes the folder
    let latch = election.contender("a:1").await;
    epoch(&latch).await; // makes the epoch node
    proxy.lose_reply_to(CREATE);
    let own = joined(&latch).await;
    assert!(proxy.has_lost());
    assert_eq!(nodes(&latch).await, [first.0, own.0.clone()]);
    assert_eq!(joined(&latch).await, own);
}

async fn who_joins_at_the_same_time_as_a_foreigner_leaves_again(address: &str) {
    let proxy = Proxy::before(address.to_owned()).await;
    let election = Election::at(&proxy.address);
    let latch = election.contender("a:1").await;
    epoch(&latch).await; // makes the epoch node
    proxy.hold(CREATE);
    let foreigner = async {
        proxy.until_held().await;
        let path = format!("{}/_c_x-lock-0000000000", election.election_path());
        let client = client(address).await;
        create(&client, &path, b"java:19998", zk::CreateMode::Ephemeral).await;
        proxy.go_on();
        client
    };
    let (answer, client) = tokio::join!(latch.join(), foreigner);
    assert!(matches!(&answer, Err(LatchError::Foreign { .. })), "{answer:?}");
    assert_eq!(client.list_children(election.election_path()).await.unwrap(), ["_c_x-lock-0000000000"]);
}

/// A follower that lags would otherwise show what was long ago.
async fn a_reading_first_asks_the_leader(address: &str) {
    let proxy = Proxy::before(address.to_owned()).await;
    let latch = Election::at(&proxy.address).contender("a:1").await;
    joined(&latch).await;
    proxy.lose_reply_to(SYNC);
    assert!(matches!(latch.read_epoch().await, Err(LatchError::Unknown { .. })));
    assert!(proxy.has_lost());
    proxy.lose_reply_to(SYNC);
    assert!(matches!(latch.participants().await, Err(LatchError::Unknown { .. })));
    assert!(proxy.has_lost());
}

async fn a_renewal_whose_reply_is_lost_is_seen_by_the_next_reading(address: &str) {
    let proxy = Proxy::before(address.to_owned()).await;
    let election = Election::at(&proxy.address);
    let latch = election.contender("a:1").await;
    let (own, mut leading) = leads(&latch, "a:1").await;
    proxy.lose_reply_to(MULTI);
    leading.value.segments += 1;
    let answer = latch.renew(&own, leading.version, &leading.value).await;
    assert!(matches!(answer, Err(LatchError::Unknown { .. })), "{answer:?}");
    assert!(proxy.has_lost());
    let after = epoch(&latch).await;
    assert_eq!((after.version, &after.value), (leading.version + 1, &leading.value));
    latch.renew(&own, after.version, &leading.value).await.expect("the session goes on");
}

async fn a_silent_server_costs_one_limit_and_the_next_server_goes_on(address: &str) {
    let proxies = [Proxy::before(address.to_owned()).await, Proxy::before(address.to_owned()).await];
    let mut election = Election::at(&format!("{},{}", proxies[0].address, proxies[1].address));
    election.settings.session_timeout = Duration::from_secs(10);
    election.settings.call_timeout = Duration::from_secs(1);
    let latch = election.contender("a:1").await;
    let (own, leading) = leads(&latch, "a:1").await;
    let (used, other) = if proxies[0].is_used() { (&proxies[0], &proxies[1]) } else { (&proxies[1], &proxies[0]) };
    assert!(!other.is_used());
    used.go_silent();
    let began = now();
    let answer = latch.renew(&own, leading.version, &leading.value).await;
    assert!(matches!(answer, Err(LatchError::Unknown { .. })), "{answer:?}");
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    let found = loop {
        match latch.read_epoch().await {
            Ok(found) => break found.unwrap(),
            Err(LatchError::Unknown { .. }) => assert!(began.elapsed() < Duration::from_secs(8)),
            Err(error) => panic!("{error}"),
        }
    };
    println!("went on {:?} after the server fell silent", began.elapsed());
    latch.renew(&own, found.version, &leading.value).await.expect("the session went on");
    other.go_silent();
    let began = now();
    latch.leave().await;
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
}

async fn a_lookup_does_not_wait_for_a_silent_server(address: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap(); // never accepts
    let silent = listener.local_addr().unwrap();
    let election = Election::at(address);
    let latch = election.contender("a:1").await;
    joined(&latch).await;
    latch.publish("a:1").await.unwrap();
    let lookup = LookupSettings {
        leader_path: election.settings.leader_path.clone(),
        ..LookupSettings::new(&format!("{silent},{address}"))
    };
    let finder = Finder::new(FinderSettings::Zookeeper(lookup)).unwrap();
    for _ in 0..6 {
        let began = now();
        assert_eq!(finder.primary().await, Ok(Primary::At("a:1".into())));
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}
