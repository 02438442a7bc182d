use super::*;
use std::sync::Arc;

use crate::journal::chain::SegmentHeader;
use crate::journal::codec;
use crate::journal::entry::Entry;
use crate::journal::entry_codec;
use crate::journal::folder::local::{LocalSettings, LocalStore};
use crate::journal::folder::{Format, MemoryFolder, MemoryStore, SegmentId};
use crate::master::state::CheckpointOrigin;
use crate::tools::sample_journal::{self, SampleJournal};
use crate::types::{InodeId, SequenceNumber};
use bytes::Bytes;
use parking_lot::Mutex;

const GENESIS: u64 = 7;
const SEGMENT: SegmentId = SegmentId { epoch: 1, index: 0 };

fn entry(next_container: i64) -> Entry {
    Entry::BlockContainerIdGenerator { next_container }
}

/// A journal of three records with an entry each, of which two are acknowledged.
fn journal() -> (MemoryFolder, [Position; 3], usize) {
    let mut folder = MemoryFolder::new(1);
    folder.write_format(&format()).unwrap();
    let (base, through) = (None, SequenceNumber(0));
    let header = SegmentHeader { cluster_id: "c".into(), genesis: GENESIS, segment: SEGMENT, base, through };
    let mut bytes = Vec::new();
    codec::encode_header(&mut bytes, &header);
    let header_bytes = bytes.len();
    let mut at = Position::START;
    let positions = [1, 2, 3].map(|n| {
        let entries = entry_codec::encode_entries(&[entry(n)]);
        let mark = at.sequence;
        at = at.after(&entries);
        codec::encode_record(&mut bytes, 1, at, mark, &entries);
        at
    });
    let file = folder.create(SEGMENT).unwrap();
    let append = folder.begin_append(file, &bytes);
    assert!(folder.land(append, 0));
    (folder, positions, header_bytes)
}

/// A checkpoint of `at` with the state after these entries.
fn checkpoint(folder: &mut MemoryFolder, at: Position, genesis: u64, entries: &[i64]) {
    let mut state = MasterState::default();
    entries.iter().for_each(|n| state.apply(&entry(*n)).unwrap());
    let origin = CheckpointOrigin { position: at, genesis, cluster_id: "c".into() };
    let content: Bytes = state.to_checkpoint(&origin).concat().into();
    folder.write_checkpoint(at.into(), content).unwrap();
}

fn format() -> Format {
    Format { layout: 1, feature_level: 1, cluster_id: "c".into() }
}

/// The epoch node after that record was answered.
fn node(durable: Position) -> EpochNode {
    let (durable_sequence, durable_hash) = (durable.sequence.0, durable.hash);
    EpochNode { epoch: 1, segments: 1, genesis: GENESIS, durable_sequence, durable_hash, ..EpochNode::default() }
}

async fn verified_with(folder: MemoryFolder, node: EpochNode) -> Result<Report, VerifyError> {
    verify(&MemoryStore::new(Arc::new(Mutex::new(folder))), &format(), Ok(node), Writers::MayLive).await
}

async fn verified(folder: MemoryFolder) -> Result<Report, VerifyError> {
    verified_with(folder, node(Position::START)).await
}

#[tokio::test]
async fn what_is_acknowledged_is_read_and_compared() {
    let (mut folder, positions, _) = journal();
    checkpoint(&mut folder, positions[0], GENESIS, &[1]);
    checkpoint(&mut folder, positions[1], GENESIS, &[1, 2]);
    checkpoint(&mut folder, Position { hash: 1, ..positions[1] }, GENESIS + 1, &[5]);
    let report = verified(folder).await.unwrap();
    assert_eq!((report.segments, report.epoch, report.checkpoints, report.end), (1, 1, 2, positions[1]));
    let mut text = Vec::new();
    report.write(&mut text).unwrap();
    assert!(String::from_utf8(text).unwrap().ends_with("The journal is whole.\n"));
}

#[tokio::test]
async fn a_checkpoint_with_another_state_is_named() {
    let (mut folder, positions, _) = journal();
    checkpoint(&mut folder, positions[1], GENESIS, &[1, 9]);
    let error = verified(folder).await.unwrap_err();
    assert!(matches!(error, VerifyError::Differs { id, .. } if id.sequence == positions[1].sequence), "{error}");
}

#[tokio::test]
async fn a_checkpoint_of_what_was_never_acknowledged_is_named() {
    let (mut folder, positions, _) = journal();
    checkpoint(&mut folder, positions[2], GENESIS, &[1, 2, 3]);
    let error = verified(folder).await.unwrap_err();
    assert!(matches!(error, VerifyError::OffChain { end, .. } if end == positions[1]), "{error}");
}

#[tokio::test]
async fn a_segment_whose_length_nobody_tells_is_not_waited_for_forever() {
    let (mut folder, _, _) = journal();
    folder.restart_replica(SEGMENT, 0);
    let error = verified(folder).await.unwrap_err();
    assert!(matches!(error, VerifyError::Replay(ReplayError::NoLength { .. })), "{error}");
}

#[tokio::test]
async fn damage_is_named() {
    let (mut folder, _, header_bytes) = journal();
    folder.damage(SEGMENT, header_bytes as u64 + 30, b"?");
    let error = verified(folder).await.unwrap_err();
    assert!(matches!(error, VerifyError::Replay(ReplayError::Chain(ChainError::Damaged(_)))), "{error}");
    let (mut folder, positions, _) = journal();
    let id = CheckpointId::from(positions[0]);
    folder.write_checkpoint(id, Bytes::from_static(b"nothing")).unwrap();
    assert!(matches!(verified(folder).await.unwrap_err(), VerifyError::Replay(ReplayError::Checkpoint { .. })));
}

#[tokio::test]
async fn what_was_acknowledged_must_be_there() {
    let [_, second, third] = journal().1;
    // The mark of the journal covers the second record, copies of a next leader the third.
    for durable in [second, third] {
        assert_eq!(verified_with(journal().0, node(durable)).await.unwrap().durable, Ok(durable));
        let other = Position { hash: 1, ..durable };
        let error = verified_with(journal().0, node(other)).await.unwrap_err();
        assert!(
            matches!(error, VerifyError::Replay(ReplayError::Chain(ChainError::OtherRecord { durable, .. })) if durable == other),
            "{error}"
        );
    }
    let lost = node(Position { sequence: SequenceNumber(4), hash: 1 });
    let error = verified_with(journal().0, lost).await.unwrap_err();
    assert!(
        matches!(error, VerifyError::Replay(ReplayError::Chain(ChainError::Short { end, .. })) if end == third),
        "{error}"
    );
}

#[tokio::test]
async fn a_segment_that_the_epoch_node_tells_of_must_be_there() {
    let next = EpochNode { segments: 2, ..node(Position::START) };
    let error = verified_with(journal().0, next).await.unwrap_err();
    let newest = SegmentId { epoch: 1, index: 1 };
    assert!(matches!(error, VerifyError::Replay(ReplayError::NotListed { missing }) if missing == newest), "{error}");
}

/// As after ZooKeeper was restored from a copy of before a format.
#[tokio::test]
async fn what_the_epoch_node_tells_of_a_history_before_the_last_format_is_not_compared() {
    let lost = node(Position { sequence: SequenceNumber(4), hash: 1 });
    let report = verified_with(journal().0, EpochNode { genesis: GENESIS + 1, epoch: 0, segments: 3, ..lost.clone() });
    let reason = report.await.unwrap().durable.unwrap_err();
    assert!(reason.contains("before the last format"), "{reason}");
    let error = verified_with(journal().0, EpochNode { genesis: GENESIS + 1, ..lost }).await.unwrap_err();
    assert!(matches!(error, VerifyError::Replay(ReplayError::Chain(ChainError::OlderHistory { .. }))), "{error}");
}

/// Who has just claimed has made no segment yet.
#[tokio::test]
async fn a_claim_alone_names_no_segment_of_its_own() {
    let claimed = EpochNode { epoch: 2, segments_epoch: 1, ..node(Position::START) };
    verified_with(journal().0, claimed).await.unwrap();
}

#[tokio::test]
async fn it_is_said_that_the_end_was_not_compared() {
    let store = MemoryStore::new(Arc::new(Mutex::new(journal().0)));
    let report = verify(&store, &format(), Err("ZooKeeper is away".to_owned()), Writers::MayLive).await.unwrap();
    let mut text = Vec::new();
    report.write(&mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("was not compared, because ZooKeeper is away\n") && !text.contains("whole"), "{text}");
}

#[tokio::test]
async fn a_checkpoint_of_another_place_is_named() {
    let state = MasterState::default();
    let [first, second, _] = journal().1;
    for (position, cluster_id) in [(second, "c"), (first, "other")] {
        let mut folder = journal().0;
        let origin = CheckpointOrigin { position, genesis: GENESIS, cluster_id: cluster_id.into() };
        let id = CheckpointId::from(first);
        folder.write_checkpoint(id, state.to_checkpoint(&origin).concat().into()).unwrap();
        let error = verified(folder).await.unwrap_err();
        assert!(matches!(error, VerifyError::Replay(ReplayError::Misplaced { .. })), "{error}");
    }
}

#[tokio::test]
async fn later_checkpoints_are_compared_with_the_segments_of_a_collected_journal() {
    let mut journal = SampleJournal::long();
    let (passed_over, first) = (journal.checkpoint(4), journal.checkpoint(8));
    journal.collect_before(sample_journal::segment(2, 1));
    let verified = async |journal: &SampleJournal| {
        verify(&journal.store(), &sample_journal::format(), Ok(journal.node()), Writers::AreOver).await
    };
    let report = verified(&journal).await.unwrap();
    assert_eq!((report.begins_with, report.checkpoints, report.not_compared), (Some(first), 1, 1));
    assert!(journal.has(report.end, report.digest));
    let mut text = Vec::new();
    report.write(&mut text).unwrap();
    assert!(String::from_utf8(text).unwrap().contains("compared from record 9 on, beginning with checkpoints/"));

    let mut other = journal.clone();
    other.checkpoint_with(9, sample_journal::GENESIS, &MasterState::default());
    assert!(matches!(verified(&other).await.unwrap_err(), VerifyError::Differs { .. }));
    journal.checkpoints.get_mut(&passed_over).unwrap()[300] ^= 1;
    let error = verified(&journal).await.unwrap_err();
    assert!(matches!(error, VerifyError::Replay(ReplayError::Checkpoint { id, .. }) if id == passed_over), "{error}");
}

/// Who takes over applies it, and would end.
#[tokio::test]
async fn a_last_record_that_no_master_can_apply_is_named_although_nobody_acknowledged_it() {
    let misfit = entry_codec::encode_entries(&[Entry::UfsIntentSettled { inode: InodeId(77) }]);
    let of_newer_version = Vec::from(b"\x03\xaa\x3f\x00");
    for (entries, newer) in [(misfit, false), (of_newer_version, true)] {
        let mut journal = SampleJournal::long();
        let (at, file) = (journal.end(), journal.segments.last_entry().unwrap().into_mut());
        codec::encode_record(file, 4, at.after(&entries), at.sequence, &entries);
        let store = journal.store();
        let error = verify(&store, &sample_journal::format(), Ok(journal.node()), Writers::AreOver).await.unwrap_err();
        assert!(error.is_damage() && error.is_of_newer_version() == newer, "{}", with_reason(&error));
        let expected = format!("record {}", at.sequence.next());
        assert!(with_reason(&error).contains(&expected), "{}", with_reason(&error));
    }
}

/// What this version wrote, each later one reads: a journal with two checkpoints, of a lone master.
#[tokio::test]
async fn a_journal_of_layout_1_is_read_for_ever() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/journal-layout-1");
    let store = LocalStore::new(LocalSettings::new(folder));
    let format = store.read_format().await.unwrap().unwrap();
    let found = verify(&store, &format, Err("nobody knows".into()), Writers::MayLive).await.unwrap();
    assert_eq!((found.checkpoints, found.segments, found.epoch), (2, 2, 2));
    assert_eq!(found.end.to_string(), "13-70d3184435b8abb3");
    assert_eq!(format!("{:016x}", found.digest), "64a56eb2a4f526a2");
}
