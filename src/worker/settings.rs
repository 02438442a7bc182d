//! What a worker has from the properties.

use std::time::Duration;

use super::store::{DirectorySettings, StoreSettings};
use crate::conf::{Conf, keys};
use crate::election::FindError;
use crate::rpc::channel::ChannelSettings;
use crate::rpc::identity::{self, NoUser};
use crate::rpc::retry::{ClientSettings, RetrySettings};
use crate::types::WorkerAddress;

/// What a master may be silent before it is looked whether another one leads; short, so that a new leader is found
/// within a second.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Properties with which a worker cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The operating system does not know who runs the worker.
    #[error(transparent)]
    NoUser(#[from] NoUser),
    /// They do not say where the masters are.
    #[error(transparent)]
    Masters(#[from] FindError),
    /// More than this version can.
    #[error(
        "alluxio.worker.tieredstore.level0.dirs.path is {0}: several directories are not available in this version, \
         name one"
    )]
    Directories(String),
}

/// Where others reach this worker.
pub fn address(conf: &Conf) -> WorkerAddress {
    let machine = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    let host = conf.get(&keys::WORKER_HOSTNAME).map_or_else(machine, |host| host.0);
    let port = conf.get(&keys::WORKER_RPC_PORT).0;
    WorkerAddress {
        rpc_port: port,
        data_port: port,
        web_port: conf.get(&keys::WORKER_WEB_PORT).0,
        // Compatible: 2.9, the locality of who says nothing of racks.
        tiers: vec![("node".to_owned(), host.clone()), ("rack".to_owned(), String::new())],
        host,
        ..WorkerAddress::default()
    }
}

/// Where its blocks lie.
///
/// # Errors
/// Several directories.
pub fn store(conf: &Conf) -> Result<StoreSettings, SettingsError> {
    let path = conf.get(&keys::WORKER_TIER_PATH);
    if path.to_string_lossy().contains(',') {
        return Err(SettingsError::Directories(path.display().to_string()));
    }
    Ok(StoreSettings {
        tier_aliases: vec![conf.get(&keys::WORKER_TIER_ALIAS)],
        directories: vec![DirectorySettings { tier: 0, path, capacity_bytes: conf.get(&keys::WORKER_RAMDISK_SIZE).0 }],
        data_folder: conf.get(&keys::WORKER_DATA_FOLDER),
        worker: address(conf).host,
    })
}

/// How it asks the masters.
///
/// # Errors
/// The user has no name.
pub fn client(conf: &Conf) -> Result<ClientSettings, SettingsError> {
    let retry = RetrySettings {
        base_sleep: conf.get(&keys::USER_RPC_RETRY_BASE_SLEEP),
        max_sleep: conf.get(&keys::USER_RPC_RETRY_MAX_SLEEP),
        max_duration: conf.get(&keys::USER_RPC_RETRY_MAX_DURATION),
    };
    let channel = ChannelSettings { identity: identity::of_process(conf)?, ..ChannelSettings::default() };
    Ok(ClientSettings { channel, retry, look_again: LOOK_AGAIN, on_wait: None })
}
