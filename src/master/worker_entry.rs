//! Pure. What a master knows of one worker.

use super::worker_call::{LostStorage, TierBytes};
use crate::types::time::{Boot, Millis};
use crate::types::{BlockId, WorkerAddress};
use std::collections::BTreeSet;
use std::time::Duration;

/// Blocks of a worker that are compared with the namespace at once, and how often: heartbeats may come much more often,
/// when a worker has news or when a master was lost, and the loop does nothing else meanwhile.
pub(super) const JUDGED_AT_ONCE: usize = 10_000;
const JUDGE_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub(super) struct Worker {
    pub(super) address: WorkerAddress,
    pub(super) contact: Boot,
    pub(super) phase: Phase,
    pub(super) start_time: Millis,
    pub(super) capacity_bytes: TierBytes,
    pub(super) used_bytes: TierBytes,
    pub(super) lost_storage: LostStorage,
    pub(super) build: (String, String),
    pub(super) vcpus: i32,
    pub(super) blocks: BTreeSet<BlockId>,
    /// Sent with every heartbeat until the worker says that they are gone.
    pub(super) to_drop: BTreeSet<BlockId>,
    /// Up to where its blocks were compared with the namespace, and when last.
    pub(super) judged: Option<BlockId>,
    pub(super) judged_at: Option<Boot>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Has an id and nothing else.
    Named,
    /// Names its blocks; those that it does not name any more are no copies at the end.
    Registering { unnamed: BTreeSet<BlockId> },
    /// Reports.
    Live,
    /// Has not reported for too long.
    Lost,
    /// Is there, or was, and gets no more blocks.
    Decommissioned,
}

impl Worker {
    pub(super) fn named(address: WorkerAddress, now: Boot) -> Worker {
        Worker {
            address,
            contact: now,
            phase: Phase::Named,
            start_time: Millis(0),
            capacity_bytes: TierBytes::new(),
            used_bytes: TierBytes::new(),
            lost_storage: LostStorage::new(),
            build: (String::new(), String::new()),
            vcpus: 0,
            blocks: BTreeSet::new(),
            to_drop: BTreeSet::new(),
            judged: None,
            judged_at: None,
        }
    }

    pub(super) fn reports(&self) -> bool {
        matches!(self.phase, Phase::Live | Phase::Decommissioned)
    }

    /// Whether something is lost with it when it is silent for too long.
    pub(super) fn may_be_lost(&self) -> bool {
        match self.phase {
            Phase::Lost => false,
            Phase::Decommissioned => !self.blocks.is_empty(),
            Phase::Named | Phase::Registering { .. } | Phase::Live => true,
        }
    }

    pub(super) fn is_there(&self) -> bool {
        matches!(self.phase, Phase::Live | Phase::Registering { .. })
    }

    /// Compares some more blocks with the namespace, round and round: what it does not know is to be dropped.
    pub(super) fn judge(&mut self, is_known: &dyn Fn(BlockId) -> bool, now: Boot) {
        use std::ops::Bound::{Excluded, Unbounded};
        if self.judged_at.is_some_and(|at| now.since(at) < JUDGE_EVERY) {
            return;
        }
        self.judged_at = Some(now);
        let from = self.judged.map_or(Unbounded, Excluded);
        let mut next = self.blocks.range((from, Unbounded));
        self.judged = None;
        for _ in 0..JUDGED_AT_ONCE {
            let Some(block) = next.next() else { return };
            if !is_known(*block) {
                self.to_drop.insert(*block);
            }
            self.judged = Some(*block);
        }
    }

    /// Which one is meant by a host and a port: the smallest.
    pub(super) fn rank(&self) -> u8 {
        match self.phase {
            Phase::Live => 0,
            Phase::Decommissioned => 1,
            Phase::Named | Phase::Registering { .. } => 2,
            Phase::Lost => 3,
        }
    }

    /// Why it may not register.
    // Compatible: 2.9.6 DefaultBlockMaster, WORKER_DISABLED.
    pub(super) fn disabled(&self) -> String {
        format!(
            "Worker with address {} is manually decommissioned and marked not able to join the cluster again. If you want \
             this worker to register to the cluster again, use `bin/alluxio fsadmin enableWorker -h <workerHost>` command.",
            self.address.endpoint()
        )
    }
}
