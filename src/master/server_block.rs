//! BlockMasterClientService: what clients ask about blocks and workers.

use std::collections::HashMap;

use log::info;
use tonic::body::Body;
use tonic::codegen::http;

use super::figures::{self, sum};
use super::ops::{Answer, Query};
use super::server::{Namespace, UserCall, mismatch, unsupported};
use super::worker_call::{TierBytes, WorkerCall, WorkerInfo, WorkerState};
use crate::proto::alluxio::grpc::BuildVersion;
use crate::proto::alluxio::grpc::block::{
    self, BlockMasterInfo, BlockMasterInfoField, DecommissionWorkerPOptions, DecommissionWorkerPResponse,
    GetBlockInfoPRequest, GetBlockInfoPResponse, GetBlockMasterInfoPOptions, GetBlockMasterInfoPResponse,
    GetCapacityBytesPOptions, GetCapacityBytesPResponse, GetUsedBytesPOptions, GetUsedBytesPResponse,
    GetWorkerInfoListPOptions, GetWorkerInfoListPResponse, GetWorkerLostStoragePOptions, GetWorkerLostStoragePResponse,
    GetWorkerReportPOptions, RemoveDisabledWorkerPOptions, RemoveDisabledWorkerPResponse, StorageList, WorkerInfoField,
    WorkerLostStorageInfo, WorkerRange,
};
use crate::proto::convert;
use crate::rpc::call::{self, Reply};
use crate::types::{BlockId, ErrorKind, FsError};

/// The table of the service.
pub(super) fn route<N: Namespace>(user: UserCall<N>, request: http::Request<Body>) -> Reply {
    let Some((_, method)) = call::method_of(&request) else { return call::refuse_unknown(&request) };
    match method {
        "GetBlockInfo" => call::unary(request, |message| user.get_block_info(message)),
        "GetWorkerInfoList" => call::unary(request, |message| user.get_worker_info_list(message)),
        "GetWorkerReport" => call::unary(request, |message| user.get_worker_report(message)),
        "GetWorkerLostStorage" => call::unary(request, |message| user.get_worker_lost_storage(message)),
        "GetCapacityBytes" => call::unary(request, |message| user.get_capacity_bytes(message)),
        "GetUsedBytes" => call::unary(request, |message| user.get_used_bytes(message)),
        "DecommissionWorker" => call::unary(request, |message| user.decommission_worker(message)),
        "RemoveDisabledWorker" => call::unary(request, |message| user.remove_disabled_worker(message)),
        "GetBlockMasterInfo" => call::unary(request, |message| user.get_block_master_info(message)),
        other => call::refuse(unsupported(other)),
    }
}

impl<N: Namespace> UserCall<N> {
    async fn get_block_info(self, request: GetBlockInfoPRequest) -> Result<GetBlockInfoPResponse, FsError> {
        let answer = self.query(Query::BlockInfo { block: BlockId(request.block_id()) }).await?;
        let Answer::Block(status) = answer else { return Err(mismatch("GetBlockInfo", &answer)) };
        Ok(GetBlockInfoPResponse { block_info: Some(convert::block_to_proto(status)) })
    }

    async fn get_worker_info_list(self, _: GetWorkerInfoListPOptions) -> Result<GetWorkerInfoListPResponse, FsError> {
        let workers = self.workers(Query::Workers, |worker| worker.state == WorkerState::Live).await?;
        Ok(GetWorkerInfoListPResponse { worker_infos: workers.into_iter().map(|worker| sent(worker, &[])).collect() })
    }

    async fn get_worker_report(self, options: GetWorkerReportPOptions) -> Result<GetWorkerInfoListPResponse, FsError> {
        let range = options.worker_range.map_or(WorkerRange::All, |_| options.worker_range());
        let named = |worker: &WorkerInfo| options.addresses.iter().any(|name| is_called(worker, name));
        let is_asked_for = |worker: &WorkerInfo| match range {
            WorkerRange::All => true,
            WorkerRange::Live => worker.state == WorkerState::Live,
            WorkerRange::Lost => worker.state == WorkerState::Lost,
            WorkerRange::Specified => named(worker),
            WorkerRange::Decommissioned => worker.state.is_decommissioned(),
        };
        let fields: Vec<WorkerInfoField> = options.field_ranges().collect();
        let mut workers = self.workers(Query::Workers, |_| true).await?;
        if range == WorkerRange::Specified {
            refuse_unknown(&options.addresses, &workers)?;
        }
        workers.retain(is_asked_for);
        let worker_infos = workers.into_iter().map(|worker| sent(worker, &fields)).collect();
        Ok(GetWorkerInfoListPResponse { worker_infos })
    }

    async fn get_worker_lost_storage(
        self,
        _: GetWorkerLostStoragePOptions,
    ) -> Result<GetWorkerLostStoragePResponse, FsError> {
        // Compatible: 2.9.6 DefaultBlockMaster.getWorkerLostStorage, of those that are there.
        let is_asked_for = |worker: &WorkerInfo| worker.state == WorkerState::Live && !worker.lost_storage.is_empty();
        let workers = self.workers(Query::KnownWorkers, is_asked_for).await?;
        let lost = workers.into_iter().map(|worker| WorkerLostStorageInfo {
            address: Some(convert::worker_address_to_proto(worker.address)),
            lost_storage: (worker.lost_storage.into_iter())
                .map(|(tier, storage)| (tier, StorageList { storage }))
                .collect(),
        });
        Ok(GetWorkerLostStoragePResponse { worker_lost_storage_info: lost.collect() })
    }

    async fn get_capacity_bytes(self, _: GetCapacityBytesPOptions) -> Result<GetCapacityBytesPResponse, FsError> {
        Ok(GetCapacityBytesPResponse { bytes: Some(sum(&self.capacity().await?.0)) })
    }

    async fn get_used_bytes(self, _: GetUsedBytesPOptions) -> Result<GetUsedBytesPResponse, FsError> {
        Ok(GetUsedBytesPResponse { bytes: Some(sum(&self.capacity().await?.1)) })
    }

    async fn get_block_master_info(
        self,
        options: GetBlockMasterInfoPOptions,
    ) -> Result<GetBlockMasterInfoPResponse, FsError> {
        let workers = self.workers(Query::KnownWorkers, |_| true).await?;
        let count = |state| workers.iter().filter(|worker| worker.state == state).count() as i32;
        let (live, lost) = (count(WorkerState::Live), count(WorkerState::Lost));
        let (capacity, used) = figures::tiers(&workers);
        let mut info = BlockMasterInfo::default();
        let fields: Vec<BlockMasterInfoField> = options.filters().collect();
        let asked = |field| fields.is_empty() || fields.contains(&field);
        use BlockMasterInfoField as Field;
        info.capacity_bytes = asked(Field::CapacityBytes).then(|| sum(&capacity));
        info.used_bytes = asked(Field::UsedBytes).then(|| sum(&used));
        info.free_bytes = asked(Field::FreeBytes).then(|| sum(&capacity) - sum(&used));
        info.live_worker_num = asked(Field::LiveWorkerNum).then_some(live);
        info.lost_worker_num = asked(Field::LostWorkerNum).then_some(lost);
        info.decommissioned_worker_num = asked(Field::DecommissionedWorkerNum)
            .then(|| workers.iter().filter(|worker| worker.state.is_decommissioned()).count() as i32);
        if asked(Field::CapacityBytesOnTiers) {
            info.capacity_bytes_on_tiers = capacity.into_iter().collect();
        }
        if asked(Field::UsedBytesOnTiers) {
            info.used_bytes_on_tiers = used.into_iter().collect();
        }
        Ok(GetBlockMasterInfoPResponse { block_master_info: Some(info) })
    }

    // Compatible: 2.9.6 lets everybody do it.
    async fn decommission_worker(
        self,
        request: DecommissionWorkerPOptions,
    ) -> Result<DecommissionWorkerPResponse, FsError> {
        let disable = !request.can_register_again();
        let (host, web_port) = (request.worker_hostname, web_port(request.worker_web_port)?);
        self.server.namespace.worker(WorkerCall::Decommission { host: host.clone(), web_port, disable }).await?;
        info!("a worker was decommissioned address={host}:{web_port} may_register_again={}", !disable);
        Ok(DecommissionWorkerPResponse {})
    }

    async fn remove_disabled_worker(
        self,
        request: RemoveDisabledWorkerPOptions,
    ) -> Result<RemoveDisabledWorkerPResponse, FsError> {
        let (host, web_port) = (request.worker_hostname, web_port(request.worker_web_port)?);
        self.server.namespace.worker(WorkerCall::Enable { host: host.clone(), web_port }).await?;
        info!("a worker may register again address={host}:{web_port}");
        Ok(RemoveDisabledWorkerPResponse {})
    }

    /// Answers `Workers`, which refuses in safe mode, because not all may be there yet, or `KnownWorkers`.
    async fn workers(
        &self,
        query: Query,
        is_asked_for: impl Fn(&WorkerInfo) -> bool,
    ) -> Result<Vec<WorkerInfo>, FsError> {
        let answer = self.query(query).await?;
        let Answer::Workers(mut workers) = answer else { return Err(mismatch("the question for workers", &answer)) };
        workers.retain(is_asked_for);
        Ok(workers)
    }

    /// Capacity, and what of it is used.
    async fn capacity(&self) -> Result<(TierBytes, TierBytes), FsError> {
        // Compatible: 2.9.6 DefaultBlockMaster.getCapacityBytes, in safe mode, too.
        Ok(figures::tiers(&self.workers(Query::KnownWorkers, |_| true).await?))
    }
}

fn web_port(port: Option<i64>) -> Result<u16, FsError> {
    let port = port.unwrap_or_default();
    u16::try_from(port).map_err(|_| FsError::new(ErrorKind::InvalidArgument, format!("{port} is not a port")))
}

fn is_called(worker: &WorkerInfo, name: &str) -> bool {
    worker.address.host == name || worker.address.endpoint() == name
}

// Compatible: 2.9.6 DefaultBlockMaster.getWorkerReport.
fn refuse_unknown(names: &[String], workers: &[WorkerInfo]) -> Result<(), FsError> {
    let unknown: Vec<&str> =
        names.iter().filter(|name| !workers.iter().any(|one| is_called(one, name))).map(String::as_str).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let mut known: Vec<&str> = workers.iter().map(|worker| worker.address.host.as_str()).collect();
    known.sort_unstable();
    let (unknown, known) = (unknown.join(", "), known.join(", "));
    let text = format!("Unrecognized worker names: [{unknown}]\nSupported worker names: [{known}]\n");
    Err(FsError::new(ErrorKind::InvalidArgument, text))
}

/// A worker with the fields that are asked for; all of them when none is named.
// Compatible: 2.9.6 WorkerState, the texts.
fn sent(worker: WorkerInfo, fields: &[WorkerInfoField]) -> block::WorkerInfo {
    use WorkerInfoField as Field;
    let asked = |field| fields.is_empty() || fields.contains(&field);
    let state = match worker.state {
        WorkerState::Live => "ACTIVE",
        WorkerState::Lost => "LOST",
        WorkerState::Decommissioned => "Decommissioned",
        WorkerState::Disabled => "Disabled",
    };
    let tiers = |field, tiers: &TierBytes| -> HashMap<String, i64> {
        if asked(field) { tiers.clone().into_iter().collect() } else { HashMap::new() }
    };
    let (version, revision) = worker.build;
    block::WorkerInfo {
        id: asked(Field::Id).then_some(worker.id.0),
        last_contact_sec: asked(Field::LastContactSec)
            .then(|| i32::try_from(worker.last_contact_s).unwrap_or(i32::MAX)),
        state: asked(Field::State).then(|| state.to_owned()),
        capacity_bytes: asked(Field::WorkerCapacityBytes).then(|| sum(&worker.capacity_bytes)),
        used_bytes: asked(Field::WorkerUsedBytes).then(|| sum(&worker.used_bytes)),
        start_time_ms: asked(Field::StartTimeMs).then_some(worker.start_time.0),
        capacity_bytes_on_tiers: tiers(Field::WorkerCapacityBytesOnTiers, &worker.capacity_bytes),
        used_bytes_on_tiers: tiers(Field::WorkerUsedBytesOnTiers, &worker.used_bytes),
        build_version: asked(Field::BuildVersion)
            .then_some(BuildVersion { version: Some(version), revision: Some(revision) }),
        num_v_cpu: asked(Field::NumVcpu).then_some(worker.vcpus),
        address: asked(Field::Address).then(|| convert::worker_address_to_proto(worker.address)),
    }
}
