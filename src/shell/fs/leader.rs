//! `leader`

use super::Failure;
use crate::shell::{Output, Session};
use crate::types::AlluxioPath;

pub(super) async fn run(session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let primary = session.files.primary().await.map_err(|error| Failure::new(&error, &AlluxioPath::root()))?;
    output.line(primary.rsplit_once(':').map_or(primary.as_str(), |(host, _)| host));
    Ok(())
}
