use super::*;
use crate::tools::sample_journal::{CLUSTER, SampleJournal, segment};

/// The numbers of the records from the beginning on, and the state at the end.
async fn replayed(journal: &SampleJournal) -> Result<(Beginning, Vec<u64>), ReplayError> {
    let store = journal.store();
    let witness = Witness::of(&journal.node());
    let (mut replay, mut beginning) = Replay::begin(&store, CLUSTER, witness, Writers::AreOver).await?;
    let mut numbers = Vec::new();
    loop {
        let records = replay.next().await?;
        if records.is_empty() {
            break;
        }
        for placed in records {
            apply(&mut beginning.state, &placed.record)?;
            numbers.push(placed.record.position.sequence.0);
            assert_eq!(placed.segment.epoch, placed.record.epoch);
        }
    }
    replay.finish()?;
    Ok((beginning, numbers))
}

#[tokio::test]
async fn a_whole_journal_begins_with_its_first_record() {
    let journal = SampleJournal::long();
    let (beginning, numbers) = replayed(&journal).await.unwrap();
    assert_eq!(beginning.checkpoint, None);
    assert_eq!(numbers, (1..=15).collect::<Vec<_>>());
    assert!(journal.has(journal.end(), beginning.state.digest()));
}

#[tokio::test]
async fn a_collected_journal_begins_with_the_oldest_checkpoint_that_leads_on() {
    for (first, from) in [(segment(2, 0), 9), (segment(2, 1), 9), (segment(1, 0), 0)] {
        let mut journal = SampleJournal::long();
        journal.collect_before(first);
        let (beginning, numbers) = replayed(&journal).await.unwrap();
        assert_eq!(beginning.position, journal.at(from), "from {first}");
        assert_eq!(numbers, (from + 1..=15).collect::<Vec<_>>());
        assert!(journal.has(journal.end(), beginning.state.digest()));
    }
    // Record 5 is the last before epoch 2: a checkpoint of there leads on, one of record 4 does not.
    let mut journal = SampleJournal::long();
    journal.checkpoint(5);
    journal.collect_before(segment(2, 0));
    assert_eq!(replayed(&journal).await.unwrap().0.position, journal.at(5));
}

#[tokio::test]
async fn a_checkpoint_of_another_history_is_passed_over() {
    let mut journal = SampleJournal::long();
    journal.checkpoint_with(8, 99, &MasterState::default());
    journal.collect_before(segment(2, 1));
    assert_eq!(replayed(&journal).await.unwrap().0.position, journal.at(9));
}

#[tokio::test]
async fn a_segment_that_is_missing_among_others_is_named() {
    let mut journal = SampleJournal::long();
    journal.segments.remove(&segment(2, 0));
    let error = replayed(&journal).await.unwrap_err();
    let named = matches!(&error, ReplayError::Chain(ChainError::Missing { missing, .. }) if *missing == segment(2, 0));
    assert!(named, "{error:?}");
}

#[tokio::test]
async fn a_journal_without_the_checkpoint_that_it_begins_with_cannot_be_read() {
    let mut journal = SampleJournal::long();
    journal.collect_before(segment(2, 1));
    let mut damaged = journal.clone();
    damaged.checkpoints.iter_mut().for_each(|(_, bytes)| bytes[300] ^= 1);
    assert!(matches!(replayed(&damaged).await.unwrap_err(), ReplayError::Checkpoint { .. }));
    journal.checkpoints.clear();
    assert!(matches!(replayed(&journal).await.unwrap_err(), ReplayError::Chain(ChainError::Missing { .. })));
}
