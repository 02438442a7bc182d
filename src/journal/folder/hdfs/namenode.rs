//! The calls to the NameNodes of a nameservice that a log needs, with failover between them.

use super::ipc::{Caller, Ipc, NAMENODE_PROTOCOL};
use super::settings::HdfsSettings;
use super::wire::{HdfsError, Result};
use crate::proto::alluxio_rs::hdfs::{
    AbandonBlockRequest, AddBlockRequest, AddBlockResponse, BoolResponse, CompleteRequest, CreateRequest,
    CreateResponse, DatanodeInfo, DeleteRequest, DirectoryListing, Empty, ExtendedBlock, FileStatus, FsPermission,
    FsyncRequest, GetBlockLocationsRequest, GetBlockLocationsResponse, GetFsStatsResponse, GetListingRequest,
    GetListingResponse, GetServerDefaultsResponse, LocatedBlock, LocatedBlocks, MkdirsRequest, RecoverLeaseRequest,
    Rename2Request, RenewLeaseRequest, ServerDefaults,
};
use crate::types::time::{Boot, boot_now};
use crate::ufs::Space;
use bytes::Bytes;
use prost::Message;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// A file must not be there yet; never combined with "overwrite", which takes a file from under its writer.
const CREATE_EXCLUSIVELY: u32 = 1;
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;
/// How long the NameNode that answered last is waited for alone, before all are asked: its host may have vanished.
const ALONE: Duration = Duration::from_secs(1);
/// Between two tries at one NameNode; doubles up to the longest.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_millis(400);

/// A file that this client has open for writing.
#[derive(Debug, Clone)]
pub struct OpenFile {
    /// Its path.
    pub path: String,
    /// Its inode.
    pub file_id: u64,
}

/// Whether a missing parent folder is made, or is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parents {
    /// Made as well.
    Make,
    /// `FileNotFoundException`.
    MustExist,
}

/// The NameNodes of one nameservice, as one client with one lease.
#[derive(Debug)]
pub struct NameNode {
    peers: Vec<Arc<Ipc>>,
    /// Which of the peers answered last.
    active: AtomicUsize,
    caller: Arc<Caller>,
    /// Holder of the lease of all files that this object creates; new for each object.
    client_name: String,
    call_deadline: Duration,
    budget: Duration,
}

/// One call, whoever is asked and however often.
#[derive(Debug)]
struct Call {
    method: &'static str,
    /// With its length before it.
    request: Vec<u8>,
    call_id: i32,
}

impl NameNode {
    /// Nothing is sent yet.
    pub fn new(settings: &HdfsSettings, client_name: String) -> NameNode {
        let caller = Arc::new(Caller::new());
        let peer = |address: &String| {
            let (user, connect) = (&settings.user, settings.connect_deadline);
            Arc::new(Ipc::new(address.clone(), NAMENODE_PROTOCOL, user, caller.clone(), connect))
        };
        NameNode {
            peers: settings.namenodes.iter().map(peer).collect(),
            active: AtomicUsize::new(0),
            caller: caller.clone(),
            client_name,
            call_deadline: settings.call_deadline,
            budget: settings.call_budget,
        }
    }

    /// Holder of the leases.
    pub fn client_name(&self) -> &str {
        &self.client_name
    }

    /// Calls whichever NameNode is active, within the budget: first the one that answered last, and when that takes long
    /// or is not the active one, all of them, each for itself, for one that is silent must not keep the others from
    /// being asked. A repetition carries the same call id, so that a NameNode that did answer the first time, or is
    /// about to, gives the same answer again.
    async fn call<Q: Message, A: Message + Default>(&self, method: &'static str, request: &Q) -> Result<A> {
        let call_id = self.caller.fresh_call_id();
        let call = Arc::new(Call { method, request: request.encode_length_delimited_to_vec(), call_id });
        let until = boot_now() + self.budget;
        let first = self.active.load(Ordering::Relaxed) % self.peers.len();
        let alone = ALONE.min(self.call_deadline).min(self.budget);
        let mut failure = match call.ask(&self.peers[first], 0, alone).await {
            Err(failure) if may_be_better_elsewhere(&failure) => failure,
            answer => return answer.and_then(|answer| self.peers[first].decode(method, answer)),
        };
        let mut asked = JoinSet::new();
        for (at, peer) in self.peers.iter().cloned().enumerate() {
            let (call, deadline, failure) = (call.clone(), self.call_deadline, failure.clone());
            let pause = if at == first { PAUSE_FIRST } else { Duration::ZERO };
            asked.spawn(async move { (at, call.ask_again(&peer, pause, deadline, until, failure).await) });
        }
        while let Some(ended) = asked.join_next().await {
            match ended {
                Ok((_, Err(last))) if may_be_better_elsewhere(&last) => failure = last,
                Ok((at, answer)) => {
                    self.active.store(at, Ordering::Relaxed);
                    return answer.and_then(|answer| self.peers[at].decode(method, answer));
                }
                Err(_) => {} // the runtime ends
            }
        }
        Err(failure)
    }

    /// What the server takes when it is not told otherwise.
    pub async fn server_defaults(&self) -> Result<ServerDefaults> {
        let answer: GetServerDefaultsResponse = self.call("getServerDefaults", &Empty {}).await?;
        Ok(answer.server_defaults)
    }

    /// Creates a file that did not exist, in a folder that must exist.
    pub async fn create(&self, path: &str, replication: u32, block_bytes: u64) -> Result<OpenFile> {
        let request = CreateRequest {
            src: path.into(),
            masked: FsPermission { perm: FILE_MODE },
            client_name: self.client_name.clone(),
            create_flag: CREATE_EXCLUSIVELY,
            create_parent: false,
            replication,
            block_size: block_bytes,
            crypto_protocol_version: vec![],
        };
        let answer: CreateResponse = self.call("create", &request).await?;
        match answer.fs.and_then(|status| status.file_id) {
            Some(file_id) => Ok(OpenFile { path: path.into(), file_id }),
            None => Err(HdfsError::protocol(self.peers[0].server(), "create without a file id (Hadoop before 2.x?)")),
        }
    }

    /// Asks for a block after `previous` on nodes other than `exclude`.
    pub async fn add_block(
        &self,
        file: &OpenFile,
        previous: Option<ExtendedBlock>,
        exclude: &[DatanodeInfo],
    ) -> Result<LocatedBlock> {
        let request = AddBlockRequest {
            src: file.path.clone(),
            client_name: self.client_name.clone(),
            previous,
            exclude_nodes: exclude.to_vec(),
            file_id: Some(file.file_id),
            favored_nodes: vec![],
            flags: vec![],
        };
        Ok(self.call::<_, AddBlockResponse>("addBlock", &request).await?.block)
    }

    /// Gives back a block to which nothing was acknowledged.
    pub async fn abandon_block(&self, file: &OpenFile, block: ExtendedBlock) -> Result<()> {
        let (src, holder) = (file.path.clone(), self.client_name.clone());
        let request = AbandonBlockRequest { b: block, src, holder, file_id: Some(file.file_id) };
        self.call::<_, Empty>("abandonBlock", &request).await.map(drop)
    }

    /// Makes the blocks of the file known to a NameNode that starts again; leaves their lengths as they are.
    pub async fn fsync(&self, file: &OpenFile) -> Result<()> {
        let (src, client) = (file.path.clone(), self.client_name.clone());
        let request = FsyncRequest { src, client, last_block_length: Some(-1), file_id: Some(file.file_id) };
        self.call::<_, Empty>("fsync", &request).await.map(drop)
    }

    /// Closes the file; false until the DataNodes have reported its last block.
    pub async fn complete(&self, file: &OpenFile, last: Option<ExtendedBlock>) -> Result<bool> {
        let (src, client_name) = (file.path.clone(), self.client_name.clone());
        let request = CompleteRequest { src, client_name, last, file_id: Some(file.file_id) };
        Ok(self.call::<_, BoolResponse>("complete", &request).await?.result)
    }

    /// Keeps all files of this client its own. Tells nothing: it succeeds for a client that has lost them.
    pub async fn renew_lease(&self) -> Result<()> {
        let request = RenewLeaseRequest { client_name: self.client_name.clone() };
        self.call::<_, Empty>("renewLease", &request).await.map(drop)
    }

    /// Cuts off whoever writes the file; true when it is closed.
    pub async fn recover_lease(&self, path: &str) -> Result<bool> {
        let request = RecoverLeaseRequest { src: path.into(), client_name: self.client_name.clone() };
        Ok(self.call::<_, BoolResponse>("recoverLease", &request).await?.result)
    }

    /// All blocks of a file; none when there is no such file.
    pub async fn block_locations(&self, path: &str) -> Result<Option<LocatedBlocks>> {
        let request = GetBlockLocationsRequest { src: path.into(), offset: 0, length: i64::MAX as u64 };
        none_if_missing(self.call::<_, GetBlockLocationsResponse>("getBlockLocations", &request).await)
            .map(|answer| answer.and_then(|a| a.locations))
    }

    /// The entries of a folder; none when there is no such folder. Not a snapshot: it comes in pages.
    pub async fn list(&self, path: &str) -> Result<Option<Vec<FileStatus>>> {
        let mut all: Vec<FileStatus> = Vec::new();
        loop {
            let start_after = all.last().map(|entry| entry.path.clone()).unwrap_or_default();
            let request = GetListingRequest { src: path.into(), start_after, need_location: false };
            let answer = none_if_missing(self.call::<_, GetListingResponse>("getListing", &request).await)?;
            let Some(DirectoryListing { partial_listing, remaining_entries }) = answer.and_then(|a| a.dir_list) else {
                return Ok(None);
            };
            let done = remaining_entries == 0 || partial_listing.is_empty();
            all.extend(partial_listing);
            if done {
                return Ok(Some(all));
            }
        }
    }

    /// Makes a folder; an existing one is fine.
    pub async fn make_folder(&self, path: &str, parents: Parents) -> Result<()> {
        let create_parent = parents == Parents::Make;
        let request = MkdirsRequest { src: path.into(), masked: FsPermission { perm: FOLDER_MODE }, create_parent };
        match self.call::<_, BoolResponse>("mkdirs", &request).await?.result {
            true => Ok(()),
            false => Err(HdfsError::protocol(self.peers[0].server(), format!("mkdirs of {path} without effect"))),
        }
    }

    /// Renames a file; an existing destination is `FileAlreadyExistsException`.
    pub async fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.rename2(from, to, false).await
    }

    /// Renames a file, in place of the destination if it exists.
    pub async fn replace(&self, from: &str, to: &str) -> Result<()> {
        self.rename2(from, to, true).await
    }

    async fn rename2(&self, from: &str, to: &str, overwrite_dest: bool) -> Result<()> {
        let request = Rename2Request { src: from.into(), dst: to.into(), overwrite_dest };
        self.call::<_, Empty>("rename2", &request).await.map(drop)
    }

    /// How large the HDFS is.
    pub async fn space(&self) -> Result<Space> {
        let told: GetFsStatsResponse = self.call("getFsStats", &Empty {}).await?;
        let bytes = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        let GetFsStatsResponse { capacity, used, remaining } = told;
        Ok(Space { capacity_bytes: bytes(capacity), used_bytes: bytes(used), free_bytes: bytes(remaining) })
    }

    /// Deletes a file or an empty folder; a missing one is fine.
    pub async fn delete(&self, path: &str) -> Result<()> {
        let request = DeleteRequest { src: path.into(), recursive: false };
        none_if_missing(self.call::<_, BoolResponse>("delete", &request).await).map(drop)
    }
}

impl Call {
    async fn ask(&self, peer: &Ipc, retry_count: i32, deadline: Duration) -> Result<Bytes> {
        peer.call_encoded(self.method, &self.request, self.call_id, retry_count, deadline).await
    }

    /// Asks one NameNode, beginning after `pause`, until it decides or the time is over; then the last failure.
    async fn ask_again(
        &self,
        peer: &Ipc,
        mut pause: Duration,
        deadline: Duration,
        until: Boot,
        mut failure: HdfsError,
    ) -> Result<Bytes> {
        for retry_count in 1.. {
            if until.since(boot_now()) <= pause {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).clamp(PAUSE_FIRST, PAUSE_MAX);
            match self.ask(peer, retry_count, deadline.min(until.since(boot_now()))).await {
                Err(last) if may_be_better_elsewhere(&last) => failure = last,
                decided => return decided,
            }
        }
        Err(failure)
    }
}

fn none_if_missing<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(failure) if failure.is("FileNotFoundException") => Ok(None),
        result => result.map(Some),
    }
}

/// Whether the same call may have another outcome at the other NameNode, or a little later.
fn may_be_better_elsewhere(failure: &HdfsError) -> bool {
    match failure {
        HdfsError::Connection { .. } | HdfsError::Deadline { .. } => true,
        HdfsError::Remote { class, .. } => matches!(
            class.as_str(),
            "StandbyException" | "ObserverRetryOnActiveException" | "RetriableException" | "SafeModeException"
        ),
        _ => false,
    }
}

#[cfg(test)]
#[path = "namenode_tests.rs"]
mod tests;
