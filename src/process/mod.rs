//! What makes a server a process of this node: its pid file, its start in the background, its end.
//!
//! A server speaks to who started it over its standard output: [`CLAIMED`] when it is the only one of its kind, then
//! [`READY`] with its address when it serves; between them [`SAYS`] with a remark. What it writes to standard error before the first word is for the
//! terminal, what follows goes to its output file ([`redirect_errors`]).
//!
//! Uses `types` only. Read `launch.rs`, `pid_file.rs`, `this_host.rs`.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

pub mod launch;
mod pid_file;
mod this_host;

pub use pid_file::{PidFile, PidFileError, remove_stale};
pub use this_host::is_this_host;

/// What a server says when no other one of its kind is there.
pub const CLAIMED: &str = "claimed";

/// What a server says, followed by its address, when it serves.
pub const READY: &str = "ready ";

/// What a server says, followed by what the one who started it should know.
pub const SAYS: &str = "says ";

/// A kind of server, as its files in the folder of the logs tell of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// What users call it.
    pub name: &'static str,
    /// Pid files of its processes; the first of them is the one to ask for an end.
    pub pid_files: &'static [&'static str],
    /// The file with what it writes to standard error.
    pub output: &'static str,
}

/// From here on, what this process writes to standard error goes to the file `output`, begun anew as the launchers of
/// the originals do.
///
/// # Errors
/// The file cannot be written.
pub fn redirect_errors(output: &Path) -> std::io::Result<()> {
    rustix::stdio::dup2_stderr(&File::create(output)?).map_err(Into::into)
}

/// Lets this process open as many files as it may let itself, as a JVM does: the limit that shells begin with is too low
/// for a server of many clients.
///
/// # Errors
/// The system refuses.
pub fn raise_open_files() -> std::io::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).map_err(Into::into)
}

/// A line on standard error. One that cannot be written (a full disk) is lost: nobody is left to be told, and no process
/// must end for it.
pub fn complain(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A line for who started this process, who may have gone.
pub fn tell(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_files_may_be_open_as_the_system_lets_us() {
        let limit = getrlimit(Resource::Nofile);
        let lower = limit.maximum.map_or(1 << 20, |most| most - 1);
        setrlimit(Resource::Nofile, Rlimit { current: Some(lower), ..limit }).unwrap();
        raise_open_files().unwrap();
        assert_eq!(getrlimit(Resource::Nofile), Rlimit { current: limit.maximum, ..limit });
    }
}
