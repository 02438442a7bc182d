//! A worker and one of the masters: it gets an id, tells all its blocks, then each second what has changed, and does
//! what it is told. A master that is away is tried again for ever; the others do not notice.
//!
//! Compatible: 2.9 (BlockMasterSync, RegisterStreamer): a stream of one request for each batch, answered one by one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use log::{debug, info, warn};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::counted::Counted;
use super::primary::{Registrations, signed};
use super::store::{BlockStore, Change};
use crate::proto::alluxio::grpc::block::block_master_worker_service_client::BlockMasterWorkerServiceClient;
use crate::proto::alluxio::grpc::block::{
    BlockHeartbeatPOptions, BlockHeartbeatPRequest, BlockIdList, GetRegisterLeasePRequest, GetWorkerIdPRequest,
    LocationBlockIdListEntry, RegisterWorkerPOptions, RegisterWorkerPRequest,
};
use crate::proto::alluxio::grpc::version::ServiceType;
use crate::proto::alluxio::grpc::{BlockStoreLocationProto, BuildVersion, Command, CommandType, ConfigProperty};
use crate::proto::convert::worker_address_to_proto;
use crate::rpc::MESSAGE_BYTES_MAX;
use crate::rpc::channel::{ChannelSettings, Connection, connect_to_any_master};
use crate::rpc::status::from_status;
use crate::types::time::{Boot, boot_now};
use crate::types::{BlockId, ErrorKind, FsError, WorkerAddress, WorkerId};

/// Blocks in one message of a registration.
const BLOCKS_PER_MESSAGE: usize = 100_000;

/// Changes in one heartbeat.
const CHANGES_PER_HEARTBEAT: usize = 10_000;

/// How long a master may take for one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Pause before a master that is away is tried again.
const RECONNECT_PAUSE: Duration = Duration::from_millis(300);

/// Pause before a lease is asked for again.
const LEASE_PAUSE: Duration = Duration::from_millis(500);

/// A change is told so soon; those of the meantime go with it.
const NEWS_PAUSE: Duration = Duration::from_millis(50);

/// Heartbeats follow each other so soon, on average, after a master was lost, and for so long: whoever comes to lead then
/// waits for one of each worker before it tells clients of workers and copies. All workers lose a master at the same
/// moment, so each pause is drawn by lot, from half of it to one and a half.
const UNREST_PAUSE: Duration = Duration::from_millis(100);
const UNREST: Duration = Duration::from_secs(5);

/// When a master was lost last, as all sessions see it.
#[derive(Debug, Clone)]
pub struct Unrest(watch::Sender<Option<Boot>>);

impl Default for Unrest {
    fn default() -> Unrest {
        Unrest(watch::Sender::new(None))
    }
}

impl Unrest {
    /// A master is lost now.
    pub fn begin(&self) {
        self.0.send_replace(Some(boot_now()));
    }

    /// The pause between two heartbeats, which is `quiet` most of the time.
    fn pause(&self, quiet: Duration) -> Duration {
        let is_now = self.0.borrow().is_some_and(|since| boot_now().since(since) < UNREST);
        if is_now { quiet.min(UNREST_PAUSE.mul_f64(rand::random_range(0.5..1.5))) } else { quiet }
    }
}

/// What all sessions share.
#[derive(Debug)]
pub struct SessionSettings {
    /// Where this worker is reached.
    pub address: WorkerAddress,
    /// As whom it asks.
    pub channel: ChannelSettings,
    /// Pause between two heartbeats.
    pub heartbeat_interval: Duration,
    /// Shortens it.
    pub unrest: Unrest,
    /// Whether it asks for a lease before it tells its blocks.
    pub lease: bool,
    /// What it tells of its configuration, by name.
    pub told: Vec<(String, String)>,
}

/// See the module text.
#[derive(Debug)]
pub struct MasterSession {
    /// The address of the master.
    pub master: String,
    /// What is told.
    pub store: Arc<BlockStore>,
    /// Where the id is kept for others.
    pub registrations: Registrations,
    /// What all sessions share.
    pub settings: Arc<SessionSettings>,
    /// What the master was told of the counters.
    pub counted: Counted,
}

/// What the master knows.
#[derive(Debug, Clone, Copy)]
struct Registered {
    id: WorkerId,
    /// The number of the first change that it has not heard of.
    next: u64,
}

type Client = BlockMasterWorkerServiceClient<Connection>;

impl MasterSession {
    /// Runs until it is aborted.
    pub async fn run(self) {
        let mut registered = None;
        let mut complaint = String::new();
        loop {
            let mut served = false;
            let Err(error) = self.serve(&mut registered, &mut served).await;
            if served {
                self.settings.unrest.begin();
            }
            // A standby of 2.9 is tried for ever, and one line says it.
            if complaint == error.message {
                debug!("still no session with a master master={} reason={error}", self.master);
            } else {
                info!("no session with a master, trying again master={} reason={error}", self.master);
                complaint = error.message;
            }
            sleep(RECONNECT_PAUSE).await;
        }
    }

    /// Says in `served` whether the master took a heartbeat.
    async fn serve(
        &self,
        registered: &mut Option<Registered>,
        served: &mut bool,
    ) -> Result<std::convert::Infallible, FsError> {
        let service = ServiceType::BlockMasterWorkerService;
        let connection = connect_to_any_master(&self.master, service, &self.settings.channel).await;
        let connection = connection.map_err(FsError::from)?;
        let mut client = Client::new(connection)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        let mut news = self.store.news();
        let mut unrest = self.settings.unrest.0.subscribe();
        loop {
            let known = match *registered {
                Some(known) => known,
                None => {
                    let known = self.register(&mut client).await?;
                    self.registrations.enter(&self.master, known.id);
                    *registered.insert(known)
                }
            };
            news.borrow_and_update();
            unrest.borrow_and_update();
            let heard = self.heartbeat(&mut client, known).await?;
            *served = true;
            match heard {
                Some(next) => {
                    *registered = Some(Registered { next, ..known });
                    if next - known.next == CHANGES_PER_HEARTBEAT as u64 {
                        // There is more.
                        continue;
                    }
                }
                None => {
                    info!("registering anew master={} former_id={}", self.master, known.id.0);
                    self.registrations.leave(&self.master);
                    *registered = None;
                    continue;
                }
            }
            tokio::select! {
                () = sleep(self.settings.unrest.pause(self.settings.heartbeat_interval)) => {}
                _ = news.changed() => sleep(NEWS_PAUSE).await,
                _ = unrest.changed() => {}
            }
        }
    }

    /// Gets an id and tells all blocks.
    async fn register(&self, client: &mut Client) -> Result<Registered, FsError> {
        let address = worker_address_to_proto(self.settings.address.clone());
        let request = GetWorkerIdPRequest { worker_net_address: Some(address), options: None };
        let id = answered("GetWorkerId", client.get_worker_id(request)).await?.into_inner().worker_id();
        let (blocks, next) = self.store.report();
        if self.settings.lease {
            self.lease(client, id, blocks.len()).await?;
        }
        let count = blocks.len();
        let mut messages = self.messages(id, blocks).into_iter();
        let (sender, receiver) = mpsc::channel(1);
        // A server may say nothing before the first message.
        let first = messages.next().expect("there is a message even without blocks");
        sender.try_send(first).expect("the channel has room for one message, and its receiver is here");
        let stream = client.register_worker_stream(ReceiverStream::new(receiver));
        let mut answers = answered("RegisterWorkerStream", stream).await?.into_inner();
        for message in messages.map(Some).chain([None]) {
            let ended = || FsError::new(ErrorKind::Unavailable, format!("{} ended the registration", self.master));
            let answer = answered("RegisterWorkerStream", answers.message()).await?;
            answer.ok_or_else(ended)?;
            if let Some(message) = message {
                sender.send(message).await.map_err(|_| ended())?;
            }
        }
        drop(sender);
        // Only its end says that the master has taken all of it.
        while answered("RegisterWorkerStream", answers.message()).await?.is_some() {}
        info!("registered master={} id={id} blocks={count}", self.master);
        Ok(Registered { id: WorkerId(id), next })
    }

    /// Asks until the master lets this worker tell its blocks. A master without leases lets everybody.
    async fn lease(&self, client: &mut Client, id: i64, blocks: usize) -> Result<(), FsError> {
        loop {
            let request = GetRegisterLeasePRequest { worker_id: Some(id), block_count: Some(signed(blocks as u64)) };
            match answered("RequestRegisterLease", client.request_register_lease(request)).await {
                Ok(lease) if lease.get_ref().allowed() => return Ok(()),
                Ok(_) => sleep(LEASE_PAUSE).await,
                Err(error) if error.kind == ErrorKind::Unimplemented => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// The messages of a registration, the first with all that is not blocks.
    fn messages(&self, id: i64, blocks: Vec<(BlockId, usize)>) -> Vec<RegisterWorkerPRequest> {
        let tiers = &self.store.settings().tier_aliases;
        let usage = self.store.usage();
        let by_tier = |bytes: fn(&(u64, u64)) -> u64| -> HashMap<String, i64> {
            tiers.iter().cloned().zip(usage.iter().map(|tier| signed(bytes(tier)))).collect()
        };
        let first = RegisterWorkerPRequest {
            worker_id: Some(id),
            storage_tiers: tiers.clone(),
            total_bytes_on_tiers: by_tier(|tier| tier.0),
            used_bytes_on_tiers: by_tier(|tier| tier.1),
            options: Some(RegisterWorkerPOptions {
                configs: self.settings.told.iter().map(property).collect(),
                build_version: Some(BuildVersion { version: Some("2.9.6".into()), revision: Some(String::new()) }),
                num_v_cpu: std::thread::available_parallelism().ok().and_then(|n| i32::try_from(n.get()).ok()),
            }),
            current_blocks: self.entries(blocks.iter().take(BLOCKS_PER_MESSAGE).copied()),
            ..RegisterWorkerPRequest::default()
        };
        let rest = blocks.chunks(BLOCKS_PER_MESSAGE).skip(1).map(|blocks| RegisterWorkerPRequest {
            worker_id: Some(id),
            current_blocks: self.entries(blocks.iter().copied()),
            ..RegisterWorkerPRequest::default()
        });
        [first].into_iter().chain(rest).collect()
    }

    /// Blocks by their tiers; a tier stands once.
    fn entries(&self, blocks: impl Iterator<Item = (BlockId, usize)>) -> Vec<LocationBlockIdListEntry> {
        let mut tiers: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
        for (block, directory) in blocks {
            tiers.entry(self.store.tier_of(directory)).or_default().push(block.0);
        }
        let entry = |(tier, block_id): (usize, Vec<i64>)| {
            let alias = self.store.settings().tier_aliases[tier].clone();
            let key = BlockStoreLocationProto { tier_alias: Some(alias.clone()), medium_type: Some(alias) };
            LocationBlockIdListEntry { key: Some(key), value: Some(BlockIdList { block_id }) }
        };
        tiers.into_iter().map(entry).collect()
    }

    /// Tells what has changed and does what the master says. The number of the next change; none when the master must
    /// be told everything.
    async fn heartbeat(&self, client: &mut Client, known: Registered) -> Result<Option<u64>, FsError> {
        let Some((changes, next)) = self.store.changes(known.next, CHANGES_PER_HEARTBEAT) else { return Ok(None) };
        let (added, removed) = fold(&changes);
        let (metrics, counts) = self.counted.since(self.store.counters(), &self.settings.address.host);
        let tiers = self.store.settings().tier_aliases.iter().cloned();
        let usage = self.store.usage();
        let used = usage.iter().map(|tier| signed(tier.1));
        let capacity = usage.iter().map(|tier| signed(tier.0));
        let request = BlockHeartbeatPRequest {
            worker_id: Some(known.id.0),
            used_bytes_on_tiers: tiers.clone().zip(used).collect(),
            removed_block_ids: removed.into_iter().map(|block| block.0).collect(),
            added_blocks: self.entries(added.into_iter()),
            options: Some(BlockHeartbeatPOptions { metrics, capacity_bytes_on_tiers: tiers.zip(capacity).collect() }),
            ..BlockHeartbeatPRequest::default()
        };
        let answer = answered("BlockHeartbeat", client.block_heartbeat(request)).await?.into_inner();
        self.counted.was_told(counts);
        let again = self.obey(answer.command.unwrap_or_default()).await;
        Ok((!again).then_some(next))
    }

    /// Does what the master says; whether it must be told everything.
    async fn obey(&self, command: Command) -> bool {
        match command.command_type() {
            CommandType::Register => return true,
            CommandType::Free | CommandType::Delete => {
                debug!("told to drop blocks master={} blocks={}", self.master, command.data.len());
                let store = Arc::clone(&self.store);
                let dropping = tokio::task::spawn_blocking(move || {
                    for block in command.data {
                        store.remove(BlockId(block));
                    }
                });
                if let Err(error) = dropping.await {
                    warn!("dropping blocks failed error={error}");
                }
            }
            CommandType::Unknown | CommandType::Nothing | CommandType::Persist => {}
            CommandType::Decommissioned | CommandType::Disabled => {
                debug!("no blocks are wanted from this worker any more master={}", self.master);
            }
        }
        false
    }
}

fn property((name, value): &(String, String)) -> ConfigProperty {
    ConfigProperty {
        name: Some(name.clone()),
        source: None,
        value: Some(value.clone()).filter(|value| !value.is_empty()),
    }
}

/// What came and what went, each block once: a master takes the removals first.
fn fold(changes: &[Change]) -> (Vec<(BlockId, usize)>, BTreeSet<BlockId>) {
    let (mut added, mut removed) = (BTreeMap::new(), BTreeSet::new());
    for change in changes {
        match change {
            Change::Added(block, directory) => {
                added.insert(*block, *directory);
                removed.remove(block);
            }
            Change::Removed(block) => {
                added.remove(block);
                removed.insert(*block);
            }
        }
    }
    (added.into_iter().collect(), removed)
}

/// The answer to a call, in time.
async fn answered<T>(call: &str, answer: impl Future<Output = Result<T, Status>>) -> Result<T, FsError> {
    let late =
        || FsError::new(ErrorKind::Unavailable, format!("no answer to {call} within {} s", ANSWER_LIMIT.as_secs()));
    timeout(ANSWER_LIMIT, answer).await.map_err(|_| late())?.map_err(from_status)
}

#[cfg(test)]
mod tests {
    use super::{UNREST_PAUSE, Unrest, fold};
    use crate::types::BlockId;
    use crate::worker::store::Change::{Added, Removed};
    use std::collections::BTreeSet;
    use std::time::Duration;

    #[test]
    fn pauses_are_short_and_differ_once_a_master_is_lost() {
        let quiet = Duration::from_secs(1);
        let unrest = Unrest::default();
        assert_eq!(unrest.pause(quiet), quiet);
        unrest.begin();
        let pauses: BTreeSet<Duration> = (0..100).map(|_| unrest.pause(quiet)).collect();
        assert!(pauses.len() > 50, "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause >= UNREST_PAUSE / 2 && *pause < UNREST_PAUSE * 2), "{pauses:?}");
        assert_eq!(unrest.pause(Duration::from_millis(1)), Duration::from_millis(1));
    }

    #[test]
    fn only_the_last_change_of_a_block_is_told() {
        let id = BlockId;
        let changes = [Added(id(1), 0), Removed(id(1)), Removed(id(2)), Added(id(2), 1), Added(id(3), 0)];
        let (added, removed) = fold(&changes);
        assert_eq!(added, [(id(2), 1), (id(3), 0)]);
        assert_eq!(removed.into_iter().collect::<Vec<_>>(), [id(1)]);
    }
}
