//! What the cluster of the document stands on: ZooKeeper on server03 to server05, a NameNode and a DataNode on server03.
//! Real servers with the jars of the test beds, at the ports that everybody uses.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::hosts::Network;
use crate::process::{run, wait_for};

/// The file system, as a URI.
const HDFS: &str = "hdfs://server03:9000";

const QUORUM: [&str; 3] = ["server03", "server04", "server05"];
/// How long Maven may take to fetch the jars for the first time.
const FETCH_LIMIT: Duration = Duration::from_secs(600);
/// How long a server may take to start.
const START_LIMIT: Duration = Duration::from_secs(60);
const LIMIT: Duration = Duration::from_secs(30);

/// The command line of Java for these servers.
struct Java {
    command: String,
    zookeeper: String,
    hdfs: String,
    flags: String,
    hadoop_flags: String,
}

/// Starts all of them; they end with their hosts.
pub fn start(network: &Network, project: &Path) {
    let java = Java::find(project);
    for (i, host) in QUORUM.iter().enumerate() {
        start_zookeeper(network, &java, host, i + 1);
    }
    start_hdfs(network, &java);
    for host in QUORUM {
        let ask = "exec 3<>/dev/tcp/$HOSTNAME/2181 && printf srvr >&3 && grep -q ^Mode: <&3";
        wait_on(network, host, "ZooKeeper to serve", &format!("HOSTNAME={host}; {ask}"));
    }
    let log = network.folder.join("server03/datanode.log");
    wait_on(network, "server03", "HDFS", &format!("grep -q 'successfully registered with NN' {}", log.display()));
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

fn start_zookeeper(network: &Network, java: &Java, host: &str, id: usize) {
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
    let main = "org.apache.zookeeper.server.quorum.QuorumPeerMain zoo.cfg";
    let class_path = format!("{}/*", java.zookeeper);
    start_java(
        network,
        java,
        host,
        "zookeeper",
        &format!("-Dzookeeper.jmx.log4j.disable=true -cp '{class_path}' {main}"),
    );
}

fn start_hdfs(network: &Network, java: &Java) {
    let host = "server03";
    let folder = network.folder.join(host);
    for part in ["namenode", "datanode", "web/webapps/hdfs", "web/webapps/datanode", "web/webapps/static"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    let core = [("fs.defaultFS", HDFS.to_owned()), ("hadoop.tmp.dir", folder.join("hadoop").display().to_string())];
    let data = |part: &str| format!("file://{}", folder.join(part).join("data").display());
    let hdfs = [
        ("dfs.replication", "1".to_owned()),
        ("dfs.namenode.name.dir", data("namenode")),
        ("dfs.datanode.data.dir", data("datanode")),
        ("dfs.namenode.safemode.extension", "0".to_owned()),
        ("dfs.namenode.datanode.registration.ip-hostname-check", "false".to_owned()),
    ];
    let log = "log4j.rootLogger=INFO, console\nlog4j.appender.console=org.apache.log4j.ConsoleAppender\n\
               log4j.appender.console.target=System.err\nlog4j.appender.console.layout=org.apache.log4j.SimpleLayout\n";
    for part in ["namenode", "datanode"] {
        fs::write(folder.join(part).join("core-site.xml"), hadoop_xml(&core)).unwrap();
        fs::write(folder.join(part).join("hdfs-site.xml"), hadoop_xml(&hdfs)).unwrap();
        fs::write(folder.join(part).join("log4j.properties"), log).unwrap();
    }
    let class_path = format!("{} -cp '.:../web:{}/*'", java.hadoop_flags, java.hdfs);
    let main = "org.apache.hadoop.hdfs.server.namenode.NameNode";
    let format =
        format!("cd {}/namenode && {} {class_path} {main} -format -nonInteractive", folder.display(), java.command);
    network.type_on(host, &format, START_LIMIT).expect_success();
    start_java(network, java, host, "namenode", &format!("{class_path} {main}"));
    let main = "org.apache.hadoop.hdfs.server.datanode.DataNode";
    start_java(network, java, host, "datanode", &format!("{class_path} {main}"));
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

/// Starts a server in its folder on a host, in the background.
fn start_java(network: &Network, java: &Java, host: &str, name: &str, words: &str) {
    let folder = network.folder.join(host);
    let start = format!(
        "cd {0}/{name} && {{ setsid {1} {2} {words} >{0}/{name}.log 2>&1 </dev/null & }}",
        folder.display(),
        java.command,
        java.flags
    );
    network.type_on(host, &start, LIMIT).expect_success();
}

/// Waits until a line succeeds on a host.
fn wait_on(network: &Network, host: &str, what: &str, line: &str) {
    wait_for(&format!("{what} on {host}"), START_LIMIT, || network.type_on(host, line, LIMIT).success().then_some(()));
}
