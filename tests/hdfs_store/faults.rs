//! Servers that die, stand still or come back, and what a writer and its readers see of it.

use crate::bed::{self, FLUSH_DEADLINE, Hurt};
use crate::journal::folder::hdfs::{Durability, HdfsSettings, HdfsStore, NameNode};
use crate::journal::folder::{JournalStore, Length, Recovery, SegmentId, SegmentWriter, StoreError};
use crate::store_suite::{bytes_of, formatted, pattern, recovered, segment};
use crate::types::time::boot_now;
use std::time::Duration;

/// For what a machine under load adds to a deadline: no budget, it only tells a deadline that works from HDFS's own, which
/// is a minute.
const SLACK: Duration = Duration::from_secs(30);
const LIMIT: Duration = Duration::from_secs(120);
/// After how long a recovery by a single DataNode counts as refused for good.
const CAUGHT: Duration = Duration::from_secs(20);

/// Appends until it fails; gives how many bytes were acknowledged.
async fn append_until_it_fails(writer: &mut Box<dyn SegmentWriter>, mut acknowledged: usize) -> (usize, StoreError) {
    loop {
        match writer.append(pattern(acknowledged, 400)).await {
            Ok(()) => acknowledged += 400,
            Err(failure) => return (acknowledged, failure),
        }
    }
}

/// A segment with 1,000 bytes whose block is on all DataNodes: the NameNode passes over one that was hurt just before.
async fn on_all_datanodes(store: &dyn JournalStore, settings: &HdfsSettings) -> (SegmentId, Box<dyn SegmentWriter>) {
    let namenode = NameNode::new(settings, "a test".into());
    let mut id = segment(1, 0);
    loop {
        let mut writer = store.create(id).await.unwrap();
        writer.append(pattern(0, 1000)).await.unwrap();
        let file = namenode.block_locations(&format!("{}/{id}", settings.path)).await.unwrap().unwrap();
        if file.last_block.unwrap().locs.len() == bed::datanodes() {
            return (id, writer);
        }
        writer.close().await.unwrap();
        id.index += 1;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Recovers a segment. A DataNode (2.7.7, 3.3.6) that a recovery interrupts within a write refuses all recoveries
/// until it is restarted ("Block length mismatch"). With several DataNodes the others carry it. Gives how many
/// acknowledged bytes may be gone: a lone DataNode that died may lose the last, unfinished chunk of what was flushed into
/// its memory only.
async fn recovered_at_last(theirs: &HdfsStore, id: SegmentId) -> usize {
    let mut lost = 0;
    if bed::datanodes() == 1 && tokio::time::timeout(CAUGHT, recovered(theirs, id)).await.is_err() {
        drop(Hurt::kill(1));
        lost = 511;
    }
    tokio::time::timeout(LIMIT, recovered(theirs, id)).await.unwrap();
    lost
}

/// After a DataNode was hurt: the flush fails in time, the next segment is written without that node, what was
/// acknowledged stays readable.
async fn the_journal_goes_on(hurt: impl FnOnce() -> Hurt) {
    let _servers = bed::alone().await;
    let place = bed::folder();
    let (ours, theirs) = (formatted(&place).await, bed::open(&place.folder));
    let (first, mut writer) = on_all_datanodes(ours.as_ref(), &bed::settings(&place.folder)).await;
    let second = SegmentId { index: first.index + 1, ..first };
    assert_eq!(bytes_of(&theirs, first).await, 1000);

    let hurt = hurt();
    let since = boot_now();
    let (acknowledged, failure) = append_until_it_fails(&mut writer, 1000).await;
    let took = boot_now().since(since);
    assert!(took < FLUSH_DEADLINE + SLACK, "{took:?}");
    assert!(matches!(failure, StoreError::Unavailable { .. }), "{failure}");
    assert!(writer.append(pattern(0, 1)).await.is_err(), "broken is broken for ever");

    if bed::datanodes() > 1 {
        let since = boot_now();
        let mut next = ours.create(second).await.unwrap();
        next.append(pattern(0, 700)).await.unwrap();
        let took = boot_now().since(since);
        assert!(took < Duration::from_secs(2) + SLACK, "a new segment took {took:?}");
        assert!(bytes_of(&theirs, first).await >= acknowledged as u64);
        assert_eq!(theirs.read(first, 0, acknowledged as u64).await.unwrap(), pattern(0, acknowledged));
        assert_eq!(theirs.read(second, 0, 700).await.unwrap(), pattern(0, 700));
    } else {
        assert_eq!(theirs.length(first).await.unwrap(), Length::Unknown);
    }
    drop(hurt);
    let kept = (acknowledged - recovered_at_last(&theirs, first).await) as u64;
    let Length::Closed(length) = theirs.length(first).await.unwrap() else { panic!("not closed") };
    assert!(length >= kept, "{length} of {acknowledged} acknowledged bytes");
    assert_eq!(theirs.read(first, 0, length).await.unwrap(), pattern(0, length as usize));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn a_killed_first_datanode_ends_the_segment_only() {
    tokio::time::timeout(LIMIT, the_journal_goes_on(|| Hurt::kill(1))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn a_killed_last_datanode_ends_the_segment_only() {
    tokio::time::timeout(LIMIT, the_journal_goes_on(|| Hurt::kill(bed::datanodes()))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn a_stopped_first_datanode_ends_the_segment_at_the_deadline() {
    tokio::time::timeout(LIMIT, the_journal_goes_on(|| Hurt::stop(1))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn a_stopped_last_datanode_ends_the_segment_at_the_deadline() {
    tokio::time::timeout(LIMIT, the_journal_goes_on(|| Hurt::stop(bed::datanodes()))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn a_stopped_datanode_is_found_before_the_deadline_if_others_answer() {
    if bed::datanodes() == 1 {
        return;
    }
    let _servers = bed::alone().await;
    let place = bed::folder();
    formatted(&place).await;
    let mut settings = bed::settings(&place.folder);
    settings.flush_deadline = LIMIT;
    let ours = HdfsStore::new(settings.clone()).unwrap();
    let (first, mut writer) = on_all_datanodes(&ours, &settings).await;
    let _hurt = Hurt::stop(bed::datanodes());
    let since = boot_now();
    let (_, failure) = append_until_it_fails(&mut writer, 1000).await;
    assert!(matches!(failure, StoreError::Unavailable { .. }), "{failure}");
    assert!(writer.append(pattern(0, 1)).await.is_err(), "broken is broken for ever");
    let mut next = ours.create(SegmentId { index: first.index + 1, ..first }).await.unwrap();
    next.append(pattern(0, 700)).await.unwrap();
    let took = boot_now().since(since);
    assert!(took < Duration::from_secs(2) + SLACK, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn when_all_datanodes_restarted_only_recovery_tells_the_length() {
    let _servers = bed::alone().await;
    let place = bed::folder();
    let (ours, theirs) = (formatted(&place).await, bed::open(&place.folder));
    let mut writer = ours.create(segment(1, 0)).await.unwrap();
    writer.append(pattern(0, 1300)).await.unwrap();
    assert_eq!(theirs.length(segment(1, 0)).await.unwrap(), Length::Open(1300));
    let hurt: Vec<Hurt> = (1..=bed::datanodes()).map(Hurt::kill).collect();
    assert_eq!(theirs.length(segment(1, 0)).await.unwrap(), Length::Unknown, "all dead");
    drop(hurt);
    assert_eq!(theirs.length(segment(1, 0)).await.unwrap(), Length::Unknown, "all restarted");
    assert_eq!(bed::open(&place.folder).length(segment(1, 0)).await.unwrap(), Length::Unknown, "for a new client");
    assert!(writer.append(pattern(1300, 1)).await.is_err());
    tokio::time::timeout(LIMIT, recovered(&theirs, segment(1, 0))).await.unwrap();
    assert_eq!(theirs.length(segment(1, 0)).await.unwrap(), Length::Closed(1300));
    assert_eq!(theirs.read(segment(1, 0), 0, 1300).await.unwrap(), pattern(0, 1300));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn the_writer_of_a_deleted_segment_learns_of_it() {
    let place = bed::place().await;
    let (ours, theirs) = (formatted(&place).await, bed::open(&place.folder));
    let mut writer = ours.create(segment(1, 0)).await.unwrap();
    theirs.delete_segment(segment(1, 0)).await.unwrap();
    // The DataNodes do not know; the one call to the NameNode after the first flush tells.
    let run = append_until_it_fails(&mut writer, 0);
    let (_, failure) = tokio::time::timeout(Duration::from_secs(20), run).await.unwrap();
    assert!(matches!(failure, StoreError::Unavailable { .. }), "{failure}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn recovery_beside_a_busy_writer_keeps_all_that_was_acknowledged() {
    let _servers = bed::alone().await;
    let place = bed::folder();
    let mut settings = bed::settings(&place.folder);
    if bed::datanodes() == 1 {
        // See below: most often it is an fsync that is interrupted.
        settings.durability = Durability::Hflush;
    }
    formatted(&place).await;
    let (ours, theirs) = (HdfsStore::new(settings).unwrap(), bed::open(&place.folder));
    let mut writer = ours.create(segment(1, 0)).await.unwrap();
    let writing = tokio::spawn(async move { append_until_it_fails(&mut writer, 0).await });
    while !matches!(theirs.length(segment(1, 0)).await.unwrap(), Length::Open(4000..)) {
        tokio::task::yield_now().await;
    }
    let lost = recovered_at_last(&theirs, segment(1, 0)).await;
    let (acknowledged, _) = writing.await.unwrap();
    let kept = (acknowledged - lost) as u64;
    let Length::Closed(length) = theirs.length(segment(1, 0)).await.unwrap() else { panic!("not closed") };
    assert!(length >= kept, "{length} of {acknowledged} acknowledged bytes");
    assert_eq!(theirs.read(segment(1, 0), 0, length).await.unwrap(), pattern(0, length as usize));
    assert_eq!(theirs.recover(segment(1, 0)).await.unwrap(), Recovery::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes 80 s: longer than a DataNode waits for a silent pipeline"]
async fn an_idle_segment_stays_open() {
    let place = bed::place().await;
    let ours = formatted(&place).await;
    let mut writer = ours.create(segment(1, 0)).await.unwrap();
    writer.append(pattern(0, 100)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(80)).await;
    writer.append(pattern(100, 100)).await.unwrap();
    assert_eq!(ours.read(segment(1, 0), 0, 200).await.unwrap(), pattern(0, 200));
}
