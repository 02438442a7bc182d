//! From the signal to the leader until the first answer of the next one, as clients in a loop see it.

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use alluxio::types::time::{Millis, wall_now};
use rustix::process::Signal;

use crate::harness::{COMMAND_LIMIT, Cluster, Running, project, start, wait_for};

/// One mkdir of a client: its directory, when it began and ended, whether it was answered.
struct Attempt {
    name: String,
    ended: Millis,
    answered: bool,
}

/// What one run found, for one client.
struct Outage {
    /// From the signal to the end of the longest silence after it.
    took_ms: i64,
    /// Attempts that ended with an error.
    failed: usize,
}

/// A way to lose a leader.
struct Loss {
    title: &'static str,
    session: &'static str,
    end: fn(&Cluster, usize),
    restore: fn(&Cluster, usize),
    clients: &'static [Client],
}

/// Who makes directories in a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    /// `alluxio fs mkdir` again and again.
    Shell,
    /// One process with the client of 2.9.6.
    Java,
}

const BOTH: &[Client] = &[Client::Shell, Client::Java];

const LOSSES: &[Loss] = &[
    Loss {
        title: "SIGTERM (alluxio-stop.sh), 40 s session",
        session: "40s",
        end: |cluster, leader| {
            cluster.masters[leader].stop().expect_success();
        },
        restore: start_again,
        clients: BOTH,
    },
    Loss {
        title: "kill -9 of the master process, 40 s session",
        session: "40s",
        end: |cluster, leader| cluster.masters[leader].signal(Signal::KILL),
        restore: start_again,
        clients: BOTH,
    },
    Loss {
        title: "kill -9 of master and guardian, 40 s session",
        session: "40s",
        end: |cluster, leader| cluster.masters[leader].kill_with_guardian(),
        restore: start_again,
        clients: BOTH,
    },
    Loss {
        title: "SIGSTOP, 6 s session",
        session: "6s",
        end: |cluster, leader| cluster.masters[leader].signal(Signal::STOP),
        restore: |cluster, leader| cluster.masters[leader].signal(Signal::CONT),
        // A Java client whose call is at the paused process waits for its own keep-alive, 60 s, whoever leads.
        clients: &[Client::Shell],
    },
];

/// What the originals took in the same setup, measured once on another day, each by its own client.
const ORIGINALS: &str = "\
| 1.2.0, defaults | SIGTERM | 1.2.0 | | 55.0 | 60.9 | | |
| 1.2.0, defaults | kill -9 | 1.2.0 | | 50.0 | 57.6 | | |
| 1.2.0, 4 s session | SIGTERM | 1.2.0 | | 20.1 | 23.8 | | |
| 1.2.0, 4 s session | kill -9 | 1.2.0 | | 25.4 | 31.3 | | |
| 2.9.6, defaults (60 s session) | SIGTERM | 2.9.6 | | 71.8 | 74.6 | | |
| 2.9.6, defaults (60 s session) | kill -9 | 2.9.6 | | 68.7 | 69.0 | | |
| 2.9.6, 4 s session | SIGTERM | 2.9.6 | | 14.2 | 14.5 | | |
| 2.9.6, 4 s session | kill -9 | 2.9.6 | | 10.9 | 12.2 | | |
| 2.9.6, 4 s session, all waits tuned down | SIGTERM | 2.9.6 | | 6.1 | 7.5 | | |
| 2.9.6, 4 s session, all waits tuned down | kill -9 | 2.9.6 | | 5.0 | 5.5 | | |
";

fn start_again(cluster: &Cluster, master: usize) {
    // A guardian may have started it already.
    let started = cluster.masters[master].start();
    assert!(started.success() || started.stderr.contains("already running"), "{started}");
}

#[test]
#[ignore = "a measurement: scripts/measure-failover"]
fn failover_times() {
    let runs: usize = std::env::var("MEASURE_RUNS").map_or(10, |runs| runs.parse().expect("MEASURE_RUNS is a number"));
    let mut table = String::from(
        "| masters | leader lost by | client | runs | p50 s | max s | failed calls | answered and lost |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for loss in LOSSES {
        let (shell, java) = measure(loss, runs);
        for (client, outages) in [("alluxio fs", shell), ("Java 2.9.6", java)] {
            if outages.is_empty() {
                continue;
            }
            let mut took: Vec<i64> = outages.iter().map(|outage| outage.took_ms).collect();
            took.sort_unstable();
            let failed: usize = outages.iter().map(|outage| outage.failed).sum();
            let seconds = |ms: i64| ms as f64 / 1000.0;
            let (median, max) = (seconds(took[took.len() / 2]), seconds(took[took.len() - 1]));
            // Anything answered and lost has failed this test before.
            writeln!(table, "| ours | {} | {client} | {runs} | {median:.2} | {max:.2} | {failed} | 0 |", loss.title)
                .unwrap();
        }
    }
    table += ORIGINALS;
    println!("{table}");
    write_section("failover", &table);
}

/// Loses the leader again and again, with a shell loop and a Java client running.
fn measure(loss: &Loss, runs: usize) -> (Vec<Outage>, Vec<Outage>) {
    let cluster = Cluster::new(2, &[("alluxio.zookeeper.session.timeout", loss.session)]);
    cluster.up();
    let (mut shell, mut java) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let leader = cluster.leader();
        let (by_shell, by_java) = one_run(&cluster, loss, leader, run);
        let java_ms = by_java.as_ref().map_or("-".into(), |outage| outage.took_ms.to_string());
        println!("{} run {run}: shell {} ms, java {java_ms} ms", loss.title, by_shell.took_ms);
        shell.push(by_shell);
        java.extend(by_java);
        (loss.restore)(&cluster, leader);
        wait_for("the old leader to listen", COMMAND_LIMIT, || cluster.masters[leader].listens().then_some(()));
    }
    (shell, java)
}

fn one_run(cluster: &Cluster, loss: &Loss, leader: usize, run: usize) -> (Outage, Option<Outage>) {
    let (by_shell, by_java) = (format!("/shell-{run}"), format!("/java-{run}"));
    cluster.fs(&["mkdir", &by_shell]).expect_success();
    let properties = cluster.java_properties();
    let words: Vec<&str> = properties.iter().map(String::as_str).chain(["loop", &by_java, "600"]).collect();
    let java = loss.clients.contains(&Client::Java);
    let client = java.then(|| start(&project().join("scripts/java-client"), &words, &[]));
    // A client that takes no part is never waited for.
    let answers = |wanted: usize| {
        let output = client.as_ref().map(Running::output);
        output.map_or(wanted, |output| output.lines().filter(|line| line.starts_with("ok")).count())
    };

    let attempts = Mutex::new(Vec::new());
    let stop = AtomicBool::new(false);
    let mut signal_at = Millis(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                let name = n.to_string();
                let answered = cluster.fs(&["mkdir", &format!("{by_shell}/{name}")]).success();
                attempts.lock().unwrap().push(Attempt { name, ended: wall_now(), answered });
                if stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let shell_answers = || attempts.lock().unwrap().iter().filter(|attempt| attempt.answered).count();
        wait_for("answers before", COMMAND_LIMIT, || (shell_answers() >= 5 && answers(20) >= 20).then_some(()));
        signal_at = wall_now();
        (loss.end)(cluster, leader);
        wait_for("another leader", COMMAND_LIMIT, || (cluster.leader() != leader).then_some(()));
        let (shell_wanted, java_wanted) = (shell_answers() + 5, answers(0) + 20);
        let enough = || (shell_answers() >= shell_wanted && answers(java_wanted) >= java_wanted).then_some(());
        wait_for("answers after", COMMAND_LIMIT, enough);
        stop.store(true, Ordering::Relaxed);
    });
    let java = client.map(|client| java_attempts(&client.interrupt()));
    let shell = attempts.into_inner().unwrap();
    assert_all_there(cluster, &by_shell, &shell);
    java.iter().for_each(|java| assert_all_there(cluster, &by_java, java));
    (outage(signal_at, &shell), java.map(|java| outage(signal_at, &java)))
}

/// Reads `ok 7 <began> <ended>` and `failed 8 <began> <ended> ...`.
fn java_attempts(output: &str) -> Vec<Attempt> {
    let words = output.lines().map(|line| line.split(' ').collect::<Vec<_>>()).filter(|words| words.len() >= 4);
    words
        .map(|words| Attempt {
            name: words[1].to_owned(),
            ended: Millis(words[3].parse().unwrap()),
            answered: words[0] == "ok",
        })
        .collect()
}

fn assert_all_there(cluster: &Cluster, directory: &str, attempts: &[Attempt]) {
    let there = cluster.names(directory);
    let lost = attempts.iter().filter(|attempt| attempt.answered && !there.contains(&attempt.name));
    let lost: Vec<_> = lost.map(|attempt| &attempt.name).collect();
    assert!(lost.is_empty(), "answered and lost in {directory}: {lost:?}");
}

/// The old leader may answer for a moment after the signal, so the end of the longest silence counts, not the first
/// answer.
fn outage(signal_at: Millis, attempts: &[Attempt]) -> Outage {
    let answers: Vec<i64> = attempts.iter().filter(|a| a.answered).map(|a| a.ended.0).collect();
    let pairs = answers.windows(2).filter(|pair| pair[1] > signal_at.0);
    let longest = pairs.max_by_key(|pair| pair[1] - pair[0]).expect("there are answers after the signal");
    Outage { took_ms: longest[1] - signal_at.0, failed: attempts.iter().filter(|a| !a.answered).count() }
}

/// Puts the text between the marks of its section in docs/measured.md.
fn write_section(name: &str, text: &str) {
    let file = project().join("docs/measured.md");
    let old = std::fs::read_to_string(&file).unwrap();
    let (begin, end) = (format!("<!-- {name}: begin -->\n"), format!("<!-- {name}: end -->"));
    let from = old.find(&begin).expect("docs/measured.md has the mark of the section") + begin.len();
    let to = old.find(&end).expect("docs/measured.md has the mark of the end of the section");
    std::fs::write(&file, format!("{}{text}{}", &old[..from], &old[to..])).unwrap();
}
