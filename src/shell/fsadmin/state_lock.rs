//! `alluxio fsadmin statelock`

use crate::shell::fs::Failure;
use crate::shell::fs29::options::CommandLine;
use crate::shell::fs29::{Command, Words};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "statelock",
    "statelock",
    "statelock returns all waiters and holders of the state lock.",
    Words::AtLeast(0),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(_: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    session.files.state_lock_holders().await?.iter().for_each(|thread| output.line(thread));
    Ok(())
}
