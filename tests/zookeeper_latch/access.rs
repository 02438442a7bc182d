//! Nodes that are closed to who has not the credentials of the masters.

use std::time::Duration;

use alluxio::conf::{Credentials, ParseValue};
use alluxio::election::{EpochNode, Latch, LatchError, Primary, ZookeeperSettings, new_incarnation, release_of_dead};
use zookeeper_client as zk;

use crate::Election;
use crate::latch_suite::{self, World, epoch, joined, leader, leads, nodes, refused, until_changed};
use crate::nodes::{client, create, finder};
use crate::proxy::{Proxy, SYNC};

const OURS: &str = "masters:s3cret";
/// What ZooKeeper keeps of that: the user, and SHA-1 of the whole in base64.
const OURS_KEPT: &str = "masters:gBKvLor+F7fzFN44I/92NS7DW6o=";
const OTHERS: &str = "masters:guessed";

pub async fn all(address: &str) {
    let folder = Folder::new(address).await;
    latch_suite::alone(async || folder.closed()).await;
    latch_suite::together(async || folder.closed()).await;
    all_nodes_are_ours_and_readable_for_all(address).await;
    who_has_other_credentials_reads_and_changes_nothing(address).await;
    a_contender_with_other_credentials_is_refused_and_stands_in_nobodys_way(address).await;
    nodes_that_were_open_are_closed_and_the_open_leader_ends(address).await;
    a_folder_that_somebody_else_closed_is_named(address).await;
    a_guardian_needs_the_credentials(address).await;
    who_reconnects_is_known_again(address).await;
    a_session_after_a_lost_one_is_known_again(address).await;
}

/// A folder of ZooKeeper for one case: closed folders would be in the way of other cases.
struct Folder {
    address: String,
    path: String,
}

impl Folder {
    async fn new(address: &str) -> Folder {
        let path = format!("/closed-{}", new_incarnation());
        create(&client(address).await, &path, b"", zk::CreateMode::Persistent).await;
        Folder { address: address.to_owned(), path }
    }

    fn open(&self) -> Election {
        Election::at(&format!("{}{}", self.address, self.path))
    }

    fn closed(&self) -> Election {
        with(&self.open(), Some(OURS))
    }

    /// A session in this folder that has these credentials.
    async fn client(&self, credentials: &str) -> zk::Client {
        let connector =
            zk::Client::connector().with_server_version(3, 4, 0).with_auth("digest", credentials.as_bytes());
        connector.connect(&format!("{}{}", self.address, self.path)).await.unwrap()
    }
}

/// The same election for who has these credentials.
fn with(election: &Election, credentials: Option<&str>) -> Election {
    let credentials = credentials.map(|text| Credentials::parse(text).unwrap());
    Election { settings: ZookeeperSettings { credentials, ..election.settings.clone() } }
}

/// Every node below the folder of the client, but ZooKeeper's own.
async fn tree(client: &zk::Client) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut seen = 0;
    while let Some(path) = found.get(seen).cloned() {
        let folder = if path.is_empty() { "/" } else { &path };
        found.extend(client.list_children(folder).await.unwrap().iter().map(|name| format!("{path}/{name}")));
        seen += 1;
    }
    found.split_off(1)
}

async fn assert_closed(client: &zk::Client, path: &str) {
    let (list, _) = client.get_acl(path).await.unwrap();
    let ours = zk::Acl::new(zk::Permission::ALL, zk::AuthId::new("digest", OURS_KEPT));
    let all = zk::Acl::new(zk::Permission::READ, zk::AuthId::anyone());
    assert!(list.len() == 2 && list.contains(&ours) && list.contains(&all), "{path}: {list:?}");
}

/// The error names the node, why, and the property.
fn denied<T: std::fmt::Debug>(answer: Result<T, LatchError>, node: &str, advice: &str) {
    let error = answer.expect_err("the nodes are closed");
    let text = error.to_string();
    assert!(matches!(error, LatchError::Denied { .. }), "{text}");
    for part in [node, "not authorized", "alluxio.zookeeper.acl.credentials", advice] {
        assert!(text.contains(part), "no {part} in: {text}");
    }
    assert!(!text.contains("s3cret") && !text.contains("guessed"), "{text}");
}

async fn all_nodes_are_ours_and_readable_for_all(address: &str) {
    let folder = Folder::new(address).await;
    let election = folder.closed();
    let latch = election.contender("a:1").await;
    let (own, _) = leads(&latch, "a:1").await;
    latch.publish("a:1").await.unwrap();
    let client = folder.client(OURS).await;
    let found = tree(&client).await;
    // alluxio-rs, the cluster, epoch; case, election, own node, leader, address
    assert_eq!(found.len(), 8, "{found:?}");
    assert!(found.contains(&format!("{}/{}", election.election_path(), own.0)), "{found:?}");
    for path in found {
        assert_closed(&client, &path).await;
    }
}

async fn who_has_other_credentials_reads_and_changes_nothing(address: &str) {
    let folder = Folder::new(address).await;
    let election = folder.closed();
    let latch = election.contender("a:1").await;
    let (own, leading) = leads(&latch, "a:1").await;
    latch.publish("a:1").await.unwrap();
    let nobody = client(&format!("{}{}", folder.address, folder.path)).await;
    for stranger in [nobody, folder.client(OTHERS).await] {
        let found = tree(&stranger).await;
        assert_eq!(found.len(), 8, "{found:?}");
        for path in &found {
            let open = zk::CreateMode::Persistent.with_acls(zk::Acls::anyone_all());
            assert_eq!(stranger.set_data(path, b"x", None).await, Err(zk::Error::NoAuth), "{path}");
            assert_eq!(stranger.set_acl(path, &zk::Acls::anyone_all(), None).await, Err(zk::Error::NoAuth), "{path}");
            let below = stranger.create(&format!("{path}/x"), b"", &open).await.map(|_| ());
            assert_eq!(below, Err(zk::Error::NoAuth), "{path}");
            // The one node above which others may write: it holds nodes that are ours.
            let is_top = path.rfind('/') == Some(0);
            let expected = if is_top { zk::Error::NotEmpty } else { zk::Error::NoAuth };
            assert_eq!(stranger.delete(path, None).await, Err(expected), "{path}");
        }
    }
    assert_eq!(finder(&election.settings).primary().await, Ok(Primary::At("a:1".into())));
    assert_eq!(finder(&election.settings).masters().await, Ok(vec!["a:1".into()]));
    assert_eq!(epoch(&latch).await, leading);
    assert_eq!(nodes(&latch).await, [own.0.as_str()]);
    latch.renew(&own, leading.version, &leading.value).await.unwrap();
}

async fn a_contender_with_other_credentials_is_refused_and_stands_in_nobodys_way(address: &str) {
    let folder = Folder::new(address).await;
    let election = folder.closed();
    let latch = election.contender("a:1").await;
    let (own, leading) = leads(&latch, "a:1").await;
    let epoch_path = format!("/alluxio-rs/{}/epoch", election.settings.cluster_id);
    for (credentials, advice) in
        [(None, "as it is on the other masters"), (Some(OTHERS), "made with other credentials")]
    {
        let other = with(&election, credentials).contender("b:1").await;
        denied(other.join().await, election.election_path(), advice);
        denied(other.publish("b:1").await, "b:1", advice);
        denied(other.renew(&own, leading.version, &leading.value).await, &epoch_path, advice);
        denied(other.claim(&own, &[], leading.version, &leading.value).await, &epoch_path, advice);
        denied(other.release(leading.version, &leading.value).await, &epoch_path, advice);
        assert_eq!(epoch(&other).await, leading, "it may read");
    }
    assert_eq!(nodes(&latch).await, [own.0.as_str()]);
    assert_eq!(epoch(&latch).await, leading);
    latch.renew(&own, leading.version, &leading.value).await.unwrap();
    let second = election.contender("b:1").await;
    let own_b = joined(&second).await;
    assert_eq!(nodes(&latch).await, [own.0, own_b.0]);
    // The election folder is new, and the epoch node is not.
    let mut aside = with(&election, Some(OTHERS));
    aside.settings.election_path = Some("/aside".into());
    let other = aside.contender("c:1").await;
    denied(other.join().await, &format!("/alluxio-rs/{}", election.settings.cluster_id), "made with other credentials");
    assert!(nodes(&other).await.is_empty(), "it left no node behind");
}

async fn nodes_that_were_open_are_closed_and_the_open_leader_ends(address: &str) {
    let folder = Folder::new(address).await;
    let open = folder.open();
    let before = open.contender("a:1").await;
    let (own, leading) = leads(&before, "a:1").await;
    before.publish("a:1").await.unwrap();
    let standby = open.contender("b:1").await;
    let own_standby = joined(&standby).await;

    let latch = with(&open, Some(OURS)).contender("c:1").await;
    let own_c = joined(&latch).await;
    let client = folder.client(OURS).await;
    let epoch_path = format!("/alluxio-rs/{}/epoch", open.settings.cluster_id);
    let leader_path = open.settings.leader_path.as_deref().unwrap();
    let cluster = epoch_path.strip_suffix("/epoch").unwrap();
    for path in [open.election_path(), leader_path, cluster, epoch_path.as_str()] {
        assert_closed(&client, path).await;
    }
    let advice = "as it is on the other masters";
    denied(before.renew(&own, leading.version, &leading.value).await, &epoch_path, advice);
    denied(
        standby.claim(&own_standby, std::slice::from_ref(&own.0), leading.version, &leading.value).await,
        &epoch_path,
        advice,
    );
    assert_eq!(epoch(&latch).await, leading, "nothing was changed");
    let ahead = [own.0.clone(), own_standby.0];
    let next = leader(leading.value.epoch + 1, "c:1", &own_c);
    latch.claim(&own_c, &ahead, leading.version, &next).await.unwrap();
    latch.publish("c:1").await.unwrap();
    assert_eq!(finder(&open.settings).primary().await, Ok(Primary::At("c:1".into())));
    assert_eq!(nodes(&latch).await, [own_c.0]);
    denied(before.join().await, open.election_path(), advice);
}

async fn a_folder_that_somebody_else_closed_is_named(address: &str) {
    let folder = Folder::new(address).await;
    let stranger = folder.client(OTHERS).await;
    let theirs = zk::Acl::new(zk::Permission::ALL, zk::AuthId::authed());
    let all_but_admin = zk::Acl::new(zk::Permission::READ | zk::Permission::CREATE, zk::AuthId::anyone());
    let list = [theirs, all_but_admin];
    stranger.create("/leader", b"", &zk::CreateMode::Persistent.with_acls(zk::Acls::new(&list))).await.unwrap();
    let mut election = folder.closed();
    election.settings.leader_path = Some("/leader".into());
    let latch = election.contender("a:1").await;
    denied(latch.join().await, "/leader", "made with other credentials");
    denied(latch.publish("a:1").await, "/leader", "made with other credentials");
}

async fn a_guardian_needs_the_credentials(address: &str) {
    let folder = Folder::new(address).await;
    let election = folder.closed();
    let incarnation = new_incarnation();
    let dead = election.contender_of("a:1", &incarnation);
    let (own, mut leading) = leads(&dead, "a:1").await;
    leading.value.owner = incarnation.clone();
    leading.version = dead.renew(&own, leading.version, &leading.value).await.unwrap();
    for (credentials, advice) in
        [(None, "as it is on the other masters"), (Some(OTHERS), "made with other credentials")]
    {
        denied(release_of_dead(with(&election, credentials).settings, &incarnation).await, "/epoch", advice);
    }
    let released = release_of_dead(election.settings.clone(), &incarnation).await.unwrap();
    assert_eq!((released.epoch, released.latch_nodes), (Some(1), vec![own.0.clone()]));
    assert_eq!(epoch(&dead).await.value, EpochNode { released: true, ..leading.value.clone() });
    refused(dead.renew(&own, leading.version, &leading.value).await);
}

async fn who_reconnects_is_known_again(address: &str) {
    let folder = Folder::new(address).await;
    let proxy = Proxy::before(address.to_owned()).await;
    let mut election = folder.closed();
    election.settings.address = format!("{}{}", proxy.address, folder.path);
    let latch = election.contender("a:1").await;
    let (own, leading) = leads(&latch, "a:1").await;
    assert!(latch.was_interrupted().await, "nobody had looked yet");
    assert!(!latch.was_interrupted().await, "one connection all the time");
    proxy.lose_reply_to(SYNC);
    let lost = latch.read_epoch().await;
    assert!(proxy.has_lost() && matches!(&lost, Err(LatchError::Unknown { .. })), "{lost:?}");
    latch.publish("a:1").await.expect("the session may make nodes");
    assert!(latch.was_interrupted().await, "it has another connection");
    assert!(!latch.was_interrupted().await, "and kept it");
    latch.renew(&own, leading.version, &leading.value).await.expect("and change them");
    assert_eq!(joined(&latch).await, own, "the session went on");
    let client = folder.client(OURS).await;
    for path in tree(&client).await {
        assert_closed(&client, &path).await;
    }
}

async fn a_session_after_a_lost_one_is_known_again(address: &str) {
    let folder = Folder::new(address).await;
    let proxy = Proxy::before(address.to_owned()).await;
    let mut election = folder.closed();
    election.settings.session_timeout = Duration::from_secs(1);
    let watching = election.contender("b:1").await;
    election.settings.address = format!("{}{}", proxy.address, folder.path);
    let latch = election.contender("a:1").await;
    let (own, leading) = leads(&latch, "a:1").await;
    proxy.go_silent();
    while nodes(&watching).await.contains(&own.0) {
        until_changed(&watching).await;
    }
    proxy.go_on();
    while !matches!(latch.read_epoch().await, Err(LatchError::SessionExpired)) {
        until_changed(&latch).await;
    }
    let again = joined(&latch).await;
    assert_ne!(again, own);
    latch.publish("a:1").await.unwrap();
    latch.renew(&again, leading.version, &leading.value).await.unwrap();
    let client = folder.client(OURS).await;
    for path in tree(&client).await {
        assert_closed(&client, &path).await;
    }
}
