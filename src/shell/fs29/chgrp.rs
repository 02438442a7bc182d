//! `chgrp [-R/--recursive] <group> <path>`

use super::change;
use super::options::Opt;
use super::{Command, CommandLine, Words};
use crate::client::SetAttributeOptions;
use crate::shell::fs::Failure;
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command {
    options: &[Opt::flag("R", "recursive", "change group recursively")],
    ..Command::new(
        "chgrp",
        "chgrp [-R/--recursive] <group> <path>",
        "Changes the group of a file or directory specified by args. Specify -R/--recursive to change the group recursively.",
        Words::Exactly(2),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let group = line.word(0);
    let change = SetAttributeOptions {
        recursive: line.has("R"),
        group: Some(group.to_owned()),
        ..SetAttributeOptions::default()
    };
    change::each(line.word(1), &change, session, output, |uri| format!("Changed group of {uri} to {group}")).await
}
