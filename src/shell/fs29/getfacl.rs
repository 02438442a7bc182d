//! `getfacl <path>`

use super::{Command, CommandLine, Words};
use super::{acl, describe};
use crate::proto::alluxio::grpc::file::GetStatusPOptions;
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "getfacl",
    "getfacl <path>",
    "Displays the access control lists (ACLs) for a path.",
    Words::Exactly(1),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(line.word(0), session, output, async |uri, output| {
        let info = session.files.info(uri.path()?, GetStatusPOptions::default()).await?;
        output.line(&format!("# file: {}\n# owner: {}\n# group: {}", info.path(), info.owner(), info.group()));
        let default = describe::default_access(&info).map(acl::entries).unwrap_or_default();
        for entry in acl::entries(&describe::access(&info)).iter().chain(&default) {
            output.line(entry);
        }
        Ok(())
    })
    .await
}
