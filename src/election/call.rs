//! Pure. Calls to the election as data, for those who decide without doing.

use super::latch::{EpochNode, OwnNode, Participant, Versioned};

/// A call to the election. One of each kind is under way at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LatchCall {
    /// Enter.
    Join,
    /// Read the epoch node and the participants.
    Observe,
    /// Make the epoch node.
    CreateEpoch(EpochNode),
    /// F1.
    Renew {
        /// Our latch node.
        own: OwnNode,
        /// The version it must have.
        version: i32,
        /// Its new content.
        node: EpochNode,
    },
    /// F2.
    Claim {
        /// Our latch node.
        own: OwnNode,
        /// Latch nodes before ours that are deleted in the same step.
        ahead: Vec<String>,
        /// The version it must have.
        version: i32,
        /// Its new content.
        node: EpochNode,
    },
    /// F3.
    Release {
        /// The version it must have.
        version: i32,
        /// Its new content.
        node: EpochNode,
    },
    /// Tell clients where we are.
    Publish,
    /// Does the process that owns this node still exist?
    Probe(Versioned<EpochNode>),
}

/// How a call failed, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallFailed {
    /// Nothing was changed.
    Refused(String),
    /// Not known.
    Unknown(String),
    /// Our latch node is gone.
    SessionExpired,
    /// Trying again is of no use.
    Fatal(String),
}

/// What the election looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// None when the epoch node does not exist.
    pub epoch: Option<Versioned<EpochNode>>,
    /// First = who leads.
    pub participants: Vec<Participant>,
    /// The service may have been away since the observation before, and have come back with an old copy of its data.
    pub interrupted: bool,
}

/// The reply to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LatchReply {
    /// To `Join`.
    Joined(Result<OwnNode, CallFailed>),
    /// To `Observe`.
    Observed(Result<Observation, CallFailed>),
    /// To `CreateEpoch`.
    Created(Result<i32, CallFailed>),
    /// To `Renew`.
    Renewed(Result<i32, CallFailed>),
    /// To `Claim`.
    Claimed(Result<i32, CallFailed>),
    /// To `Release`.
    Released(Result<(), CallFailed>),
    /// To `Publish`.
    Published(Result<(), CallFailed>),
    /// To `Probe`.
    Probed {
        /// The version of the node.
        version: i32,
        /// What was seen of its owner.
        owner: Presence,
    },
}

/// Whether a process is where it said that it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It answers.
    There,
    /// Nobody listens there, or another process answers.
    Gone,
    /// Nothing answers in time, or nothing that says who it is.
    Unknown,
}

impl LatchReply {
    /// Whether the election was reached and could be read; if not, why.
    ///
    /// # Errors
    /// The reason why the outcome of the call is not known.
    pub fn reached(&self) -> Result<(), &str> {
        let failed = match self {
            LatchReply::Joined(result) => result.as_ref().err(),
            LatchReply::Observed(result) => result.as_ref().err(),
            LatchReply::Created(result) | LatchReply::Renewed(result) | LatchReply::Claimed(result) => {
                result.as_ref().err()
            }
            LatchReply::Released(result) | LatchReply::Published(result) => result.as_ref().err(),
            LatchReply::Probed { .. } => None,
        };
        match failed {
            Some(CallFailed::Unknown(reason) | CallFailed::Fatal(reason)) => Err(reason),
            _ => Ok(()),
        }
    }
}
