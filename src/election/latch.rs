//! What the election needs of ZooKeeper, or of its stand-ins.

use async_trait::async_trait;

/// The content of the epoch node (F1): one node per cluster, outside the election path, whose version is the lease.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EpochNode {
    /// The epoch that was claimed last.
    pub epoch: u64,
    /// Random id of the process incarnation that claimed it.
    pub owner: String,
    /// Its owner will give no more answers (F3).
    pub released: bool,
    /// RPC address of the owner, `host:port`.
    pub address: String,
    /// Latch node of the owner (name without path), for its guardian.
    pub latch: String,
    /// How long a renewal of its owner counts, in milliseconds; 0 when no answer of its owner rests on a clock.
    pub lease_ms: u64,
    /// How many segments of an epoch exist at least; a listing that shows fewer is stale.
    pub segments: u32,
    /// Of which epoch, when its claimer has not made one yet: that of an earlier one, which may have answered. 0: of
    /// `epoch` itself.
    pub segments_epoch: u64,
    /// Number of the history that segments and records are of; 0 while nobody has said.
    pub genesis: u64,
    /// Sequence of the last acknowledged record, kept here a second time.
    pub durable_sequence: u64,
    /// History hash after it.
    pub durable_hash: u64,
}

impl EpochNode {
    /// The epoch whose segments are counted.
    pub fn segments_of(&self) -> u64 {
        if self.segments_epoch == 0 { self.epoch } else { self.segments_epoch }
    }
}

/// A value with the version under which it was read. Versions only grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The value.
    pub value: T,
    /// Its version.
    pub version: i32,
}

/// Our own node in the latch. Valid until the session ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnNode(pub String);

/// One who contends, in the order in which they lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Name of the node, without path.
    pub node: String,
    /// `host:port` of its RPC service.
    pub address: String,
}

/// How a call to the latch failed.
#[derive(Debug, thiserror::Error)]
pub enum LatchError {
    /// A condition did not hold: the version moved, or our latch node is gone. Nothing was changed.
    #[error("{operation} was refused: {reason}")]
    Refused {
        /// What was tried.
        operation: &'static str,
        /// Which condition.
        reason: String,
    },
    /// Not known whether it took effect (connection lost, deadline).
    #[error("the outcome of {operation} is not known: {reason}")]
    Unknown {
        /// What was tried.
        operation: &'static str,
        /// What happened.
        reason: String,
    },
    /// The session is over, and with it our latch node. A new `join` begins a new one.
    #[error("the ZooKeeper session expired")]
    SessionExpired,
    /// The election path holds participants of another kind of cluster.
    #[error(
        "{path} holds participants that are not of this cluster: {participants}; stop them, or give this cluster \
         another election path"
    )]
    Foreign {
        /// The election path.
        path: String,
        /// Their names and addresses.
        participants: String,
    },
    /// The epoch node holds something else. Somebody may delete it, or write it back.
    #[error(
        "{path} is not an epoch node of ours: {reason}; delete that node of ZooKeeper, and the masters make it anew from the \
         journal"
    )]
    NotOurs {
        /// The node.
        path: String,
        /// What of it cannot be read.
        reason: String,
    },
    /// The service refuses us, or the address cannot be used.
    #[error("{operation} failed: {reason}")]
    Denied {
        /// What was tried.
        operation: &'static str,
        /// What the service said.
        reason: String,
    },
}

impl LatchError {
    /// Whether it may be otherwise after a while: the service did not answer, or somebody has to mend a node.
    pub fn may_pass(&self) -> bool {
        matches!(self, LatchError::Unknown { .. } | LatchError::SessionExpired | LatchError::NotOurs { .. })
    }

    pub(super) fn refused(operation: &'static str, reason: impl Into<String>) -> LatchError {
        LatchError::Refused { operation, reason: reason.into() }
    }

    pub(super) fn foreign(path: &str, participants: &[Participant]) -> LatchError {
        let named: Vec<String> = participants.iter().map(|who| format!("{} ({})", who.address, who.node)).collect();
        LatchError::Foreign { path: path.to_owned(), participants: named.join(", ") }
    }
}

/// An election with an epoch node. All implementations pass `latch_suite.rs`. Every call ends within a deadline
/// (`Unknown` then).
#[async_trait]
pub trait Latch: Send + Sync {
    /// Enters the election with a new node, in a new session when the old one is over; a node that we hold
    /// already is returned as it is. Refuses (`Foreign`) to join live participants that are not ours.
    async fn join(&self) -> Result<OwnNode, LatchError>;

    /// Those who contend, first = who leads.
    async fn participants(&self) -> Result<Vec<Participant>, LatchError>;

    /// Reads the epoch node; none when it does not exist. Proves nothing about a lease.
    async fn read_epoch(&self) -> Result<Option<Versioned<EpochNode>>, LatchError>;

    /// Whether the connection was lost, or another one made, since the last call of this: the service may have been
    /// restored from an old copy of its data meanwhile.
    async fn was_interrupted(&self) -> bool;

    /// Makes the epoch node, exclusively (`Refused` when it exists). Returns its version.
    async fn create_epoch(&self, node: &EpochNode) -> Result<i32, LatchError>;

    /// Writes the epoch node in one step with the checks that `own` exists and that the version is `version`
    /// (F1). Returns the new version.
    async fn renew(&self, own: &OwnNode, version: i32, node: &EpochNode) -> Result<i32, LatchError>;

    /// As `renew`, and deletes the latch nodes `ahead` of ours in the same step (F2).
    async fn claim(&self, own: &OwnNode, ahead: &[String], version: i32, node: &EpochNode) -> Result<i32, LatchError>;

    /// Writes the epoch node (with `released` set) if its version is `version`, and deletes the latch node named
    /// in `node.latch` in the same step when it still exists (F3).
    async fn release(&self, version: i32, node: &EpochNode) -> Result<(), LatchError>;

    /// Makes our address known to clients, under every leader path that they may look at; the newest counts. What this
    /// session has published and still stands stays as it is.
    async fn publish(&self, address: &str) -> Result<(), LatchError>;

    /// Returns when the epoch node, the participants or the session may have changed since the last return.
    /// May return without a change.
    async fn changed(&self);

    /// Leaves the election and ends the session.
    async fn leave(&self);
}
