//! `setReplication [-R] [--max <num> | --min <num>] <path>`

use super::options::{ARG, Opt};
use super::{Command, CommandLine, Words};
use crate::client::SetAttributeOptions;
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command {
    options: &[
        Opt::flag("R", "", "set replication recursively"),
        Opt::with("", "max", ARG, "the maximum number of replicas"),
        Opt::with("", "min", ARG, "the minimum number of replicas"),
    ],
    ..Command::new(
        "setReplication",
        "setReplication [-R] [--max <num> | --min <num>] <path>",
        "Sets the minimum/maximum number of replicas for the file or directory at given path. Specify '-1' as the argument of '--max' option to indicate no limit of the maximum number of replicas. If 'path' is a directory and '-R' is specified, it will recursively set all files in this directory.",
        Words::Exactly(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let uri = paths::parse(line.word(0), session, output)?;
    let (max, min) = (number(line.value("max"))?, number(line.value("min"))?);
    match (max, min) {
        (None, None) => {
            return Err(Failure::of("At least one option of '--max' or '--min' must be specified"));
        }
        (Some(max), Some(min)) if max >= 0 && max < min => {
            return Err(Failure::of("Invalid values for '--max' and '--min' options"));
        }
        _ => {}
    }
    let change = SetAttributeOptions {
        recursive: line.has("R"),
        replication_max: max,
        replication_min: min,
        ..SetAttributeOptions::default()
    };
    session.files.set_attribute(uri.path()?, &change).await?;
    let told = |name: &str, value: Option<i32>| value.map_or_else(String::new, |n| format!("{name} was set to {n}\n"));
    let (max, min) = (told("replicationMax", max), told("replicationMin", min));
    output.line(&format!("Changed the replication level of {uri}\n{max}{min}"));
    Ok(())
}

fn number(text: Option<&str>) -> Result<Option<i32>, Failure> {
    // Compatible: what Java says of a text that is no number.
    let wrong = |text: &str| Failure::of(format!("For input string: \"{text}\""));
    text.map(|text| text.parse().map_err(|_| wrong(text))).transpose()
}
