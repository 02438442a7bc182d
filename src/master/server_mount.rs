//! Mounts on the wire: mount, unmount, the table of mounts.

use super::ops::{Answer, Mount, Operation, Query, Seen, UfsOperation};
use super::server::{Namespace, UserCall, mismatch, unsupported};
use crate::conf;
use crate::journal::entry::AddMountPoint;
use crate::proto::alluxio::grpc::file::{
    GetMountTablePRequest, GetMountTablePResponse, MountPRequest, MountPResponse, MountPointInfo, UnmountPRequest,
    UnmountPResponse,
};
use crate::proto::convert;
use crate::types::FsError;

/// Capacity of a UFS that was not asked.
const UNKNOWN: i64 = -1;

impl<N: Namespace> UserCall<N> {
    pub(super) async fn mount(self, request: MountPRequest) -> Result<MountPResponse, FsError> {
        let path = convert::path(request.alluxio_path())?;
        let ufs_path = request.ufs_path().to_owned();
        let options = request.options.unwrap_or_default();
        if options.remount() {
            return Err(unsupported("Mount with remount"));
        }
        let mut properties: Vec<_> = options.properties.clone().into_iter().collect();
        properties.sort();
        self.ask_for(UfsOperation::Mount(Box::new(Mount {
            path,
            ufs_path,
            read_only: options.read_only(),
            shared: options.shared(),
            properties,
            mount_id: rand::random::<i64>() & i64::MAX,
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

    pub(super) async fn get_mount_table(self, _: GetMountTablePRequest) -> Result<GetMountTablePResponse, FsError> {
        let answer = self.query(Query::MountTable).await?;
        let Answer::Mounts(mounts) = answer else { return Err(mismatch("GetMountTable", &answer)) };
        Ok(GetMountTablePResponse { mount_points: mounts.into_iter().map(info_of).collect() })
    }

    async fn ask_for(&self, operation: UfsOperation) -> Result<Answer, FsError> {
        self.server.front.submit(&self.client().await, None, Operation::Ufs(operation)).await
    }
}

fn shown((name, value): (String, String)) -> (String, String) {
    let value = conf::shown_text(&name, &value).to_owned();
    (name, value)
}

fn info_of(mount: AddMountPoint) -> (String, MountPointInfo) {
    let ufs_type = mount.ufs_path.split_once("://").map_or("local", |(scheme, _)| scheme);
    let info = MountPointInfo {
        ufs_type: Some(if ufs_type == "file" { "local" } else { ufs_type }.to_owned()),
        ufs_uri: Some(mount.ufs_path),
        ufs_capacity_bytes: Some(UNKNOWN),
        ufs_used_bytes: Some(UNKNOWN),
        read_only: Some(mount.read_only),
        // Compatible: 2.9 MountInfo.toDisplayMountPointInfo, which hides what only the owner of the UFS may know.
        properties: mount.properties.into_iter().map(shown).collect(),
        shared: Some(mount.shared),
        mount_id: Some(mount.mount_id),
    };
    (mount.path.into_string(), info)
}
