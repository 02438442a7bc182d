//! The commands that users type: `alluxio fs <command> …`.
//!
//! [`run`] is the whole shell: it looks the command up in the table of `fs/mod.rs`, makes it, and gives the exit code.
//! Output is that of 1.2.0 to the letter, on the stream that 1.2.0 used: results *and* refusals on standard output.
//! What we add (advice) goes to standard error, and only to a terminal.
//!
//! Pure: `uri.rs` (what users type for a path), `pattern.rs` (wildcards), `columns.rs` (sizes, times), `texts.rs` (the
//! server speaks 2.9, users read 1.2). A second dialect, `alluxio.compatibility=2.9`, is to be chosen where
//! [`ShellSettings`] is read: it needs a table, columns and texts of its own.
//!
//! Nothing happens before the first byte of output that the command does not need: one thread, no logging.
//! Uses `client`. Read `fs/mod.rs`, `fs/ls.rs`, then the pure parts.

mod columns;
mod fs;
mod output;
mod pattern;
mod texts;
mod uri;

use std::io::{self, IsTerminal};

use crate::client::{ClientSettings, FileSystem, Locate, WriteType};
use crate::types::TtlAction;

pub use output::Output;

/// What the shell has from the properties.
#[derive(Debug)]
pub struct ShellSettings {
    /// Who finds the primary.
    pub masters: Box<dyn Locate>,
    /// How the client connects and tries again.
    pub client: ClientSettings,
    /// How files and directories are made.
    pub create: CreateSettings,
    /// Whether `ls` shows mode, owner and group (1.2.0: only where permissions are checked).
    pub show_owners: bool,
}

/// How the shell makes files and directories.
#[derive(Debug, Clone)]
pub struct CreateSettings {
    /// `alluxio.security.authorization.permission.umask`
    pub umask: u16,
    /// `alluxio.user.block.size.bytes.default`
    pub block_size_bytes: i64,
    /// `alluxio.user.file.writetype.default`
    pub write_type: WriteType,
    /// `alluxio.user.file.create.ttl.action`
    pub ttl_action: TtlAction,
}

impl Default for CreateSettings {
    /// The defaults of 1.2.0.
    fn default() -> Self {
        CreateSettings {
            umask: 0o022,
            block_size_bytes: 512 << 20,
            write_type: WriteType::MustCache,
            ttl_action: TtlAction::Delete,
        }
    }
}

/// Exit code of everything that goes wrong, as in 1.2.0.
const FAILED: i32 = 255;

/// What a command works with.
#[derive(Debug)]
struct Session {
    files: FileSystem,
    /// Where masters are looked for, as texts name it.
    places: String,
    create: CreateSettings,
    show_owners: bool,
}

/// Runs `alluxio fs <words>` on standard output and error, and gives the exit code of the process.
pub fn run(words: &[String], settings: ShellSettings) -> i32 {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let terminal = stderr.is_terminal();
    run_on(words, settings, &mut Output::new(Box::new(stdout.lock()), Box::new(stderr.lock()), terminal))
}

/// As [`run`], on any output.
pub fn run_on(words: &[String], settings: ShellSettings, output: &mut Output<'_>) -> i32 {
    let code = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let ShellSettings { masters, client, create, show_owners } = settings;
            let places = masters.places();
            let session = Session { files: FileSystem::new(masters, client), places, create, show_owners };
            let code = runtime.block_on(fs::run(words, &session, output));
            // A name that is still being looked up must not keep the process.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            output.complain(&format!("cannot start: {error}"));
            FAILED
        }
    };
    match output.finish() {
        Ok(()) => code,
        Err(error) => {
            output.complain(&format!("cannot write the output: {error}"));
            FAILED
        }
    }
}
