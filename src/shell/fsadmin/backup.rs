//! `alluxio fsadmin backup [directory] [--local] [--allow-leader] [--bypass-delegation]`

use crate::client::BackupOptions;
use crate::shell::fs::Failure;
use crate::shell::fs29::options::{CommandLine, Opt};
use crate::shell::fs29::{Command, Words};
use crate::shell::{Output, Session};
use std::time::Duration;

/// How often it is asked how far it is.
const LOOK: Duration = Duration::from_millis(500);
/// A line that 2.9 wipes the one before with.
const BLANK: &str = "                                                                           ";

pub(super) const COMMAND: Command = Command {
    options: &[
        Opt::flag("", "local", "whether to write the backup to the master's local filesystem instead of the root UFS"),
        Opt::flag("", "allow-leader", "without effect: a primary backs up without holding anybody up"),
        Opt::flag("", "bypass-delegation", "when specified, the primary writes the backup, not a standby"),
    ],
    // Compatible: not with 2.9, for which an empty word, a variable that was not set, is no directory.
    check: |line| match line.words.first().map(String::as_str) {
        Some("") => Err("The directory of the backup is empty".into()),
        _ => Ok(()),
    },
    ..Command::new(
        "backup",
        "backup [directory] [--local] [--allow-leader] [--bypass-delegation]",
        "backup backs up all Alluxio metadata to the backup directory configured on master. The directory to back up to \
         can be overridden by specifying a directory here. The directory path is relative to the root UFS. To write the \
         backup to the local disk of a master, use --local and specify a filesystem path. Backing up metadata will be \
         delegated to standby masters in HA cluster. Use --bypass-delegation to take the backup on the leader even if \
         there are standby masters.",
        Words::AtMost(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

// Compatible: 2.9 BackupCommand.
async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let options = BackupOptions {
        directory: line.words.first().cloned(),
        local: line.has("local"),
        by_primary: line.has("bypass-delegation"),
    };
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
