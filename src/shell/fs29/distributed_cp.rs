//! `distributedCp [--active-jobs <num>] [--batch-size <num>] <src> <dst>`

use super::options::Opt;
use super::{Command, CommandLine, Words};
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command {
    options: &[
        Opt::with(
            "",
            "active-jobs",
            Some("active job count"),
            "Number of active jobs that can run at the same time. Later jobs must wait. The default upper limit is 3000",
        ),
        Opt::with("", "overwrite", Some("overwrite"), "Whether to overwrite the destination. Default is true."),
        Opt::with("", "batch-size", Some("batch-size"), "Number of files per request"),
        Opt::flag("", "async", "Use async to submit the command asynchronously and not wait for command to finish"),
    ],
    ..Command::new(
        "distributedCp",
        "distributedCp [--active-jobs <num>] [--batch-size <num>] <src> <dst>",
        "Copies a file or directory in parallel at file level.",
        Words::Exactly(2),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let (source, target) = (paths::parse(line.word(0), session, output)?, paths::parse(line.word(1), session, output)?);
    Err(Failure::of(format!(
        "distributedCp needs the job service (job master and job workers), which this version does not have: \
         use \"cp -R {source} {target}\""
    )))
}
