//! Pure. What administrators of 2.x set beside the namespace, as entries of ours.

use super::tally::Tally;
use super::translate::tolerant;
use crate::journal::entry::{Entry, SyncPoint};
use crate::journal::entry_codec::message;
use crate::journal::entry_extras_proto as strict;
use crate::journal::entry_to_proto::field;
use crate::master::state::MasterState;
use crate::proto::alluxio::proto::journal as wire;
use crate::types::AlluxioPath;

/// What such an entry changes in `state`. What 2.9 passes over changes nothing.
///
/// # Errors
/// A kind that is none of these, or a field that does not exist.
pub fn entries_of(state: &MasterState, kind: u32, body: &[u8], tally: &mut Tally) -> Result<Vec<Entry>, String> {
    let admin = state.admin();
    let entry = match kind {
        field::UPDATE_UFS_MODE => {
            tally.count("update_ufs_mode");
            let entry: wire::UpdateUfsModeEntry = message(body)?;
            Some(strict::ufs_mode_of(wire::UpdateUfsModeEntry { ufs_mode: Some(entry.ufs_mode() as i32), ..entry })?)
        }
        field::ADD_SYNC_POINT => {
            tally.count("add_sync_point");
            let point = strict::sync_point_of(message(body)?)?;
            (!admin.sync_points().contains_key(&point.path)).then_some(Entry::AddSyncPoint(point))
        }
        field::REMOVE_SYNC_POINT => {
            tally.count("remove_sync_point");
            let SyncPoint { path, mount_id: _ } = strict::removed_sync_point_of(message(body)?)?;
            let mount_id = admin.sync_points().get(&path).copied();
            mount_id.map(|mount_id| Entry::RemoveSyncPoint(SyncPoint { path, mount_id }))
        }
        field::PATH_PROPERTIES => {
            tally.count("path_properties");
            let entry: wire::PathPropertiesEntry = tolerant(body)?;
            match strict::path_properties_of(entry)? {
                Entry::PathProperties(set) if set.properties.is_empty() => removed(state, set.path),
                entry => Some(entry),
            }
        }
        field::REMOVE_PATH_PROPERTIES => {
            tally.count("remove_path_properties");
            match strict::removed_properties_of(message(body)?)? {
                Entry::RemovePathProperties { path } => removed(state, path),
                other => Some(other),
            }
        }
        other => return Err(format!("entry {other} is not about what administrators set")),
    };
    Ok(entry.into_iter().collect())
}

fn removed(state: &MasterState, path: AlluxioPath) -> Option<Entry> {
    state.admin().path_properties().contains_key(&path).then_some(Entry::RemovePathProperties { path })
}
