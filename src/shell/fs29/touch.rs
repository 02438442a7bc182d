//! `touch <path>`

use super::{Command, CommandLine, Words};
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "touch",
    "touch <path>",
    "Creates a 0 byte file. The file will be written to the under file system.",
    Words::Exactly(1),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(line.word(0), session, output, async |uri, output| {
        session.files.create(uri.path()?, &session.file()).await?.complete().await?;
        output.line(&format!("{uri} has been created"));
        Ok(())
    })
    .await
}
