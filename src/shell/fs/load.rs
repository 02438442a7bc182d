//! `load <path>`

use super::{Failure, paths};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};

pub(super) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(word, session, output, async |uri, output| {
        let top = paths::look(uri, session).await?;
        // Each directory is told once all below it is loaded.
        let mut waiting = vec![(top, false)];
        while let Some((status, children_loaded)) = waiting.pop() {
            // Compatible: 1.2.0 drops the address of what is below; tests/shell, 22-unrecorded.
            let is_top = uri.path()? == &status.path;
            let uri = if is_top { uri.clone() } else { Uri::of(status.path.clone()) };
            if children_loaded {
                output.line(&format!("{uri} loaded"));
                output.flush();
            } else if status.folder {
                let children = paths::list(&uri, session).await?;
                waiting.push((status, true));
                waiting.extend(children.into_iter().rev().map(|child| (child, false)));
            } else if status.in_memory_percentage < 100 {
                let loaded = session.files.load(&status).await;
                loaded.map_err(|error| Failure::new(&error, &status.path))?;
            }
        }
        Ok(())
    })
    .await
}
