//! The calls about blocks and workers as a whole.

use super::file_system::FileSystem;
use super::workers::WorkerInfo;
use crate::proto::alluxio::grpc::BlockInfo;
use crate::proto::alluxio::grpc::block::block_master_client_service_client::BlockMasterClientServiceClient;
use crate::proto::alluxio::grpc::block::block_worker_client::BlockWorkerClient;
use crate::proto::alluxio::grpc::block::{
    self as grpc, ClearMetricsRequest, DecommissionWorkerPOptions, FreeWorkerRequest, GetBlockInfoPRequest,
    GetCapacityBytesPOptions, GetUsedBytesPOptions, GetWorkerInfoListPOptions, GetWorkerLostStoragePOptions,
    GetWorkerReportPOptions, RemoveDisabledWorkerPOptions, WorkerInfoField, WorkerLostStorageInfo, WorkerRange,
};
use crate::proto::convert::{block_from_proto, worker_address_from_proto};
use crate::rpc::MESSAGE_BYTES_MAX;
use crate::rpc::channel::{self, Connection};
use crate::rpc::retry::ClientError;
use crate::rpc::status;
use crate::types::{BlockId, BlockStatus, ErrorKind, FsError, WorkerAddress};

impl FileSystem {
    /// All live workers.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]. A master that has just begun to lead is waited for until it knows its workers.
    pub async fn workers(&self) -> Result<Vec<WorkerInfo>, ClientError> {
        let call = async |connection| client(connection).get_worker_info_list(GetWorkerInfoListPOptions {}).await;
        let infos = self.caller.call(call).await?.into_inner().worker_infos;
        let info = |info: grpc::WorkerInfo| WorkerInfo {
            capacity_bytes: info.capacity_bytes(),
            used_bytes: info.used_bytes(),
            address: worker_address_from_proto(info.address.unwrap_or_default()),
        };
        Ok(infos.into_iter().map(info).collect())
    }

    /// The addresses of all workers, lost ones too.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn all_workers(&self) -> Result<Vec<WorkerAddress>, ClientError> {
        let options = GetWorkerReportPOptions {
            field_ranges: vec![WorkerInfoField::Address.into()],
            worker_range: Some(WorkerRange::All.into()),
            ..GetWorkerReportPOptions::default()
        };
        let infos = self.worker_report(&options).await?.into_iter();
        Ok(infos.map(|info| worker_address_from_proto(info.address.unwrap_or_default())).collect())
    }

    /// The workers that `options` name, with what these ask for, as it travels.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; a worker that is named is not known.
    pub async fn worker_report(&self, options: &GetWorkerReportPOptions) -> Result<Vec<grpc::WorkerInfo>, ClientError> {
        let call = |connection| {
            let options = options.clone();
            async move { client(connection).get_worker_report(options).await }
        };
        Ok(self.caller.call(call).await?.into_inner().worker_infos)
    }

    /// The live workers that have lost directories of theirs.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn lost_storage(&self) -> Result<Vec<WorkerLostStorageInfo>, ClientError> {
        let call = async |connection| client(connection).get_worker_lost_storage(GetWorkerLostStoragePOptions {}).await;
        Ok(self.caller.call(call).await?.into_inner().worker_lost_storage_info)
    }

    /// Has the worker at `address` drop all its blocks.
    ///
    /// # Errors
    /// It cannot be asked, or cannot drop them.
    pub async fn free_worker(&self, address: &WorkerAddress) -> Result<(), ClientError> {
        let freed = self.worker_at(address).await?.free_worker(FreeWorkerRequest {}).await;
        Ok(freed.map(drop).map_err(status::from_status)?)
    }

    /// Has the worker at `address` count from nothing.
    ///
    /// # Errors
    /// It cannot be asked.
    pub async fn clear_metrics_of_worker(&self, address: &WorkerAddress) -> Result<(), ClientError> {
        let cleared = self.worker_at(address).await?.clear_metrics(ClearMetricsRequest {}).await;
        Ok(cleared.map(drop).map_err(status::from_status)?)
    }

    /// Has no more blocks come to the worker with this host and web port; if `disable`, not even when it registers anew.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; there is no such worker.
    pub async fn decommission_worker(&self, host: &str, web_port: u16, disable: bool) -> Result<(), ClientError> {
        let options = DecommissionWorkerPOptions {
            worker_hostname: host.to_owned(),
            worker_web_port: Some(web_port.into()),
            can_register_again: Some(!disable),
        };
        let call = |connection| {
            let options = options.clone();
            async move { client(connection).decommission_worker(options).await }
        };
        self.caller.call(call).await.map(drop)
    }

    /// Lets that worker register anew.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn enable_worker(&self, host: &str, web_port: u16) -> Result<(), ClientError> {
        let options =
            RemoveDisabledWorkerPOptions { worker_hostname: host.to_owned(), worker_web_port: Some(web_port.into()) };
        let call = |connection| {
            let options = options.clone();
            async move { client(connection).remove_disabled_worker(options).await }
        };
        self.caller.call(call).await.map(drop)
    }

    async fn worker_at(&self, address: &WorkerAddress) -> Result<BlockWorkerClient<Connection>, ClientError> {
        let channel = &self.workers.settings.worker.channel;
        let connection = channel::open_authenticated(&address.endpoint(), channel).await.map_err(FsError::from)?;
        Ok(BlockWorkerClient::new(connection))
    }

    /// Where the block `id` is now.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn block(&self, id: BlockId) -> Result<BlockStatus, ClientError> {
        Ok(block_from_proto(self.block_info_of(id).await?))
    }

    /// The same, as it travels.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn block_info_of(&self, id: BlockId) -> Result<BlockInfo, ClientError> {
        let request = GetBlockInfoPRequest { block_id: Some(id.0), options: None };
        let call = async |connection| client(connection).get_block_info(request).await;
        let lacks = || FsError::new(ErrorKind::Internal, "the answer to GetBlockInfo lacks the block");
        Ok(self.caller.call(call).await?.into_inner().block_info.ok_or_else(lacks)?)
    }

    /// Bytes that all workers can hold.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn capacity_bytes(&self) -> Result<i64, ClientError> {
        let call = async |connection| client(connection).get_capacity_bytes(GetCapacityBytesPOptions {}).await;
        Ok(self.caller.call(call).await?.into_inner().bytes())
    }

    /// Bytes that all workers hold.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn used_bytes(&self) -> Result<i64, ClientError> {
        let call = async |connection| client(connection).get_used_bytes(GetUsedBytesPOptions {}).await;
        Ok(self.caller.call(call).await?.into_inner().bytes())
    }
}

fn client(connection: Connection) -> BlockMasterClientServiceClient<Connection> {
    BlockMasterClientServiceClient::new(connection).max_decoding_message_size(MESSAGE_BYTES_MAX)
}
