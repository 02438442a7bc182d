//! What a client may ask about the servers of the cluster.

use super::FileSystem;
use crate::proto::alluxio::grpc::block::block_master_client_service_client::BlockMasterClientServiceClient;
use crate::proto::alluxio::grpc::block::{BlockMasterInfo, GetBlockMasterInfoPOptions};
use crate::proto::alluxio::grpc::meta::meta_master_client_service_client::MetaMasterClientServiceClient;
use crate::proto::alluxio::grpc::meta::{GetMasterInfoPOptions, MasterInfo};
use crate::proto::alluxio_rs::master::master_peer_service_client::MasterPeerServiceClient;
use crate::proto::alluxio_rs::master::{GetMastersRequest, GetMastersResponse};
use crate::rpc::retry::ClientError;

impl FileSystem {
    /// What the primary says of itself and of those around it.
    ///
    /// # Errors
    /// No primary answers in time. The other calls fail likewise.
    pub async fn master_info(&self) -> Result<MasterInfo, ClientError> {
        let call = |connection| async move {
            MetaMasterClientServiceClient::new(connection).get_master_info(GetMasterInfoPOptions::default()).await
        };
        Ok(self.caller.call(call).await?.into_inner().master_info.unwrap_or_default())
    }

    /// How many workers there are, and how much they hold.
    ///
    /// # Errors
    /// As [`FileSystem::master_info`].
    pub async fn block_info(&self) -> Result<BlockMasterInfo, ClientError> {
        let call = |connection| async move {
            let all = GetBlockMasterInfoPOptions::default();
            BlockMasterClientServiceClient::new(connection).get_block_master_info(all).await
        };
        Ok(self.caller.call(call).await?.into_inner().block_master_info.unwrap_or_default())
    }

    /// All masters, how far each is with the journal, and how much room that takes.
    ///
    /// # Errors
    /// As [`FileSystem::master_info`].
    pub async fn masters(&self) -> Result<GetMastersResponse, ClientError> {
        let call = |connection| async move {
            MasterPeerServiceClient::new(connection).get_masters(GetMastersRequest {}).await
        };
        Ok(self.caller.call(call).await?.into_inner())
    }
}
