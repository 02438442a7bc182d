//! Masters with an original Alluxio 2.9.6 Java worker, and with one of ours, which serve the unmodified Java client.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::harness::{COMMAND_LIMIT, Cluster, Outcome, Services, free_port, install, run, wait_for};
use crate::java::java;
use crate::own_shell::{ASYNC_THROUGH, SMALL_BLOCKS, assert_same, numbers};

const HOST: &str = "127.0.0.1";

/// A Java worker of a cluster, which it finds through ZooKeeper. Ends with the test.
pub struct JavaWorker<'a> {
    cluster: &'a Cluster,
}

impl JavaWorker<'_> {
    /// Starts one, and waits until it serves, which it does once a master has registered it.
    pub fn start(cluster: &Cluster) -> JavaWorker<'_> {
        let properties = cluster.java_properties();
        let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
        cluster.services.testbed(&[&["start", "alluxio-java-worker"], properties.as_slice()].concat());
        JavaWorker { cluster }
    }

    /// The files of the blocks that it holds.
    fn blocks(&self) -> Vec<PathBuf> {
        let folder = self.cluster.services.folder.join("alluxio-java-worker-1/ramdisk/alluxioworker");
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
    }
}

impl Drop for JavaWorker<'_> {
    fn drop(&mut self) {
        self.cluster.services.testbed(&["kill", "alluxio-java-worker"]);
        if std::thread::panicking() {
            let log = fs::read_to_string(self.cluster.services.folder.join("alluxio-java-worker-1/log"));
            eprintln!("--- the Java worker wrote:\n{}", log.unwrap_or_default());
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
        worker.launch("alluxio", &["process", "start", "worker"]).expect_success();
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

/// Writes files that the master is to persist, waits until they are in the UFS; drops the copies and reads them there.
fn persist_and_read_back(cluster: &Cluster) {
    let folder = tempfile::tempdir().unwrap();
    let [later, now, got] = ["later", "now", "got"].map(|name| folder.path().join(name));
    fs::write(&later, numbers(2_500_000)).unwrap();
    fs::write(&now, numbers(1_200_000)).unwrap();
    let fs_of = |words: &[&str]| cluster.fs(&[&[SMALL_BLOCKS], words].concat()).expect_success().stdout.clone();
    fs_of(&[ASYNC_THROUGH, "copyFromLocal", later.to_str().unwrap(), "/d/e/later"]);
    fs_of(&["copyFromLocal", now.to_str().unwrap(), "/d/now"]);
    assert_eq!(fs_of(&["persist", "/d/now"]), "persisted file /d/now with size 1200000\n");
    wait_for("it to be known as persisted", COMMAND_LIMIT, || {
        fs_of(&["fileInfo", "/d/e/later"]).contains("persistenceState=PERSISTED").then_some(())
    });
    for (file, source) in [("/d/e/later", &later), ("/d/now", &now)] {
        fs_of(&["free", file]);
        wait_for("copies that are gone", COMMAND_LIMIT, || {
            fs_of(&["ls", file]).contains("Not In Memory").then_some(())
        });
        let _ = fs::remove_file(&got); // there may be one from before
        fs_of(&["copyToLocal", file, got.to_str().unwrap()]);
        assert_same(source, &got);
    }
    assert_eq!(cluster.names("/"), ["d"], "nothing is seen of temporary files");
}

/// Persisted on a local disk.
fn persist_locally(start: impl FnOnce(&Cluster)) {
    let ufs = tempfile::tempdir().unwrap();
    let cluster = Cluster::new(2, &[("alluxio.master.mount.table.root.ufs", ufs.path().to_str().unwrap())]);
    cluster.up();
    start(&cluster);
    let length = |file: &str| fs::metadata(ufs.path().join(file)).unwrap().len();
    assert_eq!((length("d/e/later"), length("d/now")), (2_500_000, 1_200_000));
    cluster.fs(&["rm", "-R", "/d"]).expect_success();
    assert!(!ufs.path().join("d").exists());
}

/// Persisted on HDFS.
fn persist_on_hdfs(start: impl FnOnce(&Cluster)) {
    let services = Services::from_environment();
    let root = format!("{}/persist-{}", services.hdfs, std::process::id());
    services.testbed(&["hdfs", "-mkdir", "-p", &root]);
    let cluster = Cluster::new(2, &[("alluxio.master.mount.table.root.ufs", root.as_str())]);
    cluster.up();
    start(&cluster);
    cluster.fs(&["rm", "-R", "/d"]).expect_success();
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn the_master_persists_files_through_a_java_worker() {
    persist_locally(|cluster| {
        let _worker = JavaWorker::start(cluster);
        persist_and_read_back(cluster);
    });
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn the_master_persists_files_through_a_worker_of_ours() {
    persist_locally(|cluster| {
        let _worker = OurWorker::start(cluster);
        persist_and_read_back(cluster);
    });
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn the_master_persists_files_on_hdfs_through_a_java_worker() {
    persist_on_hdfs(|cluster| {
        let _worker = JavaWorker::start(cluster);
        persist_and_read_back(cluster);
    });
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn the_master_persists_files_on_hdfs_through_a_worker_of_ours() {
    persist_on_hdfs(|cluster| {
        let _worker = OurWorker::start(cluster);
        persist_and_read_back(cluster);
    });
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
    let worker = JavaWorker::start(&cluster);
    java(&cluster, &["write", "/f", "1000", "MUST_CACHE"]).expect_success();
    let listing = || cluster.fs(&["ls", "/"]).stdout;
    assert!(!listing().contains("Not In Memory"), "{}", listing());
    drop(worker);
    wait_for("a worker that is lost", COMMAND_LIMIT, || listing().contains("Not In Memory").then_some(()));
    assert!(cluster.masters[0].log_tail().contains("lost a worker"), "{}", cluster.masters[0].log_tail());
}
