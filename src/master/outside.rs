//! The journal folder and the election that the properties name.

use super::role;
use crate::conf::{Bytes, Conf, FencingMode, FlushDurability, JournalType, Key, ParseValue, hadoop, keys};
use crate::election::{Latch, LatchError, SoloLatch, ZookeeperLatch, ZookeeperSettings, unknown_servers};
use crate::journal::folder::hdfs::{Durability, HdfsSettings, HdfsStore};
use crate::journal::folder::local::{LocalLock, LocalSettings, LocalStore, MissingFolder};
use crate::journal::folder::{JournalStore, StoreError};
use crate::process::is_this_host;
use crate::types::ufs_names::lies_in;
use crate::ufs::{UfsClients, UfsError, UfsSettings};
use std::net::ToSocketAddrs;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Room that a segment has beyond the size at which the next one begins.
const SEGMENT_SLACK_BYTES: u64 = 48 << 20;

/// Sizes of a segment that make sense: it is one HDFS block, and a new one costs a round to ZooKeeper.
const SEGMENT_RANGE: RangeInclusive<Bytes> = Bytes(64 << 10)..=Bytes(1 << 30);

/// Name of the file, beside a local journal, that keeps its durable end a second time.
const DURABLE: &str = "DURABLE";

/// Leases that make sense: below, a renewal does not fit in; above, a takeover takes too long.
const LEASE_RANGE: RangeInclusive<Duration> = Duration::from_millis(500)..=Duration::from_secs(60);

/// Sessions that make sense: below, a pause of the machine ends them; above, nobody waits for a lost host any more.
const SESSION_RANGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60 * 60);

/// Waits for a connection that make sense.
const CONNECTION_RANGE: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60 * 60);

/// Pauses between two looks for times to live that have ended; below, it is all that a master does.
const TTL_CHECK_RANGE: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(30 * 24 * 60 * 60);

/// Why the properties name no journal or no election.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// The folder cannot be used.
    #[error("cannot use the journal folder {folder}")]
    Store {
        /// As configured.
        folder: String,
        /// Why not.
        #[source]
        source: StoreError,
    },
    /// The election cannot be used.
    #[error("cannot use ZooKeeper at {address}")]
    Latch {
        /// As configured.
        address: String,
        /// Why not.
        #[source]
        source: LatchError,
    },
    /// Hadoop's own files are needed and cannot be read.
    #[error(transparent)]
    Hadoop(#[from] hadoop::HadoopError),
    /// The name by which others are to reach this master leads nowhere.
    #[error(
        "{host} is not the name of a host here ({reason}), so nobody could reach this master: set \
         alluxio.master.hostname (ALLUXIO_MASTER_HOSTNAME) to a name or address of this machine"
    )]
    Unresolved {
        /// As configured, or as the machine calls itself.
        host: String,
        /// Why not.
        reason: String,
    },
    /// Properties that do not go together.
    #[error("{0}")]
    Properties(String),
    /// The UFS of the root cannot be used.
    #[error("alluxio.master.mount.table.root.ufs")]
    Ufs(#[from] UfsError),
}

/// A journal folder, with the lock that a local one needs.
pub struct Folder {
    /// The folder.
    pub store: Arc<dyn JournalStore>,
    /// Held for as long as it is used.
    pub lock: Option<LocalLock>,
}

/// Opens the journal folder. Does not touch HDFS yet.
///
/// # Errors
/// The properties, or the lock of a local folder.
pub fn folder(conf: &Conf, missing: MissingFolder) -> Result<Folder, OutsideError> {
    check(conf)?;
    let folder = conf.get(&keys::JOURNAL_FOLDER);
    let failed = |source| OutsideError::Store { folder: folder.clone(), source };
    let segment_bytes = conf.get(&keys::JOURNAL_LOG_SIZE_MAX).0 + SEGMENT_SLACK_BYTES;
    if let Some(path) = local(&folder) {
        let lock = LocalLock::acquire(&path, missing).map_err(failed)?;
        let store = LocalStore::new(LocalSettings { segment_bytes, ..LocalSettings::new(path) });
        return Ok(Folder { store: Arc::new(store), lock: Some(lock) });
    }
    let parsed = HdfsSettings::parse(&folder, &hdfs_user(), &hadoop::nameservices(conf)?).map_err(failed)?;
    let settings = HdfsSettings {
        replication: conf.get(&keys::JOURNAL_HDFS_REPLICATION).unwrap_or(0),
        block_bytes: segment_bytes.next_multiple_of(1 << 20),
        durability: match conf.get(&keys::JOURNAL_FLUSH_DURABILITY) {
            FlushDurability::Hsync => Durability::Hsync,
            FlushDurability::Hflush => Durability::Hflush,
        },
        ..parsed
    };
    Ok(Folder { store: Arc::new(HdfsStore::new(settings).map_err(failed)?), lock: None })
}

/// How UFSes are used.
///
/// # Errors
/// The root cannot be used.
pub fn ufs(conf: &Conf) -> Result<UfsSettings, OutsideError> {
    let settings = UfsSettings::of(conf)?;
    UfsClients::of_root(conf, settings.clone()).of(&conf.get(&keys::ROOT_UFS))?;
    Ok(settings)
}

/// The election of the cluster `cluster_id`, not yet entered.
///
/// # Errors
/// The properties.
pub fn latch(conf: &Conf, cluster_id: &str, address: &str, incarnation: &str) -> Result<Arc<dyn Latch>, OutsideError> {
    let Some(settings) = zookeeper(conf, cluster_id, address) else {
        let folder = conf.get(&keys::JOURNAL_FOLDER);
        let kept = local(&folder).unwrap_or_else(|| folder.into()).join(DURABLE);
        return Ok(Arc::new(SoloLatch::kept_in(address, kept)));
    };
    let failed = |source| OutsideError::Latch { address: settings.address.clone(), source };
    Ok(Arc::new(ZookeeperLatch::new(settings.clone(), incarnation).map_err(failed)?))
}

/// Why the file beside a local journal does not say how far it was acknowledged; none if it does, or ZooKeeper is asked.
pub fn lost_durable(conf: &Conf) -> Option<String> {
    if zookeeper_address(conf).is_some() {
        return None;
    }
    let kept = local(&conf.get(&keys::JOURNAL_FOLDER))?.join(DURABLE);
    SoloLatch::read(&kept).err().map(|reason| format!("{} {reason}", kept.display()))
}

/// How the election on ZooKeeper is reached; none when masters are not elected.
pub fn zookeeper(conf: &Conf, cluster_id: &str, address: &str) -> Option<ZookeeperSettings> {
    let servers = zookeeper_address(conf)?;
    Some(ZookeeperSettings {
        election_path: conf.get(&keys::ZOOKEEPER_ELECTION_PATH),
        leader_path: conf.get(&keys::ZOOKEEPER_LEADER_PATH),
        session_timeout: conf.get(&keys::ZOOKEEPER_SESSION_TIMEOUT),
        connection_timeout: conf.get(&keys::ZOOKEEPER_CONNECTION_TIMEOUT),
        credentials: conf.get(&keys::ZOOKEEPER_ACL_CREDENTIALS),
        ..ZookeeperSettings::new(&servers, cluster_id, address)
    })
}

/// The servers of ZooKeeper, `host:port` each; none when it is not used.
pub fn zookeeper_servers(conf: &Conf) -> Vec<String> {
    zookeeper_address(conf)
        .iter()
        .flat_map(|servers| servers.split(','))
        .map(|server| server.trim().to_owned())
        .collect()
}

fn zookeeper_address(conf: &Conf) -> Option<String> {
    conf.get(&keys::ZOOKEEPER_ADDRESS).filter(|_| conf.get(&keys::ZOOKEEPER_ENABLED))
}

/// How a deposed leader is kept from answering.
pub fn fencing(conf: &Conf) -> role::FencingMode {
    match conf.get(&keys::JOURNAL_FENCING_MODE) {
        FencingMode::Lease => role::FencingMode::Lease,
        FencingMode::Confirm => role::FencingMode::Confirm,
    }
}

/// Whether the name by which others are to reach this master means anything.
///
/// # Errors
/// It does not.
pub async fn check_host(conf: &Conf) -> Result<(), OutsideError> {
    let address = address(conf);
    let found = tokio::net::lookup_host(&address).await.map(|found| found.map(|at| at.ip()).collect::<Vec<_>>());
    let reason = match found {
        Ok(found) if found.is_empty() => "it has no address".to_owned(),
        // Alone, a master is told to nobody.
        Ok(found) if conf.get(&keys::ZOOKEEPER_ENABLED) && found.iter().all(|at| at.is_unspecified()) => {
            "it stands for all addresses".to_owned()
        }
        Ok(_) => return Ok(()),
        Err(error) => error.to_string(),
    };
    let host = address.rsplit_once(':').map_or("", |(host, _)| host).to_owned();
    Err(OutsideError::Unresolved { host, reason })
}

/// Why others would look for this master on another machine: where masters are elected, they are told its name.
/// None if the name leads here, or nowhere, which [`check_host`] refuses. An address in front of this machine's own
/// (a container's, say) looks the same, so nothing is refused.
pub fn doubt_of_host(conf: &Conf) -> Option<String> {
    let address = address(conf);
    let (host, _) = address.rsplit_once(':')?;
    if !conf.get(&keys::ZOOKEEPER_ENABLED) || is_this_host(host) {
        return None;
    }
    let at = address.to_socket_addrs().ok()?.next()?.ip();
    Some(format!(
        "{host} leads to {at}, which is no address of this machine: others will look for this master there. If that \
         is a mistake, stop it and set alluxio.master.hostname (ALLUXIO_MASTER_HOSTNAME) to the name of this machine"
    ))
}

/// What of the ZooKeeper address names no host here: a master waits for it without a word, as it may come yet.
pub fn doubt_of_zookeeper(conf: &Conf) -> Option<String> {
    let unknown = unknown_servers(&zookeeper_address(conf)?);
    (!unknown.is_empty()).then(|| {
        format!(
            "alluxio.zookeeper.address: {} cannot be found under that name, which is waited for",
            unknown.join(", ")
        )
    })
}

/// Where this master serves, as others are told: `host:port`.
pub fn address(conf: &Conf) -> String {
    format!("{}:{}", host(conf), conf.get(&keys::MASTER_RPC_PORT).0)
}

/// The name of this host, as others are told.
pub fn host(conf: &Conf) -> String {
    conf.get(&keys::MASTER_HOSTNAME).map_or_else(machine, |host| host.0)
}

/// The name of this host, as a worker here tells it.
pub fn worker_host(conf: &Conf) -> String {
    conf.get(&keys::WORKER_HOSTNAME).map_or_else(machine, |host| host.0)
}

fn machine() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// As whom HDFS is used.
pub fn hdfs_user() -> String {
    std::env::var("HADOOP_USER_NAME").ok().filter(|user| !user.is_empty()).unwrap_or_else(os_user)
}

/// The name of the user that runs this process, or its number when it has none.
pub fn os_user() -> String {
    let uid = nix::unistd::geteuid();
    nix::unistd::User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

/// The primary group of the user that runs this process.
pub fn os_group() -> String {
    let gid = nix::unistd::getegid();
    nix::unistd::Group::from_gid(gid).ok().flatten().map_or_else(|| gid.to_string(), |group| group.name)
}

/// The path of a folder on a local disk; none for another scheme.
fn local(folder: &str) -> Option<PathBuf> {
    match folder.split_once("://") {
        None => Some(folder.into()),
        Some(("file", path)) => Some(path.into()),
        Some(_) => None,
    }
}

fn check(conf: &Conf) -> Result<(), OutsideError> {
    let refuse = |text: String| Err(OutsideError::Properties(text));
    if !matches!(conf.get(&keys::JOURNAL_TYPE), JournalType::Ufs) {
        return refuse("alluxio.master.journal.type must be UFS: no other journal is available in this version".into());
    }
    in_range(conf, &keys::JOURNAL_FENCING_LEASE, LEASE_RANGE)?;
    in_range(conf, &keys::JOURNAL_LOG_SIZE_MAX, SEGMENT_RANGE)?;
    in_range(conf, &keys::JOURNAL_CHECKPOINT_PERIOD, 1..=u64::MAX)?;
    in_range(conf, &keys::ZOOKEEPER_SESSION_TIMEOUT, SESSION_RANGE)?;
    in_range(conf, &keys::ZOOKEEPER_CONNECTION_TIMEOUT, CONNECTION_RANGE)?;
    in_range(conf, &keys::TTL_CHECKER_INTERVAL, TTL_CHECK_RANGE)?;
    in_range(conf, &keys::DAILY_BACKUP_RETAINED, 1..=u32::MAX)?;
    in_range(conf, &keys::JOURNAL_SPACE_FREE_THRESHOLD, 0..=99)?;
    let folder = conf.get(&keys::JOURNAL_FOLDER);
    if folder.trim().is_empty() {
        return refuse(
            "alluxio.master.journal.folder is empty: set it to hdfs://host:port/path or a local path".into(),
        );
    }
    let root = conf.get(&keys::ROOT_UFS);
    if lies_in(&root, &folder) {
        return refuse(format!(
            "alluxio.master.mount.table.root.ufs (ALLUXIO_UNDERFS_ADDRESS) {root} lies in the journal folder \
             (alluxio.master.journal.folder) {folder}: whoever deletes a file would delete the journal. Give one of them another \
             folder"
        ));
    }
    let elected = conf.get(&keys::ZOOKEEPER_ENABLED);
    if elected && conf.get(&keys::ZOOKEEPER_ADDRESS).is_none_or(|address| address.trim().is_empty()) {
        return refuse(
            "alluxio.zookeeper.enabled is true, but alluxio.zookeeper.address is not set: set it to host:port,…".into(),
        );
    }
    match folder.split_once("://") {
        Some(("hdfs", _)) if !elected => refuse(format!(
            "alluxio.master.journal.folder {folder} can be shared, and nothing would keep two masters from writing to \
             it: set alluxio.zookeeper.enabled=true and alluxio.zookeeper.address, or use a local folder"
        )),
        Some(("hdfs", _)) => Ok(()),
        None if !folder.starts_with('/') => refuse(format!(
            "alluxio.master.journal.folder {folder} is relative: it would be another folder for whoever starts elsewhere. Give \
             an absolute path"
        )),
        None | Some(("file", _)) if elected => refuse(format!(
            "alluxio.zookeeper.enabled is true, but alluxio.master.journal.folder {folder} is local: masters that are \
             elected need a folder that all of them share, hdfs://host:port/path"
        )),
        None | Some(("file", _)) => Ok(()),
        Some((scheme, _)) => refuse(format!(
            "alluxio.master.journal.folder {folder}: the scheme {scheme} is not supported; use hdfs:// or a local path"
        )),
    }
}

/// Refuses a value that is of the right form and makes no sense, with its place.
fn in_range<T: ParseValue + PartialOrd + Shown>(
    conf: &Conf,
    key: &Key<T>,
    range: RangeInclusive<T>,
) -> Result<(), OutsideError> {
    if range.contains(&conf.get(key)) {
        return Ok(());
    }
    let (name, text, origin) = (key.row.name, conf.text(key.row.name).unwrap_or_default(), conf.origin(&key.row));
    let (least, most) = (range.start().shown(), range.end().shown());
    Err(OutsideError::Properties(format!("{name} = {text} ({origin}): must be at least {least} and at most {most}")))
}

/// A value as an operator would write it.
trait Shown {
    fn shown(&self) -> String;
}

impl Shown for Duration {
    fn shown(&self) -> String {
        format!("{}ms", self.as_millis())
    }
}

impl Shown for Bytes {
    fn shown(&self) -> String {
        self.0.to_string()
    }
}

impl Shown for u32 {
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Shown for u64 {
    fn shown(&self) -> String {
        self.to_string()
    }
}
