//! `copyFromLocal [--thread <num>] [--buffersize <bytes>] <src> <remoteDst>`

use super::{Command, CommandLine, Words, cp};
use crate::shell::fs::Failure;
use crate::shell::{Output, Session, local};

pub(super) const COMMAND: Command = Command {
    options: &[cp::THREAD, cp::BUFFER_SIZE],
    check: cp::check,
    ..Command::new(
        "copyFromLocal",
        "copyFromLocal [--thread <num>] [--buffersize <bytes>] <src> <remoteDst>",
        "Copies a file or a directory from local filesystem to Alluxio filesystem in parallel at file level.",
        Words::Checked,
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let source = local::absolute(local::normal(line.word(0)).as_ref()).display().to_string();
    cp::upload(&source, line.word(1), session, output).await
}
