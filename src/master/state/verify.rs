//! Whether a loaded state is one that `apply` could have made: checksums find damage, this finds a wrong writer.
//!
//! After it has passed, nothing that is read from the pages can be out of bounds, run in a circle, or be no text.

use super::apply::waits_to_be_persisted;
use super::inode::{Record, id_in, name_in};
use super::inode_tree::{EDGE_BYTES, InodeTree, first_bytes, id_order};
use super::pages::{array, read_i64, read_u32, read_u64};
use super::retries::answered_in;
use super::{Inode, MasterState};
use crate::journal::entry::Corrupt;
use crate::types::InodeId;
use std::cmp::Ordering;

impl MasterState {
    /// Checks everything against everything else.
    ///
    /// # Errors
    /// Names the part that does not fit.
    pub fn verify(&self) -> Result<(), Corrupt> {
        let part = |name: &'static str| move |reason: String| Corrupt::new(name, reason);
        let live = self.inodes.verify_ids(self.ids.next_container).map_err(part("inodes by id"))?;
        self.inodes.verify_edges(live, self.unlinked.len() as u64).map_err(part("edges"))?;
        self.verify_unlinked().map_err(part("unlinked trees"))?;
        self.verify_blocks().map_err(part("blocks"))?;
        self.verify_answers().map_err(part("first answers"))?;
        let waits = |id: &InodeId| self.inodes.get(*id).is_some_and(|inode| waits_to_be_persisted(&inode));
        if let Some(id) = self.persist_times.keys().find(|id| !waits(id)) {
            return Err(Corrupt::new("times to persist", format!("inode {id} does not wait to be persisted")));
        }
        for (id, intent) in self.intents.iter() {
            let reason = match (intent.new_directory().is_some(), self.inodes.get(*id).is_some()) {
                (false, false) => format!("inode {id} does not exist"),
                (true, true) => format!("inode {id} exists already"),
                _ => continue,
            };
            return Err(Corrupt::new("open intents", reason));
        }
        Ok(())
    }

    fn verify_blocks(&self) -> Result<(), String> {
        self.blocks.lengths.verify(|a, b| read_i64(a, 0).cmp(&read_i64(b, 0)))?;
        for (id, length) in self.blocks.iter() {
            let file = self.inodes.get(id.file()).filter(|file| !file.is_directory());
            if file.is_none() || length < 0 {
                return Err(format!("block {id} of {length} bytes belongs to no file"));
            }
        }
        Ok(())
    }

    fn verify_unlinked(&self) -> Result<(), String> {
        for id in self.unlinked.iter() {
            let inode = self.inodes.get(*id).ok_or_else(|| format!("inode {id} does not exist"))?;
            if !inode.is_directory() || inode.parent == InodeId::NONE {
                return Err(format!("inode {id} cannot be unlinked"));
            }
            if self.inodes.child(inode.parent, self.inodes.name(&inode)).is_some_and(|child| child.id == *id) {
                return Err(format!("there is an edge to inode {id}"));
            }
        }
        Ok(())
    }

    fn verify_answers(&self) -> Result<(), String> {
        let retries = &self.retries;
        retries.answers.verify(|a, b| read_u64(a, 0).cmp(&read_u64(b, 0)))?;
        for entry in retries.answers.iter() {
            if answered_in(entry).is_none() {
                return Err("an operation has no known number".into());
            }
            let ordinal = read_u64(entry, 0);
            if ordinal >= retries.next_ordinal {
                return Err(format!("there is answer {ordinal}, and the next one is {}", retries.next_ordinal));
            }
        }
        if !retries.ids_are_unique() {
            return Err("two answers have the same operation id".into());
        }
        Ok(())
    }
}

impl InodeTree {
    /// Gives for each slot whether an inode is in it.
    fn verify_ids(&self, next_container: i64) -> Result<Vec<bool>, String> {
        self.ids.verify(|a, b| read_i64(a, 0).cmp(&read_i64(b, 0)))?;
        self.replications.verify(|a, b| read_i64(a, 0).cmp(&read_i64(b, 0)))?;
        self.contents.verify(|a, b| read_i64(a, 0).cmp(&read_i64(b, 0)))?;
        let mut with_extras = self.extras.verify()?;
        let (mut elsewhere, mut children, mut contents) = (0, 0, 0);
        let mut live = vec![false; self.records.parts().0.end as usize];
        for entry in self.ids.iter() {
            let (id, slot) = (InodeId(read_i64(entry, 0)), read_u32(entry, 8));
            let record = Some(slot).filter(|slot| self.records.is_known(*slot)).map(|slot| self.records.get(slot));
            let record = record.and_then(|record| Record::decode(slot, record));
            let record = record.ok_or_else(|| format!("inode {id} has no record"))?;
            live[slot as usize] = true;
            children += record.inode.children();
            self.verify_record(id, &record.inode)?;
            if record.replication_elsewhere {
                elsewhere += 1;
                self.replications.find(id_order(id)).ok_or_else(|| format!("inode {id} lacks its replication"))?;
            }
            if record.content_elsewhere {
                contents += 1;
                self.contents.find(id_order(id)).ok_or_else(|| format!("inode {id} lacks its content"))?;
            }
            if record.inode.has_extras && !with_extras.remove(&id) {
                return Err(format!("inode {id} lacks its extras"));
            }
            if id.container() >= next_container {
                return Err(format!("inode {id} has an id that was not given out"));
            }
        }
        let count = self.ids.len();
        if children != self.edges.len() {
            return Err(format!("{} edges, directories have {children} children", self.edges.len()));
        }
        if elsewhere != self.replications.len() {
            return Err(format!("{elsewhere} inodes refer to {} replications", self.replications.len()));
        }
        if contents != self.contents.len() {
            return Err(format!("{contents} inodes refer to {} contents", self.contents.len()));
        }
        if let Some(id) = with_extras.first() {
            return Err(format!("inode {id} does not refer to its extras"));
        }
        if u64::from(self.records.live()) != count || self.names.live() != count {
            return Err(format!("{count} ids, {} records, {} names", self.records.live(), self.names.live()));
        }
        let end = self.records.parts().0.end;
        let records_are_sound = self.records.free_count().is_some_and(|free| free + self.records.live() == end);
        if !records_are_sound || !self.names.free_lists_are_sound() {
            return Err("a list of free slots does not fit".into());
        }
        Ok(live)
    }

    fn verify_record(&self, id: InodeId, inode: &Inode) -> Result<(), String> {
        if inode.id != id {
            return Err(format!("the record of inode {id} is that of {}", inode.id));
        }
        let users = self.users.texts().len();
        if inode.owner as usize >= users || inode.group as usize >= users {
            return Err(format!("inode {id} has an unknown owner or group"));
        }
        if !self.names.is_sound(inode.name) {
            return Err(format!("inode {id} has no name"));
        }
        Ok(())
    }

    /// After `verify_ids`. `unlinked`: so many inodes beside the root have no edge.
    fn verify_edges(&self, mut live: Vec<bool>, unlinked: u64) -> Result<(), String> {
        // Names are compared below, where each is looked up once.
        self.edges.verify(|a, b| read_i64(a, 0).cmp(&read_i64(b, 0)).then(Ordering::Less))?;
        let roots = u64::from(self.get(InodeId::ROOT).is_some()) + unlinked;
        if self.edges.len() + roots != self.ids.len() {
            return Err(format!("{} edges and {roots} roots, {} inodes", self.edges.len(), self.ids.len()));
        }
        let mut last: Option<(InodeId, &[u8])> = None;
        let mut left: u64 = 0;
        for edge in self.edges.iter() {
            let above = InodeId(read_i64(edge, 0));
            let name = self.name_of_edge(edge, above, &mut live)?;
            match last {
                Some((parent, before)) if parent == above => {
                    if before >= name || left == 0 {
                        return Err(format!("the edges of directory {above} do not fit it"));
                    }
                }
                Some((parent, _)) if left > 0 || parent > above => {
                    return Err(format!("directory {parent} has more children than edges"));
                }
                _ => {
                    let inode = self.get(above).ok_or_else(|| format!("directory {above} does not exist"))?;
                    left = inode.children();
                    if left == 0 {
                        return Err(format!("directory {above} should have no edges"));
                    }
                }
            }
            left -= 1;
            last = Some((above, name));
        }
        if left != 0 {
            return Err("the last directory has more children than edges".into());
        }
        Ok(())
    }

    /// The name behind an edge, which must lead to an inode of that parent that no other edge led to.
    fn name_of_edge(&self, edge: &[u8; EDGE_BYTES], above: InodeId, live: &mut [bool]) -> Result<&[u8], String> {
        let slot = read_u32(edge, 16);
        match live.get_mut(slot as usize) {
            Some(live) if *live => *live = false,
            _ => return Err(format!("an edge of directory {above} leads to no inode, or is not the only one to it")),
        }
        let record = self.records.get(slot);
        let name = self.names.get(name_in(record));
        if read_i64(record, 8) != above.0 || array::<8>(edge, 8) != first_bytes(name) {
            return Err(format!("an edge of directory {above} does not fit inode {}", id_in(record)));
        }
        Ok(name)
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
