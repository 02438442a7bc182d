//! `freeWorker <worker host name>`

use super::{Command, CommandLine, Words};
use crate::shell::fs::Failure;
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "freeWorker",
    "freeWorker <worker host name>",
    "Synchronously free all blocks and directories of specific worker in Alluxio.",
    Words::Checked,
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let Some(name) = line.words.first() else {
        // Compatible: 2.9 does not count the words and tells Java's exception; tests/shell, fs-10-freeworker of 2.9.6.
        return Err(Failure::of("Index 0 out of bounds for length 0"));
    };
    let workers = session.files.all_workers().await?;
    let Some(worker) = workers.iter().find(|worker| worker.host == *name) else {
        return Err(Failure::of(format!("Worker {name} is not found in Alluxio.")));
    };
    session.files.free_worker(worker).await.map_err(|error| Failure::of(format!("Exception: {error}")))?;
    output.line("Target worker has been freed successfully.");
    Ok(())
}
