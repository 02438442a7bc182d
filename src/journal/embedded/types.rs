//! Pure. The words of openraft, as the journal fills them in.
//!
//! Terms are those of standard Raft: one leader a term, so a term is an epoch.

use super::channels::{Letters, Queues};
use super::watch::Watches;
use crate::journal::chain::Position;
use bytes::Bytes;
use openraft::impls::{BoxedErrorSource, InlineBatch, OneshotResponder, leader_id_std};
use openraft::vote::RaftLeaderId;
use openraft::{AsyncRuntime, EntryPayload, RaftTypeConfig};
use std::fmt;
use std::marker::PhantomData;

/// A master with its folder: one whose folder was wiped is another member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MemberId(pub u64);

/// Where a member is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Member {
    /// Host and port at which it serves clients.
    pub rpc_address: String,
    /// Host and port at which it serves the other members.
    pub raft_address: String,
}

/// A batch of entries, as its leader proposes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Term of the leader that decided it. It counts only in a log entry of the same term.
    pub term: u64,
    /// The position after it.
    pub position: Position,
    /// Its entries.
    pub entries: Bytes,
}

/// Who leads a term.
pub type LeaderId = leader_id_std::LeaderId<u64, MemberId>;
/// Whom a member follows, or would have lead.
pub type Vote = openraft::Vote<LeaderId>;
/// The term of a log entry.
pub type EntryTerm = <LeaderId as RaftLeaderId>::Committed;
/// Term and index of a log entry.
pub type LogId = openraft::LogId<EntryTerm>;
/// What a log entry holds.
pub type Payload = EntryPayload<Record, MemberId, Member>;
/// One entry of the replicated log: a record, a blank one, or the members.
pub type LogEntry = openraft::Entry<EntryTerm, Payload>;
/// Who votes and who learns.
pub type Membership = openraft::Membership<MemberId, Member>;
/// The members, and the log entry that says so.
pub type StoredMembership = openraft::StoredMembership<EntryTerm, MemberId, Member>;

/// What openraft runs on: a name without a value, and channels of ours.
pub trait Runtime:
    AsyncRuntime<Mpsc = Queues, Oneshot = Letters, Watch = Watches> + Copy + Default + Ord + Send + Sync
{
}

impl<R> Runtime for R where
    R: AsyncRuntime<Mpsc = Queues, Oneshot = Letters, Watch = Watches> + Copy + Default + Ord + Send + Sync
{
}

/// All these words together, on a runtime.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Types<R>(PhantomData<R>);

impl<R: Runtime> RaftTypeConfig for Types<R> {
    type D = Record;
    type R = ();
    type NodeId = MemberId;
    type Node = Member;
    type Term = u64;
    type LeaderId = LeaderId;
    type Vote = Vote;
    type Payload = Payload;
    type Entry = LogEntry;
    type AsyncRuntime = R;
    type Responder<T: Send + 'static> = OneshotResponder<Self, T>;
    type Batch<T: Send + 'static> = InlineBatch<T>;
    type ErrorSource = BoxedErrorSource;
}

/// The log id of an index in a term.
pub fn log_id(term: u64, index: u64) -> LogId {
    LogId::new_term_index(term, index)
}

/// The term of a log id.
pub fn term_of(id: &LogId) -> u64 {
    *id.leader_id
}

impl From<u64> for MemberId {
    fn from(id: u64) -> MemberId {
        MemberId(id)
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.raft_address)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} of term {}, {} bytes", self.position, self.term, self.entries.len())
    }
}
