//! The state machine as openraft sees it: a pipe to the loop of the master, and its checkpoints as snapshots.
//!
//! What is committed is sent on in the order of the log. The state is the master's, and that of a leader is ahead of
//! what is committed: the master makes the checkpoints, and openraft takes the newest one when it is told to.

use super::channels::QueueSender;
use super::checkpoint::{Checkpoint, Checkpoints, Meta};
use super::types::{EntryTerm, LogEntry, LogId, Member, MemberId, Payload, Runtime, StoredMembership, Types};
use bytes::Bytes;
use openraft::async_runtime::MpscSender;
use openraft::storage::{EntryResponder, RaftStateMachine, Snapshot};
use openraft::{OptionalSend, RaftSnapshotBuilder};
use std::io;
use std::marker::PhantomData;
use tokio_stream::{Stream, StreamExt};

/// Committed entries that the master has not taken yet, at most; openraft waits until it has.
pub const PIPED_MAX: usize = 64;

/// What the master is told, in this order.
#[derive(Debug)]
pub enum Piped {
    /// The next entry of the log. It is committed: it never changes any more.
    Committed(LogEntry),
    /// The state is this one from now on.
    Installed(Checkpoint),
}

/// See the module text.
#[derive(Debug)]
pub struct Machine<R, C> {
    pipe: QueueSender<Piped>,
    checkpoints: C,
    applied: Option<LogId>,
    members: StoredMembership,
    runtime: PhantomData<R>,
}

/// Takes the newest checkpoint for a snapshot.
#[derive(Debug)]
pub struct Builder<R, C> {
    checkpoints: C,
    runtime: PhantomData<R>,
}

impl<R: Runtime, C: Checkpoints> Machine<R, C> {
    /// A machine that has applied nothing yet: at its start openraft installs the newest checkpoint.
    pub fn new(pipe: QueueSender<Piped>, checkpoints: C) -> Machine<R, C> {
        Machine { pipe, checkpoints, applied: None, members: StoredMembership::default(), runtime: PhantomData }
    }

    async fn tell(&self, piped: Piped) -> io::Result<()> {
        self.pipe.send(piped).await.map_err(|_| io::Error::other("the master takes nothing any more"))
    }
}

impl<R: Runtime, C: Checkpoints> RaftStateMachine<Types<R>> for Machine<R, C> {
    type SnapshotData = Bytes;
    type SnapshotBuilder = Builder<R, C>;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        Ok((self.applied, self.members.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> Result<(), io::Error>
    where
        S: Stream<Item = Result<EntryResponder<Types<R>>, io::Error>> + Unpin + OptionalSend,
    {
        while let Some(next) = entries.next().await {
            let (entry, responder) = next?;
            self.applied = Some(entry.log_id);
            if let Payload::Membership(members) = &entry.payload {
                self.members = StoredMembership::new(Some(entry.log_id), members.clone());
            }
            self.tell(Piped::Committed(entry)).await?;
            if let Some(responder) = responder {
                responder.send(());
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Builder<R, C> {
        Builder { checkpoints: self.checkpoints.clone(), runtime: PhantomData }
    }

    async fn install_snapshot(&mut self, meta: &Meta, content: Bytes) -> Result<(), io::Error> {
        let Some(checkpoint) = Checkpoint::of(meta, content) else { return Ok(()) };
        self.checkpoints.keep(checkpoint.clone()).await?;
        (self.applied, self.members) = (Some(checkpoint.last), checkpoint.members.clone());
        self.tell(Piped::Installed(checkpoint)).await
    }

    async fn get_current_snapshot(
        &mut self,
    ) -> Result<Option<Snapshot<EntryTerm, MemberId, Member, Bytes>>, io::Error> {
        Ok(self.checkpoints.newest().await?.map(Checkpoint::into_snapshot))
    }
}

impl<R: Runtime, C: Checkpoints> RaftSnapshotBuilder<Types<R>> for Builder<R, C> {
    type SnapshotData = Bytes;

    async fn build_snapshot(&mut self) -> Result<Snapshot<EntryTerm, MemberId, Member, Bytes>, io::Error> {
        // The log is purged only below a checkpoint, so who needs one finds one.
        let newest = self.checkpoints.newest().await?;
        newest.map(Checkpoint::into_snapshot).ok_or_else(|| io::Error::other("there is no checkpoint yet"))
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
