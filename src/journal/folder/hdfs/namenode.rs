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
use crate::types::time::boot_now;
use crate::ufs::Space;
use prost::Message;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A file must not be there yet; never combined with "overwrite", which takes a file from under its writer.
const CREATE_EXCLUSIVELY: u32 = 1;
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;
/// Between two rounds over all NameNodes; doubles up to the second.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);

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
    peers: Vec<Ipc>,
    /// Which of the peers answered last.
    active: AtomicUsize,
    caller: Arc<Caller>,
    /// Holder of the lease of all files that this object creates; new for each object.
    client_name: String,
    call_deadline: Duration,
    budget: Duration,
}

impl NameNode {
    /// Nothing is sent yet.
    pub fn new(settings: &HdfsSettings, client_name: String) -> NameNode {
        let caller = Arc::new(Caller::new());
        let peer = |address: &String| {
            let (user, connect) = (&settings.user, settings.connect_deadline);
            Ipc::new(address.clone(), NAMENODE_PROTOCOL, user, caller.clone(), connect)
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

    /// Calls whichever NameNode is active, within the budget. A repetition carries the same call id, so that a
    /// NameNode that did answer the first time gives the same answer again.
    async fn call<Q: Message, A: Message + Default>(&self, method: &'static str, request: &Q) -> Result<A> {
        let call_id = self.caller.fresh_call_id();
        let until = boot_now() + self.budget;
        let mut pause = PAUSE_FIRST;
        for retry_count in 0.. {
            let at = self.active.load(Ordering::Relaxed) % self.peers.len();
            let left = until.since(boot_now());
            let deadline = self.call_deadline.min(left.max(Duration::from_millis(1)));
            let failure = match self.peers[at].call(method, request, call_id, retry_count, deadline).await {
                Err(failure) if may_be_better_elsewhere(&failure) => failure,
                result => return result,
            };
            // Another call may have found the active one meanwhile: only who failed on the remembered one moves on.
            let next = (at + 1) % self.peers.len();
            let _ = self.active.compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed);
            let round_done = (retry_count as usize + 1).is_multiple_of(self.peers.len());
            let wait = if round_done { pause } else { Duration::ZERO };
            if until.since(boot_now()) <= wait {
                return Err(failure);
            }
            tokio::time::sleep(wait).await;
            if round_done {
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
        unreachable!("the loop ends by its budget")
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
