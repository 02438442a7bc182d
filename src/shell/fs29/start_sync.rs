//! `startSync <path>`

use super::{Command, CommandLine, Words};
use crate::client::ClientError;
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "startSync",
    "startSync <path>",
    "Starts the automatic syncing process of the specified path). ",
    Words::AtLeast(1),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(line.word(0), session, output, async |uri, output| {
        output.line(&format!(
            "Starting a full sync of '{uri}'. You can check the status of the sync using getSyncPathList cmd"
        ));
        output.flush();
        if let Err(error) = session.files.start_sync(uri.path()?).await {
            output.line(&format!("Failed to start automatic syncing of '{uri}'."));
            let failure = Failure::in_2_9(&error);
            // Compatible: 2.9 tells the exception, too; tests/shell, fs-05-stat-du-count-test of 2.9.6.
            return Err(match error {
                ClientError::Refused(_) => Failure::of(format!("alluxio.exception.AlluxioException: {}", failure.text)),
                ClientError::Unreachable { .. } => failure,
            });
        }
        output.line(&format!("Started automatic syncing of '{uri}'."));
        Ok(())
    })
    .await
}
