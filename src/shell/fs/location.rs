//! `location <path>`

use super::{Failure, paths};
use crate::shell::{Output, Session};

pub(in crate::shell) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(word, session, output, async |uri, output| {
        let status = paths::look(uri, session).await?;
        output.line(&format!("{uri} with file id {} is on nodes: ", status.id));
        for location in status.blocks.iter().flat_map(|block| &block.locations) {
            output.line(&location.address.host);
        }
        Ok(())
    })
    .await
}
