//! Why a command did not do what it was asked.

use crate::client::ClientError;
use crate::shell::Dialect;
use crate::shell::uri::{InvalidPath, Uri};
use crate::shell::{FAILED, Output, texts};
use crate::types::{AlluxioPath, ErrorKind};

/// Exit code of what 1.2.0 let escape as an exception.
const THROWN: i32 = 1;

/// What the original says, and what we advise.
#[derive(Debug)]
pub(in crate::shell) struct Failure {
    pub(in crate::shell) text: String,
    advice: Option<String>,
    manner: Manner,
}

/// How a failure is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// A line on standard output.
    Line,
    /// 1.2.0 let an exception escape: on standard error, with another exit code. Its stack trace is not ours to print.
    Thrown,
    /// By an exit code alone.
    Silent(i32),
}

impl Failure {
    pub(in crate::shell) fn of(text: impl Into<String>) -> Failure {
        Failure { text: text.into(), advice: None, manner: Manner::Line }
    }

    /// What 1.2.0 let escape as the exception `text`.
    pub(in crate::shell) fn thrown(text: impl Into<String>, advice: &str) -> Failure {
        Failure { text: text.into(), advice: Some(advice.to_owned()), manner: Manner::Thrown }
    }

    /// What is told by `code` alone.
    pub(in crate::shell) fn silent(code: i32) -> Failure {
        Failure { text: String::new(), advice: None, manner: Manner::Silent(code) }
    }

    /// The failure of a call about `path`, in the words of 1.2.0.
    pub(in crate::shell) fn new(error: &ClientError, path: &AlluxioPath) -> Failure {
        match error {
            ClientError::Refused(refusal) => Failure::of(texts::in_1_2(refusal, path)),
            other => Failure::in_2_9(other),
        }
    }

    /// The failure of a call in the words of 2.9, which are those of the server.
    pub(in crate::shell) fn in_2_9(error: &ClientError) -> Failure {
        match error {
            ClientError::Refused(refusal) => Failure::of(refusal.message.clone()),
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
                Failure { text, advice: Some(advice), manner: Manner::Line }
            }
        }
    }

    /// The failure of a call that asks what `uri` looks like.
    // Compatible: 1.2.0 names a missing path as it was typed, and takes what cannot be one for missing; tests/shell,
    // 22-unrecorded.
    pub(in crate::shell) fn of_look(error: &ClientError, uri: &Uri) -> Failure {
        match error {
            ClientError::Refused(refusal)
                if uri.dialect() == Dialect::Of1_2
                    && matches!(refusal.kind, ErrorKind::NotFound | ErrorKind::InvalidArgument) =>
            {
                Failure::of(texts::does_not_exist(uri))
            }
            other => Failure::about(other, uri),
        }
    }

    /// The failure of a call that lists `uri`.
    // Compatible: 1.2.0 names a missing path as it was typed.
    pub(in crate::shell) fn of_list(error: &ClientError, uri: &Uri) -> Failure {
        match error {
            ClientError::Refused(refusal) if uri.dialect() == Dialect::Of1_2 && refusal.kind == ErrorKind::NotFound => {
                Failure::of(texts::does_not_exist(uri))
            }
            other => Failure::about(other, uri),
        }
    }

    /// The failure of a call about the path of `uri`.
    pub(in crate::shell) fn about(error: &ClientError, uri: &Uri) -> Failure {
        match (uri.path(), uri.dialect()) {
            (Err(invalid), _) => invalid.into(),
            (Ok(path), Dialect::Of1_2) => Failure::new(error, path),
            (Ok(_), Dialect::Of2_9) => Failure::in_2_9(error),
        }
    }

    /// The same with `reason`, which 1.2.0 does not tell, as advice.
    pub(in crate::shell) fn because(self, reason: &str) -> Failure {
        Failure { advice: Some(reason.to_owned()), ..self }
    }

    /// All of them as one, if there are any; one advice is enough.
    pub(in crate::shell) fn joined(failures: Vec<Failure>) -> Result<(), Failure> {
        let texts: Vec<&str> = failures.iter().map(|failure| failure.text.as_str()).collect();
        let text = texts.join("\n");
        match failures.into_iter().next() {
            Some(first) => Err(Failure { text, ..first }),
            None => Ok(()),
        }
    }

    /// Tells it and gives the exit code.
    pub(in crate::shell) fn tell(self, output: &mut Output<'_>) -> i32 {
        match self.manner {
            Manner::Line => output.line(&self.text),
            Manner::Thrown => output.complain(&format!("Exception in thread \"main\" {}", self.text)),
            Manner::Silent(_) => {}
        }
        if let Some(advice) = self.advice {
            output.advise(&advice);
        }
        match self.manner {
            Manner::Line => FAILED,
            Manner::Thrown => THROWN,
            Manner::Silent(code) => code,
        }
    }
}

/// In the words of 2.9, where there are no others.
impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::in_2_9(&error)
    }
}

impl From<InvalidPath> for Failure {
    fn from(invalid: InvalidPath) -> Failure {
        Failure::of(invalid.to_string())
    }
}
