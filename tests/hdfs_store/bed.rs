//! The test bed: where HDFS is, and how its servers are hurt.

use crate::journal::folder::JournalStore;
use crate::journal::folder::hdfs::{HdfsSettings, HdfsStore};
use crate::store_suite::Place;
use crate::ufs::{UfsClients, UfsOwnership, UfsSettings};
use async_trait::async_trait;
use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The flush deadline of the tests: short, so that a stopped DataNode is found soon.
pub const FLUSH_DEADLINE: Duration = Duration::from_secs(2);

/// Tests share the servers; one that hurts a server runs alone.
static SERVERS: RwLock<()> = RwLock::const_new(());

/// The folder of the test bed.
pub fn dir() -> PathBuf {
    let name = "TESTBED_DIR";
    let help = "start one: scripts/testbed up --dir DIR, then TESTBED_DIR=DIR cargo test --test hdfs_store -- --include-ignored";
    std::env::var_os(name).map(PathBuf::from).unwrap_or_else(|| panic!("{name} names no test bed; {help}"))
}

/// A value of `testbed.env`, as it is now: pids change with each start.
pub fn value(key: &str) -> String {
    let file = dir().join("testbed.env");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("cannot read {}: {e}", file.display()));
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    line.unwrap_or_else(|| panic!("{} has no {key}", file.display())).to_string()
}

/// How many DataNodes there are.
pub fn datanodes() -> usize {
    value("TESTBED_DATANODES").split(',').count()
}

/// Runs `scripts/testbed` on this test bed.
pub fn testbed(words: &[&str]) {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("scripts/testbed");
    let output = std::process::Command::new(&script).args(words).arg("--dir").arg(dir()).output();
    let output = output.unwrap_or_else(|e| panic!("cannot run {}: {e}", script.display()));
    assert!(output.status.success(), "testbed {words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A folder of HDFS that no other test uses.
pub struct HdfsPlace {
    /// As an operator would write it.
    pub folder: String,
    _shared: Option<RwLockReadGuard<'static, ()>>,
}

/// A fresh folder on servers that nobody hurts meanwhile.
pub async fn place() -> HdfsPlace {
    HdfsPlace { folder: fresh_folder(), _shared: Some(SERVERS.read().await) }
}

/// A fresh folder for a test that has the servers [`alone`].
pub fn folder() -> HdfsPlace {
    HdfsPlace { folder: fresh_folder(), _shared: None }
}

/// The servers for one test alone.
pub async fn alone() -> RwLockWriteGuard<'static, ()> {
    SERVERS.write().await
}

/// A name of a folder that is not there.
pub fn fresh_folder() -> String {
    format!("{}/tests/{}", value("TESTBED_HDFS"), uuid::Uuid::new_v4())
}

/// Small blocks and short deadlines.
pub fn settings(folder: &str) -> HdfsSettings {
    let mut settings = HdfsSettings::parse(folder, &user(), &BTreeMap::new()).unwrap();
    settings.block_bytes = 1 << 20;
    settings.flush_deadline = FLUSH_DEADLINE;
    settings
}

/// As whom HDFS is used.
pub fn user() -> String {
    std::env::var("USER").unwrap_or_else(|_| "root".into())
}

/// A client.
pub fn open(folder: &str) -> HdfsStore {
    HdfsStore::new(settings(folder)).unwrap()
}

#[async_trait]
impl Place for HdfsPlace {
    async fn open(&self) -> Box<dyn JournalStore> {
        Box::new(open(&self.folder))
    }

    fn fences(&self) -> bool {
        true
    }

    async fn leave(&self, name: &str, content: Bytes) -> bool {
        let ufs = UfsClients::new(UfsSettings { hdfs_user: user(), ..UfsSettings::usual() }).of(&self.folder).unwrap();
        let owner = UfsOwnership { owner: String::new(), group: String::new(), mode: 0o640 };
        let mut file = ufs.create(&format!("{}/{name}", self.folder), &owner).await.unwrap();
        file.write(content).await.unwrap();
        file.close().await.unwrap();
        true
    }
}

/// A DataNode that is hurt; it is well again when this is dropped, so that a failed test leaves the others a chance.
pub struct Hurt {
    number: usize,
    pid: Pid,
    stopped: bool,
}

impl Hurt {
    /// Stops the process: its sockets stay, nothing answers.
    pub fn stop(number: usize) -> Hurt {
        let pid = pid_of(number);
        kill_process(pid, Signal::STOP).unwrap();
        Hurt { number, pid, stopped: true }
    }

    /// Kills the process; dropping this starts another one.
    pub fn kill(number: usize) -> Hurt {
        let pid = pid_of(number);
        testbed(&["kill", "datanode", &number.to_string()]);
        Hurt { number, pid, stopped: false }
    }
}

impl Drop for Hurt {
    fn drop(&mut self) {
        match self.stopped {
            true => kill_process(self.pid, Signal::CONT).unwrap(),
            false => testbed(&["start", "datanode", &self.number.to_string()]),
        }
    }
}

fn pid_of(datanode: usize) -> Pid {
    let pids = value("TESTBED_DATANODE_PIDS");
    let pid = pids.split(',').nth(datanode - 1).unwrap().parse().unwrap();
    Pid::from_raw(pid).unwrap()
}
