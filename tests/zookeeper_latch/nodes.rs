//! What stands in ZooKeeper, as operators, clients and other clusters see it.

use std::time::{Duration, Instant};

use alluxio::election::{FindError, Finder, FinderSettings, Latch, LatchError, LookupSettings, Primary};
use alluxio::election::{ZookeeperLatch, ZookeeperSettings, new_incarnation};
use zookeeper_client as zk;

use crate::Election;
use crate::latch_suite::{World, epoch, joined, leads};

pub async fn all(address: &str) {
    names_and_data_are_as_clients_and_curator_expect(address).await;
    unset_paths_serve_both_generations_of_clients(address).await;
    an_address_left_by_a_dead_master_is_replaced_and_others_stay(address).await;
    another_cluster_of_ours_is_foreign(address).await;
    a_folder_of_the_address_holds_everything(address).await;
    settings_that_cannot_work_are_named(address).await;
    a_damaged_epoch_node_is_named(address).await;
    a_lookup_is_quick(address).await;
}

pub async fn client(address: &str) -> zk::Client {
    zk::Client::connector().with_server_version(3, 4, 0).connect(address).await.unwrap()
}

pub async fn create(client: &zk::Client, path: &str, data: &[u8], mode: zk::CreateMode) {
    let options = mode.with_acls(zk::Acls::anyone_all());
    let persistent = zk::CreateMode::Persistent.with_acls(zk::Acls::anyone_all());
    let folder = path.rsplit_once('/').unwrap().0;
    if !folder.is_empty() {
        client.mkdir(folder, &persistent).await.unwrap();
    }
    client.create(path, data, &options).await.unwrap();
}

pub fn finder(settings: &ZookeeperSettings) -> Finder {
    let lookup = LookupSettings {
        leader_path: settings.leader_path.clone(),
        election_path: settings.election_path.clone(),
        ..LookupSettings::new(&settings.address)
    };
    Finder::new(FinderSettings::Zookeeper(lookup)).unwrap()
}

async fn names_and_data_are_as_clients_and_curator_expect(address: &str) {
    let election = Election::at(address);
    let latch = election.contender("host-a:19998").await;
    let (own, _) = leads(&latch, "host-a:19998").await;
    latch.publish("host-a:19998").await.unwrap();
    let client = client(address).await;
    let (data, stat) = client.get_data(&format!("{}/{}", election.election_path(), own.0)).await.unwrap();
    assert_eq!(data, b"host-a:19998");
    assert_ne!(stat.ephemeral_owner, 0);
    let leader = format!("{}/host-a:19998", election.settings.leader_path.as_deref().unwrap());
    assert_ne!(client.get_data(&leader).await.unwrap().1.ephemeral_owner, 0);
    let epoch_path = format!("/alluxio-rs/{}/epoch", election.settings.cluster_id);
    let (text, stat) = client.get_data(&epoch_path).await.unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("\nepoch=1\n") && text.contains("\naddress=host-a:19998\n"), "{text}");
    for persistent in [&epoch_path, election.election_path(), &format!("/alluxio-rs/{}", election.settings.cluster_id)]
    {
        assert_eq!(client.check_stat(persistent).await.unwrap().unwrap().ephemeral_owner, 0, "{persistent}");
    }
    assert_eq!(stat.ephemeral_owner, 0);
    latch.leave().await;
    assert_eq!(client.check_stat(&leader).await.unwrap(), None, "it went with the session");
}

async fn unset_paths_serve_both_generations_of_clients(address: &str) {
    let settings = ZookeeperSettings::new(address, "both-generations", "host-a:19998");
    let latch = ZookeeperLatch::new(settings.clone(), &new_incarnation()).unwrap();
    let found = finder(&settings).primary().await;
    assert!(matches!(&found, Err(FindError::NoLeader { paths, .. }) if paths == "/leader and /alluxio/leader"));
    assert_eq!(finder(&settings).masters().await, Ok(Vec::new()));
    let own = joined(&latch).await;
    latch.publish("host-a:19998").await.unwrap();
    let client = client(address).await;
    assert_eq!(client.list_children("/election").await.unwrap(), [own.0]);
    for path in ["/leader", "/alluxio/leader"] {
        assert_eq!(client.list_children(path).await.unwrap(), ["host-a:19998"]);
        let one = ZookeeperSettings { leader_path: Some(path.into()), ..settings.clone() };
        assert_eq!(finder(&one).primary().await, Ok(Primary::At("host-a:19998".into())));
    }
    assert_eq!(finder(&settings).primary().await, Ok(Primary::At("host-a:19998".into())));
    assert_eq!(finder(&settings).masters().await, Ok(vec!["host-a:19998".into()]));
    // A Java master of 2.x, where the defaults of 2.x put it.
    latch.leave().await;
    create(&client, "/alluxio/election/_c_x-lock-0000000000", b"java:19998", zk::CreateMode::Ephemeral).await;
    let refused = latch.join().await.expect_err("a foreign cluster is there");
    let text = refused.to_string();
    assert!(matches!(refused, LatchError::Foreign { .. }), "{text}");
    assert!(text.contains("/alluxio/election") && text.contains("java:19998"), "{text}");
    client.delete("/alluxio/election/_c_x-lock-0000000000", None).await.unwrap();
    joined(&latch).await;
    latch.leave().await;
}

async fn an_address_left_by_a_dead_master_is_replaced_and_others_stay(address: &str) {
    let election = Election::at(address);
    let client = client(address).await;
    let folder = election.settings.leader_path.clone().unwrap();
    create(&client, &format!("{folder}/a:1"), b"", zk::CreateMode::Persistent).await;
    create(&client, &format!("{folder}/b:1"), b"", zk::CreateMode::Persistent).await;
    let finder = finder(&election.settings);
    assert_eq!(finder.primary().await, Ok(Primary::At("b:1".into())), "the newest");
    let latch = election.contender("a:1").await;
    joined(&latch).await;
    latch.publish("a:1").await.unwrap();
    assert_eq!(finder.primary().await, Ok(Primary::At("a:1".into())));
    let mut children = client.list_children(&folder).await.unwrap();
    children.sort();
    assert_eq!(children, ["a:1", "b:1"]);
    // Published again by a new process: it does not go with the session of the old one.
    let later = election.contender("a:1").await;
    joined(&later).await;
    later.publish("a:1").await.unwrap();
    latch.leave().await;
    assert_eq!(finder.primary().await, Ok(Primary::At("a:1".into())));
    later.leave().await;
    assert_eq!(finder.primary().await, Ok(Primary::At("b:1".into())));
    create(&client, &format!("{folder}/nonsense"), b"", zk::CreateMode::Persistent).await;
    assert_eq!(finder.primary().await, Ok(Primary::At("b:1".into())), "what is no address is passed over");
    client.delete(&format!("{folder}/b:1"), None).await.unwrap();
    let error = finder.primary().await.expect_err("not an address").to_string();
    assert!(error.contains("nonsense") && error.contains(&folder), "{error}");
}

async fn another_cluster_of_ours_is_foreign(address: &str) {
    let election = Election::at(address);
    let first = election.contender("a:1").await;
    joined(&first).await;
    let settings = ZookeeperSettings { cluster_id: "another".into(), ..election.settings.clone() };
    let other = ZookeeperLatch::new(settings, &new_incarnation()).unwrap();
    let refused = other.join().await.expect_err("another cluster is there");
    assert!(matches!(&refused, LatchError::Foreign { participants, .. } if participants.contains("a:1")), "{refused}");
    assert_eq!(other.participants().await.unwrap().len(), 1, "it left no node behind");
    first.leave().await;
    joined(&other).await;
}

async fn a_folder_of_the_address_holds_everything(address: &str) {
    let election = Election::at(&format!("{address}/tenant"));
    let latch = election.contender("a:1").await;
    let missing = latch.join().await.expect_err("the folder is not there");
    assert!(matches!(&missing, LatchError::Denied { reason, .. } if reason.contains("/tenant")), "{missing}");
    let client = client(address).await;
    create(&client, "/tenant", b"", zk::CreateMode::Persistent).await;
    let (own, leading) = leads(&latch, "a:1").await;
    latch.publish("a:1").await.unwrap();
    assert_eq!(epoch(&latch).await, leading);
    let path = format!("/tenant{}/{}", election.election_path(), own.0);
    assert!(client.check_stat(&path).await.unwrap().is_some());
    assert_eq!(finder(&election.settings).primary().await, Ok(Primary::At("a:1".into())));
}

async fn settings_that_cannot_work_are_named(address: &str) {
    let bad_address = ZookeeperSettings::new("host:port", "c", "a:1");
    let latch = ZookeeperLatch::new(bad_address, &new_incarnation()).unwrap();
    let error = latch.join().await.expect_err("no port");
    assert!(matches!(&error, LatchError::Denied { reason, .. } if reason.contains("host:port")), "{error}");

    let mut nobody = ZookeeperSettings::new("127.0.0.1:1", "c", "a:1");
    nobody.connection_timeout = Duration::from_millis(500);
    let latch = ZookeeperLatch::new(nobody, &new_incarnation()).unwrap();
    let error = latch.join().await.expect_err("nobody listens");
    let says = |part: &str| error.to_string().contains(part);
    assert!(matches!(error, LatchError::Unknown { .. }), "{error}");
    assert!(says("127.0.0.1:1 refuses") && says("alluxio.zookeeper.address"), "{error}");
    assert!(ZookeeperLatch::new(ZookeeperSettings::new(address, "a/b", "a:1"), &new_incarnation()).is_err());
    assert!(ZookeeperLatch::new(ZookeeperSettings::new(address, "c", "a:1"), "not an incarnation").is_err());
}

async fn a_damaged_epoch_node_is_named(address: &str) {
    let election = Election::at(address);
    let latch = election.contender("a:1").await;
    joined(&latch).await;
    let path = format!("/alluxio-rs/{}/epoch", election.settings.cluster_id);
    create(&client(address).await, &path, b"epoch=1", zk::CreateMode::Persistent).await;
    let error = latch.read_epoch().await.expect_err("not of ours");
    assert!(matches!(&error, LatchError::NotOurs { path: named, .. } if *named == path), "{error}");
}

async fn a_lookup_is_quick(address: &str) {
    let election = Election::at(&format!("127.0.0.1:1,{address}"));
    let latch = election.contender("a:1").await;
    joined(&latch).await;
    latch.publish("a:1").await.unwrap();
    let finder = finder(&election.settings);
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..21 {
        let began = now();
        assert_eq!(finder.primary().await, Ok(Primary::At("a:1".into())));
        times.push(began.elapsed());
    }
    times.sort();
    println!("lookup through {address} beside a dead server: median {:?}, longest {:?}", times[10], times[20]);
    assert!(times[10] < Duration::from_millis(50), "{times:?}");
}

#[expect(clippy::disallowed_methods, reason = "a test measures")]
pub fn now() -> Instant {
    Instant::now()
}
