//! A guardian and its master as real processes: this test program plays the master and runs the guardian itself, by
//! calling itself with the name of a face and what to do in the environment.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use alluxio::master::guardian::{Ended, GuardianSettings, SERVER, guard};
use alluxio::master::process::{EXIT_FENCED, Process};
use alluxio::process::launch::{LaunchError, start, stop};
use alluxio::types::time::boot_now;

/// How long a state may take to come about.
const LIMIT: Duration = Duration::from_secs(20);

/// Folder in which a face works; unset when the tests run as tests.
const LOGS: &str = "GUARDIAN_TEST_LOGS";
/// What the master does.
const CONDUCT: &str = "GUARDIAN_TEST_CONDUCT";

/// Not a test: the guardian.
#[test]
fn as_guardian() {
    let Some(logs_dir) = std::env::var_os(LOGS).map(PathBuf::from) else { return };
    let settings =
        GuardianSettings { logs_dir: logs_dir.clone(), program: logs_dir.join("program"), options: Vec::new() };
    // The first master of "released late" is released when its successor has come; one "released when told", then.
    let awaited = match std::env::var(CONDUCT).unwrap().as_str() {
        "fenced, released late" => Some("listens"),
        "released when told" => Some("may_release"),
        _ => None,
    };
    let release = |ended: Ended<'_>| {
        let (line, logs_dir) = (format!("{} of {:?}", ended.incarnation, ended.cluster_id), logs_dir.clone());
        async move {
            while awaited.is_some_and(|file| !logs_dir.join(file).exists()) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            append(&logs_dir.join("released"), &line);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    match runtime.block_on(guard(&settings, release)) {
        Ok(code) => std::process::exit(code.into()),
        Err(error) => {
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}

/// Not a test: the launcher.
#[test]
fn as_launcher() {
    let Some(logs_dir) = std::env::var_os(LOGS).map(PathBuf::from) else { return };
    let mut guardian = Command::new(logs_dir.join("program"));
    guardian.arg("guardian");
    let deaf = std::env::var(CONDUCT).unwrap() == "deaf";
    let patience = if deaf { Duration::from_millis(50) } else { LIMIT };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let code = match runtime.block_on(start(&SERVER, &logs_dir, guardian, patience)) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error}");
            error.exit_code()
        }
    };
    std::process::exit(code.into());
}

/// Not a test: a master.
#[test]
fn as_master() {
    let Some(logs_dir) = std::env::var_os(LOGS).map(PathBuf::from) else { return };
    let process = Process::enter(&logs_dir).unwrap();
    let conduct = std::env::var(CONDUCT).unwrap();
    let runs = append(&logs_dir.join("incarnations"), process.incarnation());
    append(&logs_dir.join("comes_back"), &process.comes_back().to_string());
    process.joins("c1");
    match conduct.as_str() {
        "fail" => {
            eprintln!("the journal is not formatted");
            std::process::exit(3);
        }
        "fenced once" | "fenced, released late" if runs == 1 => std::process::exit(EXIT_FENCED.into()),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        append(&logs_dir.join("listens"), "to signals");
        if conduct != "slow" && conduct != "deaf" {
            process.ready("localhost:19998");
        }
        if conduct == "chatty" {
            println!("what a log on standard output says");
            append(&logs_dir.join("said"), "it");
        }
        terminate.recv().await;
        if conduct == "stubborn" || conduct == "deaf" {
            std::future::pending::<()>().await;
        }
    });
    drop(process);
    std::process::exit(0);
}

/// Adds a line to a file; how many it has then.
fn append(path: &Path, line: &str) -> usize {
    let mut text = std::fs::read_to_string(path).unwrap_or_default();
    text.push_str(line);
    text.push('\n');
    std::fs::write(path, &text).unwrap();
    text.lines().count()
}

/// One master and its guardian, in a folder of their own.
struct Node {
    folder: tempfile::TempDir,
}

impl Node {
    fn new(conduct: &str) -> Node {
        let node = Node { folder: tempfile::tempdir().unwrap() };
        // Called with the face it is to be: by a test or the launcher with `guardian`, by the guardian with `master`.
        let script = format!(
            "#!/bin/sh\nexport {LOGS}='{}' {CONDUCT}='{conduct}'\n\
             exec '{}' --quiet --test-threads=1 --nocapture --exact as_$1\n",
            node.logs().display(),
            std::env::current_exe().unwrap().display()
        );
        std::fs::write(node.program(), script).unwrap();
        std::fs::set_permissions(node.program(), std::fs::Permissions::from_mode(0o755)).unwrap();
        node
    }

    fn logs(&self) -> &Path {
        self.folder.path()
    }

    fn program(&self) -> PathBuf {
        self.logs().join("program")
    }

    fn start(&self) -> Result<(), LaunchError> {
        let mut guardian = Command::new(self.program());
        guardian.arg("guardian");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(start(&SERVER, self.logs(), guardian, LIMIT))
    }

    /// A launcher that can be interrupted, with what it writes to standard error.
    fn launcher(&self) -> std::process::Child {
        let mut launcher = Command::new(self.program());
        launcher.arg("launcher").stderr(std::process::Stdio::piped()).spawn().unwrap()
    }

    fn stop(&self) -> usize {
        stop(&SERVER, self.logs(), LIMIT, || panic!("the master has not ended")).unwrap()
    }

    fn pid(&self, file: &str) -> String {
        std::fs::read_to_string(self.logs().join(file)).unwrap().trim().to_owned()
    }

    fn lines(&self, file: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.logs().join(file)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// What the guardian is to release after these incarnations.
    fn left_by(incarnations: &[String]) -> Vec<String> {
        incarnations.iter().map(|incarnation| format!("{incarnation} of {:?}", Some("c1"))).collect()
    }

    fn has_ended(&self, file: &str) -> bool {
        !self.logs().join(file).exists()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // A test that failed must not leave processes behind.
        let _ = stop(&SERVER, self.logs(), Duration::ZERO, || {});
    }
}

fn wait_for(what: &str, state: impl Fn() -> bool) {
    let began = boot_now();
    while !state() {
        assert!(boot_now().since(began) < LIMIT, "{what}: not after {LIMIT:?}");
        std::thread::yield_now();
    }
}

fn kill(pid: &str) {
    signal(pid, "-KILL");
}

fn signal(pid: &str, signal: &str) {
    assert!(Command::new("kill").args([signal, pid]).status().unwrap().success());
}

#[test]
fn a_start_returns_when_the_master_serves_and_a_stop_when_it_has_ended() {
    let node = Node::new("serve");
    node.start().unwrap();
    let master = node.pid("master.pid");
    let name = std::fs::read_to_string(format!("/proc/{master}/cmdline")).unwrap();
    assert!(name.contains("as_master"), "{name}");
    assert_eq!(node.start().unwrap_err().to_string(), format!("master is already running with pid {master}"));
    assert_eq!(node.stop(), 1);
    assert!(node.has_ended("master.pid") && node.has_ended("master-guardian.pid"));
    assert!(!Path::new(&format!("/proc/{master}")).exists());
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_master_that_fails_to_start_is_told_of_with_its_own_words() {
    let node = Node::new("fail");
    let error = node.start().unwrap_err();
    assert_eq!(error.exit_code(), 3);
    let text = error.to_string();
    assert!(text.contains("the journal is not formatted\n"), "{text}");
    let last = format!("master failed to start (exit code 3); see {}", node.logs().display());
    assert!(text.ends_with(&last), "{text}");
    assert!(node.has_ended("master-guardian.pid"));
}

#[test]
fn an_interrupted_start_ends_what_it_has_started() {
    let node = Node::new("slow");
    interrupt_its_start(&node);
    assert!(node.has_ended("master.pid") && node.has_ended("master-guardian.pid"));
    assert_eq!(node.lines("released"), Node::left_by(&node.lines("incarnations")));
}

#[test]
fn an_interrupted_start_ends_even_if_what_it_has_started_does_not_want_to() {
    interrupt_its_start(&Node::new("deaf"));
}

/// A terminal interrupts launcher and guardian, and the guardian may end first.
#[test]
fn a_start_whose_guardian_was_interrupted_says_so() {
    let node = Node::new("serve");
    std::fs::write(node.program(), "#!/bin/sh\nkill -INT $$\n").unwrap();
    let error = node.start().unwrap_err();
    assert_eq!(error.exit_code(), 130, "{error}");
}

fn interrupt_its_start(node: &Node) {
    let launcher = node.launcher();
    wait_for("a master that starts", || !node.lines("listens").is_empty());
    let master = node.pid("master.pid");
    signal(&launcher.id().to_string(), "-INT");
    let output = launcher.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{told}");
    assert!(told.contains("interrupted: the master that was starting has been stopped"), "{told}");
    wait_for("the master ends", || !Path::new(&format!("/proc/{master}/exe")).exists());
}

#[test]
fn the_guardian_releases_a_master_that_was_killed_and_ends() {
    let node = Node::new("serve");
    node.start().unwrap();
    assert_eq!(node.lines("released"), [] as [&str; 0]);
    kill(&node.pid("master.pid"));
    wait_for("the guardian ends", || node.has_ended("master-guardian.pid"));
    assert_eq!(node.lines("released"), Node::left_by(&node.lines("incarnations")));
    assert_eq!(node.lines("released").len(), 1);
    assert!(node.has_ended("master.pid"), "no pid file is left behind");
    assert_eq!(node.stop(), 0);
}

#[test]
fn a_start_that_meets_the_guardian_of_a_dead_master_says_so() {
    let node = Node::new("released when told");
    node.start().unwrap();
    kill(&node.pid("master.pid"));
    wait_for("the end of the master", || node.has_ended("master.pid"));
    let error = node.start().unwrap_err();
    assert!(matches!(error, LaunchError::Guardian { .. }), "{error}");
    assert_eq!(error.exit_code(), 1);
    let text = format!("the guardian of the last master (pid {}) still gives up", node.pid("master-guardian.pid"));
    assert!(error.to_string().starts_with(&text), "{error}");
    append(&node.logs().join("may_release"), "now");
    wait_for("the guardian ends", || node.has_ended("master-guardian.pid"));
    node.start().unwrap();
    assert_eq!(node.stop(), 1);
}

#[test]
fn a_master_dies_with_its_guardian() {
    let node = Node::new("serve");
    node.start().unwrap();
    let master = node.pid("master.pid");
    kill(&node.pid("master-guardian.pid"));
    wait_for("the master ends", || !Path::new(&format!("/proc/{master}/exe")).exists());
    assert_eq!(node.lines("released"), [] as [&str; 0], "nobody knew of its end");
    // What they left behind does not hinder the next start.
    node.start().unwrap();
    assert_eq!(node.stop(), 1);
}

#[test]
fn a_fenced_master_comes_back_under_another_incarnation() {
    let node = Node::new("fenced once");
    node.start().unwrap();
    let incarnations = node.lines("incarnations");
    assert_eq!(incarnations.len(), 2);
    assert_ne!(incarnations[0], incarnations[1]);
    assert_eq!(node.lines("comes_back"), ["false", "true"]);
    assert_eq!(node.lines("released"), Node::left_by(&incarnations[..1]));
    assert_eq!(node.stop(), 1);
    assert_eq!(node.lines("released"), Node::left_by(&incarnations));
}

/// The election may be away, which is why a master ends.
#[test]
fn a_fenced_master_comes_back_before_the_one_before_is_released() {
    let node = Node::new("fenced, released late");
    node.start().unwrap();
    let incarnations = node.lines("incarnations");
    wait_for("the release of the first", || !node.lines("released").is_empty());
    assert_eq!(node.lines("released"), Node::left_by(&incarnations[..1]));
    assert_eq!(node.stop(), 1);
    assert_eq!(node.lines("released"), Node::left_by(&incarnations));
}

/// If the guardian ended, so would its master.
#[test]
fn a_full_disk_ends_no_guardian() {
    let node = Node::new("chatty");
    std::os::unix::fs::symlink("/dev/full", node.logs().join("master.out")).unwrap();
    node.start().unwrap();
    wait_for("a word of the master", || !node.lines("said").is_empty());
    assert_eq!(node.stop(), 1);
    assert_eq!(node.lines("released"), Node::left_by(&node.lines("incarnations")), "the guardian was there to the end");
}

#[test]
fn a_master_that_does_not_end_is_killed() {
    let node = Node::new("stubborn");
    node.start().unwrap();
    let impatient = std::cell::Cell::new(0);
    assert_eq!(
        stop(&SERVER, node.logs(), Duration::from_millis(50), || impatient.set(impatient.get() + 1)).unwrap(),
        1
    );
    assert_eq!(impatient.get(), 1);
    assert_eq!(node.stop(), 0);
}
