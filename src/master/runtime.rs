//! Performs the effects of the driver on tokio, and holds the lock over the state.
//!
//! One task owns the driver and takes events from two bounded queues: what the outside told, and what clients ask.
//! Queries are evaluated under the read lock, in the task of their call or, if they are long, on a thread for blocking
//! work, and pass the gate; only those that must wait go to the driver. Whoever is spawned here is joined when the loop ends.

use super::appender::{Flushes, append_all};
use super::checkpoints::Look;
use super::driver::{Driver, DriverSettings};
use super::event::{Core, Effect, Evaluated, Event, Exit, Told};
use super::feature_level::FeatureLevel;
use super::folder_watch;
use super::garbage;
use super::gate::Gate;
pub use super::handle::{Handle, Progress};
use super::handle::{READERS, Turn};
use super::ops::Answer;
use super::state::{CheckpointOrigin, MasterState};
use crate::election::{CallFailed, Latch, LatchCall, LatchError, LatchReply, Observation, Presence, Versioned};
use crate::journal::collector::Garbage;
use crate::journal::folder::{CheckpointId, JournalStore, Recovery, SegmentId, StoreError};
use crate::journal::tailer::Ask;
use crate::journal::writer::WriterEffect;
use crate::metrics::FlushTimes;
use crate::rpc::peer;
use crate::types::FsError;
use crate::types::time::{boot_now, wall_now};
use bytes::Bytes;
use log::{info, warn};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Requests that one batch holds at most.
const BATCH_REQUESTS_MAX: usize = 256;
/// Requests that wait for the driver at most; more are refused as unavailable.
const QUEUE_REQUESTS_MAX: usize = 8192;
/// Answers of the outside that wait for the driver at most.
const QUEUE_EVENTS_MAX: usize = 1024;
/// Longest sleep of the loop.
const IDLE: Duration = Duration::from_secs(1);
/// How long each step of a probe of the leader may take.
const PROBE: Duration = Duration::from_millis(500);

/// Where the answer to one who waits goes.
pub(super) type Ticket = oneshot::Sender<Result<Answer, FsError>>;

/// What the loop needs of the outside.
pub struct Outside {
    /// The journal folder.
    pub store: Arc<dyn JournalStore>,
    /// The election.
    pub latch: Arc<dyn Latch>,
    /// Checkpoints that could not be loaded: they do not count as kept.
    pub refused: Arc<[CheckpointId]>,
    /// As FORMAT named it when the master began.
    pub feature_level: Arc<FeatureLevel>,
}

/// The loop and what it performs.
pub struct Runtime {
    driver: Driver<Ticket>,
    outside: Outside,
    address: String,
    writer_name: String,
    cluster_id: String,
    core: Arc<RwLock<Core>>,
    turn: Arc<Turn>,
    requests: mpsc::Receiver<Event<Ticket>>,
    events: mpsc::Receiver<Event<Ticket>>,
    tell: mpsc::Sender<Event<Ticket>>,
    /// Came between requests of a batch, and is next.
    next: Option<Event<Ticket>>,
    progress: watch::Sender<Progress>,
    /// Open segments: to the task that appends to each.
    appenders: BTreeMap<SegmentId, mpsc::Sender<Bytes>>,
    tasks: JoinSet<()>,
    /// The last call to the election had no answer.
    election_away: bool,
    flush_times: FlushTimes,
}

impl Runtime {
    /// A loop around a driver that begins with this state.
    pub fn new(
        settings: &DriverSettings,
        driver: impl FnOnce(Arc<Gate>) -> Driver<oneshot::Sender<Result<Answer, FsError>>>,
        core: Core,
        outside: Outside,
    ) -> (Runtime, Handle) {
        let gate = Arc::new(Gate::default());
        let core = Arc::new(RwLock::new(core));
        let processors = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
        let turn = Arc::new(Turn::with_max_readers((), processors));
        let (requests_sender, requests) = mpsc::channel(QUEUE_REQUESTS_MAX);
        let (tell, events) = mpsc::channel(QUEUE_EVENTS_MAX);
        let (progress, seen) = watch::channel(Progress::Starting);
        let handle = Handle {
            core: core.clone(),
            turn: Arc::clone(&turn),
            readers: Arc::new(Semaphore::new(READERS)),
            gate: gate.clone(),
            settings: Arc::new(settings.ops.clone()),
            requests: requests_sender,
            events: tell.clone(),
            progress: seen,
            flush_times: FlushTimes::default(),
            room: Arc::default(),
            feature_level: Arc::clone(&outside.feature_level),
        };
        let runtime = Runtime {
            driver: driver(gate),
            outside,
            address: settings.role.address.clone(),
            writer_name: settings.role.incarnation.clone(),
            cluster_id: settings.cluster_id.clone(),
            core,
            turn,
            requests,
            events,
            tell,
            next: None,
            progress,
            appenders: BTreeMap::new(),
            tasks: JoinSet::new(),
            election_away: false,
            flush_times: handle.flush_times.clone(),
        };
        (runtime, handle)
    }

    /// Runs until the driver says that the process is to end.
    pub async fn run(mut self) -> Exit {
        self.watch_election();
        let mut event = Event::Tick;
        loop {
            if let Event::Latch(reply) = &event {
                self.note(reply);
            }
            let turn = self.turn.write().await;
            let (now, wall) = (boot_now(), wall_now());
            let effects = self.driver.step(&mut self.core.write(), event, now, wall);
            drop(turn);
            for effect in effects {
                if let Some(exit) = self.perform(effect) {
                    self.tasks.shutdown().await;
                    self.outside.latch.leave().await;
                    return exit;
                }
            }
            let mut failed = false;
            while let Some(ended) = self.tasks.try_join_next() {
                if let Err(error) = ended {
                    // What the driver waits for would never come.
                    self.driver.exit(Exit::Unfit(format!("a task of the master failed: {error}")));
                    failed = true;
                }
            }
            if failed {
                event = Event::Tick;
                continue;
            }
            // As of the step: what has become due since then makes the sleep empty, not forgotten.
            let sleep = self.driver.wake_at(now).map_or(IDLE, |at| at.since(boot_now()).min(IDLE));
            event = tokio::select! {
                biased;
                Some(event) = std::future::ready(self.next.take()) => event,
                Some(event) = self.events.recv() => event,
                Some(event) = self.requests.recv() => {
                    // Those that are ready to ask go first, into the same batch, and the appender to its flush.
                    tokio::task::yield_now().await;
                    self.gather(event)
                }
                () = tokio::time::sleep(sleep) => Event::Tick,
            };
        }
    }

    /// What an operator should know of the election: that it was entered, cannot be reached, can be reached again.
    fn note(&mut self, reply: &LatchReply) {
        if let LatchReply::Joined(Ok(own)) = reply {
            info!("entered the election as {}", own.0);
            self.progress.send_replace(Progress::Entered);
        }
        match reply.reached() {
            Err(reason) if !self.election_away => warn!("cannot reach the election, trying again reason={reason}"),
            Ok(()) if self.election_away => info!("reached the election again"),
            _ => {}
        }
        self.election_away = reply.reached().is_err();
    }

    /// Adds to a request those that wait behind it: one batch, one record, one lock.
    fn gather(&mut self, first: Event<Ticket>) -> Event<Ticket> {
        let Event::Submit(mut batch) = first else { return first };
        while batch.len() < BATCH_REQUESTS_MAX {
            match self.requests.try_recv() {
                Ok(Event::Submit(more)) => batch.extend(more),
                Ok(Event::Hold(ticket, evaluated)) => self.hold_later(ticket, evaluated),
                Ok(other) => {
                    self.next = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        Event::Submit(batch)
    }

    /// A query that came between requests of a batch: its order among them does not matter, for it is evaluated.
    fn hold_later(&mut self, ticket: Ticket, evaluated: Evaluated) {
        let tell = self.tell.clone();
        self.tasks.spawn(async move {
            let _ = tell.send(Event::Hold(ticket, evaluated)).await;
        });
    }

    fn perform(&mut self, effect: Effect<Ticket>) -> Option<Exit> {
        match effect {
            // Who asked may have gone away.
            Effect::Answer(ticket, answer) => drop(ticket.send(answer)),
            Effect::Latch(call) => self.call_latch(call),
            Effect::Tail(ask) => self.ask_store(ask),
            Effect::Write(WriterEffect::Create(segment)) => self.create(segment),
            Effect::Write(WriterEffect::Append { segment, bytes }) => self.append(segment, bytes),
            // Dropping the sender ends the appender, which closes the file.
            Effect::Write(WriterEffect::Close(segment)) => drop(self.appenders.remove(&segment)),
            Effect::Recover(segment) => self.recover(segment),
            Effect::ListCheckpoints(genesis, look) => self.list_checkpoints(genesis, look),
            Effect::Checkpoint(id, genesis, state) => self.checkpoint(id, genesis, state),
            Effect::Collect(genesis) => self.collect(genesis),
            Effect::Serving { epoch, taken_over } => {
                info!("became primary epoch={epoch} taken_over={taken_over}");
                self.core.read().counters.became_primary.inc();
                self.progress.send_replace(Progress::Primary(epoch));
            }
            Effect::Warn(text) => warn!("{text}"),
            Effect::Exit(exit) => return Some(exit),
        }
        None
    }

    fn spawn<F>(&mut self, work: F)
    where
        F: Future<Output = Event<Ticket>> + Send + 'static,
    {
        let tell = self.tell.clone();
        self.tasks.spawn(async move {
            let _ = tell.send(work.await).await;
        });
    }

    fn watch_election(&mut self) {
        let (latch, tell) = (self.outside.latch.clone(), self.tell.clone());
        self.tasks.spawn(async move {
            loop {
                latch.changed().await;
                if tell.send(Event::ElectionChanged).await.is_err() {
                    return;
                }
            }
        });
    }

    fn call_latch(&mut self, call: LatchCall) {
        let (latch, address) = (self.outside.latch.clone(), self.address.clone());
        self.spawn(async move { Event::Latch(perform_call(latch.as_ref(), &address, call).await) });
    }

    fn ask_store(&mut self, ask: Ask) {
        let store = self.outside.store.clone();
        self.spawn(async move {
            let told = match ask {
                Ask::List => store.list().await.map(|listing| Told::Listed(listing.segments)),
                Ask::Length(segment) => store.length(segment).await.map(Told::Length),
                Ask::Read { segment, offset, bytes } => store.read(segment, offset, bytes).await.map(Told::Bytes),
                Ask::Recover(segment) => store.recover(segment).await.map(|r| Told::Recovered(r == Recovery::Done)),
            };
            Event::Tail(ask, told.unwrap_or_else(untold))
        });
    }

    fn create(&mut self, segment: SegmentId) {
        // The queue exists before the file, so that an append finds it whatever the order of events.
        let (sender, appends) = mpsc::channel(self.outside.store.flights_max());
        self.appenders.retain(|_, appender| !appender.is_closed()); // those of files that could not be created
        self.appenders.insert(segment, sender);
        let (store, latch, tell) = (self.outside.store.clone(), self.outside.latch.clone(), self.tell.clone());
        let flushes = Flushes { counters: Arc::clone(&self.core.read().counters), times: self.flush_times.clone() };
        self.tasks.spawn(async move {
            // Another one may have cut the last segment off, in an election that is not ours: nothing else would tell of it.
            if segment.index > 0
                && let Some(later) = later_epoch(store.as_ref(), segment.epoch).await
            {
                let event = folder_watch::overtaken(latch.as_ref(), later, segment.epoch, &store.describe()).await;
                return drop(tell.send(event).await);
            }
            match store.create(segment).await {
                Err(error) => drop(tell.send(Event::Created(segment, Err(error.to_string()))).await),
                Ok(writer) => append_all(segment, writer, appends, tell, flushes).await,
            }
        });
    }

    fn append(&mut self, segment: SegmentId, bytes: Bytes) {
        let sent = self.appenders.get(&segment).map(|appender| appender.try_send(bytes));
        if !matches!(sent, Some(Ok(()))) {
            let gone = "its appender has ended".to_owned();
            self.spawn(async move { Event::Appended(segment, Err(gone)) });
        }
    }

    fn recover(&mut self, segment: SegmentId) {
        let store = self.outside.store.clone();
        self.spawn(async move {
            let done = match store.recover(segment).await {
                Ok(recovery) => recovery == Recovery::Done,
                Err(StoreError::NotFound { .. }) => true,
                Err(error) => {
                    warn!("cannot recover segment={segment} reason={error}");
                    false
                }
            };
            Event::Recovered(segment, done)
        });
    }

    fn list_checkpoints(&mut self, genesis: u64, look: Look) {
        let (store, refused) = (self.outside.store.clone(), self.outside.refused.clone());
        self.spawn(async move {
            let listed = garbage::checkpoints_of(store.as_ref(), genesis, &refused).await;
            Event::CheckpointsListed(look, listed.map_err(|error| error.to_string()))
        });
    }

    fn collect(&mut self, genesis: u64) {
        let (store, refused) = (self.outside.store.clone(), self.outside.refused.clone());
        self.spawn(async move {
            match garbage::collect(store.as_ref(), genesis, &refused).await {
                Ok(Garbage { checkpoints, segments }) => {
                    info!("collected checkpoints={} segments={}", checkpoints.len(), segments.len());
                }
                Err(error) => {
                    warn!("cannot collect the journal, it will be tried after the next checkpoint reason={error}")
                }
            }
            Event::Collected
        });
    }

    fn checkpoint(&mut self, id: CheckpointId, genesis: u64, state: Box<MasterState>) {
        let (store, writer) = (self.outside.store.clone(), self.writer_name.clone());
        let position = id.position();
        let origin = CheckpointOrigin { position, genesis, cluster_id: self.cluster_id.clone() };
        self.spawn(async move {
            let chunks = tokio::task::spawn_blocking(move || state.to_checkpoint(&origin)).await;
            let began = boot_now();
            let outcome = match chunks {
                Err(error) => Err(error.to_string()),
                Ok(chunks) => store.write_checkpoint(id, &writer, chunks).await.map_err(|error| error.to_string()),
            };
            if outcome.is_ok() {
                info!("checkpoint stands position={position} took_ms={}", boot_now().since(began).as_millis());
            }
            Event::Checkpointed(outcome.map(|_| id))
        });
    }
}

async fn perform_call(latch: &dyn Latch, address: &str, call: LatchCall) -> LatchReply {
    match call {
        LatchCall::Join => LatchReply::Joined(latch.join().await.map_err(call_failed)),
        LatchCall::Observe => LatchReply::Observed(observe(latch).await.map_err(call_failed)),
        LatchCall::CreateEpoch(node) => LatchReply::Created(latch.create_epoch(&node).await.map_err(call_failed)),
        LatchCall::Renew { own, version, node } => {
            LatchReply::Renewed(latch.renew(&own, version, &node).await.map_err(call_failed))
        }
        LatchCall::Claim { own, ahead, version, node } => {
            LatchReply::Claimed(latch.claim(&own, &ahead, version, &node).await.map_err(call_failed))
        }
        LatchCall::Release { version, node } => {
            LatchReply::Released(latch.release(version, &node).await.map_err(call_failed))
        }
        LatchCall::Publish => LatchReply::Published(latch.publish(address).await.map_err(call_failed)),
        LatchCall::Probe(Versioned { value: node, version }) => {
            LatchReply::Probed { version, owner: presence(&node.address, &node.owner).await }
        }
    }
}

/// Whether the process of this incarnation serves at `address`.
async fn presence(address: &str, incarnation: &str) -> Presence {
    match timeout(PROBE, TcpStream::connect(address)).await {
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => Presence::Gone,
        Ok(Err(_)) | Err(_) => Presence::Unknown,
        Ok(Ok(_)) => {
            let standing = peer::standing(address, PROBE).await.ok();
            match standing.and_then(|standing| standing.incarnation) {
                None => Presence::Unknown,
                Some(there) if there == incarnation => Presence::There,
                Some(_) => Presence::Gone,
            }
        }
    }
}

fn untold(error: StoreError) -> Told {
    match error {
        damaged @ StoreError::Damaged { .. } => Told::Damaged(damaged.to_string()),
        error => Told::Failed(error.to_string()),
    }
}

async fn observe(latch: &dyn Latch) -> Result<Observation, LatchError> {
    let participants = latch.participants().await?;
    let epoch = latch.read_epoch().await?;
    let interrupted = latch.was_interrupted().await;
    Ok(Observation { epoch, participants, interrupted })
}

fn call_failed(error: LatchError) -> CallFailed {
    let text = error.to_string();
    match error {
        LatchError::Refused { .. } => CallFailed::Refused(text),
        LatchError::Unknown { .. } | LatchError::NotOurs { .. } => CallFailed::Unknown(text),
        LatchError::SessionExpired => CallFailed::SessionExpired,
        LatchError::Foreign { .. } | LatchError::Denied { .. } => CallFailed::Fatal(text),
    }
}
/// A segment of a later epoch than this, if the folder can be listed and has one.
async fn later_epoch(store: &dyn JournalStore, epoch: u64) -> Option<SegmentId> {
    let listing = store.list().await.ok()?;
    listing.segments.last().copied().filter(|newest| newest.epoch > epoch)
}
