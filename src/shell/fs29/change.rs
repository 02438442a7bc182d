//! What commands that change attributes share.

use crate::client::SetAttributeOptions;
use crate::shell::fs::{Failure, paths};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};

/// Makes `change` to each path that `word` stands for, and says `done` of it.
pub(super) async fn each(
    word: &str,
    change: &SetAttributeOptions,
    session: &Session,
    output: &mut Output<'_>,
    done: impl Fn(&Uri) -> String,
) -> Result<(), Failure> {
    paths::for_each(word, session, output, async |uri, output| {
        session.files.set_attribute(uri.path()?, change).await?;
        output.line(&done(uri));
        Ok(())
    })
    .await
}
