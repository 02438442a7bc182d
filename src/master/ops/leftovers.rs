//! What lies in a UFS beside the files, and is of no use to anybody any more.

use super::ufs_mode::root_of;
use super::{Answer, Context, Leftover};
use crate::master::state::Footprint;
use crate::types::{PersistenceState, UfsMode};

/// Those among `found` that nobody needs, and that may be deleted: of a file that is written to the UFS, unless it is about to be put in its
/// place; of a block that no worker could keep, once its file is in the UFS or gone.
pub(super) fn of_no_use(at: &Context<'_>, found: &[Leftover], footprint: &mut Footprint) -> Answer {
    let mut of_no_use = Vec::new();
    for leftover in found {
        let is_needed = match leftover {
            Leftover::Temporary(uri) => {
                at.state.intents().values().any(|intent| intent.temporary.as_ref() == Some(uri))
            }
            Leftover::Block { id, .. } => {
                footprint.read_inode(id.file());
                let file = at.state.inodes().get(id.file());
                file.is_some_and(|file| file.persistence != PersistenceState::Persisted)
            }
        };
        let may_be_deleted = at.state.admin().ufs_mode(&root_of(leftover.uri())) == UfsMode::ReadWrite;
        if !is_needed && may_be_deleted {
            of_no_use.push(leftover.clone());
        }
    }
    Answer::Leftovers(of_no_use)
}
