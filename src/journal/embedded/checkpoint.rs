//! Checkpoints of the master, as openraft's snapshots: up to which log entry they reach, and who the members were.

use super::types::{EntryTerm, LogId, Member, MemberId, StoredMembership};
use bytes::Bytes;
use openraft::storage::{Snapshot, SnapshotMeta};
use parking_lot::Mutex as Lock;
use std::future::Future;
use std::io;
use std::sync::Arc;

/// What openraft knows of a snapshot.
pub type Meta = SnapshotMeta<EntryTerm, MemberId, Member>;

/// A state, and the log entry after which it was so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last log entry that is in it.
    pub last: LogId,
    /// The members at this entry.
    pub members: StoredMembership,
    /// The state, in the master's form.
    pub content: Bytes,
}

/// Where a member keeps its checkpoints. Copies show the same place.
pub trait Checkpoints: Clone + Send + Sync + 'static {
    /// The newest one.
    fn newest(&self) -> impl Future<Output = io::Result<Option<Checkpoint>>> + Send;
    /// Keeps one, durably. It is the newest from now on, unless there is a newer one.
    fn keep(&self, checkpoint: Checkpoint) -> impl Future<Output = io::Result<()>> + Send;
}

/// Checkpoints in memory, which outlive the member.
#[derive(Debug, Clone, Default)]
pub struct MemoryCheckpoints(Arc<Lock<Option<Checkpoint>>>);

impl Checkpoint {
    /// What openraft has received, or read.
    pub fn of(meta: &Meta, content: Bytes) -> Option<Checkpoint> {
        Some(Checkpoint { last: meta.last_log_id?, members: meta.last_membership.clone(), content })
    }

    /// As openraft sends it, or reads it.
    pub fn into_snapshot(self) -> Snapshot<EntryTerm, MemberId, Member, Bytes> {
        let meta = Meta { last_log_id: Some(self.last), last_membership: self.members };
        Snapshot { meta, snapshot: self.content }
    }
}

impl Checkpoints for MemoryCheckpoints {
    async fn newest(&self) -> io::Result<Option<Checkpoint>> {
        Ok(self.0.lock().clone())
    }

    async fn keep(&self, checkpoint: Checkpoint) -> io::Result<()> {
        let mut newest = self.0.lock();
        if newest.as_ref().is_none_or(|newest| newest.last < checkpoint.last) {
            *newest = Some(checkpoint);
        }
        Ok(())
    }
}
