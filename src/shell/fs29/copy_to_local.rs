//! `copyToLocal [--buffersize <bytes>]  <src> <localDst>`

use super::{Command, CommandLine, Words, cp};
use crate::shell::fs::Failure;
use crate::shell::{Output, Session, local};

pub(super) const COMMAND: Command = Command {
    options: &[cp::BUFFER_SIZE],
    check: cp::check,
    ..Command::new(
        "copyToLocal",
        "copyToLocal [--buffersize <bytes>]  <src> <localDst>",
        "Copies a file or a directory from the Alluxio filesystem to the local filesystem.",
        Words::Checked,
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let target = local::absolute(local::normal(line.word(1)).as_ref()).display().to_string();
    cp::download(line.word(0), &target, session, output).await
}
