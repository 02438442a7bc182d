//! `unsetTtl <path>`

use super::{Failure, paths, set_ttl};
use crate::shell::{Output, Session};

pub(super) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let uri = paths::parse(word, session, output)?;
    set_ttl::set(&uri, -1, session).await?;
    output.line(&format!("TTL of file '{uri}' was successfully removed."));
    Ok(())
}
