//! A test bed of real ZooKeeper servers of its own, and Java contenders in their election.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// The folder of `scripts/testbed`; TESTBED_SCRIPTS names another one.
fn scripts() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    std::env::var_os("TESTBED_SCRIPTS").map_or(here, PathBuf::from)
}

/// One or three servers, stopped at the end.
pub struct Bed {
    folder: tempfile::TempDir,
    servers: usize,
}

impl Bed {
    /// Starts servers of this version and waits until they serve.
    pub fn up(version: &str, servers: usize) -> Bed {
        let bed = Bed { folder: tempfile::tempdir().expect("a temporary folder"), servers };
        bed.run(&["up", "--zookeeper", version, "--zookeepers", &servers.to_string(), "--datanodes", "0"]);
        bed
    }

    /// `host:port` of a server, counted from 1.
    pub fn server(&self, number: usize) -> String {
        let file = self.dir().join(format!("zookeeper-{number}/address"));
        std::fs::read_to_string(&file).expect("the test bed writes addresses").trim().to_owned()
    }

    /// All servers.
    pub fn address(&self) -> String {
        (1..=self.servers).map(|number| self.server(number)).collect::<Vec<_>>().join(",")
    }

    /// kill -9.
    pub fn kill(&self, number: usize) {
        self.run(&["kill", "zookeeper", &number.to_string()]);
    }

    /// Starts a server that was killed, and waits until it serves.
    pub fn start(&self, number: usize) {
        self.run(&["start", "zookeeper", &number.to_string()]);
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join("bed")
    }

    fn run(&self, words: &[&str]) {
        let mut command = Command::new("timeout"); // of coreutils: a bed that does not come up is a failure
        command.arg("120").arg(scripts().join("testbed")).args(words).arg("--dir").arg(self.dir());
        let output = command.output().expect("scripts/testbed runs");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "scripts/testbed {words:?} failed: {text}");
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let down = Command::new(scripts().join("testbed")).arg("down").arg("--dir").arg(self.dir()).output();
        if !down.is_ok_and(|down| down.status.success()) {
            eprintln!("the test bed in {} was not taken down", self.dir().display());
        }
    }
}

/// A Java process that contends through Curator's `LeaderSelector`.
pub struct Curator {
    process: Child,
    input: ChildStdin,
    lines: mpsc::Receiver<String>,
}

impl Curator {
    /// Starts a contender of this Curator version in the election path, and waits until it is connected.
    pub fn start(version: &str, address: &str, path: &str, id: &str) -> Curator {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/zookeeper_latch");
        let jars = curator_jars(version, &here);
        let mut process = Command::new("java")
            .args(["-Xmx128m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error", "-cp", &format!("{jars}/*")])
            .arg(here.join("CuratorContender.java"))
            .args([address, path, id])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("java runs");
        let input = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        let curator = Curator { process, input, lines };
        curator.until("CONNECTED");
        curator
    }

    /// Waits for a line that begins with the word; returns the rest.
    pub fn until(&self, word: &str) -> String {
        let mut heard = Vec::new();
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(60));
            let line = line.unwrap_or_else(|_| panic!("no line {word} from the Java contender, but {heard:?}"));
            if let Some(rest) = line.strip_prefix(word) {
                return rest.trim().to_owned();
            }
            heard.push(line);
        }
    }

    /// The next line is not looked for: whether the word was said already.
    pub fn has_said(&self, word: &str) -> bool {
        self.lines.try_iter().any(|line| line.starts_with(word))
    }

    /// Sends a command: `who`, `release` or `quit`.
    pub fn say(&mut self, command: &str) {
        writeln!(self.input, "{command}").expect("the Java contender listens");
    }
}

impl Drop for Curator {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The folder with the jars of a Curator version, through Maven and the cache of the test bed.
fn curator_jars(version: &str, here: &Path) -> String {
    let script = r#"set -e; . "$1"; poms=$2; jars "$3""#;
    let output = Command::new("bash")
        .args(["-c", script, "jars"])
        .arg(scripts().join("testbed.d/jars.sh"))
        .arg(here.join("poms"))
        .arg(format!("curator-{version}"))
        .output()
        .expect("bash runs");
    assert!(output.status.success(), "no jars of Curator {version}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
