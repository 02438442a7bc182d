//! Our shell with our masters and workers: data through the end of a leader and of a worker, and for the Java client.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::harness::{COMMAND_LIMIT, Cluster, Running, Worker, project, run, start, wait_for};

pub const SHORT_CIRCUIT: &str = "-Dalluxio.user.short.circuit.enabled=true";
pub const REMOTE: &str = "-Dalluxio.user.short.circuit.enabled=false";
pub const SMALL_BLOCKS: &str = "-Dalluxio.user.block.size.bytes.default=1MB";
pub const MUST_CACHE: &str = "-Dalluxio.user.file.writetype.default=MUST_CACHE";
pub const THROUGH: &str = "-Dalluxio.user.file.writetype.default=THROUGH";
pub const ASYNC_THROUGH: &str = "-Dalluxio.user.file.writetype.default=ASYNC_THROUGH";
pub const CACHE_THROUGH: &str = "-Dalluxio.user.file.writetype.default=CACHE_THROUGH";

/// A cluster with a local folder as UFS, and a folder for local files.
pub struct Bed {
    pub cluster: Cluster,
    pub folder: TempDir,
}

impl Bed {
    pub fn up(masters: usize) -> Bed {
        Bed::up_with(masters, &[])
    }

    /// With these settings.
    pub fn up_with(masters: usize, settings: &[(&str, &str)]) -> Bed {
        let folder = tempfile::tempdir().unwrap();
        let ufs = folder.path().join("ufs");
        fs::create_dir(&ufs).unwrap();
        let ufs = ufs.display().to_string();
        let root = ("alluxio.master.mount.table.root.ufs", ufs.as_str());
        let cluster = Cluster::new(masters, &[&[root], settings].concat());
        cluster.up();
        Bed { cluster, folder }
    }

    /// A local file of so many bytes, no two blocks of it alike.
    pub fn file(&self, length: usize) -> PathBuf {
        let path = self.at("source");
        fs::write(&path, numbers(length)).unwrap();
        path
    }

    /// A new pipe with a name.
    pub fn pipe(&self) -> PathBuf {
        let path = self.at("pipe");
        let _ = fs::remove_file(&path); // there may be one from before
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        path
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn copied(&self, options: &[&str], from: &str, to: &Path) {
        let to = to.to_str().unwrap();
        self.cluster.fs(&[options, &["copyToLocal", from, to]].concat()).expect_success();
    }
}

/// So many bytes, no two blocks of them alike.
pub fn numbers(length: usize) -> Vec<u8> {
    let numbers = (0_u64..).flat_map(|number| number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    numbers.take(length).collect()
}

/// Starts a command whose standard output goes to this file, e.g. a pipe with a name.
pub fn start_into(output: &Path, program: &Path, words: &[&str]) -> Running {
    let (output, program) = (output.to_str().unwrap(), program.to_str().unwrap());
    let shell = ["-c", "exec \"${@:2}\" >\"$1\"", "bash", output, program];
    start("/bin/bash".as_ref(), &[&shell, words].concat(), &[])
}

pub fn assert_same(a: &Path, b: &Path) {
    assert!(fs::read(a).unwrap() == fs::read(b).unwrap(), "{} and {} differ", a.display(), b.display());
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn our_shell_and_the_java_client_read_what_the_other_wrote() {
    let bed = Bed::up(1);
    let worker = Worker::new(&bed.cluster, "worker", "1GB");
    worker.start().expect_success();
    let source = bed.file(10_000_000);
    let source_text = source.to_str().unwrap();
    let java = |words: &[&str]| {
        let properties = bed.cluster.java_properties();
        let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
        let words = [&properties, &["hadoop-fs"][..], words].concat();
        run(&project().join("scripts/java-client"), &words, &[], COMMAND_LIMIT).expect_success();
    };
    let root = format!("alluxio://zk@{}", bed.cluster.services.zookeeper.replace(',', ";"));
    for (name, option) in [("near", SHORT_CIRCUIT), ("far", REMOTE)] {
        let path = format!("/ours-{name}");
        bed.cluster.fs(&[option, SMALL_BLOCKS, "copyFromLocal", source_text, &path]).expect_success();
        let got = bed.at(&format!("java-{name}"));
        java(&["-get", &format!("{root}{path}"), got.to_str().unwrap()]);
        assert_same(&source, &got);
    }
    java(&["-put", source_text, &format!("{root}/java")]);
    for (name, option) in [("near", SHORT_CIRCUIT), ("far", REMOTE)] {
        let got = bed.at(name);
        bed.copied(&[option], "/java", &got);
        assert_same(&source, &got);
    }
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn blocks_from_before_a_format_are_not_taken_for_those_of_new_files() {
    let bed = Bed::up(1);
    let worker = Worker::new(&bed.cluster, "worker", "1GB");
    worker.start().expect_success();
    let (old, new) = (bed.at("old"), bed.at("new"));
    fs::write(&old, "the old file").unwrap();
    fs::write(&new, "the new file").unwrap();
    bed.cluster.fs(&["copyFromLocal", old.to_str().unwrap(), "/old"]).expect_success();
    assert_eq!(worker.blocks().len(), 1);
    worker.kill();
    bed.cluster.masters[0].stop().expect_success();
    bed.cluster.format();
    bed.cluster.masters[0].start().expect_success();
    worker.start().expect_success();
    let through = "-Dalluxio.user.file.writetype.default=THROUGH";
    bed.cluster.fs(&[through, "copyFromLocal", new.to_str().unwrap(), "/new"]).expect_success();
    assert_eq!(worker.blocks().len(), 1, "of the old file");
    for option in [REMOTE, SHORT_CIRCUIT] {
        assert_eq!(bed.cluster.fs(&[option, "cat", "/new"]).expect_success().stdout, "the new file");
    }
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_copy_goes_on_when_the_leader_dies() {
    let bed = Bed::up(3);
    let worker = Worker::new(&bed.cluster, "worker", "1GB");
    worker.start().expect_success();
    let source = bed.file(200_000_000);
    for (path, option) in [("/near", SHORT_CIRCUIT), ("/far", REMOTE)] {
        let leader = bed.cluster.leader();
        let pipe = bed.pipe();
        let copying = bed.cluster.start_fs(&[option, SMALL_BLOCKS, "copyFromLocal", pipe.to_str().unwrap(), path]);
        let (middle, reached) = mpsc::channel();
        let (killed, go_on) = mpsc::channel();
        let content = fs::read(&source).unwrap();
        let feeding = thread::spawn(move || {
            let mut pipe = File::options().write(true).open(pipe).unwrap();
            let (first, second) = content.split_at(content.len() / 2);
            let (second, last) = second.split_at(second.len() - 1_000_000);
            pipe.write_all(first).unwrap();
            middle.send(()).unwrap();
            // Blocks are asked for, written and committed while the leader dies; the copy is not over before it is dead.
            pipe.write_all(second).unwrap();
            go_on.recv().unwrap();
            pipe.write_all(last).unwrap();
        });
        reached.recv_timeout(COMMAND_LIMIT).expect("the copy comes to its middle");
        bed.cluster.masters[leader].signal(Signal::KILL);
        killed.send(()).unwrap();
        feeding.join().unwrap();
        copying.wait(COMMAND_LIMIT).expect_success();
        let got = bed.at("got");
        bed.copied(&[option], path, &got);
        assert_same(&source, &got);
    }
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_read_goes_on_at_another_worker_when_one_dies() {
    let bed = Bed::up(1);
    let first = Worker::new(&bed.cluster, "first", "1GB");
    first.start().expect_success();
    let source = bed.file(200_000_000);
    let copy = [REMOTE, SMALL_BLOCKS, CACHE_THROUGH, "copyFromLocal", source.to_str().unwrap(), "/f"];
    bed.cluster.fs(&copy).expect_success();
    let second = Worker::new(&bed.cluster, "second", "1GB");
    second.start().expect_success();
    for option in [REMOTE, SHORT_CIRCUIT] {
        let got = bed.at("got");
        let reading = bed.cluster.start_fs(&[option, "copyToLocal", "/f", got.to_str().unwrap()]);
        wait_for("a copy in its middle", COMMAND_LIMIT, || (part_length(bed.folder.path()) > 20_000_000).then_some(()));
        first.kill();
        reading.wait(COMMAND_LIMIT).expect_success();
        assert_same(&source, &got);
        first.start().expect_success();
    }
}

/// Bytes of the copy that is being made in `folder`.
fn part_length(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let parts = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with("_copyToLocal_"));
    parts.filter_map(|entry| Some(entry.metadata().ok()?.len())).sum()
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn without_room_or_worker_a_copy_says_so_and_leaves_no_file() {
    let bed = Bed::up(1);
    let source = bed.file(8_000_000);
    let copy = [REMOTE, SMALL_BLOCKS, "copyFromLocal", source.to_str().unwrap(), "/f"];
    let refused = bed.cluster.fs(&[&["-Dalluxio.user.file.write.init.max.duration=1s"], &copy[..]].concat());
    assert_eq!((refused.code, refused.stdout.as_str()), (255, "Failed to cache: No available Alluxio worker found\n"));
    let worker = Worker::new(&bed.cluster, "worker", "4MB");
    worker.start().expect_success();
    let refused = bed.cluster.fs(&copy);
    assert_eq!(refused.code, 255, "{refused}");
    assert!(refused.stdout.starts_with("Failed to cache: Not enough space left on worker"), "{refused}");
    assert_eq!(bed.cluster.names("/"), Vec::<String>::new());
    wait_for("a worker that has dropped what is of no use", COMMAND_LIMIT, || worker.blocks().is_empty().then_some(()));
}
