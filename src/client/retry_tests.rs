//! Calls against masters that are away, silent, standby or busy. The masters answer what a test tells them to.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{pending, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{BoxFuture, Service};
use tonic::server::{Grpc, UnaryService};
use tonic::transport::Server;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use crate::client::{
    ClientError, ClientSettings, CreateDirectoryOptions, DataSettings, FileSystem, Fixed, Locate, LocateError, Polled,
    RetrySettings,
};
use crate::conf::WriteType;
use crate::proto::alluxio::grpc::file::{
    CreateDirectoryPRequest, CreateDirectoryPResponse, FileSystemMasterCommonPOptions, FsOpPId,
    GetNewBlockIdForFilePRequest, GetNewBlockIdForFilePResponse,
};
use crate::proto::alluxio::grpc::version::{GetServiceVersionPRequest, GetServiceVersionPResponse};
use crate::types::time::boot_now;
use crate::types::{AlluxioPath, ErrorKind, TtlAction};

/// What a master does with the next call. After the last of them it answers.
#[derive(Debug, Clone, Copy)]
enum Next {
    Refuse(Code),
    StaySilent,
}

/// A master that knows CreateDirectory and GetNewBlockIdForFile only.
#[derive(Clone, Default)]
struct Master {
    next: Arc<Mutex<VecDeque<Next>>>,
    /// The operation ids of all calls.
    seen: Arc<Mutex<Vec<FsOpPId>>>,
    /// Whether it serves files, and says that it is primary.
    standby: bool,
}

impl Master {
    fn told(next: &[Next]) -> Master {
        Master { next: Arc::new(Mutex::new(next.iter().copied().collect())), ..Master::default() }
    }

    async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        self.serve_on(listener);
        address.to_string()
    }

    fn serve_on(&self, listener: TcpListener) {
        // Ends with the runtime of its test.
        tokio::spawn(Server::builder().serve_with_incoming(self.clone(), TcpListenerStream::new(listener)));
    }

    fn calls(&self) -> usize {
        self.seen.lock().len()
    }

    /// Does what comes next.
    fn answer<T: Default + Send + 'static>(&self, options: Option<FileSystemMasterCommonPOptions>) -> Answer<T> {
        self.seen.lock().push(options.and_then(|options| options.operation_id).unwrap());
        match self.next.lock().pop_front() {
            Some(Next::StaySilent) => Box::pin(pending()),
            Some(Next::Refuse(code)) => Box::pin(ready(Err(Status::new(code, "told to refuse")))),
            None => Box::pin(ready(Ok(tonic::Response::new(T::default())))),
        }
    }
}

impl Service<Request<Body>> for Master {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let master = self.clone();
        Box::pin(async move {
            let answer = if request.uri().path().ends_with("/getServiceVersion") {
                let codec = ProstCodec::<GetServiceVersionPResponse, GetServiceVersionPRequest>::default();
                Grpc::new(codec).unary(master, request).await
            } else if request.uri().path().ends_with("/GetNewBlockIdForFile") {
                let codec = ProstCodec::<GetNewBlockIdForFilePResponse, GetNewBlockIdForFilePRequest>::default();
                Grpc::new(codec).unary(master, request).await
            } else {
                let codec = ProstCodec::<CreateDirectoryPResponse, CreateDirectoryPRequest>::default();
                Grpc::new(codec).unary(master, request).await
            };
            Ok(answer)
        })
    }
}

type Answer<T> = Pin<Box<dyn Future<Output = Result<tonic::Response<T>, Status>> + Send>>;

impl UnaryService<GetServiceVersionPRequest> for Master {
    type Response = GetServiceVersionPResponse;
    type Future = Answer<GetServiceVersionPResponse>;

    fn call(&mut self, _: tonic::Request<GetServiceVersionPRequest>) -> Self::Future {
        Box::pin(ready(if self.standby {
            Err(Status::unavailable("GetServiceVersion is not supported on standby master"))
        } else {
            Ok(tonic::Response::new(GetServiceVersionPResponse { version: Some(2) }))
        }))
    }
}

impl UnaryService<CreateDirectoryPRequest> for Master {
    type Response = CreateDirectoryPResponse;
    type Future = Answer<CreateDirectoryPResponse>;

    fn call(&mut self, request: tonic::Request<CreateDirectoryPRequest>) -> Self::Future {
        self.answer(request.into_inner().options.and_then(|options| options.common_options))
    }
}

impl UnaryService<GetNewBlockIdForFilePRequest> for Master {
    type Response = GetNewBlockIdForFilePResponse;
    type Future = Answer<GetNewBlockIdForFilePResponse>;

    fn call(&mut self, request: tonic::Request<GetNewBlockIdForFilePRequest>) -> Self::Future {
        self.answer(request.into_inner().options.and_then(|options| options.common_options))
    }
}

/// Who leads, as a test says.
#[derive(Debug, Clone)]
struct Told(Arc<Mutex<Option<String>>>);

impl Told {
    fn leader(address: &str) -> Told {
        Told(Arc::new(Mutex::new(Some(address.to_owned()))))
    }

    fn now_leads(&self, address: &str) {
        *self.0.lock() = Some(address.to_owned());
    }
}

#[async_trait]
impl Locate for Told {
    async fn locate(&self) -> Result<String, LocateError> {
        let leader = self.0.lock().clone();
        leader.ok_or_else(|| LocateError::Nobody { asked: "the test".into(), last: "nobody leads".into() })
    }

    fn places(&self) -> String {
        "the test".into()
    }
}

fn files(masters: impl Locate + 'static, max_duration: Duration) -> FileSystem {
    let retry = RetrySettings { max_duration, ..RetrySettings::default() };
    let look_again = Duration::from_millis(50);
    FileSystem::new(
        Box::new(masters),
        ClientSettings { retry, look_again, ..ClientSettings::default() },
        DataSettings::default(),
    )
}

/// Longer than anything here takes, shorter than a person's patience.
const LONG: Duration = Duration::from_secs(20);

async fn mkdir(files: &FileSystem) -> Result<(), ClientError> {
    let how = CreateDirectoryOptions {
        recursive: true,
        allow_exists: false,
        mode: 0o755,
        write_type: WriteType::MustCache,
        ttl_action: TtlAction::Delete,
    };
    files.create_directory(&AlluxioPath::parse("/a").unwrap(), &how).await
}

#[tokio::test]
async fn an_operation_keeps_its_id_over_all_attempts() {
    use Next::Refuse;
    let master = Master::told(&[Refuse(Code::Unavailable), Refuse(Code::Cancelled), Refuse(Code::Unauthenticated)]);
    let files = files(Fixed { address: master.serve().await }, LONG);
    mkdir(&files).await.unwrap();
    mkdir(&files).await.unwrap();
    let seen = master.seen.lock().clone();
    assert_eq!(seen.len(), 5);
    assert!(seen[..4].iter().all(|id| *id == seen[0]), "{seen:?}");
    assert_ne!(seen[4], seen[0], "another operation has another id");
}

#[tokio::test]
async fn a_new_block_keeps_its_id_over_all_attempts() {
    let master = Master::told(&[Next::Refuse(Code::Unavailable)]);
    let files = files(Fixed { address: master.serve().await }, LONG);
    let path = AlluxioPath::parse("/a").unwrap();
    files.new_block_id(&path).await.unwrap();
    files.new_block_id(&path).await.unwrap();
    let seen = master.seen.lock().clone();
    assert_eq!(seen.len(), 3);
    assert!(seen[0] == seen[1] && seen[1] != seen[2], "{seen:?}");
}

#[tokio::test]
async fn a_refusal_is_passed_on_at_once() {
    let master = Master::told(&[Next::Refuse(Code::AlreadyExists)]);
    let error = mkdir(&files(Fixed { address: master.serve().await }, LONG)).await.unwrap_err();
    assert!(matches!(error, ClientError::Refused(refusal) if refusal.kind == ErrorKind::AlreadyExists));
    assert_eq!(master.calls(), 1);
}

#[tokio::test]
async fn a_stopped_leader_holds_no_call_up_once_another_leads() {
    // A stopped process: the kernel accepts for it, and nobody ever answers.
    let stopped = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let master = Master::default();
    let other = master.serve().await;
    let told = Told::leader(&stopped.local_addr().unwrap().to_string());
    let files = files(told.clone(), LONG);
    let begin = boot_now();
    let (done, _silent) = tokio::join!(mkdir(&files), async {
        let connection = stopped.accept().await.unwrap();
        told.now_leads(&other);
        connection
    });
    done.unwrap();
    assert!(boot_now().since(begin) < LONG / 4);
    assert_eq!(master.calls(), 1);
}

#[tokio::test]
async fn a_call_that_hangs_moves_on_with_its_id() {
    let old = Master::told(&[Next::StaySilent]);
    let new = Master::default();
    let told = Told::leader(&old.serve().await);
    let other = new.serve().await;
    let files = files(told.clone(), LONG);
    let (done, ()) = tokio::join!(mkdir(&files), async {
        while old.calls() == 0 {
            tokio::task::yield_now().await;
        }
        told.now_leads(&other);
    });
    done.unwrap();
    assert_eq!(*old.seen.lock(), *new.seen.lock());
}

#[tokio::test]
async fn a_slow_call_of_the_leader_is_waited_for_beyond_the_limit() {
    let master = Master::told(&[Next::StaySilent]);
    let files = files(Fixed { address: master.serve().await }, Duration::from_millis(100));
    // It still answers whether it leads, so the call may just be long.
    let waited = tokio::time::timeout(Duration::from_millis(600), mkdir(&files)).await;
    assert!(waited.is_err(), "{waited:?}");
    assert_eq!(master.calls(), 1);
}

#[tokio::test]
async fn a_master_that_comes_later_is_found() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    drop(listener);
    let told = Told(Arc::default());
    let files = files(told.clone(), LONG);
    let master = Master::default();
    let (done, ()) = tokio::join!(mkdir(&files), async {
        // Named first, listening later.
        told.now_leads(&address.to_string());
        tokio::task::yield_now().await;
        master.serve_on(TcpListener::bind(address).await.unwrap());
    });
    done.unwrap();
    assert_eq!(files.primary().await.unwrap(), address.to_string());
}

#[tokio::test]
async fn a_stopped_only_master_is_given_up_and_named() {
    let stopped = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = stopped.local_addr().unwrap().to_string();
    let mut settings = ClientSettings { look_again: Duration::from_millis(50), ..ClientSettings::default() };
    settings.retry.max_duration = Duration::from_millis(200);
    settings.channel.answer_timeout = Duration::from_millis(100);
    let files = FileSystem::new(Box::new(Fixed { address: address.clone() }), settings, DataSettings::default());
    match tokio::time::timeout(LONG, mkdir(&files)).await.unwrap() {
        Err(ClientError::Unreachable { master, attempts, last, .. }) => {
            assert_eq!(master.as_deref(), Some(address.as_str()));
            assert!(attempts > 1, "{attempts}");
            assert!(last.contains("gave no answer"), "{last}");
        }
        other => panic!("{other:?}"),
    }
}

/// What who waited was told.
static WAITS: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[tokio::test]
async fn who_waits_for_a_master_is_told_once_with_the_reason() {
    let mut settings =
        ClientSettings { on_wait: Some(|text| WAITS.lock().push(text.to_owned())), ..ClientSettings::default() };
    settings.retry.max_duration = Duration::from_secs(4);
    let nobody = Told(Arc::new(Mutex::new(None)));
    let files = FileSystem::new(Box::new(nobody), settings, DataSettings::default());
    assert!(matches!(mkdir(&files).await, Err(ClientError::Unreachable { .. })));
    let told = WAITS.lock().clone();
    assert!(
        matches!(told.as_slice(), [text] if text.contains("up to 4s") && text.contains("nobody leads")),
        "{told:?}"
    );
}

#[tokio::test]
async fn the_primary_is_found_among_standbys_and_silent_masters() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let standby = Master { standby: true, ..Master::default() };
    let primary = Master::default().serve().await;
    let mut addresses = vec![silent.local_addr().unwrap().to_string(), standby.serve().await];
    let sweep_timeout = Duration::from_millis(300);
    let nobody = Polled { addresses: addresses.clone(), sweep_timeout }.locate().await.unwrap_err();
    assert!(nobody.to_string().starts_with("none of [127.0.0.1:"), "{nobody}");
    addresses.push(primary.clone());
    assert_eq!(Polled { addresses, sweep_timeout }.locate().await.unwrap(), primary);
}
