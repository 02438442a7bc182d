//! `leader`

use super::{Command, CommandLine, Words};
use crate::shell::fs::Failure;
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "leader",
    "leader",
    "Prints the current leader master host name.",
    Words::Exactly(0),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(_: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    output.line("This command will be deprecated as of v3.0, please use masterInfo command");
    match session.files.primary().await {
        Ok(primary) => output.line(primary.rsplit_once(':').map_or(primary.as_str(), |(host, _)| host)),
        // Compatible: 2.9 LeaderCommand, whose exit code is 0.
        Err(_) => output.complain("Failed to get the leader master."),
    }
    Ok(())
}
