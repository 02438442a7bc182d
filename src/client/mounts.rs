//! The calls about mounts.

use super::file_system::{FileSystem, text};
use super::options::{MountOptions, MountPoint};
use crate::proto::alluxio::grpc::file::{
    FileSystemMasterCommonPOptions, GetMountTablePRequest, MountPOptions, MountPRequest, MountPointInfo, UfsPMode,
    UnmountPOptions, UnmountPRequest, UpdateMountPRequest, UpdateUfsModePOptions, UpdateUfsModePRequest,
};
use crate::rpc::retry::ClientError;
use crate::types::AlluxioPath;

impl FileSystem {
    /// Mounts `ufs`, which must be a directory, at `path`, which must not exist.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; it cannot be mounted there.
    pub async fn mount(&self, path: &AlluxioPath, ufs: &str, how: &MountOptions) -> Result<(), ClientError> {
        let options = Some(to_proto(how));
        let request = MountPRequest { alluxio_path: text(path), ufs_path: Some(ufs.to_owned()), options };
        self.ask(request, async |mut client, request| client.mount(request).await).await.map(drop)
    }

    /// Gives the mount at `path` the options in `how`, and takes all others away.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; nothing is mounted there.
    pub async fn update_mount(&self, path: &AlluxioPath, how: &MountOptions) -> Result<(), ClientError> {
        let request = UpdateMountPRequest { alluxio_path: text(path), options: Some(to_proto(how)) };
        self.ask(request, async |mut client, request| client.update_mount(request).await).await.map(drop)
    }

    /// Says what may be done with all of `ufs`, which is its scheme and authority.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; nothing of it is mounted.
    pub async fn update_ufs_mode(&self, ufs: &str, mode: UfsPMode) -> Result<(), ClientError> {
        let options = Some(UpdateUfsModePOptions { ufs_mode: Some(mode.into()) });
        let request = UpdateUfsModePRequest { ufs_path: Some(ufs.to_owned()), options };
        self.ask(request, async |mut client, request| client.update_ufs_mode(request).await).await.map(drop)
    }

    /// Ends the mount at `path`. What was in Alluxio below it goes; the UFS is left alone.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; nothing is mounted there.
    pub async fn unmount(&self, path: &AlluxioPath) -> Result<(), ClientError> {
        let options = UnmountPOptions { common_options: Some(self.common(None)) };
        let request = UnmountPRequest { alluxio_path: text(path), options: Some(options) };
        self.ask(request, async |mut client, request| client.unmount(request).await).await.map(drop)
    }

    /// All mounts by path, that of the root among them.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn mounts(&self) -> Result<Vec<MountPoint>, ClientError> {
        let table = self.mount_table(false).await?.into_iter();
        let mounts = table.map(|(path, info)| MountPoint {
            path,
            read_only: info.read_only(),
            ufs: info.ufs_uri.unwrap_or_default(),
            ufs_type: info.ufs_type.unwrap_or_default(),
        });
        Ok(mounts.collect())
    }

    /// All mounts by path, with all that the primary tells, as it travels; with the room in each UFS, if `check_ufs`.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`].
    pub async fn mount_table(&self, check_ufs: bool) -> Result<Vec<(String, MountPointInfo)>, ClientError> {
        let request = GetMountTablePRequest { check_ufs: Some(check_ufs) };
        let mut mounts: Vec<_> = self
            .ask(request, async |mut client, request| client.get_mount_table(request).await)
            .await?
            .mount_points
            .into_iter()
            .collect();
        mounts.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(mounts)
    }
}

fn to_proto(how: &MountOptions) -> MountPOptions {
    MountPOptions {
        read_only: Some(how.read_only),
        shared: Some(how.shared),
        properties: how.properties.iter().cloned().collect(),
        common_options: Some(FileSystemMasterCommonPOptions::default()),
        remount: how.remount.then_some(true),
    }
}
