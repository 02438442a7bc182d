//! A master over a UFS whose lease runs down: what could land after its end is not sent.

use std::sync::Arc;
use std::time::Duration;

use alluxio::election::{EpochNode, Latch, LatchError, OwnNode, Participant, SoloLatch, Versioned};
use alluxio::master::server::Namespace;
use alluxio::proto::alluxio::grpc::file::{RenamePRequest, SetAttributePOptions, SetAttributePRequest};
use alluxio::proto::convert;
use alluxio::ufs::{MemoryUfs, Ufs};
use async_trait::async_trait;
use tokio::sync::watch;

use crate::harness::LIMIT;
use crate::ufs::{DEADLINE, ROOT, ownership, start_under};

/// A latch whose renewals can be held up.
struct Slow {
    inner: SoloLatch,
    held: watch::Receiver<bool>,
}

#[async_trait]
impl Latch for Slow {
    async fn renew(&self, own: &OwnNode, version: i32, node: &EpochNode) -> Result<i32, LatchError> {
        self.held.clone().wait_for(|held| !held).await.expect("the test is there");
        self.inner.renew(own, version, node).await
    }

    async fn join(&self) -> Result<OwnNode, LatchError> {
        self.inner.join().await
    }

    async fn participants(&self) -> Result<Vec<Participant>, LatchError> {
        self.inner.participants().await
    }

    async fn read_epoch(&self) -> Result<Option<Versioned<EpochNode>>, LatchError> {
        self.inner.read_epoch().await
    }

    async fn was_interrupted(&self) -> bool {
        false
    }

    async fn create_epoch(&self, node: &EpochNode) -> Result<i32, LatchError> {
        self.inner.create_epoch(node).await
    }

    async fn claim(&self, own: &OwnNode, ahead: &[String], version: i32, node: &EpochNode) -> Result<i32, LatchError> {
        self.inner.claim(own, ahead, version, node).await
    }

    async fn release(&self, version: i32, node: &EpochNode) -> Result<(), LatchError> {
        self.inner.release(version, node).await
    }

    async fn publish(&self, address: &str) -> Result<(), LatchError> {
        self.inner.publish(address).await
    }

    async fn changed(&self) {
        self.inner.changed().await;
    }

    async fn leave(&self) {
        self.inner.leave().await;
    }
}

async fn wait(what: &str, is: impl Fn() -> bool) {
    let waiting = async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}

#[tokio::test]
async fn no_change_is_sent_to_the_ufs_that_could_land_after_the_end_of_the_lease() {
    let folder = tempfile::tempdir().unwrap();
    let memory = MemoryUfs::new();
    memory.mkdir(ROOT, &ownership()).await.unwrap();
    let (hold, held) = watch::channel(false);
    let latch = Slow { inner: SoloLatch::new("master:1"), held };
    let mut master = start_under(folder.path(), ROOT, memory.clone(), Arc::new(latch), None).await;
    master.put("/a", b"a").await;
    master.put("/left", b"left").await;
    master.put("/mine", b"mine").await;
    assert!(master.exists("/a").await && master.exists("/mine").await);
    let mode = async || memory.status(&format!("{ROOT}/mine")).await.unwrap().unwrap().mode;

    hold.send_replace(true);
    let (handle, left) = (master.handle.clone(), master.handle.clone());
    let left = move || left.lease_left().unwrap_or_default();
    wait("the lease is short", || left() < DEADLINE).await;
    let mut client = master.client.clone();
    let rename = tokio::spawn(async move {
        let request = RenamePRequest { path: Some("/a".into()), dst_path: Some("/b".into()), options: None };
        client.rename(request).await
    });
    let mut client = master.client.clone();
    let chmod = tokio::spawn(async move {
        let mode = Some(convert::mode_to_proto(0o700));
        let options = Some(SetAttributePOptions { mode, ..Default::default() });
        client.set_attribute(SetAttributePRequest { path: Some("/mine".into()), options }).await
    });
    let namespace = master.namespace.clone();
    let delete = tokio::spawn(async move { namespace.delete_leftover(&format!("{ROOT}/left")).await });
    wait("the intent is there", || {
        assert_eq!(master.in_ufs(), ["a", "left", "mine"]);
        handle.with_core(|core, _| !core.state.intents().is_empty())
    })
    .await;
    wait("the lease is almost over", || {
        assert_eq!(master.in_ufs(), ["a", "left", "mine"]);
        left() < DEADLINE / 3
    })
    .await;
    assert_eq!(mode().await, ownership().mode);
    hold.send_replace(false);
    rename.await.unwrap().unwrap();
    delete.await.unwrap().unwrap();
    chmod.await.unwrap().unwrap();
    assert_eq!((master.in_ufs(), mode().await), (vec!["b".into(), "mine".into()], 0o700));
}
