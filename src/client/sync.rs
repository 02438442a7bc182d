//! The calls that compare the namespace with a UFS.

use super::file_system::{FileSystem, text};
use crate::proto::alluxio::grpc::file::{
    CancelSyncMetadataPRequest, FileSystemMasterCommonPOptions, GetSyncPathListPRequest, GetSyncProgressPRequest,
    ListStatusPOptions, LoadMetadataPType, NeedsSyncRequest, StartSyncPOptions, StartSyncPRequest, StopSyncPOptions,
    StopSyncPRequest, SyncMetadataAsyncPResponse, SyncMetadataPOptions, SyncMetadataPRequest, SyncMetadataTask,
    SyncPointInfo,
};
use crate::rpc::retry::ClientError;
use crate::types::AlluxioPath;

impl FileSystem {
    /// Loads what the UFS has at `path`, and below it if `recursive`; what is known already is compared, if `again`.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]. The other calls fail likewise.
    pub async fn load_metadata(&self, path: &AlluxioPath, recursive: bool, again: bool) -> Result<(), ClientError> {
        let common = self.common(None);
        let sync_interval_ms = if again { Some(0) } else { common.sync_interval_ms };
        let options = ListStatusPOptions {
            load_metadata_type: Some(LoadMetadataPType::Always.into()),
            load_metadata_only: Some(true),
            recursive: Some(recursive),
            common_options: Some(FileSystemMasterCommonPOptions { sync_interval_ms, ..common }),
            ..ListStatusPOptions::default()
        };
        self.list_infos(path, options).await.map(drop)
    }

    /// Has what is at and below `path` compared with the UFS when it is used next.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn needs_sync(&self, path: &AlluxioPath) -> Result<(), ClientError> {
        let request = NeedsSyncRequest { path: path.to_string() };
        self.ask(request, async |mut client, request| client.needs_sync(request).await).await.map(drop)
    }

    /// Has the primary follow all changes of the UFS below `path`.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; the UFS does not tell of changes.
    pub async fn start_sync(&self, path: &AlluxioPath) -> Result<(), ClientError> {
        let options = StartSyncPOptions { common_options: Some(self.common(None)) };
        let request = StartSyncPRequest { path: text(path), options: Some(options) };
        self.ask(request, async |mut client, request| client.start_sync(request).await).await.map(drop)
    }

    /// Ends what [`FileSystem::start_sync`] began.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; it was not begun.
    pub async fn stop_sync(&self, path: &AlluxioPath) -> Result<(), ClientError> {
        let options = StopSyncPOptions { common_options: Some(self.common(None)) };
        let request = StopSyncPRequest { path: text(path), options: Some(options) };
        self.ask(request, async |mut client, request| client.stop_sync(request).await).await.map(drop)
    }

    /// Where the primary follows the UFS.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn sync_points(&self) -> Result<Vec<SyncPointInfo>, ClientError> {
        Ok(self
            .ask(GetSyncPathListPRequest {}, async |mut client, request| client.get_sync_path_list(request).await)
            .await?
            .sync_paths)
    }

    /// Compares what is at `path` with the UFS as `how` says, and waits for the end.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn sync_metadata(
        &self,
        path: &AlluxioPath,
        how: SyncMetadataPOptions,
    ) -> Result<Vec<SyncMetadataTask>, ClientError> {
        let request = SyncMetadataPRequest { path: path.to_string(), options: Some(how) };
        Ok(self.ask(request, async |mut client, request| client.sync_metadata(request).await).await?.task)
    }

    /// As [`FileSystem::sync_metadata`], but waits for the beginning only.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn sync_metadata_async(
        &self,
        path: &AlluxioPath,
        how: SyncMetadataPOptions,
    ) -> Result<SyncMetadataAsyncPResponse, ClientError> {
        let request = SyncMetadataPRequest { path: path.to_string(), options: Some(how) };
        self.ask(request, async |mut client, request| client.sync_metadata_async(request).await).await
    }

    /// How far the tasks of the group are that [`FileSystem::sync_metadata_async`] began.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; there is no such group.
    pub async fn sync_progress(&self, group: i64) -> Result<Vec<SyncMetadataTask>, ClientError> {
        let request = GetSyncProgressPRequest { task_group_id: Some(group) };
        Ok(self.ask(request, async |mut client, request| client.get_sync_progress(request).await).await?.task)
    }

    /// Ends the tasks of the group.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; there is no such group.
    pub async fn cancel_sync_metadata(&self, group: i64) -> Result<(), ClientError> {
        let request = CancelSyncMetadataPRequest { task_group_id: Some(group) };
        self.ask(request, async |mut client, request| client.cancel_sync_metadata(request).await).await.map(drop)
    }
}
