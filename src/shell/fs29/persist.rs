//! `persist [-p|--parallelism <#>] [-t|--timeout <milliseconds>] [-w|--wait <milliseconds>] <path> [<path> ...]`

use std::collections::VecDeque;
use std::time::Duration;

use super::options::Opt;
use super::{Command, CommandLine, Words, values};
use crate::shell::fs::{Failure, paths};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};
use crate::types::PersistenceState;
use crate::types::time::{Boot, boot_now};

pub(super) const COMMAND: Command = Command {
    options: &[
        Opt::with(
            "p",
            "parallelism",
            Some("# concurrent operations"),
            "Number of concurrent persist operations, default: 4",
        ),
        Opt::with(
            "t",
            "timeout",
            Some("timeout in milliseconds"),
            "Time in milliseconds for a single file persist to time out; default:1200000",
        ),
        Opt::with(
            "w",
            "wait",
            Some("the initial persistence wait time"),
            "The time to wait before persisting. default: 0",
        ),
    ],
    ..Command::new(
        "persist",
        "persist [-p|--parallelism <#>] [-t|--timeout <milliseconds>] [-w|--wait <milliseconds>] <path> [<path> ...]",
        "Persists files or directories currently stored only in Alluxio to the UnderFileSystem.",
        Words::AtLeast(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

/// How often we look whether the master is done.
const POLL: Duration = Duration::from_millis(100);

/// How files are persisted.
struct How {
    /// How many at a time.
    parallel: usize,
    /// Longest wait for one; none waits for ever.
    patience: Option<Duration>,
    wait_ms: i64,
}

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let how = how(line)?;
    let mut files = VecDeque::new();
    for word in &line.words {
        let typed = paths::parse(word, session, output)?;
        // Compatible: 2.9 PersistCommand takes a wildcard that matches nothing for no files.
        let uris = paths::expand(&typed, session, "").await;
        let uris = uris.or_else(|failure| if failure.text.is_empty() { Ok(Vec::new()) } else { Err(failure) })?;
        for uri in uris {
            paths::walk(&uri, session, |status| {
                if !status.folder && status.persistence != PersistenceState::Persisted {
                    files.push_back(typed.bare(status.path.clone()));
                }
            })
            .await?;
        }
    }
    output.line(&format!("Found {} files to persist.", files.len()));
    output.flush();
    persist(files, &how, session, output).await
}

fn how(line: &CommandLine) -> Result<How, Failure> {
    let wrong = |text: &str| Failure::of(format!("For input string: \"{text}\""));
    let parallel = line.value("p").map_or(Ok(4), |text| text.parse::<usize>().map_err(|_| wrong(text)))?;
    let ms = |name, preset| line.value(name).map_or(Ok(preset), |text| values::time(text).map_err(Failure::of));
    let (timeout_ms, wait_ms) = (ms("t", 1_200_000)?, ms("w", 0)?);
    if (wait_ms > timeout_ms && timeout_ms != -1) || wait_ms < 0 {
        let text = "Persistence initial wait time should be smaller than persist timeout and bigger than zero";
        return Err(Failure::of(text));
    }
    let patience = u64::try_from(timeout_ms).ok().map(Duration::from_millis);
    Ok(How { parallel: parallel.max(1), patience, wait_ms })
}

/// Has the master persist the files, some at a time. One that fails keeps none of the others from it.
// Compatible: 2.9 PersistCommand tells what failed, and its exit code is 0.
async fn persist(
    mut files: VecDeque<Uri>,
    how: &How,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let (all, mut done) = (files.len(), 0);
    let mut active: Vec<(Uri, Boot)> = Vec::new();
    while !files.is_empty() || !active.is_empty() {
        while active.len() < how.parallel
            && let Some(uri) = files.pop_front()
        {
            match session.files.schedule_async_persistence(uri.path()?, how.wait_ms).await {
                Ok(()) => active.push((uri, boot_now())),
                Err(_) => output.line(&format!("Failed to persist file {uri}")),
            }
        }
        let mut left = Vec::new();
        for (uri, since) in active {
            let waited = boot_now().since(since);
            match session.files.get_status(uri.path()?).await.map(|status| status.persistence) {
                Ok(PersistenceState::Persisted) => {
                    done += 1;
                    output.line(&format!("({done}/{all}) Successfully persisted file: {uri}"));
                }
                Ok(PersistenceState::ToBePersisted) if how.patience.is_none_or(|patience| waited < patience) => {
                    left.push((uri, since));
                }
                Ok(PersistenceState::ToBePersisted) => {
                    output.line(&format!("Timed out waiting for file to be persisted: {uri}"));
                }
                Ok(PersistenceState::NotPersisted | PersistenceState::Lost) | Err(_) => {
                    output.line(&format!("Failed to persist file {uri}"));
                }
            }
        }
        active = left;
        output.flush();
        if !active.is_empty() {
            tokio::time::sleep(POLL).await;
        }
    }
    Ok(())
}
