//! What a cluster in namespaces stands on: ZooKeeper on server03 to server05, a NameNode on server03, a DataNode there or
//! on each of them. Real servers with the jars of the test beds, at the ports that everybody uses.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::hosts::Network;
use crate::process::{run, wait_for};

/// The file system, as a URI.
pub const HDFS: &str = "hdfs://server03:9000";

const NAMENODE: &str = "server03";
pub const QUORUM: [&str; 3] = ["server03", "server04", "server05"];
/// How long Maven may take to fetch the jars for the first time.
const FETCH_LIMIT: Duration = Duration::from_secs(600);
/// How long a server may take to start.
const START_LIMIT: Duration = Duration::from_secs(60);
const LIMIT: Duration = Duration::from_secs(30);

/// The command line of Java for these servers.
pub struct Java {
    pub command: String,
    zookeeper: String,
    hdfs: String,
    flags: String,
    hadoop_flags: String,
}

/// Starts all of them, with DataNodes on these hosts; they end with their hosts.
pub fn start(network: &Network, project: &Path, datanodes: &[&str]) -> Java {
    let java = Java::find(project);
    for (i, host) in QUORUM.iter().enumerate() {
        configure_zookeeper(network, host, i + 1);
        java.start_zookeeper(network, host);
    }
    start_hdfs(network, &java, datanodes);
    wait_for_zookeeper(network);
    wait_for_hdfs(network, datanodes.len());
    java
}

/// Waits until all ZooKeeper servers serve.
pub fn wait_for_zookeeper(network: &Network) {
    for host in QUORUM {
        let ask = "exec 3<>/dev/tcp/$HOSTNAME/2181 && printf srvr >&3 && grep -q ^Mode: <&3";
        wait_on(network, host, "ZooKeeper to serve", &format!("HOSTNAME={host}; {ask}"));
    }
}

/// Waits until the NameNode is out of safe mode and knows so many DataNodes.
pub fn wait_for_hdfs(network: &Network, datanodes: usize) {
    let ask = "GET /jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState HTTP/1.0\\r\\n\\r\\n";
    let line = format!(
        "exec 3<>/dev/tcp/localhost/9870 && printf '{ask}' >&3 && state=$(cat <&3) && \
         [[ $state == *'\"FSState\" : \"Operational\"'* && $state == *'\"NumLiveDataNodes\" : {datanodes},'* ]]"
    );
    wait_on(network, NAMENODE, "HDFS", &line);
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

fn start_hdfs(network: &Network, java: &Java, datanodes: &[&str]) {
    let log = "log4j.rootLogger=INFO, console\nlog4j.appender.console=org.apache.log4j.ConsoleAppender\n\
               log4j.appender.console.target=System.err\nlog4j.appender.console.layout=org.apache.log4j.SimpleLayout\n";
    let servers = datanodes.iter().map(|host| (*host, "datanode")).chain([(NAMENODE, "namenode")]);
    for (host, part) in servers {
        let folder = network.folder.join(host);
        for part in [part, "web/webapps/hdfs", "web/webapps/datanode", "web/webapps/static"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        let data = |part: &str| format!("file://{}", folder.join(part).join("data").display());
        let core = [("fs.defaultFS", HDFS.to_owned()), ("hadoop.tmp.dir", folder.join("hadoop").display().to_string())];
        let hdfs = [
            ("dfs.replication", datanodes.len().to_string()),
            ("dfs.namenode.name.dir", data("namenode")),
            ("dfs.datanode.data.dir", data("datanode")),
            ("dfs.namenode.safemode.extension", "0".to_owned()),
            ("dfs.namenode.datanode.registration.ip-hostname-check", "false".to_owned()),
        ];
        fs::write(folder.join(part).join("core-site.xml"), hadoop_xml(&core)).unwrap();
        fs::write(folder.join(part).join("hdfs-site.xml"), hadoop_xml(&hdfs)).unwrap();
        fs::write(folder.join(part).join("log4j.properties"), log).unwrap();
    }
    let format = java.hadoop("namenode.NameNode -format -nonInteractive");
    let folder = network.folder.join(NAMENODE);
    let line = format!("cd {}/namenode && {} {format}", folder.display(), java.command);
    network.type_on(NAMENODE, &line, START_LIMIT).expect_success();
    java.start_namenode(network);
    for host in datanodes {
        java.start_datanode(network, host);
    }
}

impl Java {
    /// Starts the ZooKeeper server of a host.
    pub fn start_zookeeper(&self, network: &Network, host: &str) {
        let main = "org.apache.zookeeper.server.quorum.QuorumPeerMain zoo.cfg";
        let words = format!("-Dzookeeper.jmx.log4j.disable=true -cp '{}/*' {main}", self.zookeeper);
        self.start(network, host, "zookeeper", &words);
    }

    /// Starts the NameNode.
    pub fn start_namenode(&self, network: &Network) {
        self.start(network, NAMENODE, "namenode", &self.hadoop("namenode.NameNode"));
    }

    /// Starts the DataNode of a host.
    pub fn start_datanode(&self, network: &Network, host: &str) {
        self.start(network, host, "datanode", &self.hadoop("datanode.DataNode"));
    }

    /// Limits the bytes below a folder of HDFS; without a number, no more.
    pub fn set_quota(&self, network: &Network, folder: &str, bytes: Option<u64>) {
        let words = match bytes {
            Some(bytes) => format!("-setSpaceQuota {bytes} {folder}"),
            None => format!("-clrSpaceQuota {folder}"),
        };
        let Java { command, hadoop_flags, hdfs, .. } = self;
        let line = format!(
            "cd {}/namenode && {command} {hadoop_flags} -cp '.:{hdfs}/*' org.apache.hadoop.hdfs.tools.DFSAdmin {words}",
            network.folder.join(NAMENODE).display()
        );
        network.type_on(NAMENODE, &line, LIMIT).expect_success();
    }

    /// The words of Java for a program of HDFS.
    fn hadoop(&self, main: &str) -> String {
        let Java { hadoop_flags, hdfs, .. } = self;
        format!("{hadoop_flags} -cp '.:../web:{hdfs}/*' org.apache.hadoop.hdfs.server.{main}")
    }

    /// Starts a server in its folder on a host, in the background; its pid, as the host counts, is in `NAME.pid`.
    fn start(&self, network: &Network, host: &str, name: &str, words: &str) {
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

/// A Hadoop configuration with these properties.
fn hadoop_xml(properties: &[(&str, String)]) -> String {
    let property =
        |(name, value): &(&str, String)| format!("<property><name>{name}</name><value>{value}</value></property>");
    format!(
        "<?xml version=\"1.0\"?><configuration>{}</configuration>",
        properties.iter().map(property).collect::<String>()
    )
}

/// Waits until a line succeeds on a host.
fn wait_on(network: &Network, host: &str, what: &str, line: &str) {
    wait_for(&format!("{what} on {host}"), START_LIMIT, || network.type_on(host, line, LIMIT).success().then_some(()));
}
