//! The calls about mounts.

use super::file_system::{FileSystem, client, common, text};
use super::options::{MountOptions, MountPoint};
use crate::proto::alluxio::grpc::file::{
    GetMountTablePRequest, MountPOptions, MountPRequest, UnmountPOptions, UnmountPRequest,
};
use crate::rpc::retry::ClientError;
use crate::types::AlluxioPath;

impl FileSystem {
    /// Mounts `ufs`, which must be a directory, at `path`, which must not exist.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; it cannot be mounted there.
    pub async fn mount(&self, path: &AlluxioPath, ufs: &str, how: &MountOptions) -> Result<(), ClientError> {
        let options = MountPOptions {
            read_only: Some(how.read_only),
            shared: Some(how.shared),
            properties: how.properties.iter().cloned().collect(),
            common_options: Some(common(None)),
            remount: None,
        };
        let request =
            MountPRequest { alluxio_path: text(path), ufs_path: Some(ufs.to_owned()), options: Some(options) };
        let call = |connection| {
            let request = request.clone();
            async move { client(connection).mount(request).await }
        };
        self.caller.call(call).await.map(drop)
    }

    /// Ends the mount at `path`. What was in Alluxio below it goes; the UFS is left alone.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; nothing is mounted there.
    pub async fn unmount(&self, path: &AlluxioPath) -> Result<(), ClientError> {
        let options = UnmountPOptions { common_options: Some(common(None)) };
        let request = UnmountPRequest { alluxio_path: text(path), options: Some(options) };
        let call = |connection| {
            let request = request.clone();
            async move { client(connection).unmount(request).await }
        };
        self.caller.call(call).await.map(drop)
    }

    /// All mounts by path, that of the root among them.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn mounts(&self) -> Result<Vec<MountPoint>, ClientError> {
        let request = GetMountTablePRequest { check_ufs: Some(false) };
        let call = async |connection| client(connection).get_mount_table(request).await;
        let table = self.caller.call(call).await?.into_inner().mount_points.into_iter();
        let mut mounts: Vec<MountPoint> = table
            .map(|(path, info)| MountPoint {
                path,
                read_only: info.read_only(),
                ufs: info.ufs_uri.unwrap_or_default(),
                ufs_type: info.ufs_type.unwrap_or_default(),
            })
            .collect();
        mounts.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(mounts)
    }
}
