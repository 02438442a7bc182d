//! Why a command did not do what it was asked.

use crate::client::ClientError;
use crate::shell::uri::{InvalidPath, Uri};
use crate::shell::{FAILED, Output, texts};
use crate::types::{AlluxioPath, ErrorKind};

/// Exit code of what 1.2.0 let escape as an exception.
const THROWN: i32 = 1;

/// What 1.2.0 says, and what we advise.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) text: String,
    advice: Option<String>,
    /// 1.2.0 let an exception escape: on standard error, with another exit code. Its stack trace is not ours to print.
    thrown: bool,
}

impl Failure {
    pub(super) fn of(text: impl Into<String>) -> Failure {
        Failure { text: text.into(), advice: None, thrown: false }
    }

    /// What 1.2.0 let escape as the exception `text`.
    pub(super) fn thrown(text: impl Into<String>, advice: &str) -> Failure {
        Failure { text: text.into(), advice: Some(advice.to_owned()), thrown: true }
    }

    /// The failure of a call about `path`.
    pub(super) fn new(error: &ClientError, path: &AlluxioPath) -> Failure {
        match error {
            ClientError::Refused(refusal) => Failure::of(texts::in_1_2(refusal, path)),
            ClientError::Unreachable { master, places, attempts, last } => {
                let text = match master {
                    Some(master) => format!(
                        "Failed to connect to FileSystemMasterClient master @ {master} after {attempts} attempts: {last}"
                    ),
                    None => format!("{last} (after {attempts} attempts)"),
                };
                let advice = format!(
                    "Masters are looked for at {places}: is one running there, and is it the cluster you mean? \
                     alluxio.user.rpc.retry.max.duration says how long to go on trying."
                );
                Failure { text, advice: Some(advice), thrown: false }
            }
        }
    }

    /// The failure of a call that asks what `uri` looks like.
    // Compatible: 1.2.0 names a missing path as it was typed, and takes what cannot be one for missing; tests/shell,
    // 22-unrecorded.
    pub(super) fn of_look(error: &ClientError, uri: &Uri) -> Failure {
        match error {
            ClientError::Refused(refusal)
                if matches!(refusal.kind, ErrorKind::NotFound | ErrorKind::InvalidArgument) =>
            {
                Failure::of(texts::does_not_exist(uri))
            }
            other => Failure::about(other, uri),
        }
    }

    /// The failure of a call that lists `uri`.
    // Compatible: 1.2.0 names a missing path as it was typed.
    pub(super) fn of_list(error: &ClientError, uri: &Uri) -> Failure {
        match error {
            ClientError::Refused(refusal) if refusal.kind == ErrorKind::NotFound => {
                Failure::of(texts::does_not_exist(uri))
            }
            other => Failure::about(other, uri),
        }
    }

    /// The failure of a call about the path of `uri`.
    pub(super) fn about(error: &ClientError, uri: &Uri) -> Failure {
        uri.path().map_or_else(Failure::from, |path| Failure::new(error, path))
    }

    /// The same with `reason`, which 1.2.0 does not tell, as advice.
    pub(super) fn because(self, reason: &str) -> Failure {
        Failure { advice: Some(reason.to_owned()), ..self }
    }

    /// All of them as one, if there are any; one advice is enough.
    pub(super) fn joined(failures: Vec<Failure>) -> Result<(), Failure> {
        let texts: Vec<&str> = failures.iter().map(|failure| failure.text.as_str()).collect();
        let text = texts.join("\n");
        match failures.into_iter().next() {
            Some(first) => Err(Failure { text, ..first }),
            None => Ok(()),
        }
    }

    /// Tells it and gives the exit code.
    pub(super) fn tell(self, output: &mut Output<'_>) -> i32 {
        if self.thrown {
            output.complain(&format!("Exception in thread \"main\" {}", self.text));
        } else {
            output.line(&self.text);
        }
        if let Some(advice) = self.advice {
            output.advise(&advice);
        }
        if self.thrown { THROWN } else { FAILED }
    }
}

impl From<InvalidPath> for Failure {
    fn from(invalid: InvalidPath) -> Failure {
        Failure::of(invalid.to_string())
    }
}
