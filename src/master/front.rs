//! The door for clients: each of their operations on files passes here, from whichever server it comes, and is counted
//! and, if that is wished, written to the audit log. What the master does by itself, and what workers report, does not.

use super::access_times::AccessTimes;
use super::audit::{AuditLog, Client, Line, Ownership, Subject};
use super::feature_level::FeatureLevel;
use super::journal_room::JournalRoom;
use super::listing::Listing;
use super::ops::{Answer, Freshness, Operation, Part, Query, Request, UfsOperation};
use super::server::Namespace;
use crate::metrics::MasterCounters;
use crate::types::time::{boot_now, wall_now};
use crate::types::{AlluxioPath, ErrorKind, FsError, InodeId, OperationId};
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// See the module text.
#[derive(Debug)]
pub struct Front<N> {
    namespace: Arc<N>,
    counters: Arc<MasterCounters>,
    room: Arc<JournalRoom>,
    feature_level: Arc<FeatureLevel>,
    access_times: Arc<AccessTimes>,
    audit: Option<AuditLog>,
    /// Changes under way that are to be in the audit log, though their client may go away.
    audited: Mutex<JoinSet<()>>,
}

impl<N: Namespace> Front<N> {
    /// A door to that namespace, through which no change goes when there is no `room` for it in the journal, or when the
    /// journal is of a lower `feature_level`; who reads is noted in `access_times`; without `audit` nothing is written.
    pub fn new(
        namespace: Arc<N>,
        counters: Arc<MasterCounters>,
        room: Arc<JournalRoom>,
        feature_level: Arc<FeatureLevel>,
        access_times: Arc<AccessTimes>,
        audit: Option<AuditLog>,
    ) -> Front<N> {
        Front { namespace, counters, room, feature_level, access_times, audit, audited: Mutex::default() }
    }

    /// What is behind the door.
    pub fn namespace(&self) -> &Arc<N> {
        &self.namespace
    }

    /// Whether it may be noted which content of a UFS was written.
    pub fn keeps_content(&self) -> bool {
        self.feature_level.keeps_content()
    }

    /// Who reads is noted there.
    pub fn access_times(&self) -> &Arc<AccessTimes> {
        &self.access_times
    }

    /// What this process has done.
    pub fn counters(&self) -> &Arc<MasterCounters> {
        &self.counters
    }

    /// Answers a question, after a look at the UFS if that is to be as `fresh`.
    ///
    /// # Errors
    /// The refusal, or the UFS does not answer.
    pub async fn look(&self, client: &Client, query: Query, fresh: Freshness) -> Result<Answer, FsError> {
        self.observe(client, &query, async {
            self.namespace.load(&query, fresh).await?;
            self.namespace.query(&client.caller, &query).await
        })
        .await
    }

    /// Begins a listing, `limit` entries at most, after a look at the UFS if that is to be as `fresh`.
    ///
    /// # Errors
    /// The refusal, or the UFS does not answer.
    pub async fn list(
        &self,
        client: &Client,
        listing: &mut Listing,
        fresh: Freshness,
        limit: usize,
    ) -> Result<Part, FsError> {
        let query = listing.walk().query();
        let mut first = Part::default();
        self.observe(client, &query, async {
            self.namespace.load(&query, fresh).await?;
            first = self.list_on(client, listing, limit).await?;
            Ok(Answer::Done)
        })
        .await?;
        Ok(first)
    }

    /// Goes on with a listing.
    ///
    /// # Errors
    /// This master leads no more.
    pub async fn list_on(&self, client: &Client, listing: &mut Listing, limit: usize) -> Result<Part, FsError> {
        let part = self.namespace.list(&client.caller, listing, limit).await?;
        self.counters.file_infos_got.inc_by(part.statuses.len() as u64);
        self.note_accesses(&part.begun);
        Ok(part)
    }

    /// Notes that these are read now, unless there is no room for that in the journal. With each: when it was read last, in
    /// milliseconds since 1970.
    pub fn note_accesses(&self, read: &[(InodeId, i64)]) {
        if read.is_empty() || self.room.check().is_err() {
            return;
        }
        let now = wall_now();
        read.iter().for_each(|(inode, last_ms)| self.access_times.note(*inode, *last_ms, now));
    }

    /// Answers a question about what is known.
    ///
    /// # Errors
    /// The refusal.
    pub async fn query(&self, client: &Client, query: Query) -> Result<Answer, FsError> {
        self.observe(client, &query, self.namespace.query(&client.caller, &query)).await
    }

    async fn observe(
        &self,
        client: &Client,
        query: &Query,
        answer: impl Future<Output = Result<Answer, FsError>>,
    ) -> Result<Answer, FsError> {
        self.count_query(query);
        let began = boot_now();
        let outcome = answer.await;
        self.count_told(&outcome);
        self.count_failure(&outcome);
        if let Ok(Answer::List(part)) = &outcome {
            self.note_accesses(&part.begun);
        }
        let goes_on = matches!(query, Query::CheckAccess { .. }) && outcome.is_ok();
        if let (Some(audit), Some(subject), false) = (&self.audit, Subject::of_query(query), goes_on) {
            let ownership = match &outcome {
                Ok(Answer::Status(status)) => {
                    Some(Ownership { owner: status.owner.clone(), group: status.group.clone(), mode: status.mode })
                }
                _ => subject.source.as_ref().and_then(|path| self.namespace.ownership(path)),
            };
            audit.log(Line::new(client, subject, ownership, &outcome, boot_now().since(began)));
        }
        outcome
    }

    /// Decides a change. The answer comes once it is durable, under a valid lease.
    ///
    /// # Errors
    /// The refusal.
    pub async fn submit(
        self: &Arc<Self>,
        client: &Client,
        operation_id: Option<OperationId>,
        operation: Operation,
    ) -> Result<Answer, FsError> {
        self.count_operation(&operation);
        let audited = self.audit.clone().zip(Subject::of(&operation));
        let request = Request { caller: (*client.caller).clone(), operation_id, operation };
        let outcome = match audited {
            None => self.perform(request).await,
            Some((audit, subject)) => self.submit_audited(client.clone(), request, audit, subject).await,
        };
        self.count_failure(&outcome);
        outcome
    }

    /// The same, in a task: a change that goes on when its client goes away has its line all the same.
    async fn submit_audited(
        self: &Arc<Self>,
        client: Client,
        request: Request,
        audit: AuditLog,
        subject: Subject,
    ) -> Result<Answer, FsError> {
        let (told, answer) = oneshot::channel();
        let this = Arc::clone(self);
        {
            let mut audited = self.audited.lock();
            while audited.try_join_next().is_some() {}
            audited.spawn(async move {
                let began = boot_now();
                let before = subject.source.as_ref().and_then(|path| this.ownership(&request.operation, path));
                let outcome = this.perform(request).await;
                let after = || subject.source.as_ref().and_then(|path| this.namespace.ownership(path));
                let ownership = if outcome.is_ok() { after().or(before) } else { before };
                audit.log(Line::new(&client, subject, ownership, &outcome, boot_now().since(began)));
                // Who asked may have gone away.
                let _ = told.send(outcome);
            });
        }
        answer.await.unwrap_or_else(|_| Err(FsError::new(ErrorKind::Unavailable, "This master is stopping.")))
    }

    async fn perform(&self, request: Request) -> Result<Answer, FsError> {
        let checked = self.room.check().and_then(|()| self.feature_level.check(&request.operation));
        if let Err(refusal) = checked
            && !request.operation_id.is_some_and(|id| self.namespace.is_answered(id))
        {
            return Err(refusal);
        }
        self.namespace.submit(request).await
    }

    /// Of what is there; where something is to be made, of the directory above it that is there.
    fn ownership(&self, operation: &Operation, path: &AlluxioPath) -> Option<Ownership> {
        let makes = matches!(operation, Operation::CreateDirectory(_) | Operation::CreateFile(_));
        let mut path = path.clone();
        loop {
            match self.namespace.ownership(&path) {
                None if makes => path = path.parent()?,
                found => return found,
            }
        }
    }

    fn count_query(&self, query: &Query) {
        let counters = &self.counters;
        match query {
            Query::GetStatus { .. } | Query::ListStatus { .. } | Query::ListPart { .. } => {
                counters.get_file_info_ops.inc()
            }
            Query::Exists { .. } => counters.exists_ops.inc(),
            Query::BlockInfo { .. } => counters.get_file_block_info_ops.inc(),
            Query::MountTable => counters.get_mount_table_ops.inc(),
            _ => 0,
        };
    }

    fn count_operation(&self, operation: &Operation) {
        let counters = &self.counters;
        match operation {
            Operation::CreateDirectory(_) => counters.create_directory_ops.inc(),
            Operation::CreateFile(_) => counters.create_file_ops.inc(),
            Operation::CompleteFile(_) => counters.complete_file_ops.inc(),
            Operation::NewBlock(_) => counters.get_new_block_ops.inc(),
            Operation::Rename(_) => counters.rename_path_ops.inc(),
            Operation::Delete(_) => counters.delete_path_ops.inc(),
            Operation::Free(_) => counters.free_file_ops.inc(),
            Operation::SetAcl(_) => counters.set_acl_ops.inc(),
            Operation::SetAttribute(_) => counters.set_attribute_ops.inc(),
            Operation::SchedulePersist(_) => counters.schedule_async_persist_ops.inc(),
            Operation::Ufs(UfsOperation::Mount(_)) => counters.mount_ops.inc(),
            Operation::Ufs(UfsOperation::Unmount(_)) => counters.unmount_ops.inc(),
            Operation::Expire(_)
            | Operation::Accessed(_)
            | Operation::PutInPlace(_)
            | Operation::CommitBlock(_)
            | Operation::Admin(_)
            | Operation::Ufs(_) => 0,
        };
    }

    fn count_told(&self, outcome: &Result<Answer, FsError>) {
        match outcome {
            Ok(Answer::Status(_)) => self.counters.file_infos_got.inc(),
            Ok(Answer::List(part)) => self.counters.file_infos_got.inc_by(part.statuses.len() as u64),
            Ok(Answer::Block(_)) => self.counters.file_block_infos_got.inc(),
            _ => 0,
        };
    }

    fn count_failure(&self, outcome: &Result<Answer, FsError>) {
        let Err(error) = outcome else { return };
        self.counters.failed_ops.inc();
        if error.kind == ErrorKind::PermissionDenied {
            self.counters.denied_ops.inc();
        }
    }
}
