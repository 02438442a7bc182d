//! What others have of a master that runs: they submit, ask, and see how far it is.

use super::event::{Core, Evaluated, Event};
use super::feature_level::FeatureLevel;
use super::gate::{Gate, OutsideCall, Standing, Verdict};
use super::journal_room::JournalRoom;
use super::ops::{self, Answer, Caller, Query, Request};
use super::runtime::Ticket;
use super::state::MasterState;
use super::worker_call::WorkerCall;
use crate::metrics::{FlushTimes, MasterCounters};
use crate::types::time::boot_now;
use crate::types::{ErrorKind, FsError, SequenceNumber};
use parking_lot::RwLock;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

/// Walks through snapshots that may be under way at a time.
pub(super) const READERS: usize = 2;

/// What serves clients: submits requests and evaluates queries. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    /// The lock over the state; written by the loop only.
    pub(super) core: Arc<RwLock<Core>>,
    pub(super) gate: Arc<Gate>,
    pub(super) settings: Arc<ops::Settings>,
    /// The turn of the loop among long questions.
    pub(super) turn: Arc<Turn>,
    /// Turns of those who walk through snapshots.
    pub(super) readers: Arc<Semaphore>,
    /// To the loop.
    pub(super) requests: mpsc::Sender<Event<Ticket>>,
    pub(super) events: mpsc::Sender<Event<Ticket>>,
    pub(super) progress: watch::Receiver<Progress>,
    pub(super) flush_times: FlushTimes,
    pub(super) room: Arc<JournalRoom>,
    pub(super) feature_level: Arc<FeatureLevel>,
}

/// Shared by long questions, which are evaluated on threads for blocking work, and taken alone by the loop for each step:
/// so no thread on which others wait for their turn ever blocks on the lock over the state for long. As many questions
/// at a time as there are processors; the loop goes before those that come after it.
pub(super) type Turn = tokio::sync::RwLock<()>;

/// How far this master has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It has not entered the election.
    Starting,
    /// It has entered.
    Entered,
    /// It serves in this epoch.
    Primary(u64),
}

impl Handle {
    /// Whether this master is primary.
    pub fn is_primary(&self) -> bool {
        self.gate.is_serving()
    }

    /// How far this master has come; changes as it goes on.
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Has a request decided, journaled and answered.
    ///
    /// # Errors
    /// A refusal, or `Unavailable` when this master is not primary, too busy, or stops meanwhile.
    pub async fn submit(&self, request: Request) -> Result<Answer, FsError> {
        let (ticket, answer) = oneshot::channel();
        self.enqueue(Event::Submit(vec![(ticket, request)]), answer).await
    }

    /// Evaluates a query on the state as it is.
    ///
    /// # Errors
    /// As `submit`.
    pub async fn query(&self, caller: &Caller, query: &Query) -> Result<Answer, FsError> {
        if !self.gate.is_serving() {
            return Err(not_primary());
        }
        let evaluated = match self.evaluate_if_short(caller, query) {
            Some(evaluated) => evaluated,
            None => self.evaluate_apart(caller.clone(), query.clone()).await?,
        };
        self.pass(evaluated).await
    }

    /// Answers once all that the answer depends on is answered, and while the lease is valid.
    pub(super) async fn pass(&self, evaluated: Evaluated) -> Result<Answer, FsError> {
        match self.gate.check(evaluated.wait_for, boot_now()) {
            Verdict::Pass => evaluated.answer,
            Verdict::Closed => Err(not_primary()),
            Verdict::Hold => self.hold(evaluated).await,
        }
    }

    pub(super) fn evaluate_if_short(&self, caller: &Caller, query: &Query) -> Option<Evaluated> {
        let core = self.core.read();
        (!ops::is_long(&core.state, query)).then(|| core.evaluate(caller, query, &self.settings))
    }

    async fn evaluate_apart(&self, caller: Caller, query: Query) -> Result<Evaluated, FsError> {
        let turn = Arc::clone(&self.turn).read_owned().await;
        let (core, settings) = (Arc::clone(&self.core), Arc::clone(&self.settings));
        let evaluation = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            core.read().evaluate(&caller, &query, &settings)
        });
        evaluation.await.map_err(|error| FsError::new(ErrorKind::Internal, error.to_string()))
    }

    /// Reads a snapshot of the state as it is, which may be ahead of what is durable: however long that takes, nobody
    /// waits for it.
    ///
    /// # Errors
    /// This master ends.
    pub(super) async fn apart<R: Send + 'static>(
        &self,
        read: impl FnOnce(&MasterState, &ops::Settings) -> R + Send + 'static,
    ) -> Result<R, FsError> {
        self.apart_from(read).await.map(|(read, _)| read)
    }

    /// As `apart`; a refusal leaves as an answer does: once all that it was read from is durable, under a valid lease.
    ///
    /// # Errors
    /// The refusal; this master ends, or does not lead any more.
    pub(super) async fn apart_or_refuse<R: Send + 'static>(
        &self,
        read: impl FnOnce(&MasterState, &ops::Settings) -> Result<R, FsError> + Send + 'static,
    ) -> Result<R, FsError> {
        let (read, wait_for) = self.apart_from(read).await?;
        match read {
            Ok(read) => Ok(read),
            Err(refusal) => {
                let told = self.pass(Evaluated { answer: Err(refusal), wait_for }).await;
                Err(told.expect_err("a refusal stays one"))
            }
        }
    }

    async fn apart_from<R: Send + 'static>(
        &self,
        read: impl FnOnce(&MasterState, &ops::Settings) -> R + Send + 'static,
    ) -> Result<(R, SequenceNumber), FsError> {
        let failed = |error: &dyn std::fmt::Display| FsError::new(ErrorKind::Internal, error.to_string());
        // Each walks through very much: no more at a time than the machine can bear.
        let turn = Arc::clone(&self.readers).acquire_owned().await.map_err(|error| failed(&error))?;
        let (state, wait_for) = {
            let core = self.core.read();
            (Box::new(core.state.clone()), core.in_flight.newest())
        };
        let settings = Arc::clone(&self.settings);
        let reading = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            read(&state, &settings)
        });
        Ok((reading.await.map_err(|error| failed(&error))?, wait_for))
    }

    /// Takes the call of a worker, in any role.
    ///
    /// # Errors
    /// A refusal, or `Unavailable` when this master is too busy or stops meanwhile.
    pub async fn worker(&self, call: WorkerCall) -> Result<Answer, FsError> {
        let (ticket, answer) = oneshot::channel();
        self.enqueue(Event::Worker(ticket, call), answer).await
    }

    /// Has a checkpoint written that holds all that was answered so far; the journal is collected then.
    ///
    /// # Errors
    /// It could not be written, or `Unavailable` when this master is not primary or stops meanwhile.
    pub async fn checkpoint(&self) -> Result<(), FsError> {
        let (ticket, answer) = oneshot::channel();
        self.enqueue(Event::Checkpoint(ticket), answer).await.map(drop)
    }

    /// Reads the state as it is, which may be ahead of what is durable.
    pub fn with_core<R>(&self, read: impl FnOnce(&Core, &ops::Settings) -> R) -> R {
        read(&self.core.read(), &self.settings)
    }

    /// Reads the state, and tells it once nothing of it is still to be flushed: what holds for all of it, as the number
    /// of its inodes. On a standby all of it is decided.
    ///
    /// # Errors
    /// This master is neither standby nor primary, or ends.
    pub async fn durable<R>(&self, read: impl FnOnce(&Core) -> R) -> Result<R, FsError> {
        let (read, wait_for) = {
            let core = self.core.read();
            (read(&core), core.in_flight.newest())
        };
        let standing = self.standing();
        match self.gate.check(wait_for, boot_now()) {
            Verdict::Pass => Ok(read),
            Verdict::Closed if standing.position == standing.durable => Ok(read),
            Verdict::Closed => Err(not_primary()),
            Verdict::Hold => self.hold(Evaluated { answer: Ok(Answer::Done), wait_for }).await.map(|_| read),
        }
    }

    /// How long the loop has not ended a step. It takes one each second at least.
    pub fn stands_still_for(&self) -> Duration {
        self.gate.stands_still_for(boot_now())
    }

    /// How far this master is, in any role.
    pub fn standing(&self) -> Standing {
        self.gate.standing()
    }

    /// What this process has done.
    pub fn counters(&self) -> Arc<MasterCounters> {
        Arc::clone(&self.core.read().counters)
    }

    /// How long flushes of the journal took.
    pub fn flush_times(&self) -> &FlushTimes {
        &self.flush_times
    }

    /// How much room the journal takes and has.
    pub fn room(&self) -> &Arc<JournalRoom> {
        &self.room
    }

    /// The feature level of the journal.
    pub fn feature_level(&self) -> &Arc<FeatureLevel> {
        &self.feature_level
    }

    /// Requests that wait for the loop, and how many may.
    pub fn queue(&self) -> (usize, usize) {
        let may = self.requests.max_capacity();
        (may - self.requests.capacity(), may)
    }

    /// How long the lease lasts yet; none when answers are confirmed one by one.
    pub fn lease_left(&self) -> Option<Duration> {
        self.gate.lease_left(boot_now())
    }

    /// Returns when this master still leads after it was asked.
    ///
    /// # Errors
    /// It does not lead any more.
    pub async fn confirm(&self) -> Result<(), FsError> {
        self.hold(Evaluated { answer: Ok(Answer::Done), wait_for: SequenceNumber(0) }).await.map(|_| ())
    }

    /// Begins a call that changes something outside, as in a UFS: until it has ended, this master releases nothing. None
    /// when it is not primary.
    pub fn begin_outside(&self) -> Option<OutsideCall> {
        OutsideCall::begin(&self.gate)
    }

    /// Ends the loop: a primary answers what is under way and releases its epoch.
    pub async fn stop(&self) {
        // A closed queue says that the loop has ended already.
        let _ = self.events.send(Event::Stop).await;
    }

    /// Ends the loop, because the journal folder is not there any more.
    pub async fn folder_is_gone(&self, reason: String) {
        let _ = self.events.send(Event::FolderGone(reason)).await;
    }

    /// Ends the loop with this event.
    pub(super) async fn end(&self, event: Event<Ticket>) {
        let _ = self.events.send(event).await;
    }

    async fn hold(&self, evaluated: Evaluated) -> Result<Answer, FsError> {
        let (ticket, answer) = oneshot::channel();
        self.enqueue(Event::Hold(ticket, evaluated), answer).await
    }

    async fn enqueue(
        &self,
        event: Event<Ticket>,
        answer: oneshot::Receiver<Result<Answer, FsError>>,
    ) -> Result<Answer, FsError> {
        if self.requests.try_send(event).is_err() {
            self.core.read().counters.busy_refusals.inc();
            return Err(FsError::new(ErrorKind::Unavailable, "The master is too busy or stops. Try again."));
        }
        answer.await.unwrap_or_else(|_| Err(not_primary()))
    }
}

/// The refusal of one that is not primary.
pub(super) fn not_primary() -> FsError {
    FsError::new(ErrorKind::Unavailable, "This master is not the primary.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::AlluxioPath;

    /// Of a primary whose loop does not run.
    fn handle() -> Handle {
        let gate = Gate::default();
        gate.set(true, SequenceNumber(0), Some(boot_now() + Duration::from_secs(3600)));
        let settings = ops::Settings {
            permission_checking: true,
            super_group: "supergroup".into(),
            umask: 0o022,
            root_ufs: "/ufs".into(),
            root_options: Default::default(),
            never_persisted: Vec::new(),
            journal: String::new(),
        };
        Handle {
            core: Arc::default(),
            gate: Arc::new(gate),
            settings: Arc::new(settings),
            turn: Arc::new(Turn::with_max_readers((), 1)),
            readers: Arc::new(Semaphore::new(READERS)),
            requests: mpsc::channel(1).0,
            events: mpsc::channel(1).0,
            progress: watch::channel(Progress::Primary(1)).1,
            flush_times: FlushTimes::default(),
            room: Arc::default(),
            feature_level: Arc::default(),
        }
    }

    /// What is there at once, without leaving the thread.
    async fn now<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        tokio::time::timeout(Duration::ZERO, future).await.ok()
    }

    #[tokio::test]
    async fn a_long_question_waits_for_the_step_of_the_loop_and_a_short_one_for_nothing() {
        let handle = handle();
        let caller = Caller { user: "root".into(), groups: Vec::new() };
        let root = AlluxioPath::root();
        let (short, long) = (Query::Exists { path: root.clone() }, Query::ListStatus { path: root, recursive: true });
        let step = Arc::clone(&handle.turn).write_owned().await;
        let mut long = Box::pin(handle.query(&caller, &long));
        assert!(now(&mut long).await.is_none());
        assert!(now(&mut Box::pin(handle.query(&caller, &short))).await.is_some());
        drop(step);
        assert_eq!(long.await.unwrap_err().message, "The namespace has no root yet.");
        assert!(now(&mut Box::pin(handle.turn.write())).await.is_some(), "its turn is over");
    }

    #[tokio::test]
    async fn the_loop_goes_before_long_questions_that_come_after_it() {
        let handle = handle();
        let caller = Caller { user: "root".into(), groups: Vec::new() };
        let under_way = handle.turn.read().await;
        let mut step = Box::pin(handle.turn.write());
        assert!(now(&mut step).await.is_none());
        let mut later = Box::pin(handle.query(&caller, &Query::PinnedFiles));
        assert!(now(&mut later).await.is_none());
        drop(under_way);
        drop(now(&mut step).await.expect("it is next"));
        later.await.unwrap();
    }
}
