//! What a client may ask about the servers of the cluster.

use super::FileSystem;
use crate::proto::alluxio::grpc::block::block_master_client_service_client::BlockMasterClientServiceClient;
use crate::proto::alluxio::grpc::block::{BlockMasterInfo, GetBlockMasterInfoPOptions};
use crate::proto::alluxio::grpc::meta::meta_master_client_service_client::MetaMasterClientServiceClient;
use crate::proto::alluxio::grpc::meta::{
    ConfigCheckReport, GetConfigReportPOptions, GetMasterInfoPOptions, MasterInfo,
};
use crate::proto::alluxio::grpc::metric::metrics_master_client_service_client::MetricsMasterClientServiceClient;
use crate::proto::alluxio::grpc::metric::{ClearMetricsPRequest, GetMetricsPOptions, MetricValue};
use crate::proto::alluxio_rs::master::master_peer_service_client::MasterPeerServiceClient;
use crate::proto::alluxio_rs::master::{GetMastersRequest, GetMastersResponse};
use crate::rpc::retry::ClientError;
use std::collections::BTreeMap;

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

    /// Properties that are not the same at all servers.
    ///
    /// # Errors
    /// As [`FileSystem::master_info`].
    pub async fn config_report(&self) -> Result<ConfigCheckReport, ClientError> {
        let call = |connection| async move {
            MetaMasterClientServiceClient::new(connection).get_config_report(GetConfigReportPOptions {}).await
        };
        Ok(self.caller.call(call).await?.into_inner().report.unwrap_or_default())
    }

    /// What the primary has counted and measured, by name.
    ///
    /// # Errors
    /// As [`FileSystem::master_info`].
    pub async fn metrics(&self) -> Result<BTreeMap<String, MetricValue>, ClientError> {
        let call = |connection| async move {
            MetricsMasterClientServiceClient::new(connection).get_metrics(GetMetricsPOptions {}).await
        };
        Ok(self.caller.call(call).await?.into_inner().metrics.into_iter().collect())
    }

    /// Has the primary count from nothing.
    ///
    /// # Errors
    /// As [`FileSystem::master_info`].
    pub async fn clear_metrics(&self) -> Result<(), ClientError> {
        let call = |connection| async move {
            MetricsMasterClientServiceClient::new(connection).clear_metrics(ClearMetricsPRequest {}).await
        };
        self.caller.call(call).await.map(drop)
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
