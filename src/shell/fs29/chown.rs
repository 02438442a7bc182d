//! `chown [-R/--recursive] <owner>[:<group>] <path>`

use super::change;
use super::options::Opt;
use super::{Command, CommandLine, Words};
use crate::client::SetAttributeOptions;
use crate::shell::fs::Failure;
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command {
    options: &[Opt::flag("R", "recursive", "change owner recursively")],
    ..Command::new(
        "chown",
        "chown [-R/--recursive] <owner>[:<group>] <path>",
        "Changes the owner of a file or directory specified by args. Specify -R/--recursive to change the owner recursively.",
        Words::Exactly(2),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let typed = line.word(0);
    let (owner, group) = typed.split_once(':').map_or((typed, None), |(owner, group)| (owner, Some(group)));
    if !is_name(owner) || group.is_some_and(|group| !is_name(group)) {
        return Err(Failure::of(format!("Failed to parse {typed} as user or user:group")));
    }
    let change = SetAttributeOptions {
        recursive: line.has("R"),
        owner: Some(owner.to_owned()),
        group: group.map(str::to_owned),
        ..SetAttributeOptions::default()
    };
    let done = |uri: &Uri| match group {
        None => format!("Changed owner of {uri} to {owner}"),
        Some(group) => format!("Changed owner:group of {uri} to {owner}:{group}."),
    };
    change::each(line.word(1), &change, session, output, done).await
}

/// Whether users and groups may be called so.
// Compatible: 2.9 ChownCommand, USER_GROUP_PATTERN.
fn is_name(text: &str) -> bool {
    let text = text.strip_suffix('$').unwrap_or(text);
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.starts_with(is_word) && text.chars().all(|c| is_word(c) || c == '-' || c == '.')
}
