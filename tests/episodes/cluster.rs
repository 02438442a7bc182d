//! Three masters on hosts of their own, on three ZooKeepers, a NameNode and three DataNodes: ours, from the package, or the
//! originals.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::Clock;
use crate::faults::Fault;
use crate::hdfs::Hdfs;
use crate::hosts::{Network, address};
use crate::process::{Outcome, run, wait_for};
use crate::services::{self, Java, QUORUM};

pub const MASTERS: [&str; 3] = ["server06", "server07", "server08"];
const HOSTS: [&str; 6] = ["server03", "server04", "server05", "server06", "server07", "server08"];
/// A pair.
pub const NAMENODES: [&str; 2] = [QUORUM[0], QUORUM[1]];
/// How long a command may take before it counts as hanging.
pub const LIMIT: Duration = Duration::from_secs(90);
const PORT: u16 = 19998;
/// Entries between two checkpoints of a standby: a few in each episode.
const CHECKPOINT_ENTRIES: u32 = 1000;
/// Size of a segment of the journal: a few in each episode.
const SEGMENT_BYTES: &str = "128KB";
/// The folder of the journal in HDFS.
pub const JOURNAL: &str = "/journal";
/// The folder in HDFS below the namespace.
pub const UFS: &str = "/ufs";
/// Room of a DataNode: in memory, so that it can be filled. For each open block it keeps 128 MB free, and for those of writers
/// that broke off, too, until they are recovered.
const DATANODE_DISK: &str = "2g";

/// Whose masters they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Masters {
    Ours,
    /// Java 2.9.6, as it comes.
    Java,
}

pub struct Cluster {
    pub network: Network,
    pub services: Java,
    pub hdfs: Hdfs,
    pub masters: Masters,
    /// The folder of the masters, the same on each host.
    home: PathBuf,
    /// Of our masters, by host.
    clocks: BTreeMap<&'static str, Clock>,
}

/// Root of the project.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Cluster {
    /// Formatted and started.
    pub fn up(masters: Masters) -> Cluster {
        let network = Network::up(&HOSTS, project());
        for host in QUORUM {
            let disk = network.folder.join(host).join("datanode/data");
            let line =
                format!("mkdir -p {0} && mount -t tmpfs -o size={DATANODE_DISK},mode=700 tmpfs {0}", disk.display());
            network.type_on(host, &line, LIMIT).expect_success();
        }
        let hdfs = Hdfs::on(&NAMENODES, &QUORUM);
        let services = services::start(&network, project(), &hdfs);
        let home = match masters {
            Masters::Ours => unpack(&network),
            Masters::Java => network.folder.join("opt"),
        };
        let clocked = MASTERS.into_iter().filter(|_| masters == Masters::Ours);
        let clocks = clocked.map(|host| (host, Clock::new(&network.folder.join(host)))).collect();
        let cluster = Cluster { network, services, hdfs, masters, home, clocks };
        for host in MASTERS {
            cluster.configure(host);
        }
        let format = match masters {
            Masters::Ours => "bin/alluxio format".to_owned(),
            Masters::Java => cluster.java("alluxio.cli.Format master"),
        };
        cluster.on(MASTERS[0], &format).expect_success();
        cluster.start_all();
        cluster
    }

    /// Starts the masters that do not run.
    pub fn start_all(&self) {
        MASTERS.iter().for_each(|host| self.start(host));
    }

    /// Properties that lead clients to the masters.
    pub fn properties(&self) -> Vec<String> {
        let quorum = QUORUM.map(|host| format!("{}:2181", address(host))).join(",");
        vec!["alluxio.zookeeper.enabled=true".to_owned(), format!("alluxio.zookeeper.address={quorum}")]
    }

    fn configure(&self, host: &str) {
        let hdfs = self.hdfs.uri();
        let mut lines = self.properties();
        lines.push(format!("alluxio.master.hostname={}", address(host)));
        lines.push(format!("alluxio.master.journal.folder={hdfs}{JOURNAL}"));
        lines.push(format!("alluxio.master.mount.table.root.ufs={hdfs}{UFS}"));
        match self.masters {
            Masters::Ours => {
                lines.push(format!("alluxio.master.journal.checkpoint.period.entries={CHECKPOINT_ENTRIES}"));
                lines.push(format!("alluxio.master.journal.log.size.bytes.max={SEGMENT_BYTES}"));
                // All masters are asked for digests of their states.
                lines.push("alluxio.standby.master.web.enabled=true".to_owned());
            }
            Masters::Java => {
                let home = self.home.display();
                lines.push("alluxio.master.journal.type=UFS".to_owned());
                lines.push("alluxio.master.update.check.enabled=false".to_owned());
                let conf = self.own(host).join("conf").display().to_string();
                lines.push(format!("alluxio.underfs.hdfs.configuration={conf}/core-site.xml:{conf}/hdfs-site.xml"));
                lines.push(format!("alluxio.home={home}\nalluxio.work.dir={home}/data"));
                lines.push(format!("alluxio.master.metastore.dir={home}/metastore"));
            }
        }
        let conf = self.own(host).join("conf");
        fs::create_dir_all(&conf).unwrap();
        fs::create_dir_all(self.own(host).join("logs")).unwrap();
        fs::write(conf.join("alluxio-site.properties"), lines.join("\n") + "\n").unwrap();
        fs::write(conf.join("workers"), "# none\n").unwrap();
        for (name, text) in self.hdfs.client_files() {
            fs::write(conf.join(name), text).unwrap();
        }
        if self.masters == Masters::Java {
            let log = project().join("tests/java/log4j.properties");
            fs::copy(log, conf.join("log4j.properties")).unwrap();
        }
    }

    /// The folder of the masters of a host, as this machine sees it.
    fn own(&self, host: &str) -> PathBuf {
        let below = self.home.strip_prefix(self.network.folder.join("opt")).unwrap();
        self.network.folder.join(host).join("opt").join(below)
    }

    /// Types a line on a host, in the folder of the masters.
    pub fn on(&self, host: &str, line: &str) -> Outcome {
        let clock = self.clocks.get(host).map(Clock::prefix).unwrap_or_default();
        let outcome = self.network.type_on(host, &format!("{clock}cd '{}' && {line}", self.home.display()), LIMIT);
        Outcome { command: format!("{host}: {line}"), ..outcome }
    }

    /// Whether it has what the fault needs: a JVM cannot be given a clock of its own.
    pub fn can_have(&self, fault: Fault) -> bool {
        self.masters == Masters::Ours || !matches!(fault, Fault::ClockForward(_) | Fault::ClockBack(_))
    }

    /// Sets the wall clock of a master of ours so many seconds ahead of this machine's, or behind it.
    pub fn step_clock(&self, host: &str, seconds: i64) {
        let Some(clock) = self.clocks.get(host) else { return };
        clock.step(seconds);
        let stepped = format!("off=$(($(date +%s) - $(env -u LD_PRELOAD date +%s) - {seconds})); [ ${{off#-}} -lt 5 ]");
        self.on(host, &stepped).expect_success();
    }

    /// The words of Java for a program of the originals.
    fn java(&self, main: &str) -> String {
        let find = ". testbed.d/jars.sh && . testbed.d/alluxio_java.sh && echo \"$alluxio_java_jvm_flags -cp \
                    '$(alluxio_java_class_path)'\"";
        let line = format!("cd '{}'/scripts && {find}", project().display());
        let found = run(Path::new("bash"), &["-c", &line], &[], 10 * LIMIT);
        format!(
            "{} -Xmx512m -Dalluxio.logs.dir=logs {} {main}",
            self.services.command,
            found.expect_success().stdout.trim()
        )
    }

    /// Starts the master of a host, unless it runs.
    pub fn start(&self, host: &str) {
        match self.masters {
            Masters::Ours => {
                let started = self.on(host, "bin/alluxio-start.sh master");
                assert!(started.success() || started.stderr.contains("already running"), "{started}");
            }
            Masters::Java => {
                let main = self.java("alluxio.master.AlluxioMaster");
                let line = format!("{{ setsid {main} >>logs/master.out 2>&1 </dev/null & echo $! >logs/master.pid; }}");
                self.on(host, &format!("kill -0 $(cat logs/master.pid) 2>/dev/null || {line}")).expect_success();
            }
        }
    }

    /// kill -9 of all masters.
    pub fn kill_all(&self) {
        MASTERS.iter().for_each(|host| self.signal(host, "KILL"));
    }

    /// A planned stop.
    pub fn stop(&self, host: &str) {
        match self.masters {
            Masters::Ours => self.on(host, "bin/alluxio-stop.sh master"),
            Masters::Java => {
                let line = "pid=$(cat logs/master.pid); kill $pid; while kill -0 $pid 2>/dev/null; do sleep 0.05; done";
                self.on(host, line)
            }
        }
        .expect_success();
    }

    /// Sends a signal to the master that listens. It may have ended.
    pub fn signal(&self, host: &str, signal: &str) {
        self.on(host, &format!("kill -{signal} $(cat logs/master.pid) || true"));
    }

    /// The same, to its guardian first.
    pub fn kill_with_guardian(&self, host: &str) {
        self.on(host, "kill -9 $(cat logs/master-guardian.pid logs/master.pid) || true");
    }

    /// Waits until a port of a master accepts connections.
    pub fn wait_for_master(&self, host: &str) {
        let line = format!("exec 3<>/dev/tcp/{}/{PORT}", address(host));
        wait_for(&format!("the master of {host}"), LIMIT, || self.on(host, &line).success().then_some(()));
    }

    /// Whose address this is.
    pub fn host_of(master: &str) -> Option<&'static str> {
        MASTERS.into_iter().find(|host| master == format!("{}:{PORT}", address(host)))
    }

    /// Has the whole journal read and compared with the checkpoints of all masters; what it holds.
    pub fn verify(&self) -> String {
        self.on(MASTERS[0], "bin/alluxio journal verify").expect_success().stdout.clone()
    }
}

/// Where the DataNode of a host keeps its blocks, as the host sees it.
pub fn datanode_disk(cluster: &Cluster, host: &str) -> PathBuf {
    cluster.network.folder.join(host).join("datanode/data")
}

fn unpack(network: &Network) -> PathBuf {
    let package = std::env::var("ALLUXIO_TEST_PACKAGE").unwrap_or_default();
    assert!(
        !package.is_empty(),
        "ALLUXIO_TEST_PACKAGE is not set: run scripts/test --long episodes, or name what scripts/package has made"
    );
    for host in MASTERS {
        let opt = network.folder.join(host).join("opt");
        run(Path::new("tar"), &["-xzf", &package, "-C", opt.to_str().unwrap()], &[], LIMIT).expect_success();
    }
    network.folder.join("opt").join(format!("alluxio-{}", env!("CARGO_PKG_VERSION")))
}
