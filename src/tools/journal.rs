//! `alluxio journal <command>`: the table of what can be done to a journal while no master does it. A new command is a
//! line in `COMMANDS` and one in [`run`].

use std::io::{self, BufRead, IsTerminal, Write};

use super::journal_copy::{self, CopyError};
use super::journal_export::{self, ExportError};
use super::journal_import::{self, ImportError, Mode};
use super::journal_read::{self, ReadError, Wanted};
use super::journal_repair::{self, Consent, RepairError};
use super::journal_verify::{self, Outcome, VerifyError};
use crate::conf::Conf;

/// A command, its arguments, and what it does.
const COMMANDS: &[(&str, &str, &str)] = &[
    ("verify", "", "Reads the whole journal, compares its checkpoints with it, and says what is there."),
    (
        "read",
        "[--from N] [--to N] [--segment epochs/E/I.log] [--json]",
        "Shows the acknowledged records, or what stands in one segment.",
    ),
    ("repair", "[--yes]", "Makes a damaged journal servable again, with all that is left; keeps what was there."),
    ("copy", "<from> <to>", "Copies the journal from one folder to another, local or hdfs://host:port/path."),
    (
        "import",
        "<folder> [--dry-run]",
        "Takes over the journal of Alluxio 1.0 to 2.9; --dry-run only says what is in it.",
    ),
    ("export", "<folder>", "Writes a journal that a master of Alluxio 2.9 starts on."),
];

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// What it had to say cannot be written.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
    /// Words that are no command.
    #[error("{0}")]
    Usage(String),
    /// Of `verify`.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// Of `import`.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// Of `export`.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Of `read`.
    #[error(transparent)]
    Read(ReadError),
    /// Of `repair`.
    #[error(transparent)]
    Repair(RepairError),
    /// Of `copy`.
    #[error(transparent)]
    Copy(CopyError),
}

// The reader of the output may have gone, which is no error of the command.
impl From<ReadError> for CommandError {
    fn from(error: ReadError) -> CommandError {
        match error {
            ReadError::Output(error) => CommandError::Output(error),
            error => CommandError::Read(error),
        }
    }
}

impl From<RepairError> for CommandError {
    fn from(error: RepairError) -> CommandError {
        match error {
            RepairError::Output(error) => CommandError::Output(error),
            error => CommandError::Repair(error),
        }
    }
}

impl From<CopyError> for CommandError {
    fn from(error: CopyError) -> CommandError {
        match error {
            CopyError::Output(error) => CommandError::Output(error),
            error => CommandError::Copy(error),
        }
    }
}

/// Does what the words after `journal` say; `properties` are those of the command line, which `conf` has read. Returns the
/// exit code.
///
/// # Errors
/// Why it was not done.
pub async fn run(
    conf: &Conf,
    properties: &[String],
    words: &[&str],
    output: &mut dyn Write,
) -> Result<u8, CommandError> {
    match words {
        ["help" | "-h" | "--help"] => writeln!(output, "{}", usage())?,
        ["verify"] => return verify(conf, output).await,
        ["read", words @ ..] => {
            let wanted = Wanted::parse(words).map_err(|wrong| CommandError::Usage(format!("{wrong}\n{}", usage())))?;
            journal_read::run(conf, wanted, output).await?;
        }
        ["repair"] => journal_repair::run(conf, Consent::Asked(ask), output).await?,
        ["repair", "--yes" | "-y"] => journal_repair::run(conf, Consent::Given, output).await?,
        // Neither is a folder, though it may stand in the place of one.
        [name, rest @ ..] if rest.iter().any(|word| word.is_empty()) || rest == ["--dry-run"] => {
            return Err(misused(name, rest));
        }
        ["copy", from, to] => journal_copy::run(properties, from, to, output).await?,
        ["import", "--dry-run", folder] | ["import", folder, "--dry-run"] => {
            journal_import::run(conf, folder, Mode::DryRun).await?.write(output)?;
        }
        ["import", folder] => journal_import::run(conf, folder, Mode::Import).await?.write(output)?,
        ["export", folder] => journal_export::run(conf, folder).await?.write(output)?,
        [] => return Err(CommandError::Usage(usage())),
        [name, rest @ ..] => return Err(misused(name, rest)),
    }
    Ok(0)
}

fn misused(name: &str, words: &[&str]) -> CommandError {
    CommandError::Usage(format!("{}\n{}", wrong(name, words), usage()))
}

/// What is wrong with words that are no call of a command.
fn wrong(name: &str, words: &[&str]) -> String {
    let Some((name, arguments, _)) = COMMANDS.iter().find(|(known, ..)| *known == name) else {
        return format!("journal {name}: there is no such command");
    };
    let takes = if arguments.is_empty() { "no words" } else { arguments };
    let given = if words.is_empty() { "none".to_owned() } else { format!("{words:?}") };
    format!("journal {name} takes {takes}; given: {given}")
}

async fn verify(conf: &Conf, output: &mut dyn Write) -> Result<u8, CommandError> {
    match journal_verify::run(conf).await? {
        Outcome::Whole(report) => {
            report.write(output)?;
            Ok(u8::from(report.durable.is_err()))
        }
        Outcome::Damaged(error, salvage) => {
            salvage.write(output)?;
            let advice = match error.is_of_newer_version() {
                true => "A newer version has written to this journal: use that one.",
                false => "To go on with what can be recovered, stop all masters and run: bin/alluxio journal repair",
            };
            writeln!(output, "{advice}")?;
            Err(error.into())
        }
    }
}

/// Asks whoever sits at the terminal; without one, nobody agrees.
fn ask() -> io::Result<bool> {
    let input = io::stdin();
    if !input.is_terminal() {
        return Ok(false);
    }
    let mut output = io::stdout();
    write!(output, "Go on? [y/N] ")?;
    output.flush()?;
    let mut answer = String::new();
    input.lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn usage() -> String {
    let lines = COMMANDS.iter().map(|(name, arguments, what)| {
        let command = format!("{name} {arguments}");
        format!("\n  {}\n      {what}", command.trim_end())
    });
    format!("Usage: alluxio journal <command>{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conf::{Role, Sources};

    async fn ran(words: &[&str]) -> (Result<u8, CommandError>, String) {
        let sources = Sources { role: Role::User, environment: Default::default(), command_line: Vec::new() };
        let mut output = Vec::new();
        let code = run(&Conf::load(&sources).unwrap(), &[], words, &mut output).await;
        (code, String::from_utf8(output).unwrap())
    }

    #[tokio::test]
    async fn help_names_every_command_and_other_words_get_it_as_an_error() {
        let (code, help) = ran(&["help"]).await;
        assert_eq!(code.unwrap(), 0);
        assert!(COMMANDS.iter().all(|(name, ..)| help.contains(&format!("\n  {name}"))), "{help}");
        for words in [&[][..], &["format"], &["verify", "twice"], &["copy", "a"], &["repair", "--no"]] {
            let (code, output) = ran(words).await;
            assert!(matches!(code, Err(CommandError::Usage(text)) if text.ends_with(help.trim_end())), "{words:?}");
            assert_eq!(output, "");
        }
        for (words, first) in [
            (&["verfy"][..], "journal verfy: there is no such command\n"),
            (&["verify", "twice"], "journal verify takes no words; given: [\"twice\"]\n"),
            (&["copy", "", "/to"], "journal copy takes <from> <to>; given: [\"\", \"/to\"]\n"),
            (&["import", "--dry-run"], "journal import takes <folder> [--dry-run]; given: [\"--dry-run\"]\n"),
            (&["copy"], "journal copy takes <from> <to>; given: none\n"),
        ] {
            assert!(
                matches!(ran(words).await.0, Err(CommandError::Usage(text)) if text.starts_with(first)),
                "{words:?}"
            );
        }
        let (code, _) = ran(&["read", "--form", "3"]).await;
        assert!(
            matches!(code, Err(CommandError::Usage(text)) if text.starts_with("--form is no option of read\nUsage"))
        );
    }
}
