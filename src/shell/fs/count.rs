//! `count <path>`

use super::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) async fn run(word: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let uri = paths::parse(word, session, output)?;
    let (mut files, mut folders, mut bytes) = (0_u64, 0_u64, 0_i64);
    paths::walk(&uri, session, |status| {
        if status.folder {
            folders += 1;
        } else {
            files += 1;
            bytes += status.length;
        }
    })
    .await?;
    output.line(&format!("{:<25}{:<25}{:<15}", "File Count", "Folder Count", "Total Bytes"));
    output.line(&format!("{files:<25}{folders:<25}{bytes:<15}"));
    Ok(())
}
