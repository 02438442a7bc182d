//! `mv <src> <dst>`

use super::{Command, CommandLine, Words};
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command =
    Command::new("mv", "mv <src> <dst>", "Renames a file or directory.", Words::Exactly(2), |line, session, output| {
        Box::pin(run(line, session, output))
    });

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let (source, target) = (paths::parse(line.word(0), session, output)?, paths::parse(line.word(1), session, output)?);
    session.files.rename(source.path()?, target.path()?).await?;
    output.line(&format!("Renamed {source} to {target}"));
    Ok(())
}
