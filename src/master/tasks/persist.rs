//! Has workers write to the UFS what is to be persisted (ASYNC_THROUGH, `persist`): to a temporary file first, which is
//! then put in its place.
//!
//! Nothing of it is kept: a new primary finds the same files and begins anew. Temporary files that a master leaves when
//! it dies lie in a folder of their own, are of no use to anybody, and are swept.

use super::persist_file;
use super::sweep::InUse;
use crate::master::ops::{Answer, Operation, PutInPlace, Query, Request, ToPersist};
use crate::master::server::Namespace;
use crate::master::worker_call::WorkerState;
use crate::rpc::worker::WorkerSettings;
use crate::types::time::{Boot, boot_now, wall_now};
use crate::types::{Caller, ErrorKind, FileStatus, FsError, InodeId, WorkerAddress};
use crate::ufs::{UfsAttributes, UfsClients, UfsDeletion, UfsError};
use log::{info, warn};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use uuid::Uuid;

/// How often it is looked for files that are to be persisted, while none is written. When one is done, at once.
const LOOK: Duration = Duration::from_secs(1);
/// Files that are written at a time.
const FILES_MAX: usize = 8;
/// Files that are looked at at a time.
const FOUND_MAX: usize = 64;
/// Pause before a file that failed is tried again; doubles up to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(5 * 60);

/// Goes on for ever.
pub(super) async fn run<N: Namespace>(
    namespace: Arc<N>,
    ufs: Arc<UfsClients>,
    settings: WorkerSettings,
    in_use: InUse,
) {
    let mut persister = Persister {
        means: Arc::new(Means { namespace, ufs, settings, in_use }),
        after: InodeId::NONE,
        under_way: BTreeSet::new(),
        failed: BTreeMap::new(),
        running: JoinSet::new(),
    };
    loop {
        let looks = tokio::select! {
            () = tokio::time::sleep(LOOK) => true,
            ended = persister.one_ended(), if !persister.running.is_empty() => ended == Ended::Well,
        };
        if looks {
            persister.look().await;
        }
    }
}

/// What one file needs.
struct Means<N> {
    namespace: Arc<N>,
    ufs: Arc<UfsClients>,
    settings: WorkerSettings,
    /// Temporary files that are written now.
    in_use: InUse,
}

/// How the persisting of a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// The next one may begin at once.
    Well,
    /// The next one most likely would, too: it is waited a while.
    Badly,
}

struct Persister<N> {
    means: Arc<Means<N>>,
    /// Those after this one are looked at next.
    after: InodeId,
    under_way: BTreeSet<InodeId>,
    /// When they are tried again, and the pause after that.
    failed: BTreeMap<InodeId, (Boot, Duration)>,
    /// One for each file that is under way.
    running: JoinSet<(ToPersist, Result<(), FsError>)>,
}

impl<N: Namespace> Persister<N> {
    /// Waits for one of those that are under way.
    async fn one_ended(&mut self) -> Ended {
        // A task that was cut short is one of a master that ends.
        let Some(Ok((file, outcome))) = self.running.join_next().await else { return Ended::Badly };
        let ended = if outcome.is_ok() { Ended::Well } else { Ended::Badly };
        self.ended(&file, outcome);
        ended
    }

    /// Begins as many as may be under way.
    async fn look(&mut self) {
        if !self.means.namespace.is_primary() || self.running.len() >= FILES_MAX {
            return;
        }
        let query = Query::ToPersist { after: self.after, now: wall_now(), limit: FOUND_MAX };
        let Ok(Answer::ToPersist { files, last }) = self.ask(query).await else { return };
        let mut due: Vec<ToPersist> = files.into_iter().filter(|file| self.is_due(file.status.id)).collect();
        let room = FILES_MAX - self.running.len();
        // Those that are left over are the next.
        let left_over = due.len() > room;
        due.truncate(room);
        let after = if left_over { due.last().map(|file| file.status.id) } else { last }.unwrap_or(InodeId::NONE);
        if due.is_empty() {
            self.after = after;
            return;
        }
        let Ok(Answer::Workers(mut workers)) = self.ask(Query::Workers).await else { return };
        workers.retain(|worker| worker.state == WorkerState::Live);
        if workers.is_empty() {
            return;
        }
        self.after = after;
        let live: Arc<[WorkerAddress]> = workers.into_iter().map(|worker| worker.address).collect();
        for file in due {
            self.under_way.insert(file.status.id);
            let (means, live) = (Arc::clone(&self.means), Arc::clone(&live));
            self.running.spawn(async move {
                let outcome = means.persist(&file, &live).await;
                (file, outcome)
            });
        }
    }

    async fn ask(&self, query: Query) -> Result<Answer, FsError> {
        self.means.namespace.query(&Caller::default(), &query).await
    }

    fn is_due(&self, id: InodeId) -> bool {
        !self.under_way.contains(&id) && self.failed.get(&id).is_none_or(|(again, _)| *again <= boot_now())
    }

    fn ended(&mut self, file: &ToPersist, outcome: Result<(), FsError>) {
        let (id, path) = (file.status.id, &file.status.path);
        self.under_way.remove(&id);
        let before = self.failed.remove(&id);
        let Err(error) = outcome else { return info!("persisted path={path} bytes={}", file.status.length) };
        let pause = before.map_or(PAUSE, |(_, pause)| (pause * 2).min(PAUSE_MAX));
        warn!("cannot persist a file, trying again path={path} pause_ms={} reason={error}", pause.as_millis());
        self.failed.insert(id, (boot_now() + pause, pause));
        // Those that were not tried again when they could have been are there no more.
        self.failed.retain(|_, (again, _)| boot_now() < *again + 2 * PAUSE_MAX);
    }
}

impl<N: Namespace> Means<N> {
    async fn persist(&self, file: &ToPersist, live: &[WorkerAddress]) -> Result<(), FsError> {
        let status = &file.status;
        let (name, now) = (status.path.name(), wall_now().0);
        let temporary = format!("{}/{name}.alluxio.{now}.{}.tmp", file.temporary_folder, Uuid::new_v4());
        let _used = self.in_use.enter(&temporary);
        let written = persist_file::write(file, &temporary, live, &self.settings).await;
        let outcome = match written {
            Ok(length) => self.put_in_place(file, &temporary, length).await,
            Err(error) => Err(error),
        };
        // When it is not known what became of it, it may still be needed by whoever settles that.
        let is_of_no_use = outcome.as_ref().is_err_and(|error| error.kind != ErrorKind::Unavailable);
        if is_of_no_use && let Ok(ufs) = self.ufs.of(&temporary) {
            let _ = ufs.delete(&temporary, UfsDeletion::File).await;
        }
        outcome
    }

    async fn put_in_place(&self, file: &ToPersist, temporary: &str, length: i64) -> Result<(), FsError> {
        let id = file.status.id;
        // It may have been renamed meanwhile, or have another mode.
        let path = match self.namespace.query(&Caller::default(), &Query::StatusOf { id }).await {
            Ok(Answer::Status(status)) => {
                self.change_attributes(&file.status, &status, temporary).await?;
                status.path
            }
            _ => file.status.path.clone(),
        };
        let operation = PutInPlace { id, path, temporary: temporary.to_owned(), length };
        let operation = Operation::PutInPlace(operation);
        let request = Request { caller: Caller::default(), operation_id: None, operation };
        self.namespace.submit(request).await.map(drop)
    }

    /// What was written has the attributes that the file had then.
    // Compatible: 2.9 DefaultFileSystemMaster.PersistenceChecker.handleSuccess, which sets them anew.
    async fn change_attributes(&self, then: &FileStatus, now: &FileStatus, temporary: &str) -> Result<(), FsError> {
        let new = |then: &String, now: &String| (then != now).then(|| now.clone());
        let attributes = UfsAttributes {
            owner: new(&then.owner, &now.owner),
            group: new(&then.group, &now.group),
            mode: (then.mode != now.mode).then_some(now.mode),
        };
        if attributes == UfsAttributes::default() {
            return Ok(());
        }
        let failed = |error: UfsError| FsError::new(ErrorKind::Unknown, error.to_string());
        let ufs = self.ufs.of(temporary).map_err(failed)?;
        ufs.set_attributes(temporary, &attributes).await.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::replicate::tests::status;
    use super::super::sweep::tests::Needs;
    use super::*;
    use crate::ufs::{MemoryUfs, Ufs, UfsErrorKind, UfsOwnership, UfsSettings};

    fn file(id: i64) -> ToPersist {
        ToPersist { status: status(InodeId(id)), temporary_folder: "memory://m/tmp".into() }
    }

    fn persister(files: i64) -> Persister<Needs> {
        let namespace = Arc::new(Needs { to_persist: (1..=files).map(file).collect(), ..Needs::default() });
        let ufs = Arc::new(UfsClients::new(UfsSettings::usual()));
        let means = Means { namespace, ufs, settings: WorkerSettings::default(), in_use: InUse::default() };
        Persister {
            means: Arc::new(means),
            after: InodeId::NONE,
            under_way: BTreeSet::new(),
            failed: BTreeMap::new(),
            running: JoinSet::new(),
        }
    }

    #[tokio::test]
    async fn a_mode_that_was_set_while_it_was_written_is_that_in_the_ufs() {
        let memory = MemoryUfs::new();
        let mut persister = persister(1);
        let ufs = UfsClients::new(UfsSettings { memory: Some(memory.clone()), ..UfsSettings::usual() });
        Arc::get_mut(&mut persister.means).unwrap().ufs = Arc::new(ufs);
        let temporary = "memory://m/tmp/1";
        let ownership = UfsOwnership { owner: "ann".into(), group: "users".into(), mode: 0o644 };
        memory.create(temporary, &ownership).await.unwrap().close().await.unwrap();
        let then = file(1).status;
        let now = FileStatus { mode: 0o600, group: "staff".into(), ..then.clone() };
        persister.means.change_attributes(&then, &now, temporary).await.unwrap();
        let status = memory.status(temporary).await.unwrap().unwrap();
        assert_eq!((status.owner.as_str(), status.group.as_str(), status.mode), ("ann", "staff", 0o600));
        memory.fail_next(UfsErrorKind::Unavailable);
        persister.means.change_attributes(&then, &then, temporary).await.unwrap();
        persister.means.change_attributes(&then, &now, temporary).await.unwrap_err();
    }

    #[tokio::test]
    async fn only_after_one_that_ended_well_the_next_one_begins_at_once() {
        let mut persister = persister(0);
        persister.running.spawn(async { (file(1), Ok(())) });
        assert_eq!(persister.one_ended().await, Ended::Well);
        persister.running.spawn(async { (file(2), Err(FsError::new(ErrorKind::Internal, "it is refused"))) });
        assert_eq!(persister.one_ended().await, Ended::Badly);
        assert!(persister.failed.contains_key(&InodeId(2)));
    }

    /// Without one none is tried, and none has to wait for its next try when one comes.
    #[tokio::test]
    async fn without_a_worker_nothing_is_begun() {
        let mut persister = persister(200);
        persister.look().await;
        assert!(persister.running.is_empty() && persister.under_way.is_empty() && persister.after == InodeId::NONE);
    }
}
