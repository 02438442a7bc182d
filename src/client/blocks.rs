//! The calls about blocks and workers as a whole.

use super::file_system::FileSystem;
use super::workers::WorkerInfo;
use crate::proto::alluxio::grpc::block::block_master_client_service_client::BlockMasterClientServiceClient;
use crate::proto::alluxio::grpc::block::block_worker_client::BlockWorkerClient;
use crate::proto::alluxio::grpc::block::{
    FreeWorkerRequest, GetBlockInfoPRequest, GetCapacityBytesPOptions, GetUsedBytesPOptions, GetWorkerInfoListPOptions,
    GetWorkerReportPOptions, WorkerInfoField, WorkerRange,
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
        let info = |info: crate::proto::alluxio::grpc::block::WorkerInfo| WorkerInfo {
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
        let call = |connection| {
            let options = options.clone();
            async move { client(connection).get_worker_report(options).await }
        };
        let infos = self.caller.call(call).await?.into_inner().worker_infos;
        Ok(infos.into_iter().map(|info| worker_address_from_proto(info.address.unwrap_or_default())).collect())
    }

    /// Has the worker at `address` drop all its blocks.
    ///
    /// # Errors
    /// It cannot be asked, or cannot drop them.
    pub async fn free_worker(&self, address: &WorkerAddress) -> Result<(), ClientError> {
        let channel = &self.workers.settings.worker.channel;
        let connection = channel::open_authenticated(&address.endpoint(), channel).await.map_err(FsError::from)?;
        let freed = BlockWorkerClient::new(connection).free_worker(FreeWorkerRequest {}).await;
        Ok(freed.map(drop).map_err(status::from_status)?)
    }

    /// Where the block `id` is now.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn block(&self, id: BlockId) -> Result<BlockStatus, ClientError> {
        let request = GetBlockInfoPRequest { block_id: Some(id.0), options: None };
        let call = async |connection| client(connection).get_block_info(request).await;
        let lacks = || FsError::new(ErrorKind::Internal, "the answer to GetBlockInfo lacks the block");
        let info = self.caller.call(call).await?.into_inner().block_info.ok_or_else(lacks)?;
        Ok(block_from_proto(info))
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
