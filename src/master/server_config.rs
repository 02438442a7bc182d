//! GetConfigReport: which properties are not the same at all masters and workers, as these tell.

use super::config_check::{Difference, Told, differences, is_wrong};
use super::ops::{Answer, Query};
use super::server::{Namespace, UserCall, mismatch};
use super::worker_call::WorkerState;
use crate::conf::{self, Consistency};
use crate::proto::alluxio::grpc::ConfigProperty;
use crate::proto::alluxio::grpc::meta::{
    ConfigCheckReport, ConfigStatus, GetConfigReportPResponse, InconsistentProperties, InconsistentProperty,
    InconsistentPropertyValues,
};
use crate::types::{FsError, WorkerId};
use log::debug;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::task::JoinSet;

/// What travels for a value that is not set (2.9.6 InconsistentProperty).
const NOT_SET: &str = "__Optional__";

/// What workers said of their configuration when they registered.
#[derive(Debug, Default)]
pub(super) struct WorkerConfigurations(Mutex<BTreeMap<WorkerId, Arc<Told>>>);

impl WorkerConfigurations {
    /// Keeps what has a rule; most workers are alike, and share one list.
    pub(super) fn keep(&self, worker: WorkerId, properties: Vec<ConfigProperty>) {
        let told: Told = told(properties);
        let mut kept = self.0.lock();
        let same = kept.values().find(|known| ***known == told).cloned();
        kept.insert(worker, same.unwrap_or_else(|| Arc::new(told)));
    }

    /// Those of the workers in `live`, by their addresses; the others are forgotten.
    fn of(&self, live: &BTreeMap<WorkerId, String>) -> Vec<(String, Arc<Told>)> {
        let mut kept = self.0.lock();
        kept.retain(|worker, _| live.contains_key(worker));
        kept.iter().filter_map(|(worker, told)| Some((live.get(worker)?.clone(), Arc::clone(told)))).collect()
    }
}

/// Properties as they travel, without those that may differ.
pub(super) fn told(properties: Vec<ConfigProperty>) -> Told {
    let pairs = properties.into_iter().map(|one| (one.name.unwrap_or_default(), one.value.unwrap_or_default()));
    pairs.filter(|(name, _)| conf::rule(name).is_some()).collect()
}

pub(super) async fn get_config_report<N: Namespace>(user: UserCall<N>) -> Result<GetConfigReportPResponse, FsError> {
    let server = &user.server;
    let mut servers = Vec::new();
    if let Some(cluster) = &server.cluster {
        servers.push((cluster.address.clone(), Arc::clone(&server.told)));
        let mut asking = JoinSet::new();
        for peer in cluster.masters.standbys().await {
            asking.spawn(async move {
                let properties = peer.configuration().await;
                (peer.address, properties)
            });
        }
        for (address, properties) in asking.join_all().await {
            match properties {
                Ok(properties) => servers.push((address, Arc::new(told(properties)))),
                Err(reason) => debug!("a master does not tell its configuration address={address} reason={reason}"),
            }
        }
    }
    let answer = user.query(Query::KnownWorkers).await?;
    let Answer::Workers(workers) = answer else { return Err(mismatch("GetConfigReport", &answer)) };
    let live = workers.into_iter().filter(|worker| worker.state == WorkerState::Live);
    let live = live.map(|worker| (worker.id, format!("{}:{}", worker.address.host, worker.address.rpc_port))).collect();
    servers.extend(server.worker_configurations.of(&live));
    let found = differences(servers.iter().map(|(address, told)| (address.as_str(), told.as_ref())));
    Ok(GetConfigReportPResponse { report: Some(sent(&found)) })
}

fn sent(found: &[Difference]) -> ConfigCheckReport {
    let status = match (found.is_empty(), is_wrong(found)) {
        (true, _) => ConfigStatus::Passed,
        (false, false) => ConfigStatus::Warn,
        (false, true) => ConfigStatus::Failed,
    };
    let of = |level: Consistency| {
        let mut scopes: HashMap<String, InconsistentProperties> = HashMap::new();
        for difference in found.iter().filter(|difference| difference.rule.level == level) {
            scopes.entry(difference.rule.scope.to_owned()).or_default().properties.push(property(difference));
        }
        scopes
    };
    ConfigCheckReport {
        errors: of(Consistency::Required),
        warns: of(Consistency::Recommended),
        status: Some(status.into()),
    }
}

fn property(difference: &Difference) -> InconsistentProperty {
    let values = difference.values.iter().map(|(value, servers)| {
        let value = if value.is_empty() { NOT_SET } else { value };
        (value.to_owned(), InconsistentPropertyValues { values: servers.clone() })
    });
    InconsistentProperty { name: Some(difference.name.clone()), values: values.collect() }
}
