//! One ZooKeeper session: the only file that names the ZooKeeper client.
//!
//! What the client leaves to its user is done here: a limit for every call, the errors sorted into those that the
//! protocol tells apart, and the traps of the client (0.11.2) with old servers are kept away:
//! - a 3.4 server answers `create2` with "unimplemented" and closes the connection on an operation it does not know,
//!   so the server version is stated (3.4 by default) and a `multi` never creates;
//! - a watch that is dropped before it fired sends such an operation, so the futures of [`ZookeeperSession::watch_stat`]
//!   and [`ZookeeperSession::watch_children`] must be kept until they end (they do when the session ends);
//! - requests made while the connection is away are sent when it is back, also those whose caller gave up: an
//!   unknown outcome may still come true.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use rand::seq::SliceRandom;
use tokio::task::JoinSet;
use tokio::time::timeout;
use zookeeper_client::{
    Acl, Acls, Client, CreateMode, Error, MultiWriteError, MultiWriteResult, OneshotWatcher, Permission, StateWatcher,
};

use super::zookeeper_servers::Servers;
use crate::conf::Credentials;

/// How long a server may take to open a session before the next one is tried beside it.
const HEAD_START: Duration = Duration::from_millis(100);

/// The access list of nodes that are made with credentials: who has them may do everything, others may read.
static CLOSED: [Acl; 2] =
    [Acl::new_const(Permission::ALL, "auth", ""), Acl::new_const(Permission::READ, "world", "anyone")];

/// How to reach the service.
#[derive(Debug, Clone)]
pub(super) struct SessionSettings {
    pub address: String,
    pub session_timeout: Duration,
    pub connection_timeout: Duration,
    pub call_timeout: Duration,
    pub server_version: (u32, u32, u32),
    /// Shown to every server that the session moves to.
    pub credentials: Option<Credentials>,
}

/// How a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    NoNode,
    Exists,
    BadVersion,
    /// The session is over.
    Expired,
    /// The outcome is not known.
    Lost(String),
    /// The service will not do this, today or tomorrow.
    Denied(String),
}

/// How a multi failed: nothing was changed when a step is named.
#[derive(Debug)]
pub(super) struct MultiFault {
    /// Index of the step that failed.
    pub step: Option<usize>,
    pub fault: Fault,
}

/// A part of a multi.
pub(super) enum Step<'a> {
    Exists(&'a str),
    Set { path: &'a str, data: &'a [u8], version: i32 },
    Delete(&'a str),
}

/// What ZooKeeper says about a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeFacts {
    pub version: i32,
    /// Creation, in the order of all changes of the service.
    pub created: i64,
    /// Session that owns an ephemeral node, 0 of a persistent one.
    pub owner: i64,
}

/// Ends when a watch fires. Must not be dropped before, see above.
pub(super) type Fired = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A session that is connected, reconnecting, or over.
pub(super) struct ZookeeperSession {
    client: Client,
    address: String,
    call_timeout: Duration,
    access: Access,
}

/// Whose the nodes are that a session makes.
#[derive(Debug, Clone, Copy)]
enum Access {
    /// Everybody's.
    Open,
    /// Theirs who have the credentials of the session.
    Closed,
}

impl ZookeeperSession {
    /// Opens a session at any of the servers of the address, and keeps trying for the connection timeout. The session
    /// moves between the servers.
    ///
    /// # Errors
    /// `Lost` when none answers, `Denied` for an address that cannot be used.
    pub async fn open(settings: &SessionSettings) -> Result<ZookeeperSession, Fault> {
        let servers = Servers::parse(&settings.address).map_err(Fault::Denied)?;
        let limit = settings.connection_timeout;
        let connecting = async {
            loop {
                match connect(settings, &servers.address(), Rounds::Many).await {
                    // The client gives up after one session timeout; we have a limit of our own.
                    Err(Error::Timeout | Error::ConnectionLoss) => tokio::task::yield_now().await,
                    other => return other,
                }
            }
        };
        match timeout(limit, connecting).await {
            Ok(Ok(client)) => Ok(ZookeeperSession::new(client, settings)),
            Ok(Err(error)) => Err(fault(&settings.address, Access::of(settings), error)),
            Err(_) => Err(unreachable(&servers, limit).await),
        }
    }

    /// Opens a session for a few requests: one attempt at each server, the next one beginning when the one before
    /// failed or is slow. The first to succeed is taken; the session stays with that server.
    ///
    /// # Errors
    /// `Lost` when none answers, `Denied` for an address that cannot be used.
    pub async fn open_soon(settings: &SessionSettings) -> Result<ZookeeperSession, Fault> {
        let servers = Servers::parse(&settings.address).map_err(Fault::Denied)?;
        let mut waiting: Vec<String> = servers.each().collect();
        waiting.shuffle(&mut rand::rng());
        let mut attempts = JoinSet::new();
        let racing = async {
            loop {
                if let Some(server) = waiting.pop() {
                    let settings = settings.clone();
                    attempts.spawn(async move { connect(&settings, &server, Rounds::One).await });
                }
                let ended = match timeout(HEAD_START, attempts.join_next()).await {
                    Err(_) => continue, // slow, and may still win
                    Ok(ended) => ended,
                };
                match ended {
                    Some(Ok(Ok(client))) => return Some(client),
                    None if waiting.is_empty() => return None,
                    _ => {}
                }
            }
        };
        match timeout(settings.connection_timeout, racing).await {
            Ok(Some(client)) => Ok(ZookeeperSession::new(client, settings)),
            _ => Err(unreachable(&servers, settings.connection_timeout).await),
        }
    }

    fn new(client: Client, settings: &SessionSettings) -> ZookeeperSession {
        let (wanted, granted) = (settings.session_timeout, client.session_timeout());
        if granted != wanted {
            log::debug!("the ZooKeeper server chose another session timeout wanted={wanted:?} granted={granted:?}");
        }
        let (address, call_timeout) = (settings.address.clone(), settings.call_timeout);
        ZookeeperSession { client, address, call_timeout, access: Access::of(settings) }
    }

    pub fn id(&self) -> i64 {
        self.client.session_id().0
    }

    pub fn is_over(&self) -> bool {
        self.client.state().is_terminated()
    }

    pub fn states(&self) -> SessionStates {
        SessionStates(self.client.state_watcher())
    }

    /// Later reads of this session see what was written before this call.
    pub async fn sync(&self, path: &str) -> Result<(), Fault> {
        self.limited(self.client.sync(path)).await
    }

    pub async fn get(&self, path: &str) -> Result<(Vec<u8>, NodeFacts), Fault> {
        let (data, stat) = self.limited(self.client.get_data(path)).await?;
        Ok((data, (&stat).into()))
    }

    pub async fn facts(&self, path: &str) -> Result<Option<NodeFacts>, Fault> {
        Ok(self.limited(self.client.check_stat(path)).await?.as_ref().map(NodeFacts::from))
    }

    /// The children of a folder with their data, all asked at once; none when there is no folder.
    pub async fn children(&self, folder: &str) -> Result<Vec<(String, Vec<u8>, NodeFacts)>, Fault> {
        let names = match self.limited(self.client.list_children(folder)).await {
            Err(Fault::NoNode) => return Ok(Vec::new()),
            names => names?,
        };
        let asked: Vec<_> = names.iter().map(|name| self.client.get_data(&child(folder, name))).collect();
        let mut found = Vec::with_capacity(names.len());
        for (name, answer) in names.into_iter().zip(asked) {
            match self.limited(answer).await {
                Ok((data, stat)) => found.push((name, data, (&stat).into())),
                Err(Fault::NoNode) => {} // gone since it was listed
                Err(fault) => return Err(fault),
            }
        }
        Ok(found)
    }

    /// Makes a persistent node and the persistent nodes above it.
    pub async fn create_persistent(&self, path: &str, data: &[u8]) -> Result<(), Fault> {
        self.create(path, data, CreateMode::Persistent).await.map(|_| ())
    }

    /// Makes an ephemeral node, and the persistent nodes above it.
    pub async fn create_ephemeral(&self, path: &str, data: &[u8]) -> Result<(), Fault> {
        self.create(path, data, CreateMode::Ephemeral).await.map(|_| ())
    }

    /// Makes an ephemeral node whose name the service completes by the next number of the folder, and the persistent
    /// nodes above it. Returns the full path.
    pub async fn create_next(&self, prefix: &str, data: &[u8]) -> Result<String, Fault> {
        let number = self.create(prefix, data, CreateMode::EphemeralSequential).await?;
        Ok(format!("{prefix}{number}"))
    }

    /// Gives a persistent node, if it is there, the access list that it would have if this session had made it. Nothing
    /// without credentials.
    pub async fn close(&self, path: &str) -> Result<(), Fault> {
        if let Access::Open = self.access {
            return Ok(());
        }
        match self.limited(self.client.set_acl(path, &CLOSED, None)).await {
            Ok(_) | Err(Fault::NoNode) => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    pub async fn delete(&self, path: &str) -> Result<(), Fault> {
        self.limited(self.client.delete(path, None)).await
    }

    /// All steps or none. Returns the new version of the last node that was set.
    pub async fn multi(&self, steps: &[Step<'_>]) -> Result<i32, MultiFault> {
        let whole = |fault| MultiFault { step: None, fault };
        let mut writer = self.client.new_multi_writer();
        for step in steps {
            let added = match *step {
                Step::Exists(path) => writer.add_check_version(path, -1),
                Step::Set { path, data, version } => writer.add_set_data(path, data, Some(version)),
                Step::Delete(path) => writer.add_delete(path, None),
            };
            added.map_err(|error| whole(self.fault(error)))?;
        }
        let results = match timeout(self.call_timeout, writer.commit()).await {
            Err(_) => return Err(whole(self.late())),
            Ok(Err(MultiWriteError::RequestFailed { source })) => return Err(whole(self.fault(source))),
            Ok(Err(MultiWriteError::OperationFailed { index, source })) => {
                return Err(MultiFault { step: Some(index), fault: self.fault(source) });
            }
            Ok(Ok(results)) => results,
        };
        let set = results.iter().rev().find_map(|result| match result {
            MultiWriteResult::SetData { stat } => Some(stat.version),
            _ => None,
        });
        Ok(set.unwrap_or(-1))
    }

    /// The future ends when the node is made, changed or deleted after this call was answered, or the session is over.
    /// Has no limit: it ends with the connection at the latest.
    pub async fn watch_stat(&self, path: &str) -> Result<Fired, Fault> {
        let (_, watcher) = self.client.check_and_watch_stat(path).await.map_err(|error| self.fault(error))?;
        Ok(fired(watcher))
    }

    /// The future ends when a child comes or goes after this call was answered, or the session is over. Has no limit:
    /// it ends with the connection at the latest.
    pub async fn watch_children(&self, path: &str) -> Result<Fired, Fault> {
        let (_, watcher) = self.client.list_and_watch_children(path).await.map_err(|error| self.fault(error))?;
        Ok(fired(watcher))
    }

    async fn create(&self, path: &str, data: &[u8], mode: CreateMode) -> Result<String, Fault> {
        let options = mode.with_acls(self.access.list());
        match self.limited(self.client.create(path, data, &options)).await {
            Err(Fault::NoNode) => {}
            answer => return answer.map(|(_, sequence)| sequence.to_string()),
        }
        if let Some((folder, _)) = path.rsplit_once('/').filter(|(folder, _)| !folder.is_empty()) {
            let above = CreateMode::Persistent.with_acls(self.access.list());
            self.limited(self.client.mkdir(folder, &above)).await.map_err(|fault| self.no_chroot(fault))?;
        }
        let answer = self.limited(self.client.create(path, data, &options)).await;
        answer.map(|(_, sequence)| sequence.to_string()).map_err(|fault| self.no_chroot(fault))
    }

    /// "No node" from a folder that was to be made means that the folder of the address is not there.
    fn no_chroot(&self, fault: Fault) -> Fault {
        match fault {
            Fault::NoNode => {
                let chroot = self.client.path();
                let address = &self.address;
                Fault::Denied(format!("the folder {chroot} of the ZooKeeper address {address} does not exist: make it"))
            }
            other => other,
        }
    }

    async fn limited<T>(&self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Fault> {
        match timeout(self.call_timeout, call).await {
            Err(_) => Err(self.late()),
            Ok(answer) => answer.map_err(|error| self.fault(error)),
        }
    }

    fn fault(&self, error: Error) -> Fault {
        fault(&self.address, self.access, error)
    }

    fn late(&self) -> Fault {
        Fault::Lost(format!("no answer from {} within {:?}", self.address, self.call_timeout))
    }
}

impl Access {
    fn of(settings: &SessionSettings) -> Access {
        if settings.credentials.is_some() { Access::Closed } else { Access::Open }
    }

    fn list(self) -> Acls<'static> {
        match self {
            Access::Open => Acls::anyone_all(),
            Access::Closed => Acls::new(&CLOSED),
        }
    }

    /// What to do when the service does not let this session change a node.
    fn advice(self) -> &'static str {
        match self {
            Access::Open => {
                "the node is closed: set alluxio.zookeeper.acl.credentials here as it is on the other masters, or open \
                 the node (docs/security.md)"
            }
            Access::Closed => {
                "the node was made with other credentials: set alluxio.zookeeper.acl.credentials on all masters to \
                 those, or open the node (docs/security.md); several clusters at one ZooKeeper have the same, or each \
                 a folder in alluxio.zookeeper.address"
            }
        }
    }
}

/// Tells when a session connects, loses its connection, or ends. Does not keep the session open.
pub(super) struct SessionStates(StateWatcher);

impl SessionStates {
    /// Returns after a change; true when the session is over.
    pub async fn changed(&mut self) -> bool {
        self.0.changed().await.is_terminated()
    }

    /// Whether there was a change since the last one that was seen.
    pub async fn have_changed(&mut self) -> bool {
        timeout(Duration::ZERO, self.0.changed()).await.is_ok()
    }

    /// Returns when the session is over.
    pub async fn over(&mut self) {
        if !self.0.peek_state().is_terminated() {
            while !self.changed().await {}
        }
    }
}

impl From<&zookeeper_client::Stat> for NodeFacts {
    fn from(stat: &zookeeper_client::Stat) -> NodeFacts {
        NodeFacts { version: stat.version, created: stat.czxid, owner: stat.ephemeral_owner }
    }
}

/// The path of a node in a folder.
pub(super) fn child(folder: &str, name: &str) -> String {
    if folder == "/" { format!("/{name}") } else { format!("{folder}/{name}") }
}

/// How often the client goes through its servers.
enum Rounds {
    One,
    Many,
}

async fn connect(settings: &SessionSettings, address: &str, rounds: Rounds) -> Result<Client, Error> {
    let (major, minor, patch) = settings.server_version;
    // A server that says nothing for this long is left for the next one: early enough that the session outlives it.
    let idle = settings.call_timeout.min(settings.session_timeout * 2 / 5);
    let connector = Client::connector()
        .with_server_version(major, minor, patch)
        .with_session_timeout(settings.session_timeout)
        .with_connection_timeout(idle);
    let connector = match rounds {
        Rounds::One => connector.with_fail_eagerly(),
        Rounds::Many => connector,
    };
    let connector = match &settings.credentials {
        Some(credentials) => connector.with_auth("digest", credentials.reveal().as_bytes()),
        None => connector,
    };
    connector.connect(address).await
}

async fn unreachable(servers: &Servers, limit: Duration) -> Fault {
    let (address, found) = (servers.address(), servers.diagnosis().await);
    let advice = "is ZooKeeper running, and is alluxio.zookeeper.address right?";
    Fault::Lost(format!("no ZooKeeper session at {address} within {limit:?}: {found}; {advice}"))
}

fn fired(watcher: OneshotWatcher) -> Fired {
    Box::pin(async move {
        watcher.changed().await;
    })
}

fn fault(address: &str, access: Access, error: Error) -> Fault {
    match error {
        Error::NoNode => Fault::NoNode,
        Error::NodeExists => Fault::Exists,
        Error::BadVersion => Fault::BadVersion,
        Error::SessionExpired | Error::ClientClosed => Fault::Expired,
        Error::NoAuth => Fault::Denied(format!("ZooKeeper at {address} says: {error}; {}", access.advice())),
        Error::AuthFailed => Fault::Denied(format!(
            "ZooKeeper at {address} says: {error}; it must accept the scheme digest for alluxio.zookeeper.acl.credentials"
        )),
        Error::InvalidAcl
        | Error::BadArguments(_)
        | Error::MarshallingError
        | Error::Unimplemented
        | Error::QuotaExceeded
        | Error::NotReadOnly
        | Error::NoChildrenForEphemerals => Fault::Denied(format!("ZooKeeper at {address} says: {error}")),
        other => Fault::Lost(format!("ZooKeeper at {address}: {other}")),
    }
}
