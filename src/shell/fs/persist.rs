//! `persist <alluxioPath1> [alluxioPath2] ... [alluxioPathn]`

use std::time::Duration;

use super::{Failure, paths};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};
use crate::types::time::boot_now;
use crate::types::{FileStatus, PersistenceState};

/// How often we look whether the master is done.
const POLL: Duration = Duration::from_millis(100);
/// Longest wait for one file that makes no progress (2.9.6: 20 min).
const PATIENCE: Duration = Duration::from_secs(20 * 60);

pub(super) async fn run(words: &[&str], session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    for word in words {
        let uri = paths::parse(word, session, output)?;
        let status = paths::look(&uri, session).await?;
        persist(&uri, status, session, output).await?;
    }
    Ok(())
}

async fn persist(uri: &Uri, status: FileStatus, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut failures = Vec::new();
    let mut waiting = vec![status];
    let mut is_top = true;
    while let Some(status) = waiting.pop() {
        // Compatible: 1.2.0 drops the address of what is below; tests/shell, 22-unrecorded.
        let uri = if is_top { uri.clone() } else { uri.bare(status.path.clone()) };
        is_top = false;
        if status.folder {
            match paths::list(&uri, session).await {
                Ok(children) => waiting.extend(children.into_iter().rev()),
                Err(failure) => failures.push(failure),
            }
        } else if status.persistence == PersistenceState::Persisted {
            output.line(&format!("{uri} is already persisted"));
        } else if status.persistence == PersistenceState::Lost {
            failures.push(Failure::of(format!("{uri} is lost: no worker has all of its blocks")));
        } else {
            match persist_file(&uri, session).await {
                Ok(length) => output.line(&format!("persisted file {uri} with size {length}")),
                Err(failure) => failures.push(failure),
            }
        }
        output.flush();
    }
    Failure::joined(failures)
}

/// Has the master persist the file, waits until it has, and gives the length.
async fn persist_file(uri: &Uri, session: &Session) -> Result<i64, Failure> {
    let path = uri.path()?;
    let scheduled = session.files.schedule_async_persistence(path, 0).await;
    scheduled.map_err(|error| Failure::new(&error, path))?;
    let started = boot_now();
    loop {
        let status = paths::look(uri, session).await?;
        match status.persistence {
            PersistenceState::Persisted => return Ok(status.length),
            PersistenceState::ToBePersisted if boot_now().since(started) < PATIENCE => {}
            PersistenceState::ToBePersisted => {
                return Err(Failure::of(format!("Timed out waiting for file to be persisted: {uri}")));
            }
            PersistenceState::NotPersisted | PersistenceState::Lost => {
                return Err(Failure::of(format!("{uri} could not be persisted: the log of the master says why")));
            }
        }
        tokio::time::sleep(POLL).await;
    }
}
