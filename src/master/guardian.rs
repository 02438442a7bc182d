//! The guardian: starts a master, waits for its end, and says so at once in the election.
//!
//! A leader that dies leaves a lease behind that others must wait out. Its guardian knows better: when `waitpid` has
//! returned, that master answers nobody any more (rule F3), so the guardian releases its epoch. It also brings a
//! fenced master back, as a standby.
//!
//! It speaks to who started it over its standard output: `claimed` when it is the only one, `ready …` when its master
//! serves. If the master fails before that, the guardian ends with the same code.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::process::{COMES_BACK, EXIT_FENCED, GUARDIAN_PID, INCARNATION, JOINS, PID_FILE};
use crate::election::new_incarnation;
use crate::process::{CLAIMED, PidFile, PidFileError, READY, Server, complain, redirect_errors, remove_stale, tell};
use crate::types::time::boot_now;

/// Name of the pid file of the guardian.
const GUARDIAN_PID_FILE: &str = "master-guardian.pid";

/// A master as launchers see it: its guardian first, which passes signals on.
pub const SERVER: Server = Server { name: "master", pid_files: &[GUARDIAN_PID_FILE, PID_FILE], output: "master.out" };

/// Name under which processes list a master, as those of the originals do.
const MASTER_NAME: &str = "alluxio.master.AlluxioMaster";

/// Pause before a fenced master is started again: doubled each time, up to the last; the first again after a run that
/// was longer than `STEADY_RUN`.
const RESTART_PAUSE_MIN: Duration = Duration::from_millis(250);
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(2);
const STEADY_RUN: Duration = Duration::from_secs(60);
/// How long a guardian that is to end tries to release what its masters left.
const RELEASE_WAIT: Duration = Duration::from_secs(15);

/// What a guardian needs to know.
#[derive(Debug, Clone)]
pub struct GuardianSettings {
    /// Folder of pid files and output.
    pub logs_dir: PathBuf,
    /// The program that is a master when called with `master`.
    pub program: PathBuf,
    /// Options for it, after `master`.
    pub options: Vec<String>,
}

/// A master that has ended, for whoever releases what it left in the election.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended<'a> {
    /// The incarnation it had.
    pub incarnation: &'a str,
    /// The cluster in whose election it was; none when it had not entered one, and there is nothing to release.
    pub cluster_id: Option<&'a str>,
}

/// Why there can be no guardian.
#[derive(Debug, thiserror::Error)]
pub enum GuardianError {
    /// There is one.
    #[error(transparent)]
    PidFile(#[from] PidFileError),
    /// The file for the output of the master cannot be written.
    #[error("cannot write {path}")]
    Output {
        /// The file.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The master cannot be started.
    #[error("cannot run {program}")]
    Start {
        /// The program.
        program: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The guardian cannot listen to signals or wait for its child.
    #[error("cannot watch the master")]
    Watch(#[source] std::io::Error),
}

/// The signals that end a guardian.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
    /// One of them came.
    asked: bool,
}

impl Stop {
    async fn asked(&mut self) {
        tokio::select! { _ = self.terminate.recv() => {}, _ = self.interrupt.recv() => {} }
        self.asked = true;
    }
}

/// Guards a master until it ends for good; returns its exit code. What `release` returns for each master that has ended
/// goes on beside the next one, for the election may be away, and that is why the master has ended. To be run on the main
/// thread: the tie between master and guardian is one to the thread that starts it.
///
/// # Errors
/// It cannot guard, or start, a master.
pub async fn guard<R>(settings: &GuardianSettings, release: impl Fn(Ended<'_>) -> R) -> Result<u8, GuardianError>
where
    R: Future<Output = ()> + Send + 'static,
{
    let _pid_file = PidFile::claim(&settings.logs_dir.join(GUARDIAN_PID_FILE))?;
    let output = settings.logs_dir.join(SERVER.output);
    redirect_errors(&output).map_err(|source| GuardianError::Output { path: output.display().to_string(), source })?;
    tell(CLAIMED);
    // No longer of the terminal's session: its end is not ours. Refused to who leads a group, and then not needed.
    let _ = rustix::process::setsid();
    let mut stop = Stop {
        terminate: signal(SignalKind::terminate()).map_err(GuardianError::Watch)?,
        interrupt: signal(SignalKind::interrupt()).map_err(GuardianError::Watch)?,
        asked: false,
    };
    let mut releases = JoinSet::new();
    let code = guard_each(settings, &mut stop, |ended| {
        while releases.try_join_next().is_some() {}
        releases.spawn(release(ended));
    })
    .await;
    if timeout(RELEASE_WAIT, releases.join_all()).await.is_err() {
        log::warn!("could not release what the master left within {RELEASE_WAIT:?}: others wait for its lease");
    }
    code
}

/// Guards one master after the other until one ends for good; returns its exit code.
async fn guard_each(
    settings: &GuardianSettings,
    stop: &mut Stop,
    mut release: impl FnMut(Ended<'_>),
) -> Result<u8, GuardianError> {
    let mut pause = RESTART_PAUSE_MIN;
    let mut before = 0;
    loop {
        let incarnation = new_incarnation();
        let started = boot_now();
        let child = start(settings, &incarnation, before)?;
        before += 1;
        let (status, cluster_id) = watch(child, stop).await.map_err(GuardianError::Watch)?;
        remove_stale(&settings.logs_dir.join(PID_FILE));
        log::info!("the master has ended status=\"{status}\" incarnation={incarnation}");
        release(Ended { incarnation: &incarnation, cluster_id: cluster_id.as_deref() });
        if stop.asked || status.code() != Some(EXIT_FENCED.into()) {
            return Ok(exit_code(status));
        }
        if boot_now().since(started) > STEADY_RUN {
            pause = RESTART_PAUSE_MIN;
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = RESTART_PAUSE_MAX.min(pause * 2),
            () = stop.asked() => return Ok(0),
        }
        log::info!("starting the fenced master again, as a standby");
    }
}

/// Starts a master, after so many others.
fn start(settings: &GuardianSettings, incarnation: &str, before: u64) -> Result<Child, GuardianError> {
    let mut command = std::process::Command::new(&settings.program);
    command
        .arg0(MASTER_NAME)
        .arg("master")
        .args(&settings.options)
        .env(GUARDIAN_PID, std::process::id().to_string())
        .env(INCARNATION, incarnation)
        .envs((before > 0).then_some((COMES_BACK, "1")))
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    Command::from(command)
        .spawn()
        .map_err(|source| GuardianError::Start { program: settings.program.display().to_string(), source })
}

/// Waits for the end of the master; passes on its output and the signals for it. Returns its status, and the cluster
/// that it joined.
async fn watch(mut child: Child, stop: &mut Stop) -> std::io::Result<(ExitStatus, Option<String>)> {
    let mut output = child.stdout.take().map(|stdout| BufReader::new(stdout).lines());
    let mut cluster_id = None;
    loop {
        tokio::select! {
            status = child.wait() => {
                // Its last words may still be in the pipe.
                while let Some(line) = next_line(&mut output).await {
                    hear(&line, &mut cluster_id);
                }
                return Ok((status?, cluster_id));
            }
            line = next_line(&mut output), if output.is_some() => match line {
                Some(line) => hear(&line, &mut cluster_id),
                None => output = None,
            },
            () = stop.asked() => {
                if let Some(pid) = child.id().and_then(|id| rustix::process::Pid::from_raw(id as i32)) {
                    // It may have ended meanwhile; then there is nothing to stop.
                    let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
                }
            }
        }
    }
}

/// The next line of the master's output; none when there are no more.
async fn next_line(output: &mut Option<Lines<BufReader<ChildStdout>>>) -> Option<String> {
    output.as_mut()?.next_line().await.ok().flatten()
}

fn hear(line: &str, cluster_id: &mut Option<String>) {
    if let Some(id) = line.strip_prefix(JOINS) {
        *cluster_id = Some(id.to_owned());
    } else if line.starts_with(READY) {
        tell(line);
    } else {
        complain(line);
    }
}

/// The code of the master, or as shells tell a signal.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(code).unwrap_or(1)
}
