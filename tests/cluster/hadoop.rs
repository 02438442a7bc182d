//! Unmodified `hadoop fs` over the Java 2.9.6 client, before, while and after leaders are killed.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::sync::mpsc;
use std::thread;

use rustix::process::Signal;

use crate::harness::{COMMAND_LIMIT, Worker, project, wait_for};
use crate::java::{java, start_java};
use crate::own_shell::{Bed, REMOTE, SHORT_CIRCUIT, assert_same, start_into};

const LENGTH: usize = 100_000_000;
const BLOCK_BYTES: usize = 4 << 20;
const BLOCKS: &str = "-Dalluxio.user.block.size.bytes.default=4MB";

/// A cluster of three with a worker, and how it is named to Hadoop.
fn up() -> (Bed, Worker, String) {
    let bed = Bed::up(3);
    let worker = Worker::new(&bed.cluster, "worker", "1GB");
    worker.start().expect_success();
    let root = format!("alluxio://zk@{}", bed.cluster.services.zookeeper.replace(',', ";"));
    (bed, worker, root)
}

/// Kills the leader; who was killed before comes back as a standby.
fn kill_the_leader(bed: &Bed) {
    let leader = bed.cluster.leader();
    bed.cluster.masters[leader].signal(Signal::KILL);
    wait_for("another leader", COMMAND_LIMIT, || (bed.cluster.leader() != leader).then_some(()));
    bed.cluster.masters[leader].start().expect_success();
}

#[test]
#[ignore = "needs a test bed: scripts/test"]
fn a_large_file_outlives_the_leaders_that_die_while_it_is_put_and_read() {
    let (bed, _worker, root) = up();
    let source = bed.file(LENGTH);
    let content = fs::read(&source).unwrap();
    let source_text = source.to_str().unwrap();
    for (name, option) in [("near", SHORT_CIRCUIT), ("far", REMOTE)] {
        let (before, during) = (format!("{root}/{name}/before"), format!("{root}/{name}/during"));
        let hadoop = |lines: &[&str]| {
            let commands = bed.at("commands");
            fs::write(&commands, lines.join("\n")).unwrap();
            let ended = java(&bed.cluster, &[option, BLOCKS, "hadoop", commands.to_str().unwrap()]);
            assert_eq!(ended.expect_success().stdout.matches("exit 0 of").count(), lines.len(), "{ended}");
            ended.stdout
        };
        hadoop(&[&format!("-mkdir -p {root}/{name}"), &format!("-put {source_text} {before}")]);

        // The pipe is taken into the middle of a block: no call for a new one is under way, see ARCHITECTURE.md.
        let pipe = bed.pipe();
        let put = start_java(&bed.cluster, &[option, BLOCKS, "hadoop-fs", "-put", pipe.to_str().unwrap(), &during]);
        let (middle, reached) = mpsc::channel();
        let (killed, go_on) = mpsc::channel();
        let (first, second) = content.split_at(10 * BLOCK_BYTES + BLOCK_BYTES / 2);
        let (first, second) = (first.to_vec(), second.to_vec());
        let feeding = thread::spawn(move || {
            let mut pipe = File::options().write(true).open(pipe).unwrap();
            pipe.write_all(&first).unwrap();
            middle.send(()).unwrap();
            go_on.recv().unwrap();
            pipe.write_all(&second).unwrap();
        });
        reached.recv_timeout(COMMAND_LIMIT).expect("the file is put to its middle");
        kill_the_leader(&bed);
        killed.send(()).unwrap();
        feeding.join().unwrap();
        put.wait(COMMAND_LIMIT).expect_success();

        // Read as far as the pipe has room, until the leader is dead.
        let pipe = bed.pipe();
        let client = project().join("scripts/java-client");
        let properties = bed.cluster.java_properties();
        let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
        let words = [properties.as_slice(), &[option, "hadoop-fs", "-cat", &during]].concat();
        let cat = start_into(&pipe, &client, &words);
        let mut read = vec![0; LENGTH / 2];
        let mut output = File::open(&pipe).unwrap();
        output.read_exact(&mut read).unwrap();
        kill_the_leader(&bed);
        output.read_to_end(&mut read).unwrap();
        cat.wait(COMMAND_LIMIT).expect_success();
        assert!(read == content, "what -cat gives is what was put");

        let [got_before, got_during] = ["before", "during"].map(|time| bed.at(&format!("got-{name}-{time}")));
        let said = hadoop(&[
            &format!("-get {before} {}", got_before.display()),
            &format!("-get {during} {}", got_during.display()),
            &format!("-stat %F,%b,%n {during}"),
            &format!("-du {root}/{name}"),
            &format!("-mv {during} {root}/{name}/moved"),
            &format!("-rm {before}"),
            &format!("-rm {root}/{name}/moved"),
        ]);
        assert_same(&source, &got_before);
        assert_same(&source, &got_during);
        assert!(said.contains(&format!("regular file,{LENGTH},during\n")), "{said}");
        assert_eq!(said.matches(&format!("{LENGTH}  {LENGTH}  ")).count(), 2, "{said}");
    }
}

/// One command after another while the leader dies: none fails, and each does what it says.
#[test]
#[ignore = "needs a test bed: scripts/test"]
fn commands_see_nothing_of_a_leader_that_dies() {
    const ROUNDS: usize = 7;
    let (bed, _worker, root) = up();
    let source = bed.at("ten");
    fs::write(&source, "0123456789").unwrap();
    let pipe = bed.pipe();
    let client = start_java(&bed.cluster, &["hadoop", pipe.to_str().unwrap()]);
    let mut commands = File::options().write(true).open(&pipe).unwrap();
    let mut expected = String::from("exit 0 of -put");
    writeln!(commands, "-put {} {root}/a-0", source.display()).unwrap();
    for n in 0..ROUNDS {
        let (from, to, made) = (format!("{root}/a-{n}"), format!("{root}/a-{}", n + 1), format!("{root}/b-{n}"));
        let round = format!(
            "-touchz {made}\n-stat %b {from}\n-du {from}\n-cat {from}\n-mv {from} {to}\n-rm {made}\n-mkdir -p {made}\n"
        );
        commands.write_all(round.as_bytes()).unwrap();
        if n == ROUNDS / 2 {
            // With its guardian, so that it is away for as long as its lease, which is longer than a round.
            bed.cluster.masters[bed.cluster.leader()].kill_with_guardian();
        }
        wait_for("the end of a round", COMMAND_LIMIT, || {
            (client.output().matches("exit ").count() == 1 + 7 * (n + 1)).then_some(())
        });
        expected += &format!(
            "\nexit 0 of -touchz\n10\nexit 0 of -stat\n10  10  {from}\nexit 0 of -du\n0123456789exit 0 of -cat\
             \nexit 0 of -mv\nDeleted {made}\nexit 0 of -rm\nexit 0 of -mkdir"
        );
    }
    drop(commands);
    let outcome = client.wait(COMMAND_LIMIT);
    // Without the words of the commands.
    let said = outcome.expect_success().stdout.lines().map(|line| match line.split_once(" of ") {
        Some((code, command)) => format!("{code} of {}", command.split(' ').next().unwrap()),
        None => line.to_owned(),
    });
    assert_eq!(said.collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>(), "{outcome}");
}
