//! `load [--local] <path>`

use super::options::{ARG, Opt};
use super::{Command, CommandLine, Words};
use crate::shell::fs::Failure;
use crate::shell::fs::load::each_file;
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};
use crate::types::FileStatus;

pub(super) const COMMAND: Command = Command {
    options: &[
        Opt::with("", "bandwidth", ARG, "Single worker read bandwidth limit."),
        Opt::flag(
            "",
            "partial-listing",
            "Use partial directory listing. This limits the memory usage and starts load sooner for larger directory. But progress report cannot report on the total number of files because the whole directory is not listed yet.",
        ),
        Opt::flag("", "verify", "Run verification when load finish and load new files if any."),
        Opt::flag("", "submit", "Submit load job to Alluxio master, update job options if already exists."),
        Opt::flag("", "stop", "Stop a load job if it's still running."),
        Opt::flag("", "progress", "Get progress report of a load job."),
        Opt::with(
            "",
            "format",
            ARG,
            "Format of the progress report, supports TEXT and JSON. If not set, TEXT is used.",
        ),
        Opt::flag("", "verbose", "Whether to return a verbose progress report with detailed errors"),
        Opt::flag("", "local", "load the file to local worker."),
    ],
    check: |line| {
        let jobs = JOBS.iter().filter(|job| line.has(job)).count();
        if is_plain(line) || jobs == 1 { Ok(()) } else { Err("Must have one of submit / stop / progress".into()) }
    },
    ..Command::new(
        "load",
        "For backward compatibility: load [--local] <path>
For distributed load:
\tload <path> --submit [--bandwidth N] [--verify] [--partial-listing]
\tload <path> --stop
\tload <path> --progress [--format TEXT|JSON] [--verbose]
",
        "Loads a file or directory in Alluxio space, makes it resident in Alluxio.",
        Words::AtLeast(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

/// What is asked of the scheduler of a master of 2.9.
const JOBS: [&str; 3] = ["submit", "stop", "progress"];

/// Whether no job is meant.
fn is_plain(line: &CommandLine) -> bool {
    line.options() == 0 || (line.options() == 1 && line.has("local"))
}

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let word = line.word(0);
    if let Some(job) = JOBS.iter().find(|job| line.has(job)) {
        return Err(Failure::of(format!(
            "load --{job} needs the scheduler of load jobs, which the masters of this version do not have: use \
             \"load {word}\""
        )));
    }
    let here = line.has("local");
    each_file(word, session, output, async |uri, status| load(uri, status, here, session).await.map(Some)).await
}

/// Loads a file, and says what came of it.
async fn load(uri: &Uri, status: &FileStatus, here: bool, session: &Session) -> Result<String, Failure> {
    if here {
        let loaded = session.files.load_here(status).await?;
        let none = "When local option is specified, there must be a local worker available";
        return Ok(if loaded { format!("{uri} loaded") } else { none.to_owned() });
    }
    if status.in_alluxio_percentage == 100 {
        return Ok(format!("{uri} already in Alluxio fully"));
    }
    session.files.load(status).await?;
    Ok(format!("{uri} loaded"))
}
