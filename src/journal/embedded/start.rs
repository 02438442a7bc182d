//! How a member starts: its log, the wait of one that may have voted, and openraft under the rules that are ours to keep.
//!
//! R1 to R5 are those of `docs/plans/embedded-journal.md`.

use super::checkpoint::Checkpoints;
use super::disk::LogDisk;
use super::machine::Machine;
use super::store::{OpenError, Store};
use super::types::{LogId, MemberId, Runtime, Types, Vote, term_of};
use crate::types::mutant::{self, Mutant};
use bytes::Bytes;
use openraft::errors::Fatal;
use openraft::network::NetSnapshot;
use openraft::{AsyncRuntime, Config, ConfigError, Raft, RaftNetworkFactory, SnapshotPolicy, StepDownPolicy};
use std::sync::Arc;
use std::time::Duration;

/// How fast the members take a leader for lost. The same for all members.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Least time that a voter waits before it stands for election.
    pub election_min: Duration,
    /// The longest; also the lease that voters give their leader.
    pub election_max: Duration,
    /// How often a leader that writes nothing is heard of.
    pub heartbeat: Duration,
}

/// Why a member cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError<R: Runtime> {
    /// The log.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The times do not fit one another.
    #[error("the times of elections")]
    Timing(#[from] ConfigError),
    /// openraft.
    #[error("openraft has ended at its start")]
    Fatal(#[from] Fatal<Types<R>>),
}

/// The handle of openraft, with our state machine.
pub type MemberRaft<R, C> = Raft<Types<R>, Machine<R, C>>;
/// The task that writes the log.
pub type WriterTask<R> = <R as AsyncRuntime>::JoinHandle<()>;

impl Timing {
    /// How long after the sending of what a quorum acknowledged its leader may answer reads: less than the voters wait,
    /// for clocks that run at different speeds.
    pub fn lease(&self) -> Duration {
        self.election_max * 9 / 10
    }

    /// How long a voter that starts promises nobody anything.
    fn silence(&self) -> Duration {
        self.election_max * 11 / 10
    }

    fn config(&self) -> Config {
        let ms = |time: Duration| time.as_millis() as u64;
        Config {
            cluster_name: "alluxio".into(),
            election_timeout_min: ms(self.election_min),
            election_timeout_max: ms(self.election_max),
            heartbeat_interval: ms(self.heartbeat),
            enable_pre_vote: Some(true),
            // Checkpoints are the master's; it says what may be purged.
            snapshot_policy: SnapshotPolicy::Never,
            max_in_snapshot_log_to_keep: 0,
            // R1: it would lead on in its term without what it had not flushed, which others may have.
            enable_leader_restore: Some(mutant::is(Mutant::RestoreLeader)),
            // R5: a leader that steps down by itself bypasses the lease of the voters.
            removed_leader_step_down: StepDownPolicy::Never,
            ..Config::default()
        }
    }
}

/// Whether a snapshot that ends with `last` may be sent or received under the vote of its leader (R3): openraft can pair
/// the vote of a deposed leader with what came after it, and ends when it receives that.
pub fn may_install(vote: &Vote, last: Option<&LogId>) -> bool {
    last.is_none_or(|last| term_of(last) <= vote.leader_id.term)
}

/// Starts a member. The task that writes its log ends after openraft has.
pub async fn start<R, D, C, N>(
    id: MemberId,
    timing: Timing,
    disk: D,
    machine: Machine<R, C>,
    network: N,
) -> Result<(MemberRaft<R, C>, WriterTask<R>), StartError<R>>
where
    R: Runtime,
    D: LogDisk,
    C: Checkpoints,
    N: RaftNetworkFactory<Types<R>>,
    N::Network: NetSnapshot<Types<R>, SnapshotData = Bytes>,
{
    let config = Arc::new(timing.config().validate()?);
    let (store, writer) = Store::open(disk).await?;
    let writer = R::spawn(writer);
    // R2: what it promised a leader before its end, it has forgotten.
    if store.has_voted() && !mutant::is(Mutant::VoteAtOnce) {
        R::sleep(timing.silence()).await;
    }
    Ok((Raft::new(id, config, network, store, machine).await?, writer))
}

#[cfg(test)]
mod tests {
    use super::super::types::log_id;
    use super::*;

    #[test]
    fn a_snapshot_of_a_later_term_than_its_leader_is_not_taken() {
        let vote = Vote::new_committed(3, MemberId(1));
        assert!(may_install(&vote, None));
        assert!(may_install(&vote, Some(&log_id(3, 9))));
        assert!(!may_install(&vote, Some(&log_id(4, 1))));
    }
}
