//! `unmount <alluxioPath>`

use super::{Failure, paths};
use crate::client::ClientError;
use crate::shell::{Output, Session};

pub(super) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let uri = paths::parse(word, session, output)?;
    let path = uri.path()?;
    match session.files.unmount(path).await {
        // Compatible: 1.2.0 says the same where nothing is mounted; tests/shell, 16-mount-unmount.
        Err(ClientError::Refused(refusal))
            if refusal.message.contains("ensure the path is an existing mount point") =>
        {
            output.advise(&format!("Nothing was mounted at {uri}, so nothing has changed."));
        }
        Err(error) => return Err(Failure::new(&error, path)),
        Ok(()) => {}
    }
    output.line(&format!("Unmounted {uri}"));
    Ok(())
}
