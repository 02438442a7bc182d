//! `unpin <path>`

use super::change;
use super::{Command, CommandLine, Words};
use crate::client::SetAttributeOptions;
use crate::shell::fs::Failure;
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command::new(
    "unpin",
    "unpin <path>",
    "Unpins the given file or folder from memory (works recursively for a directory).",
    Words::AtLeast(1),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let change = SetAttributeOptions { pinned: Some(false), ..SetAttributeOptions::default() };
    change::each(line.word(0), &change, session, output, |uri| format!("File '{uri}' was successfully unpinned.")).await
}
