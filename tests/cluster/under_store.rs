//! The under store stands still for a while: what is written and read then waits, and every byte is right afterwards.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::harness::{COMMAND_LIMIT, Cluster, Running, Services, Worker, unread_connections, wait_for};
use crate::own_shell::{ASYNC_THROUGH, CACHE_THROUGH, REMOTE, SMALL_BLOCKS, THROUGH, assert_same, numbers};

/// How long the under store stands still once all wait for it; `scripts/test --long` has more than none.
fn outage() -> Duration {
    let seconds = std::env::var("CLUSTER_OUTAGE_S").map(|text| text.parse().unwrap());
    Duration::from_secs(seconds.unwrap_or(0))
}

/// One master without other services, one worker of ours, and HDFS as under store.
struct Bed {
    /// Ends before the folders of its cluster go.
    _worker: Worker,
    cluster: Cluster,
    folder: TempDir,
}

impl Bed {
    fn up(name: &str) -> Bed {
        let services = Services::from_environment();
        let root = format!("{}/{name}-{}", services.hdfs, std::process::id());
        services.testbed(&["hdfs", "-mkdir", "-p", &root]);
        let cluster = Cluster::alone(&[("alluxio.master.mount.table.root.ufs", root.as_str())]);
        cluster.up();
        let worker = Worker::new(&cluster, "worker", "1GB");
        worker.start().expect_success();
        let bed = Bed { _worker: worker, cluster, folder: tempfile::tempdir().unwrap() };
        fs::write(bed.at("source"), numbers(5_000_000)).unwrap();
        bed
    }

    fn at(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn copy(&self, option: &str, path: &str) -> Running {
        self.cluster.start_fs(&[REMOTE, SMALL_BLOCKS, option, "copyFromLocal", &self.at("source"), path])
    }

    /// All of these are in the under store, whole.
    fn persisted(&self, paths: &[&str]) {
        for path in paths {
            wait_for("a file that is persisted", COMMAND_LIMIT, || {
                let info = self.cluster.fs(&["fileInfo", path]).stdout;
                info.contains("persistenceState=PERSISTED").then_some(())
            });
            self.cluster.fs(&["free", path]).expect_success();
            let got = self.at("got");
            let _ = fs::remove_file(&got); // there may be one from before
            self.cluster.fs(&["copyToLocal", path, &got]).expect_success();
            assert_same(self.at("source").as_ref(), got.as_ref());
        }
    }
}

/// Servers of the test bed that stand still until this is dropped.
struct StandStill {
    pids: Vec<Pid>,
    addresses: Vec<(String, u16)>,
}

impl StandStill {
    /// All of this kind.
    fn of(cluster: &Cluster, kind: &str) -> StandStill {
        let entries = fs::read_dir(&cluster.services.folder).unwrap().map(|entry| entry.unwrap());
        let servers = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(kind));
        let folders: Vec<_> = servers.map(|entry| entry.path()).filter(|folder| folder.join("pid").exists()).collect();
        let text = |file| {
            folders.iter().map(move |folder: &std::path::PathBuf| fs::read_to_string(folder.join(file)).unwrap())
        };
        let pids: Vec<Pid> = text("pid").map(|pid| Pid::from_raw(pid.trim().parse().unwrap()).unwrap()).collect();
        let addresses = text("address").map(|address| {
            let (host, port) = address.trim().rsplit_once(':').unwrap();
            (host.to_owned(), port.parse().unwrap())
        });
        let stand_still = StandStill { addresses: addresses.collect(), pids };
        stand_still.signal(Signal::STOP);
        stand_still
    }

    fn signal(&self, signal: Signal) {
        for pid in &self.pids {
            kill_process(*pid, signal).unwrap();
        }
    }

    /// Waits until so many connections have said something that is not read.
    fn until_asked(&self, connections: usize) {
        let asked = || self.addresses.iter().map(|(host, port)| unread_connections(host, *port)).sum::<usize>();
        wait_for("questions to who stands still", COMMAND_LIMIT, || (asked() >= connections).then_some(()));
        std::thread::sleep(outage());
    }
}

impl Drop for StandStill {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
    }
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn what_waits_for_data_nodes_goes_on_with_them() {
    let bed = Bed::up("data-nodes");
    bed.copy(THROUGH, "/cold").wait(COMMAND_LIMIT).expect_success();
    let still = StandStill::of(&bed.cluster, "datanode-");
    // What is to be persisted later is answered now.
    bed.copy(ASYNC_THROUGH, "/later").wait(COMMAND_LIMIT).expect_success();
    let (both, through) = (bed.copy(CACHE_THROUGH, "/both"), bed.copy(THROUGH, "/through"));
    let read = bed.cluster.start_fs(&["copyToLocal", "/cold", &bed.at("cold")]);
    still.until_asked(4);
    drop(still);
    for waiting in [both, through, read] {
        waiting.wait(COMMAND_LIMIT).expect_success();
    }
    assert_same(bed.at("source").as_ref(), bed.at("cold").as_ref());
    bed.persisted(&["/both", "/through", "/later", "/cold"]);
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn what_waits_for_the_name_node_goes_on_with_it() {
    let bed = Bed::up("name-node");
    bed.copy(CACHE_THROUGH, "/warm").wait(COMMAND_LIMIT).expect_success();
    bed.copy(THROUGH, "/cold").wait(COMMAND_LIMIT).expect_success();
    bed.cluster.fs(&["ls", "/"]).expect_success();
    let still = StandStill::of(&bed.cluster, "namenode");
    let (both, through) = (bed.copy(CACHE_THROUGH, "/both"), bed.copy(THROUGH, "/through"));
    let later = bed.copy(ASYNC_THROUGH, "/later");
    let read = bed.cluster.start_fs(&["copyToLocal", "/cold", &bed.at("cold")]);
    // Master and worker ask, each by one connection.
    still.until_asked(2);
    // What Alluxio knows and has needs no under store.
    assert_eq!(bed.cluster.names("/"), ["cold", "warm"]);
    bed.cluster.fs(&["copyToLocal", "/warm", &bed.at("warm")]).expect_success();
    drop(still);
    for waiting in [both, through, later, read] {
        waiting.wait(COMMAND_LIMIT).expect_success();
    }
    for got in ["cold", "warm"] {
        assert_same(bed.at("source").as_ref(), bed.at(got).as_ref());
    }
    bed.persisted(&["/both", "/through", "/later", "/cold", "/warm"]);
}
