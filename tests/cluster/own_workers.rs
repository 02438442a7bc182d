//! Our workers with our masters, for the unmodified Java client: through the end of a leader, of a worker, and of room.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use crate::harness::{COMMAND_LIMIT, Cluster, Outcome, Running, Services, Worker, wait_for};
use crate::java::{java, start_java};

const SHORT_CIRCUIT: &str = "-Dalluxio.user.short.circuit.enabled=true";
const REMOTE: &str = "-Dalluxio.user.short.circuit.enabled=false";

/// A write of the Java client that stands still after half of its bytes.
struct HalfWritten {
    writing: Running,
    gate: PathBuf,
}

impl HalfWritten {
    fn new(cluster: &Cluster, worker: &Worker, option: &str, path: &str, length: u64) -> HalfWritten {
        let gate = worker.home.join(format!("gate{}{option}", path.replace('/', "-")));
        let length = length.to_string();
        let writing = start_java(cluster, &[option, "write", path, &length, "MUST_CACHE", gate.to_str().unwrap()]);
        wait_for("a write in its middle", COMMAND_LIMIT, || writing.output().contains("wrote half").then_some(()));
        let ram = worker.ram();
        assert_eq!(writing.has_open_below(Path::new(&ram)), option == SHORT_CIRCUIT, "writes the file itself");
        HalfWritten { writing, gate }
    }

    /// Lets it go on; what becomes of it.
    fn end(self) -> Outcome {
        fs::write(&self.gate, "").unwrap();
        self.writing.wait(COMMAND_LIMIT)
    }
}

/// What the client says of a file with one block for each million bytes.
fn place(path: &str, length: u64) -> String {
    let blocks = length.div_ceil(1 << 20);
    format!("{path} length={length} inAlluxio=100 inMemory=100 persistence=NOT_PERSISTED blocks={blocks}\n")
}

fn reads(cluster: &Cluster, option: &str, path: &str, length: u64) {
    let read = java(cluster, &[option, "read", path]);
    assert_eq!(read.expect_success().stdout, format!("read {length} bytes of {}", place(path, length)), "{read}");
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn what_is_written_while_the_leader_dies_is_there() {
    let cluster = Cluster::new(3, &[]);
    cluster.up();
    let worker = Worker::new(&cluster, "worker", "1GB");
    worker.start().expect_success();
    const LENGTH: u64 = 150_000_000;
    for (path, option) in [("/d/remote", REMOTE), ("/d/local", SHORT_CIRCUIT)] {
        // The client names no call for a new block, so one whose answer is lost fails the write, as with the original:
        // the leader dies between two calls.
        let writing = HalfWritten::new(&cluster, &worker, option, path, LENGTH);
        let leader = cluster.leader();
        cluster.masters[leader].signal(Signal::KILL);
        let written = writing.end();
        let said = format!("wrote half of {path}\nwrote {}", place(path, LENGTH));
        assert_eq!(written.expect_success().stdout, said, "{written}");
        reads(&cluster, option, path, LENGTH);
    }
    reads(&cluster, SHORT_CIRCUIT, "/d/remote", LENGTH);
    reads(&cluster, REMOTE, "/d/local", LENGTH);
    cluster.fs(&["rm", "-R", "/d"]).expect_success();
    wait_for("a worker that has dropped what was deleted", COMMAND_LIMIT, || worker.blocks().is_empty().then_some(()));
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_worker_that_was_killed_comes_back_with_what_it_had() {
    let cluster = Cluster::new(1, &[]);
    cluster.up();
    let worker = Worker::new(&cluster, "worker", "1GB");
    worker.start().expect_success();
    java(&cluster, &[REMOTE, "write", "/whole", "5000000", "MUST_CACHE"]).expect_success();
    let writing = HalfWritten::new(&cluster, &worker, REMOTE, "/half", 50_000_000);
    worker.kill();
    let failed = writing.end();
    assert_ne!(failed.code, 0, "{failed}");
    worker.start().expect_success();
    reads(&cluster, SHORT_CIRCUIT, "/whole", 5_000_000);
    reads(&cluster, REMOTE, "/whole", 5_000_000);
    let left = fs::read_dir(worker.home.join("ram/alluxioworker/.tmp_blocks"));
    assert!(left.is_err(), "what was being written is gone");
    assert_eq!(worker.start().code, 1, "it runs already");
    worker.stop().expect_success();
    assert!(!worker.home.join("logs/worker.pid").exists());
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_worker_that_is_stopped_says_of_no_write_that_it_is_done() {
    let cluster = Cluster::new(1, &[]);
    cluster.up();
    let worker = Worker::new(&cluster, "worker", "2GB");
    worker.start().expect_success();
    for option in [REMOTE, SHORT_CIRCUIT] {
        let writing = HalfWritten::new(&cluster, &worker, option, "/half", 50_000_000);
        worker.stop().expect_success();
        let failed = writing.end();
        assert!(failed.code != 0 && !failed.stdout.contains("wrote /half"), "{failed}");
        worker.start().expect_success();
        cluster.fs(&["rm", "/half"]).expect_success();
        wait_for("the blocks to go", COMMAND_LIMIT, || worker.blocks().is_empty().then_some(()));
    }
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_full_worker_refuses_what_would_cost_others_their_only_copy() {
    let cluster = Cluster::new(1, &[]);
    cluster.up();
    let worker = Worker::new(&cluster, "worker", "10MB");
    worker.start().expect_success();
    java(&cluster, &[REMOTE, "write", "/first", "8000000", "MUST_CACHE"]).expect_success();
    for option in [REMOTE, SHORT_CIRCUIT] {
        let refused = java(&cluster, &[option, "write", "/second", "8000000", "MUST_CACHE"]);
        assert_ne!(refused.code, 0, "{refused}");
        assert!(refused.stderr.contains("Not enough space left on worker 127.0.0.1"), "{refused}");
        cluster.fs(&["rm", "/second"]).expect_success();
    }
    reads(&cluster, REMOTE, "/first", 8_000_000);
    cluster.fs(&["rm", "/first"]).expect_success();
    wait_for("room", COMMAND_LIMIT, || worker.blocks().is_empty().then_some(()));
    java(&cluster, &[REMOTE, "write", "/second", "8000000", "MUST_CACHE"]).expect_success();
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn what_is_in_hdfs_makes_room_and_is_read_from_there() {
    let services = Services::from_environment();
    let root = format!("{}/own-workers-{}", services.hdfs, std::process::id());
    services.testbed(&["hdfs", "-mkdir", "-p", &root]);
    let cluster = Cluster::new(1, &[("alluxio.master.mount.table.root.ufs", &root)]);
    cluster.up();
    let worker = Worker::new(&cluster, "worker", "10MB");
    worker.start().expect_success();
    for file in ["/a", "/b", "/c"] {
        java(&cluster, &[REMOTE, "write", file, "8000000", "CACHE_THROUGH"]).expect_success();
    }
    let bytes = || worker.blocks().iter().map(|block| block.metadata().unwrap().len()).sum::<u64>();
    assert!((8_000_000..=10 << 20).contains(&bytes()), "the newest is here, and no more than fits: {}", bytes());
    for option in [REMOTE, SHORT_CIRCUIT] {
        for file in ["/a", "/b", "/c"] {
            let read = java(&cluster, &[option, "read", file]);
            assert!(read.expect_success().stdout.starts_with(&format!("read 8000000 bytes of {file} ")), "{read}");
        }
    }
    worker.stop().expect_success();
    worker.format().expect_success();
    assert_eq!(bytes(), 0);
    worker.start().expect_success();
    let read = java(&cluster, &[REMOTE, "read", "/a"]);
    assert!(read.expect_success().stdout.starts_with("read 8000000 bytes of /a "), "{read}");
    wait_for("a cached file", COMMAND_LIMIT, || (bytes() == 8_000_000).then_some(()));
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_worker_that_cannot_start_says_why() {
    let cluster = Cluster::new(1, &[]);
    let worker = Worker::new(&cluster, "worker", "10MB");
    fs::write(worker.home.join("ram"), "not a folder").unwrap();
    let failed = worker.start();
    let said = failed.expect_refusal(&["set ALLUXIO_RAM_FOLDER", "worker failed to start"]).stderr.clone();
    assert_eq!(said.matches("cannot use the folder").count(), 1, "{said}");
    assert!(!worker.home.join("logs/worker.pid").exists());
    fs::remove_file(worker.home.join("ram")).unwrap();
    // There is no master: it goes on trying, and says so.
    let started = worker.start();
    assert!(started.expect_success().stderr.contains("no master answers yet; the worker serves at"), "{started}");
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_new_leader_hears_of_a_worker_at_once() {
    // Without word of the worker it would wait longer than any client.
    let settings =
        [("alluxio.master.worker.connect.wait.time", "30min"), ("alluxio.worker.block.heartbeat.interval", "10min")];
    let cluster = Cluster::new(2, &settings);
    cluster.up();
    let worker = Worker::new(&cluster, "worker", "1GB");
    worker.start().expect_success();
    let registered = || (worker.log().matches(" registered master=").count() == 2).then_some(());
    wait_for("a worker that both masters know", COMMAND_LIMIT, registered);
    cluster.masters[cluster.leader()].signal(Signal::KILL);
    let file = worker.home.join("conf/alluxio-site.properties").display().to_string();
    cluster.fs(&["copyFromLocal", &file, "/file"]).expect_success();
}
