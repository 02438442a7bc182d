//! What the cluster has clients take as default.

use super::FileSystem;
use crate::proto::alluxio::grpc::meta::meta_master_configuration_service_client::MetaMasterConfigurationServiceClient;
use crate::proto::alluxio::grpc::meta::{
    GetConfigurationPOptions, RemovePathConfigurationPRequest, SetPathConfigurationPRequest,
    UpdateConfigurationPRequest,
};
use crate::rpc::retry::ClientError;
use std::collections::{BTreeMap, HashMap};

impl FileSystem {
    /// Defaults for paths and all below them, by path and name.
    ///
    /// # Errors
    /// No primary answers in time. The other calls fail likewise.
    pub async fn path_properties(&self) -> Result<BTreeMap<String, BTreeMap<String, String>>, ClientError> {
        let call = |connection| async move {
            let request = GetConfigurationPOptions { ignore_cluster_conf: Some(true), ..Default::default() };
            MetaMasterConfigurationServiceClient::new(connection).get_configuration(request).await
        };
        let told = self.caller.call(call).await?.into_inner().path_configs.into_iter();
        let paths = told.map(|(path, set)| {
            let properties = set.properties.into_iter();
            (path, properties.map(|one| (one.name().to_owned(), one.value().to_owned())).collect())
        });
        Ok(paths.collect())
    }

    /// Adds to them.
    ///
    /// # Errors
    /// A name is unknown, or the caller is not the super user.
    pub async fn set_path_properties(
        &self,
        path: &str,
        properties: &HashMap<String, String>,
    ) -> Result<(), ClientError> {
        let call = |connection| {
            let request = SetPathConfigurationPRequest {
                path: Some(path.to_owned()),
                properties: properties.clone(),
                options: None,
            };
            async move { MetaMasterConfigurationServiceClient::new(connection).set_path_configuration(request).await }
        };
        self.caller.call(call).await.map(drop)
    }

    /// Takes these away, or all if none is named.
    ///
    /// # Errors
    /// The caller is not the super user.
    pub async fn remove_path_properties(&self, path: &str, names: &[String]) -> Result<(), ClientError> {
        let call = |connection| {
            let request =
                RemovePathConfigurationPRequest { path: Some(path.to_owned()), keys: names.to_vec(), options: None };
            async move { MetaMasterConfigurationServiceClient::new(connection).remove_path_configuration(request).await }
        };
        self.caller.call(call).await.map(drop)
    }

    /// Sets properties of the master while it runs. By name, whether that was done.
    ///
    /// # Errors
    /// No primary answers in time.
    pub async fn update_configuration(
        &self,
        properties: &HashMap<String, String>,
    ) -> Result<BTreeMap<String, bool>, ClientError> {
        let call = |connection| {
            let request = UpdateConfigurationPRequest { properties: properties.clone() };
            async move { MetaMasterConfigurationServiceClient::new(connection).update_configuration(request).await }
        };
        Ok(self.caller.call(call).await?.into_inner().status.into_iter().collect())
    }
}
