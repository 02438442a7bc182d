//! `free <path>`

use super::{Failure, paths};
use crate::client::{ClientError, Forced};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};
use crate::types::PersistenceState;

pub(super) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(word, session, output, async |uri, output| {
        free(uri, session).await?;
        output.line(&format!("{uri} was successfully freed from memory."));
        Ok(())
    })
    .await
}

/// Frees what is in the UFS. 1.2.0 dropped the rest, too, which was its only copy: that is refused for a file, and left
/// out below a directory. An empty file has nothing to free.
async fn free(uri: &Uri, session: &Session) -> Result<(), Failure> {
    let path = uri.path()?;
    let failed = |error| Failure::new(&error, path);
    let status = session.files.get_status(path).await.map_err(failed)?;
    if !status.folder && status.length == 0 {
        return Ok(());
    }
    match session.files.free(path, Forced::Yes).await {
        Ok(()) => Ok(()),
        Err(ClientError::Refused(refusal)) if status.folder && refusal.message.ends_with("which is not persisted") => {
            let mut persisted = Vec::new();
            paths::walk(uri, session, |status| {
                if !status.folder && status.persistence == PersistenceState::Persisted {
                    persisted.push(status.path.clone());
                }
            })
            .await?;
            for path in persisted {
                let freed = session.files.free(&path, Forced::Yes).await;
                freed.map_err(|error| Failure::new(&error, &path))?;
            }
            Ok(())
        }
        Err(error) => Err(failed(error)),
    }
}
