//! getStatus and exists.

use super::resolve::resolve;
use super::status::status_of;
use super::{Answer, Context};
use crate::master::state::Footprint;
use crate::types::{AlluxioPath, FsError};

/// What the path looks like. Only the way to it must be open to the caller.
pub(super) fn get_status(at: &Context<'_>, path: &AlluxioPath, footprint: &mut Footprint) -> Result<Answer, FsError> {
    let resolved = resolve(at, path, footprint)?;
    at.permissions(footprint).check_way(&resolved, footprint)?;
    let inode = resolved.existing()?;
    Ok(Answer::Status(Box::new(status_of(at.state, at.settings, path, inode, footprint))))
}

/// Whether the path is there.
pub(super) fn exists(at: &Context<'_>, path: &AlluxioPath, footprint: &mut Footprint) -> Result<Answer, FsError> {
    let resolved = resolve(at, path, footprint)?;
    at.permissions(footprint).check_way(&resolved, footprint)?;
    Ok(Answer::Exists(resolved.target().is_some()))
}
