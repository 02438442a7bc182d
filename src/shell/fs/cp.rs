//! `cp [-R] <src> <dst>`

use super::{Failure, copy, paths};
use crate::client::SetAttributeOptions;
use crate::proto::alluxio::grpc::file::{GetStatusPOptions, SetAclAction};
use crate::shell::Dialect;
use crate::shell::uri::Uri;
use crate::shell::{Output, Session, pattern};
use crate::types::FileStatus;

/// How things are copied.
#[derive(Debug, Clone, Copy)]
pub(in crate::shell) struct How {
    /// Directories, too.
    pub(in crate::shell) recursive: bool,
    /// With their owner, group, mode and access control list (2.9).
    pub(in crate::shell) preserve: bool,
}

/// Copies what `source` stands for to `target`, both in Alluxio.
pub(in crate::shell) async fn run(
    source: &str,
    target: &str,
    how: How,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let (source, target) = (paths::parse(source, session, output)?, paths::parse(target, session, output)?);
    if !pattern::is_pattern(source.text()) {
        let status = paths::look(&source, session).await?;
        return copy_path(&source, status, &target, how, session, output).await;
    }
    let sources = paths::expand(&source, session, &paths::missing(source.text(), session.dialect).text).await?;
    match paths::look_if_there(&target, session).await? {
        Some(status) if !status.folder => return Err(Failure::of(copy::TARGET_IS_A_FILE)),
        Some(_) => {}
        None => make_directory(&target, session, output).await?,
    }
    let mut failures = Vec::new();
    for source in sources {
        let place = target.child(source.path()?.name());
        let copied = match paths::look(&source, session).await {
            Ok(status) => copy_path(&source, status, &place, how, session, output).await,
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
    how: How,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    if status.folder && !how.recursive {
        let option = match session.dialect {
            Dialect::Of1_2 => "-R",
            Dialect::Of2_9 => "-R/-r/--recursive",
        };
        let text = format!("{} is a directory, to copy it please use \"cp {option} <src> <dst>\"", source.text());
        return Err(Failure::of(text));
    }
    let there = paths::look_if_there(target, session).await?;
    if status.folder && there.as_ref().is_some_and(|there| !there.folder) {
        return Err(Failure::of(copy::TARGET_IS_A_FILE));
    }
    // Compatible: 1.2.0 drops the address of the target here; tests/shell, 10-mv-cp.
    let target = match there {
        Some(there) if there.folder => target.bare(there.path).child(status.path.name()),
        _ => target.clone(),
    };
    let top = target.path()?.clone();
    let mut failures = Vec::new();
    let mut waiting = vec![(status, target)];
    while let Some((status, target)) = waiting.pop() {
        let source = source.with_path(status.path.clone());
        if !status.folder {
            failures.extend(copy_file(&source, &target, how, session, output).await.err());
            continue;
        }
        // Listed before the target is made: a directory may be copied into itself.
        let children = paths::list(&source, session).await;
        let made = make_directory(&target, session, output).await;
        let kept = match made {
            Ok(()) => keep_attributes(&source, &target, how, session).await,
            Err(failure) => Err(failure),
        };
        match kept.and(children) {
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

async fn copy_file(
    source: &Uri,
    target: &Uri,
    how: How,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    copy::within(source, target, session, output).await?;
    output.line(&format!("Copied {source} to {}", shown(target)));
    output.flush();
    keep_attributes(source, target, how, session).await
}

/// Gives `target` what permissions `source` has, if that is asked for.
// Compatible: 2.9 CpCommand, preserveAttributes. A list that says no more than the mode needs no call of its own.
async fn keep_attributes(source: &Uri, target: &Uri, how: How, session: &Session) -> Result<(), Failure> {
    if !how.preserve {
        return Ok(());
    }
    let info = session.files.info(source.path()?, GetStatusPOptions::default()).await?;
    let change = SetAttributeOptions {
        owner: info.owner.clone(),
        group: info.group.clone(),
        mode: Some(info.mode() as u16 & 0o777),
        ..SetAttributeOptions::default()
    };
    session.files.set_attribute(target.path()?, &change).await?;
    match info.acl {
        Some(acl) if !acl.entries.is_empty() => {
            let replace = SetAclAction::Replace;
            Ok(session.files.set_acl(target.path()?, replace, acl.entries, false).await?)
        }
        _ => Ok(()),
    }
}

async fn make_directory(uri: &Uri, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let made = session.files.create_directory(uri.path()?, &session.create.directory_only()).await;
    made.map_err(|error| Failure::about(&error, uri))?;
    output.line(&format!("Created directory: {}", shown(uri)));
    Ok(())
}

/// A target as it is told.
// Compatible: 1.2.0 leaves its address out; tests/shell, 22-unrecorded.
fn shown(target: &Uri) -> String {
    match target.dialect() {
        Dialect::Of1_2 => target.text().to_owned(),
        Dialect::Of2_9 => target.to_string(),
    }
}
