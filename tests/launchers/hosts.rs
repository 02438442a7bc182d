//! `alluxio-workers.sh`: a command on all hosts of conf/workers.

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::installation::{Installation, outcome, wait_until};

const WAITED: &str = "Waiting for MASTER tasks to finish...\n\
                      All MASTER tasks finished, please analyze the log at H/logs/task.log.\n";

fn installed(hosts: &str) -> Installation {
    let installed = Installation::new();
    installed.write("conf/workers", hosts);
    installed
}

#[test]
fn the_hosts_are_the_words_that_are_no_comment() {
    let installed = installed("# all\n\n  server06 \tserver07# two\r\nserver08 # note\n#server09\nserver06\n* last");
    assert_eq!(installed.run("bin/alluxio-workers.sh echo hello"), outcome(WAITED, "", 0));
    let mut log = installed.task_log();
    log.sort();
    assert_eq!(log, ["[*] hello", "[last] hello", "[server06] hello", "[server07] hello", "[server08] hello"]);
}

#[test]
fn without_a_command_or_a_host_there_is_nothing_to_do() {
    let installed = installed("# none\n");
    assert_eq!(installed.run("bin/alluxio-workers.sh"), outcome("", "Usage: alluxio-workers.sh command...\n", 1));
    assert_eq!(installed.run("bin/alluxio-workers.sh true"), outcome(WAITED, "H/conf/workers names no host.\n", 0));
    let told = "Cannot read H/conf/workers: it names the hosts of the workers, one a line.\n";
    assert_eq!(installed.run("rm conf/workers; bin/alluxio-workers.sh true"), outcome("", told, 1));
}

#[test]
fn the_tasks_are_called_workers_only_when_they_are_stopped() {
    let installed = installed("localhost\n");
    let out = installed.run("bin/alluxio-workers.sh bin/alluxio killAll alluxio.worker.AlluxioWorker");
    assert!(out.stdout.starts_with("Waiting for WORKERS tasks to finish...\nAll WORKERS tasks finished"), "{out:?}");
}

#[test]
fn this_host_needs_no_ssh_and_the_others_are_asked_for_no_password() {
    let installed = installed("localhost here server07\n");
    assert_eq!(installed.run("bin/alluxio-workers.sh sh -c 'echo at $SSH_HOST'"), outcome(WAITED, "", 0));
    let mut log = installed.task_log();
    log.sort();
    assert_eq!(log, ["[here] at", "[localhost] at", "[server07] at server07"]);
    let calls = installed.read("stand-ins/ssh-calls");
    let options = "-n -o BatchMode=yes -o ConnectTimeout=5 -o StrictHostKeyChecking=no \
                   -o ServerAliveInterval=5 -o ServerAliveCountMax=3 server07 ";
    assert!(calls.lines().count() == 1 && calls.starts_with(options), "{calls}");
}

#[test]
fn words_stay_whole_on_the_other_side() {
    let installed = installed("localhost server07\n");
    let line = r#"bin/alluxio-workers.sh printf '<%s>' 'a  b' '*' "it's" '$HOME "x"' '' 'ü\n'"#;
    assert_eq!(installed.run(line), outcome(WAITED, "", 0));
    let mut log = installed.task_log();
    log.sort();
    let words = r#"<a  b><*><it's><$HOME "x"><><ü\n>"#;
    assert_eq!(log, [format!("[localhost] {words}"), format!("[server07] {words}")]);
}

#[test]
fn all_hosts_are_at_it_at_once() {
    let installed = installed("one two three localhost\n");
    // Each waits until all have come.
    installed.executable(
        "meet",
        "#!/bin/sh\ncd \"${0%/*}\"; touch met-$$; while [ $(ls met-* | wc -l) -lt 4 ]; do sleep 0.01; done\n",
    );
    assert_eq!(installed.run("timeout 30 bin/alluxio-workers.sh \"$PWD/meet\""), outcome(WAITED, "", 0));
}

#[test]
fn each_host_that_fails_is_told_with_the_reason_and_the_others_go_on() {
    let installed = installed("down\nwrong\nlocalhost\nfull\nnokey\nserver07\nnew\ndenied\nsilent\n");
    let out = installed.run("bin/alluxio-workers.sh sh -c 'echo hello; echo reason >&2; test $SSH_HOST'");
    let told = "down: failed with exit code 255: ssh: connect to host down port 22: Connection timed out \
                (is the host up, and its sshd?)\n\
                wrong: failed with exit code 255: ssh: Could not resolve hostname wrong: Name or service not known \
                (is it the right name in H/conf/workers?)\n\
                localhost: failed with exit code 1: reason\n\
                full: failed with exit code 1: cannot make the folder: No space left on device (os error 28)\n\
                nokey: failed with exit code 255: someone@nokey: Permission denied (publickey,password). \
                (ssh has to get in without a password: ssh-copy-id nokey)\n\
                new: failed with exit code 255: Host key verification failed. \
                (is it another machine by now? Then: ssh-keygen -R new)\n\
                denied: failed with exit code 1: cannot make the folder /r: Permission denied (os error 13)\n\
                silent: failed with exit code 3: it said nothing\n";
    assert_eq!(out, outcome(WAITED, told, 1));
    let log = installed.task_log();
    let of = |host: &str| log.iter().filter(|line| line.starts_with(&format!("[{host}]"))).cloned().collect::<Vec<_>>();
    assert_eq!(of("server07"), ["[server07] hello", "[server07] reason"]);
    assert_eq!(of("localhost"), ["[localhost] hello", "[localhost] reason"]);
    assert_eq!(of("wrong"), ["[wrong] ssh: Could not resolve hostname wrong: Name or service not known"]);
}

/// A command that tells its process in the file `at-it`, and goes on.
const TASK: &str = "sh -c 'echo $$ >>\"$1\"; exec sleep 600' x";

fn at_it(installed: &Installation) -> Vec<Pid> {
    let pid = |line: &str| Pid::from_raw(line.parse().unwrap()).unwrap();
    installed.read("at-it").lines().map(pid).collect()
}

/// Interrupts a launcher once three hosts are at it; what it says, on three hosts.
fn interrupt(installed: &Installation, line: &str, signal: Signal, code: i32) {
    let begun = installed.begin(line);
    wait_until(|| at_it(installed).len() == 3);
    kill_process(Pid::from_child(&begun), signal).unwrap();
    let told = ["localhost", "server07", "server08"]
        .map(|host| format!("{host}: interrupted; what it has begun there may go on\n"));
    let expected = outcome("Waiting for MASTER tasks to finish...\n", &told.concat(), code);
    assert_eq!(installed.end_of(begun), expected, "{line}");
}

#[test]
fn an_interrupted_launcher_ends_what_it_has_begun_and_tells_for_whom() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let installed = installed("localhost\nserver07\nserver08\n");
        interrupt(&installed, &format!("exec bin/alluxio-workers.sh {TASK} \"$PWD/at-it\""), signal, code);
        for process in at_it(&installed) {
            wait_until(|| test_kill_process(process).is_err());
        }
    }
}

#[test]
fn a_start_that_is_interrupted_waits_for_no_host() {
    let installed = installed("localhost\nserver07\nserver08\n");
    installed.write("logs/README.md", "");
    let program = format!(
        "#!/bin/sh\ncase \"$1 $2\" in 'process this-host') [ \"$3\" = localhost ] ;; 'process running') false ;; \
         'process start') {TASK} \"${{0%/*}}/../at-it\" ;; *) echo SSD ;; esac\n"
    );
    installed.executable("libexec/alluxio", &program);
    interrupt(&installed, "exec bin/alluxio-start.sh workers NoMount", Signal::TERM, 143);
    // What the other hosts do is theirs.
    for process in at_it(&installed) {
        kill_process(process, Signal::KILL).unwrap();
    }
}

#[test]
fn a_host_without_the_installation_is_told() {
    let installed = installed("bare\n");
    let told = "bare: failed with exit code 127: bash: line 1: H/bin/alluxio: No such file or directory \
                (is it installed in the same folder there?)\n";
    assert_eq!(installed.run("bin/alluxio-workers.sh \"$PWD/bin/alluxio\" version"), outcome(WAITED, told, 1));
}

#[test]
fn the_log_tells_when_which_host_was_connected_to() {
    let installed = installed("server07\n");
    installed.executable("stand-ins/id", "#!/bin/sh\necho someone\n");
    assert_eq!(installed.run("bin/alluxio-workers.sh true; bin/alluxio-workers.sh true").code, 0);
    let log = installed.read("logs/task.log");
    let shape: String = log.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    let once = "9999-99-99 99:99:99,999\n   INFO WORKERS  Connecting to server99 as someone...\n";
    assert_eq!(shape, once.repeat(2));
}

#[test]
fn a_log_that_cannot_be_written_is_told_and_hinders_nothing() {
    let installed = installed("server07\n");
    let out = installed.run("mkdir logs; ln -s /dev/full logs/task.log; bin/alluxio-workers.sh touch done");
    let told = "cannot write H/logs/task.log: No space left on device; the output of the hosts is lost.\n";
    assert_eq!(out, outcome(WAITED, told, 0));
    assert!(installed.path("done").exists());
    let out = installed.run("ALLUXIO_LOGS_DIR=/proc/logs bin/alluxio-workers.sh true");
    let told = "cannot write /proc/logs/task.log: No such file or directory; the output of the hosts is lost.\n";
    assert_eq!((out.stderr.as_str(), out.code), (told, 0));
}
