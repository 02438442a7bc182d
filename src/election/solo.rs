//! The latch of a single master with a journal in a local folder: nobody else can contend, the lock of the folder
//! (held by the journal store) is what keeps a second master out. The epoch node lives in memory and begins
//! released, so that a claim waits for nothing; its epoch begins at 0, the journal knows the one to go on from.
//! Conditions are checked as everywhere, so that the master's code has one path.

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::latch::{EpochNode, Latch, LatchError, OwnNode, Participant, Versioned};

/// The latch of one master alone.
pub struct SoloLatch {
    address: String,
    state: Mutex<State>,
    /// Counts the changes; `seen` is the receiver that has seen those up to the last return of `changed`.
    changes: watch::Sender<u64>,
    seen: Mutex<watch::Receiver<u64>>,
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
        let epoch = Versioned { value: EpochNode { released: true, ..EpochNode::default() }, version: 0 };
        let changes = watch::Sender::new(0);
        let seen = Mutex::new(changes.subscribe());
        SoloLatch { address: address.into(), state: Mutex::new(State { epoch, own: None, joined: 0 }), changes, seen }
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

    async fn create_epoch(&self, _node: &EpochNode) -> Result<i32, LatchError> {
        Err(LatchError::refused("create_epoch", "the epoch node exists"))
    }

    async fn renew(&self, own: &OwnNode, version: i32, node: &EpochNode) -> Result<i32, LatchError> {
        self.write("renew", Some(own), version, node)
    }

    async fn claim(&self, own: &OwnNode, _ahead: &[String], version: i32, node: &EpochNode) -> Result<i32, LatchError> {
        self.write("claim", Some(own), version, node)
    }

    async fn release(&self, version: i32, node: &EpochNode) -> Result<(), LatchError> {
        self.write("release", None, version, node).map(|_| ())
    }

    /// Clients of a single master know its address.
    async fn publish(&self, _address: &str) -> Result<(), LatchError> {
        Ok(())
    }

    async fn retract(&self, _address: &str) -> Result<(), LatchError> {
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
    use crate::election::Latch;
    use crate::election::latch_suite::{self, World};

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
}
