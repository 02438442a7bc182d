//! Freeing the inodes of unlinked trees, a bounded number at a time.

use crate::journal::entry::Entry;
use crate::master::state::{Inode, MasterState};
use crate::types::InodeId;

/// The next entry that frees at most `max` inodes, children before parents; none when there is nothing to free.
pub fn collect(state: &MasterState, max: usize) -> Option<Entry> {
    let mut ids = Vec::new();
    for root in state.unlinked() {
        let root = state.inodes().get(*root)?;
        collect_tree(state, &root, max, &mut ids);
        if ids.len() >= max {
            break;
        }
    }
    (!ids.is_empty()).then_some(Entry::CollectTree { ids })
}

fn collect_tree(state: &MasterState, root: &Inode, max: usize, ids: &mut Vec<InodeId>) {
    let mut levels = vec![(root.id, state.inodes().children(root.id))];
    while let Some((directory, children)) = levels.last_mut() {
        if ids.len() >= max {
            return;
        }
        match children.next() {
            Some(child) if child.children() > 0 => levels.push((child.id, state.inodes().children(child.id))),
            Some(child) => ids.push(child.id),
            None => {
                ids.push(*directory);
                levels.pop();
            }
        }
    }
}
