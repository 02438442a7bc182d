//! `tail -c <number of bytes> <path>`

use super::{Failure, cat, numbers, paths};
use crate::shell::{Output, Session};

/// How much is shown unless it is said.
const PRESET_BYTES: i64 = 1024;

pub(super) async fn run(
    word: &str,
    bytes: Option<&str>,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    paths::for_each(word, session, output, async |uri, output| {
        // Compatible: 1.2.0 looks first whether the path exists, then reads the number, then whether it is a file.
        let status = paths::look(uri, session).await?;
        let bytes = bytes.map_or(Ok(PRESET_BYTES), numbers::int)?;
        if bytes <= 0 {
            let text = "java.lang.IllegalArgumentException: specified bytes must be > 0";
            return Err(Failure::thrown(text, "-c takes a number of bytes, 1 or more."));
        }
        let length = cat::file_length(uri, session).await?;
        cat::print(uri, (status.length - bytes).max(0)..length, session, output).await
    })
    .await
}
