//! The blocks that are committed: id and length. Where copies of them are, only workers tell, and no journal keeps.

use super::btree::Tree;
use super::pages::{read_i64, write};
use crate::types::BlockId;
use std::cmp::Ordering;

/// (id, length).
pub(super) const BLOCK_BYTES: usize = 16;

/// All committed blocks, by id; those of a file stand together.
#[derive(Debug, Clone)]
pub struct Blocks {
    pub(super) lengths: Tree<BLOCK_BYTES>,
}

impl Blocks {
    pub(super) fn new() -> Blocks {
        Blocks { lengths: Tree::new() }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.lengths.len()
    }

    /// Bytes in the block; none when it is not committed.
    pub fn length(&self, id: BlockId) -> Option<i64> {
        self.lengths.find(order(id)).map(|entry| read_i64(entry, 8))
    }

    /// The committed blocks of the file with that container, in order.
    pub fn of_container(&self, container: i64) -> impl Iterator<Item = BlockId> {
        let first = BlockId::of(container, 0);
        let blocks = self.lengths.iter_from(move |entry| read_i64(entry, 0).cmp(&first.0));
        blocks.map(id_in).take_while(move |id| id.container() == container)
    }

    /// All blocks in order, with their lengths.
    pub(super) fn iter(&self) -> impl Iterator<Item = (BlockId, i64)> {
        self.lengths.iter().map(|entry| (id_in(entry), read_i64(entry, 8)))
    }

    /// Adds a block, or gives it another length.
    pub(super) fn set(&mut self, id: BlockId, length: i64) {
        self.lengths.remove(order(id));
        let mut entry = [0; BLOCK_BYTES];
        write(&mut entry, 0, &id.0.to_le_bytes());
        write(&mut entry, 8, &length.to_le_bytes());
        self.lengths.insert(&entry, order(id));
    }

    /// Takes a block away. False when it was not there.
    pub(super) fn remove(&mut self, id: BlockId) -> bool {
        self.lengths.remove(order(id)).is_some()
    }
}

fn id_in(entry: &[u8; BLOCK_BYTES]) -> BlockId {
    BlockId(read_i64(entry, 0))
}

fn order(id: BlockId) -> impl Fn(&[u8; BLOCK_BYTES]) -> Ordering {
    move |entry| read_i64(entry, 0).cmp(&id.0)
}

#[cfg(test)]
mod tests {
    use super::Blocks;
    use crate::types::BlockId;

    #[test]
    fn blocks_of_a_file_stand_together() {
        let mut blocks = Blocks::new();
        for (container, index) in [(7, 1), (8, 0), (6, 3), (7, 0)] {
            blocks.set(BlockId::of(container, index), 10 * container + index);
        }
        blocks.set(BlockId::of(7, 1), 5);
        assert_eq!(blocks.of_container(7).collect::<Vec<_>>(), [BlockId::of(7, 0), BlockId::of(7, 1)]);
        assert_eq!((blocks.length(BlockId::of(7, 1)), blocks.count()), (Some(5), 4));
        assert!(blocks.remove(BlockId::of(7, 0)) && !blocks.remove(BlockId::of(7, 0)));
        assert_eq!(blocks.of_container(7).collect::<Vec<_>>(), [BlockId::of(7, 1)]);
        assert_eq!(blocks.of_container(5).next(), None);
    }
}
