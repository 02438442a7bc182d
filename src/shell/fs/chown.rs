//! `chown [-R] <owner> <path>`

use super::{Failure, paths};
use crate::client::SetAttributeOptions;
use crate::shell::{Output, Session};

pub(super) async fn run(
    owner: &str,
    word: &str,
    recursive: bool,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let uri = paths::parse(word, session, output)?;
    let path = uri.path()?;
    let change = SetAttributeOptions { recursive, owner: Some(owner.to_owned()), ..SetAttributeOptions::default() };
    let changed = session.files.set_attribute(path, &change).await;
    changed.map_err(|error| Failure::new(&error, path))?;
    output.line(&format!("Changed owner of {uri} to {owner}"));
    Ok(())
}
