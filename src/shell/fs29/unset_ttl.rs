//! `unsetTtl <path>`

use super::change;
use super::{Command, CommandLine, Words};
use crate::client::SetAttributeOptions;
use crate::shell::fs::Failure;
use crate::shell::{Output, Session};
use crate::types::TtlAction;

pub(super) const COMMAND: Command = Command::new(
    "unsetTtl",
    "unsetTtl <path>",
    "Unsets the TTL value for the given path.",
    Words::Exactly(1),
    |line, session, output| Box::pin(run(line, session, output)),
);

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let change = SetAttributeOptions { ttl: Some((-1, TtlAction::Delete)), ..SetAttributeOptions::default() };
    change::each(line.word(0), &change, session, output, |uri| format!("TTL of file '{uri}' was successfully removed."))
        .await
}
