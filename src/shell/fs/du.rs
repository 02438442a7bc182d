//! `du <path>`

use super::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    paths::for_each(word, session, output, async |uri, output| {
        let mut bytes = 0;
        paths::walk(uri, session, |status| bytes += if status.folder { 0 } else { status.length }).await?;
        output.line(&format!("{uri} is {bytes} bytes"));
        Ok(())
    })
    .await
}
