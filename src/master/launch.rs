//! `alluxio-start.sh master` and `alluxio-stop.sh master`: start a guarded master in the background and tell what
//! became of it; end it and wait for the end.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::guardian::{CLAIMED, GUARDIAN_PID_FILE};
use super::pid_file::{PidFileError, holder};
use super::process::{PID_FILE, READY};
use crate::types::time::boot_now;

/// How long a master may take until it serves before the launcher gives up waiting for it.
const START_WAIT: Duration = Duration::from_secs(120);

/// How long a master has for a clean end, as in 1.2.0.
pub const STOP_WAIT: Duration = Duration::from_secs(30);

/// How long a start waits for the end of a master that may be ending.
const SETTLE_WAIT: Duration = Duration::from_millis(200);

/// How long the system has to end processes that were killed.
const KILL_WAIT: Duration = Duration::from_secs(10);

/// How often it is looked whether a process has ended.
const STOP_POLL: Duration = Duration::from_millis(20);

/// How much of the end of `master.out` is shown when a start failed.
const OUTPUT_LINES_MAX: usize = 30;

/// Whether a launcher stays until the master it started has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linger {
    /// It ends when the master serves.
    UntilReady,
    /// It ends with the master.
    UntilEnd,
}

/// Why a master was not started or not stopped.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// One is there.
    #[error("master is already running with pid {0}")]
    Running(i32),
    /// The folder of the logs cannot be made.
    #[error("cannot make the folder {path}")]
    Logs {
        /// The folder.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The guardian did not start.
    #[error("cannot run {program}")]
    Run {
        /// The program.
        program: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The master ended before it served.
    #[error("{output}master failed to start (exit code {code}); see {logs}")]
    Failed {
        /// What it wrote, with a line break at the end, or empty.
        output: String,
        /// Its exit code.
        code: u8,
        /// Folder of the logs.
        logs: String,
    },
    /// It neither serves nor has it ended.
    #[error("master does not serve after {seconds} s, and is still starting; see {logs}")]
    Slow {
        /// How long was waited.
        seconds: u64,
        /// Folder of the logs.
        logs: String,
    },
    /// A pid file cannot be used.
    #[error(transparent)]
    PidFile(#[from] PidFileError),
    /// A process may not be stopped by us.
    #[error("cannot stop the process {pid}")]
    Signal {
        /// The process.
        pid: i32,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A process does not end.
    #[error("process {0} has not ended although it was killed")]
    Unkillable(i32),
}

impl LaunchError {
    /// The exit code that tells of it: that of the master where there was one.
    pub fn exit_code(&self) -> u8 {
        match self {
            LaunchError::Failed { code, .. } if *code != 0 => *code,
            _ => 1,
        }
    }
}

/// Starts a guardian (`program` with `guard` and then `options`) with a master, and returns when the master serves.
pub fn start(logs_dir: &Path, program: &Path, guard: &[String], linger: Linger) -> Result<(), LaunchError> {
    std::fs::create_dir_all(logs_dir)
        .map_err(|source| LaunchError::Logs { path: logs_dir.display().to_string(), source })?;
    // One that was killed just now may still hold its pid file for a moment.
    if let Some(pid) = running(logs_dir)?.last()
        && !ended(logs_dir, SETTLE_WAIT)?
    {
        return Err(LaunchError::Running(pid.as_raw_nonzero().get()));
    }
    let mut guardian = Command::new(program)
        .args(guard)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|source| LaunchError::Run { program: program.display().to_string(), source })?;
    let words = words(&mut guardian);
    let began = boot_now();
    let mut claimed = false;
    loop {
        let left = START_WAIT.saturating_sub(boot_now().since(began));
        match words.recv_timeout(left) {
            Ok(word) if word.starts_with(READY) => break,
            Ok(word) => claimed |= word == CLAIMED,
            Err(RecvTimeoutError::Timeout) => {
                return Err(LaunchError::Slow { seconds: START_WAIT.as_secs(), logs: logs_dir.display().to_string() });
            }
            Err(RecvTimeoutError::Disconnected) => return Err(failure(logs_dir, &mut guardian, claimed)),
        }
    }
    if linger == Linger::UntilEnd {
        // The channel closes with the guardian's end.
        while words.recv().is_ok() {}
    }
    Ok(())
}

/// The lines that the guardian writes.
fn words(guardian: &mut Child) -> Receiver<String> {
    let (sender, receiver) = sync_channel(1);
    let stdout = guardian.stdout.take().expect("its standard output is a pipe");
    // Ends with the guardian's output, or with this process, which is soon over.
    std::thread::spawn(move || {
        BufReader::new(stdout).lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
    });
    receiver
}

fn failure(logs_dir: &Path, guardian: &mut Child, claimed: bool) -> LaunchError {
    let code = guardian.wait().ok().and_then(|status: ExitStatus| status.code()).unwrap_or(1);
    // Before it was alone, the guardian wrote to the terminal itself, and the file may be another's.
    let output = if claimed { last_lines(&logs_dir.join("master.out")) } else { String::new() };
    LaunchError::Failed { output, code: u8::try_from(code).unwrap_or(1), logs: logs_dir.display().to_string() }
}

fn last_lines(path: &PathBuf) -> String {
    let mut content = Vec::new();
    // Nothing to show is no reason to fail in another way.
    let _ = std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut content));
    let content = String::from_utf8_lossy(&content);
    let lines: Vec<&str> = content.lines().collect();
    let last = &lines[lines.len().saturating_sub(OUTPUT_LINES_MAX)..];
    last.iter().map(|line| format!("{line}\n")).collect()
}

/// Ends the master and its guardian, and returns when they have ended: how many masters that were. `impatient` is
/// called when the time for a clean end is over, before they are killed.
pub fn stop(logs_dir: &Path, patience: Duration, impatient: impl Fn()) -> Result<usize, LaunchError> {
    let found = running(logs_dir)?;
    // The guardian passes the signal on and takes note of the end; without one, the master itself is asked.
    let Some(first) = found.first() else { return Ok(0) };
    send(*first, Signal::TERM)?;
    if ended(logs_dir, patience)? {
        return Ok(1);
    }
    impatient();
    for pid in running(logs_dir)? {
        send(pid, Signal::KILL)?;
    }
    if ended(logs_dir, KILL_WAIT)? { Ok(1) } else { Err(LaunchError::Unkillable(first.as_raw_nonzero().get())) }
}

/// The living processes of the master whose logs are in this folder: its guardian, if any, and itself.
fn running(logs_dir: &Path) -> Result<Vec<Pid>, PidFileError> {
    let guardian = holder(&logs_dir.join(GUARDIAN_PID_FILE))?;
    let master = holder(&logs_dir.join(PID_FILE))?;
    Ok(guardian.into_iter().chain(master).collect())
}

fn ended(logs_dir: &Path, limit: Duration) -> Result<bool, LaunchError> {
    let began = boot_now();
    while !running(logs_dir)?.is_empty() {
        if boot_now().since(began) > limit {
            return Ok(false);
        }
        std::thread::sleep(STOP_POLL);
    }
    Ok(true)
}

fn send(pid: Pid, signal: Signal) -> Result<(), LaunchError> {
    match kill_process(pid, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(e) => Err(LaunchError::Signal { pid: pid.as_raw_nonzero().get(), source: e.into() }),
    }
}
