//! `cp [-R/-r/--recursive] [--buffersize <bytes>] <src> <dst>`

use std::path::PathBuf;

use super::options::Opt;
use super::{Command, CommandLine, Words, exactly};
use crate::shell::fs::copy_from_local::{children, copy_tree, make_target, name};
use crate::shell::fs::{Failure, copy, copy_to_local, cp, paths};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session, local};

pub(super) const COMMAND: Command = Command {
    options: &[
        Opt::flag("R", "recursive", "copy files in subdirectories recursively"),
        Opt::flag("r", "", "copy files in subdirectories recursively"),
        THREAD,
        Opt::flag(
            "p",
            "preserve",
            "Preserve file permission attributes when copying files. All ownership, permissions and ACLs will be preserved",
        ),
    ],
    check,
    ..Command::new(
        "cp",
        "cp [-R/-r/--recursive] [--buffersize <bytes>] <src> <dst>",
        "Copies a file or a directory in the Alluxio filesystem or between local filesystem and Alluxio filesystem. The -R/-r/--recursive flags are needed to copydirectories in the Alluxio filesystem. Local Path with schema \"file\".",
        Words::Checked,
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

/// Files are copied one after another, whatever it says; two chunks of each are on their way at a time.
pub(super) const THREAD: Opt = Opt::with(
    "",
    "thread",
    Some("threads"),
    "Number of threads used to copy files in parallel, default value is CPU cores * 2",
);
/// Nothing depends on it here: chunks have the size that they travel in.
pub(super) const BUFFER_SIZE: Opt = Opt::with(
    "",
    "buffersize",
    Some("buffer size"),
    "Read buffer size in bytes, default is 8MB when copying from local, and 64MB when copying to local",
);

/// What is said where a file would be made of several things.
const FOREIGN: &str = "Schemes must be either file or alluxio, and at most one file scheme is allowed.";

/// What `copyFromLocal` and `copyToLocal` check as well.
// Compatible: 2.9 CpCommand, validateArgs, which is called cp for all three; tests/shell, fs-03 of 2.9.6.
pub(super) fn check(line: &CommandLine) -> Result<(), String> {
    exactly("cp", 2, line.words.len())?;
    for (option, least) in [("buffersize", 0), ("thread", 1)] {
        if let Some(text) = line.value(option) {
            let number: i64 = text.parse().map_err(|_| format!("Failed to parse option {option} into an integer"))?;
            if number < least {
                return Err(format!("{option} must be > 0"));
            }
        }
    }
    Ok(())
}

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let (source, target) = (line.word(0), line.word(1));
    match (local_path(source), local_path(target)) {
        (Some(_), Some(_)) => Err(Failure::of(FOREIGN)),
        (Some(path), None) => upload(path, target, session, output).await,
        (None, Some(path)) => download(source, path, session, output).await,
        (None, None) => {
            for word in [source, target] {
                Uri::parse(word, session.dialect).map_err(|_| Failure::of(FOREIGN))?;
            }
            let how = cp::How { recursive: line.has("R") || line.has("r"), preserve: line.has("p") };
            cp::run(source, target, how, session, output).await
        }
    }
}

/// The path of a local file that is named by its scheme.
fn local_path(word: &str) -> Option<&str> {
    let path = word.strip_prefix("file:")?;
    Some(path.strip_prefix("//").unwrap_or(path))
}

/// Copies what the local `path` stands for to `target`.
pub(super) async fn upload(
    path: &str,
    target: &str,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let target = paths::parse(target, session, output)?;
    let path = local::normal(path);
    let shown = format!("file://{path}");
    let sources = if local::is_pattern(&path) {
        local::expand(&path)
    } else if PathBuf::from(&path).is_dir() {
        children(path.as_ref())?
    } else {
        vec![PathBuf::from(&path)]
    };
    match &sources[..] {
        [] if local::is_pattern(&path) => return Err(paths::missing(&shown, session.dialect)),
        // Compatible: 2.9 copies the only file of a directory to the target itself.
        [file] if !file.is_dir() => copy::from_local(file, &target, session, output).await?,
        _ => upload_all(&sources, &target, session, output).await?,
    }
    output.line(&format!("Copied {shown} to {target}"));
    Ok(())
}

/// Copies `sources` into the directory `target`, which is made.
async fn upload_all(
    sources: &[PathBuf],
    target: &Uri,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let is_new = make_target(target, session).await?;
    let mut failed = Vec::new();
    for source in sources {
        copy_tree(source, &target.child(&name(source)), session, output, |source, target, done, output| {
            let source = format!("file://{}", source.display());
            match done {
                Ok(()) => output.line(&format!("Copied {source} to {target}")),
                Err(failure) => {
                    let text = format!("Failed to copy {source} to {target}: {}", failure.text);
                    output.complain(&text);
                    failed.push(text);
                }
            }
            output.flush();
        })
        .await;
    }
    if failed.is_empty() {
        return Ok(());
    }
    if is_new && paths::list(target, session).await.is_ok_and(|children| children.is_empty()) {
        // Nothing came to be in it; that it cannot be removed changes nothing about the failure.
        let _ = session.files.delete(target.path()?, false).await;
    }
    Err(Failure::of(format!("ERRORS:\n{}", failed.join("\n"))))
}

/// Copies what `source` stands for to the local `path`.
pub(super) async fn download(
    source: &str,
    path: &str,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    copy_to_local::run(source, path, session, output).await
}
