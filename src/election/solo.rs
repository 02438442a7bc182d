//! The latch of a single master with a journal in a local folder: nobody else can contend, the lock of the folder
//! (held by the journal store) is what keeps a second master out. The epoch node lives in memory and begins
//! released, so that a claim waits for nothing. What it says of the durable end is kept in a small file beside the
//! journal, as ZooKeeper keeps it for the others: a journal that has lost its end is not taken for a whole one.
//! Conditions are checked as everywhere, so that the master's code has one path.

use async_trait::async_trait;
use parking_lot::Mutex;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::watch;

use super::epoch_codec;
use super::latch::{EpochNode, Latch, LatchError, OwnNode, Participant, Versioned};

/// The latch of one master alone.
pub struct SoloLatch {
    address: String,
    /// The file of the durable end; none in tests of the latch alone.
    kept: Option<Arc<Kept>>,
    state: Mutex<State>,
    /// Counts the changes; `seen` is the receiver that has seen those up to the last return of `changed`.
    changes: watch::Sender<u64>,
    seen: Mutex<watch::Receiver<u64>>,
}

/// The file of the durable end.
struct Kept {
    path: PathBuf,
    /// It was gone or damaged, and is yet.
    is_lost: AtomicBool,
}

impl Kept {
    /// Puts the node into the file, whole or not at all. What was damaged is kept beside it.
    fn write(&self, bytes: &[u8]) -> std::io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = std::fs::File::create(&new)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        if self.is_lost.swap(false, Ordering::Relaxed) && self.path.exists() {
            std::fs::rename(&self.path, self.path.with_extension("damaged"))?;
        }
        std::fs::rename(&new, &self.path)
    }
}

struct State {
    epoch: Versioned<EpochNode>,
    /// Sequence number of our node while we are in the election.
    own: Option<u64>,
    joined: u64,
}

impl SoloLatch {
    /// A new latch, for the master that serves at `address` (`host:port`).
    pub fn new(address: impl Into<String>) -> SoloLatch {
        SoloLatch::from_node(address.into(), None, EpochNode::default())
    }

    /// The same, with the epoch node kept in the file `kept`. One that is gone or damaged tells nothing, and stays so until
    /// somebody writes a node that tells of a history: who formats, or repairs. Masters do not start on it ([`Self::read`]).
    pub fn kept_in(address: impl Into<String>, kept: PathBuf) -> SoloLatch {
        let node = SoloLatch::read(&kept);
        let kept = Kept { path: kept, is_lost: AtomicBool::new(node.is_err()) };
        // Segments of it may have been collected; the folder is listed under its lock, so it is never stale.
        SoloLatch::from_node(address.into(), Some(kept), EpochNode { segments: 0, ..node.unwrap_or_default() })
    }

    /// What is kept in that file.
    ///
    /// # Errors
    /// It is gone or damaged, as the end of a sentence that begins with its name.
    pub fn read(kept: &Path) -> Result<EpochNode, String> {
        match std::fs::read(kept) {
            Ok(bytes) => epoch_codec::decode_file(&bytes).map_err(|reason| format!("is damaged: {reason}")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err("is gone".to_owned()),
            Err(error) => Err(format!("cannot be read: {error}")),
        }
    }

    fn from_node(address: String, kept: Option<Kept>, node: EpochNode) -> SoloLatch {
        let epoch = Versioned { value: EpochNode { released: true, ..node }, version: 0 };
        let changes = watch::Sender::new(0);
        let seen = Mutex::new(changes.subscribe());
        let kept = kept.map(Arc::new);
        SoloLatch { address, kept, state: Mutex::new(State { epoch, own: None, joined: 0 }), changes, seen }
    }

    /// Puts the node into its file. A failure costs the second copy, not the journal.
    async fn keep(&self, node: &EpochNode) {
        let tells = |kept: &Arc<Kept>| node.genesis != 0 || !kept.is_lost.load(Ordering::Relaxed);
        let Some(kept) = self.kept.clone().filter(tells) else { return };
        let Ok(bytes) = epoch_codec::encode_file(node) else { return };
        let written = tokio::task::spawn_blocking(move || kept.write(&bytes));
        if let Ok(Err(error)) = written.await {
            log::warn!("cannot keep the durable end a second time error={error}");
        }
    }

    fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let answer = act(&mut self.state.lock());
        self.changes.send_modify(|count| *count += 1);
        answer
    }

    fn write(
        &self,
        operation: &'static str,
        own: Option<&OwnNode>,
        version: i32,
        node: &EpochNode,
    ) -> Result<i32, LatchError> {
        self.change(|state| {
            if let Some(own) = own
                && state.own_node().as_ref() != Some(own)
            {
                return Err(LatchError::refused(operation, format!("our latch node {} is gone", own.0)));
            }
            let found = state.epoch.version;
            if found != version {
                let reason = format!("the epoch node was expected at version {version}, it has version {found}");
                return Err(LatchError::refused(operation, reason));
            }
            state.epoch = Versioned { value: node.clone(), version: version + 1 };
            if own.is_none() && state.own_node().is_some_and(|own| own.0 == node.latch) {
                state.own = None;
            }
            Ok(version + 1)
        })
    }
}

impl State {
    fn own_node(&self) -> Option<OwnNode> {
        self.own.map(|sequence| OwnNode(format!("solo-{sequence:010}")))
    }
}

#[async_trait]
impl Latch for SoloLatch {
    async fn join(&self) -> Result<OwnNode, LatchError> {
        Ok(self.change(|state| {
            if state.own.is_none() {
                state.joined += 1;
                state.own = Some(state.joined);
            }
            state.own_node().expect("it was just set")
        }))
    }

    async fn participants(&self) -> Result<Vec<Participant>, LatchError> {
        let own = self.state.lock().own_node();
        Ok(own.into_iter().map(|own| Participant { node: own.0, address: self.address.clone() }).collect())
    }

    async fn read_epoch(&self) -> Result<Option<Versioned<EpochNode>>, LatchError> {
        Ok(Some(self.state.lock().epoch.clone()))
    }

    async fn was_interrupted(&self) -> bool {
        false
    }

    async fn create_epoch(&self, _node: &EpochNode) -> Result<i32, LatchError> {
        Err(LatchError::refused("create_epoch", "the epoch node exists"))
    }

    async fn renew(&self, own: &OwnNode, version: i32, node: &EpochNode) -> Result<i32, LatchError> {
        let before = self.state.lock().epoch.value.durable_sequence;
        let renewed = self.write("renew", Some(own), version, node)?;
        if node.durable_sequence != before {
            self.keep(node).await;
        }
        Ok(renewed)
    }

    async fn claim(&self, own: &OwnNode, _ahead: &[String], version: i32, node: &EpochNode) -> Result<i32, LatchError> {
        let claimed = self.write("claim", Some(own), version, node)?;
        self.keep(node).await;
        Ok(claimed)
    }

    async fn release(&self, version: i32, node: &EpochNode) -> Result<(), LatchError> {
        self.write("release", None, version, node)?;
        self.keep(node).await;
        Ok(())
    }

    /// Clients of a single master know its address.
    async fn publish(&self, _address: &str) -> Result<(), LatchError> {
        Ok(())
    }

    async fn changed(&self) {
        let mut seen = self.seen.lock().clone();
        // The sender lives in `self`, so there is no end to wait for.
        let _ = seen.changed().await;
        *self.seen.lock() = seen;
    }

    async fn leave(&self) {
        self.change(|state| state.own = None);
    }
}

#[cfg(test)]
mod tests {
    use super::SoloLatch;
    use crate::election::latch_suite::{self, World};
    use crate::election::{EpochNode, Latch};

    struct Alone;

    impl World for Alone {
        type Contender = SoloLatch;

        async fn contender(&self, address: &str) -> SoloLatch {
            SoloLatch::new(address)
        }
    }

    #[tokio::test]
    async fn the_solo_latch_behaves_as_a_latch() {
        latch_suite::alone(async || Alone).await;
    }

    #[tokio::test]
    async fn a_fresh_solo_latch_can_be_claimed_at_once() {
        let latch = SoloLatch::new("host:19998");
        let epoch = latch.read_epoch().await.expect("in memory").expect("exists from the start");
        assert!(epoch.value.released);
        assert_eq!((epoch.value.epoch, epoch.version), (0, 0));
    }

    #[tokio::test]
    async fn the_durable_end_outlives_the_process() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = folder.path().join("DURABLE");
        assert_eq!(SoloLatch::read(&kept), Err("is gone".to_owned()));
        let latch = SoloLatch::kept_in("a:1", kept.clone());
        let own = latch.join().await.expect("alone");
        let version = latch.claim(&own, &[], 0, &EpochNode::default()).await.expect("alone");
        assert!(SoloLatch::read(&kept).is_err(), "nothing is known of a history yet");
        let node = EpochNode { epoch: 4, genesis: 3, durable_sequence: 17, durable_hash: 9, ..EpochNode::default() };
        latch.renew(&own, version, &node).await.expect("alone");
        let next = SoloLatch::kept_in("a:1", kept.clone());
        let seen = next.read_epoch().await.expect("in memory").expect("always there");
        assert_eq!((seen.value.durable_sequence, seen.value.released), (17, true));
        std::fs::write(&kept, "rubbish").expect("writable");
        assert!(SoloLatch::read(&kept).expect_err("no node").starts_with("is damaged: "));
        let latch = SoloLatch::kept_in("a:1", kept.clone());
        latch.release(0, &node).await.expect("alone");
        assert_eq!(SoloLatch::read(&kept).map(|node| node.durable_sequence), Ok(17));
        assert_eq!(std::fs::read(kept.with_extension("damaged")).expect("kept"), b"rubbish");
    }
}
