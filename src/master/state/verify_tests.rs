//! States that no entries lead to, with sound checksums.

use super::super::tests::grown;
use crate::master::state::MasterState;
use crate::types::InodeId;
use std::sync::Arc;

fn refused(change: impl Fn(&mut MasterState)) -> String {
    let mut state = grown();
    state.verify().unwrap();
    change(&mut state);
    state.verify().unwrap_err().to_string()
}

/// Changes the record of an inode behind the back of the tree.
fn with_record(state: &mut MasterState, id: i64, change: impl Fn(&mut [u8])) {
    let inode = state.inodes.get(InodeId(id)).unwrap();
    change(state.inodes.records.get_mut(inode.slot));
}

#[test]
fn each_part_is_compared_with_the_others() {
    assert_eq!(refused(|s| s.ids.next_container = 0), "inodes by id: inode 0 has an id that was not given out");
    let removed = refused(|s| {
        let inode = s.inodes.get(InodeId(2)).unwrap();
        s.inodes.remove_edge(&inode);
    });
    assert_eq!(removed, "inodes by id: 3 edges, directories have 4 children");
    let owner = refused(|s| with_record(s, 1, |record| record[64] = 9));
    assert_eq!(owner, "inodes by id: inode 1 has an unknown owner or group");
    let id = refused(|s| with_record(s, 1, |record| record[0] = 7));
    assert_eq!(id, "inodes by id: the record of inode 1 is that of 7");
    let name = refused(|s| with_record(s, 1, |record| record[76] = 200));
    assert_eq!(name, "inodes by id: inode 1 has no name");
    let parent = refused(|s| with_record(s, 2, |record| record[8] = 0));
    assert_eq!(parent, "edges: an edge of directory 1 does not fit inode 2");
    let replication = refused(|s| with_record(s, 1, |record| record[74] |= 1 << 6));
    assert_eq!(replication, "inodes by id: inode 1 lacks its replication");
    let action = refused(|s| with_record(s, 1, |record| record[75] |= 3 << 2));
    assert_eq!(action, "inodes by id: inode 1 has no record");
    let moved = refused(|s| {
        with_record(s, 0, |record| record[16] += 1);
        with_record(s, 1, |record| record[16] -= 1);
    });
    assert_eq!(moved, "edges: directory 0 has more children than edges");
    let unlinked = refused(|s| {
        Arc::make_mut(&mut s.unlinked).insert(InodeId(99));
    });
    assert!(unlinked.starts_with("edges: "), "{unlinked}");
    let answer = [1; super::super::retries::ANSWER_BYTES];
    let insert = |s: &mut MasterState, entry: &[u8; super::super::retries::ANSWER_BYTES]| {
        s.retries.answers.insert(entry, |_| std::cmp::Ordering::Less)
    };
    let operation = refused(|s| assert!(insert(s, &answer)));
    assert_eq!(operation, "first answers: an operation has no known number");
    let known = |ordinal: u64| {
        let mut answer = answer;
        answer[..8].copy_from_slice(&ordinal.to_le_bytes());
        answer[48..].copy_from_slice(&1u32.to_le_bytes());
        answer
    };
    let ordinal = refused(|s| assert!(insert(s, &known(3))));
    assert_eq!(ordinal, "first answers: there is answer 3, and the next one is 0");
    let twice = refused(|s| {
        s.retries.next_ordinal = 2;
        assert!(insert(s, &known(0)) && insert(s, &known(1)));
    });
    assert_eq!(twice, "first answers: two answers have the same operation id");
}
