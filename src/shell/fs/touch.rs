//! `touch <path>`

use super::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let uri = paths::parse(word, session, output)?;
    let failed = |error| Failure::new(&error, uri.path());
    let file = session.files.create(uri.path(), &session.create.file()).await.map_err(failed)?;
    file.complete().await.map_err(failed)?;
    output.line(&format!("{uri} has been created"));
    Ok(())
}
