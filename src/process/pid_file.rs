//! Pid files that cannot lie: who holds the lock on the file is alive, and is who is named in it.
//!
//! The file is locked as long as its process lives, whatever ends it. So a pid file that was left behind names
//! nobody, and a process that got the pid of a dead one is never taken for it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::process::Pid;

/// How often a claim is tried: others may hold the lock for a moment, to see whether somebody has it.
const CLAIM_TRIES: u32 = 10;

/// Pause between two tries.
const CLAIM_PAUSE: Duration = Duration::from_millis(10);

/// A pid file that this process holds. Dropping it removes the file.
#[derive(Debug)]
pub struct PidFile {
    path: PathBuf,
    /// Keeps the lock.
    file: File,
}

/// Why a pid file cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PidFileError {
    /// Its process lives.
    #[error("{server} is already running with pid {pid} ({path})")]
    Held {
        /// Of which server the file is.
        server: String,
        /// The process.
        pid: u32,
        /// The file.
        path: String,
    },
    /// The file cannot be used.
    #[error("cannot use the pid file {path}")]
    File {
        /// The file.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl PidFile {
    /// Makes the file the one of this process, unless another that lives has it.
    pub fn claim(path: &Path) -> Result<PidFile, PidFileError> {
        let failed = |source| PidFileError::File { path: path.display().to_string(), source };
        for _ in 0..CLAIM_TRIES {
            let mut file =
                OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path).map_err(failed)?;
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                // Another may have removed the file between our opening and our lock; then the lock is worth nothing.
                Ok(()) if is_at(&file, path) => {
                    write_pid(&mut file).map_err(failed)?;
                    return Ok(PidFile { path: path.to_owned(), file });
                }
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => std::thread::sleep(CLAIM_PAUSE),
                Err(e) => return Err(failed(e.into())),
            }
        }
        let pid = holder(path)?.map_or(0, |pid| pid.as_raw_nonzero().get().unsigned_abs());
        Err(PidFileError::Held { server: server_of(path), pid, path: path.display().to_string() })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if is_at(&self.file, &self.path) {
            // Left behind, it does no harm.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The living process that holds the file, if any.
pub fn holder(path: &Path) -> Result<Option<Pid>, PidFileError> {
    let failed = |source| PidFileError::File { path: path.display().to_string(), source };
    for _ in 0..CLAIM_TRIES {
        let mut file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed(e)),
        };
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) {
            Ok(()) => return Ok(None),
            Err(rustix::io::Errno::WOULDBLOCK) => {}
            Err(e) => return Err(failed(e.into())),
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        match text.trim().parse().ok().and_then(Pid::from_raw) {
            Some(pid) => return Ok(Some(pid)),
            // It has the lock, but has not written its pid yet.
            None => std::thread::sleep(CLAIM_PAUSE),
        }
    }
    Err(failed(std::io::Error::other("it is locked, but names no process")))
}

/// Removes the file of a process that is no more.
pub fn remove_stale(path: &Path) {
    if path.exists() {
        // A claim that succeeds proves that nobody has it; dropping it removes it.
        drop(PidFile::claim(path));
    }
}

/// `master` for `master.pid` and for `master-guardian.pid`.
fn server_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split(['.', '-']).next().unwrap_or_default().to_owned()
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

fn write_pid(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_claim_names_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.pid");
        let first = PidFile::claim(&path).expect("nobody has it");
        assert_eq!(
            holder(&path).expect("readable").map(|pid| pid.as_raw_nonzero().get()),
            Some(std::process::id() as i32)
        );
        let second = PidFile::claim(&path).expect_err("the first has it");
        let expected = format!("master is already running with pid {} ({})", std::process::id(), path.display());
        assert_eq!(second.to_string(), expected);
        drop(first);
        assert!(!path.exists());
        drop(PidFile::claim(&path).expect("free again"));
    }

    #[test]
    fn a_file_left_behind_names_nobody() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.pid");
        // Pid 1 lives, but it does not hold the lock.
        std::fs::write(&path, "1\n").expect("writable");
        assert_eq!(holder(&path).expect("readable"), None);
        remove_stale(&path);
        assert!(!path.exists());
    }

    #[test]
    fn of_many_claims_at_once_one_succeeds() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("master.pid");
        let claims: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| PidFile::claim(&path))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(claims.iter().filter(|claim| claim.is_ok()).count(), 1);
    }
}
