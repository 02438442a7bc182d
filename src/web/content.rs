//! Bytes as they come: for a download, or the beginning of a file for a page.

use std::io::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use log::warn;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_stream::Stream;
use warp::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use warp::reply::{Reply, Response};

use super::link::encoded;
use super::page::Problem;
use crate::client::{ClientError, FileSystem, ReadType};
use crate::types::AlluxioPath;

/// Chunks that wait for a slow reader.
const CHUNKS_MAX: usize = 2;

/// Takes the bytes of a download.
pub(super) type Sink = mpsc::Sender<Result<Bytes, Error>>;

/// The bytes of a download. What fills it ends with it.
pub(super) struct Chunks {
    receiver: mpsc::Receiver<Result<Bytes, Error>>,
    _filling: JoinSet<()>,
}

impl Chunks {
    /// What `fill` sends.
    pub(super) fn of<F: Future<Output = ()> + Send + 'static>(fill: impl FnOnce(Sink) -> F) -> Chunks {
        let (sink, receiver) = mpsc::channel(CHUNKS_MAX);
        let mut filling = JoinSet::new();
        filling.spawn(fill(sink));
        Chunks { receiver, _filling: filling }
    }

    /// Content of that kind, whose length is not known yet.
    pub(super) fn sent(self, kind: &'static str) -> Response {
        let mut response = warp::reply::stream(self).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        response
    }

    /// A file of so many bytes, to be kept under this name.
    pub(super) fn attached(self, name: &str, bytes: u64) -> Response {
        let mut response = self.sent("application/octet-stream");
        let headers = response.headers_mut();
        headers.insert(CONTENT_LENGTH, bytes.into());
        let disposition = format!("attachment; filename*=UTF-8''{}", encoded(name).collect::<String>());
        let disposition = HeaderValue::from_str(&disposition).expect("an encoded name is plain ASCII");
        headers.insert(CONTENT_DISPOSITION, disposition);
        response
    }
}

impl Stream for Chunks {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.receiver.poll_recv(context)
    }
}

/// At most `bytes_max` bytes of a file from `offset` on.
///
/// # Errors
/// It cannot be read.
pub(super) async fn part(
    files: &FileSystem,
    path: &AlluxioPath,
    offset: i64,
    bytes_max: usize,
) -> Result<Vec<u8>, ClientError> {
    let mut reader = files.open(path, ReadType::NoCache).await?;
    reader.seek(offset.min(reader.status().length));
    let mut content = Vec::new();
    while content.len() < bytes_max
        && let Some(chunk) = reader.next().await?
    {
        content.extend_from_slice(&chunk[..chunk.len().min(bytes_max - content.len())]);
    }
    Ok(content)
}

/// All of a file, as a download.
///
/// # Errors
/// It cannot be opened, or its first bytes cannot be read.
pub(super) async fn whole(files: Arc<FileSystem>, path: AlluxioPath) -> Result<Response, Problem> {
    let (tell, told) = oneshot::channel();
    let name = path.name().to_owned();
    let chunks = Chunks::of(|sink| fill(files, path, tell, sink));
    let length = told.await.expect("it tells before it ends, and is not aborted before")?;
    Ok(chunks.attached(&name, u64::try_from(length).unwrap_or(0)))
}

/// Sends all of a file. Its length, or why it cannot be read, is told once its first bytes are there.
async fn fill(files: Arc<FileSystem>, path: AlluxioPath, tell: oneshot::Sender<Result<i64, ClientError>>, sink: Sink) {
    let opened = files.open(&path, ReadType::NoCache).await;
    let (mut reader, mut next) = match opened {
        Ok(mut reader) => match reader.next().await {
            Ok(first) => (reader, first),
            Err(error) => return drop(tell.send(Err(error))),
        },
        Err(error) => return drop(tell.send(Err(error))),
    };
    // Who asked may have gone away, here and below.
    drop(tell.send(Ok(reader.status().length)));
    while let Some(chunk) = next {
        if sink.send(Ok(chunk)).await.is_err() {
            return;
        }
        next = match reader.next().await {
            Ok(next) => next,
            Err(error) => {
                warn!("a download ended early path={path} reason={error}");
                return drop(sink.send(Err(Error::other(error.to_string()))).await);
            }
        };
    }
}
