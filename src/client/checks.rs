//! Questions about a path that are not about what it looks like.

use super::file_system::{FileSystem, text};
use crate::proto::alluxio::grpc::file::{
    CheckConsistencyPOptions, CheckConsistencyPRequest, ExistsPOptions, ExistsPRequest, GetFilePathPRequest,
    GetStateLockHoldersPRequest, LoadMetadataPType,
};
use crate::rpc::retry::ClientError;
use crate::types::AlluxioPath;

impl FileSystem {
    /// Whether something is at `path`, in Alluxio or in the UFS.
    ///
    /// # Errors
    /// It may not be looked at, or no primary answers in time.
    pub async fn exists(&self, path: &AlluxioPath) -> Result<bool, ClientError> {
        let options = ExistsPOptions {
            load_metadata_type: Some(LoadMetadataPType::Once.into()),
            common_options: Some(self.common(None)),
        };
        let request = ExistsPRequest { path: text(path), options: Some(options) };
        Ok(self.ask(request, async |mut client, request| client.exists(request).await).await?.exists())
    }

    /// The paths at and below `path` that the UFS does not have, or has otherwise.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn check_consistency(&self, path: &AlluxioPath) -> Result<Vec<String>, ClientError> {
        let options = CheckConsistencyPOptions { common_options: Some(self.common(None)) };
        let request = CheckConsistencyPRequest { path: text(path), options: Some(options) };
        Ok(self
            .ask(request, async |mut client, request| client.check_consistency(request).await)
            .await?
            .inconsistent_paths)
    }

    /// The threads of the primary that hold the lock of its state, or wait for it.
    ///
    /// # Errors
    /// No primary answers in time.
    pub async fn state_lock_holders(&self) -> Result<Vec<String>, ClientError> {
        let request = GetStateLockHoldersPRequest::default();
        let answer =
            self.ask(request, async |mut client, request| client.get_state_lock_holders(request).await).await?;
        Ok(answer.threads)
    }

    /// The path of the file or directory with this id.
    ///
    /// # Errors
    /// There is none, or no primary answers in time.
    pub async fn path_of_id(&self, id: i64) -> Result<String, ClientError> {
        let request = GetFilePathPRequest { file_id: Some(id) };
        Ok(self.ask(request, async |mut client, request| client.get_file_path(request).await).await?.path().to_owned())
    }
}
