//! `mkdir <path1> [path2] ... [pathn]`

use super::{Command, CommandLine, Words};
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "mkdir",
    "mkdir <path1> [path2] ... [pathn]",
    "Creates the specified directories, including any parent directories that are required.",
    Words::AtLeast(1),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    for word in &line.words {
        let uri = paths::parse(word, session, output)?;
        session.files.create_directory(uri.path()?, &session.create.directory()).await?;
        output.line(&format!("Successfully created directory {uri}"));
        output.flush();
    }
    Ok(())
}
