//! What a latch on ZooKeeper is told, and the paths that follow from it.

use std::time::Duration;

use super::latch::LatchError;
use super::zookeeper_session::{SessionSettings, child};
use crate::conf::Credentials;

/// Where participants stand when no path is set: the default of 1.x, then that of 2.x.
const ELECTION_PATHS: [&str; 2] = ["/election", "/alluxio/election"];
/// Where clients look for the leader when no path is set: the default of 1.x, then that of 2.x.
const LEADER_PATHS: [&str; 2] = ["/leader", "/alluxio/leader"];
/// Where ZooKeeper keeps its own nodes.
const ZOOKEEPER_PATH: &str = "/zookeeper";
/// Our own nodes, outside of the election path, whose children Curator counts.
const OWN_PATH: &str = "/alluxio-rs";

/// How a master, or its guardian, takes part in the election of its cluster.
#[derive(Debug, Clone)]
pub struct ZookeeperSettings {
    /// `host:port[,host:port…][/chroot]`.
    pub address: String,
    /// `alluxio.zookeeper.election.path`. None: `/election`, after a look for Java masters in `/alluxio/election` too.
    pub election_path: Option<String>,
    /// `alluxio.zookeeper.leader.path`. None: both `/leader` and `/alluxio/leader`, for clients of either generation.
    pub leader_path: Option<String>,
    /// How long the servers wait for a master that is silent.
    pub session_timeout: Duration,
    /// How long to try to reach any server.
    pub connection_timeout: Duration,
    /// How long one call may take; also how long a server may be silent before the next one is tried.
    pub call_timeout: Duration,
    /// Oldest version among the servers. 3.4 works with all; a newer one may allow the client more.
    pub server_version: (u32, u32, u32),
    /// With whom all nodes that are made belong, and close to others. None: they are open to anybody.
    pub credentials: Option<Credentials>,
    /// The cluster: a part of the path of the epoch node.
    pub cluster_id: String,
    /// `host:port` at which this master serves.
    pub rpc_address: String,
}

impl ZookeeperSettings {
    /// Settings with the default paths and times.
    pub fn new(address: &str, cluster_id: &str, rpc_address: &str) -> ZookeeperSettings {
        ZookeeperSettings {
            address: address.to_owned(),
            election_path: None,
            leader_path: None,
            session_timeout: Duration::from_secs(6),
            connection_timeout: Duration::from_secs(15),
            call_timeout: Duration::from_secs(2),
            server_version: (3, 4, 0),
            credentials: None,
            cluster_id: cluster_id.to_owned(),
            rpc_address: rpc_address.to_owned(),
        }
    }

    pub(super) fn session(&self) -> SessionSettings {
        SessionSettings {
            address: self.address.clone(),
            session_timeout: self.session_timeout,
            connection_timeout: self.connection_timeout,
            call_timeout: self.call_timeout,
            server_version: self.server_version,
            credentials: self.credentials.clone(),
        }
    }
}

/// The nodes of a cluster.
#[derive(Debug, Clone)]
pub(super) struct Paths {
    /// The folder of the latch.
    pub election: String,
    /// Folders where masters of another cluster may contend for the same clients, the own one first.
    pub contended: Vec<String>,
    /// Folders where clients look for the leader.
    pub leaders: Vec<String>,
    /// The folder of the epoch node.
    pub cluster: String,
    /// The epoch node.
    pub epoch: String,
}

impl Paths {
    /// The paths of these settings.
    ///
    /// # Errors
    /// `Denied` for a path or a cluster id that cannot name a node.
    pub fn new(settings: &ZookeeperSettings) -> Result<Paths, LatchError> {
        let contended = election_paths(settings.election_path.as_deref()).map_err(denied)?;
        let leaders = leader_paths(settings.leader_path.as_deref()).map_err(denied)?;
        // Nodes of the one would be taken for nodes of the other; ZooKeeper's own are nobody's.
        let taken = contended.iter().map(String::as_str).chain([OWN_PATH, ZOOKEEPER_PATH]);
        for (taken, leader) in taken.flat_map(|taken| leaders.iter().map(move |leader| (taken, leader))) {
            if is_within(leader, taken) || is_within(taken, leader) {
                let reason = format!("the leader path {leader} and {taken} lie in one another: set other paths");
                return Err(denied(reason));
            }
        }
        if let Some(election) =
            contended.iter().find(|path| [OWN_PATH, ZOOKEEPER_PATH].iter().any(|o| is_within(path, o)))
        {
            return Err(denied(format!("alluxio.zookeeper.election.path={election} is not for elections")));
        }
        let id = &settings.cluster_id;
        if id.is_empty() || id == "." || id == ".." || id.contains(|c: char| c == '/' || c.is_control()) {
            return Err(denied(format!("the cluster id {id:?} cannot be the name of a ZooKeeper node")));
        }
        let cluster = child(OWN_PATH, id);
        let epoch = child(&cluster, "epoch");
        Ok(Paths { election: contended[0].clone(), contended, leaders, cluster, epoch })
    }

    /// The persistent nodes that are this cluster's alone.
    pub fn owned(&self) -> impl Iterator<Item = &str> {
        [&self.election, &self.cluster, &self.epoch].into_iter().chain(&self.leaders).map(String::as_str)
    }
}

/// The folders of participants: the one that is set, or the defaults of both generations.
pub(super) fn election_paths(set: Option<&str>) -> Result<Vec<String>, String> {
    paths("alluxio.zookeeper.election.path", set, ELECTION_PATHS)
}

/// The folders of leaders: the one that is set, or the defaults of both generations.
pub(super) fn leader_paths(set: Option<&str>) -> Result<Vec<String>, String> {
    paths("alluxio.zookeeper.leader.path", set, LEADER_PATHS)
}

fn paths(key: &str, set: Option<&str>, defaults: [&str; 2]) -> Result<Vec<String>, String> {
    let Some(path) = set else { return Ok(defaults.map(str::to_owned).to_vec()) };
    let bad_part = |part: &str| part.is_empty() || part == "." || part == ".." || part.contains(char::is_control);
    match path.strip_prefix('/') {
        Some(rest) if !rest.split('/').any(bad_part) => Ok(vec![path.to_owned()]),
        _ => Err(format!("{key}={path} is not a ZooKeeper path: it must begin with / and have no empty part")),
    }
}

/// Whether `path` is `other` or below it.
fn is_within(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn denied(reason: String) -> LatchError {
    LatchError::Denied { operation: "the use of the ZooKeeper settings", reason }
}

#[cfg(test)]
mod tests {
    use super::{Paths, ZookeeperSettings};
    use crate::election::LatchError;

    fn settings() -> ZookeeperSettings {
        ZookeeperSettings::new("localhost:2181", "c1", "host:19998")
    }

    #[test]
    fn unset_paths_serve_both_generations() {
        let paths = Paths::new(&settings()).expect("valid");
        assert_eq!(paths.election, "/election");
        assert_eq!(paths.contended, ["/election", "/alluxio/election"]);
        assert_eq!(paths.leaders, ["/leader", "/alluxio/leader"]);
        assert_eq!(paths.epoch, "/alluxio-rs/c1/epoch");
        let owned: Vec<&str> = paths.owned().collect();
        assert_eq!(owned, ["/election", "/alluxio-rs/c1", "/alluxio-rs/c1/epoch", "/leader", "/alluxio/leader"]);
    }

    #[test]
    fn set_paths_are_the_only_ones() {
        let set = ZookeeperSettings {
            election_path: Some("/alluxio/election".into()),
            leader_path: Some("/mine".into()),
            ..settings()
        };
        let paths = Paths::new(&set).expect("valid");
        assert_eq!(paths.election, "/alluxio/election");
        assert_eq!(paths.contended, ["/alluxio/election"]);
        assert_eq!(paths.leaders, ["/mine"]);
    }

    #[test]
    fn paths_that_lie_in_one_another_are_refused() {
        for (election, leader) in [
            (None, Some("/election")),
            (None, Some("/alluxio/election/leader")),
            (Some("/a/b"), Some("/a")),
            (None, Some("/zookeeper")),
            (None, Some("/alluxio-rs/x")),
            (Some("/zookeeper/quota"), None),
            (Some("/leader"), None),
        ] {
            let set = ZookeeperSettings {
                election_path: election.map(str::to_owned),
                leader_path: leader.map(str::to_owned),
                ..settings()
            };
            assert!(matches!(Paths::new(&set), Err(LatchError::Denied { .. })), "{election:?} {leader:?}");
        }
        let beside = ZookeeperSettings {
            election_path: Some("/a/election".into()),
            leader_path: Some("/a/election-leader".into()),
            ..settings()
        };
        assert!(Paths::new(&beside).is_ok());
    }

    #[test]
    fn what_cannot_name_a_node_is_refused_by_name() {
        for bad in ["", "election", "/", "/a/", "/a//b", "/a/../b"] {
            let set = ZookeeperSettings { election_path: Some(bad.into()), ..settings() };
            let text = Paths::new(&set).expect_err(bad).to_string();
            assert!(text.contains(&format!("alluxio.zookeeper.election.path={bad} ")), "{text}");
        }
        for bad in ["", "a/b", ".."] {
            let set = ZookeeperSettings { cluster_id: bad.into(), ..settings() };
            assert!(matches!(Paths::new(&set), Err(LatchError::Denied { .. })), "{bad}");
        }
    }
}
