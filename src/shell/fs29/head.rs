//! `head [-c <bytes>] <path>`

use std::ops::Range;

use super::options::{ARG, Opt};
use super::{Command, CommandLine, Words, values};
use crate::shell::fs::{Failure, cat, paths};
use crate::shell::{Output, Session};

pub(super) const BYTES: Opt = Opt::with("c", "", ARG, "number of bytes (e.g., 1024, 4KB)");

pub(super) const COMMAND: Command = Command {
    options: &[BYTES],
    ..Command::new(
        "head",
        "head [-c <bytes>] <path>",
        "Prints the file's first n bytes (by default, 1KB) to the console.",
        Words::Exactly(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    part(line, session, output, |length, bytes| 0..bytes.min(length)).await
}

/// Prints of each file the part that `part` says, by its length and the bytes that were asked for.
pub(super) async fn part(
    line: &CommandLine,
    session: &Session,
    output: &mut Output<'_>,
    part: impl Fn(i64, i64) -> Range<i64>,
) -> Result<(), Failure> {
    let bytes = values::bytes(line.value("c")).map_err(Failure::of)?;
    paths::for_each(line.word(0), session, output, async |uri, output| {
        let length = cat::file_length(uri, session).await?;
        cat::print(uri, part(length, bytes), session, output).await
    })
    .await
}
