//! Periodic work of a primary. Each task asks the namespace what there is to do and submits it like a client, so that
//! it is decided, journaled and answered like everything else; on a standby it finds nobody who answers.
//!
//! `ttl.rs`: what happens when a time to live has ended. `persist.rs`: what is to be written to the UFS, one file by
//! `persist_file.rs`. `sweep.rs`: what such work has left there.
//! `replicate.rs`: copies that are missing. `daily_backup.rs`: a backup each day. `access_times.rs`: what was read when.

pub mod access_times;
mod daily_backup;
mod persist;
mod persist_file;
mod replicate;
mod sweep;
mod ttl;

pub use daily_backup::DailyBackup;

use super::front::Front;
use super::server::Namespace;
use crate::rpc::worker::WorkerSettings;
use crate::ufs::UfsClients;
use std::sync::Arc;
use std::time::Duration;
use sweep::InUse;
use tokio::task::JoinSet;

/// How often.
#[derive(Debug, Clone, Copy)]
pub struct Intervals {
    /// `alluxio.master.ttl.checker.interval`
    pub ttl: Duration,
    /// `alluxio.master.replication.check.interval`
    pub replication: Duration,
    /// Between two looks for what is left in UFSes.
    pub sweep: Duration,
}

/// Starts all of it; whoever holds the set ends it.
pub fn start<N: Namespace>(
    front: &Front<N>,
    intervals: Intervals,
    daily_backup: Option<DailyBackup>,
    ufs: Arc<UfsClients>,
    workers: WorkerSettings,
) -> JoinSet<()> {
    let (namespace, mut tasks) = (front.namespace(), JoinSet::new());
    if let Some(daily) = daily_backup {
        tasks.spawn(daily_backup::run(Arc::clone(namespace), Arc::clone(&ufs), daily));
    }
    tasks.spawn(access_times::run(Arc::clone(namespace), Arc::clone(front.access_times())));
    tasks.spawn(ttl::run(Arc::clone(namespace), intervals.ttl));
    let in_use = InUse::default();
    tasks.spawn(sweep::run(Arc::clone(namespace), Arc::clone(&ufs), in_use.clone(), intervals.sweep));
    tasks.spawn(replicate::run(Arc::clone(namespace), workers.clone(), intervals.replication));
    tasks.spawn(persist::run(Arc::clone(namespace), ufs, workers, in_use));
    tasks
}
