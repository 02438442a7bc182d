//! Where the masters are, as the properties say: ZooKeeper, a list of addresses, or the one address.

use std::time::Duration;

use super::{FindError, Finder, FinderSettings, LookupSettings, Published};
use crate::conf::{Conf, keys};
use crate::rpc::locate::{Fixed, Locate, Polled};

/// Finds the primary for calls. A sweep over several addresses may take `sweep_timeout`.
///
/// # Errors
/// The properties do not say where to look.
pub fn primary(conf: &Conf, sweep_timeout: Duration) -> Result<Box<dyn Locate>, FindError> {
    Ok(match settings(conf)? {
        FinderSettings::Zookeeper(lookup) => Box::new(Published::new(lookup)?),
        FinderSettings::Addresses(addresses) => match <[String; 1]>::try_from(addresses) {
            Ok([address]) => Box::new(Fixed { address }),
            Err(addresses) => Box::new(Polled { addresses, sweep_timeout }),
        },
    })
}

/// Finds all masters, for who reports to each of them.
///
/// # Errors
/// The properties do not say where to look.
pub fn all(conf: &Conf) -> Result<Finder, FindError> {
    Finder::new(settings(conf)?)
}

fn settings(conf: &Conf) -> Result<FinderSettings, FindError> {
    if conf.get(&keys::ZOOKEEPER_ENABLED) {
        let address = conf.get(&keys::ZOOKEEPER_ADDRESS).ok_or(FindError::NoZookeeper)?;
        return Ok(FinderSettings::Zookeeper(LookupSettings {
            leader_path: conf.get(&keys::ZOOKEEPER_LEADER_PATH),
            election_path: conf.get(&keys::ZOOKEEPER_ELECTION_PATH),
            ..LookupSettings::new(&address)
        }));
    }
    let mut addresses: Vec<String> =
        conf.get(&keys::MASTER_RPC_ADDRESSES).iter().map(|address| address.to_string()).collect();
    if addresses.is_empty() {
        let host = conf.get(&keys::MASTER_HOSTNAME).map_or_else(|| "localhost".to_owned(), |host| host.0);
        addresses.push(format!("{host}:{}", conf.get(&keys::MASTER_RPC_PORT).0));
    }
    Ok(FinderSettings::Addresses(addresses))
}
