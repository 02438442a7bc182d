//! The catalog by literal steps.

use std::collections::BTreeSet;

use super::{Catalog, Change, Room, Taken};
use crate::types::BlockId;
use crate::worker::store::plan::{Fill, Placement};

/// Block `index` of file `file`.
fn id(file: i64, index: i64) -> BlockId {
    BlockId::of(file, index)
}

fn catalog(capacity: u64) -> Catalog {
    Catalog::new(vec![Fill { tier: 0, capacity, used: 0 }])
}

fn given(evict: &[BlockId]) -> Result<Room, Taken> {
    Ok(Room::Given(Placement { directory: 0, evict: evict.to_vec() }))
}

/// A catalog of 30 bytes with the blocks 0 of the files 1 to 3, 10 bytes each, all of them in the UFS.
fn full() -> Catalog {
    let mut catalog = catalog(30);
    for file in 1..=3 {
        assert_eq!(catalog.begin(id(file, 0), 10), given(&[]));
        catalog.commit(id(file, 0), 10);
        catalog.is_expendable(file);
    }
    catalog
}

#[test]
fn the_least_recently_used_block_is_evicted() {
    let mut catalog = full();
    assert_eq!(catalog.lock(id(1, 0)), Some((0, 10)));
    assert_eq!(catalog.unlock(id(1, 0)), None);
    assert_eq!(catalog.begin(id(4, 0), 10), given(&[id(2, 0)]));
    catalog.deleted(id(2, 0));
    assert_eq!(catalog.fills()[0].used, 30);
    assert_eq!(catalog.lock(id(2, 0)), None);
}

#[test]
fn a_block_in_use_or_pinned_is_not_evicted() {
    let mut catalog = full();
    assert_eq!(catalog.lock(id(1, 0)), Some((0, 10)));
    let list = catalog.list_asked();
    catalog.listed(list, BTreeSet::from([2]));
    catalog.pin_early(3);
    assert_eq!(catalog.begin(id(4, 0), 10), Ok(Room::None));
    // The pin of the writer holds until a list that was asked for after it.
    catalog.listed(list, BTreeSet::new());
    assert_eq!(catalog.begin(id(4, 0), 20), Ok(Room::None));
    let list = catalog.list_asked();
    catalog.listed(list, BTreeSet::new());
    assert_eq!(catalog.begin(id(4, 0), 20), given(&[id(2, 0), id(3, 0)]));
}

#[test]
fn what_is_only_in_alluxio_is_not_evicted() {
    let mut catalog = catalog(20);
    for file in 1..=2 {
        assert_eq!(catalog.begin(id(file, 0), 10), given(&[]));
        catalog.commit(id(file, 0), 10);
    }
    assert_eq!(catalog.begin(id(3, 0), 10), Ok(Room::Ask(vec![1])));
    catalog.is_needed(1);
    assert_eq!(catalog.begin(id(3, 0), 10), Ok(Room::Ask(vec![2])));
    catalog.is_needed(2);
    assert_eq!(catalog.begin(id(3, 0), 10), Ok(Room::None));
    // With the next list it is asked again.
    let list = catalog.list_asked();
    catalog.listed(list, BTreeSet::new());
    assert_eq!(catalog.begin(id(3, 0), 10), Ok(Room::Ask(vec![1])));
    catalog.is_expendable(1);
    assert_eq!(catalog.begin(id(3, 0), 10), given(&[id(1, 0)]));
}

#[test]
fn a_block_that_is_removed_while_it_is_read_goes_with_its_last_reader() {
    let mut catalog = full();
    assert_eq!(catalog.lock(id(1, 0)), Some((0, 10)));
    assert_eq!(catalog.lock(id(1, 0)), Some((0, 10)));
    assert_eq!(catalog.remove(id(1, 0)), Some(None));
    assert_eq!(catalog.lock(id(1, 0)), None);
    assert_eq!(catalog.remove(id(1, 0)), None);
    assert_eq!(catalog.begin(id(1, 0), 10), Err(Taken::Block));
    assert_eq!(catalog.unlock(id(1, 0)), None);
    assert_eq!(catalog.unlock(id(1, 0)), Some(0));
    assert_eq!(catalog.fills()[0].used, 30);
    catalog.deleted(id(1, 0));
    assert_eq!(catalog.fills()[0].used, 20);
    assert_eq!(catalog.begin(id(1, 0), 10), given(&[]));
}

#[test]
fn promised_room_is_given_back_or_becomes_the_length() {
    let mut catalog = catalog(100);
    assert_eq!(catalog.begin(id(1, 0), 40), given(&[]));
    assert_eq!(catalog.begin(id(1, 0), 40), Err(Taken::Writing));
    assert_eq!(catalog.grow(id(1, 0), 61), Room::None);
    assert_eq!(Ok(catalog.grow(id(1, 0), 60)), given(&[]));
    catalog.commit(id(1, 0), 7);
    assert_eq!(catalog.fills()[0].used, 7);
    assert_eq!(catalog.begin(id(1, 1), 40), given(&[]));
    catalog.abort(id(1, 1));
    assert_eq!(catalog.fills()[0].used, 7);
}

#[test]
fn masters_hear_of_each_change_once() {
    let mut catalog = full();
    let (blocks, next) = catalog.report();
    assert_eq!(blocks, [(id(1, 0), 0), (id(2, 0), 0), (id(3, 0), 0)]);
    assert_eq!(catalog.remove(id(2, 0)), Some(Some(0)));
    catalog.deleted(id(2, 0));
    assert_eq!(catalog.begin(id(4, 0), 5), given(&[]));
    catalog.commit(id(4, 0), 5);
    let changes = vec![Change::Removed(id(2, 0)), Change::Added(id(4, 0), 0)];
    assert_eq!(catalog.changes(next, 10), Some((changes.clone(), next + 2)));
    assert_eq!(catalog.changes(next, 1), Some((changes[..1].to_vec(), next + 1)));
    assert_eq!(catalog.changes(next + 2, 10), Some((Vec::new(), next + 2)));
}

#[test]
fn who_has_missed_too_many_changes_is_told() {
    let mut catalog = catalog(10);
    let (_, next) = catalog.report();
    for index in 0..=super::CHANGES_MAX as i64 / 2 {
        assert_eq!(catalog.begin(id(1, index), 1), given(&[]));
        catalog.commit(id(1, index), 1);
        assert_eq!(catalog.remove(id(1, index)), Some(Some(0)));
        catalog.deleted(id(1, index));
    }
    assert_eq!(catalog.changes(next, 10), None);
}

#[test]
fn blocks_that_lie_there_are_taken_up_once() {
    let mut catalog =
        Catalog::new(vec![Fill { tier: 0, capacity: 10, used: 0 }, Fill { tier: 1, capacity: 10, used: 0 }]);
    assert!(catalog.found(id(1, 0), 0, 4));
    assert!(!catalog.found(id(1, 0), 1, 4));
    assert_eq!((catalog.fills()[0].used, catalog.fills()[1].used, catalog.len()), (4, 0, 1));
}
