//! `ls [-R] [-f] <path>`

use chrono::Local;

use super::{Failure, expand, list_failed, parse};
use crate::client::{ListOptions, LoadMetadata};
use crate::shell::columns::ls_line;
use crate::shell::{Output, Session};

pub(super) async fn run(
    word: &str,
    how: ListOptions,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let typed = parse(word, session, output)?;
    let mut failures = Vec::new();
    for uri in expand(&typed, session).await? {
        match session.files.list_status(uri.path(), &how).await {
            Ok(mut statuses) => {
                // By name, name after name: each directory is followed by what is in it.
                statuses.sort_by(|a, b| a.path.components().cmp(b.path.components()));
                for status in &statuses {
                    output.line(&ls_line(status, session.show_owners, &Local));
                }
            }
            Err(error) => failures.push(list_failed(error, &uri)),
        }
    }
    Failure::joined(failures)
}

/// The options of the command.
pub(super) fn options(recursive: bool, force: bool) -> ListOptions {
    ListOptions { recursive, load: if force { LoadMetadata::Always } else { LoadMetadata::Once } }
}
