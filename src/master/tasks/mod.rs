//! Periodic work of a primary. Each task asks the namespace what there is to do and submits it like a client, so that
//! it is decided, journaled and answered like everything else; on a standby it finds nobody who answers.
//!
//! `ttl.rs`: what happens when a time to live has ended. `persist.rs`: what is to be written to the UFS, one file by
//! `persist_file.rs`.

mod persist;
mod persist_file;
mod ttl;

use super::server::Namespace;
use crate::rpc::worker::WorkerSettings;
use crate::ufs::UfsClients;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// How often.
#[derive(Debug, Clone, Copy)]
pub struct Intervals {
    /// `alluxio.master.ttl.checker.interval`
    pub ttl: Duration,
}

/// Starts all of it; whoever holds the set ends it.
pub fn start<N: Namespace>(
    namespace: &Arc<N>,
    intervals: Intervals,
    ufs: Arc<UfsClients>,
    workers: WorkerSettings,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(ttl::run(Arc::clone(namespace), intervals.ttl));
    tasks.spawn(persist::run(Arc::clone(namespace), ufs, workers));
    tasks
}
