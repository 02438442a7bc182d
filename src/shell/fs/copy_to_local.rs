//! `copyToLocal <src> <localDst>`

use std::path::{Path, PathBuf};

use super::{Failure, copy, paths};
use crate::shell::Dialect;
use crate::shell::local::{self, absolute, reason};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session, pattern};

/// Copies what `source` stands for to the local `target`.
pub(in crate::shell) async fn run(
    source: &str,
    target: &str,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let source = paths::parse(source, session, output)?;
    let target = PathBuf::from(local::normal(target));
    if !pattern::is_pattern(source.text()) {
        return copy_path(&source, &target, session, output).await;
    }
    let nothing = match session.dialect {
        Dialect::Of1_2 => format!("{} does not exist.", source.text()),
        Dialect::Of2_9 => paths::missing(&source.to_string(), session.dialect).text,
    };
    let sources = paths::expand(&source, session, &nothing).await?;
    if target.exists() && !target.is_dir() {
        return Err(Failure::of(copy::TARGET_IS_A_FILE));
    }
    let name = shown(&target, session);
    make_directory(&target, &name, &format!("Fail to create directory: {name}"), output)?;
    let mut failures = Vec::new();
    for source in sources {
        let place = absolute(&target).join(source.path()?.name());
        failures.extend(copy_path(&source, &place, session, output).await.err());
    }
    Failure::joined(failures)
}

/// Copies a file, or a directory with all below it.
async fn copy_path(source: &Uri, target: &Path, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut failures = Vec::new();
    let mut waiting = vec![(paths::look(source, session).await?, target.to_owned())];
    while let Some((status, target)) = waiting.pop() {
        let source = source.with_path(status.path.clone());
        if !status.folder {
            // Compatible: 1.2.0 does not look whether the target is a directory.
            let target = match session.dialect {
                Dialect::Of2_9 if target.is_dir() => target.join(status.path.name()),
                _ => target,
            };
            match copy::to_local(&source, &target, session, output).await {
                Ok(()) => output.line(&format!("Copied {source} to {}", shown(&target, session))),
                Err(failure) => failures.push(failure),
            }
            output.flush();
            continue;
        }
        let whole = absolute(&target);
        let name = shown(&whole, session);
        let made = make_directory(&target, &name, &format!("mkdir failure for directory: {name}"), output);
        match made.and(paths::list(&source, session).await) {
            Ok(children) => waiting.extend(children.into_iter().rev().map(|child| {
                let place = whole.join(child.path.name());
                (child, place)
            })),
            Err(failure) => failures.push(failure),
        }
    }
    Failure::joined(failures)
}

/// A target as it is told.
fn shown(target: &Path, session: &Session) -> String {
    match session.dialect {
        Dialect::Of1_2 => target.display().to_string(),
        Dialect::Of2_9 => format!("file://{}", target.display()),
    }
}

/// Makes a directory, unless something is there; tells it by `name`, and by `failed` if that cannot be done.
// Compatible: 1.2.0 does not tell why, and finds a file in its place only when it copies into it; tests/shell,
// 22-unrecorded.
fn make_directory(path: &Path, name: &str, failed: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(path).map_err(|error| Failure::of(failed).because(&reason(&error)))?;
    output.line(&format!("Create directory: {name}"));
    Ok(())
}
