//! A master and a worker of ours, with a folder and ports of their own, for as long as a test runs.

use std::env;
use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::free_port::free_port;

/// A running master with its worker.
pub struct Master {
    /// `host:port`
    pub address: String,
    /// Host of its worker.
    pub worker_host: String,
    /// The folder that stands for the HDFS of the recordings; `ufs` in it is the UFS.
    pub hdfs: PathBuf,
    /// Master and worker; none when somebody else runs them.
    processes: Vec<Child>,
    /// Journal and logs; goes with the test.
    _folder: TempDir,
}

impl Master {
    /// Formats a journal, starts a master on it, and waits until it listens.
    pub fn start() -> Master {
        let folder = TempDir::new().unwrap();
        if let Ok(address) = env::var("ALLUXIO_TEST_MASTER") {
            let hdfs = env::var("ALLUXIO_TEST_HDFS").expect("ALLUXIO_TEST_HDFS is the folder with its UFS").into();
            return Master { address, worker_host: "127.0.0.1".into(), hdfs, processes: Vec::new(), _folder: folder };
        }
        let [master, web, worker, worker_web] = [(); 4].map(|()| free_port("127.0.0.1"));
        let ports = Ports { master, web, worker, worker_web };
        let formatted = alluxio(&["format"], folder.path(), &ports).status().unwrap();
        assert!(formatted.success(), "alluxio format failed: {formatted}");
        let processes = vec![
            alluxio(&["master"], folder.path(), &ports).spawn().unwrap(),
            alluxio(&["worker"], folder.path(), &ports).spawn().unwrap(),
        ];
        let (address, hdfs) = (format!("127.0.0.1:{}", ports.master), folder.path().join("hdfs"));
        let mut master = Master { address, worker_host: "127.0.0.1".into(), hdfs, processes, _folder: folder };
        // A worker listens once it is registered.
        for port in [ports.master, ports.worker] {
            master.wait_until_something_listens(&format!("127.0.0.1:{port}"));
        }
        master
    }

    /// Its host.
    pub fn host(&self) -> &str {
        self.address.rsplit_once(':').unwrap().0
    }

    #[expect(clippy::disallowed_methods, reason = "a test measures its own patience")]
    fn wait_until_something_listens(&mut self, address: &str) {
        let begin = Instant::now();
        while TcpStream::connect(address).is_err() {
            let ended = self.processes.iter_mut().any(|process| process.try_wait().unwrap().is_some());
            assert!(!ended, "master or worker has ended: {}", self.log());
            assert!(begin.elapsed() < Duration::from_secs(20), "nothing listens at {address}: {}", self.log());
            std::thread::yield_now();
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self._folder.path().join("out")).unwrap_or_default()
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

struct Ports {
    master: u16,
    web: u16,
    worker: u16,
    worker_web: u16,
}

fn alluxio(words: &[&str], folder: &Path, ports: &Ports) -> Command {
    let out = File::options().create(true).append(true).open(folder.join("out")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_alluxio"));
    command.args(words).env_clear().env("ALLUXIO_HOME", folder).stderr(out.try_clone().unwrap()).stdout(out);
    command.env("ALLUXIO_CONF_DIR", folder).env("ALLUXIO_LOGS_DIR", folder.join("logs"));
    let ufs = folder.join("hdfs/ufs");
    std::fs::create_dir_all(&ufs).unwrap();
    for property in [
        String::from("alluxio.master.hostname=127.0.0.1"),
        format!("alluxio.master.rpc.port={}", ports.master),
        format!("alluxio.master.web.port={}", ports.web),
        String::from("alluxio.worker.hostname=127.0.0.1"),
        format!("alluxio.worker.rpc.port={}", ports.worker),
        format!("alluxio.worker.web.port={}", ports.worker_web),
        String::from("alluxio.worker.ramdisk.size=1GB"),
        format!("alluxio.worker.tieredstore.level0.dirs.path={}", folder.join("ram").display()),
        format!("alluxio.master.journal.folder={}", folder.join("journal").display()),
        format!("alluxio.underfs.address={}", ufs.display()),
    ] {
        command.arg(format!("-D{property}"));
    }
    command
}
