//! A worker is killed in the middle of a read: it goes on from elsewhere, or ends with a clear error.

use std::fs::{self, File};
use std::io::Read;

use crate::harness::{COMMAND_LIMIT, Outcome, Worker, wait_for};
use crate::java::{probe_content, start_java};
use crate::own_shell::{Bed, CACHE_THROUGH, MUST_CACHE, REMOTE, SHORT_CIRCUIT, SMALL_BLOCKS, start_into};

const LENGTH: usize = 10_000_000;
/// Clients try as long to read a block; those of 2.9 for 5 min if nothing is said.
pub const GIVES_UP: &str = "-Dalluxio.user.block.read.retry.max.duration=1s";

/// Makes a file that the Java client can compare.
fn put(bed: &Bed, write_type: &str, path: &str) {
    let source = bed.at("source");
    fs::write(&source, probe_content(LENGTH as u64)).unwrap();
    let copy = [REMOTE, SMALL_BLOCKS, write_type, "copyFromLocal", source.to_str().unwrap(), path];
    bed.cluster.fs(&copy).expect_success();
}

/// Starts a read by the Java client and kills the worker in its middle; what came of it.
fn killed_in_the_middle(bed: &Bed, worker: &Worker, options: &[&str], path: &str) -> Outcome {
    let gate = bed.at("gate");
    let _ = fs::remove_file(&gate); // there may be one from before
    let reading = start_java(&bed.cluster, &[options, &["read", path, gate.to_str().unwrap()]].concat());
    wait_for("a read in its middle", COMMAND_LIMIT, || reading.output().contains("read half").then_some(()));
    worker.kill();
    fs::write(&gate, "").unwrap();
    reading.wait(COMMAND_LIMIT)
}

/// Starts a `cat` by our shell and kills the worker in its middle; what came of it, and what it wrote.
fn cat_killed_in_the_middle(bed: &Bed, worker: &Worker, option: &str, path: &str) -> (Outcome, Vec<u8>) {
    let pipe = bed.pipe();
    let cat = start_into(&pipe, &bed.cluster.shell(), &["fs", option, GIVES_UP, "cat", path]);
    let mut output = File::open(&pipe).unwrap();
    let mut read = vec![0; LENGTH / 2];
    output.read_exact(&mut read).unwrap();
    worker.kill();
    output.read_to_end(&mut read).unwrap();
    (cat.wait(COMMAND_LIMIT), read)
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_read_of_the_java_client_goes_on_from_the_ufs_when_the_worker_dies() {
    let bed = Bed::up(1);
    let first = Worker::new(&bed.cluster, "first", "1GB");
    first.start().expect_success();
    let cases = [("/far", REMOTE), ("/near", SHORT_CIRCUIT)];
    for (path, _) in cases {
        put(&bed, CACHE_THROUGH, path);
    }
    // It has none of them.
    let second = Worker::new(&bed.cluster, "second", "1GB");
    second.start().expect_success();
    for (path, option) in cases {
        let read = killed_in_the_middle(&bed, &first, &[option], path);
        assert!(read.expect_success().stdout.contains(&format!("\nread {LENGTH} bytes of {path} ")), "{read}");
        first.start().expect_success();
    }
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_read_of_what_only_a_dead_worker_had_says_so() {
    let bed = Bed::up(1);
    let worker = Worker::new(&bed.cluster, "only", "1GB");
    worker.start().expect_success();
    put(&bed, MUST_CACHE, "/f");
    for option in [REMOTE, SHORT_CIRCUIT] {
        let failed = killed_in_the_middle(&bed, &worker, &[option, GIVES_UP], "/f");
        assert!(failed.code != 0 && !failed.stdout.contains("bytes of"), "{failed}");
        assert!(failed.stderr.contains("UnavailableException"), "{failed}");
        worker.start().expect_success();
    }
    // The same by our shell, which says it where the content goes, as 1.2.0 does.
    for option in [REMOTE, SHORT_CIRCUIT] {
        let (failed, read) = cat_killed_in_the_middle(&bed, &worker, option, "/f");
        assert_eq!(failed.code, 255, "{failed}");
        let said = String::from_utf8_lossy(&read[read.len() - 200..]).into_owned();
        assert!(said.contains("cannot connect to 127.0.0.1"), "{said}");
        worker.start().expect_success();
    }
    // Once its blocks are gone for good, nobody waits for them.
    worker.stop();
    worker.format().expect_success();
    worker.start().expect_success();
    let refused = bed.cluster.fs(&["persist", "/f"]);
    assert_eq!(
        (refused.code, refused.stdout.as_str()),
        (255, "/f is lost: no worker has all of its blocks\n"),
        "{refused}"
    );
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_read_of_our_shell_goes_on_from_the_ufs_when_the_worker_dies() {
    let bed = Bed::up(1);
    let first = Worker::new(&bed.cluster, "first", "1GB");
    first.start().expect_success();
    let cases = [("/far", REMOTE), ("/near", SHORT_CIRCUIT)];
    for (path, _) in cases {
        put(&bed, CACHE_THROUGH, path);
    }
    // It has none of them.
    let second = Worker::new(&bed.cluster, "second", "1GB");
    second.start().expect_success();
    for (path, option) in cases {
        let (cat, read) = cat_killed_in_the_middle(&bed, &first, option, path);
        cat.expect_success();
        assert!(read == probe_content(LENGTH as u64), "every byte is right");
        first.start().expect_success();
    }
}
