//! Pure. An election in memory: what ZooKeeper does with our nodes, one step per call, for the simulator.
//!
//! A call is the *effect* of a request: it happens whole, now. Requests that wait, replies that are lost, effects
//! after the death of the caller and deadlines are made by whoever calls (or does not call, or drops the answer).
//!
//! Sessions are opened and ended by the caller; an ended one takes its latch node and its published address along.
//! Every change makes a new *state* with a number. Writes act on the newest state. A read names the state it is
//! served from, as a follower that lags would serve it; like ZooKeeper, a session never sees an older state than it
//! has seen already, and has seen its own writes. [`MemoryElection::sync`] brings a session up to the newest state.
//! Faults by hand: [`MemoryElection::delete_node`], [`MemoryElection::delete_epoch`], [`MemoryElection::restore`],
//! [`MemoryElection::add_foreign`].

use std::collections::{BTreeMap, VecDeque};

use super::latch::{EpochNode, LatchError, OwnNode, Participant, Versioned};
use super::latch_node::{Contender, order};

/// How many states are kept for stale reads; an older one is served as the oldest kept.
pub const STATES_MAX: usize = 1024;

const PATH: &str = "/election";

/// A session of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// Number of a state; grows by one with each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct StateNumber(pub u64);

impl StateNumber {
    /// Later than every state: a read of what is true now.
    pub const NEWEST: StateNumber = StateNumber(u64::MAX);
}

/// The service.
#[derive(Debug)]
pub struct MemoryElection {
    /// Live sessions, with the newest state that each has seen.
    sessions: BTreeMap<SessionId, StateNumber>,
    sessions_opened: u64,
    /// The last states; the newest at the back, whose number is `newest`.
    states: VecDeque<State>,
    newest: StateNumber,
}

#[derive(Debug, Clone, Default)]
struct State {
    epoch: Option<Versioned<EpochNode>>,
    /// By their place in the order.
    nodes: BTreeMap<String, LatchNode>,
    nodes_made: u64,
    /// By address.
    published: BTreeMap<String, Publication>,
    publications: u64,
}

#[derive(Debug, Clone)]
struct LatchNode {
    name: String,
    address: String,
    /// None for a foreign participant, which has a session elsewhere.
    session: Option<SessionId>,
}

#[derive(Debug, Clone)]
struct Publication {
    session: SessionId,
    /// Which publication it was; the greatest counts.
    number: u64,
}

impl Default for MemoryElection {
    fn default() -> MemoryElection {
        MemoryElection {
            sessions: BTreeMap::new(),
            sessions_opened: 0,
            states: VecDeque::from([State::default()]),
            newest: StateNumber(0),
        }
    }
}

/// Sessions, states, and what a test does by hand.
impl MemoryElection {
    /// A new session, which has seen nothing.
    pub fn open_session(&mut self) -> SessionId {
        self.sessions_opened += 1;
        let session = SessionId(self.sessions_opened);
        self.sessions.insert(session, StateNumber(0));
        session
    }

    /// Ends a session, closed or expired: its node and its address are gone. Nothing when it is over already.
    pub fn end_session(&mut self, session: SessionId) {
        if self.sessions.remove(&session).is_some() {
            self.change(|state| {
                state.nodes.retain(|_, node| node.session != Some(session));
                state.published.retain(|_, publication| publication.session != session);
            });
        }
    }

    /// Whether the session lives.
    pub fn is_live(&self, session: SessionId) -> bool {
        self.sessions.contains_key(&session)
    }

    /// The number of the newest state.
    pub fn newest(&self) -> StateNumber {
        self.newest
    }

    /// The session's later reads are served from the newest state or a later one.
    ///
    /// # Errors
    /// `SessionExpired`.
    pub fn sync(&mut self, session: SessionId) -> Result<(), LatchError> {
        let seen = self.sessions.get_mut(&session).ok_or(LatchError::SessionExpired)?;
        *seen = self.newest;
        Ok(())
    }

    /// Deletes a latch node as an operator would; false when there is none of that name.
    pub fn delete_node(&mut self, name: &str) -> bool {
        let exists = self.current().nodes.values().any(|node| node.name == name);
        if exists {
            self.change(|state| state.nodes.retain(|_, node| node.name != name));
        }
        exists
    }

    /// Deletes the epoch node as an operator would. A new one begins at version 0 again.
    pub fn delete_epoch(&mut self) {
        self.change(|state| state.epoch = None);
    }

    /// The service comes back from an old copy: all sessions are over, the epoch node and the counters are as they
    /// were then.
    pub fn restore(&mut self, at: StateNumber) {
        self.sessions.clear();
        let then = self.state(at).clone();
        self.change(|state| {
            *state = State { nodes: BTreeMap::new(), published: BTreeMap::new(), ..then };
        });
    }

    /// A participant of another kind of cluster enters, and stays until it is deleted by hand. Returns its node.
    pub fn add_foreign(&mut self, address: &str) -> String {
        self.add_node("_c_3558a678-602c-49e0-9ebe-f4d57db50bad-lock-", address, None)
    }

    /// The address that clients would take: the one published last.
    pub fn primary(&self) -> Option<&str> {
        let newest = self.current().published.iter().max_by_key(|(_, publication)| publication.number);
        newest.map(|(address, _)| address.as_str())
    }
}

/// The operations of `trait Latch`, by session.
impl MemoryElection {
    /// Enters the election; the node that the session has already is returned as it is.
    ///
    /// # Errors
    /// `Foreign`, `SessionExpired`.
    pub fn join(&mut self, session: SessionId, contender: &Contender, address: &str) -> Result<OwnNode, LatchError> {
        self.sync(session)?;
        if let Some(own) = self.current().nodes.values().find(|node| node.session == Some(session)) {
            return Ok(OwnNode(own.name.clone()));
        }
        let foreign: Vec<Participant> =
            self.current().participants().into_iter().filter(|who| !contender.is_of_cluster(&who.node)).collect();
        if !foreign.is_empty() {
            return Err(LatchError::foreign(PATH, &foreign));
        }
        // A node of an earlier session of the same process would stand before us until that session ends.
        if self.current().nodes.values().any(|node| contender.owns(&node.name)) {
            self.change(|state| state.nodes.retain(|_, node| !contender.owns(&node.name)));
        }
        let name = self.add_node(&contender.node_prefix(), address, Some(session));
        self.wrote(session);
        Ok(OwnNode(name))
    }

    /// Those who contend, in their order, as the session sees it from the state `at`.
    ///
    /// # Errors
    /// `SessionExpired`.
    pub fn participants(&mut self, session: SessionId, at: StateNumber) -> Result<Vec<Participant>, LatchError> {
        Ok(self.read(session, at)?.participants())
    }

    /// The epoch node, as the session sees it from the state `at`.
    ///
    /// # Errors
    /// `SessionExpired`.
    pub fn read_epoch(
        &mut self,
        session: SessionId,
        at: StateNumber,
    ) -> Result<Option<Versioned<EpochNode>>, LatchError> {
        Ok(self.read(session, at)?.epoch.clone())
    }

    /// Makes the epoch node.
    ///
    /// # Errors
    /// `Refused` when it exists, `SessionExpired`.
    pub fn create_epoch(&mut self, session: SessionId, node: &EpochNode) -> Result<i32, LatchError> {
        self.sync(session)?;
        if self.current().epoch.is_some() {
            return Err(LatchError::refused("create_epoch", "the epoch node exists"));
        }
        let value = node.clone();
        self.change(|state| state.epoch = Some(Versioned { value, version: 0 }));
        self.wrote(session);
        Ok(0)
    }

    /// Writes the epoch node if the latch node `own` exists and the version is `version`.
    ///
    /// # Errors
    /// `Refused`, `SessionExpired`.
    pub fn renew(
        &mut self,
        session: SessionId,
        own: &OwnNode,
        version: i32,
        node: &EpochNode,
    ) -> Result<i32, LatchError> {
        self.write("renew", session, Some(own), &[], version, node)
    }

    /// As `renew`, and deletes the nodes `ahead`; those that are gone already do not matter.
    ///
    /// # Errors
    /// `Refused`, `SessionExpired`.
    pub fn claim(
        &mut self,
        session: SessionId,
        own: &OwnNode,
        ahead: &[String],
        version: i32,
        node: &EpochNode,
    ) -> Result<i32, LatchError> {
        self.write("claim", session, Some(own), ahead, version, node)
    }

    /// Writes the epoch node if the version is `version`, and deletes the latch node that it names.
    ///
    /// # Errors
    /// `Refused`, `SessionExpired`.
    pub fn release(&mut self, session: SessionId, version: i32, node: &EpochNode) -> Result<(), LatchError> {
        self.write("release", session, None, std::slice::from_ref(&node.latch), version, node).map(|_| ())
    }

    /// Makes the address known to clients, as the newest.
    ///
    /// # Errors
    /// `SessionExpired`.
    pub fn publish(&mut self, session: SessionId, address: &str) -> Result<(), LatchError> {
        self.sync(session)?;
        if self.current().published.get(address).is_some_and(|publication| publication.session == session) {
            return Ok(());
        }
        self.change(|state| {
            state.publications += 1;
            let publication = Publication { session, number: state.publications };
            state.published.insert(address.to_owned(), publication);
        });
        self.wrote(session);
        Ok(())
    }
}

impl MemoryElection {
    fn write(
        &mut self,
        operation: &'static str,
        session: SessionId,
        own: Option<&OwnNode>,
        deleted: &[String],
        version: i32,
        node: &EpochNode,
    ) -> Result<i32, LatchError> {
        self.sync(session)?;
        let current = self.current();
        if let Some(OwnNode(own)) = own
            && !current.nodes.values().any(|node| node.name == *own)
        {
            return Err(LatchError::refused(operation, format!("our latch node {own} is gone")));
        }
        let found = current.epoch.as_ref().map(|epoch| epoch.version);
        if found != Some(version) {
            let found = found.map_or("it does not exist".into(), |found| format!("it has version {found}"));
            let reason = format!("the epoch node was expected at version {version}, {found}");
            return Err(LatchError::refused(operation, reason));
        }
        let value = node.clone();
        self.change(|state| {
            state.nodes.retain(|_, node| !deleted.contains(&node.name));
            state.epoch = Some(Versioned { value, version: version + 1 });
        });
        self.wrote(session);
        Ok(version + 1)
    }

    fn add_node(&mut self, prefix: &str, address: &str, session: Option<SessionId>) -> String {
        let name = format!("{prefix}{:010}", self.current().nodes_made);
        let node = LatchNode { name: name.clone(), address: address.to_owned(), session };
        self.change(|state| {
            state.nodes_made += 1;
            state.nodes.insert(order(&node.name).to_owned(), node);
        });
        name
    }

    fn current(&self) -> &State {
        self.states.back().expect("there is always a newest state")
    }

    fn state(&self, at: StateNumber) -> &State {
        let age = usize::try_from(self.newest.0.saturating_sub(at.0)).unwrap_or(usize::MAX);
        &self.states[(self.states.len() - 1).saturating_sub(age)]
    }

    fn change<T>(&mut self, change: impl FnOnce(&mut State) -> T) {
        let mut state = self.current().clone();
        change(&mut state);
        self.states.push_back(state);
        self.newest.0 += 1;
        if self.states.len() > STATES_MAX {
            self.states.pop_front();
        }
    }

    fn wrote(&mut self, session: SessionId) {
        self.sessions.insert(session, self.newest);
    }

    fn read(&mut self, session: SessionId, at: StateNumber) -> Result<&State, LatchError> {
        let seen = self.sessions.get_mut(&session).ok_or(LatchError::SessionExpired)?;
        let at = at.min(self.newest).max(*seen);
        *seen = at;
        Ok(self.state(at))
    }
}

impl State {
    fn participants(&self) -> Vec<Participant> {
        let participant = |node: &LatchNode| Participant { node: node.name.clone(), address: node.address.clone() };
        self.nodes.values().map(participant).collect()
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
