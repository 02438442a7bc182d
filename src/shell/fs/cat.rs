//! `cat <path>`

use std::ops::Range;

use super::{Failure, paths};
use crate::shell::Dialect;
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};

/// Prints each file that `word` stands for.
pub(in crate::shell) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(word, session, output, async |uri, output| {
        let length = file_length(uri, session).await?;
        print(uri, 0..length, session, output).await
    })
    .await
}

/// The length of the file; a refusal, if it is a directory.
pub(in crate::shell) async fn file_length(uri: &Uri, session: &Session) -> Result<i64, Failure> {
    let status = paths::look(uri, session).await?;
    match (status.folder, session.dialect) {
        (false, _) => Ok(status.length),
        (true, Dialect::Of1_2) => Err(Failure::of(format!("Path {uri} must be a file"))),
        (true, Dialect::Of2_9) => Err(Failure::of(format!("Path \"{uri}\" must be a file."))),
    }
}

/// Prints what the file has of these bytes, as long as somebody reads.
pub(in crate::shell) async fn print(
    uri: &Uri,
    part: Range<i64>,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let failed = |error| Failure::about(&error, uri);
    let mut file = session.files.open(uri.path()?, session.read_type()).await.map_err(failed)?;
    let end = part.end.min(file.status().length);
    let mut position = part.start.min(end);
    file.seek(position);
    while position < end {
        let Some(chunk) = file.next().await.map_err(failed)? else { break };
        let wanted = usize::try_from(end - position).map_or(chunk.len(), |rest| chunk.len().min(rest));
        if !output.bytes(&chunk[..wanted]) {
            break;
        }
        position += wanted as i64;
    }
    Ok(())
}
