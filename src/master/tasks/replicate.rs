//! Has workers copy blocks of which there are fewer copies than is wished (`replicationMin`): from a worker that holds
//! one, or from the UFS.
//!
//! A copy too many does no harm, so it does not matter which master has it made.

use crate::master::ops::{Answer, Query, TooFewCopies};
use crate::master::server::Namespace;
use crate::master::worker_call::{WorkerInfo, WorkerState};
use crate::rpc::worker::{Keep, UfsBlock, Wait, Worker, WorkerSettings};
use crate::types::{BlockStatus, Caller, ErrorKind, FileStatus, FsError, InodeId, PersistenceState, WorkerAddress};
use log::{debug, info, warn};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::{JoinError, JoinSet};

/// Files that are asked for at a time.
const FILES_MAX: usize = 100;
/// Copies that are made at a time.
const COPIES_MAX: usize = 4;
/// How long one may take.
const COPY_LIMIT: Duration = Duration::from_secs(10 * 60);

/// Looks each `interval`; returns never.
pub(super) async fn run<N: Namespace>(namespace: Arc<N>, settings: WorkerSettings, interval: Duration) {
    let settings = Arc::new(settings);
    let mut before = 0;
    loop {
        tokio::time::sleep(interval).await;
        if !namespace.is_primary() {
            continue;
        }
        // Who does not answer now is asked again.
        let Ok(missing) = look(namespace.as_ref(), &settings).await else { continue };
        if missing > 0 && missing != before {
            warn!("fewer copies of blocks than are wished missing={missing}");
        }
        before = missing;
    }
}

/// Goes through all files once; how many copies could not be made.
async fn look<N: Namespace>(namespace: &N, settings: &Arc<WorkerSettings>) -> Result<usize, FsError> {
    let ask = async |query| namespace.query(&Caller::default(), &query).await;
    let (mut after, mut missing, mut running) = (InodeId::NONE, 0, JoinSet::new());
    loop {
        let Answer::TooFewCopies { files, last } = ask(Query::TooFewCopies { after, limit: FILES_MAX }).await? else {
            return Ok(missing);
        };
        let workers = if files.is_empty() { Answer::Workers(Vec::new()) } else { ask(Query::Workers).await? };
        let Answer::Workers(mut workers) = workers else { return Ok(missing) };
        workers.retain(|worker| worker.state == WorkerState::Live);
        for order in files.iter().flat_map(|file| orders(file, &workers)) {
            let Some(order) = order else {
                missing += 1;
                continue;
            };
            while running.len() >= COPIES_MAX {
                missing += missing_after(running.join_next().await);
            }
            let settings = Arc::clone(settings);
            running.spawn(async move { order.carry_out(&settings).await });
        }
        let Some(last) = last else { break };
        after = last;
    }
    while !running.is_empty() {
        missing += missing_after(running.join_next().await);
    }
    Ok(missing)
}

/// How many copies are still missing when a task has ended; one that was cut short is one of a master that ends.
fn missing_after(ended: Option<Result<usize, JoinError>>) -> usize {
    ended.and_then(Result::ok).unwrap_or(0)
}

/// One copy that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Order {
    block: BlockStatus,
    target: WorkerAddress,
    /// Who has it; the target itself, when it comes from the UFS.
    source: WorkerAddress,
    ufs: UfsBlock,
}

/// The copies that a file lacks; none for each that no worker can hold.
fn orders(file: &TooFewCopies, workers: &[WorkerInfo]) -> Vec<Option<Order>> {
    let mut orders = Vec::new();
    for (index, block) in file.status.blocks.iter().enumerate() {
        let missing = file.copies.saturating_sub(block.locations.len());
        let ufs = in_ufs(&file.status, index);
        if missing == 0 || block.length == 0 || block.locations.is_empty() && ufs.path.is_none() {
            continue;
        }
        let holds = |worker: &WorkerInfo| block.locations.iter().any(|location| location.worker == worker.id);
        let mut targets: Vec<&WorkerInfo> =
            workers.iter().filter(|worker| !holds(worker) && capacity(worker) >= block.length).collect();
        // Who has most room is least likely to evict something for it.
        targets.sort_by_key(|worker| std::cmp::Reverse(free(worker)));
        let mut targets = targets.into_iter();
        for _ in 0..missing {
            orders.push(targets.next().map(|target| Order {
                block: block.clone(),
                target: target.address.clone(),
                source: block.locations.first().map_or_else(|| target.address.clone(), |held| held.address.clone()),
                ufs: ufs.clone(),
            }));
        }
    }
    orders
}

fn capacity(worker: &WorkerInfo) -> i64 {
    worker.capacity_bytes.values().sum()
}

fn free(worker: &WorkerInfo) -> i64 {
    capacity(worker) - worker.used_bytes.values().sum::<i64>()
}

/// Where block `index` is in the UFS; without a path when its file is not there.
fn in_ufs(status: &FileStatus, index: usize) -> UfsBlock {
    let path = (status.persistence == PersistenceState::Persisted).then(|| status.ufs_path.clone());
    UfsBlock {
        path,
        offset_in_file: index as i64 * status.block_size_bytes,
        length: status.blocks[index].length,
        mount_id: status.mount_id,
        keep: Keep::Copy,
    }
}

impl Order {
    /// How many copies are missing afterwards: none or one.
    async fn carry_out(&self, settings: &WorkerSettings) -> usize {
        let (block, worker) = (self.block.id, self.target.endpoint());
        match self.make(settings).await {
            Ok(()) => {
                info!("made a copy block={block} worker={worker}");
                0
            }
            Err(error) => {
                debug!("cannot make a copy block={block} worker={worker} reason={error}");
                1
            }
        }
    }

    async fn make(&self, settings: &WorkerSettings) -> Result<(), FsError> {
        let worker = Worker::connect(&self.target, settings).await?;
        let copied = worker.cache(self.block.id, self.block.length, &self.ufs, &self.source, Wait::ForTheCopy);
        let late = |_| FsError::new(ErrorKind::Unavailable, format!("it took longer than {} s", COPY_LIMIT.as_secs()));
        tokio::time::timeout(COPY_LIMIT, copied).await.map_err(late)?
    }
}

#[cfg(test)]
#[path = "replicate_tests.rs"]
pub(in crate::master::tasks) mod tests;
