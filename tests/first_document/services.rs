//! What a cluster in namespaces stands on: ZooKeeper on server03 to server05, and an HDFS there. Real servers with the jars
//! of the test beds, at the ports that everybody uses.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::hdfs::Hdfs;
use crate::hosts::Network;
use crate::process::{run, wait_for};

pub const QUORUM: [&str; 3] = ["server03", "server04", "server05"];
/// How long Maven may take to fetch the jars for the first time.
const FETCH_LIMIT: Duration = Duration::from_secs(600);
/// How long a server may take to start.
pub const START_LIMIT: Duration = Duration::from_secs(60);
const LIMIT: Duration = Duration::from_secs(30);

/// The command line of Java for these servers.
pub struct Java {
    pub command: String,
    zookeeper: String,
    pub hdfs: String,
    flags: String,
    pub hadoop_flags: String,
}

/// Starts ZooKeeper and HDFS; they end with their hosts.
pub fn start(network: &Network, project: &Path, hdfs: &Hdfs) -> Java {
    let java = Java::find(project);
    for (i, host) in QUORUM.iter().enumerate() {
        configure_zookeeper(network, host, i + 1);
        java.start_zookeeper(network, host);
    }
    hdfs.create(network, &java);
    wait_for_zookeeper(network);
    hdfs.wait(network);
    java
}

/// Waits until all ZooKeeper servers serve.
pub fn wait_for_zookeeper(network: &Network) {
    for host in QUORUM {
        let ask = "exec 3<>/dev/tcp/$HOSTNAME/2181 && printf srvr >&3 && grep -q ^Mode: <&3";
        wait_on(network, host, "ZooKeeper to serve", &format!("HOSTNAME={host}; {ask}"));
    }
}

impl Java {
    fn find(project: &Path) -> Java {
        let script = "cd \"$0\"/scripts && . testbed.d/jars.sh && . testbed.d/servers.sh && . testbed.d/hdfs.sh && \
                      need_java && command -v \"$(java_command)\" && jars zookeeper-3.8 && jars hdfs-3.3 && \
                      echo \"$server_jvm_flags\" && echo \"$hadoop_jvm_flags\"";
        let found = run(Path::new("bash"), &["-c", script, project.to_str().unwrap()], &[], FETCH_LIMIT);
        found.expect_success();
        let lines: Vec<_> = found.stdout.lines().map(str::to_owned).collect();
        let [command, zookeeper, hdfs, flags, hadoop_flags] = lines.try_into().expect("five lines");
        Java { command, zookeeper, hdfs, flags, hadoop_flags }
    }
}

fn configure_zookeeper(network: &Network, host: &str, id: usize) {
    let folder = network.folder.join(host).join("zookeeper");
    fs::create_dir_all(&folder).unwrap();
    let servers: String = (1..=3).map(|id| format!("server.{id}={}:2888:3888\n", QUORUM[id - 1])).collect();
    let config = format!(
        "tickTime=500\nminSessionTimeout=1000\nmaxSessionTimeout=120000\ninitLimit=20\nsyncLimit=10\n\
         admin.enableServer=false\n4lw.commands.whitelist=srvr\nclientPort=2181\ndataDir={}\n{servers}",
        folder.display()
    );
    fs::write(folder.join("zoo.cfg"), config).unwrap();
    fs::write(folder.join("myid"), id.to_string()).unwrap();
}

impl Java {
    /// Starts the ZooKeeper server of a host.
    pub fn start_zookeeper(&self, network: &Network, host: &str) {
        let main = "org.apache.zookeeper.server.quorum.QuorumPeerMain zoo.cfg";
        let words = format!("-Dzookeeper.jmx.log4j.disable=true -cp '{}/*' {main}", self.zookeeper);
        self.start(network, host, "zookeeper", &words);
    }

    /// Starts a server in its folder on a host, in the background; its pid, as the host counts, is in `NAME.pid`.
    pub fn start(&self, network: &Network, host: &str, name: &str, words: &str) {
        let folder = network.folder.join(host);
        let start = format!(
            "cd {0}/{name} && {{ setsid {1} {2} {words} >>{0}/{name}.log 2>&1 </dev/null & echo $! >{0}/{name}.pid; }}",
            folder.display(),
            self.command,
            self.flags
        );
        network.type_on(host, &start, LIMIT).expect_success();
    }
}

/// Waits until a line succeeds on a host.
pub fn wait_on(network: &Network, host: &str, what: &str, line: &str) {
    wait_for(&format!("{what} on {host}"), START_LIMIT, || network.type_on(host, line, LIMIT).success().then_some(()));
}
