//! `test [-d|-f|-e|-s|-z] <path>`

use super::options::Opt;
use super::{Command, CommandLine, Words};
use crate::client::ClientError;
use crate::shell::fs::{Failure, paths};
use crate::shell::{FAILED, Output, Session};
use crate::types::{ErrorKind, FileStatus};

pub(super) const COMMAND: Command = Command {
    options: &[
        Opt::flag("d", "", "test whether path is a directory."),
        Opt::flag("f", "", "test whether path is a file."),
        Opt::flag("e", "", "test whether path exists."),
        Opt::flag("s", "", "test whether path is not empty."),
        Opt::flag("z", "", "test whether file is zero length."),
    ],
    ..Command::new(
        "test",
        "test [-d|-f|-e|-s|-z] <path>",
        "Test a property of a path, returning 0 if the property is true, or 1 otherwise.",
        Words::Exactly(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

/// Exit codes (2.9.6 TestCommand; tests/shell, fs-05-stat-du-count-test).
const IS_NOT_SO: i32 = 1;
const NO_ANSWER: i32 = 2;
const REFUSED: i32 = 3;

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    if line.options() != 1 {
        return Err(Failure::silent(FAILED));
    }
    let uri = paths::parse(line.word(0), session, output)?;
    let path = uri.path().map_err(|_| Failure::silent(REFUSED))?;
    let status = session.files.get_status(path).await.map_err(|error| match error {
        ClientError::Refused(refusal) if refusal.kind != ErrorKind::Unauthenticated => Failure::silent(REFUSED),
        _ => Failure::silent(NO_ANSWER),
    })?;
    if is_so(line, &status) { Ok(()) } else { Err(Failure::silent(IS_NOT_SO)) }
}

fn is_so(line: &CommandLine, status: &FileStatus) -> bool {
    let tests: [(&str, bool); 5] = [
        ("d", status.folder),
        ("f", !status.folder),
        ("e", true),
        ("s", status.folder && status.length > 0),
        ("z", !status.folder && status.length == 0),
    ];
    tests.iter().any(|(name, holds)| line.has(name) && *holds)
}
