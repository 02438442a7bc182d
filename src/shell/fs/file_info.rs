//! `fileInfo <path>`

use super::{Failure, paths};
use crate::shell::{Output, Session, describe};

pub(super) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(word, session, output, async |uri, output| {
        let status = paths::look(uri, session).await?;
        if status.folder {
            return Err(Failure::of(format!("{uri} is a directory path so does not have file blocks.")));
        }
        output.line(&describe::file(&status));
        output.line("Containing the following blocks: ");
        for block in &status.blocks {
            output.line(&describe::block(block));
        }
        Ok(())
    })
    .await
}
