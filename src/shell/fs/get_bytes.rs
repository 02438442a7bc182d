//! `getCapacityBytes`, `getUsedBytes`

use super::Failure;
use crate::client::ClientError;
use crate::shell::{Output, Session};
use crate::types::AlluxioPath;

pub(super) async fn capacity(session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let bytes = session.files.capacity_bytes().await.map_err(failed)?;
    output.line(&format!("Capacity Bytes: {bytes}"));
    Ok(())
}

pub(super) async fn used(session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let bytes = session.files.used_bytes().await.map_err(failed)?;
    output.line(&format!("Used Bytes: {bytes}"));
    Ok(())
}

fn failed(error: ClientError) -> Failure {
    Failure::new(&error, &AlluxioPath::root())
}
