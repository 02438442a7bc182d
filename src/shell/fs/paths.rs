//! What users type for paths, and the paths that it stands for.

use super::Failure;
use crate::client::{ClientError, ListOptions, LoadMetadata};
use crate::shell::Dialect;
use crate::shell::uri::Uri;
use crate::shell::{Output, Session, pattern, texts};
use crate::types::{ErrorKind, FileStatus};

/// A directory without what is below its children.
const CHILDREN: ListOptions = ListOptions { recursive: false, load: LoadMetadata::Once };

/// Reads a path as typed. Tells a person that an address in it does not choose the cluster.
pub(in crate::shell) fn parse(word: &str, session: &Session, output: &mut Output<'_>) -> Result<Uri, Failure> {
    let uri = Uri::parse(word, session.dialect).map_err(|error| Failure::of(error.to_string()))?;
    if let Some(authority) = uri.authority().filter(|authority| !session.places.contains(authority)) {
        output.advise(&format!(
            "{authority} in {uri} is not used: the properties say that the masters are at {}",
            session.places
        ));
    }
    Ok(uri)
}

/// Does `act` for each path that `word` stands for, by name. All are tried, whichever fail.
pub(in crate::shell) async fn for_each(
    word: &str,
    session: &Session,
    output: &mut Output<'_>,
    act: impl AsyncFnMut(&Uri, &mut Output<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let uris = meant(word, session, output).await?;
    each(&uris, output, act).await
}

/// The paths that `word` stands for, by name.
pub(in crate::shell) async fn meant(
    word: &str,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<Vec<Uri>, Failure> {
    let typed = parse(word, session, output)?;
    expand(&typed, session, &format!("{typed} does not exist.")).await
}

/// Does `act` for each of `uris`. All are tried, whichever fail.
pub(in crate::shell) async fn each(
    uris: &[Uri],
    output: &mut Output<'_>,
    mut act: impl AsyncFnMut(&Uri, &mut Output<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut failures = Vec::new();
    for uri in uris {
        if let Err(failure) = act(uri, output).await {
            failures.push(failure);
        }
        output.flush();
    }
    Failure::joined(failures)
}

/// The paths that `typed` stands for, by name: itself, or what its wildcards match; `nothing` says that they match none.
pub(in crate::shell) async fn expand(typed: &Uri, session: &Session, nothing: &str) -> Result<Vec<Uri>, Failure> {
    if !pattern::is_pattern(typed.text()) {
        return Ok(vec![typed.clone()]);
    }
    let Ok(path) = typed.path() else {
        let above = pattern::above(typed.text());
        return Err(Failure::of(format!("alluxio.exception.InvalidPathException: Path {above} is invalid")));
    };
    let (base, names) = pattern::split(path);
    let mut found = vec![base];
    for (at, name) in names.iter().enumerate() {
        let mut below = Vec::new();
        for directory in found {
            let place = typed.with_path(directory);
            let statuses = session.files.list_status(place.path()?, &CHILDREN).await;
            for status in statuses.map_err(|error| of_search(&error, &place))? {
                // A file lists itself.
                let is_child = status.path.parent().as_ref() == Some(place.path()?);
                let may_go_on = status.folder || at + 1 == names.len();
                if is_child && may_go_on && pattern::matches(name, status.path.name()) {
                    below.push(status.path);
                }
            }
        }
        found = below;
    }
    if found.is_empty() {
        return Err(Failure::of(nothing));
    }
    found.sort();
    Ok(found.into_iter().map(|path| typed.with_path(path)).collect())
}

/// Why what wildcards match below `place` is not known.
// Compatible: 1.2.0 tells it with the name of the exception; tests/shell, 22-unrecorded.
fn of_search(error: &ClientError, place: &Uri) -> Failure {
    let failure = Failure::of_list(error, place);
    let kind = match error {
        ClientError::Refused(refusal) => refusal.kind,
        ClientError::Unreachable { .. } => return failure,
    };
    let class = match kind {
        ErrorKind::NotFound => "FileDoesNotExistException",
        ErrorKind::InvalidArgument => "InvalidPathException",
        ErrorKind::PermissionDenied => "AccessControlException",
        _ => return failure,
    };
    Failure::of(format!("alluxio.exception.{class}: {}", failure.text))
}

/// What is said of a missing path, which is called `text`.
pub(in crate::shell) fn missing(text: &str, dialect: Dialect) -> Failure {
    match dialect {
        Dialect::Of1_2 => Failure::of(texts::does_not_exist(text)),
        Dialect::Of2_9 => Failure::of(format!("Path \"{text}\" does not exist.")),
    }
}

/// What `uri` looks like.
pub(in crate::shell) async fn look(uri: &Uri, session: &Session) -> Result<FileStatus, Failure> {
    let path = uri.path().map_err(|invalid| match uri.dialect() {
        Dialect::Of1_2 => Failure::of(texts::does_not_exist(uri)),
        Dialect::Of2_9 => invalid.into(),
    })?;
    session.files.get_status(path).await.map_err(|error| Failure::of_look(&error, uri))
}

/// What `uri` looks like, if it exists. What cannot be a path does not.
pub(in crate::shell) async fn look_if_there(uri: &Uri, session: &Session) -> Result<Option<FileStatus>, Failure> {
    let Ok(path) = uri.path() else { return Ok(None) };
    match session.files.get_status(path).await {
        Ok(status) => Ok(Some(status)),
        Err(ClientError::Refused(refusal))
            if matches!(refusal.kind, ErrorKind::NotFound | ErrorKind::InvalidArgument) =>
        {
            Ok(None)
        }
        Err(error) => Err(Failure::about(&error, uri)),
    }
}

/// The children of a directory by name; a file by itself.
pub(in crate::shell) async fn list(uri: &Uri, session: &Session) -> Result<Vec<FileStatus>, Failure> {
    let listed = session.files.list_status(uri.path()?, &CHILDREN).await;
    let mut statuses = listed.map_err(|error| Failure::of_list(&error, uri))?;
    statuses.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(statuses)
}

/// Every file and directory at or below `uri`, parents first, given to `seen`. One directory at a time is in memory.
pub(in crate::shell) async fn walk(
    uri: &Uri,
    session: &Session,
    mut seen: impl FnMut(&FileStatus),
) -> Result<(), Failure> {
    let top = look(uri, session).await?;
    seen(&top);
    let mut directories = if top.folder { vec![top.path] } else { Vec::new() };
    while let Some(directory) = directories.pop() {
        for status in list(&uri.with_path(directory), session).await? {
            seen(&status);
            if status.folder {
                directories.push(status.path);
            }
        }
    }
    Ok(())
}
