//! `alluxio validateConf`: whether all that is set can be used.

use std::io::{self, Write};

use crate::conf::{Conf, ConfError, Role, Warning};

/// Exit code of a configuration with mistakes, as in 1.2.0.
const INVALID: u8 = 255;

/// Loads the configuration as each kind of process would, and tells the mistakes on standard error, the verdict on
/// `output`. A property that no Alluxio has is a mistake; one that is not supported is only told. Returns the exit code.
///
/// # Errors
/// The verdict cannot be written.
pub fn run(load: impl Fn(Role) -> Result<Conf, ConfError>, output: &mut dyn Write) -> io::Result<u8> {
    let mut told: Vec<String> = Vec::new();
    let mut valid = true;
    for role in [Role::Master, Role::Worker, Role::User] {
        match load(role) {
            Ok(conf) => {
                valid &= !conf.warnings().iter().any(|warning| matches!(warning, Warning::Unknown { .. }));
                told.extend(conf.warnings().iter().map(ToString::to_string));
            }
            Err(error) => {
                valid = false;
                told.push(with_reason(&error));
            }
        }
    }
    // Most of it holds for all three.
    for (_, line) in told.iter().enumerate().filter(|(at, line)| !told[..*at].contains(line)) {
        let _ = writeln!(io::stderr(), "{line}");
    }
    // Compatible: 1.2.0 validateConf, without the time and place of its log; tests/launchers.
    let (verdict, code) = match valid {
        true => ("All configuration entries are valid.", 0),
        false => ("Configuration has invalid entries.", INVALID),
    };
    writeln!(output, "{verdict}").map(|()| code)
}

/// An error with all its causes, in one line.
pub(super) fn with_reason(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", with_reason(source)),
        None => error.to_string(),
    }
}
