//! What `alluxio-start.sh -i <uri> master` does before it starts a master: a journal folder that is formatted and empty gets
//! the namespace of a backup (`alluxio.master.journal.init.from.backup`). One that holds a namespace is left as it is.

use std::time::Duration;

use super::journal_import::{self, ImportError, Mode, Report};
use super::new_history::NewHistoryError;
use super::takeover::TakeoverError;
use crate::conf::Conf;

/// How often the folder is looked at while another master restores.
const LOOK: Duration = Duration::from_millis(500);

/// What became of it.
#[derive(Debug)]
pub enum Restored {
    /// The journal begins with the backup now.
    Now(Box<Report>),
    /// There was a namespace, or somebody uses the journal already: nothing was done, for this reason.
    Skipped(String),
}

/// Restores `backup`, if there is nothing yet. Where several masters start at once, the first one does it.
///
/// # Errors
/// The backup cannot be read, or the journal folder is not formatted or cannot be used.
pub async fn run(conf: &Conf, backup: &str) -> Result<Restored, ImportError> {
    loop {
        match journal_import::run(conf, backup, Mode::Import).await {
            Ok(report) => return Ok(Restored::Now(Box::new(report))),
            Err(ImportError::NewHistory(NewHistoryError::Takeover(TakeoverError::OtherTool { .. }))) => {
                tokio::time::sleep(LOOK).await;
            }
            Err(ImportError::NewHistory(
                skipped @ (NewHistoryError::NotEmpty { .. } | NewHistoryError::Takeover(TakeoverError::InUse { .. })),
            )) => return Ok(Restored::Skipped(skipped.to_string())),
            Err(error) => return Err(error),
        }
    }
}
