//! `mkdir <path1> [path2] ... [pathn]`

use super::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) async fn run(words: &[&str], session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    for word in words {
        let uri = paths::parse(word, session, output)?;
        let path = uri.path()?;
        let made = session.files.create_directory(path, &session.create.directory()).await;
        made.map_err(|error| Failure::new(&error, path))?;
        output.line(&format!("Successfully created directory {uri}"));
        output.flush();
    }
    Ok(())
}
