//! `cat <path>`

use super::{Command, Words};
use crate::shell::fs;

pub(super) const COMMAND: Command = Command::new(
    "cat",
    "cat <path>",
    "Prints the file's contents to the console.",
    Words::AtLeast(1),
    |line, session, output| Box::pin(fs::cat::run(line.word(0), session, output)),
);
