//! Pure. What is counted of changes when the primary decides them: each entry in one place, whoever asked for it.

use super::event::Core;
use super::ops::{Answer, Decision};
use crate::journal::entry::Entry;
use crate::types::{BlockId, PersistenceState};

/// Counts a decision that is about to be applied.
pub(super) fn decided(core: &Core, decision: &Decision) {
    decision.entries.iter().for_each(|one| entry(core, one));
    if let Answer::Freed(blocks) = &decision.answer {
        core.counters.files_freed.inc_by(files(blocks));
    }
}

/// Counts an entry that is about to be applied.
pub(super) fn entry(core: &Core, entry: &Entry) {
    let counters = &core.counters;
    match entry {
        Entry::InodeDirectory(_) => counters.directories_created.inc(),
        Entry::InodeFile(_) => counters.files_created.inc(),
        Entry::NewBlock { .. } => counters.new_blocks_got.inc(),
        Entry::UpdateInodeFile(update) if update.completed == Some(true) => counters.files_completed.inc(),
        Entry::UpdateInode(update) if update.persistence == Some(PersistenceState::Persisted) => {
            match core.state.inodes().get(update.id) {
                Some(inode) if !inode.is_directory() => counters.files_persisted.inc(),
                _ => 0,
            }
        }
        Entry::Rename(_) => counters.paths_renamed.inc(),
        Entry::DeleteFile(_) => counters.paths_deleted.inc(),
        // Those of a tree are counted when they are freed, its top with them.
        Entry::CollectTree { ids } => counters.paths_deleted.inc_by(ids.len() as u64),
        Entry::AddMountPoint(_) => counters.paths_mounted.inc(),
        Entry::DeleteMountPoint { .. } => counters.paths_unmounted.inc(),
        _ => 0,
    };
}

/// How many files these blocks belong to; those of one stand together.
fn files(blocks: &[BlockId]) -> u64 {
    let first_of_file = |(at, block): &(usize, &BlockId)| *at == 0 || blocks[at - 1].file() != block.file();
    blocks.iter().enumerate().filter(first_of_file).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::InodeId;

    #[test]
    fn each_file_that_is_freed_counts_once() {
        let core = Core::default();
        let block = |container: i64, sequence: i64| BlockId(container << 24 | sequence);
        let blocks = vec![block(1, 0), block(1, 1), block(2, 0), block(5, 0)];
        decided(&core, &Decision { entries: Vec::new(), answer: Answer::Freed(blocks) });
        assert_eq!(core.counters.files_freed.get(), 3);
        decided(&core, &Decision { entries: Vec::new(), answer: Answer::Freed(Vec::new()) });
        assert_eq!(core.counters.files_freed.get(), 3);
    }

    #[test]
    fn the_inodes_of_a_tree_count_when_they_are_freed() {
        let core = Core::default();
        let ids = (1..=3).map(InodeId).collect();
        entry(&core, &Entry::CollectTree { ids });
        entry(&core, &Entry::NewBlock { id: InodeId(9) });
        let told = (core.counters.paths_deleted.get(), core.counters.new_blocks_got.get());
        assert_eq!(told, (3, 1));
    }
}
