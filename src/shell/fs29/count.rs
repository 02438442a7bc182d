//! `count [-h] <path>`

use super::options::Opt;
use super::values;
use super::{Command, CommandLine, Words};
use crate::client::{ListOptions, LoadMetadata};
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command {
    options: &[Opt::flag("h", "", "print sizes in human readable format (e.g. 1KB 234MB 2GB)")],
    ..Command::new(
        "count",
        "count [-h] <path>",
        "Displays the number of files and directories matching the specified prefix.",
        Words::Exactly(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let uri = paths::parse(line.word(0), session, output)?;
    let all =
        session.files.list_status(uri.path()?, &ListOptions { recursive: true, load: LoadMetadata::Once }).await?;
    let files = all.iter().filter(|status| !status.folder);
    let (count, bytes) = files.fold((0_usize, 0_i64), |(count, bytes), file| (count + 1, bytes + file.length));
    let shown = if line.has("h") { values::size(bytes) } else { bytes.to_string() };
    output.line(&format!("{:<25}{:<25}{:<15}", "File Count", "Folder Count", "Folder Size"));
    output.line(&format!("{count:<25}{:<25}{shown:<15}", all.len() - count));
    Ok(())
}
