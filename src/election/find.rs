//! Where the primary is, for clients, workers and the shell. One lookup is one short session without watches; whoever
//! asks decides when to ask again.
//!
//! Compatible: 1.2.0, 1.8 and 2.9 clients: of the children of the leader path the newest counts, its name is
//! `host:port`; ours pass over what is not. "Newest" is by the order of all changes (czxid), which is that of the
//! creation times unless the clock of a ZooKeeper server was set back. The address that is found may belong to a leader
//! that does not serve yet, or (from a server that lags) no longer.

use std::time::Duration;

use super::latch_node::order;
use super::zookeeper_session::{Fault, NodeFacts, SessionSettings, ZookeeperSession};
use super::zookeeper_settings::{election_paths, leader_paths};

/// A lookup's session, should it not be closed in order.
const SESSION_TIMEOUT: Duration = Duration::from_secs(4);

/// How the masters are made known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinderSettings {
    /// The leader publishes its address in ZooKeeper.
    Zookeeper(LookupSettings),
    /// The masters have these addresses; which of them is primary they must be asked themselves.
    Addresses(Vec<String>),
}

/// Where to look in ZooKeeper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupSettings {
    /// `host:port[,host:port…][/chroot]`.
    pub address: String,
    /// `alluxio.zookeeper.leader.path`; none: the defaults of both generations.
    pub leader_path: Option<String>,
    /// `alluxio.zookeeper.election.path`; none: the defaults of both generations.
    pub election_path: Option<String>,
    /// How long one step of a lookup may take: a connection to a server, a request.
    pub call_timeout: Duration,
    /// Oldest version among the servers.
    pub server_version: (u32, u32, u32),
}

/// What is known of the primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Primary {
    /// Its address.
    At(String),
    /// It is one of these.
    OneOf(Vec<String>),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// Masters are found through ZooKeeper, and it is not said where that is.
    #[error("alluxio.zookeeper.enabled is true, but alluxio.zookeeper.address is not set: set it to host:port,…")]
    NoZookeeper,
    /// A setting cannot be used.
    #[error("cannot look for the primary master: {0}")]
    Settings(String),
    /// No ZooKeeper server answered.
    #[error("cannot look for the primary master: {reason}")]
    Unreachable {
        /// Which servers, and what they did; with advice.
        reason: String,
    },
    /// Nobody published an address.
    #[error(
        "no primary master is known to ZooKeeper at {address} under {paths}: either no master leads now, or the \
         masters have another alluxio.zookeeper.leader.path"
    )]
    NoLeader {
        /// The ZooKeeper address.
        address: String,
        /// The leader paths.
        paths: String,
    },
    /// What was published cannot be an address.
    #[error("the newest node under {path} of ZooKeeper at {address} is {name:?}, which is not host:port")]
    NotAnAddress {
        /// The ZooKeeper address.
        address: String,
        /// The leader path.
        path: String,
        /// The name of the node.
        name: String,
    },
}

/// Looks for the primary.
#[derive(Debug, Clone)]
pub struct Finder {
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    Zookeeper { session: SessionSettings, leaders: Vec<String>, elections: Vec<String> },
    Addresses(Vec<String>),
}

impl LookupSettings {
    /// A lookup with the default paths and times.
    pub fn new(address: &str) -> LookupSettings {
        LookupSettings {
            address: address.to_owned(),
            leader_path: None,
            election_path: None,
            call_timeout: Duration::from_secs(2),
            server_version: (3, 4, 0),
        }
    }
}

impl Finder {
    /// A finder with these settings; connects to nothing yet.
    ///
    /// # Errors
    /// `Settings`.
    pub fn new(settings: FinderSettings) -> Result<Finder, FindError> {
        let way = match settings {
            FinderSettings::Zookeeper(lookup) => Way::Zookeeper {
                leaders: leader_paths(lookup.leader_path.as_deref()).map_err(FindError::Settings)?,
                elections: election_paths(lookup.election_path.as_deref()).map_err(FindError::Settings)?,
                session: SessionSettings {
                    address: lookup.address,
                    session_timeout: SESSION_TIMEOUT,
                    connection_timeout: lookup.call_timeout,
                    call_timeout: lookup.call_timeout,
                    server_version: lookup.server_version,
                    credentials: None, // everybody may read
                },
            },
            FinderSettings::Addresses(addresses) => {
                if addresses.is_empty() {
                    return Err(FindError::Settings("the list of master addresses is empty".into()));
                }
                if let Some(bad) = addresses.iter().find(|address| !is_address(address)) {
                    return Err(FindError::Settings(format!("the master address {bad:?} is not host:port")));
                }
                Way::Addresses(addresses)
            }
        };
        Ok(Finder { way })
    }

    /// Where the primary is.
    ///
    /// # Errors
    /// `Unreachable`, `NoLeader` (both may pass), `NotAnAddress`, `Settings`.
    pub async fn primary(&self) -> Result<Primary, FindError> {
        let (settings, leaders) = match &self.way {
            Way::Addresses(addresses) if addresses.len() == 1 => return Ok(Primary::At(addresses[0].clone())),
            Way::Addresses(addresses) => return Ok(Primary::OneOf(addresses.clone())),
            Way::Zookeeper { session, leaders, .. } => (session, leaders),
        };
        let address = &settings.address;
        let mut published = children(settings, leaders).await?;
        // What somebody else has put there is passed over, as long as there is an address beside it.
        published.sort_by_key(|child| (is_address(&child.name), child.facts.created));
        let Some(Child { folder, name, .. }) = published.pop() else {
            return Err(FindError::NoLeader { address: address.clone(), paths: leaders.join(" and ") });
        };
        if !is_address(&name) {
            return Err(FindError::NotAnAddress { address: address.clone(), path: folder.to_owned(), name });
        }
        Ok(Primary::At(name))
    }

    /// The addresses of all masters that are there, the leader first as far as that is known; none when nobody
    /// contends.
    ///
    /// # Errors
    /// `Unreachable`, `Settings`.
    pub async fn masters(&self) -> Result<Vec<String>, FindError> {
        let (settings, elections) = match &self.way {
            Way::Addresses(addresses) => return Ok(addresses.clone()),
            Way::Zookeeper { session, elections, .. } => (session, elections),
        };
        let mut found = children(settings, elections).await?;
        found.sort_by(|a, b| order(&a.name).cmp(order(&b.name)));
        let mut addresses: Vec<String> = Vec::new();
        for child in found.into_iter().filter(|child| child.facts.owner != 0) {
            let address = String::from_utf8_lossy(&child.data).into_owned();
            // A master that was restarted stands there twice until its old session ends.
            if is_address(&address) && !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        Ok(addresses)
    }
}

struct Child<'a> {
    folder: &'a str,
    name: String,
    data: Vec<u8>,
    facts: NodeFacts,
}

/// The children of all these folders, in one session.
async fn children<'a>(settings: &SessionSettings, folders: &'a [String]) -> Result<Vec<Child<'a>>, FindError> {
    let unreachable = |fault| match fault {
        Fault::Denied(reason) => FindError::Settings(reason),
        Fault::Lost(reason) => FindError::Unreachable { reason },
        other => FindError::Unreachable { reason: format!("ZooKeeper at {}: {other:?}", settings.address) },
    };
    let session = ZookeeperSession::open_soon(settings).await.map_err(unreachable)?;
    let mut found = Vec::new();
    for folder in folders {
        let children = session.children(folder).await.map_err(unreachable)?;
        found.extend(children.into_iter().map(|(name, data, facts)| Child { folder, name, data, facts }));
    }
    Ok(found)
}

fn is_address(text: &str) -> bool {
    let parts = text.rsplit_once(':');
    parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0))
}

#[cfg(test)]
mod tests {
    use super::{FindError, Finder, FinderSettings, LookupSettings, Primary};

    fn list(addresses: &[&str]) -> Result<Finder, FindError> {
        Finder::new(FinderSettings::Addresses(addresses.iter().map(|text| text.to_string()).collect()))
    }

    #[tokio::test]
    async fn a_single_address_is_the_primary_and_of_several_it_is_one() {
        assert_eq!(list(&["a:1"]).expect("valid").primary().await, Ok(Primary::At("a:1".into())));
        let both = vec!["a:1".to_owned(), "b:1".to_owned()];
        let finder = list(&["a:1", "b:1"]).expect("valid");
        assert_eq!(finder.primary().await, Ok(Primary::OneOf(both.clone())));
        assert_eq!(finder.masters().await, Ok(both));
    }

    #[test]
    fn bad_addresses_are_named() {
        for bad in ["a", "a:", ":1", "a:0", "a:x"] {
            let error = list(&["good:1", bad]).expect_err(bad);
            assert!(error.to_string().contains(&format!("{bad:?}")), "{error}");
        }
        assert!(list(&[]).is_err());
    }

    #[tokio::test]
    async fn a_zookeeper_that_is_not_there_is_named_with_the_reason_at_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let closed = listener.local_addr().expect("bound").to_string();
        drop(listener);
        let finder = Finder::new(FinderSettings::Zookeeper(LookupSettings::new(&closed))).expect("valid");
        let lookup = tokio::time::timeout(std::time::Duration::from_secs(1), finder.primary());
        let error = lookup.await.expect("no wait for a refusal").expect_err("nobody listens").to_string();
        assert!(error.contains(&format!("{closed} refuses")) && error.contains("alluxio.zookeeper.address"), "{error}");
    }

    #[tokio::test]
    async fn a_wrong_zookeeper_address_is_named() {
        let finder = Finder::new(FinderSettings::Zookeeper(LookupSettings::new("host:port"))).expect("not looked at");
        let error = finder.primary().await.expect_err("no port");
        assert!(matches!(&error, FindError::Settings(text) if text.contains("host:port")), "{error}");
    }
}
