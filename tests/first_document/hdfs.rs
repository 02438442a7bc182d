//! A real HDFS on hosts in namespaces: one NameNode, or a pair under one name, whose edit log lies in a folder that both
//! see; DataNodes.

use std::cell::Cell;
use std::fs;

use crate::hosts::Network;
use crate::services::{Java, START_LIMIT, wait_on};

/// Of a NameNode.
pub const PORT: u16 = 9000;
const WEB_PORT: u16 = 9870;
/// The name of a pair.
const NAME: &str = "pair";

/// Where its servers are.
pub struct Hdfs {
    namenodes: &'static [&'static str],
    datanodes: &'static [&'static str],
    /// Which of the NameNodes is active.
    active: Cell<usize>,
}

impl Hdfs {
    /// The first NameNode is the active one at first.
    pub fn on(namenodes: &'static [&'static str], datanodes: &'static [&'static str]) -> Hdfs {
        Hdfs { namenodes, datanodes, active: Cell::new(0) }
    }

    /// The file system, as a URI.
    pub fn uri(&self) -> String {
        match self.namenodes {
            [one] => format!("hdfs://{one}:{PORT}"),
            _ => format!("hdfs://{NAME}"),
        }
    }

    /// The files by which clients find the NameNodes.
    pub fn client_files(&self) -> [(&'static str, String); 2] {
        [("core-site.xml", xml(&self.core())), ("hdfs-site.xml", xml(&self.names()))]
    }

    /// Formats it and starts all servers.
    pub fn create(&self, network: &Network, java: &Java) {
        for host in self.namenodes {
            self.configure(network, host, "namenode");
        }
        for host in self.datanodes {
            self.configure(network, host, "datanode");
        }
        let first = self.namenodes[0];
        self.once(network, java, first, &hadoop(java, "server.namenode.NameNode -format -nonInteractive"));
        self.start_namenode(network, java, first);
        for host in &self.namenodes[1..] {
            self.once(network, java, host, &hadoop(java, "server.namenode.NameNode -bootstrapStandby -nonInteractive"));
            self.start_namenode(network, java, host);
        }
        for host in self.datanodes {
            self.start_datanode(network, java, host);
        }
        self.activate(network, java);
    }

    /// Waits until the active NameNode is out of safe mode and knows all DataNodes.
    pub fn wait(&self, network: &Network) {
        let ask = "GET /jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState HTTP/1.0\\r\\n\\r\\n";
        let line = format!(
            "exec 3<>/dev/tcp/{}/{WEB_PORT} && printf '{ask}' >&3 && state=$(cat <&3) && \
             [[ $state == *'\"FSState\" : \"Operational\"'* && $state == *'\"NumLiveDataNodes\" : {},'* ]]",
            self.active(),
            self.datanodes.len()
        );
        wait_on(network, self.active(), "HDFS", &line);
    }

    /// The host of the active NameNode.
    pub fn active(&self) -> &'static str {
        self.namenodes[self.active.get()]
    }

    /// Starts the NameNode of a host; one of a pair is no active one yet.
    pub fn start_namenode(&self, network: &Network, java: &Java, host: &str) {
        java.start(network, host, "namenode", &hadoop(java, "server.namenode.NameNode"));
    }

    /// Has the NameNode that is to be active be so, once it answers.
    pub fn activate(&self, network: &Network, java: &Java) {
        if self.namenodes.len() > 1 {
            let words = format!("tools.DFSHAAdmin -transitionToActive --forceactive nn{}", self.active.get());
            let line = self.line(network, java, self.active(), &hadoop(java, &words));
            wait_on(network, self.active(), "an active NameNode", &line);
        }
    }

    /// Has the other NameNode of a pair, which must run, be the active one. The one before must have ended.
    pub fn fail_over(&self, network: &Network, java: &Java) {
        self.active.set((self.active.get() + 1) % self.namenodes.len());
        self.activate(network, java);
    }

    /// Starts the DataNode of a host.
    pub fn start_datanode(&self, network: &Network, java: &Java, host: &str) {
        java.start(network, host, "datanode", &hadoop(java, "server.datanode.DataNode"));
    }

    /// Limits the bytes below a folder; without a number, no more.
    pub fn set_quota(&self, network: &Network, java: &Java, folder: &str, bytes: Option<u64>) {
        let words = match bytes {
            Some(bytes) => format!("-setSpaceQuota {bytes} {folder}"),
            None => format!("-clrSpaceQuota {folder}"),
        };
        self.once(network, java, self.active(), &hadoop(java, &format!("tools.DFSAdmin {words}")));
    }

    fn configure(&self, network: &Network, host: &str, part: &str) {
        let log = "log4j.rootLogger=INFO, console\nlog4j.appender.console=org.apache.log4j.ConsoleAppender\n\
                   log4j.appender.console.target=System.err\nlog4j.appender.console.layout=org.apache.log4j.SimpleLayout\n";
        let folder = network.folder.join(host);
        for part in [part, "web/webapps/hdfs", "web/webapps/datanode", "web/webapps/static"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        let data = |part: &str| format!("file://{}", folder.join(part).join("data").display());
        let mut core = self.core();
        core.push(("hadoop.tmp.dir".into(), folder.join("hadoop").display().to_string()));
        let mut hdfs = self.names();
        hdfs.extend(
            [
                ("dfs.replication", self.datanodes.len().to_string()),
                ("dfs.namenode.name.dir", data("namenode")),
                ("dfs.datanode.data.dir", data("datanode")),
                ("dfs.namenode.safemode.extension", "0".into()),
                ("dfs.namenode.datanode.registration.ip-hostname-check", "false".into()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        if self.namenodes.len() > 1 {
            let edits = format!("file://{}", network.folder.join("edits").display());
            hdfs.push(("dfs.namenode.shared.edits.dir".into(), edits));
            hdfs.push(("dfs.ha.fencing.methods".into(), "shell(/bin/true)".into()));
        }
        fs::write(folder.join(part).join("core-site.xml"), xml(&core)).unwrap();
        fs::write(folder.join(part).join("hdfs-site.xml"), xml(&hdfs)).unwrap();
        fs::write(folder.join(part).join("log4j.properties"), log).unwrap();
    }

    fn core(&self) -> Vec<(String, String)> {
        vec![("fs.defaultFS".into(), self.uri())]
    }

    /// What the name of a pair stands for; nothing for a single NameNode.
    fn names(&self) -> Vec<(String, String)> {
        if self.namenodes.len() == 1 {
            return Vec::new();
        }
        let ids: Vec<_> = (0..self.namenodes.len()).map(|i| format!("nn{i}")).collect();
        let provider = "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider";
        let mut properties = vec![
            ("dfs.nameservices".to_owned(), NAME.to_owned()),
            (format!("dfs.ha.namenodes.{NAME}"), ids.join(",")),
            (format!("dfs.client.failover.proxy.provider.{NAME}"), provider.to_owned()),
        ];
        for (id, host) in ids.iter().zip(self.namenodes) {
            properties.push((format!("dfs.namenode.rpc-address.{NAME}.{id}"), format!("{host}:{PORT}")));
            properties.push((format!("dfs.namenode.http-address.{NAME}.{id}"), format!("{host}:{WEB_PORT}")));
        }
        properties
    }

    /// Runs a program of HDFS to its end, by the NameNode's configuration.
    fn once(&self, network: &Network, java: &Java, host: &str, words: &str) {
        let line = self.line(network, java, host, words);
        network.type_on(host, &line, START_LIMIT).expect_success();
    }

    fn line(&self, network: &Network, java: &Java, host: &str, words: &str) -> String {
        format!("cd {}/namenode && {} {words}", network.folder.join(host).display(), java.command)
    }
}

/// The words of Java for a program of HDFS.
fn hadoop(java: &Java, main: &str) -> String {
    let Java { hadoop_flags, hdfs, .. } = java;
    format!("{hadoop_flags} -cp '.:../web:{hdfs}/*' org.apache.hadoop.hdfs.{main}")
}

/// A Hadoop configuration with these properties.
fn xml(properties: &[(String, String)]) -> String {
    let property =
        |(name, value): &(String, String)| format!("<property><name>{name}</name><value>{value}</value></property>");
    format!(
        "<?xml version=\"1.0\"?><configuration>{}</configuration>",
        properties.iter().map(property).collect::<String>()
    )
}
