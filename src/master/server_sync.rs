//! What the UFS has, compared with the namespace because somebody asks for that: syncMetadata, at once or in the background
//! (2.9.6 mdsync), and checkConsistency.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::AbortHandle;

use super::audit::Client;
use super::front::Front;
use super::listing::Listing;
use super::ops::{Freshness, LoadMetadata, Query, Walk};
use super::server::{Namespace, UserCall};
use crate::proto::alluxio::grpc::file::{
    CancelSyncMetadataPRequest, CancelSyncMetadataPResponse, CheckConsistencyPRequest, CheckConsistencyPResponse,
    GetSyncProgressPRequest, GetSyncProgressPResponse, SyncMetadataAsyncPResponse, SyncMetadataPRequest,
    SyncMetadataPResponse, SyncMetadataState, SyncMetadataTask, sync_metadata_task,
};
use crate::proto::alluxio::grpc::fscommon::LoadDescendantPType;
use crate::proto::convert;
use crate::types::time::{Boot, boot_now};
use crate::types::{AlluxioPath, ErrorKind, FsError};

/// Of so many the outcome can be asked for; the oldest are forgotten first.
const GROUPS_MAX: usize = 1_000;
/// Comparisons that may be under way.
const UNDER_WAY_MAX: usize = 100;
/// Entries that are counted at a time.
const COUNTED: usize = 1_000;

/// Ends one whose client has gone, or that was cancelled, if it did not end before.
struct GivenUp(Arc<Sync>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.end(Outcome::Canceled);
    }
}

/// All that were asked for since this master began.
#[derive(Debug, Default)]
pub(super) struct Syncs {
    groups: Mutex<Groups>,
}

#[derive(Debug, Default)]
struct Groups {
    by_id: BTreeMap<i64, Arc<Sync>>,
    next: i64,
}

/// One of them: a group of one task.
#[derive(Debug)]
struct Sync {
    id: i64,
    info: String,
    began: Boot,
    ended: Mutex<Option<(Duration, Outcome)>>,
    /// Of one in the background.
    abort: Mutex<Option<AbortHandle>>,
}

#[derive(Debug, Clone)]
enum Outcome {
    /// So many inodes were compared.
    Compared(u64),
    Failed(FsError),
    Canceled,
}

impl Syncs {
    fn begin(&self, path: &AlluxioPath, ufs_path: &str, request: &SyncMetadataPRequest) -> Result<Arc<Sync>, FsError> {
        let options = request.options.unwrap_or_default();
        let (below, how) = (options.load_descendant_type(), options.directory_load_type());
        let mut groups = self.groups.lock();
        let under_way = groups.by_id.values().filter(|sync| sync.ended.lock().is_none()).count();
        if under_way >= UNDER_WAY_MAX {
            let text = format!(
                "{under_way} comparisons with the under store are under way, the most that may be: wait for one of them."
            );
            return Err(FsError::new(ErrorKind::ResourceExhausted, text));
        }
        let id = groups.next;
        groups.next += 1;
        // Compatible: 2.9.6 TaskInfo.toString.
        let info = format!(
            "TaskInfo{{UFS path: {ufs_path}, AlluxioPath: {path}, Descendant Type: {}, Directory Load Type: {}, Id: {id}}}",
            below.as_str_name(),
            how.as_str_name(),
        );
        let sync = Sync { id, info, began: boot_now(), ended: Mutex::default(), abort: Mutex::default() };
        let sync = Arc::new(sync);
        groups.by_id.insert(id, Arc::clone(&sync));
        if groups.by_id.len() > GROUPS_MAX {
            let ended = groups.by_id.iter().find(|(_, sync)| sync.ended.lock().is_some()).map(|(id, _)| *id);
            ended.map(|id| groups.by_id.remove(&id));
        }
        Ok(sync)
    }

    fn get(&self, id: i64) -> Result<Arc<Sync>, FsError> {
        // Compatible: 2.9.6 DefaultFileSystemMaster.getSyncProgress.
        let unknown = || FsError::new(ErrorKind::NotFound, format!("Task group id {id} not found"));
        self.groups.lock().by_id.get(&id).cloned().ok_or_else(unknown)
    }
}

impl Sync {
    fn end(&self, outcome: Outcome) {
        self.ended.lock().get_or_insert((boot_now().since(self.began), outcome));
    }

    fn to_proto(&self) -> SyncMetadataTask {
        let ended = self.ended.lock().clone();
        let took = ended.as_ref().map_or_else(|| boot_now().since(self.began), |(took, _)| *took);
        let task = SyncMetadataTask {
            id: Some(self.id),
            sync_duration_ms: Some(i64::try_from(took.as_millis()).unwrap_or(i64::MAX)),
            task_info_string: Some(self.info.clone()),
            ..SyncMetadataTask::default()
        };
        match ended.map(|(_, outcome)| outcome) {
            None => SyncMetadataTask { state: Some(SyncMetadataState::Running.into()), ..task },
            Some(Outcome::Canceled) => SyncMetadataTask { state: Some(SyncMetadataState::Canceled.into()), ..task },
            Some(Outcome::Compared(count)) => SyncMetadataTask {
                state: Some(SyncMetadataState::Succeeded.into()),
                success_op_count: i64::try_from(count).ok(),
                task_stat_string: Some(format!("TaskStats{{# of objects compared={count}}}")),
                ..task
            },
            Some(Outcome::Failed(error)) => SyncMetadataTask {
                state: Some(SyncMetadataState::Failed.into()),
                exception: Some(sync_metadata_task::Exception {
                    exception_type: Some(format!("{:?}", error.kind)),
                    exception_message: Some(error.message),
                    stacktrace: Some(String::new()),
                }),
                ..task
            },
        }
    }
}

impl<N: Namespace> UserCall<N> {
    pub(super) async fn sync_metadata(self, request: SyncMetadataPRequest) -> Result<SyncMetadataPResponse, FsError> {
        let (sync, work) = self.begin_sync(&request).await?;
        let _given_up = GivenUp(Arc::clone(&sync));
        sync.end(work.await);
        Ok(SyncMetadataPResponse { task: vec![sync.to_proto()], debug_info: None })
    }

    pub(super) async fn sync_metadata_async(
        self,
        request: SyncMetadataPRequest,
    ) -> Result<SyncMetadataAsyncPResponse, FsError> {
        let (sync, work) = self.begin_sync(&request).await?;
        let told = Arc::clone(&sync);
        let task = tokio::spawn(async move {
            let _given_up = GivenUp(Arc::clone(&told));
            told.end(work.await);
        });
        *sync.abort.lock() = Some(task.abort_handle());
        Ok(SyncMetadataAsyncPResponse { submitted: Some(true), task_group_id: Some(sync.id), task_ids: vec![sync.id] })
    }

    pub(super) async fn get_sync_progress(
        self,
        request: GetSyncProgressPRequest,
    ) -> Result<GetSyncProgressPResponse, FsError> {
        let sync = self.server.syncs.get(request.task_group_id())?;
        Ok(GetSyncProgressPResponse { task: vec![sync.to_proto()], debug_info: None })
    }

    pub(super) async fn cancel_sync_metadata(
        self,
        request: CancelSyncMetadataPRequest,
    ) -> Result<CancelSyncMetadataPResponse, FsError> {
        let sync = self.server.syncs.get(request.task_group_id())?;
        if let Some(task) = sync.abort.lock().take() {
            task.abort();
        }
        sync.end(Outcome::Canceled);
        Ok(CancelSyncMetadataPResponse { success: None })
    }

    async fn begin_sync(
        &self,
        request: &SyncMetadataPRequest,
    ) -> Result<(Arc<Sync>, impl Future<Output = Outcome> + Send + use<N>), FsError> {
        let path = convert::path(&request.path)?;
        let below = request.options.unwrap_or_default().load_descendant_type();
        let sync = self.server.syncs.begin(&path, &self.server.namespace.ufs_uri(&path), request)?;
        let (front, client) = (Arc::clone(&self.server.front), self.client().await);
        let work = async move {
            match compare(&front, &client, path, below).await {
                Ok(count) => Outcome::Compared(count),
                Err(error) => Outcome::Failed(error),
            }
        };
        Ok((sync, work))
    }

    pub(super) async fn check_consistency(
        self,
        request: CheckConsistencyPRequest,
    ) -> Result<CheckConsistencyPResponse, FsError> {
        const READ: u16 = 4;
        let path = convert::path(request.path())?;
        let common = request.options.unwrap_or_default().common_options;
        let all = Query::ListStatus { path: path.clone(), recursive: true };
        let fresh = Freshness { load: LoadMetadata::Never, ..self.freshness(None, common.as_ref()) };
        self.server.namespace.load(&all, fresh).await?;
        self.look(Query::CheckAccess { path: path.clone(), access: READ }, None, None).await?;
        let inconsistent = self.server.namespace.inconsistent(&path).await?;
        let inconsistent_paths = inconsistent.into_iter().map(AlluxioPath::into_string).collect();
        Ok(CheckConsistencyPResponse { inconsistent_paths })
    }
}

/// Compares with the UFS, whenever that was done last; how many inodes.
async fn compare<N: Namespace>(
    front: &Front<N>,
    client: &Client,
    path: AlluxioPath,
    below: LoadDescendantPType,
) -> Result<u64, FsError> {
    let fresh = Freshness { load: LoadMetadata::Never, sync_interval: Some(Duration::ZERO) };
    if below == LoadDescendantPType::None {
        return front.look(client, Query::GetStatus { path }, fresh).await.map(|_| 1);
    }
    let mut listing = Listing::new(Walk::new(path, below == LoadDescendantPType::All));
    let mut part = front.list(client, &mut listing, fresh, COUNTED).await?;
    let mut count = part.statuses.len() as u64;
    while !part.is_last {
        part = front.list_on(client, &mut listing, COUNTED).await?;
        count += part.statuses.len() as u64;
    }
    Ok(count)
}
