//! What is changed in a UFS: attributes, which may be set again and again, and what goes under an intent.

use super::locks::Mode;
use super::task::{Step, Told, UfsCall, UfsTask};
use super::{UfsNamespace, refusal};
use crate::master::gate::OutsideCall;
use crate::master::ops::{self, Answer, Operation, Request, UfsChange, UfsDirectory, UfsOperation};
use crate::master::state::MasterState;
use crate::types::time::{Boot, boot_now, wall_now};
use crate::types::{ErrorKind, FsError};
use crate::ufs::{UfsAttributes, UfsDeletion, UfsError, UfsErrorKind, UfsOwnership};
use log::info;
use std::time::Duration;
use tokio::sync::oneshot;

/// Pause before the first repetition of a call to a UFS; doubles up to the longest.
const AGAIN: Duration = Duration::from_millis(50);
const AGAIN_MAX: Duration = Duration::from_secs(1);
/// So many names of a UFS are compared with the namespace in a moment.
const NAMES_FEW: usize = 1_000;
/// Pause of one that waits for a renewal of the lease, or for the journal.
const SOON: Duration = Duration::from_millis(20);

impl UfsNamespace {
    /// Has directories made in the UFS, parents first, as far as nothing changes there meanwhile.
    pub(super) async fn persist(&self, request: &Request, directories: Vec<UfsDirectory>) -> Result<(), FsError> {
        for directory in directories {
            let operation = Operation::Ufs(UfsOperation::Persist(directory));
            let answer = self.change(Request { operation, operation_id: None, caller: request.caller.clone() }).await;
            if super::is_refused(&answer) {
                return Ok(());
            }
            answer?;
        }
        Ok(())
    }

    /// A change of all of a large tree. Others are kept away from it only if the UFS is changed, too.
    pub(super) async fn change_in_parts(&self, request: &Request, until: Option<Boot>) -> Result<Answer, FsError> {
        let (handle, is_in_ufs) = (&self.inner.handle, is_in_ufs(&request.operation));
        let _lock = match is_in_ufs {
            true => Some(super::patiently(until, self.lock(&request.operation, Mode::Alone)).await?),
            false => None,
        };
        // What allows it may not be durable yet.
        handle.durable(|_| ()).await?;
        let asked = request.clone();
        let parts = move |state: &MasterState, settings: &_| ops::parts_of(state, settings, &asked, wall_now());
        for inodes in handle.apart_or_refuse(parts).await? {
            if is_in_ufs {
                let (asked, part) = (request.clone(), inodes.clone());
                let changes = move |state: &MasterState, settings: &_| {
                    ops::changes_of_part(state, settings, &asked, &part, wall_now())
                };
                self.set(&handle.apart_or_refuse(changes).await?).await?;
            }
            let whole = Box::new(request.operation.clone());
            let operation = Operation::Ufs(UfsOperation::Part { whole, inodes });
            self.submit_part(Request { operation, ..request.clone() }).await?;
        }
        Ok(Answer::Done)
    }

    /// Repeats it while the master is busy, or something there is changed in the UFS: what was done before would have to be
    /// done again.
    async fn submit_part(&self, part: Request) -> Result<Answer, FsError> {
        let began = boot_now();
        loop {
            match self.inner.handle.submit(part.clone()).await {
                Err(error)
                    if error.kind == ErrorKind::Unavailable
                        && self.inner.handle.is_primary()
                        && boot_now().since(began) < self.inner.settings.patience =>
                {
                    tokio::time::sleep(SOON).await;
                }
                answer => return answer,
            }
        }
    }

    // Compatible: 2.9.6 setAttribute: the UFS comes first, and what it refuses is refused, with this text.
    pub(super) async fn set(&self, changes: &[UfsChange]) -> Result<(), FsError> {
        for UfsChange { ufs_path, owner, group, mode } in changes {
            let attributes = UfsAttributes { owner: owner.clone(), group: group.clone(), mode: *mode };
            let ufs = self.inner.clients.of(ufs_path).map_err(refusal)?;
            let set = self.under_lease(ufs_path, ufs.set_attributes(ufs_path, &attributes)).await?;
            set.map_err(|error| match error.kind {
                UfsErrorKind::Unavailable => refusal(error),
                _ => {
                    let what = if owner.is_some() || group.is_some() { "setOwner" } else { "setMode" };
                    info!("attributes cannot be set in the UFS reason={error}");
                    let text = format!(
                        "Could not {what} for UFS file {ufs_path} . Aborting the setAttribute operation in Alluxio."
                    );
                    FsError::new(ErrorKind::PermissionDenied, text)
                }
            })?;
        }
        Ok(())
    }

    /// Makes a call that may be repeated, but not late: by then another master may have had it otherwise.
    async fn under_lease<T>(&self, uri: &str, call: impl Future<Output = T>) -> Result<T, FsError> {
        let deadline = self.inner.settings.deadline;
        let _under_way = self.begin_outside(deadline).await?;
        let late = |_| {
            let text = format!("The under file system took longer than {} ms to change {uri}", deadline.as_millis());
            FsError::new(ErrorKind::Unavailable, text)
        };
        tokio::time::timeout(deadline, call).await.map_err(late)
    }

    /// A change under an intent. Once it has its turn it goes on when the client goes away; before, it is
    /// given up then: the client may be told otherwise when it asks again.
    pub(super) async fn change(&self, request: Request) -> Result<Answer, FsError> {
        let (tell, told) = oneshot::channel();
        let this = self.clone();
        let lock = self.lock(&request.operation, Mode::Alone).await;
        self.spawn(async move {
            let _lock = lock;
            let (task, step) = UfsTask::begin(request.operation.clone());
            let outcome = this.run(task, step, &request).await;
            if let (Ok(()), Operation::PutInPlace(put)) = (&outcome, &request.operation) {
                this.note_content(put.id, &put.path).await;
            }
            // The client may have gone away.
            let _ = tell.send(outcome);
        });
        told.await.unwrap_or_else(|_| Err(stopped())).map(|()| Answer::Done)
    }

    /// Performs a task to its end, or to that of this master's term.
    pub(super) async fn run(&self, mut task: UfsTask, mut step: Step, request: &Request) -> Result<(), FsError> {
        let (mut pause, mut is_open) = (AGAIN, false);
        loop {
            let told = match step {
                Step::Done(result) => return result,
                Step::Submit(operation) => Told::Answer(self.submit_until(operation, request).await?),
                Step::Call(call) => self.call(&call).await?,
                Step::Again(call) => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(AGAIN_MAX);
                    self.call(&call).await?
                }
            };
            if let Told::Unknown(reason) = &told {
                let level = if std::mem::replace(&mut is_open, true) { log::Level::Debug } else { log::Level::Warn };
                log::log!(level, "a UFS did not say what became of a call, asking again reason={reason}");
            }
            step = match &told {
                // What the task is about nobody else changes meanwhile.
                Told::Names(names) if names.len() > NAMES_FEW => {
                    let next = move |state: &MasterState, settings: &ops::Settings| {
                        let step = task.step(told, state, settings);
                        (task, step)
                    };
                    let step;
                    (task, step) = self.inner.handle.apart(next).await?;
                    step
                }
                _ => self.inner.handle.with_core(|core, settings| task.step(told, &core.state, settings)),
            };
        }
    }

    /// What ends an intent is submitted until it is decided.
    async fn submit_until(
        &self,
        operation: UfsOperation,
        request: &Request,
    ) -> Result<Result<Answer, FsError>, FsError> {
        let is_begin = matches!(operation, UfsOperation::Begin(_));
        let request = Request { operation: Operation::Ufs(operation), ..request.clone() };
        loop {
            let answer = self.inner.handle.submit(request.clone()).await;
            let is_decided = !answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Unavailable);
            if is_begin || is_decided {
                return Ok(answer);
            }
            if !self.inner.handle.is_primary() {
                return Err(stopped());
            }
            tokio::time::sleep(SOON).await;
        }
    }

    /// Makes a call, which ends before its lease can. One that is made of many requests goes on as long as there is a lease.
    async fn call(&self, call: &UfsCall) -> Result<Told, FsError> {
        let deadline = self.inner.settings.deadline;
        let has_steps = self.inner.clients.of(call.uri()).is_ok_and(|ufs| ufs.is_object_storage());
        let mut making = std::pin::pin!(self.make_call(call));
        loop {
            let under_way = if call.is_change() { Some(self.begin_outside(deadline).await?) } else { None };
            let made = tokio::time::timeout(deadline, &mut making).await;
            drop(under_way);
            match made {
                Ok(Ok(told)) => return Ok(told),
                Ok(Err(error)) => return Ok(failure(call, &error)),
                // Nothing more is sent while the lease is looked at.
                Err(_) if has_steps => {}
                Err(_) => {
                    return Ok(Told::Unknown(format!("{call:?} took longer than {} ms", deadline.as_millis())));
                }
            }
        }
    }

    /// Deletes a file that is nobody's.
    pub(super) async fn delete(&self, uri: &str) -> Result<(), FsError> {
        match self.call(&UfsCall::DeleteFile(uri.to_owned())).await? {
            Told::Refused(reason) | Told::Unknown(reason) => Err(FsError::new(ErrorKind::Unknown, reason)),
            _ => Ok(()),
        }
    }

    async fn make_call(&self, call: &UfsCall) -> Result<Told, UfsError> {
        let of = |uri: &str| self.inner.clients.of(uri);
        match call {
            UfsCall::Make { uri, owner, group, mode } => {
                let ownership = UfsOwnership { owner: owner.clone(), group: group.clone(), mode: *mode };
                of(uri)?.mkdir(uri, &ownership).await.map(|()| Told::Done)
            }
            UfsCall::Rename { from, to } => of(from)?.rename(from, to).await.map(|()| Told::Done),
            UfsCall::Resume { from, to } => of(from)?.resume_rename(from, to).await.map(|()| Told::Done),
            UfsCall::DeleteFile(uri) => of(uri)?.delete(uri, UfsDeletion::File).await.map(|()| Told::Done),
            UfsCall::DeleteTree(uri) => of(uri)?.delete(uri, UfsDeletion::Tree).await.map(|()| Told::Done),
            UfsCall::Look(uri) => {
                let status = of(uri)?.status(uri).await?;
                Ok(if status.is_some() { Told::Done } else { Told::Absent })
            }
            UfsCall::List(uri) => {
                let listed = of(uri)?.list(uri).await?;
                Ok(Told::Names(listed.into_iter().map(|status| status.name).collect()))
            }
        }
    }

    /// Begins a change of a UFS, which a planned stop waits for and which has ended before any other master can lead.
    async fn begin_outside(&self, deadline: Duration) -> Result<OutsideCall, FsError> {
        let under_way = self.inner.handle.begin_outside().ok_or_else(stopped)?;
        self.wait_for_lease(deadline).await?;
        Ok(under_way)
    }

    /// Returns when the lease lasts longer than the call may take, so that no other master can lead before it ends.
    async fn wait_for_lease(&self, deadline: Duration) -> Result<(), FsError> {
        loop {
            if !self.inner.handle.is_primary() {
                return Err(stopped());
            }
            match self.inner.handle.lease_left() {
                Some(left) if left > deadline => return Ok(()),
                Some(_) => tokio::time::sleep(SOON).await,
                // No clock is trusted: a renewal that is sent now must succeed.
                None => match self.inner.handle.confirm().await {
                    Err(error) if error.kind == ErrorKind::Unavailable => tokio::time::sleep(SOON).await,
                    confirmed => return confirmed,
                },
            }
        }
    }
}

/// Whether a change of attributes is one of the UFS as well.
fn is_in_ufs(operation: &Operation) -> bool {
    matches!(operation, Operation::SetAttribute(op) if op.owner.is_some() || op.group.is_some() || op.mode.is_some())
}

/// What the failure of a call tells.
pub fn failure(call: &UfsCall, error: &UfsError) -> Told {
    match (error.kind, call) {
        // Others have nothing to do when what they name is not there.
        (UfsErrorKind::NotFound, UfsCall::Rename { .. } | UfsCall::Resume { .. } | UfsCall::Make { .. }) => {
            Told::Refused(error.to_string())
        }
        (UfsErrorKind::NotFound, _) => Told::Absent,
        // A file is no directory.
        (UfsErrorKind::WrongType, UfsCall::List(_)) => Told::Absent,
        (UfsErrorKind::Unavailable, _) => Told::Unknown(error.to_string()),
        _ => Told::Refused(error.to_string()),
    }
}

fn stopped() -> FsError {
    FsError::new(ErrorKind::Unavailable, "This master is not the primary any more.")
}
