//! What makes the process of a master one: its pid file, its tie to the guardian, its word that it is ready.

use std::path::Path;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use crate::election::new_incarnation;
use crate::process::{PidFile, PidFileError, READY, tell};

/// Exit code of a master that was fenced: it must start afresh, and will be a standby. Its guardian does that.
pub const EXIT_FENCED: u8 = 75;

/// Name of the pid file of the process that listens.
pub(super) const PID_FILE: &str = "master.pid";

/// What a master says, followed by the id of its cluster, before it enters the election of that cluster.
pub(super) const JOINS: &str = "joins ";

/// Environment of a guarded master: pid of the guardian, and the incarnation it gave.
pub(super) const GUARDIAN_PID: &str = "ALLUXIO_GUARDIAN_PID";
pub(super) const INCARNATION: &str = "ALLUXIO_INCARNATION";
/// Set for a master that comes back after one of this guardian was fenced.
pub(super) const COMES_BACK: &str = "ALLUXIO_COMES_BACK";

/// This process as a master. Dropped at the end, when nothing is answered any more.
#[derive(Debug)]
pub struct Process {
    incarnation: String,
    /// Held for as long as the process serves.
    _pid_file: PidFile,
}

/// Why this process cannot be a master.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// There is one already, or the pid file cannot be used.
    #[error(transparent)]
    PidFile(#[from] PidFileError),
    /// The folder of the logs cannot be made.
    #[error("cannot make the folder {path}")]
    Logs {
        /// The folder.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The one who should release our lease is gone.
    #[error("the guardian with pid {0} has ended; start again with alluxio-start.sh master")]
    GuardianGone(String),
}

impl Process {
    /// Takes the pid file in the folder of the logs, and ties this process to the guardian that started it, if one
    /// did. To be called before anything else, on the main thread.
    pub fn enter(logs_dir: &Path) -> Result<Process, ProcessError> {
        if let Ok(guardian) = std::env::var(GUARDIAN_PID) {
            // Only the guardian can tell others at once that a dead leader will answer no more, so none may outlive it.
            let tied = set_parent_process_death_signal(Some(Signal::KILL)).is_ok();
            // It may have ended before the tie was made.
            let parent = getppid().map(|pid| pid.as_raw_nonzero().to_string());
            if !tied || parent.as_ref() != Some(&guardian) {
                return Err(ProcessError::GuardianGone(guardian));
            }
        }
        std::fs::create_dir_all(logs_dir)
            .map_err(|source| ProcessError::Logs { path: logs_dir.display().to_string(), source })?;
        let incarnation = std::env::var(INCARNATION).unwrap_or_else(|_| new_incarnation());
        Ok(Process { incarnation, _pid_file: PidFile::claim(&logs_dir.join(PID_FILE))? })
    }

    /// The random id of this run, under which it claims epochs. The guardian knows it and can release no other.
    pub fn incarnation(&self) -> &str {
        &self.incarnation
    }

    /// Whether a guardian started this master again: if what it needs is away just now, it is to try later.
    pub fn comes_back(&self) -> bool {
        std::env::var_os(COMES_BACK).is_some()
    }

    /// Tells the guardian in whose election this master will contend, so that it can release what is left there. To be
    /// called before that election is entered.
    pub fn joins(&self, cluster_id: &str) {
        tell(&format!("{JOINS}{cluster_id}"));
    }

    /// Tells who started this master that it listens at `address`.
    pub fn ready(&self, address: &str) {
        tell(&format!("{READY}{address}"));
    }
}
