//! `unmount <alluxioPath>`

use super::{Command, CommandLine, Words};
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "unmount",
    "unmount <alluxioPath>",
    "Unmounts an Alluxio path.",
    Words::Exactly(1),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(line.word(0), session, output, async |uri, output| {
        session.files.unmount(uri.path()?).await?;
        output.line(&format!("Unmounted {uri}"));
        Ok(())
    })
    .await
}
