//! `cp [-R] <src> <dst>`

use super::{Failure, copy, paths};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session, pattern, texts};
use crate::types::FileStatus;

pub(super) async fn run(
    source: &str,
    target: &str,
    recursive: bool,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let (source, target) = (paths::parse(source, session, output)?, paths::parse(target, session, output)?);
    if !pattern::is_pattern(source.text()) {
        let status = paths::look(&source, session).await?;
        return copy_path(&source, status, &target, recursive, session, output).await;
    }
    let sources = paths::expand(&source, session, &texts::does_not_exist(source.text())).await?;
    match paths::look_if_there(&target, session).await? {
        Some(status) if !status.folder => return Err(Failure::of(copy::TARGET_IS_A_FILE)),
        Some(_) => {}
        None => make_directory(&target, session, output).await?,
    }
    let mut failures = Vec::new();
    for source in sources {
        let place = target.child(source.path()?.name());
        let copied = match paths::look(&source, session).await {
            Ok(status) => copy_path(&source, status, &place, recursive, session, output).await,
            Err(failure) => Err(failure),
        };
        failures.extend(copied.err());
    }
    Failure::joined(failures)
}

/// Copies what has `status`. Into a directory that is there, it goes by its own name.
async fn copy_path(
    source: &Uri,
    status: FileStatus,
    target: &Uri,
    recursive: bool,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    if status.folder && !recursive {
        let text = format!("{} is a directory, to copy it please use \"cp -R <src> <dst>\"", source.text());
        return Err(Failure::of(text));
    }
    let there = paths::look_if_there(target, session).await?;
    if status.folder && there.as_ref().is_some_and(|there| !there.folder) {
        return Err(Failure::of(copy::TARGET_IS_A_FILE));
    }
    // Compatible: 1.2.0 drops the address of the target here; tests/shell, 10-mv-cp.
    let target = match there {
        Some(there) if there.folder => Uri::of(there.path).child(status.path.name()),
        _ => target.clone(),
    };
    let top = target.path()?.clone();
    let mut failures = Vec::new();
    let mut waiting = vec![(status, target)];
    while let Some((status, target)) = waiting.pop() {
        let source = source.with_path(status.path.clone());
        if !status.folder {
            failures.extend(copy::within(&source, &target, session, output).await.err());
            continue;
        }
        // Listed before the target is made: a directory may be copied into itself.
        let children = paths::list(&source, session).await;
        let made = make_directory(&target, session, output).await;
        match made.and(children) {
            // A directory may be copied into one that is in it; 1.2.0 went on for ever with the copy of the copy.
            Ok(children) => waiting.extend(children.into_iter().rev().filter(|child| child.path != top).map(|child| {
                let place = target.child(child.path.name());
                (child, place)
            })),
            Err(failure) => failures.push(failure),
        }
    }
    Failure::joined(failures)
}

async fn make_directory(uri: &Uri, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let path = uri.path()?;
    let made = session.files.create_directory(path, &session.create.directory_only()).await;
    made.map_err(|error| Failure::new(&error, path))?;
    output.line(&format!("Created directory: {path}"));
    Ok(())
}
