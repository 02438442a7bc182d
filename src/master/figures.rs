//! What is so at this master now, for those who watch it.

use super::event::Core;
use super::gate::Standing;
use super::runtime::Handle;
use super::state::MasterState;
use super::worker_call::{TierBytes, WorkerInfo, WorkerState};
use crate::metrics::MasterFigures;
use crate::types::SequenceNumber;
use crate::types::time::wall_now;
use std::time::Duration;

/// What rests on the journal is left out when it is not known to be durable for so long: who watches a master wants the
/// rest all the more then.
const WAIT: Duration = Duration::from_millis(500);

/// Capacity of all live workers by tier, and what of it is used.
pub fn tiers(workers: &[WorkerInfo]) -> (TierBytes, TierBytes) {
    let live = || workers.iter().filter(|worker| worker.state == WorkerState::Live);
    let add = |mut total: TierBytes, tiers: &TierBytes| {
        for (tier, bytes) in tiers {
            let sum = total.entry(tier.clone()).or_default();
            // What workers say of themselves is not checked.
            *sum = sum.saturating_add(*bytes);
        }
        total
    };
    let capacity = live().map(|worker| &worker.capacity_bytes).fold(TierBytes::new(), add);
    (capacity, live().map(|worker| &worker.used_bytes).fold(TierBytes::new(), add))
}

/// Of all tiers. What workers say of themselves is not checked.
pub fn sum(tiers: &TierBytes) -> i64 {
    tiers.values().fold(0, |sum, bytes| sum.saturating_add(*bytes))
}

/// The state as it is after its last record, in any role, with the number of that record; none while a record is not known
/// to be permanent. Takes no longer than a snapshot, whose pages are shared.
pub fn settled_state(handle: &Handle) -> Option<(SequenceNumber, MasterState)> {
    handle.with_core(|core, _| {
        // The loop tells how far it is while it has the lock.
        let Standing { position, durable, .. } = handle.standing();
        (position == durable).then(|| (position, core.state.clone()))
    })
}

/// All of it, in any role.
pub async fn read(handle: &Handle) -> MasterFigures {
    // What workers tell is in no journal.
    let workers: Vec<WorkerInfo> = handle.with_core(|core, _| core.workers.infos().collect());
    let (capacity, used) = tiers(&workers);
    let total = |tiers: &TierBytes| u64::try_from(sum(tiers)).unwrap_or(0);
    let (capacity, used) = (total(&capacity), total(&used));
    let count = |state| workers.iter().filter(|worker| worker.state == state).count() as u64;
    let standing = handle.standing();
    let (waiting, may_wait) = handle.queue();
    let totals =
        |core: &Core| (core.state.inodes().count(), core.state.blocks().count(), core.state.inodes().kept_count());
    let totals = tokio::time::timeout(WAIT, handle.durable(totals)).await;
    let totals = totals.ok().and_then(Result::ok);
    let is_primary = handle.is_primary();
    let journal = handle.room().usage();
    MasterFigures {
        capacity_total: Some(capacity),
        capacity_used: Some(used),
        capacity_free: Some(capacity.saturating_sub(used)),
        workers: Some(count(WorkerState::Live)),
        lost_workers: Some(count(WorkerState::Lost)),
        paths_total: totals.map(|(paths, ..)| paths),
        blocks_total: totals.map(|(_, blocks, _)| blocks),
        files_pinned: totals.map(|(.., pinned)| pinned),
        is_primary: Some(u64::from(is_primary)),
        epoch: Some(standing.epoch),
        journal_position: Some(standing.position.0),
        journal_durable: Some(standing.durable.0),
        journal_bytes: journal.map(|journal| journal.bytes),
        journal_checkpoint_age_s: journal
            .and_then(|journal| journal.checkpoint_age(wall_now()))
            .map(|age| age.as_secs()),
        journal_disk_free: journal.and_then(|journal| journal.room).map(|room| room.free_bytes),
        journal_read_only: Some(u64::from(handle.room().check().is_err())),
        lease_left_ms: handle.lease_left().filter(|_| is_primary).map(|left| left.as_millis() as u64),
        queue_depth: Some(waiting as u64),
        queue_capacity: Some(may_wait as u64),
    }
}
