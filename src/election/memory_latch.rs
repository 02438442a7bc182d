//! The election in memory behind `trait Latch`: for the suite, and for tests that run several masters in one process.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::latch::{EpochNode, Latch, LatchError, OwnNode, Participant, Versioned};
use super::latch_node::Contender;
use super::memory::{MemoryElection, SessionId, StateNumber};

/// One service for several contenders in a process.
#[derive(Clone)]
pub struct SharedElection {
    election: Arc<Mutex<MemoryElection>>,
    /// Carries the number of the newest state to those who wait in `changed`.
    newest: watch::Sender<StateNumber>,
}

/// One contender.
pub struct MemoryLatch {
    shared: SharedElection,
    contender: Contender,
    address: String,
    session: Mutex<Option<SessionId>>,
    /// Has seen the state at which `changed` returned last.
    changes: Mutex<watch::Receiver<StateNumber>>,
}

impl Default for SharedElection {
    fn default() -> SharedElection {
        SharedElection { election: Arc::default(), newest: watch::Sender::new(StateNumber(0)) }
    }
}

impl SharedElection {
    /// A contender of this election.
    pub fn contender(&self, contender: Contender, address: &str) -> MemoryLatch {
        let changes = Mutex::new(self.newest.subscribe());
        MemoryLatch { shared: self.clone(), contender, address: address.into(), session: Mutex::new(None), changes }
    }

    /// Does something to the service, and wakes those who wait for a change.
    pub fn with<T>(&self, act: impl FnOnce(&mut MemoryElection) -> T) -> T {
        let mut election = self.election.lock();
        let answer = act(&mut election);
        let newest = election.newest();
        self.newest.send_if_modified(|known| std::mem::replace(known, newest) != newest);
        answer
    }
}

impl MemoryLatch {
    /// The session of now, if one was opened.
    pub fn session(&self) -> Option<SessionId> {
        *self.session.lock()
    }

    fn call<T>(
        &self,
        act: impl FnOnce(&mut MemoryElection, SessionId) -> Result<T, LatchError>,
    ) -> Result<T, LatchError> {
        self.shared.with(|election| {
            let session = *self.session.lock().get_or_insert_with(|| election.open_session());
            act(election, session)
        })
    }
}

#[async_trait]
impl Latch for MemoryLatch {
    async fn join(&self) -> Result<OwnNode, LatchError> {
        self.shared.with(|election| {
            let mut session = self.session.lock();
            let live = session.filter(|session| election.is_live(*session));
            let session = *session.insert(live.unwrap_or_else(|| election.open_session()));
            election.join(session, &self.contender, &self.address)
        })
    }

    async fn participants(&self) -> Result<Vec<Participant>, LatchError> {
        self.call(|election, session| election.participants(session, StateNumber::NEWEST))
    }

    async fn read_epoch(&self) -> Result<Option<Versioned<EpochNode>>, LatchError> {
        self.call(|election, session| election.read_epoch(session, StateNumber::NEWEST))
    }

    async fn was_interrupted(&self) -> bool {
        false
    }

    async fn create_epoch(&self, node: &EpochNode) -> Result<i32, LatchError> {
        self.call(|election, session| election.create_epoch(session, node))
    }

    async fn renew(&self, own: &OwnNode, version: i32, node: &EpochNode) -> Result<i32, LatchError> {
        self.call(|election, session| election.renew(session, own, version, node))
    }

    async fn claim(&self, own: &OwnNode, ahead: &[String], version: i32, node: &EpochNode) -> Result<i32, LatchError> {
        self.call(|election, session| election.claim(session, own, ahead, version, node))
    }

    async fn release(&self, version: i32, node: &EpochNode) -> Result<(), LatchError> {
        self.call(|election, session| election.release(session, version, node))
    }

    async fn publish(&self, address: &str) -> Result<(), LatchError> {
        self.call(|election, session| election.publish(session, address))
    }

    async fn changed(&self) {
        let mut changes = self.changes.lock().clone();
        // The sender lives in `shared`, so there is no end to wait for.
        let _ = changes.changed().await;
        *self.changes.lock() = changes;
    }

    async fn leave(&self) {
        self.shared.with(|election| {
            if let Some(session) = self.session.lock().take() {
                election.end_session(session);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{MemoryLatch, SharedElection};
    use crate::election::latch_suite::{self, World};
    use crate::election::{Contender, new_incarnation};

    impl World for SharedElection {
        type Contender = MemoryLatch;

        async fn contender(&self, address: &str) -> MemoryLatch {
            let contender = Contender::new("cluster", &new_incarnation()).expect("a new incarnation is valid");
            SharedElection::contender(self, contender, address)
        }
    }

    #[tokio::test]
    async fn the_memory_latch_behaves_as_a_latch() {
        latch_suite::alone(async || SharedElection::default()).await;
        latch_suite::together(async || SharedElection::default()).await;
    }
}
