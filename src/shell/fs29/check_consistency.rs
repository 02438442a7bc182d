//! `checkConsistency [-r] [-t|--threads <threads>] <Alluxio path>`

use super::options::{ARG, Opt};
use super::{Command, CommandLine, Words};
use crate::client::DeleteOptions;
use crate::shell::fs::{Failure, paths};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};
use crate::types::AlluxioPath;

pub(super) const COMMAND: Command = Command {
    options: &[
        Opt::flag("r", "", "repair inconsistent files"),
        Opt::with(
            "t",
            "threads",
            ARG,
            "Number of threads used when repairing consistency. Defaults to <number of cores> * 2. This option has no effect if -r is not specified",
        ),
    ],
    ..Command::new(
        "checkConsistency",
        "checkConsistency [-r] [-t|--threads <threads>] <Alluxio path>",
        "Checks the consistency of a persisted file or directory in Alluxio. Any files or directories which only exist in Alluxio or do not match the metadata of files in the under storage will be returned. An administrator should then reconcile the  differences. Specify -r to repair the inconsistent files. Use -t or --threads to specify the number of threads that should be used when repairing. Defaults to 2*<number of CPU cores>",
        Words::Exactly(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = match line.value("t").map(str::parse) {
        None => cores * 2,
        Some(Ok(threads)) if threads > 0 => threads,
        // Compatible: 2.9 CheckConsistencyCommand names the option, not what was typed.
        Some(_) => return Err(Failure::of("The threads option must be a positive integer but was \"t\"")),
    };
    paths::for_each(line.word(0), session, output, async |uri, output| {
        let mut found = session.files.check_consistency(uri.path()?).await?;
        found.sort();
        if found.is_empty() {
            output.line(&format!("{uri} is consistent with the under storage system."));
        } else if line.has("r") {
            let count = found.len();
            output.line(&format!("{uri} has: {count} inconsistent files. Repairing with {threads} threads."));
            repair(uri, &found, session, output).await?;
        } else {
            output.line("The following files are inconsistent:");
            found.iter().for_each(|path| output.line(path));
        }
        Ok(())
    })
    .await
}

/// Drops from Alluxio what the UFS has otherwise, files first: they are loaded anew. One at a time, however many threads
/// were asked for.
async fn repair(uri: &Uri, found: &[String], session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let (mut directories, mut failed) = (Vec::new(), false);
    for text in found {
        let path = AlluxioPath::parse(text).map_err(|invalid| Failure::of(invalid.to_string()))?;
        match session.files.get_status(&path).await {
            Ok(status) if status.folder => directories.push(path),
            Ok(_) => failed |= drop_one(uri, path, false, session, output).await.is_err(),
            Err(_) => failed = true,
        }
    }
    for path in directories {
        failed |= drop_one(uri, path, true, session, output).await.is_err();
    }
    if failed { Err(Failure::of("Failed to successfully repair all paths")) } else { Ok(()) }
}

async fn drop_one(
    uri: &Uri,
    path: AlluxioPath,
    recursive: bool,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    output.line(&format!("repairing path: {}", uri.bare(path.clone())));
    let how = DeleteOptions { recursive, alluxio_only: true, ..DeleteOptions::default() };
    session.files.delete_as(&path, &how).await?;
    session.files.exists(&path).await?;
    // Compatible: 2.9 leaves the blank out behind a directory.
    let blank = if recursive { "" } else { " " };
    output.line(&format!("{path}{blank}repaired\n"));
    Ok(())
}
