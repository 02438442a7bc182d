//! Calls of FileSystemMasterClientService that list directories.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::vec;

use tokio_stream::Stream;
use tonic::Status;

use super::ops::{Answer, Query};
use super::server::{Namespace, UserCall, mismatch};
use crate::proto::alluxio::grpc::file::{ListStatusPRequest, ListStatusPResponse};
use crate::proto::convert;
use crate::types::{FileStatus, FsError};

/// About the most bytes of one message of a listing, so that neither side holds much of a large directory at once, and
/// nobody waits long for the thread that converts it.
const LIST_MESSAGE_BYTES: usize = 128 << 10;

impl<N: Namespace> UserCall<N> {
    pub(super) async fn list_status(self, request: ListStatusPRequest) -> Result<Messages, FsError> {
        let options = request.options.as_ref();
        let recursive = options.is_some_and(|options| options.recursive());
        let load = options.and_then(|options| options.load_metadata_type);
        let common = options.and_then(|options| options.common_options.as_ref());
        let query = Query::ListStatus { path: convert::path(request.path())?, recursive };
        let answer = self.look(query, load, common).await?;
        let Answer::List(mut statuses) = answer else { return Err(mismatch("ListStatus", &answer)) };
        if options.is_some_and(|options| options.load_metadata_only()) {
            statuses.clear();
        }
        let without_mounts = options.is_some_and(|options| options.exclude_mount_info());
        Ok(Messages { statuses: statuses.into_iter(), without_mounts })
    }
}

/// A listing, message by message.
pub(super) struct Messages {
    statuses: vec::IntoIter<FileStatus>,
    /// Where they are in their UFS is left out.
    without_mounts: bool,
}

impl Stream for Messages {
    type Item = Result<ListStatusPResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut file_infos = Vec::new();
        let mut bytes = 0;
        while bytes < LIST_MESSAGE_BYTES {
            let Some(status) = self.statuses.next() else { break };
            bytes += size_estimate(&status);
            let mut info = convert::status_to_proto(status);
            if self.without_mounts {
                (info.ufs_path, info.mount_id) = (Some(String::new()), Some(0));
            }
            file_infos.push(info);
        }
        Poll::Ready((!file_infos.is_empty()).then_some(Ok(ListStatusPResponse { file_infos })))
    }
}

/// At least the bytes of the entry on the wire, for names and blocks of any number.
fn size_estimate(status: &FileStatus) -> usize {
    // Owner and group are told once more in the access list, and twice of a directory.
    let owners = 3 * (status.owner.len() + status.group.len());
    let texts = 2 * status.path.as_str().len() + status.ufs_path.len() + owners;
    let xattrs = status.extras.iter().flat_map(|extras| &extras.xattr).map(|(name, value)| name.len() + value.len());
    let texts = texts + xattrs.sum::<usize>();
    texts + 64 * status.blocks.len() + 256
}
