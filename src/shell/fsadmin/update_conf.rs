//! `alluxio fsadmin updateConf key1=val1 [key2=val2 ...]`

use crate::shell::fs::Failure;
use crate::shell::fs29::options::CommandLine;
use crate::shell::fs29::{Command, Words};
use crate::shell::{Output, Session};
use std::collections::HashMap;

pub(super) const COMMAND: Command = Command::new(
    "updateConf",
    "updateConf key1=val1 [key2=val2 ...]",
    "Update config for alluxio master.",
    Words::AtLeast(0),
    |line, session, output| Box::pin(run(line, session, output)),
);

/// Exit codes of a property that was not updated, and of a word that is none.
const NOT_UPDATED: i32 = 254;
const NOT_PARSED: i32 = 253;

// Compatible: 2.9.6 UpdateConfCommand, texts and exit codes.
async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut properties = HashMap::new();
    for word in line.words.iter().filter(|word| word.contains('=')) {
        match word.split('=').collect::<Vec<_>>()[..] {
            [name, value] => drop(properties.insert(name.to_owned(), value.to_owned())),
            _ => {
                output.complain(&format!("Failed to parse {word}, expecting argument in the format of \"key=val\""));
                return Err(Failure::silent(NOT_PARSED));
            }
        }
    }
    if properties.is_empty() {
        return Err(Failure::of("No config to update"));
    }
    let status = session.files.update_configuration(&properties).await?;
    output.line(&format!("Updated {} configs", status.len()));
    let refused = status.iter().filter(|(_, done)| !**done).map(|(name, _)| name);
    refused.clone().for_each(|name| output.line(&format!("Failed to Update {name}")));
    if refused.count() == 0 { Ok(()) } else { Err(Failure::silent(NOT_UPDATED)) }
}
