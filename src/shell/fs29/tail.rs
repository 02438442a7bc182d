//! `tail [-c <bytes>] <path>`

use super::head::{BYTES, part};
use super::{Command, CommandLine, Words};
use crate::shell::fs::Failure;
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command {
    options: &[BYTES],
    ..Command::new(
        "tail",
        "tail [-c <bytes>] <path>",
        "Prints the file's last n bytes (by default, 1KB) to the console.",
        Words::Exactly(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    part(line, session, output, |length, bytes| (length - bytes).max(0)..length).await
}
