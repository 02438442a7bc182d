//! Calls of FileSystemMasterClientService that list directories.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;

use bytes::{Buf, BufMut, BytesMut};
use prost::encoding::{DecodeContext, WireType, skip_field};
use prost::{DecodeError, Message};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::Stream;
use tonic::Status;

use super::audit::Client;
use super::front::Front;
use super::listing::Listing;
use super::ops::{Part, Start, Walk};
use super::server::{MasterServer, Namespace, UserCall};
use crate::proto::alluxio::grpc::file::list_status_partial_p_options::OffsetType;
use crate::proto::alluxio::grpc::file::{
    FileInfo, ListStatusPOptions, ListStatusPRequest, ListStatusPResponse, ListStatusPartialPRequest,
    ListStatusPartialPResponse,
};
use crate::proto::convert;
use crate::rpc::status;
use crate::types::{AlluxioPath, ErrorKind, FileStatus, FsError, InodeId};

/// About the most bytes of one message of a listing, so that neither side holds much of a large directory at once, and
/// nobody waits long for the thread that converts it.
const LIST_MESSAGE_BYTES: usize = 128 << 10;

/// An entry has about so many.
const ENTRY_BYTES: usize = 512;

/// How long a client may read nothing of a listing, and still be told how all of it was at one moment.
const READ_WITHIN: Duration = Duration::from_secs(60);

/// Entries of the answer to listStatusPartial at the most, whatever the client wishes: it asks for the next ones, as it
/// does when there are more than it wished.
const BATCH_MAX: usize = 10_000;

impl<N: Namespace> UserCall<N> {
    pub(super) async fn list_status(self, request: ListStatusPRequest) -> Result<Messages<N>, FsError> {
        let path = convert::path(request.path())?;
        let options = request.options.unwrap_or_default();
        let mut listing = Listing::new(Walk::new(path, options.recursive()));
        let client = self.client().await;
        let first = self.begin_listing(&client, &mut listing, &options, usize::MAX).await?;
        let shape = Shape { server: Arc::clone(&self.server), without_mounts: options.exclude_mount_info() };
        if options.load_metadata_only() {
            return Ok(Messages { statuses: Vec::new().into_iter(), rest: None, shape });
        }
        let rest = (!first.is_last).then(|| {
            let (told, parts) = mpsc::channel(1);
            tokio::spawn(go_on(Arc::clone(&self.server.front), client, listing, told));
            parts
        });
        Ok(Messages { statuses: first.statuses.into_iter(), rest, shape })
    }

    pub(super) async fn list_status_partial(
        self,
        request: ListStatusPartialPRequest,
    ) -> Result<ListStatusPartialPResponse, FsError> {
        let path = convert::path(request.path())?;
        let partial = request.options.unwrap_or_default();
        let batch = match partial.batch_size.map(usize::try_from) {
            None => BATCH_MAX,
            Some(Ok(wished)) => wished.min(BATCH_MAX),
            Some(Err(_)) => return Err(invalid(format!("The batch size is {}, below 0.", partial.batch_size()))),
        };
        let (start, skip) = match &partial.offset_type {
            Some(OffsetType::OffsetId(id)) if *id != 0 => (Start::AfterInode(InodeId(*id)), 0),
            Some(OffsetType::StartAfter(text)) => (start_after(text, &path)?, 0),
            Some(OffsetType::OffsetCount(count)) => (Start::First, u64::try_from(*count).unwrap_or_default()),
            Some(OffsetType::OffsetId(_)) | None => (Start::First, 0),
        };
        let prefix = names_of(partial.prefix());
        let options = partial.options.unwrap_or_default();
        let mut listing = Listing::new(Walk::new(path, options.recursive()).within(start, prefix, skip));
        let client = self.client().await;
        // One more, to know whether there are more.
        let mut part = self.begin_listing(&client, &mut listing, &options, batch + 1).await?;
        let (file_count, mut statuses) = (part.count, std::mem::take(&mut part.statuses));
        while !part.is_last && statuses.len() <= batch {
            part = self.server.front.list_on(&client, &mut listing, batch + 1 - statuses.len()).await?;
            statuses.append(&mut part.statuses);
        }
        let is_truncated = statuses.len() > batch;
        statuses.truncate(batch);
        if options.load_metadata_only() {
            return Ok(ListStatusPartialPResponse::default());
        }
        let shape = Shape { server: Arc::clone(&self.server), without_mounts: options.exclude_mount_info() };
        let file_infos = statuses.into_iter().map(|status| shape.of(status)).collect();
        Ok(ListStatusPartialPResponse { file_infos, is_truncated: Some(is_truncated), file_count: Some(file_count) })
    }

    async fn begin_listing(
        &self,
        client: &Client,
        listing: &mut Listing,
        options: &ListStatusPOptions,
        limit: usize,
    ) -> Result<Part, FsError> {
        let fresh = self.freshness(options.load_metadata_type, options.common_options.as_ref());
        self.server.front.list(client, listing, fresh, limit).await
    }
}

/// Reads a listing as the client takes it.
async fn go_on<N: Namespace>(
    front: Arc<Front<N>>,
    client: Client,
    mut listing: Listing,
    parts: mpsc::Sender<Result<Vec<FileStatus>, FsError>>,
) {
    loop {
        let room = match timeout(READ_WITHIN, parts.reserve()).await {
            Ok(room) => room,
            Err(_) => {
                listing.let_go();
                parts.reserve().await
            }
        };
        // The client has gone away.
        let Ok(room) = room else { return };
        let part = front.list_on(&client, &mut listing, usize::MAX).await;
        let goes_on = part.as_ref().is_ok_and(|part| !part.is_last);
        room.send(part.map(|part| part.statuses));
        if !goes_on {
            return;
        }
    }
}

/// A listing, message by message.
pub(super) struct Messages<N> {
    statuses: vec::IntoIter<FileStatus>,
    /// What comes after these.
    rest: Option<mpsc::Receiver<Result<Vec<FileStatus>, FsError>>>,
    shape: Shape<N>,
}

/// How entries are told.
struct Shape<N> {
    server: Arc<MasterServer<N>>,
    /// Where they are in their UFS is left out.
    without_mounts: bool,
}

impl<N: Namespace> Shape<N> {
    fn of(&self, status: FileStatus) -> FileInfo {
        if !self.without_mounts {
            return self.server.info_of(status);
        }
        let info = convert::status_to_proto(status);
        FileInfo { ufs_path: Some(String::new()), mount_id: Some(0), ..info }
    }
}

impl<N: Namespace> Stream for Messages<N> {
    type Item = Result<Encoded, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Messages { statuses, rest, shape } = &mut *self;
        while statuses.len() == 0 {
            let Some(parts) = rest else { return Poll::Ready(None) };
            match std::task::ready!(parts.poll_recv(context)) {
                Some(Ok(part)) => *statuses = part.into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(status::to_status(error)))),
                None => return Poll::Ready(None),
            }
        }
        let mut message = BytesMut::with_capacity(LIST_MESSAGE_BYTES.min(ENTRY_BYTES * statuses.len()));
        // A message of a repeated field is the messages of its parts, one behind the other.
        let mut part = ListStatusPResponse { file_infos: Vec::with_capacity(1) };
        while message.len() < LIST_MESSAGE_BYTES {
            let Some(status) = statuses.next() else { break };
            part.file_infos.push(shape.of(status));
            part.encode(&mut message).expect("a BytesMut grows");
            part.file_infos.clear();
        }
        Poll::Ready(Some(Ok(Encoded(message))))
    }
}

/// A [`ListStatusPResponse`] that is written entry by entry, so that one of them is held at a time.
#[derive(Debug, Default)]
pub(super) struct Encoded(BytesMut);

impl Message for Encoded {
    fn encode_raw(&self, output: &mut impl BufMut) {
        output.put_slice(&self.0);
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        input: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        skip_field(wire_type, tag, input, context)
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// Where a listing of that path begins: after a path below it, or one that is relative to it.
// Compatible: 2.9.6 ListStatusPartial.computePartialListingPaths, the text to the letter. There the first name must be that of
// something that is there; here it need not be.
fn start_after(text: &str, path: &AlluxioPath) -> Result<Start, FsError> {
    let listed = path.as_str();
    let below = match text.strip_prefix(listed) {
        Some(below) if text.starts_with('/') => below,
        None if listed.starts_with(text) => "",
        _ if text.starts_with('/') => {
            return Err(invalid(format!(
                "The start after partial listing option {text} is not a prefix of the listing path {listed}"
            )));
        }
        _ => text,
    };
    let names = names_of(below);
    Ok(if names.is_empty() { Start::First } else { Start::After(names) })
}

fn names_of(path: &str) -> Vec<String> {
    path.split('/').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn invalid(message: String) -> FsError {
    FsError::new(ErrorKind::InvalidArgument, message)
}
