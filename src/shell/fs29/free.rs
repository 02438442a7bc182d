//! `free [-f] <path>`

use std::time::Duration;

use super::options::Opt;
use super::{Command, CommandLine, Words};
use crate::client::{Forced, ListOptions, LoadMetadata};
use crate::shell::fs::{Failure, paths};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};
use crate::types::time::boot_now;
use crate::types::{FileStatus, PersistenceState};

pub(super) const COMMAND: Command = Command {
    options: &[Opt::flag("f", "", "force to free files even pinned")],
    ..Command::new(
        "free",
        "free [-f] <path>",
        "Frees the space occupied by a file or a directory in Alluxio. Specify -f to force freeing pinned files in the directory.",
        Words::AtLeast(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

/// How often we look whether the workers are done.
const POLL: Duration = Duration::from_millis(100);
/// Longest wait (2.9.6 FreeCommand: ten heartbeats of a worker).
const PATIENCE: Duration = Duration::from_secs(10);

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let forced = if line.has("f") { Forced::Yes } else { Forced::No };
    paths::for_each(line.word(0), session, output, async |uri, output| {
        free(uri, forced, session).await?;
        output.line(&format!("{uri} was successfully freed from Alluxio space."));
        Ok(())
    })
    .await
}

/// Frees it again as long as somebody loads it, and waits until it is gone.
async fn free(uri: &Uri, forced: Forced, session: &Session) -> Result<(), Failure> {
    let path = uri.path()?;
    session.files.free(path, forced).await?;
    let started = boot_now();
    loop {
        let status = session.files.get_status(path).await?;
        if !is_held(&status, session).await? {
            return Ok(());
        }
        if boot_now().since(started) > PATIENCE {
            if status.folder {
                return Ok(());
            }
            let text = "Timed out waiting for file to be freed. Another user may be loading it.";
            return Err(Failure::of(format!("java.util.concurrent.TimeoutException: {text}")));
        }
        tokio::time::sleep(POLL).await;
        session.files.free(path, forced).await?;
    }
}

/// Whether workers hold any of it that can be freed.
// Compatible: 2.9 looks at files only, and does not wait for what is in a directory.
async fn is_held(status: &FileStatus, session: &Session) -> Result<bool, Failure> {
    if !status.folder {
        return Ok(status.length > 0 && status.in_alluxio_percentage > 0);
    }
    let how = ListOptions { recursive: true, load: LoadMetadata::Once };
    let below = session.files.list_status(&status.path, &how).await?;
    let is_held = |file: &FileStatus| {
        let can_go = !file.folder && file.persistence == PersistenceState::Persisted;
        can_go && file.length > 0 && file.in_alluxio_percentage > 0
    };
    Ok(below.iter().any(is_held))
}
