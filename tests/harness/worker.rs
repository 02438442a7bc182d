//! A worker as a real process.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;

use super::{COMMAND_LIMIT, Cluster, Outcome, free_port, run};

/// Where workers of tests are.
pub const WORKER_HOST: &str = "127.0.0.1";

/// One of our workers, started and stopped by the launchers. Ends with the test.
pub struct Worker {
    pub home: PathBuf,
}

impl Worker {
    /// Not started. Its blocks have room for so many bytes.
    pub fn new(cluster: &Cluster, name: &str, bytes: &str) -> Worker {
        let port = free_port(WORKER_HOST).to_string();
        let web_port = free_port(WORKER_HOST).to_string();
        let own = [
            ("alluxio.worker.hostname", WORKER_HOST),
            ("alluxio.worker.rpc.port", port.as_str()),
            ("alluxio.worker.web.port", web_port.as_str()),
            ("alluxio.worker.ramdisk.size", bytes),
        ];
        Worker { home: cluster.install(name, &own) }
    }

    /// On a disk: past the launcher, which would mount something there or take a folder in memory.
    pub fn start(&self) -> Outcome {
        let ram = self.ram();
        let environment = [("ALLUXIO_RAM_FOLDER", ram.as_str())];
        run(&self.home.join("bin/alluxio"), &["process", "start", "worker"], &environment, COMMAND_LIMIT)
    }

    /// Starts it with its blocks on a file system in memory of this size, which only it sees and which ends with it.
    pub fn start_on_tmpfs(&self, size: &str) -> Outcome {
        let ram = self.ram();
        let root = rustix::process::getuid().is_root();
        let mount = format!(
            "mkdir -p \"$ALLUXIO_RAM_FOLDER\" && mount -t tmpfs -o size={size} tmpfs \"$ALLUXIO_RAM_FOLDER\" && \
             exec \"$0\" worker NoMount"
        );
        let launcher = self.home.join("bin/alluxio-start.sh").display().to_string();
        let words = [if root { "-m" } else { "-rm" }, "bash", "-c", &mount, &launcher];
        run("unshare".as_ref(), &words, &[("ALLUXIO_RAM_FOLDER", ram.as_str())], COMMAND_LIMIT)
    }

    /// The most memory that its process has had so far.
    pub fn memory_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid().as_raw_nonzero())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    pub fn pid(&self) -> rustix::process::Pid {
        let pid = fs::read_to_string(self.home.join("logs/worker.pid")).unwrap();
        rustix::process::Pid::from_raw(pid.trim().parse().unwrap()).unwrap()
    }

    /// The folder of its blocks.
    pub fn ram(&self) -> String {
        self.home.join("ram").display().to_string()
    }

    pub fn stop(&self) -> Outcome {
        run(&self.home.join("bin/alluxio-stop.sh"), &["worker"], &[], COMMAND_LIMIT)
    }

    /// Removes its blocks.
    pub fn format(&self) -> Outcome {
        run(&self.home.join("bin/alluxio"), &["formatWorker"], &[("ALLUXIO_RAM_FOLDER", &self.ram())], COMMAND_LIMIT)
    }

    pub fn kill(&self) {
        rustix::process::kill_process(self.pid(), Signal::KILL).unwrap();
    }

    /// The files of the blocks that it holds.
    pub fn blocks(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.home.join("ram/alluxioworker")) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.home.join("logs/worker.log")).unwrap_or_default()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            eprintln!("--- the log of a worker ends:\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
        }
        self.stop();
    }
}
