//! `copyFromLocal <src> <remoteDst>`

use std::path::{Path, PathBuf};

use super::{Failure, copy, paths};
use crate::client::ClientError;
use crate::shell::local::{self, reason};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};
use crate::types::ErrorKind;

pub(super) async fn run(source: &str, target: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let target = paths::parse(target, session, output)?;
    // Compatible: java.io.File has no slash at the end, and says so; tests/shell, 22-unrecorded.
    let shown = local::normal(source);
    let sources = local::expand(&shown);
    if sources.is_empty() {
        return Err(Failure::of(format!("Local path {source} does not exist.")));
    }
    let is_pattern = local::is_pattern(source);
    if !is_pattern && !sources[0].is_dir() {
        copy_path(&sources[0], &target, session, output).await?;
        output.line(&format!("Copied {shown} to {target}"));
        return Ok(());
    }
    let children = if is_pattern { sources } else { children(&sources[0])? };
    let is_new = make_target(&target, session).await?;
    let (mut failures, mut copied) = (Vec::new(), 0);
    for child in &children {
        let place = target.child(&name(child));
        match copy_path(child, &place, session, output).await {
            Ok(()) => {
                copied += 1;
                if is_pattern {
                    output.line(&format!("Copied {} to {target}", child.display()));
                    output.flush();
                }
            }
            Err(failure) => failures.push(failure),
        }
    }
    if is_new && copied == 0 && !failures.is_empty() {
        // Nothing came to be in it; that it cannot be removed changes nothing about the failure.
        let _ = session.files.delete(target.path()?, false).await;
    }
    Failure::joined(failures)?;
    if !is_pattern {
        output.line(&format!("Copied {shown} to {target}"));
    }
    Ok(())
}

/// Makes the directory into which several are copied, unless it is there. Says whether it is new.
pub(in crate::shell) async fn make_target(target: &Uri, session: &Session) -> Result<bool, Failure> {
    match session.files.create_directory(target.path()?, &session.create.directory_only()).await {
        Ok(()) => Ok(true),
        Err(ClientError::Refused(refusal)) if refusal.kind == ErrorKind::AlreadyExists => {
            match paths::look(target, session).await?.folder {
                true => Ok(false),
                false => Err(Failure::of(copy::TARGET_IS_A_FILE)),
            }
        }
        Err(error) => Err(Failure::about(&error, target)),
    }
}

async fn copy_path(source: &Path, target: &Uri, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut failures = Vec::new();
    copy_tree(source, target, session, output, |_, _, done, _| failures.extend(done.err())).await;
    Failure::joined(failures)
}

/// Copies a file, or a directory with all below it, which must not be there; tells `seen` of each file, and of each
/// directory that could not be made.
pub(in crate::shell) async fn copy_tree(
    source: &Path,
    target: &Uri,
    session: &Session,
    output: &mut Output<'_>,
    mut seen: impl FnMut(&Path, &Uri, Result<(), Failure>, &mut Output<'_>),
) {
    let mut waiting = vec![(source.to_owned(), target.clone())];
    while let Some((source, target)) = waiting.pop() {
        if source.is_dir() {
            if let Err(failure) = copy_directory(&source, &target, session, &mut waiting).await {
                seen(&source, &target, Err(failure), output);
            }
        } else {
            let done = copy::from_local(&source, &target, session, output).await;
            seen(&source, &target, done, output);
        }
    }
}

async fn copy_directory(
    source: &Path,
    target: &Uri,
    session: &Session,
    waiting: &mut Vec<(PathBuf, Uri)>,
) -> Result<(), Failure> {
    let made = session.files.create_directory(target.path()?, &session.create.directory_only()).await;
    made.map_err(|error| Failure::about(&error, target))?;
    let below = children(source)?.into_iter().rev();
    waiting.extend(below.map(|child| {
        let place = target.child(&name(&child));
        (child, place)
    }));
    Ok(())
}

/// By name.
pub(in crate::shell) fn children(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let listed = std::fs::read_dir(directory).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut found: Vec<PathBuf> = listed.map_err(|error: std::io::Error| {
        Failure::of(format!("Failed to list files for directory {} ({})", directory.display(), reason(&error)))
    })?;
    found.sort();
    Ok(found)
}

/// The last name of a path.
pub(in crate::shell) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
