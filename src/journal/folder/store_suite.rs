//! What every journal store promises, as one suite of behaviours. Each backend runs all of it: memory and local in
//! the unit tests, HDFS in `tests/hdfs_store.rs`, which includes this file.

use crate::journal::folder::{
    CheckpointId, Format, JournalFile, JournalStore, Length, Listing, Recovery, SegmentId, SegmentWriter, StoreError,
    Usage, Written,
};
use crate::types::SequenceNumber;
use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;

/// A fresh folder that several clients may open, as several masters would.
#[async_trait]
pub trait Place: Send + Sync {
    /// Another client of the same folder.
    async fn open(&self) -> Box<dyn JournalStore>;

    /// Whether `recover` cuts off a writer that is still alive. A local folder has its lock for that.
    fn fences(&self) -> bool;

    /// Leaves a file in the folder, as one who died would. False: no such files are modelled.
    async fn leave(&self, name: &str, content: Bytes) -> bool;
}

/// Makes a test of each behaviour; `$place` is a future of a fresh [`Place`]. The caller has `store_suite` in scope,
/// and may give an attribute for all of the tests: `#[ignore = "..."]`.
macro_rules! every_behaviour {
    ($place:expr) => {
        store_suite::every_behaviour!($place, #[cfg(test)]);
    };
    ($place:expr, # $attribute:tt) => {
        store_suite::every_behaviour! { $place, $attribute;
            a_fresh_place_has_no_format_and_nothing_in_it,
            format_is_replaced_in_one_step,
            what_is_appended_is_read_back_while_the_segment_is_open,
            a_reader_follows_a_busy_writer,
            a_segment_has_one_writer_for_ever,
            of_two_that_create_at_once_one_wins,
            create_never_makes_the_journal_folder,
            a_probe_leaves_nothing,
            a_closed_segment_keeps_what_it_had,
            an_empty_segment_can_be_closed,
            recovery_keeps_what_was_acknowledged_and_ends_the_writer,
            a_segment_ends_with_its_first_error,
            a_deleted_segment_is_gone,
            segments_are_listed_in_the_order_of_the_history,
            a_listing_follows_what_others_do_in_earlier_epochs,
            a_checkpoint_is_written_once,
            what_was_left_unfinished_goes,
            what_the_folder_takes_is_told,
            a_checkpoint_may_be_large,
            what_is_set_aside_is_listed_no_more,
            what_is_not_there_is_not_found,
            bytes_that_are_not_there_cannot_be_read,
        }
    };
    ($place:expr, $attribute:tt; $($name:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #$attribute
            async fn $name() {
                let limit = std::time::Duration::from_secs(90);
                let place = $place.await;
                let run = store_suite::$name(&place);
                tokio::time::timeout(limit, run).await.expect("the behaviour ends within its limit");
            }
        )*
    };
}
pub(crate) use every_behaviour;

/// Opens a client of a folder that is formatted.
pub async fn formatted(place: &dyn Place) -> Box<dyn JournalStore> {
    let store = place.open().await;
    store.write_format(&format("cluster")).await.unwrap();
    store
}

/// A format of this cluster.
pub fn format(cluster_id: &str) -> Format {
    Format { layout: 1, feature_level: 1, cluster_id: cluster_id.into() }
}

/// A segment of an epoch.
pub fn segment(epoch: u64, index: u32) -> SegmentId {
    SegmentId { epoch, index }
}

fn checkpoint(sequence: u64) -> CheckpointId {
    CheckpointId { sequence: SequenceNumber(sequence), hash: sequence * 3 }
}

/// Bytes that differ from place to place.
pub fn pattern(from: usize, bytes: usize) -> Bytes {
    (from..from + bytes).map(|i| (i * 31 + i / 251) as u8).collect::<Vec<u8>>().into()
}

/// What can be read, of an open or closed segment.
pub async fn bytes_of(store: &dyn JournalStore, segment: SegmentId) -> u64 {
    match store.length(segment).await.unwrap() {
        Length::Open(bytes) | Length::Closed(bytes) => bytes,
        Length::Unknown => panic!("the length of {segment} is not known"),
    }
}

/// Asks for recovery until the writers are cut off; the test's own limit ends a vain wait.
pub async fn recovered(store: &dyn JournalStore, segment: SegmentId) {
    while store.recover(segment).await.unwrap() == Recovery::InProgress {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn filled(store: &dyn JournalStore, segment: SegmentId, bytes: usize) -> Box<dyn SegmentWriter> {
    let mut writer = store.create(segment).await.unwrap();
    writer.append(pattern(0, bytes)).await.unwrap();
    writer
}

pub async fn a_fresh_place_has_no_format_and_nothing_in_it(place: &dyn Place) {
    let store = place.open().await;
    assert_eq!(store.read_format().await.unwrap(), None);
    assert_eq!(store.list().await.unwrap(), Listing::default());
}

pub async fn format_is_replaced_in_one_step(place: &dyn Place) {
    let (ours, theirs) = (place.open().await, place.open().await);
    ours.write_format(&format("first")).await.unwrap();
    assert_eq!(theirs.read_format().await.unwrap(), Some(format("first")));
    theirs.write_format(&format("second")).await.unwrap();
    assert_eq!(ours.read_format().await.unwrap(), Some(format("second")));
    assert_eq!(ours.list().await.unwrap(), Listing::default());
}

pub async fn what_is_appended_is_read_back_while_the_segment_is_open(place: &dyn Place) {
    let (ours, theirs) = (formatted(place).await, place.open().await);
    let name = segment(1, 0);
    let mut writer = ours.create(name).await.unwrap();
    // Sizes around a checksum's chunk (512) and a packet (64 KiB), so that chunks are left unfinished in every way.
    let sizes = [1, 100, 411, 511, 512, 513, 1, 400, 400, 400, 65_535, 65_536, 65_537, 3, 200_000, 2];
    let mut total = 0;
    for size in sizes {
        let room = writer.room_bytes();
        writer.append(pattern(total, size)).await.unwrap();
        assert_eq!(writer.room_bytes(), room - size as u64);
        assert_eq!(bytes_of(theirs.as_ref(), name).await, (total + size) as u64, "after {size} bytes at {total}");
        assert_eq!(theirs.read(name, total as u64, size as u64).await.unwrap(), pattern(total, size));
        total += size;
        let from = total / 3;
        assert_eq!(theirs.read(name, from as u64, (total - from) as u64).await.unwrap(), pattern(from, total - from));
    }
    assert_eq!(ours.read(name, 0, total as u64).await.unwrap(), pattern(0, total));
    assert!(theirs.read(name, 7, 0).await.unwrap().is_empty());
}

pub async fn a_reader_follows_a_busy_writer(place: &dyn Place) {
    let (ours, theirs) = (formatted(place).await, place.open().await);
    let name = segment(1, 0);
    let mut writer = ours.create(name).await.unwrap();
    let sizes: Vec<usize> = (0..400).map(|i| 1 + i * 37 % 900).collect();
    let total: usize = sizes.iter().sum();
    let write = async {
        let mut written = 0;
        for size in &sizes {
            writer.append(pattern(written, *size)).await.unwrap();
            written += size;
        }
    };
    // The last chunk is written again and again under the reader.
    let follow = async {
        let mut seen = 0;
        while seen < total {
            let shown = bytes_of(theirs.as_ref(), name).await as usize;
            assert!(shown >= seen, "{shown} bytes after {seen}");
            let read = theirs.read(name, seen as u64, (shown - seen) as u64).await.unwrap();
            assert_eq!(read, pattern(seen, shown - seen), "from {seen}");
            seen = shown;
        }
    };
    tokio::join!(write, follow);
}

pub async fn a_segment_has_one_writer_for_ever(place: &dyn Place) {
    let (ours, theirs) = (formatted(place).await, place.open().await);
    let name = segment(3, 0);
    let mut writer = filled(ours.as_ref(), name, 10).await;
    for store in [&ours, &theirs] {
        assert!(matches!(store.create(name).await.err(), Some(StoreError::Exists { .. })), "open");
    }
    writer.append(pattern(10, 5)).await.unwrap();
    writer.close().await.unwrap();
    for store in [&ours, &theirs] {
        assert!(matches!(store.create(name).await.err(), Some(StoreError::Exists { .. })), "closed");
    }
    assert_eq!(theirs.read(name, 0, 15).await.unwrap(), pattern(0, 15));
    theirs.create(segment(3, 1)).await.unwrap();
}

pub async fn of_two_that_create_at_once_one_wins(place: &dyn Place) {
    let (ours, theirs) = (formatted(place).await, place.open().await);
    for epoch in 1..6 {
        let name = segment(epoch, 0);
        let (a, b) = tokio::join!(ours.create(name), theirs.create(name));
        let won = [&a, &b].iter().filter(|r| r.is_ok()).count();
        let exists = [&a, &b].iter().filter(|r| matches!(r, Err(StoreError::Exists { .. }))).count();
        assert_eq!((won, exists), (1, 1), "epoch {epoch}: {:?} {:?}", a.err(), b.err());
    }
}

pub async fn create_never_makes_the_journal_folder(place: &dyn Place) {
    let store = place.open().await;
    assert!(matches!(store.create(segment(1, 0)).await.err(), Some(StoreError::NotFound { .. })));
    assert_eq!(store.read_format().await.unwrap(), None);
    assert_eq!(store.list().await.unwrap(), Listing::default());
}

pub async fn a_closed_segment_keeps_what_it_had(place: &dyn Place) {
    let (ours, theirs) = (formatted(place).await, place.open().await);
    let name = segment(1, 0);
    let mut writer = filled(ours.as_ref(), name, 1000).await;
    assert_eq!(bytes_of(theirs.as_ref(), name).await, 1000);
    writer.close().await.unwrap();
    assert!(writer.append(pattern(0, 1)).await.is_err(), "nothing follows the end");
    recovered(theirs.as_ref(), name).await;
    for store in [&ours, &theirs] {
        assert_eq!(bytes_of(store.as_ref(), name).await, 1000);
        assert_eq!(store.read(name, 1, 999).await.unwrap(), pattern(1, 999));
    }
}

pub async fn an_empty_segment_can_be_closed(place: &dyn Place) {
    let store = formatted(place).await;
    store.create(segment(1, 0)).await.unwrap().close().await.unwrap();
    assert_eq!(bytes_of(store.as_ref(), segment(1, 0)).await, 0);
    assert_eq!(store.list().await.unwrap().segments, [segment(1, 0)]);
}

pub async fn recovery_keeps_what_was_acknowledged_and_ends_the_writer(place: &dyn Place) {
    let (ours, theirs) = (formatted(place).await, place.open().await);
    let name = segment(1, 0);
    let mut writer = filled(ours.as_ref(), name, 1300).await;
    recovered(theirs.as_ref(), name).await;
    assert_eq!(bytes_of(theirs.as_ref(), name).await, 1300);
    if place.fences() {
        assert_eq!(theirs.length(name).await.unwrap(), Length::Closed(1300));
        let failure = writer.append(pattern(1300, 100)).await.unwrap_err();
        assert!(matches!(failure, StoreError::Unavailable { .. }), "{failure}");
        assert!(writer.append(pattern(1300, 100)).await.is_err(), "broken is broken for ever");
        assert!(writer.close().await.is_err());
        assert_eq!(theirs.length(name).await.unwrap(), Length::Closed(1300));
    }
    assert_eq!(theirs.read(name, 0, 1300).await.unwrap(), pattern(0, 1300));
    assert_eq!(theirs.recover(name).await.unwrap(), Recovery::Done);
}

pub async fn a_segment_ends_with_its_first_error(place: &dyn Place) {
    let store = formatted(place).await;
    let name = segment(1, 0);
    let mut writer = filled(store.as_ref(), name, 10).await;
    let too_much = Bytes::from(vec![0; writer.room_bytes() as usize + 1]);
    assert!(matches!(writer.append(too_much).await, Err(StoreError::Full { .. })));
    assert!(writer.append(pattern(10, 1)).await.is_err());
    recovered(store.as_ref(), name).await;
    assert_eq!(bytes_of(store.as_ref(), name).await, 10);
}

pub async fn a_deleted_segment_is_gone(place: &dyn Place) {
    let (ours, theirs) = (formatted(place).await, place.open().await);
    let (kept, closed, open) = (segment(1, 0), segment(1, 1), segment(2, 0));
    let _kept = filled(ours.as_ref(), kept, 10).await;
    filled(ours.as_ref(), closed, 10).await.close().await.unwrap();
    let _open = filled(ours.as_ref(), open, 10).await;
    assert_eq!(bytes_of(theirs.as_ref(), open).await, 10);
    for name in [closed, open, open, segment(9, 9)] {
        theirs.delete_segment(name).await.unwrap();
    }
    assert_eq!(theirs.list().await.unwrap().segments, [kept]);
    for name in [closed, open] {
        assert!(matches!(theirs.length(name).await, Err(StoreError::NotFound { .. })));
    }
    assert_eq!(bytes_of(theirs.as_ref(), kept).await, 10);
    // The folder of an epoch goes with its last segment, and comes again with the next one.
    ours.create(open).await.unwrap();
}

pub async fn segments_are_listed_in_the_order_of_the_history(place: &dyn Place) {
    let store = formatted(place).await;
    let names = [segment(2, 0), segment(2, 1), segment(2, 10), segment(10, 0), segment(11, 2)];
    for name in names.iter().rev() {
        store.create(*name).await.unwrap().close().await.unwrap();
    }
    assert_eq!(place.open().await.list().await.unwrap().segments, names);
}

pub async fn a_probe_leaves_nothing(place: &dyn Place) {
    let store = place.open().await;
    assert!(matches!(store.probe("ours").await, Err(StoreError::NotFound { .. })));
    let store = formatted(place).await;
    store.probe("ours").await.unwrap();
    store.probe("ours").await.unwrap();
    assert_eq!(store.list().await.unwrap(), Listing::default());
    store.create(segment(1, 0)).await.unwrap().close().await.unwrap();
    store.probe("theirs").await.unwrap();
    assert_eq!(store.list().await.unwrap().segments, [segment(1, 0)]);
}

pub async fn a_listing_follows_what_others_do_in_earlier_epochs(place: &dyn Place) {
    let (ours, theirs) = (formatted(place).await, place.open().await);
    let mut names = vec![segment(1, 0), segment(1, 1), segment(2, 0), segment(3, 0)];
    for name in &names {
        filled(ours.as_ref(), *name, 10).await.close().await.unwrap();
    }
    for _ in 0..2 {
        assert_eq!(ours.list().await.unwrap().segments, names);
    }
    theirs.delete_segment(segment(1, 0)).await.unwrap();
    names.remove(0);
    assert_eq!(ours.list().await.unwrap().segments, names);
    filled(theirs.as_ref(), segment(2, 7), 10).await.close().await.unwrap();
    names.insert(2, segment(2, 7));
    assert_eq!(ours.list().await.unwrap().segments, names);
    theirs.delete_segment(segment(1, 1)).await.unwrap();
    assert_eq!(ours.list().await.unwrap().segments, names[1..]);
}

pub async fn a_checkpoint_is_written_once(place: &dyn Place) {
    let (ours, theirs) = (formatted(place).await, place.open().await);
    let (old, new) = (checkpoint(9), checkpoint(10));
    let content = || vec![pattern(0, 700), Bytes::new(), pattern(700, 1)];
    assert_eq!(ours.write_checkpoint(new, "ours", content()).await.unwrap(), Written::New);
    assert_eq!(theirs.write_checkpoint(new, "theirs", vec![pattern(5, 5)]).await.unwrap(), Written::Existed);
    assert_eq!(theirs.write_checkpoint(old, "theirs", vec![]).await.unwrap(), Written::New);
    assert_eq!(theirs.list().await.unwrap().checkpoints, [old, new]);
    assert_eq!(theirs.read_checkpoint(new).await.unwrap(), pattern(0, 701));
    assert_eq!(theirs.read_checkpoint(old).await.unwrap(), Bytes::new());
    assert_eq!(theirs.read_checkpoint_start(new, 650).await.unwrap(), pattern(0, 650));
    assert_eq!(theirs.read_checkpoint_start(new, 5000).await.unwrap(), pattern(0, 701));
    ours.delete_checkpoint(old).await.unwrap();
    ours.delete_checkpoint(old).await.unwrap();
    assert!(matches!(theirs.read_checkpoint(old).await, Err(StoreError::NotFound { .. })));
    assert_eq!(theirs.list().await.unwrap().checkpoints, [new]);
}

pub async fn what_was_left_unfinished_goes(place: &dyn Place) {
    let store = formatted(place).await;
    store.write_checkpoint(checkpoint(9), "me", vec![pattern(0, 100)]).await.unwrap();
    for (sequence, bytes) in [(8, 10), (9, 20)] {
        place.leave(&format!("{}.dead.tmp", checkpoint(sequence)), pattern(0, bytes)).await;
    }
    let newer = place.leave(&format!("{}.busy.tmp", checkpoint(10)), pattern(0, 40)).await;
    let foreign = place.leave("checkpoints/foreign.tmp", pattern(0, 80)).await;
    store.delete_unfinished(SequenceNumber(9)).await.unwrap();
    let kept = 100 + if newer { 40 } else { 0 } + if foreign { 80 } else { 0 };
    assert_eq!(store.usage().await.unwrap().bytes, kept);
    assert_eq!(store.list().await.unwrap().checkpoints, [checkpoint(9)]);
}

pub async fn what_the_folder_takes_is_told(place: &dyn Place) {
    let store = formatted(place).await;
    let usage = || async { place.open().await.usage().await.unwrap() };
    let Usage { bytes, checkpoint_at, .. } = usage().await;
    assert_eq!((bytes, checkpoint_at), (0, None));
    filled(store.as_ref(), SegmentId { epoch: 3, index: 0 }, 1000).await.close().await.unwrap();
    filled(store.as_ref(), SegmentId { epoch: 4, index: 0 }, 100).await.close().await.unwrap();
    assert_eq!(usage().await.bytes, 1100);
    store.write_checkpoint(checkpoint(1), "me", vec![pattern(0, 50)]).await.unwrap();
    store.write_checkpoint(checkpoint(2), "me", vec![pattern(0, 7)]).await.unwrap();
    assert_eq!(usage().await.bytes, 1157);
    store.delete_checkpoint(checkpoint(1)).await.unwrap();
    store.delete_segment(SegmentId { epoch: 3, index: 0 }).await.unwrap();
    assert_eq!(usage().await.bytes, 107);
}

pub async fn a_checkpoint_may_be_large(place: &dyn Place) {
    let store = formatted(place).await;
    let bytes = (5 << 20) + 333;
    let parts = vec![pattern(0, 3 << 20), pattern(3 << 20, bytes - (3 << 20))];
    assert_eq!(store.write_checkpoint(checkpoint(1), "ours", parts).await.unwrap(), Written::New);
    assert!(place.open().await.read_checkpoint(checkpoint(1)).await.unwrap() == pattern(0, bytes));
}

pub async fn what_is_set_aside_is_listed_no_more(place: &dyn Place) {
    let store = formatted(place).await;
    let (segment, other) = (SegmentId { epoch: 3, index: 0 }, SegmentId { epoch: 3, index: 1 });
    for name in [segment, other] {
        filled(store.as_ref(), name, 10).await.close().await.unwrap();
    }
    let id = CheckpointId { sequence: SequenceNumber(5), hash: 6 };
    store.write_checkpoint(id, "me", vec![Bytes::from_static(b"state")]).await.unwrap();
    for file in [JournalFile::Segment(segment), JournalFile::Checkpoint(id)] {
        store.set_aside(file, "damaged-1").await.unwrap();
        let again = store.set_aside(file, "damaged-1").await;
        assert!(matches!(again, Err(StoreError::NotFound { .. })), "{again:?}");
    }
    assert_eq!(store.list().await.unwrap(), Listing { segments: vec![other], checkpoints: vec![] });
    assert_eq!(bytes_of(place.open().await.as_ref(), other).await, 10);
    // The names are free again; what is aside is not replaced.
    store.write_checkpoint(id, "me", vec![Bytes::from_static(b"other")]).await.unwrap();
    let replacing = store.set_aside(JournalFile::Checkpoint(id), "damaged-1").await;
    assert!(matches!(replacing, Err(StoreError::Exists { .. })), "{replacing:?}");
    assert_eq!(store.read_checkpoint(id).await.unwrap(), Bytes::from_static(b"other"));
    store.set_aside(JournalFile::Checkpoint(id), "damaged-2").await.unwrap();
    store.set_aside(JournalFile::Segment(other), "damaged-2").await.unwrap();
    assert_eq!(store.list().await.unwrap(), Listing::default());
    filled(store.as_ref(), segment, 1).await;
}

pub async fn what_is_not_there_is_not_found(place: &dyn Place) {
    let store = formatted(place).await;
    let name = segment(1, 0);
    assert!(matches!(store.length(name).await, Err(StoreError::NotFound { .. })));
    assert!(matches!(store.read(name, 0, 1).await, Err(StoreError::NotFound { .. })));
    assert!(matches!(store.recover(name).await, Err(StoreError::NotFound { .. })));
    let failure = store.read_checkpoint(checkpoint(1)).await.unwrap_err().to_string();
    assert!(failure.contains(&checkpoint(1).to_string()), "{failure}");
}

pub async fn bytes_that_are_not_there_cannot_be_read(place: &dyn Place) {
    let store = formatted(place).await;
    let mut writer = filled(store.as_ref(), segment(1, 0), 600).await;
    assert!(store.read(segment(1, 0), 0, 601).await.is_err());
    assert!(store.read(segment(1, 0), 599, 1).await.is_ok());
    writer.close().await.unwrap();
    assert!(store.read(segment(1, 0), 600, 1).await.is_err());
}
