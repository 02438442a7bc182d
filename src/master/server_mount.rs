//! Mounts on the wire: mount, unmount, the table of mounts.

use super::ops::{AdminOperation, Answer, Mount, Operation, Query, Seen, UfsOperation, UpdateMount};
use super::server::{Namespace, UserCall, mismatch};
use super::ufs_space::UfsSpace;
use crate::conf;
use crate::journal::entry::AddMountPoint;
use crate::proto::alluxio::grpc::file::{
    GetMountTablePRequest, GetMountTablePResponse, MountPOptions, MountPRequest, MountPResponse, MountPointInfo,
    UfsPMode, UnmountPRequest, UnmountPResponse, UpdateMountPRequest, UpdateMountPResponse, UpdateUfsModePRequest,
    UpdateUfsModePResponse,
};
use crate::proto::convert;
use crate::types::{FsError, UfsMode};
use log::info;
use tokio::task::JoinSet;

/// Capacity of a UFS that was not asked, or did not tell.
const UNKNOWN: i64 = -1;

impl<N: Namespace> UserCall<N> {
    pub(super) async fn mount(self, request: MountPRequest) -> Result<MountPResponse, FsError> {
        let path = convert::path(request.alluxio_path())?;
        let ufs_path = request.ufs_path().to_owned();
        let options = request.options.unwrap_or_default();
        // Compatible: 2.9.6: it stays unmounted if it cannot be mounted again.
        if options.remount() {
            self.ask_for(UfsOperation::Unmount(path.clone())).await?;
        }
        self.ask_for(UfsOperation::Mount(Box::new(Mount {
            path,
            ufs_path,
            read_only: options.read_only(),
            shared: options.shared(),
            properties: properties_of(&options),
            mount_id: new_id(),
            seen: Seen { root: None, shadowed: None },
        })))
        .await?;
        Ok(MountPResponse {})
    }

    pub(super) async fn unmount(self, request: UnmountPRequest) -> Result<UnmountPResponse, FsError> {
        let path = convert::path(request.alluxio_path())?;
        self.ask_for(UfsOperation::Unmount(path)).await?;
        Ok(UnmountPResponse {})
    }

    pub(super) async fn update_mount(self, request: UpdateMountPRequest) -> Result<UpdateMountPResponse, FsError> {
        let path = convert::path(request.alluxio_path())?;
        let options = request.options.unwrap_or_default();
        self.ask_for(UfsOperation::UpdateMount(Box::new(UpdateMount {
            path,
            read_only: options.read_only(),
            shared: options.shared(),
            properties: properties_of(&options),
            mount_id: new_id(),
        })))
        .await?;
        Ok(UpdateMountPResponse {})
    }

    // Compatible: 2.9.6 FileSystemMasterClientServiceHandler.updateUfsMode: without a mode everything may be done.
    pub(super) async fn update_ufs_mode(
        self,
        request: UpdateUfsModePRequest,
    ) -> Result<UpdateUfsModePResponse, FsError> {
        let mode = match request.options.and_then(|options| options.ufs_mode).map(UfsPMode::try_from) {
            Some(Ok(UfsPMode::NoAccess)) => UfsMode::NoAccess,
            Some(Ok(UfsPMode::ReadOnly)) => UfsMode::ReadOnly,
            _ => UfsMode::ReadWrite,
        };
        let ufs_path = request.ufs_path.unwrap_or_default();
        info!("what may be done with a UFS is set ufs={ufs_path} mode={mode:?}");
        let operation = Operation::Admin(AdminOperation::SetUfsMode { ufs_path, mode });
        self.server.front.submit(&self.client().await, None, operation).await?;
        Ok(UpdateUfsModePResponse {})
    }

    pub(super) async fn get_mount_table(
        self,
        request: GetMountTablePRequest,
    ) -> Result<GetMountTablePResponse, FsError> {
        let answer = self.query(Query::MountTable).await?;
        let Answer::Mounts(mounts) = answer else { return Err(mismatch("GetMountTable", &answer)) };
        let mut asked = JoinSet::new();
        for mount in mounts {
            let space = request.check_ufs.unwrap_or(true).then(|| self.server.ufs_spaces.at(&mount.ufs_path));
            asked.spawn(async move { info_of(mount, space).await });
        }
        Ok(GetMountTablePResponse { mount_points: asked.join_all().await.into_iter().collect() })
    }

    async fn ask_for(&self, operation: UfsOperation) -> Result<Answer, FsError> {
        self.server.front.submit(&self.client().await, None, Operation::Ufs(operation)).await
    }
}

fn shown((name, value): (String, String)) -> (String, String) {
    let value = conf::shown_text(&name, &value).to_owned();
    (name, value)
}

fn properties_of(options: &MountPOptions) -> Vec<(String, String)> {
    let mut properties: Vec<_> = options.properties.clone().into_iter().collect();
    properties.sort();
    properties
}

fn new_id() -> i64 {
    rand::random::<i64>() & i64::MAX
}

/// `space`: where to ask how large it is; none if nothing of the UFS is to be told.
async fn info_of(mount: AddMountPoint, space: Option<UfsSpace>) -> (String, MountPointInfo) {
    let ufs_type = match mount.ufs_path.split_once("://") {
        _ if space.is_none() => "",
        None | Some(("file", _)) => "local",
        Some((scheme, _)) => scheme,
    };
    let told = match &space {
        Some(space) => space.read().await,
        None => None,
    };
    let info = MountPointInfo {
        ufs_type: Some(ufs_type.to_owned()),
        ufs_uri: Some(mount.ufs_path),
        ufs_capacity_bytes: Some(told.as_ref().map_or(UNKNOWN, |told| told.capacity_bytes)),
        ufs_used_bytes: Some(told.as_ref().map_or(UNKNOWN, |told| told.used_bytes)),
        read_only: Some(mount.read_only),
        // Compatible: 2.9 MountInfo.toDisplayMountPointInfo, which hides what only the owner of the UFS may know.
        properties: mount.properties.into_iter().map(shown).collect(),
        shared: Some(mount.shared),
        mount_id: Some(mount.mount_id),
    };
    (mount.path.into_string(), info)
}
