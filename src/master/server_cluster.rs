//! Calls about the masters and their journal.

use std::sync::Arc;

use tonic::body::Body;
use tonic::codegen::http;

use super::masters::{Masters, Seen, SeenMaster};
use super::ops::{Answer, Query};
use super::server::{MasterServer, Namespace, UserCall, mismatch, unsupported};
use super::worker_call::WorkerState;
use crate::journal::folder::FEATURE_LEVEL;
use crate::proto::alluxio::grpc::meta::{
    GetMasterInfoPOptions, GetMasterInfoPResponse, MasterInfo, MasterInfoField, MasterVersion,
};
use crate::proto::alluxio::grpc::{ConfigProperty, NetAddress};
use crate::proto::alluxio_rs::master::{
    BackUpRequest, BackUpResponse, GetJournalPositionRequest, GetJournalPositionResponse, GetMastersRequest,
    GetMastersResponse, GetServerConfigurationRequest, GetServerConfigurationResponse, MasterStanding,
};
use crate::rpc::call::{self, Reply};
use crate::types::time::{Millis, wall_now};
use crate::types::{FsError, SequenceNumber};

/// The version that masters say they are of: clients of 2.9 compare it with theirs.
const VERSION: &str = "2.9.6";

/// What clients are told of the cluster that a master is in.
#[derive(Debug, Clone)]
pub struct ClusterFacts {
    /// All masters.
    pub masters: Masters,
    /// The journal folder as configured.
    pub journal: String,
    /// The cluster.
    pub cluster_id: String,
    /// Where this master serves, `host:port`.
    pub address: String,
    /// Of this process: the owner of the epochs that it claims.
    pub incarnation: String,
    /// Its web port.
    pub web_port: u16,
    /// The servers of ZooKeeper, `host:port` each.
    pub zookeeper: Vec<String>,
    /// When this process began.
    pub started: Millis,
}

/// MasterPeerService
pub(super) fn route_peer<N: Namespace>(server: Arc<MasterServer<N>>, request: http::Request<Body>) -> Reply {
    match call::method_of(&request) {
        Some((_, "GetJournalPosition")) => call::unary(request, |_: GetJournalPositionRequest| async move {
            Ok(GetJournalPositionResponse {
                position: Some(server.namespace.journal_position().0),
                feature_level: Some(FEATURE_LEVEL),
                incarnation: server.cluster.as_ref().map(|cluster| cluster.incarnation.clone()),
            })
        }),
        Some((_, "GetServerConfiguration")) => call::unary(request, |_: GetServerConfigurationRequest| async move {
            let property = |(name, value): &(String, String)| ConfigProperty {
                name: Some(name.clone()),
                source: None,
                value: Some(value.clone()),
            };
            Ok(GetServerConfigurationResponse { properties: server.told.iter().map(property).collect() })
        }),
        Some((_, "GetMasters")) => call::unary(request, |_: GetMastersRequest| async move {
            Ok(get_masters(facts(server.cluster.as_ref())?).await)
        }),
        Some((_, "BackUp")) => server.as_known(request, |user, request| {
            call::unary(request, |request: BackUpRequest| async move {
                let entries =
                    user.server.namespace.back_up_here(request.uri(), SequenceNumber(request.after())).await?;
                Ok(BackUpResponse { entries: Some(entries) })
            })
        }),
        _ => call::refuse_unknown(&request),
    }
}

fn facts(cluster: Option<&ClusterFacts>) -> Result<&ClusterFacts, FsError> {
    cluster.ok_or_else(|| unsupported("A call about the cluster"))
}

async fn get_masters(facts: &ClusterFacts) -> GetMastersResponse {
    let Seen { epoch, problem, masters, .. } = facts.masters.look().await;
    let usage = facts.masters.room().usage();
    GetMastersResponse {
        masters: masters.into_iter().map(standing).collect(),
        epoch: epoch.map(|node| node.epoch),
        problem: problem.map(|error| error.to_string()),
        journal: Some(facts.journal.clone()),
        journal_bytes: usage.map(|usage| usage.bytes),
        checkpoint_age_ms: usage.and_then(|usage| usage.checkpoint_age(wall_now())).map(|age| age.as_millis() as u64),
        disk_free_bytes: usage.and_then(|usage| usage.room).map(|room| room.free_bytes),
        read_only: facts.masters.room().check().err().map(|refusal| refusal.message),
    }
}

fn standing(SeenMaster { address, is_primary, position, lag, .. }: SeenMaster) -> MasterStanding {
    MasterStanding { address: Some(address), primary: Some(is_primary), position, lag }
}

// Compatible: 2.9 MetaMasterClientServiceHandler.getMasterInfo: all fields where none is named.
pub(super) async fn get_master_info<N: Namespace>(
    user: UserCall<N>,
    options: GetMasterInfoPOptions,
) -> Result<GetMasterInfoPResponse, FsError> {
    let facts = facts(user.server.cluster.as_ref())?;
    let fields: Vec<MasterInfoField> = options.filter().collect();
    let asked = |field| fields.is_empty() || fields.contains(&field);
    use MasterInfoField as Field;
    let mut info = MasterInfo {
        leader_master_address: asked(Field::LeaderMasterAddress).then(|| unresolved(&facts.address)),
        rpc_port: net_address(&facts.address).rpc_port.filter(|_| asked(Field::RpcPort)),
        safe_mode: asked(Field::SafeMode).then_some(false),
        start_time_ms: asked(Field::StartTimeMs).then_some(facts.started.0),
        up_time_ms: asked(Field::UpTimeMs).then(|| wall_now().0 - facts.started.0),
        version: asked(Field::Version).then(|| VERSION.to_owned()),
        web_port: asked(Field::WebPort).then(|| facts.web_port.into()),
        cluster_id: asked(Field::ClusterId).then(|| facts.cluster_id.clone()),
        raft_journal: asked(Field::RaftJournal).then_some(false),
        ..MasterInfo::default()
    };
    if asked(Field::ZookeeperAddresses) {
        info.zookeeper_addresses = facts.zookeeper.clone();
    }
    if asked(Field::MasterAddresses) || asked(Field::MasterVersion) {
        let mut masters = facts.masters.look().await.masters;
        masters.sort_by_key(|master| !master.is_primary);
        if asked(Field::MasterAddresses) {
            info.master_addresses = masters.iter().map(|master| net_address(&master.address)).collect();
        }
        if asked(Field::MasterVersion) {
            info.master_versions = masters.iter().map(version_of).collect();
        }
    }
    if asked(Field::WorkerAddresses) {
        let answer = user.query(Query::Workers).await?;
        let Answer::Workers(workers) = answer else { return Err(mismatch("the question for workers", &answer)) };
        let live = workers.into_iter().filter(|worker| worker.state == WorkerState::Live);
        info.worker_addresses = live
            .map(|worker| NetAddress {
                host: Some(worker.address.host),
                rpc_port: Some(worker.address.rpc_port.into()),
            })
            .collect();
    }
    Ok(GetMasterInfoPResponse { master_info: Some(info) })
}

fn version_of(master: &SeenMaster) -> MasterVersion {
    let state = if master.is_primary { "PRIMARY" } else { "STANDBY" };
    MasterVersion {
        addresses: Some(net_address(&master.address)),
        version: Some(VERSION.to_owned()),
        state: Some(state.to_owned()),
    }
}

/// An address as Java shows one whose name it has not looked up.
// Compatible: 2.9.6 DefaultMetaMaster.getRpcAddress; tests/shell, fsadmin.
fn unresolved(address: &str) -> String {
    match address.rsplit_once(':') {
        Some((host, port)) => format!("{host}/<unresolved>:{port}"),
        None => address.to_owned(),
    }
}

/// Of `host:port`.
fn net_address(address: &str) -> NetAddress {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, ""));
    NetAddress { host: Some(host.to_owned()), rpc_port: port.parse().ok() }
}
