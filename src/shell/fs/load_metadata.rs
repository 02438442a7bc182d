//! `loadMetadata <path>`

use super::Failure;
use crate::shell::Output;

/// Says what to use instead, and does nothing else, as 1.2.0.
pub(super) fn run(output: &mut Output<'_>) -> Result<(), Failure> {
    output.line("The \"alluxio fs loadMetadata <path>\" command is deprecated since version 1.1.");
    output.line("Use the \"alluxio fs ls <path>\" command instead.");
    Ok(())
}
