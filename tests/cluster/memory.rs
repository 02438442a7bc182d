//! The memory of a worker: shared by many readers, full, and gone.

use std::fs;
use std::path::Path;

use crate::harness::{COMMAND_LIMIT, Cluster, Services, Worker, wait_for};
use crate::java::{probe_content, start_java};
use crate::lost_workers::GIVES_UP;
use crate::own_shell::{
    Bed, CACHE_THROUGH, MUST_CACHE, REMOTE, SHORT_CIRCUIT, SMALL_BLOCKS, THROUGH, assert_same, numbers,
};

/// How often this file of HDFS was opened to be read, as the NameNode has logged it.
fn opened(services: &Services, path: &str) -> usize {
    let log = fs::read_to_string(services.folder.join("namenode/log")).unwrap();
    log.matches(&format!("cmd=open\tsrc={path}\t")).count()
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn two_hundred_readers_of_a_cold_block_read_the_ufs_once() {
    const LENGTH: u64 = 8 << 20;
    const READERS: u64 = 200;
    const CHUNK_BYTES: u64 = 64 << 10;
    let services = Services::from_environment();
    let root = format!("{}/readers-{}", services.hdfs, std::process::id());
    services.testbed(&["hdfs", "-mkdir", "-p", &root]);
    let cluster = Cluster::alone(&[("alluxio.master.mount.table.root.ufs", root.as_str())]);
    cluster.up();
    let worker = Worker::new(&cluster, "worker", "1GB");
    worker.start().expect_success();
    // What `read` of the Java client expects, as one block.
    let folder = tempfile::tempdir().unwrap();
    let source = folder.path().join("source");
    fs::write(&source, probe_content(LENGTH)).unwrap();
    cluster.fs(&[THROUGH, "copyFromLocal", source.to_str().unwrap(), "/cold"]).expect_success();
    assert!(worker.blocks().is_empty());

    let before = worker.memory_bytes();
    let gate = folder.path().join("gate");
    let chunks = format!("-Dalluxio.user.streaming.reader.chunk.size.bytes={CHUNK_BYTES}");
    let options = [
        REMOTE,
        &chunks,
        "-Dalluxio.user.streaming.reader.buffer.size.messages=2",
        "-Dalluxio.user.network.streaming.flowcontrol.window=128KB",
    ];
    let words = ["readers", "/cold", &READERS.to_string(), gate.to_str().unwrap()];
    let reading = start_java(&cluster, &[&options[..], &words].concat());
    wait_for("all to read", COMMAND_LIMIT, || reading.output().contains("all have begun").then_some(()));
    wait_for("the block in memory", COMMAND_LIMIT, || (worker.blocks().len() == 1).then_some(()));
    fs::write(&gate, "").unwrap();
    let read = reading.wait(COMMAND_LIMIT);
    assert!(
        read.expect_success().stdout.contains(&format!("{READERS} have read {} bytes", READERS * LENGTH)),
        "{read}"
    );
    let path = format!("{}/cold", root.strip_prefix(&services.hdfs).unwrap());
    assert_eq!(opened(&services, &path), 1, "the UFS was read once");
    // Two chunks of each reader, and as much for its stream; were the block kept for each, it would be 1.6 GB.
    let grown = worker.memory_bytes() - before;
    assert!(grown < 4 * READERS * CHUNK_BYTES + (100 << 20), "{grown} bytes more than before");
}

/// The file system is smaller than the worker's memory is to be.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_ram_folder_that_is_full_refuses_writes_and_costs_no_byte() {
    let bed = Bed::up(1);
    let worker = Worker::new(&bed.cluster, "worker", "64MB");
    worker.start_on_tmpfs("8m").expect_success();
    let (large, small) = (bed.at("large"), bed.at("small"));
    fs::write(&large, numbers(16_000_000)).unwrap();
    fs::write(&small, numbers(4_000_000)).unwrap();
    let copy = |option, from: &Path, to| {
        bed.cluster.fs(&[REMOTE, SMALL_BLOCKS, option, "copyFromLocal", from.to_str().unwrap(), to])
    };
    let refused = copy(MUST_CACHE, &large, "/only-here");
    refused.expect_refusal(&["Failed to cache", "No space left on device"]);
    assert_eq!(bed.cluster.names("/"), Vec::<String>::new());
    copy(CACHE_THROUGH, &large, "/both").expect_success();
    assert_reads(&bed, REMOTE, "/both", &large);
    copy(THROUGH, &large, "/cold").expect_success();
    assert_reads(&bed, REMOTE, "/cold", &large);
    bed.cluster.fs(&["rm", "/both"]).expect_success();
    bed.cluster.fs(&["rm", "/cold"]).expect_success();
    // Room comes back with what was deleted.
    wait_for("room", COMMAND_LIMIT, || copy(MUST_CACHE, &small, "/small").success().then_some(()));
    assert_reads(&bed, REMOTE, "/small", &small);
}

/// The file has the content of the local one.
fn assert_reads(bed: &Bed, option: &str, path: &str, source: &Path) {
    let got = bed.at("got");
    let _ = fs::remove_file(&got); // there may be one from before
    bed.cluster.fs(&[option, "copyToLocal", path, got.to_str().unwrap()]).expect_success();
    assert_same(source, &got);
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_worker_goes_on_when_its_ram_folder_is_removed() {
    let bed = Bed::up(1);
    let worker = Worker::new(&bed.cluster, "worker", "1GB");
    worker.start().expect_success();
    let source = bed.file(3_000_000);
    let copy = |option, write_type, to| {
        bed.cluster.fs(&[option, SMALL_BLOCKS, write_type, "copyFromLocal", source.to_str().unwrap(), to])
    };
    copy(REMOTE, CACHE_THROUGH, "/in-ufs").expect_success();
    copy(REMOTE, MUST_CACHE, "/only-here").expect_success();
    fs::remove_dir_all(worker.ram()).unwrap();
    for option in [REMOTE, SHORT_CIRCUIT] {
        assert_reads(&bed, option, "/in-ufs", &source);
        let lost = bed.cluster.fs(&[option, GIVES_UP, "cat", "/only-here"]);
        lost.expect_refusal(&["is unavailable in both Alluxio and UFS"]);
        copy(option, MUST_CACHE, "/refused").expect_refusal(&["Failed to cache: cannot create the block file"]);
        copy(option, CACHE_THROUGH, "/through").expect_success();
        assert_reads(&bed, option, "/through", &source);
        bed.cluster.fs(&["rm", "/through"]).expect_success();
    }
    fs::create_dir(worker.ram()).unwrap();
    for (option, path) in [(REMOTE, "/far"), (SHORT_CIRCUIT, "/near")] {
        copy(option, MUST_CACHE, path).expect_success();
        assert_reads(&bed, option, path, &source);
    }
}
