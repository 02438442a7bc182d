//! The calls about blocks and workers as a whole.

use super::file_system::FileSystem;
use super::workers::WorkerInfo;
use crate::proto::alluxio::grpc::block::block_master_client_service_client::BlockMasterClientServiceClient;
use crate::proto::alluxio::grpc::block::{
    GetBlockInfoPRequest, GetCapacityBytesPOptions, GetUsedBytesPOptions, GetWorkerInfoListPOptions,
};
use crate::proto::convert::{block_from_proto, worker_address_from_proto};
use crate::rpc::MESSAGE_BYTES_MAX;
use crate::rpc::channel::Connection;
use crate::rpc::retry::ClientError;
use crate::types::{BlockId, BlockStatus, ErrorKind, FsError};

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
