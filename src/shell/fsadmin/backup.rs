//! `alluxio fsadmin backup [directory] [--local] [--allow-leader] [--bypass-delegation]`

use super::failed;
use crate::client::{BackupOptions, ClientError};
use crate::shell::{FAILED, Output, Session};
use std::time::Duration;

/// How often it is asked how far it is.
const LOOK: Duration = Duration::from_millis(500);
/// A line that 2.9 wipes the one before with.
const BLANK: &str = "                                                                           ";

pub(super) async fn run(words: &[&str], session: &Session, output: &mut Output<'_>) -> i32 {
    let Some(options) = options(words) else {
        output.complain(&format!("backup takes one directory and the options below; given: {words:?}"));
        output.line("usage: backup [directory] [--local] [--allow-leader] [--bypass-delegation]");
        return FAILED;
    };
    match back_up(options, session, output).await {
        Ok(()) => 0,
        Err(error) => failed(error, output),
    }
}

/// What the words say. A primary backs up without holding anybody up, so it need not be allowed to.
fn options(words: &[&str]) -> Option<BackupOptions> {
    let mut options = BackupOptions { directory: None, local: false, by_primary: false };
    for word in words {
        match *word {
            "--local" => options.local = true,
            "--bypass-delegation" => options.by_primary = true,
            "--allow-leader" => {}
            // An empty word is a variable that was not set.
            word if word.is_empty() || word.starts_with('-') || options.directory.is_some() => return None,
            directory => options.directory = Some(directory.to_owned()),
        }
    }
    Some(options)
}

// Compatible: 2.9 BackupCommand.
async fn back_up(options: BackupOptions, session: &Session, output: &mut Output<'_>) -> Result<(), ClientError> {
    let mut backup = session.files.back_up(options).await?;
    output.line(BLANK);
    output.line(" Backup state: Initiating");
    while backup.uri.is_none() {
        tokio::time::sleep(LOOK).await;
        backup = session.files.backup_status(&backup.id).await?;
    }
    (0..3).for_each(|_| output.line(BLANK));
    output.line(&format!("Backup Host        : {}", backup.host));
    output.line(&format!("Backup URI         : {}", backup.uri.unwrap_or_default()));
    output.line(&format!("Backup Entry Count : {}", backup.entries));
    Ok(())
}
