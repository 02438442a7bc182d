//! A worker in this process, and a master that knows what it was told and says what a test wants.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use alluxio::conf::{Conf, Role, Sources};
use alluxio::proto::alluxio::grpc::block::block_master_worker_service_server::{
    BlockMasterWorkerService, BlockMasterWorkerServiceServer,
};
use alluxio::proto::alluxio::grpc::block::{
    BlockHeartbeatPRequest, BlockHeartbeatPResponse, CommitBlockInUfsPRequest, CommitBlockInUfsPResponse,
    CommitBlockPRequest, CommitBlockPResponse, GetRegisterLeasePRequest, GetRegisterLeasePResponse,
    GetWorkerIdPRequest, GetWorkerIdPResponse, LocationBlockIdListEntry, NotifyWorkerIdPRequest,
    NotifyWorkerIdPResponse, RegisterWorkerPRequest, RegisterWorkerPResponse,
};
use alluxio::proto::alluxio::grpc::file::file_system_master_worker_service_server::{
    FileSystemMasterWorkerService, FileSystemMasterWorkerServiceServer,
};
use alluxio::proto::alluxio::grpc::file::{
    FileInfo, FileSystemHeartbeatPRequest, FileSystemHeartbeatPResponse, GetFileInfoPRequest, GetFileInfoPResponse,
    GetPinnedFileIdsPRequest, GetPinnedFileIdsPResponse, GetUfsInfoPRequest, GetUfsInfoPResponse, UfsInfo,
};
use alluxio::proto::alluxio::grpc::version::service_version_client_service_server::{
    ServiceVersionClientService, ServiceVersionClientServiceServer,
};
use alluxio::proto::alluxio::grpc::version::{GetServiceVersionPRequest, GetServiceVersionPResponse};
use alluxio::proto::alluxio::grpc::{Command, CommandType};
use alluxio::rpc::block_reader::{BlockRead, BlockReader};
use alluxio::rpc::block_writer::{BlockWrite, BlockWriter};
use alluxio::rpc::listen::ServerError;
use alluxio::rpc::worker::{UfsBlock, Worker, WorkerSettings};
use alluxio::types::{BlockId, FsError, WorkerAddress};
use alluxio::worker::start::{Beside, Running};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::{Request, Response, Status, Streaming};

use crate::free_port::free_port;

/// Nothing here takes longer, unless it hangs.
pub const LIMIT: Duration = Duration::from_secs(20);

/// What the master was told, and what it says.
#[derive(Debug, Default)]
pub struct Told {
    /// How often the worker registered.
    pub registrations: usize,
    /// The blocks that it has, as the master knows.
    pub blocks: BTreeSet<i64>,
    /// Commits, in order: block and length.
    pub commits: Vec<(i64, i64)>,
    /// Commits of blocks that are in the UFS.
    pub commits_in_ufs: Vec<(i64, i64)>,
    /// Commits are refused with this.
    pub refuse_commits: Option<Status>,
    /// Heartbeats that were taken.
    pub heartbeats: usize,
    /// No more are.
    pub refuse_heartbeats: bool,
    /// What the next heartbeat answers.
    pub command: Option<Command>,
    /// Containers of pinned files.
    pub pinned: Vec<i64>,
    /// Containers of files that are in the UFS.
    pub persisted: BTreeSet<i64>,
    /// Root of mount 1.
    pub ufs: String,
    /// How often the mount was asked for.
    pub mounts_asked: usize,
}

#[derive(Debug, Clone, Default)]
pub struct Master(pub Arc<Mutex<Told>>);

const WORKER_ID: i64 = 4711;

impl Master {
    /// Serves from now on; its port.
    pub async fn serve(&self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = tonic::transport::Server::builder();
        tokio::spawn(serving.serve_with_incoming(self.clone(), TcpListenerStream::new(listener)));
        port
    }

    fn hold(&self, entries: Vec<LocationBlockIdListEntry>) {
        let ids = entries.into_iter().flat_map(|entry| entry.value.unwrap_or_default().block_id);
        self.0.lock().blocks.extend(ids);
    }
}

#[tonic::async_trait]
impl BlockMasterWorkerService for Master {
    type RegisterWorkerStreamStream = ReceiverStream<Result<RegisterWorkerPResponse, Status>>;

    async fn block_heartbeat(
        &self,
        request: Request<BlockHeartbeatPRequest>,
    ) -> Result<Response<BlockHeartbeatPResponse>, Status> {
        let heartbeat = request.into_inner();
        assert_eq!(heartbeat.worker_id(), WORKER_ID);
        if self.0.lock().refuse_heartbeats {
            return Err(Status::unavailable("it is stopping"));
        }
        self.0.lock().heartbeats += 1;
        for block in &heartbeat.removed_block_ids {
            self.0.lock().blocks.remove(block);
        }
        self.hold(heartbeat.added_blocks);
        let command = self.0.lock().command.take();
        let nothing = Command { command_type: Some(CommandType::Nothing.into()), data: Vec::new() };
        Ok(Response::new(BlockHeartbeatPResponse { command: Some(command.unwrap_or(nothing)) }))
    }

    async fn commit_block(
        &self,
        request: Request<CommitBlockPRequest>,
    ) -> Result<Response<CommitBlockPResponse>, Status> {
        let commit = request.into_inner();
        assert_eq!((commit.worker_id(), commit.tier_alias(), commit.medium_type()), (WORKER_ID, "MEM", "MEM"));
        let mut told = self.0.lock();
        if let Some(status) = &told.refuse_commits {
            return Err(status.clone());
        }
        told.commits.push((commit.block_id(), commit.length()));
        Ok(Response::new(CommitBlockPResponse {}))
    }

    async fn commit_block_in_ufs(
        &self,
        request: Request<CommitBlockInUfsPRequest>,
    ) -> Result<Response<CommitBlockInUfsPResponse>, Status> {
        let commit = request.into_inner();
        let mut told = self.0.lock();
        if let Some(status) = &told.refuse_commits {
            return Err(status.clone());
        }
        told.commits_in_ufs.push((commit.block_id(), commit.length()));
        Ok(Response::new(CommitBlockInUfsPResponse {}))
    }

    async fn get_worker_id(&self, _: Request<GetWorkerIdPRequest>) -> Result<Response<GetWorkerIdPResponse>, Status> {
        Ok(Response::new(GetWorkerIdPResponse { worker_id: Some(WORKER_ID) }))
    }

    async fn notify_worker_id(
        &self,
        _: Request<NotifyWorkerIdPRequest>,
    ) -> Result<Response<NotifyWorkerIdPResponse>, Status> {
        Err(Status::unimplemented("no test needs it"))
    }

    async fn register_worker(
        &self,
        _: Request<RegisterWorkerPRequest>,
    ) -> Result<Response<RegisterWorkerPResponse>, Status> {
        Err(Status::unimplemented("no test needs it"))
    }

    async fn register_worker_stream(
        &self,
        request: Request<Streaming<RegisterWorkerPRequest>>,
    ) -> Result<Response<Self::RegisterWorkerStreamStream>, Status> {
        let mut messages = request.into_inner();
        let (answers, receiver) = tokio::sync::mpsc::channel(1);
        let master = self.clone();
        tokio::spawn(async move {
            master.0.lock().blocks.clear();
            while let Ok(Some(message)) = messages.message().await {
                master.hold(message.current_blocks);
                answers.send(Ok(RegisterWorkerPResponse {})).await.unwrap();
            }
            master.0.lock().registrations += 1;
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn request_register_lease(
        &self,
        _: Request<GetRegisterLeasePRequest>,
    ) -> Result<Response<GetRegisterLeasePResponse>, Status> {
        Ok(Response::new(GetRegisterLeasePResponse { allowed: Some(true), ..Default::default() }))
    }
}

#[tonic::async_trait]
impl FileSystemMasterWorkerService for Master {
    async fn file_system_heartbeat(
        &self,
        _: Request<FileSystemHeartbeatPRequest>,
    ) -> Result<Response<FileSystemHeartbeatPResponse>, Status> {
        Err(Status::unimplemented("no test needs it"))
    }

    async fn get_file_info(
        &self,
        request: Request<GetFileInfoPRequest>,
    ) -> Result<Response<GetFileInfoPResponse>, Status> {
        let persisted = self.0.lock().persisted.contains(&(request.into_inner().file_id() >> 24));
        let state = if persisted { "PERSISTED" } else { "NOT_PERSISTED" };
        let info = FileInfo { persistence_state: Some(state.into()), ..FileInfo::default() };
        Ok(Response::new(GetFileInfoPResponse { file_info: Some(info) }))
    }

    async fn get_pinned_file_ids(
        &self,
        _: Request<GetPinnedFileIdsPRequest>,
    ) -> Result<Response<GetPinnedFileIdsPResponse>, Status> {
        let pinned_file_ids = self.0.lock().pinned.iter().map(|file| file << 24 | 0xFF_FFFF).collect();
        Ok(Response::new(GetPinnedFileIdsPResponse { pinned_file_ids }))
    }

    async fn get_ufs_info(
        &self,
        request: Request<GetUfsInfoPRequest>,
    ) -> Result<Response<GetUfsInfoPResponse>, Status> {
        if request.into_inner().mount_id() != 1 {
            // As 2.9 does.
            return Ok(Response::new(GetUfsInfoPResponse { ufs_info: Some(UfsInfo::default()) }));
        }
        let mut told = self.0.lock();
        told.mounts_asked += 1;
        let info = UfsInfo { uri: Some(told.ufs.clone()), properties: None };
        Ok(Response::new(GetUfsInfoPResponse { ufs_info: Some(info) }))
    }
}

#[tonic::async_trait]
impl ServiceVersionClientService for Master {
    async fn get_service_version(
        &self,
        _: Request<GetServiceVersionPRequest>,
    ) -> Result<Response<GetServiceVersionPResponse>, Status> {
        Ok(Response::new(GetServiceVersionPResponse { version: Some(2) }))
    }
}

impl Service<http::Request<Body>> for Master {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<http::Response<Body>, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        match request.uri().path().rsplit('.').next().unwrap().split('/').next().unwrap() {
            "BlockMasterWorkerService" => BlockMasterWorkerServiceServer::new(self.clone()).call(request),
            "FileSystemMasterWorkerService" => FileSystemMasterWorkerServiceServer::new(self.clone()).call(request),
            "ServiceVersionClientService" => ServiceVersionClientServiceServer::new(self.clone()).call(request),
            other => panic!("nobody should call {other}"),
        }
    }
}

/// A worker with its master and folders. All ends with the test.
pub struct Bed {
    pub master: Master,
    /// Holds `ramdisk` and `ufs`.
    pub folder: tempfile::TempDir,
    pub address: WorkerAddress,
    properties: Vec<String>,
    worker: JoinHandle<()>,
}

impl Bed {
    /// A worker with room for so many bytes, which has registered.
    pub async fn new(capacity: u64) -> Bed {
        Bed::with(capacity, |_| Vec::new()).await
    }

    /// The same with properties of its own, which may need the port of its master.
    pub async fn with(capacity: u64, own: impl FnOnce(u16) -> Vec<String>) -> Bed {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("ufs")).unwrap();
        let master = Master::default();
        master.0.lock().ufs = folder.path().join("ufs").display().to_string();
        let master_port = master.serve().await;
        let (port, web_port) = (free_port("127.0.0.1"), free_port("127.0.0.1"));
        let mut properties = vec![
            "alluxio.security.authentication.type=NOSASL".to_owned(),
            "alluxio.master.hostname=127.0.0.1".to_owned(),
            format!("alluxio.master.rpc.port={master_port}"),
            "alluxio.worker.hostname=127.0.0.1".to_owned(),
            "alluxio.worker.bind.host=127.0.0.1".to_owned(),
            format!("alluxio.worker.rpc.port={port}"),
            "alluxio.worker.web.bind.host=127.0.0.1".to_owned(),
            format!("alluxio.worker.web.port={web_port}"),
            format!("alluxio.worker.ramdisk.size={capacity}"),
            format!("alluxio.worker.tieredstore.level0.dirs.path={}", folder.path().join("ramdisk").display()),
            "alluxio.worker.block.heartbeat.interval=50ms".to_owned(),
            "alluxio.user.rpc.retry.max.duration=2s".to_owned(),
        ];
        properties.extend(own(master_port));
        let address = WorkerAddress {
            host: "127.0.0.1".into(),
            rpc_port: port,
            data_port: port,
            web_port,
            ..WorkerAddress::default()
        };
        let worker = start(&folder, &properties).await;
        Bed { master, folder, address, properties, worker }
    }

    /// Ends the worker as a crash would, and starts it again.
    pub async fn restart(&mut self) {
        self.worker.abort();
        let _ = (&mut self.worker).await;
        let before = self.told(|told| told.registrations);
        self.worker = start(&self.folder, &self.properties).await;
        self.until("registered again", |told| told.registrations > before).await;
    }

    pub fn told<T>(&self, look: impl FnOnce(&mut Told) -> T) -> T {
        look(&mut self.master.0.lock())
    }

    /// Waits until the master was told something.
    pub async fn until(&self, what: &str, is: impl Fn(&Told) -> bool) {
        wait(what, || is(&self.master.0.lock())).await;
    }

    pub async fn client(&self) -> Worker {
        Worker::connect(
            &self.address,
            &WorkerSettings { read_patience: LIMIT, write_patience: LIMIT, ..WorkerSettings::default() },
        )
        .await
        .unwrap()
    }

    pub async fn write(&self, block: BlockId, content: &[u8]) -> Result<(), FsError> {
        let mut writer = BlockWriter::open(&self.client().await, &block_write(block));
        for chunk in content.chunks(1 << 20) {
            writer.write(Bytes::copy_from_slice(chunk)).await?;
        }
        writer.commit().await.map(drop)
    }

    pub async fn read(
        &self,
        block: BlockId,
        offset: i64,
        length: i64,
        ufs: Option<UfsBlock>,
    ) -> Result<Vec<u8>, FsError> {
        read_with(&self.client().await, block, offset, length, ufs).await
    }

    /// Where the worker has its block files.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("ramdisk/alluxioworker")
    }

    /// A file of the UFS.
    pub fn ufs(&self, name: &str) -> PathBuf {
        self.folder.path().join("ufs").join(name)
    }

    /// Files of sessions.
    pub fn writing(&self) -> Vec<PathBuf> {
        files(&self.data().join(".tmp_blocks"))
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

/// Beside these workers nothing serves.
struct NoPages;

impl Beside for NoPages {
    async fn run(self, _: Running) -> Result<impl Future<Output = ()> + Send, ServerError> {
        Ok(std::future::pending())
    }
}

async fn start(folder: &tempfile::TempDir, properties: &[String]) -> JoinHandle<()> {
    let path = folder.path().to_str().unwrap().to_owned();
    let environment = BTreeMap::from([("ALLUXIO_CONF_DIR".to_owned(), path.clone()), ("HOME".to_owned(), path)]);
    let sources = Sources { role: Role::Worker, environment, command_line: properties.to_vec() };
    let conf = Conf::load(&sources).unwrap();
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let worker = tokio::spawn(async move {
        let told = |_: &str, _| ready.send(()).unwrap();
        if let Err(error) = alluxio::worker::start::run(&conf, NoPages, told).await {
            panic!("{error}");
        }
    });
    tokio::time::timeout(LIMIT, is_ready).await.expect("it serves in time").expect("it serves");
    worker
}

pub fn block_write(block: BlockId) -> BlockWrite {
    BlockWrite::Block { id: block, pin: false, reserve_bytes: 1 << 10 }
}

pub async fn read_with(
    worker: &Worker,
    block: BlockId,
    offset: i64,
    length: i64,
    ufs: Option<UfsBlock>,
) -> Result<Vec<u8>, FsError> {
    let read = BlockRead { id: block, offset, length, chunk_bytes: 1 << 20, promote: false, ufs };
    let mut reader = BlockReader::open(worker, &read);
    let mut content = Vec::new();
    while let Some(chunk) = reader.next().await? {
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}

/// Waits for a state.
pub async fn wait(what: &str, is: impl Fn() -> bool) {
    let waiting = async {
        while !is() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("waited in vain: {what}"));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Bytes that differ everywhere, so that a wrong place shows.
pub fn content(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).flatten().take(length).collect()
}
