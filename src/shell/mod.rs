//! The commands that users type: `alluxio fs <command> …`, `alluxio runTests`, `alluxio logLevel`.
//!
//! [`run`] is the whole shell: it looks the command up in a table, makes it, and gives the exit code. `alluxio fs` has two
//! dialects, which `alluxio.compatibility` chooses: that of 1.2.0 in `fs/` and that of 2.9.6 in `fs29/`. Output is that of
//! the original to the letter, on the stream that it used: results *and* refusals on standard output.
//! What we add (advice) goes to standard error, and only to a terminal.
//!
//! Pure: `uri.rs` (what users type for a path), `pattern.rs` (wildcards), `columns.rs` (sizes, times), `describe.rs` (all
//! about a file), `texts.rs` (the server speaks 2.9, users of the older dialect read 1.2).
//!
//! Where we depart from the originals, and why, is in docs/shell.md.
//!
//! Nothing happens before the first byte of output that the command does not need: one thread, no logging.
//! Uses `client` and `conf`. Read `fs/mod.rs`, `fs/ls.rs`, then the pure parts.

mod columns;
mod describe;
mod dialect;
mod fs;
mod fs29;
mod fsadmin;
mod local;
mod log_level;
mod output;
mod pattern;
mod progress;
mod run_tests;
mod settings;
mod texts;
mod uri;
mod web_call;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::client::{CreateFileOptions, FileSystem, ReadType};

pub use dialect::Dialect;
pub use log_level::WebPorts;
pub use output::Output;
pub use settings::{CreateSettings, SettingsError, ShellSettings};

/// Exit code of everything that goes wrong, as in the originals.
const FAILED: i32 = 255;

/// What a command works with.
#[derive(Debug)]
struct Session {
    files: FileSystem,
    /// Where masters are looked for, as texts name it.
    places: String,
    create: CreateSettings,
    show_owners: bool,
    dialect: Dialect,
    web_ports: WebPorts,
    /// How long clients go on with the workers that they know.
    worker_list_refresh: Duration,
}

impl Session {
    /// What reading leaves in Alluxio: nothing in 1.2.0, copies in 2.9.
    fn read_type(&self) -> ReadType {
        match self.dialect {
            Dialect::Of1_2 => ReadType::NoCache,
            Dialect::Of2_9 => ReadType::Cache,
        }
    }

    /// How a file is made: in 1.2.0 with its parents, in 2.9 where they are.
    fn file(&self) -> CreateFileOptions {
        CreateFileOptions { recursive: self.dialect == Dialect::Of1_2, ..self.create.file() }
    }
}

/// What the shell can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// `alluxio fs …`
    Fs,
    /// `alluxio fsadmin …`
    FsAdmin,
    /// `alluxio runTests`, `alluxio runTest …`
    RunTests,
    /// `alluxio logLevel …`
    LogLevel,
}

/// Runs `face` with `words` on standard output and error, and gives the exit code of the process.
pub fn run(face: Face, words: &[&str], mut settings: ShellSettings) -> i32 {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let terminal = stderr.is_terminal();
    settings.client.on_wait = terminal.then_some(|text| drop(writeln!(io::stderr(), "{text}")));
    run_on(face, words, settings, &mut Output::new(Box::new(stdout.lock()), Box::new(stderr.lock()), terminal))
}

/// As [`run`], on any output.
pub fn run_on(face: Face, words: &[&str], settings: ShellSettings, output: &mut Output<'_>) -> i32 {
    let code = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            let ShellSettings { masters, client, data, create, show_owners, dialect, web_ports, worker_list_refresh } =
                settings;
            let places = masters.places();
            let session = Session {
                files: FileSystem::new(masters, client, data),
                places,
                create,
                show_owners,
                dialect,
                web_ports,
                worker_list_refresh,
            };
            let code = runtime.block_on(async {
                match face {
                    Face::Fs => match dialect {
                        Dialect::Of1_2 => fs::run(words, &session, output).await,
                        Dialect::Of2_9 => fs29::run(words, &session, output).await,
                    },
                    Face::FsAdmin => fsadmin::run(words, &session, output).await,
                    Face::LogLevel => log_level::run(words, web_ports, &session, output).await,
                    Face::RunTests => run_tests::run(words, &session, output).await,
                }
            });
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
