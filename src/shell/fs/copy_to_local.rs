//! `copyToLocal <src> <localDst>`

use std::path::{Path, PathBuf};

use super::{Failure, copy, paths};
use crate::shell::local::{self, absolute, reason};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session, pattern};

pub(super) async fn run(source: &str, target: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let source = paths::parse(source, session, output)?;
    let target = PathBuf::from(local::normal(target));
    if !pattern::is_pattern(source.text()) {
        return copy_path(&source, &target, session, output).await;
    }
    let sources = paths::expand(&source, session, &format!("{} does not exist.", source.text())).await?;
    if target.exists() && !target.is_dir() {
        return Err(Failure::of(copy::TARGET_IS_A_FILE));
    }
    let name = target.display().to_string();
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
            failures.extend(copy::to_local(&source, &target, session, output).await.err());
            continue;
        }
        let whole = absolute(&target);
        let name = whole.display().to_string();
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
