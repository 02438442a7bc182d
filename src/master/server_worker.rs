//! BlockMasterWorkerService and FileSystemMasterWorkerService: what workers report and ask.

use std::collections::HashMap;
use std::sync::Arc;

use log::info;
use tokio::sync::Mutex;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::codegen::http;
use tonic::{Status, Streaming};

use super::ops::{Answer, CommitBlock, NewCopy, Operation, Query, Request};
use super::server::{MasterServer, Namespace, UserCall, mismatch, unsupported};
use super::worker_call::{
    Command, Heartbeat, LeaseRule, LostStorage, Place, PlacedBlocks, Registration, TierBytes, WorkerAnswer, WorkerCall,
};
use crate::journal::entry::AddMountPoint;
use crate::metrics::Reporter;
use crate::proto::alluxio::grpc::block::{
    BlockHeartbeatPRequest, BlockHeartbeatPResponse, CommitBlockInUfsPRequest, CommitBlockInUfsPResponse,
    CommitBlockPRequest, CommitBlockPResponse, GetRegisterLeasePRequest, GetRegisterLeasePResponse,
    GetWorkerIdPRequest, GetWorkerIdPResponse, LocationBlockIdListEntry, NotifyWorkerIdPRequest,
    NotifyWorkerIdPResponse, RegisterWorkerPRequest, RegisterWorkerPResponse, StorageList,
};
use crate::proto::alluxio::grpc::file::{
    FileSystemCommand, FileSystemHeartbeatPRequest, FileSystemHeartbeatPResponse, FileSystemMasterCommonPOptions,
    GetFileInfoPRequest, GetFileInfoPResponse, GetPinnedFileIdsPRequest, GetPinnedFileIdsPResponse, GetUfsInfoPRequest,
    GetUfsInfoPResponse, MountPOptions, UfsInfo,
};
use crate::proto::alluxio::grpc::{self, CommandType, TtlAction};
use crate::proto::convert;
use crate::rpc::call::{self, Reply};
use crate::rpc::status;
use crate::types::{BlockId, Caller, FsError, InodeId, WorkerId};

/// Blocks that the loop takes in one step, so that clients do not wait for a large worker.
const BLOCKS_PER_STEP: usize = 50_000;

/// The table of BlockMasterWorkerService. A standby answers it, too, except for what the journal has to hold.
pub(super) fn route_block<N: Namespace>(user: UserCall<N>, request: http::Request<Body>) -> Reply {
    let Some((_, method)) = call::method_of(&request) else { return call::refuse_unknown(&request) };
    match method {
        "GetWorkerId" => call::unary(request, |message| user.get_worker_id(message)),
        "NotifyWorkerId" => call::unary(request, |message| user.notify_worker_id(message)),
        "RequestRegisterLease" => call::unary(request, |message| user.request_register_lease(message)),
        "RegisterWorker" => call::unary(request, |message| user.register_worker(message)),
        "RegisterWorkerStream" => call::bidi_stream(request, |inbound| user.register_worker_stream(inbound)),
        "BlockHeartbeat" => call::unary(request, |message| user.block_heartbeat(message)),
        "CommitBlock" => call::unary(request, |message| user.commit_block(message)),
        "CommitBlockInUfs" => call::unary(request, |message| user.commit_block_in_ufs(message)),
        other => call::refuse(unsupported(other)),
    }
}

/// The table of FileSystemMasterWorkerService.
pub(super) fn route_file_system<N: Namespace>(user: UserCall<N>, request: http::Request<Body>) -> Reply {
    let Some((_, method)) = call::method_of(&request) else { return call::refuse_unknown(&request) };
    match method {
        "GetPinnedFileIds" => call::unary(request, |message| user.get_pinned_file_ids(message)),
        "GetFileInfo" => call::unary(request, |message| user.get_file_info(message)),
        "GetUfsInfo" => call::unary(request, |message| user.get_ufs_info(message)),
        "FileSystemHeartbeat" => call::unary(request, |message| user.file_system_heartbeat(message)),
        other => call::refuse(unsupported(other)),
    }
}

impl<N: Namespace> UserCall<N> {
    async fn get_worker_id(self, request: GetWorkerIdPRequest) -> Result<GetWorkerIdPResponse, FsError> {
        let address = convert::worker_address_from_proto(request.worker_net_address.unwrap_or_default());
        let fresh = WorkerId(rand::random::<i64>() & i64::MAX);
        let endpoint = address.endpoint();
        let answer = self.server.namespace.worker(WorkerCall::GetId { address, fresh }).await?;
        let Answer::Worker(WorkerAnswer::Id(id)) = answer else { return Err(mismatch("GetWorkerId", &answer)) };
        info!("gave a worker its id id={} address={endpoint}", id.0);
        Ok(GetWorkerIdPResponse { worker_id: Some(id.0) })
    }

    async fn notify_worker_id(self, request: NotifyWorkerIdPRequest) -> Result<NotifyWorkerIdPResponse, FsError> {
        let worker = WorkerId(request.worker_id());
        let address = convert::worker_address_from_proto(request.worker_net_address.unwrap_or_default());
        self.server.namespace.worker(WorkerCall::NotifyId { worker, address }).await?;
        Ok(NotifyWorkerIdPResponse {})
    }

    async fn request_register_lease(
        self,
        request: GetRegisterLeasePRequest,
    ) -> Result<GetRegisterLeasePResponse, FsError> {
        let worker = WorkerId(request.worker_id());
        let answer = self.server.namespace.worker(WorkerCall::RequestLease { worker }).await?;
        let Answer::Worker(WorkerAnswer::Lease { allowed, expires }) = answer else {
            return Err(mismatch("RequestRegisterLease", &answer));
        };
        Ok(GetRegisterLeasePResponse {
            worker_id: Some(worker.0),
            allowed: Some(allowed),
            expiry_ms: Some(expires.0),
            options: None,
        })
    }

    async fn register_worker(self, mut request: RegisterWorkerPRequest) -> Result<RegisterWorkerPResponse, FsError> {
        let mut registering = Registering::new(self.server);
        let blocks = placed(std::mem::take(&mut request.current_blocks));
        registering.begin(request, LeaseRule::Needed).await?;
        registering.hold(blocks).await?;
        registering.end().await?;
        Ok(RegisterWorkerPResponse {})
    }

    // Compatible: 2.9 RegisterStreamObserver: the first message has the tiers, each is answered by an empty one, and
    // the registration ends when the worker ends its side.
    async fn register_worker_stream(
        self,
        inbound: Streaming<RegisterWorkerPRequest>,
    ) -> Result<impl Stream<Item = Result<RegisterWorkerPResponse, Status>>, FsError> {
        // Locked by one message at a time, which is taken when the answer to the one before is.
        let registering = Arc::new(Mutex::new(Registering::new(self.server)));
        let messages = inbound.map(Some).chain(tokio_stream::once(None));
        let answers = messages.then(move |message| {
            let registering = Arc::clone(&registering);
            async move {
                let mut registering = registering.lock().await;
                let answer = match message {
                    Some(request) => registering.take(request?).await.map(Some),
                    None => registering.end().await.map(|()| None),
                };
                answer.map_err(status::to_status)
            }
        });
        Ok(answers.filter_map(Result::transpose))
    }

    async fn block_heartbeat(self, mut request: BlockHeartbeatPRequest) -> Result<BlockHeartbeatPResponse, FsError> {
        let options = request.options.take().unwrap_or_default();
        self.server.reported.take(Reporter::Worker, &options.metrics);
        let heartbeat = Heartbeat {
            worker: WorkerId(request.worker_id()),
            capacity_bytes: tier_bytes(options.capacity_bytes_on_tiers),
            used_bytes: tier_bytes(request.used_bytes_on_tiers),
            lost_storage: lost_storage(request.lost_storage),
            removed: request.removed_block_ids.into_iter().map(BlockId).collect(),
            added: placed(request.added_blocks),
        };
        let answer = self.server.namespace.worker(WorkerCall::Heartbeat(Box::new(heartbeat))).await?;
        let Answer::Worker(WorkerAnswer::Command(command)) = answer else {
            return Err(mismatch("BlockHeartbeat", &answer));
        };
        let (command_type, data) = match command {
            Command::Nothing => (CommandType::Nothing, Vec::new()),
            Command::Register => (CommandType::Register, Vec::new()),
            Command::Decommissioned => (CommandType::Decommissioned, Vec::new()),
            Command::Disabled => (CommandType::Disabled, Vec::new()),
            Command::Free(blocks) => (CommandType::Free, blocks.into_iter().map(|block| block.0).collect()),
        };
        let command = grpc::Command { command_type: Some(command_type.into()), data };
        Ok(BlockHeartbeatPResponse { command: Some(command) })
    }

    async fn commit_block(self, request: CommitBlockPRequest) -> Result<CommitBlockPResponse, FsError> {
        let place =
            Place { tier_alias: request.tier_alias().to_owned(), medium_type: request.medium_type().to_owned() };
        let copy = NewCopy { worker: WorkerId(request.worker_id()), place, used_on_tier: request.used_bytes_on_tier() };
        self.commit(request.block_id(), request.length(), Some(copy)).await?;
        Ok(CommitBlockPResponse {})
    }

    async fn commit_block_in_ufs(
        self,
        request: CommitBlockInUfsPRequest,
    ) -> Result<CommitBlockInUfsPResponse, FsError> {
        self.commit(request.block_id(), request.length(), None).await?;
        Ok(CommitBlockInUfsPResponse {})
    }

    async fn commit(self, block: i64, length: i64, copy: Option<NewCopy>) -> Result<(), FsError> {
        let operation = Operation::CommitBlock(CommitBlock { block: BlockId(block), length, copy });
        let request = Request { caller: Caller::default(), operation_id: None, operation };
        self.server.namespace.submit(request).await.map(drop)
    }

    async fn get_pinned_file_ids(self, _: GetPinnedFileIdsPRequest) -> Result<GetPinnedFileIdsPResponse, FsError> {
        let answer = self.ask(Query::PinnedFiles).await?;
        let Answer::Files(files) = answer else { return Err(mismatch("GetPinnedFileIds", &answer)) };
        Ok(GetPinnedFileIdsPResponse { pinned_file_ids: files.into_iter().map(|id| id.0).collect() })
    }

    async fn get_file_info(self, request: GetFileInfoPRequest) -> Result<GetFileInfoPResponse, FsError> {
        let answer = self.ask(Query::StatusOf { id: InodeId(request.file_id()) }).await?;
        let Answer::Status(status) = answer else { return Err(mismatch("GetFileInfo", &answer)) };
        Ok(GetFileInfoPResponse { file_info: Some(self.server.info_of(*status)) })
    }

    async fn get_ufs_info(self, request: GetUfsInfoPRequest) -> Result<GetUfsInfoPResponse, FsError> {
        let answer = self.ask(Query::Ufs { mount_id: request.mount_id() }).await?;
        let Answer::Ufs(mount) = answer else { return Err(mismatch("GetUfsInfo", &answer)) };
        // Compatible: 2.9 answers an unknown mount with an info that says nothing.
        // Compatible: 2.9.6 MountTable's root has the default options of a mount, others only what was asked for.
        let of_root = FileSystemMasterCommonPOptions {
            ttl: Some(-1),
            ttl_action: Some(TtlAction::Free.into()),
            ..FileSystemMasterCommonPOptions::default()
        };
        let known = |mount: Box<AddMountPoint>| UfsInfo {
            uri: Some(mount.ufs_path),
            properties: Some(MountPOptions {
                common_options: mount.path.is_root().then_some(of_root),
                read_only: Some(mount.read_only),
                shared: Some(mount.shared),
                properties: mount.properties.into_iter().collect(),
                ..MountPOptions::default()
            }),
        };
        Ok(GetUfsInfoPResponse { ufs_info: Some(mount.map(known).unwrap_or_default()) })
    }

    // Compatible: 2.9 masters send no commands here, and its workers do not look at them.
    async fn file_system_heartbeat(
        self,
        _: FileSystemHeartbeatPRequest,
    ) -> Result<FileSystemHeartbeatPResponse, FsError> {
        let command = FileSystemCommand { command_type: Some(CommandType::Nothing.into()), ..Default::default() };
        Ok(FileSystemHeartbeatPResponse { command: Some(command) })
    }

    async fn ask(&self, query: Query) -> Result<Answer, FsError> {
        self.server.namespace.query(&Caller::default(), &query).await
    }
}

/// A registration, message by message.
struct Registering<N> {
    server: Arc<MasterServer<N>>,
    worker: Option<WorkerId>,
    blocks: usize,
}

impl<N: Namespace> Registering<N> {
    fn new(server: Arc<MasterServer<N>>) -> Registering<N> {
        Registering { server, worker: None, blocks: 0 }
    }

    /// A message of a stream: the first begins the registration.
    async fn take(&mut self, mut request: RegisterWorkerPRequest) -> Result<RegisterWorkerPResponse, FsError> {
        let blocks = placed(std::mem::take(&mut request.current_blocks));
        if self.worker.is_none() {
            self.begin(request, LeaseRule::NotNeeded).await?;
        }
        self.hold(blocks).await?;
        Ok(RegisterWorkerPResponse {})
    }

    async fn begin(&mut self, request: RegisterWorkerPRequest, lease: LeaseRule) -> Result<(), FsError> {
        let worker = WorkerId(request.worker_id());
        let options = request.options.unwrap_or_default();
        let build = options.build_version.clone().unwrap_or_default();
        let registration = Registration {
            worker,
            lease,
            capacity_bytes: tier_bytes(request.total_bytes_on_tiers),
            used_bytes: tier_bytes(request.used_bytes_on_tiers),
            lost_storage: lost_storage(request.lost_storage),
            build: (build.version.unwrap_or_default(), build.revision.unwrap_or_default()),
            vcpus: options.num_v_cpu(),
        };
        self.server.namespace.worker(WorkerCall::Begin(Box::new(registration))).await?;
        self.server.worker_configurations.keep(worker, options.configs);
        self.worker = Some(worker);
        Ok(())
    }

    async fn hold(&mut self, blocks: PlacedBlocks) -> Result<(), FsError> {
        let Some(worker) = self.worker else { return Ok(()) };
        for (place, blocks) in blocks {
            self.blocks += blocks.len();
            for some in blocks.chunks(BLOCKS_PER_STEP) {
                let blocks = vec![(place.clone(), some.to_vec())];
                self.server.namespace.worker(WorkerCall::Holds { worker, blocks }).await?;
            }
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<(), FsError> {
        let Some(worker) = self.worker.take() else { return Ok(()) };
        self.server.namespace.worker(WorkerCall::End { worker }).await?;
        info!("registered a worker id={} blocks={}", worker.0, self.blocks);
        Ok(())
    }
}

fn tier_bytes(tiers: HashMap<String, i64>) -> TierBytes {
    tiers.into_iter().collect()
}

fn lost_storage(tiers: HashMap<String, StorageList>) -> LostStorage {
    tiers.into_iter().map(|(tier, list)| (tier, list.storage)).collect()
}

fn placed(entries: Vec<LocationBlockIdListEntry>) -> PlacedBlocks {
    let entries = entries.into_iter().map(|entry| {
        let place = entry.key.unwrap_or_default();
        let place = Place {
            tier_alias: place.tier_alias.unwrap_or_default(),
            medium_type: place.medium_type.unwrap_or_default(),
        };
        (place, entry.value.unwrap_or_default().block_id.into_iter().map(BlockId).collect())
    });
    entries.collect()
}
