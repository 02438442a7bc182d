//! What a worker asks of the primary master, whoever that is. A change of leader is a pause.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::proto::alluxio::grpc::block::block_master_worker_service_client::BlockMasterWorkerServiceClient;
use crate::proto::alluxio::grpc::block::{CommitBlockInUfsPRequest, CommitBlockPRequest};
use crate::proto::alluxio::grpc::file::file_system_master_worker_service_client::FileSystemMasterWorkerServiceClient;
use crate::proto::alluxio::grpc::file::{GetFileInfoPRequest, GetPinnedFileIdsPRequest, GetUfsInfoPRequest, UfsInfo};
use crate::proto::alluxio::grpc::version::ServiceType;
use crate::proto::convert;
use crate::rpc::MESSAGE_BYTES_MAX;
use crate::rpc::channel::Connection;
use crate::rpc::locate::Locate;
use crate::rpc::retry::{Caller, ClientError, ClientSettings};
use crate::rpc::status::{from_status, to_status};
use crate::types::{BlockId, ErrorKind, FileStatus, FsError, InodeId, PersistenceState, WorkerId};

/// The ids that the masters gave to this worker, by their addresses.
#[derive(Debug, Clone, Default)]
pub struct Registrations(Arc<Mutex<BTreeMap<String, WorkerId>>>);

impl Registrations {
    /// The master knows this worker, with its blocks, by this id.
    pub fn enter(&self, master: &str, id: WorkerId) {
        self.0.lock().insert(master.to_owned(), id);
    }

    /// The master does not know this worker any more.
    pub fn leave(&self, master: &str) {
        self.0.lock().remove(master);
    }

    /// The masters that know this worker.
    pub fn masters(&self) -> Vec<String> {
        self.0.lock().keys().cloned().collect()
    }

    /// How many masters know this worker.
    pub fn count(&self) -> usize {
        self.0.lock().len()
    }

    fn of(&self, master: &str) -> Option<WorkerId> {
        self.0.lock().get(master).copied()
    }
}

/// A block that is where it belongs, as the master is told of it.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The block.
    pub block: BlockId,
    /// Its length.
    pub length: u64,
    /// Name of its tier.
    pub tier_alias: String,
    /// Bytes used in that tier, with it.
    pub used_on_tier: u64,
}

/// See the module text.
#[derive(Debug)]
pub struct PrimaryMaster {
    caller: Caller,
    registrations: Registrations,
}

type Blocks = BlockMasterWorkerServiceClient<Connection>;
type Files = FileSystemMasterWorkerServiceClient<Connection>;

impl PrimaryMaster {
    /// Nothing is connected before the first call.
    pub fn new(masters: Box<dyn Locate>, settings: ClientSettings, registrations: Registrations) -> PrimaryMaster {
        PrimaryMaster { caller: Caller::new(masters, ServiceType::BlockMasterWorkerService, settings), registrations }
    }

    /// Tells the primary of a new block. It knows the block when this returns.
    ///
    /// # Errors
    /// It refuses the block, or no primary that knows this worker answers in time.
    pub async fn commit_block(&self, committed: &Committed) -> Result<(), FsError> {
        let call = |connection: Connection| {
            let registrations = &self.registrations;
            async move {
                let master = connection.address().to_owned();
                // A master that leads since a moment ago may not have heard of this worker yet: tried again.
                let unknown =
                    || to_status(FsError::new(ErrorKind::Unavailable, format!("{master} does not know this worker")));
                let id = registrations.of(&master).ok_or_else(unknown)?;
                let request = CommitBlockPRequest {
                    worker_id: Some(id.0),
                    used_bytes_on_tier: Some(signed(committed.used_on_tier)),
                    tier_alias: Some(committed.tier_alias.clone()),
                    block_id: Some(committed.block.0),
                    length: Some(signed(committed.length)),
                    medium_type: Some(committed.tier_alias.clone()),
                    ..CommitBlockPRequest::default()
                };
                let answer = Blocks::new(connection).commit_block(request).await;
                answer.map_err(|status| {
                    let refusal = from_status(status.clone());
                    // Compatible: 2.9, the text for an id that it has forgotten.
                    let forgotten =
                        refusal.kind == ErrorKind::NotFound && refusal.message.starts_with("No worker with");
                    if forgotten { unknown() } else { status }
                })
            }
        };
        self.caller.call(call).await.map(drop).map_err(failed)
    }

    /// Tells the primary of a new block that is in the UFS and at no worker. It knows the block when this returns.
    ///
    /// # Errors
    /// It refuses the block, or no primary answers in time.
    pub async fn commit_block_in_ufs(&self, block: BlockId, length: u64) -> Result<(), FsError> {
        let request = CommitBlockInUfsPRequest {
            block_id: Some(block.0),
            length: Some(signed(length)),
            ..CommitBlockInUfsPRequest::default()
        };
        let call = |connection| async move { Blocks::new(connection).commit_block_in_ufs(request).await };
        self.caller.call(call).await.map(drop).map_err(failed)
    }

    /// The containers of all files that must stay: pinned, or waiting to be persisted.
    ///
    /// # Errors
    /// No primary answers in time.
    pub async fn pinned_files(&self) -> Result<BTreeSet<i64>, FsError> {
        let call = |connection| async move {
            let mut files = Files::new(connection).max_decoding_message_size(MESSAGE_BYTES_MAX);
            files.get_pinned_file_ids(GetPinnedFileIdsPRequest::default()).await
        };
        let answer = self.caller.call(call).await.map_err(failed)?.into_inner();
        Ok(answer.pinned_file_ids.into_iter().map(|id| InodeId(id).container()).collect())
    }

    /// Whether the blocks of the file with this container may go: it is in the UFS, or there is no such file any more.
    ///
    /// # Errors
    /// No primary answers in time.
    pub async fn is_expendable(&self, container: i64) -> Result<bool, FsError> {
        let request = GetFileInfoPRequest { file_id: Some(InodeId::of_file(container).0), options: None };
        let call = |connection| async move { Files::new(connection).get_file_info(request).await };
        match self.caller.call(call).await.map_err(failed) {
            Ok(answer) => {
                let info = answer.into_inner().file_info.unwrap_or_default();
                Ok(info.persistence_state() == PersistenceState::Persisted.text())
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// What the file with this container looks like.
    ///
    /// # Errors
    /// There is no such file, or no primary answers in time.
    pub async fn file(&self, container: i64) -> Result<FileStatus, FsError> {
        let request = GetFileInfoPRequest { file_id: Some(InodeId::of_file(container).0), options: None };
        let call = |connection| async move { Files::new(connection).get_file_info(request).await };
        let info = self.caller.call(call).await.map_err(failed)?.into_inner().file_info.unwrap_or_default();
        convert::status_from_proto(info)
    }

    /// The UFS of a mount.
    ///
    /// # Errors
    /// There is no such mount, or no primary answers in time.
    pub async fn ufs_of(&self, mount: i64) -> Result<UfsInfo, FsError> {
        let request = GetUfsInfoPRequest { mount_id: Some(mount), options: None };
        let call = |connection| async move { Files::new(connection).get_ufs_info(request).await };
        let answer = self.caller.call(call).await.map_err(failed)?.into_inner();
        // Compatible: 2.9, for a mount that is not there the answer is empty.
        let there = answer.ufs_info.filter(|info| !info.uri().is_empty());
        there.ok_or_else(|| FsError::new(ErrorKind::NotFound, format!("Mount Id {mount} does not exist.")))
    }
}

fn failed(error: ClientError) -> FsError {
    match error {
        ClientError::Refused(error) => error,
        ClientError::Unreachable { .. } => FsError::new(ErrorKind::Unavailable, error.to_string()),
    }
}

/// Bytes as they travel.
pub fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
