//! Pure. Entries that 1.x wrote and 2.x only reads.

use super::tally::Tally;
use super::translate::{at_path, children_first};
use crate::journal::entry::{Entry, UpdateInode, UpdateInodeFile};
use crate::journal::entry_codec::message;
use crate::master::state::{Inode, MasterState};
use crate::proto::alluxio::proto::journal as wire;
use crate::types::{AlluxioPath, BlockId, InodeId, PersistenceState, TtlAction};

/// The first who writes a file of a lineage chooses its blocks and its time to live. 2.x has no such entry any more.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ReinitializeFileEntry {
    /// Which file.
    #[prost(string, optional, tag = "1")]
    pub path: Option<String>,
    /// Bytes of every block but the last.
    #[prost(int64, optional, tag = "2")]
    pub block_size_bytes: Option<i64>,
    /// Milliseconds, -1 for none.
    #[prost(int64, optional, tag = "3")]
    pub ttl: Option<i64>,
    /// What happens then.
    #[prost(enumeration = "wire::PTtlAction", optional, tag = "4")]
    pub ttl_action: Option<i32>,
}

/// As `translate::entries_of`, for what is left over there.
///
/// # Errors
/// As there.
pub fn entries_of(state: &MasterState, kind: u32, body: &[u8], tally: &mut Tally) -> Result<Vec<Entry>, String> {
    let update =
        |id: Option<i64>, name: &str| id.map(|id| UpdateInode::of(InodeId(id))).ok_or(format!("{name} without id"));
    let persisted = |update: UpdateInode, state| Entry::UpdateInode(UpdateInode { persistence: Some(state), ..update });
    let entry = match kind {
        5 => return complete(&message(body)?, tally),
        12 => {
            tally.count("inode_last_modification_time");
            let entry: wire::InodeLastModificationTimeEntry = message(body)?;
            let modification_time_ms = entry.last_modification_time_ms;
            Entry::UpdateInode(UpdateInode {
                modification_time_ms,
                ..update(entry.id, "inode_last_modification_time")?
            })
        }
        15 => {
            tally.count("persist_directory");
            let entry: wire::PersistDirectoryEntry = message(body)?;
            persisted(update(entry.id, "persist_directory")?, PersistenceState::Persisted)
        }
        16 => {
            tally.count("async_persist_request");
            let entry: wire::AsyncPersistRequestEntry = message(body)?;
            persisted(update(entry.file_id, "async_persist_request")?, PersistenceState::ToBePersisted)
        }
        18 => return reinitialize(state, &message(body)?, tally),
        27 => return set_attribute(state, &message(body)?, tally),
        other => return Err(format!("no version of Alluxio that is known has an entry of kind {other}")),
    };
    Ok(vec![entry])
}

// Compatible: 1.x leaves a file complete; the replay of 2.9.6 forgets that.
fn complete(entry: &wire::CompleteFileEntry, tally: &mut Tally) -> Result<Vec<Entry>, String> {
    tally.count("complete_file");
    let id = InodeId(entry.id.ok_or("complete_file without id")?);
    let update = UpdateInodeFile {
        length: Some(entry.length.ok_or("complete_file without length")?),
        completed: Some(true),
        blocks: entry.block_ids.iter().map(|block| BlockId(*block)).collect(),
        ..UpdateInodeFile::of(id)
    };
    // Compatible: 1.8 takes over the time of a file that it finds in the UFS, which is before that of its own entry.
    let overwrite_modification_time = entry.op_time_ms.map(|_| true);
    let modification_time_ms = entry.op_time_ms;
    let times = UpdateInode { modification_time_ms, overwrite_modification_time, ..UpdateInode::of(id) };
    Ok(vec![Entry::UpdateInode(times), Entry::UpdateInodeFile(update)])
}

fn reinitialize(state: &MasterState, entry: &ReinitializeFileEntry, tally: &mut Tally) -> Result<Vec<Entry>, String> {
    tally.count("reinitialize_file");
    let path = entry.path.as_deref().ok_or("reinitialize_file without path")?;
    let path = AlluxioPath::parse(path).map_err(|e| format!("reinitialize_file: {e}"))?;
    let id = at_path(state, &path).ok_or_else(|| format!("reinitialize_file: {path} does not exist"))?;
    let block_size_bytes = Some(entry.block_size_bytes.ok_or("reinitialize_file without block_size_bytes")?);
    let ttl_ms = Some(entry.ttl.ok_or("reinitialize_file without ttl")?);
    let lives = UpdateInode { ttl_ms, ttl_action: Some(action_of(entry.ttl_action())), ..UpdateInode::of(id) };
    let blocks = UpdateInodeFile { block_size_bytes, ..UpdateInodeFile::of(id) };
    Ok(vec![Entry::UpdateInode(lives), Entry::UpdateInodeFile(blocks)])
}

fn set_attribute(
    state: &MasterState,
    entry: &wire::SetAttributeEntry,
    tally: &mut Tally,
) -> Result<Vec<Entry>, String> {
    tally.count("set_attribute");
    let id = InodeId(entry.id.ok_or("set_attribute without id")?);
    let inode = state.inodes().get(id).ok_or_else(|| format!("set_attribute: inode {id} does not exist"))?;
    let mut update = attributes(&inode, entry, tally)?;
    let mut entries = Vec::new();
    if let Some(pinned) = entry.pinned {
        // Compatible: 1.2 InodeTree.setPinned: the whole tree, and its times.
        let pin =
            |id| UpdateInode { pinned: Some(pinned), modification_time_ms: entry.op_time_ms, ..UpdateInode::of(id) };
        entries.extend(children_first(state, id).into_iter().map(|id| Entry::UpdateInode(pin(id))));
        update.modification_time_ms = entry.op_time_ms;
    }
    entries.push(Entry::UpdateInode(update));
    if entry.replication_min.is_some() || entry.replication_max.is_some() {
        entries.push(Entry::UpdateInodeFile(UpdateInodeFile {
            replication_min: entry.replication_min,
            replication_max: entry.replication_max,
            ..UpdateInodeFile::of(id)
        }));
    }
    Ok(entries)
}

/// All but the pin. Modification times rise with what 1.2 lets them rise.
fn attributes(inode: &Inode, entry: &wire::SetAttributeEntry, tally: &mut Tally) -> Result<UpdateInode, String> {
    let mut update =
        UpdateInode { owner: entry.owner.clone(), group: entry.group.clone(), ..UpdateInode::of(inode.id) };
    if let Some(mode) = entry.permission {
        tally.drop_if(mode & !0o777 != 0, "setuid, setgid and sticky bits");
        update.mode = u16::try_from(mode & 0o777).ok();
    }
    if let Some(ttl_ms) = entry.ttl.filter(|ttl_ms| *ttl_ms != inode.ttl_ms) {
        update.ttl_ms = Some(ttl_ms);
        update.modification_time_ms = entry.op_time_ms;
    }
    if entry.ttl.is_some() || entry.ttl_action.is_some() {
        update.ttl_action = Some(action_of(entry.ttl_action()));
    }
    match entry.persisted {
        Some(true) => {
            update.persistence = Some(PersistenceState::Persisted);
            update.modification_time_ms = entry.op_time_ms;
        }
        Some(false) => return Err("set_attribute: what is persisted cannot be made not persisted".into()),
        None => {}
    }
    Ok(update)
}

fn action_of(action: wire::PTtlAction) -> TtlAction {
    match action {
        wire::PTtlAction::Delete => TtlAction::Delete,
        wire::PTtlAction::Free => TtlAction::Free,
        wire::PTtlAction::DeleteAlluxio => TtlAction::DeleteAlluxio,
    }
}
