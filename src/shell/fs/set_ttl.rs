//! `setTtl <path> <time to live(in milliseconds)>`

use super::{Failure, numbers, paths};
use crate::client::SetAttributeOptions;
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};

pub(super) async fn run(word: &str, ttl: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let ttl = numbers::long(ttl)?;
    if ttl < 0 {
        let text = "java.lang.IllegalArgumentException: TTL value must be >= 0";
        return Err(Failure::thrown(text, "A time to live is removed by unsetTtl."));
    }
    let uri = paths::parse(word, session, output)?;
    set(&uri, ttl, session).await?;
    output.line(&format!("TTL of file '{uri}' was successfully set to {ttl} milliseconds."));
    Ok(())
}

/// Sets the time to live of a file; -1 for none.
pub(super) async fn set(uri: &Uri, ttl_ms: i64, session: &Session) -> Result<(), Failure> {
    let path = uri.path()?;
    let failed = |error| Failure::new(&error, path);
    // Compatible: 1.2.0 has none for directories; tests/shell, 15-ttl.
    if session.files.get_status(path).await.map_err(failed)?.folder {
        return Err(Failure::of("java.lang.IllegalArgumentException: TTL can only be set for files"));
    }
    let ttl = Some((ttl_ms, session.create.ttl_action));
    let change = SetAttributeOptions { ttl, ..SetAttributeOptions::default() };
    session.files.set_attribute(path, &change).await.map_err(failed)
}
