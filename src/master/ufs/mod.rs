//! The coordinator of the UFS, between the server and the driver: looks at a UFS, or changes it, and has the driver
//! decide with what came of it. Nothing here runs under the lock over the state. See ARCHITECTURE.md, "UFS effects".
//!
//! Read `task.rs` (a change under an intent, step by step), `look_task.rs` (a look) and `locks.rs`, then this file, then
//! `look.rs` (what is loaded), `change.rs` (what is changed), `absent.rs` and `backup.rs`.

mod absent;
mod backup;
mod change;
mod compared;
mod consistency;
mod locks;
mod look;
mod look_task;
mod preparing;
mod task;

pub use absent::AbsentPaths;
pub(super) use backup::{BACKUP_PREFIX, BACKUP_SUFFIX, UNFINISHED, folder_uri};
pub use backup::{BackupPlace, BackupRequest, BackupStage, BackupStatus, BackupWait};
pub use change::failure;
pub use look::{facts_of, named, properties_of};
pub use look_task::{LookStep, LookTask, Shown};
pub use task::{Step, Told, UfsCall, UfsTask};

use super::audit::Ownership;
use super::event::Core;
use super::figures;
use super::listing::Listing;
use super::ops::{
    self, Answer, Attempt, Freshness, LoadMetadata, Lookup, Operation, Part, Preparation, Query, Request, UfsOperation,
};
use super::runtime::{Handle, Progress};
use super::server::Namespace;
use super::worker_call::WorkerCall;
use crate::journal::entry::UfsIntent;
use crate::metrics::MasterFigures;
use crate::types::time::{Boot, boot_now};
use crate::types::{AlluxioPath, Caller, ErrorKind, FsError, InodeId, OperationId, SequenceNumber};
use crate::ufs::{UfsClients, UfsError, UfsErrorKind};
use compared::{ComparedPaths, Scope};
use locks::{Mode, PathLock, PathLocks};
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::task::JoinSet;

/// So often an operation is prepared anew because the state has moved; then its client tries again.
const ROUNDS_MAX: usize = 200;
/// How many places a question may look at in the UFS. 2.9 has no limit.
const LOOKS_MAX: usize = 200_000;
/// Pause of one that waits for an intent that nobody here has the lock for.
const WAIT: Duration = Duration::from_millis(10);

/// How long something that is made in Alluxio alone waits for a UFS, which may have something in its place.
const LOOK_BRIEFLY: Duration = Duration::from_secs(1);

/// How UFSes are changed.
#[derive(Debug, Clone, Copy)]
pub struct EffectSettings {
    /// A call that changes a UFS under an intent is made only when the lease lasts longer than this, and given up
    /// after it.
    pub deadline: Duration,
    /// How long a client is kept waiting for a UFS that says nothing; then it is told to try again. A change goes on
    /// meanwhile, so this holds for those only that the client can ask for again, by an operation id.
    pub patience: Duration,
    /// Size of the blocks of a file that a UFS says nothing about.
    pub block_size_bytes: u64,
}

/// See the module text. Cheap to clone.
#[derive(Clone)]
pub struct UfsNamespace {
    inner: Arc<Inner>,
}

struct Inner {
    handle: Handle,
    clients: Arc<UfsClients>,
    settings: EffectSettings,
    /// For what changes or looks at a UFS.
    locks: PathLocks,
    /// One look at a time for each of these.
    looking: Mutex<BTreeMap<Lookup, Weak<Turn>>>,
    absent: Mutex<AbsentPaths>,
    compared: Mutex<ComparedPaths>,
    /// The last backup.
    backup: Mutex<Option<BackupStatus>>,
    /// Changes under way, which go on when their client goes away.
    tasks: Mutex<JoinSet<()>>,
}

/// Whose turn it is to look at something; why the last one who looked could not see it.
type Turn = tokio::sync::Mutex<Option<FsError>>;

/// What this operation or query has looked at.
type Looked = BTreeSet<Lookup>;

impl UfsNamespace {
    /// In front of that master. What earlier ones left open is settled once it is primary.
    pub fn start(handle: Handle, clients: Arc<UfsClients>, settings: EffectSettings) -> UfsNamespace {
        let inner = Inner {
            handle,
            clients,
            settings,
            locks: PathLocks::default(),
            looking: Mutex::default(),
            absent: Mutex::default(),
            compared: Mutex::default(),
            backup: Mutex::default(),
            tasks: Mutex::default(),
        };
        let namespace = UfsNamespace { inner: Arc::new(inner) };
        let settling = namespace.clone();
        namespace.spawn(async move { settling.settle_open_intents().await });
        namespace
    }

    /// Waits until this master is primary, then settles what earlier ones left open. The paths of an open intent are
    /// closed meanwhile, so the master serves all others at once, even if a UFS is away.
    async fn settle_open_intents(&self) {
        let mut progress = self.inner.handle.progress();
        if progress.wait_for(|progress| matches!(progress, Progress::Primary(_))).await.is_err() {
            return;
        }
        let open = self.inner.handle.with_core(|core, _| core.state.intents().values().cloned().collect::<Vec<_>>());
        open.into_iter().for_each(|intent| self.settle(intent));
    }

    /// Ends what is under way; open intents are settled by the next primary.
    pub async fn stop(&self) {
        let mut tasks = std::mem::take(&mut *self.inner.tasks.lock());
        tasks.shutdown().await;
    }

    fn settle(&self, intent: UfsIntent) {
        let this = self.clone();
        self.spawn(async move {
            let inode = intent.inode;
            let paths = std::iter::once(&intent.path).chain(&intent.new_path).cloned().collect();
            let _lock = this.inner.locks.lock(paths, Mode::Alone).await;
            // One of our own, begun just before this was asked for, has come to its end with its lock; its inode may have
            // another one by now, elsewhere.
            let is_open = |core: &Core, _: &ops::Settings| core.state.intents().get(&inode) == Some(&intent);
            if !this.inner.handle.with_core(is_open) {
                return;
            }
            log::info!("settling a change of a UFS that was begun path={} to={:?}", intent.path, intent.new_path);
            // A guardian gives the lease of a dead master up at once; what that one sent last may still land.
            tokio::time::sleep(this.inner.settings.deadline * 2).await;
            let begin = |core: &Core, settings: &ops::Settings| UfsTask::settle(inode, &core.state, settings);
            let (task, step) = this.inner.handle.with_core(begin);
            match this.run(task, step, &nobody()).await {
                Ok(()) => {
                    log::info!("settled: it was done inode={inode}");
                    if intent.temporary.is_some() {
                        this.note_content(inode, &intent.path).await;
                    }
                }
                Err(error) => log::info!("settled inode={inode} reason={error}"),
            }
        });
    }

    /// Locks the paths that an operation changes.
    async fn lock(&self, operation: &Operation, mode: Mode) -> PathLock {
        let touched = self.inner.handle.with_core(|core, _| operation.touches(&core.state));
        self.inner.locks.lock(touched.into_iter().map(|(path, _)| path).collect(), mode).await
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.inner.tasks.lock();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(work);
    }

    fn known(&self, looked: &Looked, lookup: &Lookup) -> bool {
        let is_absent = |path, found| self.inner.absent.lock().contains(path, found, boot_now());
        looked.contains(lookup) || matches!(lookup, Lookup::Path { path, found } if is_absent(path, *found))
    }

    /// Looks at all that a question is about, as far as that is needed.
    async fn load_missing(&self, query: &Query, load: LoadMetadata) -> Result<(), FsError> {
        let mut looked = Looked::new();
        loop {
            if !self.is_primary() {
                break;
            }
            if looked.len() > LOOKS_MAX {
                let text = format!(
                    "More than {LOOKS_MAX} directories would have to be looked at in the under store: ask for parts of \
                     the tree, one after the other."
                );
                return Err(FsError::new(ErrorKind::ResourceExhausted, text));
            }
            let lookups = self.prepared_query(query, load, &mut looked).await?;
            if lookups.is_empty() {
                break;
            }
            self.look(&lookups, &mut looked).await?;
        }
        Ok(())
    }

    async fn decide(&self, mut request: Request) -> Result<Answer, FsError> {
        if let Operation::Ufs(UfsOperation::Mount(mount)) = &mut request.operation {
            let _lock = self.inner.locks.lock(vec![mount.path.clone()], Mode::Alone).await;
            mount.seen = self.look_before_mount(mount).await?;
            return self.inner.handle.submit(request).await;
        }
        let (mut looked, mut attempt) = (Looked::new(), Attempt::First);
        let until = request.operation_id.is_some().then(|| boot_now() + self.inner.settings.patience);
        for _ in 0..ROUNDS_MAX {
            match self.prepared(&request, attempt, &mut looked).await? {
                Preparation::Look(lookups) => {
                    let seen = self.look(&lookups, &mut looked);
                    match is_made_in_alluxio(&request.operation) {
                        // It is made even while a UFS is away.
                        true => {
                            let _ = tokio::time::timeout(LOOK_BRIEFLY, seen).await;
                            looked.extend(lookups);
                        }
                        false => seen.await?,
                    }
                    continue;
                }
                Preparation::Wait => {
                    drop(patiently(until, self.lock(&request.operation, Mode::Shared)).await?);
                    tokio::time::sleep(WAIT).await;
                    continue;
                }
                Preparation::Persist { parents } => patiently(until, self.persist(&request, parents)).await??,
                Preparation::Replace(path) => {
                    let answer = patiently(until, self.change(replacing(&request, path))).await?;
                    if !is_refused(&answer) {
                        answer?;
                    }
                }
                Preparation::InParts => {
                    let answer = self.change_in_parts(&request, until).await;
                    if !is_refused(&answer) {
                        return answer;
                    }
                }
                Preparation::CheckRights(path) => self.check_rights_below(&mut request, path).await?,
                Preparation::Begin => {
                    let answer = patiently(until, self.change(request.clone())).await?;
                    if !is_refused(&answer) {
                        return answer;
                    }
                }
                Preparation::Set(changes) => {
                    let _lock = self.lock(&request.operation, Mode::Alone).await;
                    // What allows it may not be durable yet.
                    self.inner.handle.durable(|_| ()).await?;
                    self.set(&changes).await?;
                    let answer = self.inner.handle.submit(request.clone()).await;
                    if !is_refused(&answer) {
                        return answer;
                    }
                }
                Preparation::Submit => {
                    let answer = self.inner.handle.submit(request.clone()).await;
                    if !is_refused(&answer) {
                        return answer;
                    }
                }
            }
            attempt = Attempt::Refused;
        }
        Err(FsError::new(ErrorKind::Unavailable, "The path is changed too often. Try again."))
    }
}

impl Namespace for UfsNamespace {
    fn is_primary(&self) -> bool {
        self.inner.handle.is_primary()
    }

    fn journal_position(&self) -> SequenceNumber {
        self.inner.handle.standing().settled()
    }

    async fn submit(&self, request: Request) -> Result<Answer, FsError> {
        self.decide(request).await
    }

    fn is_answered(&self, id: OperationId) -> bool {
        self.inner.handle.with_core(|core, _| core.state.answered(id).is_some())
    }

    async fn checkpoint(&self) -> Result<(), FsError> {
        self.inner.handle.checkpoint().await
    }

    async fn backup(&self, request: BackupRequest) -> Result<BackupStatus, FsError> {
        self.make_backup(request).await
    }

    async fn back_up_here(&self, uri: &str, after: SequenceNumber) -> Result<u64, FsError> {
        self.back_up_to(uri, after).await
    }

    fn backup_status(&self, id: &str) -> Result<BackupStatus, FsError> {
        self.last_backup(id)
    }

    async fn worker(&self, call: WorkerCall) -> Result<Answer, FsError> {
        self.inner.handle.worker(call).await
    }

    async fn query(&self, caller: &Caller, query: &Query) -> Result<Answer, FsError> {
        self.inner.handle.query(caller, query).await
    }

    async fn list(&self, caller: &Caller, listing: &mut Listing, limit: usize) -> Result<Part, FsError> {
        self.inner.handle.list(caller, listing, limit).await
    }

    async fn delete_leftover(&self, uri: &str) -> Result<(), FsError> {
        self.delete(uri).await
    }

    async fn load(&self, query: &Query, fresh: Freshness) -> Result<(), FsError> {
        let due = scope_of(query)
            .filter(|(path, scope)| self.inner.compared.lock().is_due(path, *scope, fresh.sync_interval, boot_now()));
        let Some((path, scope)) = due else { return self.load_missing(query, fresh.load).await };
        let began = boot_now();
        self.load_missing(query, LoadMetadata::Compared).await?;
        // Nothing is below what is no directory.
        let is_directory =
            |core: &Core, _: &ops::Settings| ops::inode_at(&core.state, path).is_some_and(|inode| inode.is_directory());
        let scope = if self.inner.handle.with_core(is_directory) { scope } else { Scope::Tree };
        if self.is_primary() {
            self.inner.compared.lock().add(path.clone(), scope, began);
        }
        Ok(())
    }

    fn ufs_uri(&self, path: &AlluxioPath) -> String {
        self.uri(path)
    }

    async fn inconsistent(&self, path: &AlluxioPath) -> Result<Vec<AlluxioPath>, FsError> {
        self.find_inconsistent(path).await
    }

    fn changed_in_ufs(&self, path: AlluxioPath) {
        self.inner.compared.lock().change(path, boot_now());
    }

    async fn refresh(&self, operation: &Operation, interval: Duration) -> Result<(), FsError> {
        for query in compared_for(operation) {
            self.load(&query, Freshness { load: LoadMetadata::Never, sync_interval: Some(interval) }).await?;
        }
        Ok(())
    }

    async fn figures(&self) -> MasterFigures {
        figures::read(&self.inner.handle).await
    }

    fn ownership(&self, path: &AlluxioPath) -> Option<Ownership> {
        self.inner.handle.with_core(|core, _| {
            let inode = ops::inode_at(&core.state, path)?;
            let inodes = core.state.inodes();
            let (owner, group) = (inodes.owner(&inode).to_owned(), inodes.group(&inode).to_owned());
            Some(Ownership { owner, group, mode: inode.mode })
        })
    }
}

/// Waits for a UFS, until then at the most.
async fn patiently<T>(until: Option<Boot>, work: impl Future<Output = T>) -> Result<T, FsError> {
    let Some(until) = until else { return Ok(work.await) };
    let silent = |_| FsError::new(ErrorKind::Unavailable, "The under file system gives no answer. Try again.");
    let done = tokio::time::timeout(until.since(boot_now()), work).await;
    done.map_err(silent).inspect_err(|_| log::debug!("a client that waits for a UFS is told to try again"))
}

fn is_refused(answer: &Result<Answer, FsError>) -> bool {
    answer.as_ref().is_err_and(ops::is_not_yet)
}

fn is_made_in_alluxio(operation: &Operation) -> bool {
    use ops::WriteType::{CacheThrough, Through};
    match operation {
        Operation::CreateFile(op) => !matches!(op.write_type, CacheThrough | Through),
        Operation::CreateDirectory(op) => !matches!(op.write_type, CacheThrough | Through),
        _ => false,
    }
}

/// What a question is about.
fn scope_of(query: &Query) -> Option<(&AlluxioPath, Scope)> {
    match query {
        Query::GetStatus { path } | Query::Exists { path } | Query::CheckAccess { path, .. } => {
            Some((path, Scope::Itself))
        }
        Query::ListStatus { path, recursive: true } => Some((path, Scope::Tree)),
        Query::ListStatus { path, .. } | Query::ListPart { path, .. } => Some((path, Scope::Children)),
        _ => None,
    }
}

/// What is compared before a change, as questions about it.
// Compatible: 2.9.6 DefaultFileSystemMaster: these, and no others, begin with syncMetadata.
fn compared_for(operation: &Operation) -> Vec<Query> {
    let itself = |path: &AlluxioPath| Query::GetStatus { path: path.clone() };
    let below = |path: &AlluxioPath, recursive| match recursive {
        true => Query::ListStatus { path: path.clone(), recursive },
        false => itself(path),
    };
    match operation {
        Operation::CreateDirectory(op) => vec![itself(&op.path)],
        Operation::CreateFile(op) => vec![itself(&op.path)],
        Operation::Rename(op) => vec![itself(&op.source), itself(&op.target)],
        Operation::Delete(op) if op.alluxio_only => Vec::new(),
        Operation::Delete(op) => vec![Query::ListStatus { path: op.path.clone(), recursive: op.recursive }],
        Operation::SetAttribute(op) => vec![below(&op.path, op.recursive)],
        Operation::SetAcl(op) => vec![below(&op.path, op.recursive)],
        _ => Vec::new(),
    }
}

/// The request that takes away a file that is to be replaced.
fn replacing(request: &Request, path: AlluxioPath) -> Request {
    Request { caller: request.caller.clone(), operation_id: None, operation: Operation::Delete(ops::Delete::of(path)) }
}

/// Who asks when the master does on its own.
fn nobody() -> Request {
    let caller = Caller { user: String::new(), groups: Vec::new() };
    let operation = Operation::Ufs(UfsOperation::Commit(InodeId::NONE));
    Request { caller, operation_id: None, operation }
}

/// The failure of a call to a UFS as a client sees it.
fn refusal(error: UfsError) -> FsError {
    let kind = match error.kind {
        UfsErrorKind::Unavailable => ErrorKind::Unavailable,
        UfsErrorKind::Denied => ErrorKind::PermissionDenied,
        UfsErrorKind::Invalid => ErrorKind::InvalidArgument,
        UfsErrorKind::NotFound
        | UfsErrorKind::AlreadyExists
        | UfsErrorKind::WrongType
        | UfsErrorKind::NotEmpty
        | UfsErrorKind::Refused
        | UfsErrorKind::Full => ErrorKind::Unknown,
    };
    FsError::new(kind, error.to_string())
}
