//! The REST of a worker, and its figures for those who watch it.

use serde_json::{Map, Value, json};

use super::rest::{Answered, Call, Refusal, Reply, Rest};
use super::rest_log;
use super::rest_master::counters;
use super::watch::{Health, Watched};
use super::worker::WorkerSite;
use crate::metrics::{ProcessFigures, Shown, WorkerFigures};
use crate::types::time::wall_now;

impl Rest for WorkerSite {
    async fn answer(&self, call: &Call) -> Answered {
        let store = &self.worker.store;
        let (capacity, used) = store.usage_of_all();
        Ok(Reply::Json(match call.name.as_str() {
            "GET worker/configuration" => rest_log::configuration(&self.settings.conf),
            "GET worker/rpc_address" => json!(self.worker.address.endpoint()),
            "GET worker/capacity_bytes" => json!(capacity),
            "GET worker/used_bytes" => json!(used),
            "GET worker/capacity_bytes_on_tiers" => self.on_tiers(|(capacity, _)| *capacity),
            "GET worker/used_bytes_on_tiers" => self.on_tiers(|(_, used)| *used),
            "GET worker/directory_paths_on_tiers" => self.directories(),
            "GET worker/version" => json!(self.settings.conf.compatibility().release()),
            "GET worker/start_time_ms" => json!(self.started.0),
            "GET worker/uptime_ms" => json!(wall_now().0 - self.started.0),
            "GET worker/metrics" => json!(counters(store.counters().as_ref())),
            "GET worker/block/service_name" => json!("BlockWorkerClient"),
            "GET worker/block/service_version" => json!(1),
            // Calls and blocks on their way; none waits for a thread.
            "GET worker/operations" => json!({ "operationCount": self.worker.tasks.count(), "rpcQueueLength": 0 }),
            "POST worker/logLevel" => rest_log::level(&self.log, call),
            _ => return Err(Refusal::Unknown),
        }))
    }
}

impl WorkerSite {
    fn on_tiers(&self, bytes_of: fn(&(u64, u64)) -> u64) -> Value {
        let store = &self.worker.store;
        let tiers = store.settings().tier_aliases.iter().zip(store.usage());
        Value::Object(tiers.map(|(alias, usage)| (alias.clone(), json!(bytes_of(&usage)))).collect())
    }

    fn directories(&self) -> Value {
        let settings = self.worker.store.settings();
        let mut tiers: Map<String, Value> =
            settings.tier_aliases.iter().map(|alias| (alias.clone(), json!([]))).collect();
        for directory in &settings.directories {
            let paths = tiers.get_mut(&settings.tier_aliases[directory.tier]).and_then(Value::as_array_mut);
            if let Some(paths) = paths {
                paths.push(json!(directory.path.display().to_string()));
            }
        }
        Value::Object(tiers)
    }
}

impl Watched for WorkerSite {
    async fn shown(&self) -> Shown {
        let store = &self.worker.store;
        let (capacity, used) = store.usage_of_all();
        let figures = WorkerFigures {
            capacity_total: Some(capacity),
            capacity_used: Some(used),
            capacity_free: Some(capacity.saturating_sub(used)),
            blocks_held: Some(store.block_count() as u64),
            masters_registered: Some(self.worker.registrations.count() as u64),
        };
        let shown = Shown::default().add("worker", store.counters().as_ref()).add("worker", &figures);
        shown.add("process", &ProcessFigures::read())
    }

    /// It answers, so it does its work: nothing of it hangs on one loop.
    fn health(&self) -> Health {
        Health { is_well: true, role: "worker", reason: "" }
    }

    fn readiness(&self) -> Health {
        let is_well = self.worker.registrations.count() > 0;
        Health { is_well, role: "worker", reason: if is_well { "" } else { "no master knows it yet" } }
    }
}
