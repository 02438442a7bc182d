//! Which files workers hold something of.

use super::resolve::resolve;
use super::status::status_of;
use super::{Answer, Context};
use crate::master::state::Footprint;
use crate::types::{FileStatus, InodeId};

/// The files after `after`, by id. `limit` is how many are looked at; those that the caller may not reach are left out.
pub(super) fn in_alluxio(at: &Context<'_>, after: InodeId, limit: usize, footprint: &mut Footprint) -> Answer {
    let held: Vec<InodeId> = at.workers.files_held(after).take(limit).collect();
    let last = held.last().copied().filter(|_| held.len() == limit);
    let files = held.into_iter().filter_map(|id| visible(at, id, footprint)).collect();
    Answer::InAlluxio { files, last }
}

fn visible(at: &Context<'_>, id: InodeId, footprint: &mut Footprint) -> Option<FileStatus> {
    footprint.read_inode(id);
    let (path, inode) = at.state.path_of(id).zip(at.state.inodes().get(id))?;
    let resolved = resolve(at, &path, footprint).ok()?;
    at.permissions(footprint).check_way(&resolved, footprint).ok()?;
    Some(status_of(at, &path, &inode, footprint))
}
