//! `stopSync <path>`

use super::{Command, CommandLine, Words};
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "stopSync",
    "stopSync <path>",
    "Stops the automatic syncing process of the specified path). ",
    Words::AtLeast(1),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(line.word(0), session, output, async |uri, output| {
        session.files.stop_sync(uri.path()?).await?;
        output.line(&format!("Stopped automatic syncing of '{uri}'."));
        Ok(())
    })
    .await
}
