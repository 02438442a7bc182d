//! What `alluxio fsadmin` does with a master and a worker that run; its texts are in `dialect_2_9.rs`.

use std::time::{Duration, Instant};

use crate::fixture;
use crate::master::Master;
use crate::transcript::Outcome;
use crate::{LOOKS_MAX, Look, alluxio};
use alluxio::shell::Face;

fn fsadmin(master: &Master, words: &[&str]) -> Outcome {
    alluxio(Face::FsAdmin, None, Look::Of2_9, words, &master.address)
}

fn fs(master: &Master, words: &[&str]) -> Outcome {
    alluxio(Face::Fs, None, Look::Of2_9, words, &master.address)
}

/// Waits until `words` are answered as `wanted` says.
#[expect(clippy::disallowed_methods, reason = "a test measures its own patience")]
fn wait_for(run: impl Fn() -> Outcome, wanted: impl Fn(&Outcome) -> bool) -> Outcome {
    let begin = Instant::now();
    loop {
        let found = run();
        if wanted(&found) || begin.elapsed() > LOOKS_MAX {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_cluster_is_reported_by_category() {
    let master = Master::start();
    let port = master.address.rsplit_once(':').unwrap().1;
    let summary = fsadmin(&master, &["report"]);
    assert_eq!(summary.code, 0, "{summary:?}");
    for line in [
        "Alluxio cluster summary: ",
        &format!("    Master Address: 127.0.0.1/<unresolved>:{port}"),
        "    Zookeeper Enabled: false",
        &format!("    {:<32} PRIMARY  {:<32}", master.address, "2.9.6"),
        "    Live Workers: 1",
        "        Tier: MEM  Size: 1024.00MB",
    ] {
        assert!(summary.stdout.lines().any(|told| told == line), "{line}: {summary:?}");
    }
    assert_eq!(
        fsadmin(&master, &["report", "summary", "-live"]).stdout,
        "report summary does not support arguments: live\n"
    );
    for words in [
        &["report", "capacity"][..],
        &["report", "capacity", "-live"],
        &["report", "capacity", "-workers", "127.0.0.1"],
    ] {
        let capacity = fsadmin(&master, words);
        assert_eq!(capacity.code, 0, "{capacity:?}");
        let found = |line: &str| capacity.stdout.lines().any(|told| told.starts_with(line));
        assert!(found("    Total Capacity: 1024.00MB") && found("    Free Percentage: 100%"), "{capacity:?}");
        assert!(found("127.0.0.1        ACTIVE "), "{capacity:?}");
    }
    let unknown = fsadmin(&master, &["report", "capacity", "-workers", "nosuch"]);
    let text = "Unrecognized worker names: [nosuch]\nSupported worker names: [127.0.0.1]\n\n";
    assert_eq!((unknown.stdout.as_str(), unknown.code), (text, 255));
    let ufs = fsadmin(&master, &["report", "ufs"]);
    let line = format!("{}  on  /  (local, capacity=", master.hdfs.join("ufs").display());
    assert!(ufs.stdout.starts_with(&format!("Alluxio under storage system information:\n{line}")), "{ufs:?}");
    for absent in ["jobservice", "proxy"] {
        let refused = fsadmin(&master, &["report", absent]);
        assert!(refused.code == 255 && refused.stdout.contains("is not available: this cluster"), "{refused:?}");
    }
}

#[test]
fn metrics_count_from_when_they_were_cleared() {
    let master = Master::start();
    let line = |name: &str| {
        let told = fsadmin(&master, &["report", "metrics"]);
        assert_eq!(told.code, 0, "{told:?}");
        let mut lines = told.stdout.lines().filter(|line| line.starts_with(&format!("{name}  (")));
        lines.next().unwrap_or_else(|| panic!("{name} is not in {told:?}")).to_owned()
    };
    assert_eq!(fs(&master, &["mkdir", "/m"]).code, 0);
    assert_eq!(line("Master.CreateDirectoryOps"), "Master.CreateDirectoryOps  (Type: COUNTER, Value: 1)");
    // The worker may just be registering.
    let capacity = "Cluster.CapacityTotal  (Type: GAUGE, Value: 1,073,741,824)";
    let told = wait_for(|| fsadmin(&master, &["report", "metrics"]), |told| told.stdout.contains(capacity));
    assert!(told.stdout.contains(capacity), "{told:?}");
    assert_eq!(line("Cluster.Workers"), "Cluster.Workers  (Type: GAUGE, Value: 1)");
    assert_eq!(line("Cluster.BytesReadUfsAll"), "Cluster.BytesReadUfsAll  (Type: COUNTER, Value: 0B)");
    // What a worker reads for a client is in its next heartbeat.
    fixture::write(&master.hdfs, "ufs/f", "twelve bytes");
    assert_eq!(fs(&master, &["cat", "/f"]).stdout, "twelve bytes");
    let read = wait_for(
        || fsadmin(&master, &["report", "metrics"]),
        |told| told.stdout.contains("BytesReadUfsAll  (Type: COUNTER, Value: 12B)"),
    );
    assert!(read.stdout.contains("Cluster.BytesReadUfsAll  (Type: COUNTER, Value: 12B)"), "{read:?}");
    assert_eq!(fsadmin(&master, &["metrics", "clear"]).code, 0);
    assert_eq!(line("Master.CreateDirectoryOps"), "Master.CreateDirectoryOps  (Type: COUNTER, Value: 0)");
    assert_eq!(line("Cluster.BytesReadUfsAll"), "Cluster.BytesReadUfsAll  (Type: COUNTER, Value: 0B)");
    let unknown = fsadmin(&master, &["metrics", "clear", "--workers", "nosuch"]);
    let text = "Cannot find workers of hostnames nosuch\nValid workers include [127.0.0.1]\n";
    assert_eq!((unknown.stdout.as_str(), unknown.code), (text, 255));
}

#[test]
fn a_block_is_told_with_its_copies_and_its_file() {
    let master = Master::start();
    fixture::write(&master.hdfs, "local/hello.txt", "hello\n");
    let source = master.hdfs.join("local/hello.txt").display().to_string();
    assert_eq!(fs(&master, &["copyFromLocal", &source, "/hello.txt"]).code, 0);
    let file: i64 = fs(&master, &["stat", "-f", "%i", "/hello.txt"]).stdout.trim().parse().unwrap();
    let block = (file >> 24 << 24).to_string();
    let told = wait_for(|| fsadmin(&master, &["getBlockInfo", &block]), |told| told.stdout.contains("workerId="));
    assert!(
        told.stdout.starts_with(&format!("BlockInfo{{id={block}, length=6, locations=[BlockLocation{{workerId=")),
        "{told:?}"
    );
    assert!(told.stdout.ends_with(&format!("This block belongs to file {{id={file}, path=/hello.txt}}\n")), "{told:?}");
}

#[test]
fn a_ufs_under_maintenance_is_not_changed() {
    let master = Master::start();
    fixture::write(&master.hdfs, "ufs/f", "f");
    assert_eq!(fs(&master, &["ls", "/"]).code, 0);
    let set = |mode: &str| fsadmin(&master, &["ufs", "--mode", mode, "/"]).stdout;
    assert_eq!(set("readOnly"), "Ufs mode updated\n");
    let refused = fs(&master, &["rm", "/f"]);
    let uri = master.hdfs.join("ufs/f").display().to_string();
    let text = format!("Operation WRITE not allowed on ufs path {uri} under maintenance mode READ_ONLY");
    assert!(refused.code == 255 && refused.stdout.contains(&text), "{refused:?}");
    // It is read, and what is in Alluxio alone is changed.
    assert_eq!(fs(&master, &["cat", "/f"]).stdout, "f");
    assert_eq!(fs(&master, &["mkdir", "/d"]).code, 0);
    assert_eq!((set("bogus"), set("readWrite")), ("Unrecognized mode\n".to_owned(), "Ufs mode updated\n".to_owned()));
    assert_eq!(fs(&master, &["rm", "/f"]).code, 0);
    assert!(!master.hdfs.join("ufs/f").exists());
    let unknown = fsadmin(&master, &["ufs", "--mode", "readOnly", "hdfs://nosuch:1/"]);
    assert_eq!((unknown.stdout.as_str(), unknown.code), ("Unknown Ufs path hdfs://nosuch:1/\n", 255));
}

#[test]
fn a_decommissioned_worker_is_read_from_and_not_written_to() {
    let master = Master::start();
    fixture::write(&master.hdfs, "local/hello.txt", "hello\n");
    let source = master.hdfs.join("local/hello.txt").display().to_string();
    assert_eq!(fs(&master, &["copyFromLocal", &source, "/hello.txt"]).code, 0);
    let unknown = fsadmin(&master, &["decommissionWorker", "--addresses", "9.9.9.9:1"]);
    let text = "Decommissioning worker 9.9.9.9:1\nWorker 9.9.9.9 is not known by the master. Please check the hostname or \
                retry later. Available workers are: \t127.0.0.1:";
    assert!(unknown.code == 255 && unknown.stdout.starts_with(text), "{unknown:?}");
    // It is looked at once, which is not enough to call it idle.
    let sent = fsadmin(&master, &["decommissionWorker", "--addresses", "127.0.0.1", "--wait", "0s", "--disable"]);
    let place = unknown.stdout.trim().rsplit_once('\t').unwrap().1.to_owned();
    for line in [
        "Sent decommission messages to the master, 0 failed and 1 succeeded".to_owned(),
        "Now on master the available workers are: []".to_owned(),
        format!("Polling status from worker {place}"),
        format!("Worker {place} has Worker.ActiveOperations="),
    ] {
        assert!(sent.stdout.lines().any(|told| told.starts_with(&line)), "{line}: {sent:?}");
    }
    assert_eq!((sent.code, sent.stderr.as_str()), (3, ""), "{sent:?}");
    assert_eq!(fsadmin(&master, &["report", "capacity", "-live"]).stdout, "No workers found.\n");
    let told = fsadmin(&master, &["report", "capacity", "-decommissioned"]).stdout;
    assert!(told.contains("\n127.0.0.1        Disabled "), "{told}");
    assert_eq!(fs(&master, &["cat", "/hello.txt"]).stdout, "hello\n");
    assert!(fsadmin(&master, &["report"]).stdout.contains("    Live Workers: 0\n    Lost Workers: 0\n"));
    let port = place.rsplit_once(':').unwrap().1;
    let enabled = fsadmin(&master, &["enableWorker", "--addresses", &format!("127.0.0.1:{port}")]);
    let text =
        format!("Re-enabling worker {place}\nRe-enabled worker {place} on master\nSuccessfully re-enabled all workers");
    assert!(enabled.code == 0 && enabled.stdout.starts_with(&text), "{enabled:?}");
    let told = fsadmin(&master, &["report", "capacity", "-decommissioned"]).stdout;
    assert!(told.contains("\n127.0.0.1        Decommissioned "), "{told}");
}
