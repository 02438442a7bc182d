//! `location <path>`

use super::{Command, Words};
use crate::shell::fs;

pub(super) const COMMAND: Command = Command::new(
    "location",
    "location <path>",
    "Displays the list of hosts storing the specified file.",
    Words::Exactly(1),
    |line, session, output| Box::pin(fs::location::run(line.word(0), session, output)),
);
