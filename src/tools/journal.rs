//! `alluxio journal <command>`: the table of what can be done to a journal while no master does it. A new command is a
//! line in `COMMANDS` and one in `run`.

use std::io::{self, Write};

use super::journal_export::{self, ExportError};
use super::journal_import::{self, ImportError, Mode};
use super::journal_verify::{self, VerifyError};
use crate::conf::Conf;

/// A command, its arguments, and what it does.
const COMMANDS: &[(&str, &str, &str)] = &[
    ("verify", "", "Reads the whole journal, compares its checkpoints with it, and says what is there."),
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
}

/// Does what the words after `journal` say. Returns the exit code.
///
/// # Errors
/// Why it was not done.
pub async fn run(conf: &Conf, words: &[&str], output: &mut dyn Write) -> Result<u8, CommandError> {
    match words {
        ["help" | "-h" | "--help"] => {
            writeln!(output, "{}", usage())?;
            Ok(0)
        }
        ["verify"] => {
            let report = journal_verify::run(conf).await?;
            report.write(output)?;
            Ok(u8::from(report.durable.is_err()))
        }
        ["import", "--dry-run", folder] | ["import", folder, "--dry-run"] => {
            import(conf, folder, Mode::DryRun, output).await
        }
        ["import", folder] => import(conf, folder, Mode::Import, output).await,
        ["export", folder] => {
            journal_export::run(conf, folder).await?.write(output)?;
            Ok(0)
        }
        _ => Err(CommandError::Usage(usage())),
    }
}

async fn import(conf: &Conf, folder: &str, mode: Mode, output: &mut dyn Write) -> Result<u8, CommandError> {
    journal_import::run(conf, folder, mode).await?.write(output)?;
    Ok(0)
}

fn usage() -> String {
    let lines = COMMANDS.iter().map(|(name, arguments, what)| {
        let command = format!("{name} {arguments}");
        format!("\n  {:<32} {what}", command.trim_end())
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
        let code = run(&Conf::load(&sources).unwrap(), words, &mut output).await;
        (code, String::from_utf8(output).unwrap())
    }

    #[tokio::test]
    async fn help_names_every_command_and_other_words_get_it_as_an_error() {
        let (code, help) = ran(&["help"]).await;
        assert_eq!(code.unwrap(), 0);
        assert!(COMMANDS.iter().all(|(name, ..)| help.contains(&format!("\n  {name} "))), "{help}");
        for words in [&[][..], &["format"], &["verify", "twice"]] {
            let (code, output) = ran(words).await;
            assert!(matches!(code, Err(CommandError::Usage(text)) if text == help.trim_end()), "{words:?}");
            assert_eq!(output, "");
        }
    }
}
