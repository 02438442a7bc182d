//! Masters with an original Alluxio 2.9.6 Java worker, and with one of ours, which serve the unmodified Java client.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::harness::{COMMAND_LIMIT, Cluster, Outcome, Running, free_port, install, project, run, start, wait_for};

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

/// A worker of ours. Ends with the test.
struct OurWorker {
    folder: TempDir,
}

impl OurWorker {
    /// Starts one, and waits until it serves.
    fn start(cluster: &Cluster) -> OurWorker {
        let worker = OurWorker { folder: tempfile::tempdir().unwrap() };
        let mut site: Vec<String> =
            cluster.java_properties().iter().map(|line| line.trim_start_matches("-D").to_owned()).collect();
        site.push(format!("alluxio.worker.hostname={HOST}"));
        site.push(format!("alluxio.worker.rpc.port={}", free_port(HOST)));
        site.push(format!("alluxio.worker.web.port={}", free_port(HOST)));
        site.push("alluxio.worker.ramdisk.size=64MB".into());
        install(worker.folder.path(), &(site.join("\n") + "\n"));
        worker.launch("alluxio-start.sh", &["worker"]).expect_success();
        worker
    }

    fn launch(&self, launcher: &str, words: &[&str]) -> Outcome {
        let ram = self.folder.path().join("ram");
        fs::create_dir_all(&ram).unwrap();
        let environment = [("ALLUXIO_RAM_FOLDER", ram.to_str().unwrap())];
        run(&self.folder.path().join("bin").join(launcher), words, &environment, COMMAND_LIMIT)
    }
}

impl Drop for OurWorker {
    fn drop(&mut self) {
        let stopped = self.launch("alluxio-stop.sh", &["worker"]);
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("logs/worker.log")).unwrap_or_default();
            eprintln!("--- our worker wrote:\n{log}{stopped}");
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

/// Writes a file that the master is to persist, and waits until it is in the UFS; drops the copies and reads it there.
fn persist_and_read_back(cluster: &Cluster, ufs: &std::path::Path, file: &str) {
    java(cluster, &["write", file, "2500000", "ASYNC_THROUGH"]).expect_success();
    let in_ufs = ufs.join(file.trim_start_matches('/'));
    wait_for("a persisted file", COMMAND_LIMIT, || in_ufs.exists().then_some(()));
    assert_eq!(fs::metadata(&in_ufs).unwrap().len(), 2_500_000, "it is there whole or not at all");
    let line = |words: &[&str]| java(cluster, words).expect_success().stdout.clone();
    wait_for("it to be known as persisted", COMMAND_LIMIT, || {
        line(&["read", file]).contains("=PERSISTED").then_some(())
    });
    java(cluster, &["free", file]).expect_success();
    wait_for("copies that are gone", COMMAND_LIMIT, || {
        cluster.fs(&["ls", file]).stdout.contains("Not In Memory").then_some(())
    });
    assert!(line(&["read", file]).contains("read 2500000 bytes"), "from the UFS");
    cluster.fs(&["rm", file]).expect_success();
    assert!(!in_ufs.exists());
}

fn cluster_over(ufs: &TempDir) -> Cluster {
    let cluster = Cluster::new(2, &[("alluxio.master.mount.table.root.ufs", ufs.path().to_str().unwrap())]);
    cluster.up();
    cluster
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn the_master_persists_files_through_a_java_worker() {
    let ufs = tempfile::tempdir().unwrap();
    let cluster = cluster_over(&ufs);
    let _worker = JavaWorker::start(&cluster);
    persist_and_read_back(&cluster, ufs.path(), "/d/e/f");
    assert_eq!(cluster.names("/"), ["d"], "nothing is seen of temporary files");
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn the_master_persists_files_through_a_worker_of_ours() {
    let ufs = tempfile::tempdir().unwrap();
    let cluster = cluster_over(&ufs);
    let _worker = OurWorker::start(&cluster);
    persist_and_read_back(&cluster, ufs.path(), "/d/e/f");
    assert_eq!(cluster.names("/"), ["d"], "nothing is seen of temporary files");
}

/// It reports to all masters, so that the new leader knows its copies already: nobody has to wait for it.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_new_leader_knows_the_copies_of_our_worker_at_once() {
    let cluster = Cluster::new(2, &[("alluxio.master.worker.connect.wait.time", "10min")]);
    cluster.up();
    let _worker = OurWorker::start(&cluster);
    let leader = cluster.leader();
    let registrations = |master: usize| cluster.masters[master].log_tail().matches("registered a worker").count();
    let known_to_both = || registrations(0) > 0 && registrations(1) > 0;
    wait_for("both masters to know the worker", COMMAND_LIMIT, || known_to_both().then_some(()));
    // The first leader came before any worker, and would wait long for others.
    cluster.masters[leader].signal(Signal::KILL);
    wait_for("another leader", COMMAND_LIMIT, || (cluster.leader() != leader).then_some(()));
    java(&cluster, &["write", "/f", "2500000", "MUST_CACHE"]).expect_success();
    // A standby that starts anew is told everything.
    let before = registrations(leader);
    cluster.masters[leader].start().expect_success();
    wait_for("it to know the worker again", COMMAND_LIMIT, || (registrations(leader) > before).then_some(()));
    cluster.masters[1 - leader].signal(Signal::KILL);
    let read = java(&cluster, &["read", "/f"]);
    assert!(read.expect_success().stdout.contains("read 2500000 bytes of /f length=2500000 inAlluxio=100"), "{read}");
    cluster.fs(&["rm", "/f"]).expect_success();
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
