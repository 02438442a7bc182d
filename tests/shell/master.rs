//! A master of ours, with a folder and ports of its own, for as long as a test runs.

use std::env;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running master.
pub struct Master {
    /// `host:port`
    pub address: String,
    /// None when somebody else runs it.
    process: Option<Child>,
    /// Journal and logs; goes with the test.
    _folder: TempDir,
}

impl Master {
    /// Formats a journal, starts a master on it, and waits until it listens.
    pub fn start() -> Master {
        let folder = TempDir::new().unwrap();
        if let Ok(address) = env::var("ALLUXIO_TEST_MASTER") {
            return Master { address, process: None, _folder: folder };
        }
        let (rpc, web) = (free_port(), free_port());
        let formatted = alluxio(&["format"], folder.path(), rpc, web).status().unwrap();
        assert!(formatted.success(), "alluxio format failed: {formatted}");
        let process = Some(alluxio(&["master"], folder.path(), rpc, web).spawn().unwrap());
        let mut master = Master { address: format!("127.0.0.1:{rpc}"), process, _folder: folder };
        master.wait_until_it_listens();
        master
    }

    /// Its host.
    pub fn host(&self) -> &str {
        self.address.rsplit_once(':').unwrap().0
    }

    #[expect(clippy::disallowed_methods, reason = "a test measures its own patience")]
    fn wait_until_it_listens(&mut self) {
        let begin = Instant::now();
        while TcpStream::connect(&self.address).is_err() {
            let process = self.process.as_mut().unwrap();
            assert!(process.try_wait().unwrap().is_none(), "the master has ended: {}", self.log());
            assert!(begin.elapsed() < Duration::from_secs(20), "the master does not listen: {}", self.log());
            std::thread::yield_now();
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self._folder.path().join("out")).unwrap_or_default()
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // It may have ended by itself.
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn alluxio(words: &[&str], folder: &Path, rpc: u16, web: u16) -> Command {
    let out = File::options().create(true).append(true).open(folder.join("out")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_alluxio"));
    command.args(words).env_clear().env("ALLUXIO_HOME", folder).stderr(out.try_clone().unwrap()).stdout(out);
    command.env("ALLUXIO_CONF_DIR", folder).env("ALLUXIO_LOGS_DIR", folder.join("logs"));
    let ufs = folder.join("ufs");
    std::fs::create_dir_all(&ufs).unwrap();
    for property in [
        String::from("alluxio.master.hostname=127.0.0.1"),
        format!("alluxio.master.rpc.port={rpc}"),
        format!("alluxio.master.web.port={web}"),
        format!("alluxio.master.journal.folder={}", folder.join("journal").display()),
        format!("alluxio.underfs.address={}", ufs.display()),
    ] {
        command.arg(format!("-D{property}"));
    }
    command
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
