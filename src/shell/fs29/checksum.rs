//! `checksum <Alluxio path>`

use super::{Command, CommandLine, Words};
use md5::{Digest, Md5};

use crate::client::ReadType;
use crate::shell::fs::{Failure, cat, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "checksum",
    "checksum <Alluxio path>",
    "Calculates the md5 checksum of a file in the Alluxio filesystem.",
    Words::Exactly(1),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(line.word(0), session, output, async |uri, output| {
        cat::file_length(uri, session).await?;
        let failed = |error| Failure::about(&error, uri);
        let mut file = session.files.open(uri.path()?, ReadType::NoCache).await.map_err(failed)?;
        let mut sum = Md5::new();
        while let Some(chunk) = file.next().await.map_err(failed)? {
            sum.update(&chunk);
        }
        let text: String = sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        output.line(&format!("md5sum: {text}\n"));
        Ok(())
    })
    .await
}
