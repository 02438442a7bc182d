//! From the properties to a master that serves, and its end.

use super::access_times::AccessTimes;
use super::audit::{self, AuditLog, Line};
use super::checkpoints::CheckpointLimits;
use super::driver::{Driver, DriverSettings};
use super::event::Exit;
use super::feature_level::FeatureLevel;
use super::folder_watch::watch_folder;
use super::front::Front;
use super::journal_room::{RoomLimits, watch_room};
use super::load::{Loaded, load};
use super::masters::Masters;
use super::ops;
use super::outside::{self, Folder, OutsideError};
use super::process::Process;
use super::role::{FencingMode, RoleSettings};
use super::runtime::{Handle, Outside, Progress, Runtime};
use super::server::{self, ServerError, ServerSettings};
use super::server_cluster::ClusterFacts;
use super::server_conf::Property;
use super::start_error::StartError;
use super::tasks::{self, DailyBackup};
use super::ufs::{EffectSettings, UfsNamespace, properties_of};
use super::ufs_space::{UfsSpace, UfsSpaces};
use super::workers::WorkerLimits;
use crate::conf::{Authentication, Conf, Role, keys, shown_text};
use crate::journal::folder::local::MissingFolder;
use crate::journal::folder::{Format, JournalStore, StoreError};
use crate::journal::folder_identity::{self, IdentityError};
use crate::journal::writer::WriterLimits;
use crate::rpc::callers::GroupSource;
use crate::rpc::channel::ChannelSettings;
use crate::rpc::identity;
use crate::rpc::worker::WorkerSettings;
use crate::types::time::{boot_now, wall_now};
use crate::ufs::{UfsClients, UfsSettings, root_options};
use log::{info, warn};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinError;

/// Bytes that may wait for a flush before requests are refused.
const UNACKNOWLEDGED_BYTES_MAX: usize = 16 << 20;
/// 2.9 alluxio.security.stale.channel.purge.interval.
const CHANNEL_PURGE_INTERVAL: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// How long a client is kept waiting for a UFS that says nothing.
const UFS_PATIENCE: Duration = Duration::from_secs(10);
/// How often it is looked for what is left in UFSes: it is old before it goes.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10 * 60);
/// How long calls may take to finish when the server stops.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);
/// How long a master that has entered the election may take to become primary before it counts as a standby.
const FIRST_MOMENTS: Duration = Duration::from_millis(500);

/// A master that runs, as those see it who serve beside it. It may be in any role.
#[derive(Clone)]
pub struct Running {
    /// The namespace, as clients see it.
    pub front: Arc<Front<UfsNamespace>>,
    /// The loop.
    pub handle: Handle,
    /// Tells how large the UFS of the root is.
    pub ufs_space: Arc<UfsSpace>,
    /// The masters and their journal.
    pub cluster: ClusterFacts,
}

/// What serves beside the calls of a master: the web pages.
pub trait Beside: Send {
    /// Whether it could serve on this machine. Asked before the master takes part in anything.
    ///
    /// # Errors
    /// Its port is taken, or is not one of this machine.
    fn check(&self) -> impl Future<Output = Result<(), ServerError>> + Send;

    /// Serves until it is dropped.
    fn run(self, master: Running) -> impl Future<Output = ()> + Send + 'static;
}

/// Runs a master until it ends.
///
/// # Errors
/// It never served.
pub async fn run(conf: &Conf, process: &Process, beside: impl Beside) -> Result<Exit, StartError> {
    let began = boot_now();
    let mut server_settings = server_settings(conf)?;
    let ufs_settings = outside::ufs(conf)?;
    let worker_settings = worker_settings(conf)?;
    let address = outside::address(conf);
    let listener =
        server::bind(&format!("{}:{}", conf.get(&keys::MASTER_BIND_HOST), conf.get(&keys::MASTER_RPC_PORT).0)).await?;
    beside.check().await?;
    let Folder { store, lock: _lock } = outside::folder(conf, MissingFolder::Refuse).map_err(not_formatted(conf))?;
    outside::check_host(conf).await?;
    let format = usable(conf, store.as_ref(), process.incarnation()).await?;
    warn_of_clocks(conf);
    let latch = outside::latch(conf, &format.cluster_id, &address, process.incarnation())?;
    latch.read_epoch().await.map_err(StartError::Latch)?;
    process.joins(&format.cluster_id);
    let Loaded { core, position, genesis, refused } = load(store.as_ref()).await?;
    info!("loaded cluster={} position={position} took_ms={}", format.cluster_id, boot_now().since(began).as_millis());

    let settings = driver_settings(conf, &format.cluster_id, &address, process.incarnation(), store.as_ref());
    let outside = Outside {
        store: store.clone(),
        latch: latch.clone(),
        refused: refused.into(),
        feature_level: FeatureLevel::new(format.feature_level).into(),
    };
    let (runtime, handle) =
        Runtime::new(&settings, |gate| Driver::new(settings.clone(), gate, position, genesis), core, outside);
    let mut running = tokio::spawn(runtime.run());
    let ufs = Arc::new(clients(ufs_settings, handle.clone()));
    let namespace = UfsNamespace::start(handle.clone(), ufs.clone(), effects(conf));
    let front = front(conf, &namespace, &handle)?;
    let masters = Masters::new(latch.clone(), handle.clone(), address.clone(), worker_settings.channel.clone());
    let cluster = cluster(conf, masters.clone(), store.describe(), &format.cluster_id, process.incarnation());
    server_settings.cluster = Some(cluster.clone());
    let ufs_space = Arc::new(server_settings.ufs_spaces.at(&conf.get(&keys::ROOT_UFS)));
    let (stop_server, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = server::serve(listener, Arc::clone(&front), server_settings, async {
        // Sent, or dropped with the sender: both end the server.
        let _ = stopped.await;
    });
    let server = tokio::spawn(server);
    let daily_backup = daily_backup(conf, &cluster.masters);
    let mut tasks = tasks::start(&front, intervals(conf), daily_backup, ufs, worker_settings);
    tasks.spawn(watch_room(store.clone(), room_limits(conf), handle.clone()));
    tasks.spawn(beside.run(Running { front, handle: handle.clone(), ufs_space, cluster }));
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    let mut ready = std::pin::pin!(ready(handle.clone()));
    let mut watching = std::pin::pin!(watch_folder(store, latch, format.cluster_id, masters, handle.clone()));
    let mut told = false;
    let exit = loop {
        tokio::select! {
            exit = &mut running => break exit.unwrap_or_else(|error| Exit::Unfit(format!("the loop of the master failed: {error}"))),
            role = &mut ready, if !told => {
                told = true;
                info!("serving as {role} address={address} took_ms={}", boot_now().since(began).as_millis());
                process.ready(&address);
            }
            () = &mut watching => {}
            _ = terminate.recv() => handle.stop().await,
            _ = interrupt.recv() => handle.stop().await,
        }
    };
    tasks.shutdown().await;
    drop(stop_server);
    namespace.stop().await;
    note_end(server.await);
    Ok(exit)
}

/// Says how the server ended, if not as it was told.
fn note_end(ended: Result<Result<(), ServerError>, JoinError>) {
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn!("{error}"),
        Err(error) => warn!("the server failed: {error}"),
    }
}

/// The format of a folder that this process can read and write.
async fn usable(conf: &Conf, store: &dyn JournalStore, writer: &str) -> Result<Format, StartError> {
    let folder = store.describe();
    let format = folder_identity::identify_readable(store).await?;
    store.probe(writer).await.map_err(|source| match source {
        StoreError::NotFound { object } => {
            let folder = object.rsplit_once('/').map_or(object.as_str(), |(folder, _)| folder).to_owned();
            StartError::FolderGone { folder }
        }
        source => StartError::Probe { folder, source },
    })?;
    refuse_without_durable(conf, store).await?;
    Ok(format)
}

/// A local journal whose last records are gone would be taken for a whole one, if nothing said how far it reached.
async fn refuse_without_durable(conf: &Conf, store: &dyn JournalStore) -> Result<(), StartError> {
    let Some(lost) = outside::lost_durable(conf) else { return Ok(()) };
    let failed = |source| StartError::Store { folder: store.describe(), source };
    let is_empty = store.list().await.map_err(failed)?.segments.is_empty();
    if is_empty { Ok(()) } else { Err(StartError::DurableLost(lost)) }
}

fn warn_of_clocks(conf: &Conf) {
    if outside::fencing(conf) == FencingMode::Lease && conf.get(&keys::ZOOKEEPER_ENABLED) && is_virtual_machine() {
        warn!(
            "this is a virtual machine: if it is suspended or migrated, its clock may stand still while the lease ends; \
             alluxio.master.journal.fencing.mode=confirm does not rest on clocks"
        );
    }
}

/// Whether the processor says that it is one of a virtual machine.
fn is_virtual_machine() -> bool {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = text.lines().find(|line| line.starts_with("flags"));
    flags.is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"))
}

/// A local folder that is not there was never formatted.
fn not_formatted(conf: &Conf) -> impl FnOnce(OutsideError) -> StartError {
    let folder = conf.get(&keys::JOURNAL_FOLDER);
    move |error| match error {
        OutsideError::Store { source: StoreError::NotFound { .. }, .. } => {
            IdentityError::NotFormatted { folder }.into()
        }
        error => error.into(),
    }
}

/// Returns what this master is once it takes part: primary, or standby when it has entered and another one leads.
async fn ready(handle: Handle) -> &'static str {
    let mut progress = handle.progress();
    let is_primary = |progress: &Progress| matches!(progress, Progress::Primary(_));
    // The sender lives as long as the loop; when that ends, so do we.
    if progress.wait_for(|progress| *progress != Progress::Starting).await.is_err() {
        return std::future::pending().await;
    }
    match tokio::time::timeout(FIRST_MOMENTS, progress.wait_for(is_primary)).await {
        Ok(Ok(_)) => "primary",
        Ok(Err(_)) => std::future::pending().await,
        Err(_) => "standby",
    }
}

fn driver_settings(
    conf: &Conf,
    cluster_id: &str,
    address: &str,
    incarnation: &str,
    store: &dyn JournalStore,
) -> DriverSettings {
    DriverSettings {
        role: RoleSettings {
            mode: outside::fencing(conf),
            lease: conf.get(&keys::JOURNAL_FENCING_LEASE),
            address: address.to_owned(),
            incarnation: incarnation.to_owned(),
        },
        cluster_id: cluster_id.to_owned(),
        limits: WriterLimits {
            segment_bytes: conf.get(&keys::JOURNAL_LOG_SIZE_MAX).0,
            unacknowledged_bytes: UNACKNOWLEDGED_BYTES_MAX,
            flights: store.flights_max(),
        },
        ops: ops::Settings {
            permission_checking: conf.get(&keys::PERMISSION_ENABLED)
                && !matches!(conf.get(&keys::AUTHENTICATION_TYPE), Authentication::NoSasl),
            super_group: conf.get(&keys::PERMISSION_SUPERGROUP),
            umask: conf.get(&keys::PERMISSION_UMASK).0,
            root_ufs: conf.get(&keys::ROOT_UFS),
            root_options: root_options(conf),
            never_persisted: conf.get(&keys::PERSISTENCE_BLACKLIST),
            journal: conf.get(&keys::JOURNAL_FOLDER),
        },
        root_owner: outside::os_user(),
        root_group: outside::os_group(),
        checkpoints: CheckpointLimits {
            entries: conf.get(&keys::JOURNAL_CHECKPOINT_PERIOD),
            bytes: conf.get(&keys::JOURNAL_CHECKPOINT_PERIOD_BYTES).0,
            age: conf.get(&keys::JOURNAL_CHECKPOINT_PERIOD_TIME),
        },
        workers: WorkerLimits {
            timeout: conf.get(&keys::MASTER_WORKER_TIMEOUT),
            connect_wait: conf.get(&keys::MASTER_WORKER_CONNECT_WAIT),
        },
    }
}

/// The door of clients, with the audit log if that is wished; where its lines go, `log4rs.yaml` says.
fn front(conf: &Conf, namespace: &UfsNamespace, handle: &Handle) -> Result<Arc<Front<UfsNamespace>>, StartError> {
    let capacity = conf.get(&keys::AUDIT_LOGGING_QUEUE_CAPACITY).0 as usize;
    let counters = handle.counters();
    let write = |line: &Line| info!(target: audit::LOGGER, "{line}");
    let audit = match conf.get(&keys::AUDIT_LOGGING_ENABLED) {
        true => Some(AuditLog::start(capacity, Arc::clone(&counters), write).map_err(StartError::Audit)?),
        false => None,
    };
    let (room, level) = (Arc::clone(handle.room()), Arc::clone(handle.feature_level()));
    let precision = conf.get(&keys::ACCESS_TIME_UPDATER_ENABLED).then(|| conf.get(&keys::ACCESS_TIME_PRECISION));
    let access_times = Arc::new(AccessTimes::new(precision));
    Ok(Arc::new(Front::new(Arc::new(namespace.clone()), counters, room, level, access_times, audit)))
}

fn cluster(conf: &Conf, masters: Masters, journal: String, cluster_id: &str, incarnation: &str) -> ClusterFacts {
    ClusterFacts {
        masters,
        journal,
        cluster_id: cluster_id.to_owned(),
        address: outside::address(conf),
        incarnation: incarnation.to_owned(),
        web_port: conf.get(&keys::MASTER_WEB_PORT).0,
        zookeeper: outside::zookeeper_servers(conf),
        started: wall_now(),
    }
}

fn room_limits(conf: &Conf) -> RoomLimits {
    RoomLimits {
        interval: conf.get(&keys::JOURNAL_SPACE_MONITOR_INTERVAL),
        warn_percent: conf.get(&keys::JOURNAL_SPACE_FREE_THRESHOLD),
        read_only_bytes: conf.get(&keys::JOURNAL_SPACE_READ_ONLY).0,
    }
}

fn intervals(conf: &Conf) -> tasks::Intervals {
    tasks::Intervals {
        ttl: conf.get(&keys::TTL_CHECKER_INTERVAL),
        replication: conf.get(&keys::REPLICATION_CHECK_INTERVAL),
        sweep: SWEEP_INTERVAL,
    }
}

fn daily_backup(conf: &Conf, masters: &Masters) -> Option<DailyBackup> {
    conf.get(&keys::DAILY_BACKUP_ENABLED).then(|| DailyBackup {
        at: conf.get(&keys::DAILY_BACKUP_TIME),
        directory: conf.get(&keys::MASTER_BACKUP_DIRECTORY),
        root_ufs: conf.get(&keys::ROOT_UFS),
        retained: conf.get(&keys::DAILY_BACKUP_RETAINED) as usize,
        masters: masters.clone(),
    })
}

/// UFSes used as their mounts say, by the state of this master.
fn clients(settings: UfsSettings, handle: Handle) -> UfsClients {
    UfsClients::of_mounts(settings, move |uri| {
        handle.with_core(|core, settings| properties_of(&core.state, settings, uri))
    })
}

fn effects(conf: &Conf) -> EffectSettings {
    EffectSettings {
        deadline: conf.get(&keys::JOURNAL_FENCING_LEASE) / 2,
        patience: UFS_PATIENCE,
        block_size_bytes: conf.get(&keys::USER_BLOCK_SIZE).0,
    }
}

/// As whom a master asks workers.
fn worker_settings(conf: &Conf) -> Result<WorkerSettings, StartError> {
    let channel = ChannelSettings { identity: identity::of_process(conf)?, ..ChannelSettings::default() };
    Ok(WorkerSettings { channel, ..WorkerSettings::default() })
}

fn server_settings(conf: &Conf) -> Result<ServerSettings, StartError> {
    let properties = conf.set_by_operator().map(|explicit| Property {
        name: explicit.name.to_owned(),
        source: explicit.origin.to_string(),
        // Compatible: 2.9 DefaultMetaMaster.getConfiguration, which answers anybody with what may be displayed.
        value: shown_text(explicit.name, explicit.text).to_owned(),
    });
    let (authentication, impersonation) = identity::of_clients(conf)?;
    Ok(ServerSettings {
        authentication,
        impersonation,
        groups: GroupSource::of(conf),
        channel_purge_interval: CHANNEL_PURGE_INTERVAL,
        shutdown_grace: SHUTDOWN_GRACE,
        configuration: properties.collect(),
        hostname: outside::host(conf),
        local_ufs_host: outside::worker_host(conf),
        backup_directory: conf.get(&keys::MASTER_BACKUP_DIRECTORY),
        cluster: None,
        ufs_spaces: Arc::new(UfsSpaces::of(conf)),
        told: conf.told_by(Role::Master),
    })
}
