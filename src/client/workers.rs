//! The workers that a client knows, and the channels that it has opened to them.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use rand::seq::SliceRandom;

use super::settings::DataSettings;
use crate::rpc::worker::Worker;
use crate::types::{FsError, WorkerAddress};

/// A live worker, as the master lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerInfo {
    /// Where it is.
    pub address: WorkerAddress,
    /// Bytes that it can hold.
    pub capacity_bytes: i64,
    /// Bytes that it holds.
    pub used_bytes: i64,
}

/// Open channels by address. A worker that fails is forgotten, so that the next use connects anew.
#[derive(Debug)]
pub(super) struct Workers {
    pub(super) settings: DataSettings,
    open: Mutex<BTreeMap<WorkerAddress, Worker>>,
}

impl Workers {
    pub(super) fn new(settings: DataSettings) -> Workers {
        Workers { settings, open: Mutex::default() }
    }

    /// A channel to the worker at `address`.
    pub(super) async fn connect(&self, address: &WorkerAddress) -> Result<Worker, FsError> {
        if let Some(worker) = self.open.lock().get(address) {
            return Ok(worker.clone());
        }
        let worker = Worker::connect(address, &self.settings.worker).await?;
        self.open.lock().insert(address.clone(), worker.clone());
        Ok(worker)
    }

    pub(super) fn forget(&self, address: &WorkerAddress) {
        self.open.lock().remove(address);
    }

    /// Whether blocks of the worker may be reached through the file system of this host.
    pub(super) fn has_short_cut(&self, address: &WorkerAddress) -> bool {
        self.settings.short_circuit && self.settings.place.is_local(address)
    }

    /// The nearest of the workers; among equals by chance, so that clients do not all choose the same.
    pub(super) fn nearest(&self, workers: impl IntoIterator<Item = WorkerAddress>) -> Option<WorkerAddress> {
        let mut workers: Vec<WorkerAddress> = workers.into_iter().collect();
        workers.shuffle(&mut rand::rng());
        self.settings.place.nearest(&workers.iter().collect::<Vec<_>>()).cloned()
    }
}
