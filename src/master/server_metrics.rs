//! MetricsMasterClientService: what this master and those around it have counted, by the names of 2.9.

use super::figures::{self, sum};
use super::ops::{Answer, Query};
use super::server::{Namespace, UserCall, mismatch, unsupported};
use super::worker_call::TierBytes;
use crate::metrics::{ClusterSums, Figure, Figures, Kind, MasterCounters, Reporter, Value, derived};
use crate::proto::alluxio::grpc::metric::{
    ClearMetricsPRequest, ClearMetricsPResponse, GetMetricsPOptions, GetMetricsPResponse, MetricValue,
    MetricsHeartbeatPRequest, MetricsHeartbeatPResponse,
};
use crate::proto::alluxio::grpc::{Metric, MetricType};
use crate::rpc::call::{self, Reply};
use crate::types::FsError;
use crate::types::time::{Boot, boot_now};
use log::info;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use tonic::body::Body;
use tonic::codegen::http;

/// Tiers that are told of, whether there are any (2.9.6 DefaultBlockMaster.Metrics).
const TIERS: [&str; 3] = ["MEM", "SSD", "HDD"];

/// The tag of 2.9 that names a UFS.
const UFS_TAG: &str = "UFS";

/// What others report, and from where this master counts.
#[derive(Debug)]
pub(super) struct Reported {
    sums: ClusterSums,
    cleared: Mutex<Cleared>,
}

/// When it was cleared, and what had been counted by then: counters themselves never go back, as Prometheus has it.
#[derive(Debug)]
struct Cleared {
    at: Boot,
    counted: BTreeMap<&'static str, i64>,
}

impl Default for Reported {
    fn default() -> Reported {
        let cleared = Cleared { at: boot_now(), counted: BTreeMap::new() };
        Reported { sums: ClusterSums::default(), cleared: Mutex::new(cleared) }
    }
}

impl Reported {
    /// Adds a report. Counters come as what was counted since the last one; all else is nobody's business here.
    pub(super) fn take(&self, reporter: Reporter, metrics: &[Metric]) {
        for metric in metrics.iter().filter(|metric| metric.metric_type() == MetricType::Counter) {
            let ufs = metric.tags.get(UFS_TAG).map(String::as_str);
            self.sums.add(reporter, metric.name(), ufs, metric.value());
        }
    }

    fn clear(&self, counters: &MasterCounters) {
        self.sums.clear();
        *self.cleared.lock() = Cleared { at: boot_now(), counted: counted(counters).collect() };
    }

    /// What was counted since it was cleared.
    fn since_cleared(&self, counters: &MasterCounters) -> (u64, Vec<(&'static str, i64)>) {
        let cleared = self.cleared.lock();
        let minutes = boot_now().since(cleared.at).as_secs() / 60;
        let since = |(name, count)| (name, count - cleared.counted.get(name).copied().unwrap_or_default());
        (minutes, counted(counters).map(since).collect())
    }
}

fn counted(counters: &MasterCounters) -> impl Iterator<Item = (&'static str, i64)> {
    counters.figures().into_iter().filter_map(|Figure { row, value }| match value {
        Value::Whole(count) => Some((row.name, count)),
        Value::Seconds(_) => None,
    })
}

/// The table of the service.
pub(super) fn route<N: Namespace>(user: UserCall<N>, request: http::Request<Body>) -> Reply {
    match call::method_of(&request) {
        Some((_, "MetricsHeartbeat")) => call::unary(request, |message: MetricsHeartbeatPRequest| async move {
            for client in message.options.unwrap_or_default().client_metrics {
                user.server.reported.take(Reporter::Client, &client.metrics);
            }
            Ok(MetricsHeartbeatPResponse {})
        }),
        Some((_, "ClearMetrics")) => call::unary(request, |_: ClearMetricsPRequest| async move {
            user.server.reported.clear(user.server.front.counters());
            info!("metrics were cleared");
            Ok(ClearMetricsPResponse {})
        }),
        Some((_, "GetMetrics")) => {
            call::unary(request, |_: GetMetricsPOptions| async move { get_metrics(&user).await })
        }
        Some((_, method)) => call::refuse(unsupported(method)),
        None => call::refuse_unknown(&request),
    }
}

async fn get_metrics<N: Namespace>(user: &UserCall<N>) -> Result<GetMetricsPResponse, FsError> {
    let server = &user.server;
    let mut metrics = Metrics::default();
    let (minutes, counted) = server.reported.since_cleared(server.front.counters());
    counted.iter().for_each(|(name, count)| metrics.counter(format!("Master.{name}"), *count));
    let counts = server.reported.sums.counts();
    for (name, rate) in derived(&counts, minutes) {
        metrics.gauge(name, rate);
    }
    counts.into_iter().for_each(|(name, count)| metrics.counter(name, count));
    for Figure { row, value } in server.namespace.figures().await.figures() {
        let number = match value {
            Value::Whole(number) => number as f64,
            Value::Seconds(seconds) => seconds,
        };
        match row.kind {
            Kind::Counter => metrics.counter(format!("Master.{}", row.name), number as i64),
            Kind::Gauge => metrics.gauge(name_of(row.name), number),
        }
    }
    if let Some(cluster) = &server.cluster {
        metrics.gauge("Master.StartTime".to_owned(), cluster.started.0 as f64);
    }
    of_workers(user, &mut metrics).await?;
    of_root_ufs(user, &mut metrics).await?;
    Ok(GetMetricsPResponse { metrics: metrics.0.into_iter().collect() })
}

/// What 2.9 calls a figure of ours.
fn name_of(name: &str) -> String {
    match name {
        "PathsTotal" => "Master.TotalPaths".to_owned(),
        "BlocksTotal" => "Master.UniqueBlocks".to_owned(),
        "CapacityTotal" | "CapacityUsed" | "CapacityFree" | "Workers" | "LostWorkers" => format!("Cluster.{name}"),
        other => format!("Master.{other}"),
    }
}

/// What is held on each tier, and how many copies there are.
async fn of_workers<N: Namespace>(user: &UserCall<N>, metrics: &mut Metrics) -> Result<(), FsError> {
    let answer = user.query(Query::KnownWorkers).await?;
    let Answer::Workers(workers) = answer else { return Err(mismatch("GetMetrics", &answer)) };
    let (capacity, used) = figures::tiers(&workers);
    let of = |tiers: &TierBytes, tier: &str| tiers.get(tier).copied().unwrap_or_default();
    for tier in TIERS {
        let (capacity, used) = (of(&capacity, tier), of(&used, tier));
        for (what, bytes) in [("Total", capacity), ("Used", used), ("Free", capacity.saturating_sub(used))] {
            metrics.gauge(format!("Cluster.Capacity{what}Tier{tier}"), bytes as f64);
        }
    }
    let (capacity, used) = (sum(&capacity), sum(&used));
    for (what, bytes) in [("Total", capacity), ("Used", used), ("Free", capacity.saturating_sub(used))] {
        metrics.gauge(format!("Cluster.Capacity{what}"), bytes as f64);
    }
    let copies: u64 = workers.iter().map(|worker| worker.blocks).sum();
    metrics.gauge("Master.BlockReplicaCount".to_owned(), copies as f64);
    Ok(())
}

/// How large the UFS of the root is, if it tells.
async fn of_root_ufs<N: Namespace>(user: &UserCall<N>, metrics: &mut Metrics) -> Result<(), FsError> {
    let answer = user.query(Query::MountTable).await?;
    let Answer::Mounts(mounts) = answer else { return Err(mismatch("GetMetrics", &answer)) };
    let Some(root) = mounts.iter().find(|mount| mount.path.is_root()) else { return Ok(()) };
    if let Some(space) = user.server.ufs_spaces.at(&root.ufs_path).read().await {
        for (what, bytes) in [("Total", space.capacity_bytes), ("Used", space.used_bytes), ("Free", space.free_bytes)] {
            metrics.gauge(format!("Cluster.RootUfsCapacity{what}"), bytes as f64);
        }
    }
    Ok(())
}

/// By name, as they travel.
#[derive(Default)]
struct Metrics(BTreeMap<String, MetricValue>);

impl Metrics {
    fn counter(&mut self, name: String, count: i64) {
        self.add(name, count as f64, MetricType::Counter);
    }

    fn gauge(&mut self, name: String, number: f64) {
        self.add(name, number, MetricType::Gauge);
    }

    fn add(&mut self, name: String, number: f64, kind: MetricType) {
        let value = MetricValue { double_value: Some(number), string_value: None, metric_type: Some(kind.into()) };
        self.0.insert(name, value);
    }
}
