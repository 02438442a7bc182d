//! Calls of FileSystemMasterClientService that ask one thing about a path or an id.

use super::ops::{Answer, Query};
use super::server::{Namespace, UserCall, mismatch};
use crate::journal::entry::AddMountPoint;
use crate::proto::alluxio::grpc::file::{
    CheckAccessPRequest, CheckAccessPResponse, ExistsPRequest, ExistsPResponse, GetFilePathPRequest,
    GetFilePathPResponse, GetStateLockHoldersPRequest, GetStateLockHoldersPResponse, NeedsSyncRequest,
    NeedsSyncResponse, ReverseResolvePRequest, ReverseResolvePResponse,
};
use crate::proto::convert;
use crate::types::{ErrorKind, FsError, InodeId};
use crate::ufs::UfsUri;

impl<N: Namespace> UserCall<N> {
    pub(super) async fn exists(self, request: ExistsPRequest) -> Result<ExistsPResponse, FsError> {
        let options = request.options.unwrap_or_default();
        let common = options.common_options.as_ref();
        let answered = match convert::path(request.path.as_deref().unwrap_or_default()) {
            Ok(path) => self.look(Query::Exists { path }, options.load_metadata_type, common).await,
            Err(error) => Err(error),
        };
        let exists = match answered {
            Ok(Answer::Exists(exists)) => exists,
            Ok(answer) => return Err(mismatch("Exists", &answer)),
            // Compatible: 2.9.6 DefaultFileSystemMaster.exists, of what can be no path, leads through a file, or through a
            // directory that the caller may not search.
            Err(error) if matches!(error.kind, ErrorKind::InvalidArgument | ErrorKind::PermissionDenied) => false,
            Err(error) => return Err(error),
        };
        Ok(ExistsPResponse { exists: Some(exists) })
    }

    pub(super) async fn check_access(self, request: CheckAccessPRequest) -> Result<CheckAccessPResponse, FsError> {
        let options = request.options.unwrap_or_default();
        let access = convert::bits_from_proto(options.bits());
        let query = Query::CheckAccess { path: convert::path(request.path())?, access };
        self.look(query, None, options.common_options.as_ref()).await?;
        Ok(CheckAccessPResponse {})
    }

    pub(super) async fn get_file_path(self, request: GetFilePathPRequest) -> Result<GetFilePathPResponse, FsError> {
        let answer = self.query(Query::StatusOf { id: InodeId(request.file_id()) }).await?;
        let Answer::Status(status) = answer else { return Err(mismatch("GetFilePath", &answer)) };
        Ok(GetFilePathPResponse { path: Some(status.path.into_string()) })
    }

    pub(super) async fn reverse_resolve(
        self,
        request: ReverseResolvePRequest,
    ) -> Result<ReverseResolvePResponse, FsError> {
        let answer = self.query(Query::MountTable).await?;
        let Answer::Mounts(mounts) = answer else { return Err(mismatch("ReverseResolve", &answer)) };
        let path = path_of(request.ufs_uri(), &mounts);
        // Compatible: 2.9.6 DefaultFileSystemMaster.reverseResolve, the text to the letter; the URI without a slash at its end.
        let asked = match request.ufs_uri().trim_end_matches('/') {
            "" => request.ufs_uri(),
            asked => asked,
        };
        let unknown = || FsError::new(ErrorKind::InvalidArgument, format!("{asked} is not a valid ufs uri"));
        Ok(ReverseResolvePResponse { alluxio_path: Some(path.ok_or_else(unknown)?) })
    }

    pub(super) async fn needs_sync(self, request: NeedsSyncRequest) -> Result<NeedsSyncResponse, FsError> {
        self.server.front.namespace().changed_in_ufs(convert::path(&request.path)?);
        Ok(NeedsSyncResponse {})
    }

    /// Nobody holds up anybody for long here: there is no such lock.
    pub(super) async fn get_state_lock_holders(
        self,
        _: GetStateLockHoldersPRequest,
    ) -> Result<GetStateLockHoldersPResponse, FsError> {
        Ok(GetStateLockHoldersPResponse { threads: Vec::new() })
    }
}

/// Where an object of a UFS is in the namespace: below the mount that holds the most of its way. None if no mount does.
fn path_of(ufs_uri: &str, mounts: &[AddMountPoint]) -> Option<String> {
    let asked = UfsUri::parse(ufs_uri).ok()?;
    let above = mounts.iter().filter_map(|mount| {
        let uri = UfsUri::parse(&mount.ufs_path).ok().filter(|uri| uri.is_prefix_of(&asked))?;
        Some((uri.path.len(), uri, mount))
    });
    let (_, uri, mount) = above.max_by_key(|(length, ..)| *length)?;
    let below = asked.path.strip_prefix(uri.path.trim_end_matches('/')).unwrap_or_default().trim_matches('/');
    let top = mount.path.as_str().trim_end_matches('/');
    Some(if below.is_empty() { mount.path.to_string() } else { format!("{top}/{below}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::AlluxioPath;

    fn mount(path: &str, ufs_path: &str) -> AddMountPoint {
        AddMountPoint {
            path: AlluxioPath::parse(path).unwrap(),
            ufs_path: ufs_path.into(),
            mount_id: 1,
            read_only: false,
            shared: false,
            properties: Default::default(),
        }
    }

    #[test]
    fn an_object_is_found_below_the_nearest_mount() {
        let mounts =
            [mount("/", "/ufs"), mount("/m", "hdfs://nn:8020/data"), mount("/m/n", "hdfs://nn:8020/data/deep/")];
        let found = |uri: &str| path_of(uri, &mounts);
        assert_eq!(found("/ufs").as_deref(), Some("/"));
        assert_eq!(found("/ufs/a/b").as_deref(), Some("/a/b"));
        assert_eq!(found("hdfs://nn:8020/data/x").as_deref(), Some("/m/x"));
        assert_eq!(found("hdfs://nn:8020/data/deep/x").as_deref(), Some("/m/n/x"));
        assert_eq!(found("/ufs2/a"), None);
        assert_eq!(found("hdfs://other:8020/data/x"), None);
        assert_eq!(found("no uri"), None);
    }
}
