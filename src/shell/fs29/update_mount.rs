//! `updateMount [--readonly] [--shared] [--option <key=val>] <alluxioPath>`

use super::{Command, CommandLine, Words, mount};
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command {
    options: &[
        mount::READ_ONLY,
        mount::SHARED,
        mount::option(
            "options for this mount point. For security reasons, no options from existing mount point will be inherited.",
        ),
    ],
    check: |line| match line.words.len() {
        1 => Ok(()),
        given => Err(format!("Command updateMount takes 1 argument, not {given}")),
    },
    ..Command::new(
        "updateMount",
        "updateMount [--readonly] [--shared] [--option <key=val>] <alluxioPath>",
        "Updates options for a mount point while keeping the Alluxio metadata under the path.",
        Words::Checked,
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let uri = paths::parse(line.word(0), session, output)?;
    session.files.update_mount(uri.path()?, &mount::how(line)).await?;
    output.line(&format!("Updated mount point options at {uri}"));
    Ok(())
}
