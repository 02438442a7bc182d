//! `mv <src> <dst>`

use super::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) async fn run(source: &str, target: &str, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let (source, target) = (paths::parse(source, session, output)?, paths::parse(target, session, output)?);
    // The target is what may exist already; a missing path is named by the server.
    let to = target.path()?;
    let moved = session.files.rename(source.path()?, to).await;
    moved.map_err(|error| Failure::new(&error, to))?;
    output.line(&format!("Renamed {source} to {target}"));
    Ok(())
}
