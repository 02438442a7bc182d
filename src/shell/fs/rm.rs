//! `rm [-R] <path>`

use super::{Failure, paths};
use crate::client::ClientError;
use crate::shell::uri::Uri;
use crate::shell::{Output, Session, texts};
use crate::types::ErrorKind;

pub(super) async fn run(
    word: &str,
    recursive: bool,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    paths::for_each(word, session, output, async |uri, output| {
        remove(uri, recursive, session).await?;
        output.line(&format!("{uri} has been removed"));
        Ok(())
    })
    .await
}

async fn remove(uri: &Uri, recursive: bool, session: &Session) -> Result<(), Failure> {
    let path = uri.path().map_err(|_| Failure::of(texts::does_not_exist(uri)))?;
    let failed = |error: ClientError| match error {
        // Compatible: 1.2.0 asks first whether the path exists, and takes one below a file for missing.
        ClientError::Refused(refusal)
            if refusal.kind == ErrorKind::NotFound || refusal.message.starts_with("Traversal failed") =>
        {
            Failure::of(texts::does_not_exist(uri))
        }
        other => Failure::new(&other, path),
    };
    // The server would delete an empty directory.
    if !recursive && session.files.get_status(path).await.map_err(failed)?.folder {
        return Err(Failure::of(format!("{path} is a directory, to remove it, please use \"rm -R <path>\"")));
    }
    session.files.delete(path, recursive).await.map_err(failed)
}
