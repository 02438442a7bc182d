//! `chmod [-R] <mode> <path>`

use super::{Failure, numbers, paths};
use crate::client::SetAttributeOptions;
use crate::shell::{Output, Session};

pub(super) async fn run(
    mode: &str,
    word: &str,
    recursive: bool,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let mode = numbers::mode(mode)?;
    let uri = paths::parse(word, session, output)?;
    let path = uri.path()?;
    let change = SetAttributeOptions { recursive, mode: Some(mode), ..SetAttributeOptions::default() };
    let changed = session.files.set_attribute(path, &change).await;
    changed.map_err(|error| Failure::new(&error, path))?;
    output.line(&format!("Changed permission of {uri} to {mode:o}"));
    Ok(())
}
