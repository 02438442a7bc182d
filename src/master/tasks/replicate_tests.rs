//! Which copies are ordered of whom.

use super::*;
use crate::types::time::Millis;
use crate::types::{AlluxioPath, BlockId, BlockLocation, TtlAction, WorkerId};
use std::collections::BTreeMap;

fn address(name: &str) -> WorkerAddress {
    WorkerAddress { host: name.into(), ..WorkerAddress::default() }
}

fn worker(id: i64, name: &str, capacity: i64, used: i64) -> WorkerInfo {
    WorkerInfo {
        id: WorkerId(id),
        address: address(name),
        state: WorkerState::Live,
        last_contact_s: 0,
        start_time: Millis(0),
        capacity_bytes: BTreeMap::from([("MEM".into(), capacity)]),
        used_bytes: BTreeMap::from([("MEM".into(), used)]),
        lost_storage: BTreeMap::new(),
        build: (String::new(), String::new()),
        vcpus: 1,
        blocks: 0,
    }
}

/// A file with one block of ten bytes at these workers.
fn file(copies: usize, holders: &[(i64, &str)], persistence: PersistenceState) -> TooFewCopies {
    let locations = holders.iter().map(|(id, name)| BlockLocation {
        worker: WorkerId(*id),
        address: address(name),
        tier_alias: "MEM".into(),
        medium_type: "MEM".into(),
    });
    let status = FileStatus {
        blocks: vec![BlockStatus { id: BlockId::of(1, 0), length: 10, locations: locations.collect() }],
        persistence,
        ..status(InodeId::of_file(1))
    };
    TooFewCopies { status, copies }
}

/// A file of ten bytes without blocks.
pub(in crate::master::tasks) fn status(id: InodeId) -> FileStatus {
    FileStatus {
        id,
        path: AlluxioPath::parse("/f").unwrap(),
        ufs_path: "hdfs://h/f".into(),
        length: 10,
        block_size_bytes: 100,
        creation_time_ms: 1,
        modification_time_ms: 1,
        access_time_ms: 1,
        folder: false,
        completed: true,
        cacheable: true,
        pinned: true,
        mount_point: false,
        mount_id: 1,
        owner: String::new(),
        group: String::new(),
        mode: 0o644,
        persistence: PersistenceState::NotPersisted,
        ttl_ms: -1,
        ttl_action: TtlAction::Free,
        replication_min: 1,
        replication_max: -1,
        blocks: Vec::new(),
        in_alluxio_percentage: 100,
        in_memory_percentage: 100,
        extras: None,
    }
}

/// From whom to whom, with whether the UFS is named.
fn ordered(file: &TooFewCopies, workers: &[WorkerInfo]) -> Vec<Option<(String, String, bool)>> {
    let shown = |order: Order| (order.source.host, order.target.host, order.ufs.path.is_some());
    orders(file, workers).into_iter().map(|order| order.map(shown)).collect()
}

#[test]
fn a_copy_goes_to_who_has_most_room_and_none_yet() {
    let workers = [worker(1, "a", 100, 0), worker(2, "b", 100, 90), worker(3, "c", 100, 10), worker(4, "d", 9, 0)];
    let alone = file(3, &[(1, "a")], PersistenceState::NotPersisted);
    let of = |source: &str, target: &str, ufs| Some((source.to_owned(), target.to_owned(), ufs));
    assert_eq!(ordered(&alone, &workers), [of("a", "c", false), of("a", "b", false)]);
    assert_eq!(ordered(&alone, &workers[..1]), [None, None], "nobody else can hold one");
    let enough = file(1, &[(1, "a")], PersistenceState::NotPersisted);
    assert_eq!(ordered(&enough, &workers), []);
}

#[test]
fn what_no_worker_holds_comes_from_the_ufs_or_not_at_all() {
    let workers = [worker(1, "a", 100, 0)];
    let cold = file(1, &[], PersistenceState::Persisted);
    assert_eq!(ordered(&cold, &workers), [Some(("a".to_owned(), "a".to_owned(), true))]);
    assert_eq!(ordered(&file(1, &[], PersistenceState::NotPersisted), &workers), []);
}
