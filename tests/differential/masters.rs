//! A master of 2.9.6 and one of ours, each with a probe that sends it calls, in folders of their own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Lines, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::call::{Answer, Call};
use crate::free_port::free_port;

const LIMIT: Duration = Duration::from_secs(120);

/// How both are set: nothing happens by itself, and what was absent in the UFS may be there the next moment.
const BOTH: [&str; 6] = [
    "alluxio.master.hostname=127.0.0.1",
    "alluxio.master.worker.connect.wait.time=1ms",
    "alluxio.master.worker.timeout=10h",
    "alluxio.master.ttl.checker.interval=10h",
    "alluxio.user.block.size.bytes.default=1KB",
    "alluxio.master.lost.worker.file.detection.interval=10h",
];

/// What only 2.9.6 has.
const JAVA: [&str; 7] = [
    "alluxio.master.journal.type=UFS",
    "alluxio.master.metastore=HEAP",
    "alluxio.master.update.check.enabled=false",
    "alluxio.master.ufs.path.cache.capacity=0",
    "alluxio.master.persistence.checker.interval=10h",
    "alluxio.master.persistence.scheduler.interval=10h",
    "alluxio.master.replication.check.interval=10h",
];

/// Both, running.
pub struct Pair {
    /// 2.9.6.
    pub java: Side,
    /// Ours.
    pub ours: Side,
    folder: TempDir,
}

impl Pair {
    pub fn start() -> Pair {
        let folder = TempDir::new().unwrap();
        let at = folder.path();
        let java = std::thread::scope(|scope| {
            let java = scope.spawn(|| Side::new(&at.join("java"), java));
            (Side::new(&at.join("ours"), ours), java.join().unwrap())
        });
        Pair { ours: java.0, java: java.1, folder }
    }

    /// Begins a sequence, below a directory of its own.
    pub fn begin(&mut self, number: u64) {
        self.say(&format!("-\tbegin\ts{number:06}"));
    }

    /// Has a worker registered at both. 2.9.6 listens for a while before it serves.
    pub fn register_worker(&mut self) {
        let mut said = String::new();
        for _ in 0..300 {
            let (java, ours) = self.ask(&Call::new("root", "worker", &[]));
            if java == ours && matches!(java, Answer::Done(_)) {
                return;
            }
            said = format!("2.9.6: {java}\nours: {ours}");
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("no worker: {said}\n{}\n{}", self.java.said(), self.ours.said());
    }

    /// The answers of 2.9.6 and of ours.
    pub fn ask(&mut self, call: &Call) -> (Answer, Answer) {
        self.say(&call.to_string())
    }

    /// A master has ended: 2.9.6 does so at some calls.
    pub fn is_over(&mut self) -> bool {
        [&mut self.java, &mut self.ours].into_iter().any(|side| side.master.try_wait().unwrap().is_some())
    }

    /// Gives a master that does not answer any more the time to end.
    pub fn wait_for_end(&mut self) {
        for _ in 0..300 {
            if self.is_over() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn say(&mut self, line: &str) -> (Answer, Answer) {
        self.java.send(line);
        self.ours.send(line);
        (self.java.receive(line), self.ours.receive(line))
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("journals, logs and files of both are kept: {}", self.folder.path().display());
        }
    }
}

/// A master and its probe.
pub struct Side {
    master: Child,
    probe: Child,
    calls: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    folder: PathBuf,
}

impl Side {
    fn new(folder: &Path, start: fn(&Path, &[String]) -> Command) -> Side {
        fs::create_dir_all(folder.join("ufs")).unwrap();
        fs::create_dir_all(folder.join("other")).unwrap();
        let [port, web] = [(); 2].map(|()| free_port("127.0.0.1"));
        let own = [
            format!("alluxio.master.rpc.port={port}"),
            format!("alluxio.master.web.port={web}"),
            format!("alluxio.master.journal.folder={}", folder.join("journal").display()),
            format!("alluxio.master.mount.table.root.ufs={}", folder.join("ufs").display()),
        ];
        let properties: Vec<String> = BOTH.iter().map(|property| (*property).to_owned()).chain(own).collect();
        let log = File::create(folder.join("out")).unwrap();
        let mut master = start(folder, &properties);
        let master = master.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        let mut probe = script("java-client");
        probe.args(["-Dalluxio.master.hostname=127.0.0.1", "-Dalluxio.user.rpc.retry.max.duration=2s"]);
        probe.args([
            "-Dalluxio.security.login.impersonation.username=_NONE_",
            "-Dalluxio.user.metrics.collection.enabled=false",
        ]);
        probe.arg(format!("-Dalluxio.master.rpc.port={port}")).arg("calls");
        probe.args([folder.join("ufs"), folder.join("other")]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let errors = File::create(folder.join("probe")).unwrap();
        let mut side = Side::of(master, probe.stderr(errors).spawn().unwrap(), folder.to_owned());
        side.wait_for(port);
        side
    }

    fn of(master: Child, mut probe: Child, folder: PathBuf) -> Side {
        let calls = probe.stdin.take().unwrap();
        let answers = BufReader::new(probe.stdout.take().unwrap()).lines();
        Side { master, probe, calls, answers, folder }
    }

    #[expect(clippy::disallowed_methods, reason = "a test measures its own patience")]
    fn wait_for(&mut self, port: u16) {
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(self.master.try_wait().unwrap().is_none(), "the master has ended: {}", self.said());
            assert!(begin.elapsed() < LIMIT, "nothing listens: {}", self.said());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What master and probe wrote, at its end.
    fn said(&self) -> String {
        let text = |name: &str| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        let all = text("out") + &text("probe");
        let lines: Vec<&str> = all.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    fn send(&mut self, line: &str) {
        writeln!(self.calls, "{line}").and_then(|()| self.calls.flush()).unwrap();
    }

    fn receive(&mut self, line: &str) -> Answer {
        let Some(answer) = self.answers.next() else { panic!("no answer to {line}:\n{}", self.said()) };
        Answer::parse(&answer.unwrap())
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        for child in [&mut self.probe, &mut self.master] {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name))
}

fn java(folder: &Path, properties: &[String]) -> Command {
    fs::create_dir_all(folder.join("conf")).unwrap();
    let own = format!("\nalluxio.home={0}\nalluxio.work.dir={0}/data\n", folder.display());
    let all = properties.join("\n") + "\n" + &JAVA.join("\n") + &own;
    fs::write(folder.join("conf/alluxio-site.properties"), all).unwrap();
    let log4j = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/java/log4j.properties");
    fs::copy(log4j, folder.join("conf/log4j.properties")).unwrap();
    let formatted = script("java-master").arg("format").arg(folder).output().unwrap();
    assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stderr));
    let mut command = script("java-master");
    command.arg("run").arg(folder);
    command
}

fn ours(folder: &Path, properties: &[String]) -> Command {
    let command = |word: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_alluxio"));
        command.arg(word).env("ALLUXIO_HOME", folder).env("ALLUXIO_CONF_DIR", folder);
        command.env("ALLUXIO_LOGS_DIR", folder.join("logs")).arg("-Dalluxio.compatibility=2.9");
        command.args(properties.iter().map(|property| format!("-D{property}")));
        command
    };
    let formatted = command("format").output().unwrap();
    assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stderr));
    command("master")
}
