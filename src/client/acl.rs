//! The call about access control lists.

use super::file_system::{FileSystem, text};
use crate::proto::alluxio::grpc::file::{PAclEntry, SetAclAction, SetAclPOptions, SetAclPRequest};
use crate::rpc::retry::ClientError;
use crate::types::AlluxioPath;

impl FileSystem {
    /// Changes the access control list of `path`, of all below it too if `recursive`: does `action` with `entries`.
    ///
    /// # Errors
    /// As [`FileSystem::get_status`]; the list cannot be changed so.
    pub async fn set_acl(
        &self,
        path: &AlluxioPath,
        action: SetAclAction,
        entries: Vec<PAclEntry>,
        recursive: bool,
    ) -> Result<(), ClientError> {
        let options = SetAclPOptions { common_options: Some(self.common(None)), recursive: Some(recursive) };
        let request = SetAclPRequest { path: text(path), action: Some(action.into()), entries, options: Some(options) };
        self.ask(request, async |mut client, request| client.set_acl(request).await).await.map(drop)
    }
}
