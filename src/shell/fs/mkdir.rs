//! `mkdir <path1> [path2] ... [pathn]`

use super::{Failure, parse};
use crate::client::CreateDirectoryOptions;
use crate::shell::{Output, Session};

pub(super) async fn run(words: &[&str], session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let how = CreateDirectoryOptions {
        recursive: true,
        allow_exists: false,
        mode: 0o777 & !session.create.umask,
        write_type: session.create.write_type,
    };
    for word in words {
        let uri = parse(word, session, output)?;
        let made = session.files.create_directory(uri.path(), &how).await;
        made.map_err(|error| Failure::new(&error, uri.path()))?;
        output.line(&format!("Successfully created directory {uri}"));
        output.flush();
    }
    Ok(())
}
