//! `cat <path>`

use super::{Failure, paths};
use crate::client::ReadType;
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};

pub(super) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(word, session, output, async |uri, output| {
        let length = file_length(uri, session).await?;
        print_from(uri, 0, length, session, output).await
    })
    .await
}

/// The length of the file; a refusal, if it is a directory.
pub(super) async fn file_length(uri: &Uri, session: &Session) -> Result<i64, Failure> {
    let status = paths::look(uri, session).await?;
    if status.folder { Err(Failure::of(format!("Path {uri} must be a file"))) } else { Ok(status.length) }
}

/// Prints the file from `position`, if that is in it, as long as somebody reads.
pub(super) async fn print_from(
    uri: &Uri,
    position: i64,
    length: i64,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let path = uri.path()?;
    let failed = |error| Failure::new(&error, path);
    let mut file = session.files.open(path, ReadType::NoCache).await.map_err(failed)?;
    file.seek(position.min(length).min(file.status().length));
    while let Some(chunk) = file.next().await.map_err(failed)? {
        if !output.bytes(&chunk) {
            break;
        }
    }
    Ok(())
}
