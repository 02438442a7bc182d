//! `unpin <path>`

use super::{Failure, paths};
use crate::client::SetAttributeOptions;
use crate::shell::{Output, Session};

pub(super) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let change = SetAttributeOptions { recursive: true, pinned: Some(false), ..SetAttributeOptions::default() };
    paths::for_each(word, session, output, async |uri, output| {
        let path = uri.path()?;
        let changed = session.files.set_attribute(path, &change).await;
        changed.map_err(|error| Failure::new(&error, path))?;
        output.line(&format!("File '{uri}' was successfully unpinned."));
        Ok(())
    })
    .await
}
