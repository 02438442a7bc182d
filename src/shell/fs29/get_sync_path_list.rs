//! `getSyncPathList`

use super::{Command, CommandLine, Words};
use crate::proto::alluxio::grpc::file::SyncPointStatus;
use crate::shell::fs::Failure;
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "getSyncPathList",
    "getSyncPathList",
    "Gets all the paths that are under active syncing right now.",
    Words::AtLeast(0),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(_: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let points = session.files.sync_points().await?;
    output.line("The following paths are under active sync");
    for point in points {
        let state = match point.sync_status() {
            SyncPointStatus::NotInitiallySynced => "Initial Sync Skipped",
            SyncPointStatus::InitiallySynced => "Initial Sync Done",
            SyncPointStatus::Syncing => "Initial Sync In Progress",
        };
        output.line(&format!("{}\t{state}", point.sync_point_uri()));
    }
    Ok(())
}
