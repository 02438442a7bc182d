//! A master and a worker as processes, with ports of their own, and what asks for their pages.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::free_port::free_port;
use crate::page::{self, Answer};

/// Nothing here takes longer, unless it hangs.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Ends with the test.
pub struct Bed {
    /// Everything of the servers: `conf`, `logs`, `ufs`, `ram`, `journal`.
    pub folder: tempfile::TempDir,
    pub master: u16,
    pub worker: u16,
    /// The port of the pages of the master.
    pub web: u16,
    pub worker_web: u16,
    properties: Vec<String>,
    processes: Vec<Child>,
}

impl Bed {
    /// Formatted; nothing runs.
    pub fn new(own: &[&str]) -> Bed {
        let folder = tempfile::tempdir().unwrap();
        for name in ["conf", "logs", "ufs"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let [master, web, worker, worker_web] = [(); 4].map(|()| free_port("127.0.0.1"));
        let in_folder = |name: &str| folder.path().join(name).display().to_string();
        let mut properties: Vec<String> = [
            ("master.hostname", "127.0.0.1".into()),
            ("master.bind.host", "127.0.0.1".into()),
            ("master.rpc.port", master.to_string()),
            ("master.web.bind.host", "127.0.0.1".into()),
            ("master.web.port", web.to_string()),
            ("worker.hostname", "127.0.0.1".into()),
            ("worker.bind.host", "127.0.0.1".into()),
            ("worker.rpc.port", worker.to_string()),
            ("worker.web.bind.host", "127.0.0.1".into()),
            ("worker.web.port", worker_web.to_string()),
            ("worker.ramdisk.size", "64MB".into()),
            ("worker.tieredstore.level0.dirs.path", in_folder("ram")),
            ("underfs.address", in_folder("ufs")),
            ("master.journal.folder", in_folder("journal")),
            ("user.block.size.bytes.default", "16KB".into()),
        ]
        .into_iter()
        .map(|(name, value): (&str, String)| format!("-Dalluxio.{name}={value}"))
        .collect();
        properties.extend(own.iter().map(|property| format!("-D{property}")));
        let bed = Bed { folder, master, worker, web, worker_web, properties, processes: Vec::new() };
        bed.alluxio(&["format"]);
        bed
    }

    /// A master that serves, with pages.
    pub fn with_master(own: &[&str]) -> Bed {
        Bed::new(own).and_master()
    }

    /// The same with what is in its folder already.
    pub fn and_master(mut self) -> Bed {
        self.start("master");
        self.listens(self.web);
        self
    }

    /// A master and a worker that serve, with pages.
    pub fn up(own: &[&str]) -> Bed {
        let mut bed = Bed::with_master(own);
        bed.start("worker");
        bed.listens(bed.worker_web);
        bed.until("the worker has registered", || {
            bed.get("/workers").text().contains(&format!("127.0.0.1:{}", bed.worker)).then_some(())
        });
        bed
    }

    /// Starts a server in this folder.
    pub fn start(&mut self, server: &str) {
        let process = self.command(&[server]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        self.processes.push(process);
    }

    /// Ends the server that was started last.
    pub fn kill(&mut self) {
        let mut process = self.processes.pop().unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_alluxio"));
        command.env_clear().env("ALLUXIO_HOME", self.folder.path()).args(words).args(&self.properties);
        command
    }

    /// Runs a command that succeeds; what it says.
    pub fn alluxio(&self, words: &[&str]) -> String {
        let output = self.command(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A file in the UFS.
    pub fn ufs(&self, name: &str) -> PathBuf {
        self.folder.path().join("ufs").join(name)
    }

    /// A page of the master.
    pub fn get(&self, path: &str) -> Answer {
        let there = TcpStream::connect(("127.0.0.1", self.web));
        assert!(there.is_ok(), "no pages of the master, {path}: {there:?}\n{}", self.logs());
        ask(self.web, "GET", path)
    }

    /// A page of the worker.
    pub fn get_of_worker(&self, path: &str) -> Answer {
        ask(self.worker_web, "GET", path)
    }

    pub fn listens(&self, port: u16) {
        self.until(&format!("something listens at {port}"), || TcpStream::connect(("127.0.0.1", port)).ok());
    }

    fn logs(&self) -> String {
        let log = |name| read_all(&self.folder.path().join("logs").join(name));
        log("master.log") + &log("worker.log")
    }

    /// Waits until there is something.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            if began.elapsed() > LIMIT {
                panic!("waited in vain: {what}\n{}", self.logs());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Asks a server on this machine.
pub fn ask(port: u16, method: &str, path: &str) -> Answer {
    page::ask("127.0.0.1", port, method, path)
}

/// A file of the project in the namespace, of two blocks.
pub fn put(bed: &Bed, name: &str) -> Vec<u8> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/ARCHITECTURE.md");
    bed.alluxio(&["fs", "copyFromLocal", source, name]);
    std::fs::read(source).unwrap()
}

/// Content of a file, if there is one.
pub fn read_all(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
