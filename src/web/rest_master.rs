//! The REST of a master: what it is, its figures, blocks and workers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::master::{MasterSite, mismatch};
use super::rest::{Answered, Call, Refusal, Reply, Rest};
use super::rest_shape::{self, UNKNOWN};
use super::{rest_files, rest_log};
use crate::master::figures::{self, sum};
use crate::master::ops::{Answer, Query};
use crate::master::ufs_space::Space;
use crate::master::worker_call::{TierBytes, WorkerInfo, WorkerState};
use crate::metrics::{Figures, Kind, Value as Figure};
use crate::types::time::wall_now;
use crate::types::{BlockId, FsError};

impl Rest for MasterSite {
    async fn answer(&self, call: &Call) -> Answered {
        let answer = match call.name.as_str() {
            "GET master/configuration" => rest_log::configuration(&self.settings.conf),
            "GET master/rpc_address" => json!(self.master.cluster.address),
            "GET master/metrics" => metrics(self).await,
            "GET master/start_time_ms" => json!(self.started.0),
            "GET master/uptime_ms" => json!(wall_now().0 - self.started.0),
            "GET master/version" => json!(self.settings.conf.compatibility().release()),
            "GET master/capacity_bytes" => json!(sum(&totals(self).await?.0)),
            "GET master/used_bytes" => json!(sum(&totals(self).await?.1)),
            "GET master/free_bytes" => {
                let (capacity, used) = totals(self).await?;
                json!(sum(&capacity).saturating_sub(sum(&used)))
            }
            "GET master/ufs_capacity_bytes" => ufs_space(self, |space| space.capacity_bytes).await,
            "GET master/ufs_used_bytes" => ufs_space(self, |space| space.used_bytes).await,
            "GET master/ufs_free_bytes" => ufs_space(self, |space| space.free_bytes).await,
            "GET master/capacity_bytes_on_tiers" => json!(totals(self).await?.0),
            "GET master/used_bytes_on_tiers" => json!(totals(self).await?.1),
            "GET master/worker_count" => json!(live(self).await?.len()),
            "GET master/worker_info_list" => Value::Array(live(self).await?.iter().map(rest_shape::worker).collect()),
            "GET master/block/service_name" => json!("BlockMasterClient"),
            "GET master/file/service_name" => json!("FileSystemMasterClient"),
            "GET master/block/service_version" | "GET master/file/service_version" => json!(1),
            "GET master/block/block_info" => {
                let block = call.number("blockId")?;
                let block = block.ok_or_else(|| Refusal::Failed("required 'blockId' parameter is missing".into()))?;
                let answer = self.ask(Query::BlockInfo { block: BlockId(block) }).await?;
                let Answer::Block(status) = answer else { return Err(mismatch(&answer).into()) };
                rest_shape::block(&status)
            }
            "GET master/state_digest" => state_digest(self).await?,
            "POST master/logLevel" => rest_log::level(&self.log, call),
            _ => return rest_files::answer(self, call).await,
        };
        Ok(Reply::Json(answer))
    }
}

// Compatible: 1.2.0: the counters, and one gauge under its whole name.
async fn metrics(site: &MasterSite) -> Value {
    let now = figures::read(&site.master.handle).await;
    let mut all = counters(site.master.front.counters().as_ref());
    if let Some(pinned) = now.files_pinned {
        all.insert("master.FilesPinned".to_owned(), json!(pinned));
    }
    json!(all)
}

/// The counters of a table by their names.
pub(super) fn counters(table: &impl Figures) -> BTreeMap<String, Value> {
    let counters = table.figures().into_iter().filter(|figure| figure.row.kind == Kind::Counter);
    let counted = counters.map(|figure| match figure.value {
        Figure::Whole(count) => (figure.row.name.to_owned(), json!(count)),
        Figure::Seconds(seconds) => (figure.row.name.to_owned(), json!(seconds)),
    });
    counted.collect()
}

/// One number for the whole state, to compare masters at the same record.
async fn state_digest(site: &MasterSite) -> Result<Value, Refusal> {
    let _turn = site.digesting.lock().await;
    let settled = figures::settled_state(&site.master.handle);
    let (position, state) = settled.ok_or_else(|| Refusal::Failed("records are under way: ask again".to_owned()))?;
    let digest = tokio::task::spawn_blocking(move || state.digest()).await;
    let digest = digest.map_err(|error| Refusal::Failed(error.to_string()))?;
    Ok(json!({ "position": position.0, "digest": format!("{digest:016x}") }))
}

async fn ufs_space(site: &MasterSite, bytes: fn(Space) -> i64) -> Value {
    json!(site.master.ufs_space.read().await.map_or(UNKNOWN, bytes))
}

async fn live(site: &MasterSite) -> Result<Vec<WorkerInfo>, FsError> {
    let answer = site.ask(Query::Workers).await?;
    let Answer::Workers(mut workers) = answer else { return Err(mismatch(&answer)) };
    workers.retain(|worker| worker.state == WorkerState::Live);
    Ok(workers)
}

async fn totals(site: &MasterSite) -> Result<(TierBytes, TierBytes), FsError> {
    Ok(figures::tiers(&live(site).await?))
}
