//! `touch <path>`

use super::{Failure, parse};
use crate::client::CreateFileOptions;
use crate::shell::{Output, Session};

pub(super) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let uri = parse(word, session, output)?;
    let create = &session.create;
    let how = CreateFileOptions {
        recursive: true,
        mode: 0o666 & !create.umask,
        block_size_bytes: create.block_size_bytes,
        write_type: create.write_type,
        ttl_action: create.ttl_action,
    };
    let failed = |error| Failure::new(&error, uri.path());
    session.files.create_file(uri.path(), &how).await.map_err(failed)?;
    session.files.complete_file(uri.path()).await.map_err(failed)?;
    output.line(&format!("{uri} has been created"));
    Ok(())
}
