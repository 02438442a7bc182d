//! `load <path>`

use super::{Failure, paths};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};
use crate::types::FileStatus;

pub(super) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    each_file(word, session, output, async |_, status| {
        if status.in_memory_percentage < 100 {
            let loaded = session.files.load(status).await;
            loaded.map_err(|error| Failure::new(&error, &status.path))?;
        }
        Ok(None)
    })
    .await
}

/// Does `load` with each file at and below what `word` stands for, and tells what it says. Each directory is told once all
/// below it is loaded.
pub(in crate::shell) async fn each_file(
    word: &str,
    session: &Session,
    output: &mut Output<'_>,
    mut load: impl AsyncFnMut(&Uri, &FileStatus) -> Result<Option<String>, Failure>,
) -> Result<(), Failure> {
    paths::for_each(word, session, output, async |uri, output| {
        let top = paths::look(uri, session).await?;
        let mut waiting = vec![(top, false)];
        while let Some((status, children_loaded)) = waiting.pop() {
            // Compatible: 1.2.0 and 2.9 drop the address of what is below; tests/shell, 22-unrecorded.
            let is_top = uri.path()? == &status.path;
            let uri = if is_top { uri.clone() } else { uri.bare(status.path.clone()) };
            if children_loaded {
                output.line(&format!("{uri} loaded"));
            } else if status.folder {
                let children = paths::list(&uri, session).await?;
                waiting.push((status, true));
                waiting.extend(children.into_iter().rev().map(|child| (child, false)));
            } else if let Some(told) = load(&uri, &status).await? {
                output.line(&told);
            }
            output.flush();
        }
        Ok(())
    })
    .await
}
