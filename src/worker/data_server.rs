//! The wire of a worker: which call goes where. Compatible: 2.9, one port for calls and data.
//!
//! `data_server_read.rs`, `data_server_write.rs` and `data_server_local.rs` have the streams. Each runs as a task of
//! its own, so that what a client sends is taken whether or not it takes what we send: several streams share one
//! connection and its window.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use log::{debug, warn};
use tokio::sync::{mpsc, oneshot};
use tokio_stream::Stream;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http;

use super::blocks::{Worker, blocking};
use super::fetch::{End, Origin, UfsBlock};
use super::store::StoreError;
use super::{data_server_local, data_server_read, data_server_write};
use crate::proto::alluxio::grpc::block::block_worker_server as block_worker;
use crate::proto::alluxio::grpc::block::{
    AsyncCacheRequest, AsyncCacheResponse, CacheRequest, CacheResponse, ClearMetricsRequest, ClearMetricsResponse,
    FreeWorkerRequest, FreeWorkerResponse, MoveBlockRequest, MoveBlockResponse, RemoveBlockRequest,
    RemoveBlockResponse,
};
use crate::proto::alluxio::grpc::sasl::sasl_authentication_service_server as sasl;
use crate::proto::alluxio::grpc::version::service_version_client_service_server as version_service;
use crate::proto::alluxio::grpc::version::{GetServiceVersionPRequest, GetServiceVersionPResponse, ServiceType};
use crate::rpc::call::{self, Reply};
use crate::rpc::handshake::Authenticator;
use crate::rpc::listen::Routes;
use crate::rpc::{status, version};
use crate::types::{BlockId, ErrorKind, FsError, WorkerAddress};

/// Answers that wait for the connection, for each stream.
const ANSWERS_MAX: usize = 1;

/// A worker on its port.
#[derive(Debug)]
pub struct DataServer {
    worker: Arc<Worker>,
    authenticator: Authenticator,
}

impl DataServer {
    /// Serves what `worker` has to those whom `authenticator` lets in.
    pub fn new(worker: Arc<Worker>, authenticator: Authenticator) -> DataServer {
        DataServer { worker, authenticator }
    }
}

impl Routes for DataServer {
    fn authenticator(&self) -> &Authenticator {
        &self.authenticator
    }

    fn route(self: Arc<Self>, request: http::Request<Body>) -> Reply {
        let Some((service, method)) = call::method_of(&request) else { return call::refuse_unknown(&request) };
        match service {
            sasl::SERVICE_NAME if self.authenticator.is_asked(method) => {
                call::bidi_stream(request, |inbound| async move { self.authenticator.authenticate(inbound).await })
            }
            version_service::SERVICE_NAME if method == "getServiceVersion" => {
                call::unary(request, |message| async move { service_version(&message) })
            }
            block_worker::SERVICE_NAME => match call::user_of(&request, &self.authenticator) {
                Ok(_) => route(&self.worker, request),
                Err(error) => call::refuse(error),
            },
            _ => call::refuse_unknown(&request),
        }
    }
}

fn service_version(request: &GetServiceVersionPRequest) -> Result<GetServiceVersionPResponse, FsError> {
    match request.service_type() {
        service @ (ServiceType::UnknownService | ServiceType::BlockWorkerClientService) => {
            Ok(GetServiceVersionPResponse { version: Some(version::of(service).unwrap_or(-1)) })
        }
        other => Err(FsError::new(ErrorKind::NotFound, format!("Service {} is not found.", other.as_str_name()))),
    }
}

fn route(worker: &Arc<Worker>, request: http::Request<Body>) -> Reply {
    let worker = Arc::clone(worker);
    match call::method_of(&request).map_or("", |(_, method)| method) {
        "ReadBlock" => call::chunk_stream(request, |inbound| {
            answer(&worker, |worker, answers| data_server_read::read(worker, inbound, answers))
        }),
        "WriteBlock" => call::data_stream(request, |inbound| async move {
            Ok(answer(&worker, |worker, answers| data_server_write::write(worker, inbound, answers)))
        }),
        "OpenLocalBlock" => call::bidi_stream(request, |inbound| async move {
            Ok(answer(&worker, |worker, answers| data_server_local::open(worker, inbound, answers)))
        }),
        "CreateLocalBlock" => call::bidi_stream(request, |inbound| async move {
            Ok(answer(&worker, |worker, answers| data_server_local::create(worker, inbound, answers)))
        }),
        "Cache" => {
            call::unary(request, |message| async move { cache(&worker, message).await.map(|()| CacheResponse {}) })
        }
        "AsyncCache" => call::unary(request, |message: AsyncCacheRequest| async move {
            let AsyncCacheRequest { block_id, source_host, source_port, open_ufs_block_options, length } = message;
            let asynchronous = Some(true);
            let message = CacheRequest {
                block_id,
                source_host,
                source_port,
                open_ufs_block_options,
                length,
                r#async: asynchronous,
            };
            cache(&worker, message).await.map(|()| AsyncCacheResponse {})
        }),
        "RemoveBlock" => call::unary(request, |message: RemoveBlockRequest| async move {
            let block = BlockId(message.block_id());
            let store = Arc::clone(&worker.store);
            match blocking(move || store.remove(block)).await? {
                true => Ok(RemoveBlockResponse {}),
                false => Err(StoreError::NoBlock(block).into()),
            }
        }),
        "MoveBlock" => call::unary(request, |message| async move { move_block(&worker, &message) }),
        "FreeWorker" => call::unary(request, |_: FreeWorkerRequest| async move {
            let store = Arc::clone(&worker.store);
            blocking(move || store.remove_all()).await.map(|()| FreeWorkerResponse {})
        }),
        // Counters go on, as Prometheus has it; a master that is cleared begins anew with its sums.
        "ClearMetrics" => call::unary(request, |_: ClearMetricsRequest| async { Ok(ClearMetricsResponse {}) }),
        _ => call::refuse_unknown(&request),
    }
}

/// Where a stream's answers go.
pub(super) type Answers<A> = mpsc::Sender<Result<A, Status>>;

/// The answers of a stream that runs as a task; its error is the last of them. A stream that ends well says that all was
/// done, so one whose task is ended from outside, or panics, must not.
#[derive(Debug)]
struct Answered<A> {
    answers: mpsc::Receiver<Result<A, Status>>,
    /// Comes when the task has done all.
    done: oneshot::Receiver<()>,
    over: bool,
}

impl<A> Stream for Answered<A> {
    type Item = Result<A, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        let Some(answer) = ready!(self.answers.poll_recv(cx)) else {
            self.over = true;
            let ended = || FsError::new(ErrorKind::Unavailable, "This worker is stopping.");
            let unfinished = self.done.try_recv().is_err();
            return Poll::Ready(unfinished.then(|| Err(status::to_status(ended()))));
        };
        self.over = answer.is_err();
        Poll::Ready(Some(answer))
    }
}

fn answer<A, F>(worker: &Arc<Worker>, run: impl FnOnce(Arc<Worker>, Answers<A>) -> F) -> Answered<A>
where
    A: Send + 'static,
    F: Future<Output = Result<(), FsError>> + Send + 'static,
{
    let (answers, receiver) = mpsc::channel(ANSWERS_MAX);
    let (finished, done) = oneshot::channel();
    let running = run(Arc::clone(worker), answers.clone());
    worker.tasks.spawn(async move {
        match running.await {
            // The client may have gone.
            Ok(()) => drop(finished.send(())),
            Err(error) => {
                match error.kind {
                    ErrorKind::Internal | ErrorKind::ResourceExhausted => warn!("a stream failed error={error}"),
                    _ => debug!("a stream failed error={error}"),
                }
                let _ = answers.send(Err(status::to_status(error))).await;
            }
        }
    });
    Answered { answers: receiver, done, over: false }
}

// Compatible: 2.9 TieredBlockStore, moveBlock: what lies there already stays. There is one directory, so nothing else
// has room.
fn move_block(worker: &Worker, request: &MoveBlockRequest) -> Result<MoveBlockResponse, FsError> {
    let block = BlockId(request.block_id());
    if !worker.store.has(block) {
        return Err(StoreError::NoBlock(block).into());
    }
    if worker.store.settings().tier_aliases.iter().any(|alias| alias == request.medium_type()) {
        return Ok(MoveBlockResponse {});
    }
    let text = format!("Failed to find space in {} to move blockId {block}", request.medium_type());
    Err(FsError::new(ErrorKind::ResourceExhausted, text))
}

/// Brings a block here, now or soon.
async fn cache(worker: &Arc<Worker>, request: CacheRequest) -> Result<(), FsError> {
    let block = BlockId(request.block_id());
    if worker.store.has(block) {
        return Ok(());
    }
    let length = u64::try_from(request.length()).unwrap_or(0);
    let own = &worker.address;
    let is_own = (request.source_host(), request.source_port()) == (own.host.as_str(), i32::from(own.data_port));
    let origin = match request.open_ufs_block_options.as_ref().and_then(|options| UfsBlock::new(block, options)) {
        _ if !is_own && !request.source_host().is_empty() && length > 0 => {
            let port = u16::try_from(request.source_port()).unwrap_or(0);
            let host = request.source_host().to_owned();
            Origin::Peer(WorkerAddress { host, rpc_port: port, data_port: port, ..WorkerAddress::default() }, length)
        }
        Some(from) => Origin::Ufs(from),
        None => {
            return Err(FsError::new(ErrorKind::InvalidArgument, "The request says nothing of where the block is."));
        }
    };
    let Some(fetch) = worker.fetch(block, origin) else { return Ok(()) };
    if request.r#async() {
        return Ok(());
    }
    match fetch.wait_for(|progress| progress.over).await.end {
        _ if worker.store.has(block) => Ok(()),
        Some(End::Failed(error)) => Err(error),
        _ => Err(FsError::new(ErrorKind::ResourceExhausted, format!("block {} cannot be kept here", block.0))),
    }
}

#[cfg(test)]
mod tests {
    use super::Answered;
    use tokio::sync::{mpsc, oneshot};
    use tokio_stream::StreamExt;
    use tonic::{Code, Status};

    #[tokio::test]
    async fn only_a_task_that_has_done_all_ends_well() {
        let (answers, receiver) = mpsc::channel(1);
        let (finished, done) = oneshot::channel();
        let mut answered = Answered { answers: receiver, done, over: false };
        answers.send(Ok(1)).await.unwrap();
        assert_eq!(answered.next().await.unwrap().unwrap(), 1);
        finished.send(()).unwrap();
        drop(answers);
        assert!(answered.next().await.is_none());

        let (answers, receiver) = mpsc::channel::<Result<i32, Status>>(1);
        let (_, done) = oneshot::channel();
        let mut answered = Answered { answers: receiver, done, over: false };
        drop(answers);
        assert_eq!(answered.next().await.unwrap().unwrap_err().code(), Code::Unavailable);
        assert!(answered.next().await.is_none());
    }
}
