//! Masters with an original Alluxio 2.9.6 Java worker, which serves the unmodified Java client.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::harness::{COMMAND_LIMIT, Cluster, Outcome, Running, free_port, project, run, start, wait_for};

const HOST: &str = "127.0.0.1";

/// A Java worker of a cluster, which it finds through ZooKeeper. Ends with the test.
struct JavaWorker {
    folder: TempDir,
    port: u16,
    process: Option<Running>,
}

impl JavaWorker {
    /// Starts one, and waits until it serves, which it does once a master has registered it.
    fn start(cluster: &Cluster) -> JavaWorker {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port(HOST));
        let web = format!("-Dalluxio.worker.web.port={}", free_port(HOST));
        let mut words = vec![folder.path().to_string_lossy().into_owned(), port.to_string(), web];
        words.extend(cluster.java_properties());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let process = Some(start(&project().join("scripts/java-worker"), &words, &[]));
        let worker = JavaWorker { folder, port, process };
        wait_for("a Java worker that serves", COMMAND_LIMIT, || TcpStream::connect((HOST, worker.port)).ok());
        worker
    }

    /// The files of the blocks that it holds.
    fn blocks(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.folder.path().join("ram/alluxioworker")) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
    }
}

impl Drop for JavaWorker {
    fn drop(&mut self) {
        let Some(process) = self.process.take() else { return };
        let output = process.interrupt();
        if std::thread::panicking() {
            eprintln!("--- the Java worker wrote:\n{output}");
        }
    }
}

fn java(cluster: &Cluster, words: &[&str]) -> Outcome {
    let properties = cluster.java_properties();
    let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
    run(&project().join("scripts/java-client"), &[&properties, words].concat(), &[], COMMAND_LIMIT)
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_java_worker_serves_the_java_client_before_and_after_a_takeover() {
    let cluster = Cluster::new(2, &[]);
    cluster.up();
    let worker = JavaWorker::start(&cluster);
    let place = "/d/f length=2500000 inAlluxio=100 inMemory=100 persistence=NOT_PERSISTED blocks=3";
    let written = java(&cluster, &["write", "/d/f", "2500000", "MUST_CACHE"]);
    assert_eq!(written.expect_success().stdout, format!("wrote {place}\n"), "{written}");
    assert_eq!(worker.blocks().len(), 3);
    let read = |option: &str| {
        let read = java(&cluster, &[option, "read", "/d/f"]);
        assert_eq!(read.expect_success().stdout, format!("read 2500000 bytes of {place}\n"), "{read}");
    };
    read("-Dalluxio.user.short.circuit.enabled=true");
    read("-Dalluxio.user.short.circuit.enabled=false");

    cluster.masters[cluster.leader()].signal(Signal::KILL);
    // Whoever asks before the worker has come to the new leader waits.
    read("-Dalluxio.user.short.circuit.enabled=false");
    cluster.fs(&["rm", "/d/f"]).expect_success();
    wait_for("a worker that has dropped what was deleted", COMMAND_LIMIT, || worker.blocks().is_empty().then_some(()));
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_worker_that_is_silent_is_lost_with_its_copies() {
    let cluster = Cluster::new(1, &[("alluxio.master.worker.timeout", "3s")]);
    cluster.up();
    let mut worker = JavaWorker::start(&cluster);
    java(&cluster, &["write", "/f", "1000", "MUST_CACHE"]).expect_success();
    let listing = || cluster.fs(&["ls", "/"]).stdout;
    assert!(!listing().contains("Not In Memory"), "{}", listing());
    let process = worker.process.take().unwrap();
    process.interrupt();
    wait_for("a worker that is lost", COMMAND_LIMIT, || listing().contains("Not In Memory").then_some(()));
    assert!(cluster.masters[0].log_tail().contains("lost a worker"), "{}", cluster.masters[0].log_tail());
}
