//! Freeing the inodes of unlinked trees and the blocks of their files, a bounded number at a time.

use crate::journal::entry::Entry;
use crate::master::state::{Inode, MasterState};
use crate::types::{BlockId, InodeId};

/// The next entries, which free at most `max` inodes and blocks: blocks before their files, children before parents.
/// None when there is nothing to free.
pub fn collect(state: &MasterState, max: usize) -> Vec<Entry> {
    let mut found = Found { max, blocks: Vec::new(), ids: Vec::new() };
    for root in state.unlinked() {
        let Some(root) = state.inodes().get(*root) else { continue };
        found.collect_tree(state, &root);
    }
    let blocks = found.blocks.into_iter().map(|id| Entry::DeleteBlock { id });
    let inodes = (!found.ids.is_empty()).then_some(Entry::CollectTree { ids: found.ids });
    blocks.chain(inodes).collect()
}

struct Found {
    max: usize,
    blocks: Vec<BlockId>,
    ids: Vec<InodeId>,
}

impl Found {
    fn room(&self) -> usize {
        self.max.saturating_sub(self.blocks.len() + self.ids.len())
    }

    fn collect_tree(&mut self, state: &MasterState, root: &Inode) {
        let mut levels = vec![(root.id, state.inodes().children(root.id))];
        while let Some((directory, children)) = levels.last_mut() {
            if self.room() == 0 {
                return;
            }
            match children.next() {
                Some(child) if child.children() > 0 => levels.push((child.id, state.inodes().children(child.id))),
                Some(child) => self.collect_leaf(state, &child),
                None => {
                    self.ids.push(*directory);
                    levels.pop();
                }
            }
        }
    }

    /// A file goes when its last block does.
    fn collect_leaf(&mut self, state: &MasterState, leaf: &Inode) {
        let of_file = (!leaf.is_directory()).then_some(leaf.id.container());
        let mut blocks = of_file.into_iter().flat_map(|container| state.blocks().of_container(container));
        let room = self.room();
        self.blocks.extend(blocks.by_ref().take(room));
        if self.room() > 0 && blocks.next().is_none() {
            self.ids.push(leaf.id);
        }
    }
}
