//! Which files have fewer copies than is wished.

use super::block_info::check_safe_mode;
use super::status::status_of;
use super::{Answer, Context, TooFewCopies};
use crate::master::state::{Footprint, Inode, InodeKind};
use crate::types::{BlockStatus, FsError, InodeId, PersistenceState};

/// So many files are looked at by one question.
const LOOKED_AT_MAX: usize = 10_000;

/// Complete files, by id, after `after`, that have a block with too few copies of which one more can be made: from
/// another copy, or from the UFS.
pub(super) fn too_few_copies(
    at: &Context<'_>,
    after: InodeId,
    limit: usize,
    footprint: &mut Footprint,
) -> Result<Answer, FsError> {
    check_safe_mode(at)?;
    let (mut files, mut last) = (Vec::new(), None);
    for (number, id) in at.state.inodes().with_unusual_replication(after).enumerate() {
        if files.len() >= limit || number >= LOOKED_AT_MAX {
            return Ok(Answer::TooFewCopies { files, last });
        }
        last = Some(id);
        let Some((inode, path)) = at.state.inodes().get(id).zip(at.state.path_of(id)) else { continue };
        let Some(copies) = wished(&inode) else { continue };
        let status = status_of(at, &path, &inode, footprint);
        let is_in_ufs = inode.persistence == PersistenceState::Persisted;
        let lacks = |block: &BlockStatus| {
            block.locations.len() < copies && (is_in_ufs || !block.locations.is_empty()) && block.length > 0
        };
        if status.blocks.iter().any(lacks) {
            files.push(TooFewCopies { status, copies });
        }
    }
    Ok(Answer::TooFewCopies { files, last: None })
}

/// How many copies of each block there should be at least.
// Compatible: 2.9 ReplicationChecker, check: until a file is persisted, `replicationDurable` counts, too.
fn wished(inode: &Inode) -> Option<usize> {
    let InodeKind::File { completed: true, replication, .. } = inode.kind else { return None };
    let durable = if inode.persistence == PersistenceState::ToBePersisted { replication.durable } else { 0 };
    usize::try_from(replication.min.max(durable)).ok().filter(|copies| *copies > 0)
}
