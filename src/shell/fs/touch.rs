//! `touch <path>`

use super::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let uri = paths::parse(word, session, output)?;
    let path = uri.path()?;
    let failed = |error| Failure::new(&error, path);
    let file = session.files.create(path, &session.create.file()).await.map_err(failed)?;
    file.complete().await.map_err(failed)?;
    output.line(&format!("{uri} has been created"));
    Ok(())
}
