//! `du <path>`

use super::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(word, session, output, async |uri, output| {
        let mut bytes = 0;
        // Compatible: 1.2.0 lists what it measures, so what cannot be a path is told otherwise than by `count`;
        // tests/shell, 22-unrecorded.
        let mut waiting = paths::list(uri, session).await?;
        while let Some(status) = waiting.pop() {
            if status.folder {
                waiting.extend(paths::list(&uri.with_path(status.path), session).await?);
            } else {
                bytes += status.length;
            }
        }
        output.line(&format!("{uri} is {bytes} bytes"));
        Ok(())
    })
    .await
}
