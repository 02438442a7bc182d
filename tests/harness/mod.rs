//! Masters as real processes, each in a folder of its own, against the ZooKeeper and HDFS of a test bed.
//!
//! Everything goes through what users have: the launchers in `bin/`, the site file, signals. The test bed is named
//! by the environment (`scripts/testbed` writes it); each cluster has its own paths on it, so clusters do not meet.

mod free_port;
mod process;
mod worker;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::Signal;

pub use free_port::free_port;
pub use process::{Outcome, Running, run, start, wait_for};
pub use worker::{WORKER_HOST, Worker};

/// How long a command may take before it counts as hanging. Longer than any failover with default timeouts.
pub const COMMAND_LIMIT: Duration = Duration::from_secs(60);

/// The shared services.
pub struct Services {
    /// `host:port,...`
    pub zookeeper: String,
    /// `hdfs://host:port`
    pub hdfs: String,
    /// Folder of the test bed, for `scripts/testbed`.
    pub folder: PathBuf,
}

impl Services {
    pub fn from_environment() -> Services {
        let read = |name: &str| {
            let value = std::env::var(name).unwrap_or_default();
            assert!(
                !value.is_empty(),
                "{name} is not set: run scripts/test, or `scripts/testbed up` and `set -a; . DIR/testbed.env`"
            );
            value
        };
        Services {
            zookeeper: read("TESTBED_ZOOKEEPER"),
            hdfs: read("TESTBED_HDFS"),
            folder: read("TESTBED_DIR").into(),
        }
    }

    /// Runs `scripts/testbed` with these words on this test bed.
    pub fn testbed(&self, words: &[&str]) {
        let script = project().join("scripts/testbed");
        let folder = self.folder.to_string_lossy();
        run(&script, &[words, &["--dir", &folder]].concat(), &[], COMMAND_LIMIT).expect_success();
    }

    /// Has it done to all ZooKeeper servers, at once: one of a quorum is ready only when a majority is.
    pub fn each_zookeeper(&self, word: &str) {
        let servers = self.zookeeper.split(',').count();
        std::thread::scope(|scope| {
            for server in 1..=servers {
                scope.spawn(move || self.testbed(&[word, "zookeeper", &server.to_string()]));
            }
        });
    }
}

/// A few masters and a client. Dropping it kills the masters and removes the folders, or keeps and shows the logs
/// if the test has failed.
pub struct Cluster {
    /// What they share.
    pub services: Services,
    /// Not started by themselves.
    pub masters: Vec<Master>,
    /// Folder of all; each master and the client has one below it.
    folder: PathBuf,
    /// Home of the client.
    client: PathBuf,
}

impl Cluster {
    /// Writes the folders of `masters` masters and of a client; nothing is started. `settings` go to all site files,
    /// and win.
    pub fn new(masters: usize, settings: &[(&str, &str)]) -> Cluster {
        let name = fresh_name();
        let services = Services::from_environment();
        let shared = [
            ("alluxio.zookeeper.enabled", "true".to_owned()),
            ("alluxio.zookeeper.address", services.zookeeper.clone()),
            ("alluxio.zookeeper.election.path", format!("/{name}/election")),
            ("alluxio.zookeeper.leader.path", format!("/{name}/leader")),
            ("alluxio.master.journal.folder", format!("{}/{name}/journal", services.hdfs)),
        ];
        Cluster::with(services, masters, &name, &shared, settings)
    }

    /// One master with a journal on the local disk, which needs no service.
    pub fn alone(settings: &[(&str, &str)]) -> Cluster {
        Cluster::alone_beside(Services::from_environment(), settings)
    }

    /// The same beside these services, if any.
    pub fn alone_beside(services: Services, settings: &[(&str, &str)]) -> Cluster {
        let name = fresh_name();
        let journal = std::env::temp_dir().join(format!("alluxio-{name}/journal")).display().to_string();
        let shared = [("alluxio.zookeeper.enabled", "false".to_owned()), ("alluxio.master.journal.folder", journal)];
        let mut cluster = Cluster::with(services, 1, &name, &shared, settings);
        let master = &cluster.masters[0];
        let (host, port) = (master.host.clone(), master.port.to_string());
        let own = [("alluxio.master.hostname", host.as_str()), ("alluxio.master.rpc.port", port.as_str())];
        cluster.client = cluster.install("client-of-one", &own);
        cluster
    }

    fn with(
        services: Services,
        masters: usize,
        name: &str,
        shared: &[(&str, String)],
        settings: &[(&str, &str)],
    ) -> Cluster {
        let folder = std::env::temp_dir().join(format!("alluxio-{name}"));
        let site = |own: &[(&str, String)]| {
            let given = settings.iter().map(|(key, value)| (*key, (*value).to_owned()));
            let preset = shared.iter().chain(own).filter(|(key, _)| settings.iter().all(|(given, _)| given != key));
            preset.cloned().chain(given).map(|(key, value)| format!("{key}={value}\n")).collect::<String>()
        };
        // Distinct loopback addresses, so that `fs leader` tells the masters apart.
        let masters = (1..=masters)
            .map(|i| (folder.join(format!("master-{i}")), format!("127.0.2.{i}")))
            .map(|(home, host)| Master { port: free_port(&host), web_port: free_port(&host), home, host })
            .collect::<Vec<_>>();
        for master in &masters {
            let own = [
                ("alluxio.master.hostname", master.host.clone()),
                ("alluxio.master.bind.host", master.host.clone()),
                ("alluxio.master.rpc.port", master.port.to_string()),
                ("alluxio.master.web.bind.host", master.host.clone()),
                ("alluxio.master.web.port", master.web_port.to_string()),
            ];
            install(&master.home, &site(&own));
        }
        let client = folder.join("client");
        install(&client, &site(&[]));
        Cluster { services, masters, folder, client }
    }

    /// An installation for another server of the cluster, with these properties besides. It goes with the cluster.
    pub fn install(&self, name: &str, own: &[(&str, &str)]) -> PathBuf {
        let shared = fs::read_to_string(self.client.join("conf/alluxio-site.properties")).unwrap();
        let own: String = own.iter().map(|(key, value)| format!("{key}={value}\n")).collect();
        let home = self.folder.join(name);
        install(&home, &(shared + &own));
        home
    }

    /// `alluxio format`, from the first master.
    pub fn format(&self) {
        self.masters[0].alluxio(&["format"]).expect_success();
    }

    /// Formats, starts all, and waits until one leads.
    pub fn up(&self) {
        self.format();
        for master in &self.masters {
            master.start().expect_success();
        }
        self.leader();
    }

    /// The client's shell, which finds the leader through ZooKeeper.
    pub fn fs(&self, words: &[&str]) -> Outcome {
        self.start_fs(words).wait(COMMAND_LIMIT)
    }

    /// The same, not waited for.
    pub fn start_fs(&self, words: &[&str]) -> Running {
        start(&self.shell(), &[&["fs"], words].concat(), &[])
    }

    /// The client's `alluxio`.
    pub fn shell(&self) -> PathBuf {
        self.client.join("bin/alluxio")
    }

    /// A shell that talks to one master only, whoever leads, and soon gives up.
    pub fn start_fs_at(&self, master: &Master, words: &[&str]) -> Running {
        let host = format!("-Dalluxio.master.hostname={}", master.host);
        let port = format!("-Dalluxio.master.rpc.port={}", master.port);
        let options = ["-Dalluxio.zookeeper.enabled=false", "-Dalluxio.user.rpc.retry.max.duration=3s", &host, &port];
        start(&self.client.join("bin/alluxio"), &[&["fs"], options.as_slice(), words].concat(), &[])
    }

    /// Waits until `fs leader` names one of the masters; its index.
    pub fn leader(&self) -> usize {
        wait_for("a leader", COMMAND_LIMIT, || self.leader_now())
    }

    /// The same, if clients are told of one at this moment.
    pub fn leader_now(&self) -> Option<usize> {
        let answer = self.fs(&["leader"]);
        self.masters.iter().position(|master| answer.stdout.trim() == master.host)
    }

    /// The names in a directory, in the order of `fs ls`.
    pub fn names(&self, directory: &str) -> Vec<String> {
        let listing = self.fs(&["ls", directory]);
        listing.expect_success();
        let paths = listing.stdout.lines().filter_map(|line| line.split_whitespace().last());
        paths.map(|path| path.rsplit('/').next().unwrap().to_owned()).collect()
    }

    /// Properties that lead the Java client to this cluster, and let it take workers of [`WORKER_HOST`] for its own.
    pub fn java_properties(&self) -> Vec<String> {
        const NEEDED: [&str; 3] = ["alluxio.zookeeper.", "alluxio.master.hostname=", "alluxio.master.rpc.port="];
        let site = fs::read_to_string(self.client.join("conf/alluxio-site.properties")).unwrap();
        let lines = site.lines().filter(|line| NEEDED.iter().any(|needed| line.starts_with(needed)));
        let host = format!("-Dalluxio.user.hostname={WORKER_HOST}");
        lines.map(|line| format!("-D{line}")).chain([host]).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for master in &self.masters {
            // The guardian first: it would start its master again.
            for file in ["master-guardian.pid", "master.pid"] {
                let pid = master.pid_in(file);
                if let Some(pid) = pid.filter(|pid| is_alluxio(*pid)) {
                    let _ = rustix::process::kill_process(pid, Signal::KILL);
                }
            }
        }
        if std::thread::panicking() {
            for master in &self.masters {
                eprintln!("{}", master.log_tail());
            }
            eprintln!("the folders are kept: {}", self.folder.display());
        } else {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// One master: its folder and where it listens.
pub struct Master {
    /// An installation: `bin`, `libexec`, `conf`, `logs`.
    pub home: PathBuf,
    /// A loopback address of its own.
    pub host: String,
    /// The port of its RPC service.
    pub port: u16,
    /// The port of its web pages.
    pub web_port: u16,
}

impl Master {
    /// `alluxio-start.sh master`: returns when the master serves or has failed.
    pub fn start(&self) -> Outcome {
        run(&self.home.join("bin/alluxio-start.sh"), &["master"], &[], COMMAND_LIMIT)
    }

    /// `alluxio-stop.sh master`: SIGTERM, and returns when the process has ended.
    pub fn stop(&self) -> Outcome {
        run(&self.home.join("bin/alluxio-stop.sh"), &["master"], &[], COMMAND_LIMIT)
    }

    /// `alluxio ...` with this master's configuration.
    pub fn alluxio(&self, words: &[&str]) -> Outcome {
        run(&self.home.join("bin/alluxio"), words, &[], COMMAND_LIMIT)
    }

    /// Sends a signal to the process that listens.
    pub fn signal(&self, signal: Signal) {
        let pid = self.pid_in("master.pid").expect("the master has a pid file");
        assert!(is_alluxio(pid), "the pid file of {} names a process of ours", self.host);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Kills the guardian and the master, as a crash of the host would.
    pub fn kill_with_guardian(&self) {
        let guardian = self.pid_in("master-guardian.pid").expect("the guardian has a pid file");
        let master = self.pid_in("master.pid").expect("the master has a pid file");
        rustix::process::kill_process(guardian, Signal::KILL).unwrap();
        let _ = rustix::process::kill_process(master, Signal::KILL); // it dies with its guardian
    }

    /// True while something accepts connections at its address.
    pub fn listens(&self) -> bool {
        std::net::TcpStream::connect((self.host.as_str(), self.port)).is_ok()
    }

    /// Bytes that clients have sent and the process has not read.
    pub fn unread_bytes(&self) -> u64 {
        unread(&self.host, self.port).into_iter().sum()
    }

    /// The pid in a file of the logs folder.
    fn pid_in(&self, file: &str) -> Option<rustix::process::Pid> {
        let text = fs::read_to_string(self.home.join("logs").join(file)).ok()?;
        rustix::process::Pid::from_raw(text.split_whitespace().next()?.parse().ok()?)
    }

    /// The end of the log and of what went to the terminal.
    pub fn log_tail(&self) -> String {
        let mut tail = String::new();
        for file in ["master.log", "master.out"] {
            let text = fs::read_to_string(self.home.join("logs").join(file)).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            let end = lines[lines.len().saturating_sub(40)..].join("\n");
            tail += &format!("--- {} of {} ends:\n{end}\n", file, self.host);
        }
        tail
    }
}

fn fresh_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What clients have sent to a server at this address and it has not read, as the kernel counts it: the bytes of each
/// connection.
fn unread(host: &str, port: u16) -> Vec<u64> {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let octets: Vec<u8> = host.split('.').map(|octet| octet.parse().unwrap()).collect();
    let address = format!("{:08X}:{port:04X}", u32::from_le_bytes(octets.try_into().unwrap()));
    let columns = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let established = columns.filter(|c| c[1] == address && c[3] == "01");
    established.map(|c| u64::from_str_radix(c[4].rsplit(':').next().unwrap(), 16).unwrap()).collect()
}

/// How many connections to this address have said something that is not read.
pub fn unread_connections(host: &str, port: u16) -> usize {
    unread(host, port).into_iter().filter(|bytes| *bytes > 0).count()
}

/// Root of the project.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An installation in a folder of its own: launchers, the program under test, configuration.
pub fn install(home: &Path, site: &str) {
    for folder in ["bin", "libexec", "conf"] {
        fs::create_dir_all(home.join(folder)).unwrap();
        for entry in fs::read_dir(project().join(folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_file() {
                fs::copy(entry.path(), home.join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    std::os::unix::fs::symlink(program(), home.join("libexec/alluxio")).unwrap();
    fs::write(home.join("conf/alluxio-site.properties"), site).unwrap();
    // `format` is to leave a worker of this machine alone.
    fs::write(home.join("conf/workers"), "# none\n").unwrap();
}

/// The program under test: the one that was built with the tests, or `ALLUXIO_TEST_PROGRAM`.
fn program() -> PathBuf {
    std::env::var_os("ALLUXIO_TEST_PROGRAM").map_or_else(|| env!("CARGO_BIN_EXE_alluxio").into(), PathBuf::from)
}

/// A pid could have gone to another process.
fn is_alluxio(pid: rustix::process::Pid) -> bool {
    let program = fs::read_link(format!("/proc/{}/exe", pid.as_raw_nonzero()));
    program.is_ok_and(|path| path.to_string_lossy().contains("alluxio"))
}
