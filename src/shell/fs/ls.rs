//! `ls [-R] [-f] <path>`

use chrono::Local;

use super::{Failure, paths};
use crate::client::{ListOptions, LoadMetadata};
use crate::shell::columns::ls_line;
use crate::shell::{Output, Session};

pub(super) async fn run(
    word: &str,
    how: ListOptions,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    paths::for_each(word, session, output, async |uri, output| {
        let listed = session.files.list_status(uri.path()?, &how).await;
        let mut statuses = listed.map_err(|error| Failure::of_list(&error, uri))?;
        // By name, name after name: each directory is followed by what is in it.
        statuses.sort_by(|a, b| a.path.components().cmp(b.path.components()));
        for status in &statuses {
            output.line(&ls_line(status, session.show_owners, &Local));
        }
        Ok(())
    })
    .await
}

/// The options of the command.
pub(super) fn options(recursive: bool, force: bool) -> ListOptions {
    ListOptions { recursive, load: if force { LoadMetadata::Always } else { LoadMetadata::Once } }
}
