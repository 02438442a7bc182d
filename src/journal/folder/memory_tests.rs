use super::*;
use crate::journal::folder::store_suite::{self, Place};
use crate::journal::folder::{JournalStore, MemoryStore};
use async_trait::async_trait;
use parking_lot::Mutex;
use std::sync::Arc;

struct Memory(Arc<Mutex<MemoryFolder>>);

#[async_trait]
impl Place for Memory {
    async fn open(&self) -> Box<dyn JournalStore> {
        Box::new(MemoryStore::new(self.0.clone()))
    }

    fn fences(&self) -> bool {
        true
    }

    async fn leave(&self, _name: &str, _content: Bytes) -> bool {
        false
    }
}

store_suite::every_behaviour!(async { Memory(Arc::new(Mutex::new(MemoryFolder::new(3)))) });

fn folder() -> (MemoryFolder, SegmentId, FileId) {
    let mut folder = MemoryFolder::new(2);
    folder.write_format(&Format { layout: 1, feature_level: 1, cluster_id: "c".into() }).unwrap();
    let segment = SegmentId { epoch: 1, index: 0 };
    let file = folder.create(segment).unwrap();
    (folder, segment, file)
}

#[test]
fn an_append_is_acknowledged_when_every_replica_has_it() {
    let (mut folder, segment, file) = folder();
    let append = folder.begin_append(file, b"abc");
    assert!(folder.land(append, 1));
    assert!(!folder.acknowledged(append));
    assert_eq!(folder.visible(segment, 0).unwrap(), Length::Open(0));
    assert_eq!(folder.visible(segment, 1).unwrap(), Length::Open(3));
    assert!(folder.land(append, 0));
    assert!(folder.acknowledged(append));
}

#[test]
fn bytes_land_in_order_and_may_be_torn() {
    let (mut folder, segment, file) = folder();
    let first = folder.begin_append(file, b"abc");
    let second = folder.begin_append(file, b"def");
    assert!(!folder.land(second, 0), "the first has not landed there");
    assert!(folder.land_part(first, 0, 2));
    assert!(!folder.land(second, 0), "the first is torn there");
    assert_eq!(folder.read(segment, 0, 0, 2).unwrap(), "ab");
    assert!(folder.land(first, 0) && folder.land(second, 0));
    assert_eq!(folder.read(segment, 0, 1, 5).unwrap(), "bcdef");
    assert!(folder.land_part(second, 0, 1), "late and shorter: no effect");
    assert_eq!(folder.visible(segment, 0).unwrap(), Length::Open(6));
}

#[test]
fn recovery_ends_at_any_length_that_a_replica_has_and_cuts_the_writer_off() {
    let (mut folder, segment, file) = folder();
    let append = folder.begin_append(file, b"abcd");
    folder.land(append, 0);
    folder.land_part(append, 1, 1);
    assert_eq!(folder.recovery_range(segment).unwrap(), Some(1..=4));
    folder.recover_to(segment, 3).unwrap();
    assert_eq!(folder.visible(segment, 1).unwrap(), Length::Closed(3));
    assert_eq!(folder.read(segment, 1, 0, 3).unwrap(), "abc");
    assert!(!folder.land(append, 1) && !folder.acknowledged(append) && folder.writer_is_cut_off(file));
    assert!(folder.close(file).is_err());
    folder.recover_to(segment, 0).unwrap();
    assert_eq!(folder.visible(segment, 0).unwrap(), Length::Closed(3), "once closed, always closed");
}

#[test]
fn a_restarted_replica_hides_its_bytes_until_recovery() {
    let (mut folder, segment, file) = folder();
    let append = folder.begin_append(file, b"abc");
    folder.land(append, 0);
    folder.land(append, 1);
    folder.restart_replica(segment, 0);
    folder.restart_replica(segment, 1);
    assert_eq!(folder.visible(segment, 0).unwrap(), Length::Unknown);
    assert!(folder.read(segment, 0, 0, 1).is_err());
    let late = folder.begin_append(file, b"d");
    assert!(!folder.land(late, 0) && folder.acknowledged(append));
    folder.recover_to(segment, 3).unwrap();
    assert_eq!(folder.visible(segment, 0).unwrap(), Length::Closed(3));
}

#[test]
fn a_lost_replica_ends_the_acknowledgements_but_not_the_landing() {
    let (mut folder, segment, file) = folder();
    folder.lose_replica(segment, 0);
    let append = folder.begin_append(file, b"abc");
    assert!(folder.land(append, 1) && !folder.acknowledged(append));
    assert_eq!(folder.recovery_range(segment).unwrap(), Some(3..=3));
}

#[test]
fn a_writer_does_not_notice_that_its_file_was_deleted() {
    let (mut folder, segment, file) = folder();
    folder.delete_segment(segment).unwrap();
    let append = folder.begin_append(file, b"abc");
    folder.land(append, 0);
    folder.land(append, 1);
    assert!(folder.acknowledged(append));
    assert!(matches!(folder.visible(segment, 0), Err(StoreError::NotFound { .. })));
}

#[test]
fn an_outage_refuses_calls_without_effect() {
    let (mut folder, segment, _) = folder();
    folder.set_outage(true);
    let other = SegmentId { epoch: 2, index: 0 };
    assert!(matches!(folder.create(other), Err(StoreError::Unavailable { .. })));
    assert!(matches!(folder.visible(segment, 0), Err(StoreError::Unavailable { .. })));
    folder.set_outage(false);
    assert_eq!(folder.list().unwrap().segments, [segment]);
}

#[test]
fn a_deleted_folder_is_not_made_again_by_create() {
    let (mut folder, _, _) = folder();
    folder.delete_folder();
    assert!(matches!(folder.create(SegmentId { epoch: 2, index: 0 }), Err(StoreError::NotFound { .. })));
    assert_eq!(folder.read_format().unwrap(), None);
}
