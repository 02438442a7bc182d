//! `getCapacityBytes`, `getUsedBytes`

use super::Failure;
use crate::shell::{Output, Session};

pub(in crate::shell) async fn capacity(session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let bytes = session.files.capacity_bytes().await?;
    output.line(&format!("Capacity Bytes: {bytes}"));
    Ok(())
}

pub(in crate::shell) async fn used(session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let bytes = session.files.used_bytes().await?;
    output.line(&format!("Used Bytes: {bytes}"));
    Ok(())
}
