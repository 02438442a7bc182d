//! `alluxio-start.sh` and `alluxio-stop.sh` on this node: start a server in the background and tell what became of it;
//! end it and wait for the end.

use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

use super::pid_file::{PidFileError, holder};
use super::{CLAIMED, READY, SAYS, Server, complain};
use crate::types::time::boot_now;

/// How long a server may take until it serves before the launcher gives up waiting for it.
const START_WAIT: Duration = Duration::from_secs(120);

/// How long a server has for a clean end, as in 1.2.0.
pub const STOP_WAIT: Duration = Duration::from_secs(30);

/// How long a start waits for the end of one that may be ending.
const SETTLE_WAIT: Duration = Duration::from_millis(200);

/// How long the system has to end processes that were killed.
const KILL_WAIT: Duration = Duration::from_secs(10);

/// How often it is looked whether a process has ended.
const STOP_POLL: Duration = Duration::from_millis(20);

/// How often who waits for a server that runs looks whether it still does.
const WATCH_POLL: Duration = Duration::from_millis(200);

/// Exit code of a launcher that was interrupted, as shells have it.
const EXIT_INTERRUPTED: u8 = 130;

/// How much of the end of its output is shown when a start failed.
const OUTPUT_LINES_MAX: usize = 30;
const OUTPUT_BYTES_MAX: u64 = 64 << 10;

/// Why a server was not started or not stopped.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// One is there.
    #[error("{server} is already running with pid {pid}")]
    Running {
        /// What it is.
        server: &'static str,
        /// Its process.
        pid: i32,
    },
    /// That of the last one is there, which had no time to end.
    #[error(
        "the guardian of the last {server} (pid {pid}) still gives up what that one left, or starts it again: try again in some \
         seconds, or end it with bin/alluxio-stop.sh {server}"
    )]
    Guardian {
        /// What it is.
        server: &'static str,
        /// The process of the guardian.
        pid: i32,
    },
    /// The folder of the logs cannot be made.
    #[error("cannot make the folder {path}")]
    Logs {
        /// The folder.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The program did not start.
    #[error("cannot run {program}")]
    Run {
        /// The program.
        program: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It ended before it served.
    #[error("{output}{server} failed to start (exit code {code}); see {logs}")]
    Failed {
        /// What it is.
        server: &'static str,
        /// What it wrote, with a line break at the end, or empty.
        output: String,
        /// Its exit code.
        code: u8,
        /// Folder of the logs.
        logs: String,
    },
    /// It neither serves nor has it ended.
    #[error("{server} does not serve after {seconds} s, and is still starting; see {logs}")]
    Slow {
        /// What it is.
        server: &'static str,
        /// How long was waited.
        seconds: u64,
        /// Folder of the logs.
        logs: String,
    },
    /// The launcher was told to end while it waited, and has ended what it had started.
    #[error("interrupted: the {server} that was starting has been stopped")]
    Interrupted {
        /// What it is.
        server: &'static str,
    },
    /// Signals cannot be received.
    #[error("cannot receive signals")]
    Signals(#[source] std::io::Error),
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
    /// The exit code that tells of it: that of the server where there was one.
    pub fn exit_code(&self) -> u8 {
        match self {
            LaunchError::Failed { code, .. } if *code != 0 => *code,
            LaunchError::Interrupted { .. } => EXIT_INTERRUPTED,
            _ => 1,
        }
    }
}

/// Starts `server` by running `command`, and returns when it serves.
///
/// # Errors
/// It runs already, or does not come to serve. Interrupted by a signal, this ends what it has started: kills it when it
/// has not ended after `patience`.
pub async fn start(
    server: &Server,
    logs_dir: &Path,
    mut command: std::process::Command,
    patience: Duration,
) -> Result<(), LaunchError> {
    std::fs::create_dir_all(logs_dir)
        .map_err(|source| LaunchError::Logs { path: logs_dir.display().to_string(), source })?;
    // One that was killed just now may still hold its pid file for a moment.
    if let Some(pid) = running(server, logs_dir)?.last()
        && !ended(server, logs_dir, SETTLE_WAIT)?
    {
        let (server_name, pid) = (server.name, pid.as_raw_nonzero().get());
        let own = server.pid_files.last().map_or(Ok(None), |own| holder(&logs_dir.join(own)))?;
        let is_alone = server.pid_files.len() > 1 && own.is_none();
        return Err(match is_alone {
            true => LaunchError::Guardian { server: server_name, pid },
            false => LaunchError::Running { server: server_name, pid },
        });
    }
    // From before there is anything to end.
    let interrupted = interrupted()?;
    tokio::pin!(interrupted);
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = Command::from(command).spawn().map_err(|source| LaunchError::Run { program, source })?;
    let mut words = BufReader::new(child.stdout.take().expect("its standard output is a pipe")).lines();
    let too_late = tokio::time::sleep(START_WAIT);
    tokio::pin!(too_late);
    let logs = logs_dir.display().to_string();
    let mut claimed = false;
    loop {
        tokio::select! {
            word = words.next_line() => match word.ok().flatten() {
                Some(word) if word.starts_with(READY) => break,
                Some(word) => match word.strip_prefix(SAYS) {
                    Some(remark) => complain(remark),
                    None => claimed |= word == CLAIMED,
                },
                None => return Err(failure(server, logs_dir, &mut child, claimed).await),
            },
            () = &mut too_late => {
                return Err(LaunchError::Slow { server: server.name, seconds: START_WAIT.as_secs(), logs });
            }
            () = &mut interrupted => {
                if let Some(pid) = child.id().and_then(|id| Pid::from_raw(id.cast_signed())) {
                    send(pid, Signal::TERM)?;
                }
                // It ends what it began; whoever is impatient interrupts again, and is not heard. A master that is
                // killed dies with its guardian.
                if tokio::time::timeout(patience, child.wait()).await.is_err() {
                    let _ = child.kill().await;
                }
                return Err(LaunchError::Interrupted { server: server.name });
            }
        }
    }
    Ok(())
}

/// Returns when somebody wants this launcher to end.
fn interrupted() -> Result<impl Future<Output = ()>, LaunchError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(LaunchError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(LaunchError::Signals)?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    })
}

async fn failure(server: &Server, logs_dir: &Path, child: &mut Child, claimed: bool) -> LaunchError {
    let status = child.wait().await.ok();
    // A terminal interrupts all of its processes, and this one may be the first to know.
    if status.and_then(|status: ExitStatus| status.signal()) == Some(Signal::INT.as_raw()) {
        return LaunchError::Interrupted { server: server.name };
    }
    let code = status.and_then(|status| status.code()).unwrap_or(1);
    // Before it was alone, it wrote to the terminal itself, and the file may be another's.
    let output = if claimed { last_lines(&logs_dir.join(server.output)) } else { String::new() };
    let code = u8::try_from(code).unwrap_or(1);
    LaunchError::Failed { server: server.name, output, code, logs: logs_dir.display().to_string() }
}

fn last_lines(path: &PathBuf) -> String {
    let mut content = Vec::new();
    // Nothing to show is no reason to fail in another way.
    let _ = std::fs::File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(file.metadata()?.len().saturating_sub(OUTPUT_BYTES_MAX)))?;
        file.take(OUTPUT_BYTES_MAX).read_to_end(&mut content)
    });
    let content = String::from_utf8_lossy(&content);
    let lines: Vec<&str> = content.lines().collect();
    let last = &lines[lines.len().saturating_sub(OUTPUT_LINES_MAX)..];
    last.iter().map(|line| format!("{line}\n")).collect()
}

/// Ends the server, and returns when it has ended: how many that were. `impatient` is called when the time for a clean
/// end is over, before it is killed.
///
/// # Errors
/// It may not be stopped, or does not end.
pub fn stop(server: &Server, logs_dir: &Path, patience: Duration, impatient: impl Fn()) -> Result<usize, LaunchError> {
    let found = running(server, logs_dir)?;
    // A guardian passes the signal on and takes note of the end; without one, the server itself is asked.
    let Some(first) = found.first() else { return Ok(0) };
    send(*first, Signal::TERM)?;
    if ended(server, logs_dir, patience)? {
        return Ok(1);
    }
    impatient();
    for pid in running(server, logs_dir)? {
        send(pid, Signal::KILL)?;
    }
    if ended(server, logs_dir, KILL_WAIT)? { Ok(1) } else { Err(LaunchError::Unkillable(first.as_raw_nonzero().get())) }
}

/// Whether the server lives.
///
/// # Errors
/// A pid file cannot be used.
pub fn is_running(server: &Server, logs_dir: &Path) -> Result<bool, LaunchError> {
    Ok(!running(server, logs_dir)?.is_empty())
}

/// Returns when the server has ended, whatever ends it.
///
/// # Errors
/// A pid file cannot be used.
pub fn wait(server: &Server, logs_dir: &Path) -> Result<(), LaunchError> {
    while is_running(server, logs_dir)? {
        std::thread::sleep(WATCH_POLL);
    }
    Ok(())
}

/// The living processes of the server whose logs are in this folder.
fn running(server: &Server, logs_dir: &Path) -> Result<Vec<Pid>, PidFileError> {
    let holders = server.pid_files.iter().map(|file| holder(&logs_dir.join(file)));
    holders.filter_map(Result::transpose).collect()
}

fn ended(server: &Server, logs_dir: &Path, limit: Duration) -> Result<bool, LaunchError> {
    let began = boot_now();
    while !running(server, logs_dir)?.is_empty() {
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
