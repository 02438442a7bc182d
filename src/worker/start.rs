//! From the properties to a worker that serves, and its end.

use std::sync::Arc;
use std::time::Duration;

use log::{info, warn};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::sleep;

use super::blocks::Worker;
use super::data_server::DataServer;
use super::master_session::{SessionSettings, Unrest};
use super::master_sync::{MasterSync, keep_pins};
use super::mounts::Mounts;
use super::primary::{PrimaryMaster, Registrations};
use super::settings::{self, SettingsError};
use super::store::{BlockStore, StoreError};
use super::tasks::Tasks;
use crate::conf::hadoop::HadoopError;
use crate::conf::{Conf, Role, keys};
use crate::election::{FindError, configured};
use crate::process::Server;
use crate::rpc::callers::GroupSource;
use crate::rpc::handshake::Authenticator;
use crate::rpc::identity::{self, NotAvailable};
use crate::rpc::listen::{self, Limits, Properties, ServerError};
use crate::types::WorkerAddress;
use crate::types::time::boot_now;
use crate::ufs::{UfsClients, UfsSettings};

/// A worker as launchers see it.
pub const SERVER: Server = Server { name: "worker", pid_files: &[PID_FILE], output: "worker.out" };

/// Name of the pid file.
pub const PID_FILE: &str = "worker.pid";

/// 2.9 alluxio.security.stale.channel.purge.interval.
const CHANNEL_PURGE_INTERVAL: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// How often a connection is asked whether its other end is still there, and how long that may take to say so (2.9:
/// `alluxio.worker.network.keepalive.time` and `.timeout`). A host that is gone must not keep what it was writing and
/// reading here: its blocks cannot be begun anew, and their room is taken.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// How long calls may take to finish when the server stops.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);
/// How long a worker waits for a master before it says that it serves without one.
const REGISTRATION_WAIT: Duration = Duration::from_secs(10);
/// How often it looks whether a master knows it.
const REGISTRATION_POLL: Duration = Duration::from_millis(20);

/// How long a read or write of a UFS may stand still: longer than a UFS is away that comes back, shorter than clients
/// wait for a worker (3 min).
const UFS_DEADLINE: Duration = Duration::from_secs(2 * 60);

/// Why a worker does not serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The properties do not go together.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Hadoop's files cannot be read.
    #[error(transparent)]
    Hadoop(#[from] HadoopError),
    /// They do not say where the masters are.
    #[error(transparent)]
    Masters(#[from] FindError),
    /// Users cannot be asked who they are in this way.
    #[error(transparent)]
    Authentication(#[from] NotAvailable),
    /// The folder of the blocks cannot be used.
    #[error("{reason}; set ALLUXIO_RAM_FOLDER to a folder that this user may write")]
    Store {
        /// Why not.
        reason: StoreError,
    },
    /// The port is not ours, or the server ended.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// Signals cannot be received.
    #[error("cannot receive signals")]
    Signals(#[source] std::io::Error),
}

/// Who knows a worker when it says that it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// A master.
    ToMaster,
    /// Nobody yet; it goes on trying.
    ToNobody,
}

/// A worker that runs, as those see it who serve beside it.
#[derive(Debug, Clone)]
pub struct Running {
    /// Its blocks.
    pub store: Arc<BlockStore>,
    /// Who asks the primary.
    pub primary: Arc<PrimaryMaster>,
    /// Which masters know it.
    pub registrations: Registrations,
    /// Where it serves.
    pub address: WorkerAddress,
    /// What it has begun.
    pub tasks: Arc<Tasks>,
}

/// What serves beside the calls of a worker: the web pages.
pub trait Beside {
    /// Takes its port, and serves there until it is dropped.
    ///
    /// # Errors
    /// The port is taken, or is not one of this machine.
    fn run(self, worker: Running) -> impl Future<Output = Result<impl Future<Output = ()> + Send, ServerError>> + Send;
}

/// Runs a worker until it is told to stop. `ready` is called with its address when it serves.
///
/// # Errors
/// It never served, or its server ended.
pub async fn run(conf: &Conf, beside: impl Beside, ready: impl FnOnce(&str, Known)) -> Result<(), StartError> {
    let began = boot_now();
    let port = conf.get(&keys::WORKER_RPC_PORT).0;
    let properties = Properties { port: keys::WORKER_RPC_PORT.row.name, host: keys::WORKER_BIND_HOST.row.name };
    let listener = listen::bind(&format!("{}:{port}", conf.get(&keys::WORKER_BIND_HOST)), properties).await?;
    let (authentication, impersonation) = identity::of_clients(conf)?;
    let authenticator = Authenticator::new(authentication, impersonation, GroupSource::of(conf));
    let client = settings::client(conf)?;
    let address = settings::address(conf);
    let endpoint = address.endpoint();
    let store = BlockStore::open(settings::store(conf)?).map_err(|reason| StartError::Store { reason })?;

    let registrations = Registrations::default();
    let masters = configured::primary(conf, client.look_again)?;
    let primary = Arc::new(PrimaryMaster::new(masters, client.clone(), registrations.clone()));
    let ufs = UfsSettings { deadline: UFS_DEADLINE, ..UfsSettings::of(conf)? };
    let mounts = Mounts::new(UfsClients::new(ufs), Arc::clone(&primary));
    let sync = MasterSync {
        finder: configured::all(conf)?,
        store: Arc::clone(&store),
        registrations: registrations.clone(),
        settings: Arc::new(SessionSettings {
            address: address.clone(),
            channel: client.channel.clone(),
            heartbeat_interval: conf.get(&keys::WORKER_HEARTBEAT_INTERVAL),
            unrest: Unrest::default(),
            lease: conf.get(&keys::WORKER_REGISTER_LEASE),
            told: conf.told_by(Role::Worker),
        }),
    };
    let pins = keep_pins(Arc::clone(&store), Arc::clone(&primary));
    let worker =
        Arc::new(Worker::new(address.clone(), client.channel, Arc::clone(&store), Arc::clone(&primary), mounts));
    let tasks = Arc::clone(&worker.tasks);
    let running = Running { store, primary, registrations: registrations.clone(), address, tasks };
    let beside = beside.run(running).await?;
    let server = Arc::new(DataServer::new(Arc::clone(&worker), authenticator));
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    let stop = async {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    };
    let limits = Limits {
        channel_purge_interval: CHANNEL_PURGE_INTERVAL,
        shutdown_grace: SHUTDOWN_GRACE,
        keepalive_interval: KEEPALIVE,
        keepalive_timeout: KEEPALIVE,
        connections_max: listen::connections_max(),
    };
    let told = async {
        let known = registered(&registrations).await;
        info!("serving address={endpoint} took_ms={}", boot_now().since(began).as_millis());
        ready(&endpoint, known);
        std::future::pending::<()>().await
    };
    let ended = tokio::select! {
        ended = listen::serve(listener, server, limits, stop) => ended,
        () = sync.run() => Ok(()),
        () = pins => Ok(()),
        () = beside => Ok(()),
        () = told => Ok(()),
    };
    worker.tasks.end().await;
    Ok(ended?)
}

/// Waits until a master knows this worker, or for long enough.
async fn registered(registrations: &Registrations) -> Known {
    let end = boot_now() + REGISTRATION_WAIT;
    while registrations.count() == 0 {
        if boot_now() > end {
            warn!("no master knows this worker yet, going on trying waited_s={}", REGISTRATION_WAIT.as_secs());
            return Known::ToNobody;
        }
        sleep(REGISTRATION_POLL).await;
    }
    Known::ToMaster
}
