//! `chmod [-R/--recursive] <mode> <path>`

use super::change;
use super::options::Opt;
use super::values;
use super::{Command, CommandLine, Words};
use crate::client::SetAttributeOptions;
use crate::shell::fs::Failure;
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command {
    options: &[Opt::flag("R", "recursive", "change mode recursively")],
    ..Command::new(
        "chmod",
        "chmod [-R/--recursive] <mode> <path>",
        "Changes the permission of a file or directory specified by args. Specify -R/--recursive to change the permission recursively.",
        Words::Exactly(2),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let mode = values::mode(line.word(0)).map_err(Failure::of)?;
    let change = SetAttributeOptions { recursive: line.has("R"), mode: Some(mode), ..SetAttributeOptions::default() };
    change::each(line.word(1), &change, session, output, |uri| format!("Changed permission of {uri} to {mode:o}")).await
}
