//! What goes wrong in an episode, and how it is mended.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::cluster::{Cluster, JOURNAL, LIMIT, MASTERS, NAMENODES, datanode_disk};
use crate::hdfs::PORT as NAMENODE_PORT;
use crate::hosts::Link;
use crate::rng::Rng;
use crate::services::{self, QUORUM};

/// One fault. Hosts are named as it hits them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// SIGTERM by the launcher, started again at the end.
    PlannedStop(Role),
    /// kill -9 of the process that listens.
    Kill(Role),
    /// And of its guardian.
    KillWithGuardian(Role),
    /// SIGSTOP, SIGCONT at the end.
    Pause(Role),
    /// Its cable is pulled.
    Isolate(Role),
    /// Neither hears the other.
    Cut(Role, Peer),
    /// The first does not hear the second any more.
    Deafen(Role, Peer),
    /// The second does not hear the first any more.
    Mute(Role, Peer),
    /// The wall clock of its host is set an hour ahead, and back at the end.
    ClockForward(Role),
    /// An hour behind.
    ClockBack(Role),
    NameNodeRestart,
    /// The active one of the pair is killed and the other becomes active; the first comes back at the end.
    NameNodeFailover,
    /// The same, and its host is away: nobody is told that a connection has ended. A DataNode and a ZooKeeper server go too.
    NameNodeHostAway,
    /// Nothing that is sent to the active one arrives, nobody is told, and no other becomes active.
    NameNodeSilent,
    DataNodeKill,
    DataNodePause,
    ZookeeperKill,
    ZookeeperAway,
    HdfsAway,
    /// No flush is acknowledged, and none fails.
    DataNodesPause,
    /// The journal may not grow.
    Quota,
    /// And its open segment breaks with a DataNode.
    QuotaAtRoll,
    /// One of the three has no room.
    DataNodeFull,
}

/// Outages with their length in seconds.
pub const OUTAGES: [(Fault, u64); 18] = [
    (Fault::ZookeeperAway, 5),
    (Fault::ZookeeperAway, 60),
    (Fault::HdfsAway, 5),
    (Fault::HdfsAway, 60),
    (Fault::NameNodeRestart, 1),
    (Fault::NameNodeFailover, 10),
    (Fault::NameNodeHostAway, 20),
    (Fault::NameNodeSilent, 20),
    (Fault::DataNodeKill, 10),
    (Fault::DataNodePause, 30),
    (Fault::DataNodesPause, 30),
    (Fault::Quota, 15),
    (Fault::QuotaAtRoll, 15),
    (Fault::DataNodeFull, 15),
    (Fault::ClockForward(Role::Leader), 10),
    (Fault::ClockBack(Role::Leader), 10),
    (Fault::ClockForward(Role::Standby), 10),
    (Fault::ClockBack(Role::Standby), 10),
];

/// Bytes that the journal may have under a quota: less than it has.
const QUOTA_BYTES: u64 = 1 << 20;

/// Seconds of an hour.
const HOUR: i64 = 3600;

/// Which master.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Leader,
    Standby,
}

/// Whom a master loses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// One host with a ZooKeeper server and a DataNode; the first has the NameNode, too.
    Services(usize),
    AllServices,
    OtherMasters,
    Clients,
}

impl Fault {
    /// Whether what it takes away comes back at another place before it ends.
    pub fn fails_over(self) -> bool {
        matches!(self, Fault::NameNodeFailover | Fault::NameNodeHostAway)
    }
}

/// For tables: faults of one kind have one name.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let peer = |peer: &Peer| match peer {
            Peer::Services(_) => "one host of services",
            Peer::AllServices => "all services",
            Peer::OtherMasters => "the other masters",
            Peer::Clients => "the clients",
        };
        match self {
            Fault::PlannedStop(role) => write!(f, "{role}: planned stop"),
            Fault::Kill(role) => write!(f, "{role}: kill -9"),
            Fault::KillWithGuardian(role) => write!(f, "{role}: kill -9 with its guardian"),
            Fault::Pause(role) => write!(f, "{role}: SIGSTOP"),
            Fault::Isolate(role) => write!(f, "{role}: cable pulled"),
            Fault::Cut(role, other) => write!(f, "{role}: cut off from {}", peer(other)),
            Fault::Deafen(role, other) => write!(f, "{role}: does not hear {}", peer(other)),
            Fault::Mute(role, other) => write!(f, "{role}: not heard by {}", peer(other)),
            Fault::ClockForward(role) => write!(f, "{role}: clock an hour ahead"),
            Fault::ClockBack(role) => write!(f, "{role}: clock an hour behind"),
            Fault::NameNodeRestart => write!(f, "NameNode: kill -9 and restart"),
            Fault::NameNodeFailover => write!(f, "NameNode: kill -9 and failover to the other"),
            Fault::NameNodeSilent => write!(f, "NameNode: nothing arrives there"),
            Fault::NameNodeHostAway => write!(f, "host of the NameNode: cable pulled, failover to the other"),
            Fault::DataNodeKill => write!(f, "DataNode: kill -9 and restart"),
            Fault::DataNodePause => write!(f, "DataNode: SIGSTOP"),
            Fault::ZookeeperKill => write!(f, "ZooKeeper server: kill -9 and restart"),
            Fault::ZookeeperAway => write!(f, "all ZooKeeper servers: kill -9 and restart"),
            Fault::HdfsAway => write!(f, "NameNode and all DataNodes: kill -9 and restart"),
            Fault::DataNodesPause => write!(f, "all DataNodes: SIGSTOP"),
            Fault::Quota => write!(f, "journal: quota exceeded"),
            Fault::QuotaAtRoll => write!(f, "journal: quota exceeded, its segment broken"),
            Fault::DataNodeFull => write!(f, "DataNode: disk full"),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Leader => "leader",
            Role::Standby => "standby",
        })
    }
}

/// A fault by chance.
pub fn choose(rng: &mut Rng) -> Fault {
    let role = if rng.chance(5, 6) { Role::Leader } else { Role::Standby };
    let peer = match rng.range(0, 6) {
        0..3 => Peer::Services(rng.index(QUORUM.len())),
        3 => Peer::AllServices,
        4 => Peer::OtherMasters,
        _ => Peer::Clients,
    };
    match rng.range(0, 17) {
        0 | 1 => Fault::PlannedStop(role),
        2 | 3 => Fault::Kill(role),
        4 => Fault::KillWithGuardian(role),
        5 | 6 => Fault::Pause(role),
        7 => Fault::Isolate(role),
        8 | 9 => Fault::Cut(role, peer),
        10 => Fault::Deafen(role, peer),
        11 => Fault::Mute(role, peer),
        12 => [Fault::NameNodeRestart, Fault::NameNodeFailover, Fault::NameNodeHostAway, Fault::NameNodeSilent]
            [rng.index(4)],
        13 => Fault::DataNodeKill,
        14 => Fault::DataNodePause,
        15 => Fault::ZookeeperKill,
        _ => [Fault::ClockForward(role), Fault::ClockBack(role)][rng.index(2)],
    }
}

/// A fault that has begun.
pub struct Begun<'a> {
    cluster: &'a Cluster,
    fault: Fault,
    /// The master that it hits.
    master: &'static str,
    /// The host of services that it hits.
    services: &'static str,
    /// The host of the NameNode that was active.
    namenode: &'static str,
}

impl<'a> Begun<'a> {
    /// Has it happen while `leader` leads.
    pub fn new(cluster: &'a Cluster, fault: Fault, leader: &'static str, rng: &mut Rng) -> Begun<'a> {
        let standbys: Vec<_> = MASTERS.into_iter().filter(|host| *host != leader).collect();
        let standby = standbys[rng.index(standbys.len())];
        let services = QUORUM[rng.index(QUORUM.len())];
        let master = match fault {
            Fault::PlannedStop(role)
            | Fault::Kill(role)
            | Fault::KillWithGuardian(role)
            | Fault::Pause(role)
            | Fault::Isolate(role)
            | Fault::Cut(role, _)
            | Fault::Deafen(role, _)
            | Fault::Mute(role, _)
            | Fault::ClockForward(role)
            | Fault::ClockBack(role) => [leader, standby][usize::from(role == Role::Standby)],
            _ => leader,
        };
        let begun = Begun { cluster, fault, master, services, namenode: cluster.hdfs.active() };
        begun.begin();
        begun
    }

    fn begin(&self) {
        let Begun { cluster, master, services, namenode, .. } = *self;
        let Cluster { network, services: java, hdfs, .. } = cluster;
        match self.fault {
            Fault::PlannedStop(_) => cluster.stop(master),
            Fault::Kill(_) => cluster.signal(master, "KILL"),
            Fault::KillWithGuardian(_) => cluster.kill_with_guardian(master),
            Fault::Pause(_) => cluster.signal(master, "STOP"),
            Fault::Isolate(_) => network.link(master, Link::Down),
            Fault::Cut(_, peer) => {
                self.deafen(peer);
                self.mute(peer);
            }
            Fault::Deafen(_, peer) => self.deafen(peer),
            Fault::Mute(_, peer) => self.mute(peer),
            Fault::ClockForward(_) => cluster.step_clock(master, HOUR),
            Fault::ClockBack(_) => cluster.step_clock(master, -HOUR),
            Fault::NameNodeRestart => self.signal_service(namenode, "namenode", "KILL"),
            Fault::NameNodeFailover => {
                self.signal_service(namenode, "namenode", "KILL");
                hdfs.fail_over(network, java);
            }
            Fault::NameNodeSilent => network.close_port(namenode, NAMENODE_PORT),
            Fault::NameNodeHostAway => {
                network.link(namenode, Link::Down);
                self.signal_service(namenode, "namenode", "KILL");
                hdfs.fail_over(network, java);
            }
            Fault::DataNodeKill => self.signal_service(services, "datanode", "KILL"),
            Fault::DataNodePause => self.signal_service(services, "datanode", "STOP"),
            Fault::ZookeeperKill => self.signal_service(services, "zookeeper", "KILL"),
            Fault::ZookeeperAway => self.signal_all("zookeeper", "KILL"),
            Fault::HdfsAway => {
                NAMENODES.iter().for_each(|host| self.signal_service(host, "namenode", "KILL"));
                self.signal_all("datanode", "KILL");
            }
            Fault::DataNodesPause => self.signal_all("datanode", "STOP"),
            Fault::Quota => hdfs.set_quota(network, java, JOURNAL, Some(QUOTA_BYTES)),
            Fault::QuotaAtRoll => {
                hdfs.set_quota(network, java, JOURNAL, Some(QUOTA_BYTES));
                self.signal_service(services, "datanode", "KILL");
            }
            Fault::DataNodeFull => {
                let line = format!("! cat /dev/zero 2>/dev/null >{}", self.filler().display());
                network.type_on(services, &line, LIMIT).expect_success();
            }
        }
    }

    /// Mends it. A master that it has ended is started and waited for.
    pub fn end(&self) {
        let Begun { cluster, master, services, namenode, .. } = *self;
        let Cluster { network, services: java, hdfs, .. } = cluster;
        match self.fault {
            Fault::PlannedStop(_) | Fault::Kill(_) | Fault::KillWithGuardian(_) => cluster.start(master),
            Fault::Pause(_) => cluster.signal(master, "CONT"),
            Fault::Isolate(_) => network.link(master, Link::Up),
            Fault::Cut(..) | Fault::Deafen(..) | Fault::Mute(..) => {
                QUORUM.iter().chain(&MASTERS).for_each(|host| network.mend(host));
            }
            Fault::ClockForward(_) | Fault::ClockBack(_) => cluster.step_clock(master, 0),
            Fault::NameNodeRestart => {
                hdfs.start_namenode(network, java, namenode);
                hdfs.activate(network, java);
            }
            Fault::NameNodeFailover => hdfs.start_namenode(network, java, namenode),
            Fault::NameNodeSilent => network.mend(namenode),
            Fault::NameNodeHostAway => {
                network.link(namenode, Link::Up);
                hdfs.start_namenode(network, java, namenode);
            }
            Fault::DataNodeKill => hdfs.start_datanode(network, java, services),
            Fault::DataNodePause => self.signal_service(services, "datanode", "CONT"),
            Fault::ZookeeperKill => java.start_zookeeper(network, services),
            Fault::ZookeeperAway => {
                QUORUM.iter().for_each(|host| java.start_zookeeper(network, host));
                services::wait_for_zookeeper(network);
            }
            Fault::HdfsAway => {
                NAMENODES.iter().for_each(|host| hdfs.start_namenode(network, java, host));
                QUORUM.iter().for_each(|host| hdfs.start_datanode(network, java, host));
                hdfs.activate(network, java);
                hdfs.wait(network);
            }
            Fault::DataNodesPause => self.signal_all("datanode", "CONT"),
            Fault::Quota => hdfs.set_quota(network, java, JOURNAL, None),
            Fault::QuotaAtRoll => {
                hdfs.start_datanode(network, java, services);
                hdfs.set_quota(network, java, JOURNAL, None);
            }
            Fault::DataNodeFull => {
                let line = format!("rm {}", self.filler().display());
                network.type_on(services, &line, LIMIT).expect_success();
            }
        }
        cluster.wait_for_master(master);
    }

    fn peers(&self, peer: Peer) -> Vec<Option<&'static str>> {
        match peer {
            Peer::Services(at) => vec![Some(QUORUM[at])],
            Peer::AllServices => QUORUM.map(Some).to_vec(),
            Peer::OtherMasters => MASTERS.into_iter().filter(|host| *host != self.master).map(Some).collect(),
            Peer::Clients => vec![None],
        }
    }

    fn deafen(&self, peer: Peer) {
        self.peers(peer).into_iter().for_each(|peer| self.cluster.network.cut(peer, self.master));
    }

    /// What clients do not hear is dropped where it is sent: there is no host of theirs.
    fn mute(&self, peer: Peer) {
        for peer in self.peers(peer) {
            match peer {
                Some(host) => self.cluster.network.cut(Some(self.master), host),
                None => self.cluster.network.mute_to_clients(self.master),
            }
        }
    }

    /// Takes the room of a DataNode.
    fn filler(&self) -> PathBuf {
        datanode_disk(self.cluster, self.services).join("filler")
    }

    fn signal_all(&self, name: &str, signal: &str) {
        QUORUM.iter().for_each(|host| self.signal_service(host, name, signal));
    }

    fn signal_service(&self, host: &str, name: &str, signal: &str) {
        let pid = self.cluster.network.folder.join(host).join(format!("{name}.pid"));
        let line = format!("kill -{signal} $(cat {})", pid.display());
        self.cluster.network.type_on(host, &line, LIMIT).expect_success();
    }
}

/// How long a fault lasts.
pub fn duration(rng: &mut Rng) -> Duration {
    Duration::from_millis(if rng.chance(1, 2) { rng.range(100, 3_000) } else { rng.range(2_000, 10_000) })
}
