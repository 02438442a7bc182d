//! `needsSync <path>`

use super::{Command, CommandLine, Words};
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "needsSync",
    "needsSync <path>",
    "Marks the path in Alluxio as needing synchronization with the under file system. The next time the path or any of its children are accessed a metadata synchronization will be performed.",
    Words::Exactly(1),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(line.word(0), session, output, async |uri, _| Ok(session.files.needs_sync(uri.path()?).await?))
        .await
}
