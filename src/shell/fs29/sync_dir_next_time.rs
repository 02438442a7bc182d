//! `syncDirNextTime <true|false> <path>`

use super::change;
use super::values;
use super::{Command, CommandLine, Words};
use crate::client::SetAttributeOptions;
use crate::shell::fs::Failure;
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "syncDirNextTime",
    "syncDirNextTime <true|false> <path>\n\ttrue means the next access will trigger a metadata sync on the dir\tfalse means the next metadata sync is disabled",
    "Marks a directory to either trigger a metadata sync or skip the metadata sync on next access.",
    Words::Exactly(2),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let sync = values::yes(line.word(0));
    // Compatible: 2.9 sends what was typed, which the master takes for "the children are loaded".
    let change = SetAttributeOptions { direct_children_loaded: Some(sync), ..SetAttributeOptions::default() };
    let what = if sync { "trigger" } else { "skip" };
    let done = |uri: &Uri| format!("Successfully marked the dir {uri} to {what} metadata sync on next access");
    change::each(line.word(1), &change, session, output, done).await
}
