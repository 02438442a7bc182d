//! From the signal to the leader until the first answer of the next one, as clients in a loop see it.

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use alluxio::types::time::{Millis, wall_now};
use rustix::process::Signal;

use crate::harness::{COMMAND_LIMIT, Cluster, Running, Worker, project, start, wait_for};

/// One mkdir or write of a client: its name, when it ended, whether it was answered.
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

/// Who makes directories or files in a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Client {
    /// `alluxio fs mkdir` again and again.
    Shell,
    /// `alluxio fs copyFromLocal` of a small file, through a worker that has to find the new leader, too.
    Files,
    /// One process that makes directories with the client of 2.9.6.
    Java,
}

impl Client {
    fn title(self) -> &'static str {
        match self {
            Client::Shell => "alluxio fs mkdir",
            Client::Files => "alluxio fs copyFromLocal",
            Client::Java => "Java 2.9.6",
        }
    }

    fn directory(self, run: usize) -> String {
        format!("/{self:?}-{run}")
    }
}

const ALL: &[Client] = &[Client::Shell, Client::Files, Client::Java];

const LOSSES: &[Loss] = &[
    Loss {
        title: "SIGTERM (alluxio-stop.sh), 40 s session",
        session: "40s",
        end: |cluster, leader| {
            cluster.masters[leader].stop().expect_success();
        },
        restore: start_again,
        clients: ALL,
    },
    Loss {
        title: "kill -9 of the master process, 40 s session",
        session: "40s",
        end: |cluster, leader| cluster.masters[leader].signal(Signal::KILL),
        restore: start_again,
        clients: ALL,
    },
    Loss {
        title: "kill -9 of master and guardian, 40 s session",
        session: "40s",
        end: |cluster, leader| cluster.masters[leader].kill_with_guardian(),
        restore: start_again,
        clients: ALL,
    },
    Loss {
        title: "SIGSTOP, 6 s session",
        session: "6s",
        end: |cluster, leader| cluster.masters[leader].signal(Signal::STOP),
        restore: |cluster, leader| cluster.masters[leader].signal(Signal::CONT),
        // A Java client whose call is at the paused process waits for its own keep-alive, 60 s, whoever leads.
        clients: &[Client::Shell, Client::Files],
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
        let outages = measure(loss, runs);
        for client in loss.clients {
            let of_client = || outages.iter().filter(|(of, _)| of == client).map(|(_, outage)| outage);
            let mut took: Vec<i64> = of_client().map(|outage| outage.took_ms).collect();
            took.sort_unstable();
            let failed: usize = of_client().map(|outage| outage.failed).sum();
            let seconds = |ms: i64| ms as f64 / 1000.0;
            let (median, max) = (seconds(took[took.len() / 2]), seconds(took[took.len() - 1]));
            // Anything answered and lost has failed this test before.
            let (title, client) = (loss.title, client.title());
            writeln!(table, "| ours | {title} | {client} | {runs} | {median:.2} | {max:.2} | {failed} | 0 |").unwrap();
        }
    }
    table += ORIGINALS;
    println!("{table}");
    write_section("failover", &table);
}

/// Loses the leader again and again, with the clients running.
fn measure(loss: &Loss, runs: usize) -> Vec<(Client, Outage)> {
    let cluster = Cluster::new(2, &[("alluxio.zookeeper.session.timeout", loss.session)]);
    cluster.up();
    let worker = Worker::new(&cluster, "worker", "1GB");
    worker.start().expect_success();
    let mut outages = Vec::new();
    for run in 0..runs {
        let leader = cluster.leader();
        let found = one_run(&cluster, loss, leader, run);
        let text: Vec<_> = found.iter().map(|(client, outage)| format!("{client:?} {} ms", outage.took_ms)).collect();
        println!("{} run {run}: {}", loss.title, text.join(", "));
        outages.extend(found);
        (loss.restore)(&cluster, leader);
        wait_for("the old leader to listen", COMMAND_LIMIT, || cluster.masters[leader].listens().then_some(()));
    }
    outages
}

fn one_run(cluster: &Cluster, loss: &Loss, leader: usize, run: usize) -> Vec<(Client, Outage)> {
    for client in loss.clients {
        cluster.fs(&["mkdir", &client.directory(run)]).expect_success();
    }
    let java = loss.clients.contains(&Client::Java).then(|| {
        let (properties, directory) = (cluster.java_properties(), Client::Java.directory(run));
        let words: Vec<&str> = properties.iter().map(String::as_str).chain(["loop", &directory, "600"]).collect();
        start(&project().join("scripts/java-client"), &words, &[])
    });
    let shells: Vec<Client> = loss.clients.iter().copied().filter(|client| *client != Client::Java).collect();
    let attempts: Vec<Mutex<Vec<Attempt>>> = shells.iter().map(|_| Mutex::default()).collect();
    // How many answers each client has had. One that takes no part is never waited for.
    let answers = || {
        let of_shell = |attempts: &Mutex<Vec<Attempt>>| attempts.lock().unwrap().iter().filter(|a| a.answered).count();
        let shells: Vec<usize> = attempts.iter().map(of_shell).collect();
        let of_java = |java: &Running| java.output().lines().filter(|line| line.starts_with("ok")).count();
        (shells, java.as_ref().map(of_java))
    };
    let wait_for_more = |what: &str| {
        let (shells, java) = answers();
        wait_for(what, COMMAND_LIMIT, || {
            let (shells_now, java_now) = answers();
            let enough = shells.iter().zip(shells_now).all(|(before, now)| now >= before + 5);
            (enough && java_now >= java.map(|before| before + 20)).then_some(())
        });
    };

    let stop = AtomicBool::new(false);
    let mut signal_at = Millis(0);
    std::thread::scope(|scope| {
        for (client, attempts) in shells.iter().zip(&attempts) {
            let stop = &stop;
            scope.spawn(move || {
                for name in (0..).map(|n: u32| n.to_string()) {
                    let path = format!("{}/{name}", client.directory(run));
                    let answered = make(cluster, *client, &path);
                    attempts.lock().unwrap().push(Attempt { name, ended: wall_now(), answered });
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        // Whatever happens, the loops end.
        let _stop = Stop(&stop);
        wait_for_more("answers before");
        signal_at = wall_now();
        (loss.end)(cluster, leader);
        wait_for("another leader", COMMAND_LIMIT, || (cluster.leader() != leader).then_some(()));
        wait_for_more("answers after");
    });
    let java = java.map(|java| (Client::Java, java_attempts(&java.interrupt())));
    let attempts = attempts.into_iter().map(|attempts| attempts.into_inner().unwrap());
    let by_client = shells.into_iter().zip(attempts).chain(java);
    by_client
        .map(|(client, attempts)| {
            assert_all_there(cluster, &client.directory(run), &attempts);
            if client == Client::Files {
                assert_all_readable(cluster, &client.directory(run), &attempts);
            }
            (client, outage(signal_at, &attempts))
        })
        .collect()
}

/// Ends the loops when it is dropped.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One command of a client of ours; whether it succeeded.
fn make(cluster: &Cluster, client: Client, path: &str) -> bool {
    let file = project().join("Cargo.toml").display().to_string();
    let outcome = match client {
        Client::Files => cluster.fs(&["copyFromLocal", &file, path]),
        Client::Shell | Client::Java => cluster.fs(&["mkdir", path]),
    };
    if !outcome.success() {
        println!("{outcome}");
    }
    outcome.success()
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

fn assert_all_readable(cluster: &Cluster, directory: &str, attempts: &[Attempt]) {
    let written = std::fs::read_to_string(project().join("Cargo.toml")).unwrap();
    for attempt in attempts.iter().filter(|attempt| attempt.answered) {
        let path = format!("{directory}/{}", attempt.name);
        let read = cluster.fs(&["cat", &path]);
        assert!(read.success() && read.stdout == written, "{path} was answered and reads as {read}");
    }
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
