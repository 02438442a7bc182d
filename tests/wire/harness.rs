//! A server in this process, over a namespace that remembers what it was asked and answers as it was told.

use std::sync::Arc;
use std::time::Duration;

use alluxio::master::audit::Ownership;
use alluxio::master::front::Front;
use alluxio::master::ops::{Answer, Freshness, Operation, Query, Request};
use alluxio::master::server::{Namespace, ServerError, ServerSettings, bind, serve};
use alluxio::master::ufs::{BackupRequest, BackupStatus};
use alluxio::master::worker_call::WorkerCall;
use alluxio::proto::alluxio::grpc::file::file_system_master_client_service_client::FileSystemMasterClientServiceClient;
use alluxio::proto::alluxio::grpc::version::ServiceType;
use alluxio::rpc::callers::GroupSource;
use alluxio::rpc::channel::{ChannelSettings, Connection, Identity, connect};
use alluxio::rpc::handshake::{AuthenticationType, Impersonation};
use alluxio::types::{
    AlluxioPath, Caller, ErrorKind, FileStatus, FsError, InodeId, OperationId, PersistenceState, SequenceNumber,
    TtlAction,
};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Nothing here takes longer, unless it hangs.
pub const LIMIT: Duration = Duration::from_secs(20);

/// What reached the namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Submit(Request),
    Query(Caller, Query),
    Worker(WorkerCall),
}

/// Stands for the master behind the server.
pub struct Recorder {
    pub is_primary: Mutex<bool>,
    pub seen: Mutex<Vec<Seen>>,
    pub answer: Mutex<Result<Answer, FsError>>,
    /// Calls wait here while a test holds it.
    pub gate: tokio::sync::Mutex<()>,
}

impl Namespace for Recorder {
    fn is_primary(&self) -> bool {
        *self.is_primary.lock()
    }

    fn journal_position(&self) -> SequenceNumber {
        SequenceNumber(7)
    }

    fn is_answered(&self, _: OperationId) -> bool {
        false
    }

    async fn submit(&self, request: Request) -> Result<Answer, FsError> {
        self.seen.lock().push(Seen::Submit(request));
        let _open = self.gate.lock().await;
        self.answer.lock().clone()
    }

    async fn checkpoint(&self) -> Result<(), FsError> {
        Ok(())
    }

    async fn backup(&self, _: BackupRequest) -> Result<BackupStatus, FsError> {
        Err(FsError::new(ErrorKind::Internal, "no backup is made here"))
    }

    async fn back_up_here(&self, _: &str, _: SequenceNumber) -> Result<u64, FsError> {
        Err(FsError::new(ErrorKind::Internal, "no backup is made here"))
    }

    fn backup_status(&self, _: &str) -> Result<BackupStatus, FsError> {
        Err(FsError::new(ErrorKind::Internal, "no backup is made here"))
    }

    async fn worker(&self, call: WorkerCall) -> Result<Answer, FsError> {
        self.seen.lock().push(Seen::Worker(call));
        let _open = self.gate.lock().await;
        self.answer.lock().clone()
    }

    async fn query(&self, caller: &Caller, query: &Query) -> Result<Answer, FsError> {
        self.seen.lock().push(Seen::Query(caller.clone(), query.clone()));
        let _open = self.gate.lock().await;
        self.answer.lock().clone()
    }

    async fn delete_leftover(&self, _: &str) -> Result<(), FsError> {
        Ok(())
    }

    async fn load(&self, _: &Query, _: Freshness) -> Result<(), FsError> {
        Ok(())
    }

    fn changed_in_ufs(&self, _: AlluxioPath) {}

    fn ufs_uri(&self, path: &AlluxioPath) -> String {
        path.to_string()
    }

    async fn inconsistent(&self, _: &AlluxioPath) -> Result<Vec<AlluxioPath>, FsError> {
        Ok(Vec::new())
    }

    async fn refresh(&self, _: &Operation, _: Duration) -> Result<(), FsError> {
        Ok(())
    }

    fn ownership(&self, _: &AlluxioPath) -> Option<Ownership> {
        None
    }
}

pub struct Running {
    pub address: String,
    pub namespace: Arc<Recorder>,
    pub stop: oneshot::Sender<()>,
    pub task: JoinHandle<Result<(), ServerError>>,
}

pub fn settings(authentication: AuthenticationType) -> ServerSettings {
    ServerSettings {
        authentication,
        impersonation: Impersonation::default(),
        groups: GroupSource::operating_system(Duration::from_secs(60)),
        channel_purge_interval: Duration::from_secs(3600),
        shutdown_grace: LIMIT,
        configuration: Vec::new(),
        hostname: "m1".into(),
        local_ufs_host: "w1".into(),
        backup_directory: "/alluxio_backups".into(),
        cluster: None,
        ufs_spaces: Arc::default(),
        told: Vec::new(),
    }
}

/// A door that nobody watches.
pub fn front<N: Namespace>(namespace: Arc<N>) -> Arc<Front<N>> {
    Arc::new(Front::new(namespace, Arc::default(), Arc::default(), Arc::default(), Arc::default(), None))
}

pub async fn start(settings: ServerSettings) -> Running {
    let listener = bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let namespace = Arc::new(Recorder {
        is_primary: Mutex::new(true),
        seen: Mutex::default(),
        answer: Mutex::new(Ok(Answer::Done)),
        gate: tokio::sync::Mutex::default(),
    });
    let (stop, stopped) = oneshot::channel();
    let serving = serve(listener, front(Arc::clone(&namespace)), settings, async {
        let _ = stopped.await;
    });
    Running { address, namespace, stop, task: tokio::spawn(serving) }
}

pub async fn start_simple() -> Running {
    start(settings(AuthenticationType::Simple)).await
}

impl Running {
    pub fn will_answer(&self, answer: Result<Answer, FsError>) {
        *self.namespace.answer.lock() = answer;
    }

    pub fn last_seen(&self) -> Seen {
        self.namespace.seen.lock().last().expect("the namespace was asked").clone()
    }

    pub async fn connect(&self) -> Connection {
        connect(&self.address, ServiceType::FileSystemMasterClientService, &identity("root")).await.unwrap()
    }

    pub async fn file_system(&self) -> FileSystemMasterClientServiceClient<Connection> {
        FileSystemMasterClientServiceClient::new(self.connect().await)
    }
}

/// Settings of a client that runs as `user`.
pub fn identity(user: &str) -> ChannelSettings {
    let identity = Identity { user: user.into(), on_behalf_of: None };
    ChannelSettings { identity: Some(identity), connect_timeout: LIMIT, answer_timeout: LIMIT }
}

/// Waits until `state` holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, state: impl Fn() -> F) {
    let holds = async {
        while !state().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LIMIT, holds).await.unwrap_or_else(|_| panic!("{what}, within {LIMIT:?}"));
}

pub fn path(text: &str) -> AlluxioPath {
    AlluxioPath::parse(text).unwrap()
}

pub fn directory(text: &str) -> FileStatus {
    FileStatus {
        id: InodeId::of_directory(0, 7),
        path: path(text),
        ufs_path: format!("/ufs{text}"),
        length: 0,
        block_size_bytes: 0,
        creation_time_ms: 1,
        modification_time_ms: 2,
        access_time_ms: 3,
        folder: true,
        completed: true,
        cacheable: false,
        pinned: false,
        mount_point: false,
        mount_id: 1,
        owner: "root".into(),
        group: "root".into(),
        mode: 0o755,
        persistence: PersistenceState::NotPersisted,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        replication_min: 0,
        replication_max: 0,
        blocks: Vec::new(),
        in_alluxio_percentage: 0,
        in_memory_percentage: 0,
        extras: None,
    }
}
