use super::*;
use crate::election::EpochNode;
use crate::tools::sample_journal::{CLUSTER, GENESIS, SampleJournal, segment};

async fn salvaged(journal: &SampleJournal) -> Salvage {
    salvaged_with(journal, journal.node()).await
}

async fn salvaged_with(journal: &SampleJournal, node: EpochNode) -> Salvage {
    salvage(&journal.store(), CLUSTER, Witness::of(&node), Writers::AreOver).await.unwrap()
}

fn text(salvage: &Salvage) -> String {
    let mut text = Vec::new();
    salvage.write(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// Damages the record `n`.
fn damage(journal: &mut SampleJournal, name: SegmentId, n: u64) {
    let bytes = journal.segments.get_mut(&name).unwrap();
    let scan = journal_scan::scan(name, &bytes.clone().into());
    let found = scan.runs[0].records.iter().find(|found| found.position.sequence.0 == n).unwrap();
    bytes[found.offset as usize + 50] ^= 4;
}

#[tokio::test]
async fn a_whole_journal_is_salvaged_whole() {
    let journal = SampleJournal::long();
    let salvage = salvaged(&journal).await;
    assert_eq!((salvage.end, salvage.whole_to, salvage.begins_with), (journal.end(), journal.end(), None));
    assert!(journal.has(salvage.end, salvage.state.digest()));
    assert_eq!((salvage.acknowledged.0, salvage.written.0, salvage.lost_acknowledged()), (15, 15, 0));
    assert_eq!(salvage.end_in.unwrap().segment, segment(4, 0));
    assert_eq!(salvage.genesis, GENESIS);
}

#[tokio::test]
async fn damage_before_a_checkpoint_costs_nothing() {
    let mut journal = SampleJournal::long();
    damage(&mut journal, segment(2, 0), 7);
    let salvage = salvaged(&journal).await;
    assert_eq!((salvage.end, salvage.whole_to), (journal.end(), journal.at(6)));
    assert_eq!(salvage.begins_with.unwrap().sequence.0, 9);
    assert!(journal.has(salvage.end, salvage.state.digest()));
    let text = text(&salvage);
    assert!(text.contains("epochs/2/0.log: ") && text.contains("damaged at byte "), "{text}");
    assert!(text.contains("after record 6-") && text.contains("whole again from byte "), "{text}");
    assert!(text.contains("Nothing is lost of what is known to be acknowledged."), "{text}");
    assert!(text.contains(&format!("Whole from the beginning up to record {}.", journal.at(6))), "{text}");
}

#[tokio::test]
async fn damage_in_the_segment_that_a_checkpoint_lies_in_costs_nothing_either() {
    let mut journal = SampleJournal::new();
    journal.records(8);
    journal.checkpoint(5);
    damage(&mut journal, segment(1, 0), 2);
    let salvage = salvaged(&journal).await;
    assert_eq!((salvage.end, salvage.begins_with.unwrap().sequence.0), (journal.at(8), 5));
    assert!(journal.has(salvage.end, salvage.state.digest()));
}

#[tokio::test]
async fn without_a_later_checkpoint_what_is_behind_the_damage_is_lost_and_counted() {
    let mut journal = SampleJournal::long();
    damage(&mut journal, segment(2, 1), 10);
    journal.checkpoints.pop_last();
    let salvage = salvaged(&journal).await;
    assert_eq!((salvage.end, salvage.lost_acknowledged()), (journal.at(9), 6));
    assert!(journal.has(salvage.end, salvage.state.digest()));
    assert!(
        text(&salvage).contains("Lost: records 10 to 15, 6 in all, which were acknowledged."),
        "{}",
        text(&salvage)
    );
}

#[tokio::test]
async fn the_newest_segment_may_be_missing() {
    let mut journal = SampleJournal::long();
    journal.segments.remove(&segment(4, 0));
    let salvage = salvaged(&journal).await;
    assert_eq!((salvage.end, salvage.lost_acknowledged()), (journal.at(11), 4));
    let text = text(&salvage);
    assert!(text.contains("  epochs/4/0.log is missing\n"), "{text}");
    assert!(text.contains("Lost: records 12 to 15, 4 in all"), "{text}");
}

#[tokio::test]
async fn a_copy_in_a_later_segment_stands_for_a_damaged_record() {
    // Epoch 2 has copied record 3, of which its leader did not know whether it was answered.
    let mut journal = SampleJournal::new();
    journal.records(2);
    let mut first = journal.clone();
    first.records(1);
    journal.segment(segment(2, 0));
    journal.records(3);
    journal.segments.insert(segment(1, 0), first.segments[&segment(1, 0)].clone());
    damage(&mut journal, segment(1, 0), 3);
    let salvage = salvaged(&journal).await;
    assert_eq!(salvage.end, journal.at(5));
    assert!(journal.has(salvage.end, salvage.state.digest()));
}

/// A leader that was deposed wrote on; nobody had read that.
#[tokio::test]
async fn what_a_later_segment_has_not_taken_over_is_no_part_of_the_history() {
    let mut journal = SampleJournal::new();
    journal.records(2);
    let mut zombie = journal.clone();
    journal.segment(segment(2, 0));
    zombie.records(4);
    journal.segments.insert(segment(1, 0), zombie.segments[&segment(1, 0)].clone());
    let salvage = salvaged(&journal).await;
    assert_eq!((salvage.end, salvage.written.0), (journal.at(2), 2));
}

#[tokio::test]
async fn checkpoints_are_judged_and_the_best_beginning_is_taken() {
    let mut journal = SampleJournal::long();
    journal.checkpoint_with(12, GENESIS + 1, &MasterState::default());
    let newest = *journal.checkpoints.keys().nth(1).unwrap();
    journal.checkpoints.get_mut(&newest).unwrap()[300] ^= 1;
    journal.collect_before(segment(2, 0));
    let salvage = salvaged(&journal).await;
    // From checkpoint 4 nothing leads on, because record 5 was collected; that of record 9 is damaged.
    assert_eq!((salvage.end, salvage.begins_with.unwrap().sequence.0), (journal.at(4), 4));
    let worths: Vec<&Worth> = salvage.checkpoints.iter().map(|(_, worth)| worth).collect();
    assert!(matches!(worths[..], [Worth::Sound, Worth::Damaged(_), Worth::OtherHistory]), "{worths:?}");
}

#[tokio::test]
async fn a_record_that_does_not_fit_ends_the_history() {
    let mut journal = SampleJournal::long();
    // Entries that are no message, with sound checksums.
    let before = journal.end();
    let file = journal.segments.get_mut(&segment(4, 0)).unwrap();
    codec::encode_record(file, 4, before.after(b"rubbish"), before.sequence, b"rubbish");
    let salvage = salvaged(&journal).await;
    assert_eq!(salvage.end, journal.end());
    assert!(journal.has(salvage.end, salvage.state.digest()));
    assert!(salvage.misfit.is_some_and(|(at, _)| at.sequence.0 == 16));
}

#[tokio::test]
async fn what_contradicts_the_epoch_node_is_still_better_than_nothing() {
    let mut journal = SampleJournal::long();
    journal.collect_before(segment(2, 1));
    let node = EpochNode { durable_hash: 1, ..journal.node() };
    assert_eq!(salvaged_with(&journal, node).await.end, journal.end());
}

#[tokio::test]
async fn another_record_than_the_acknowledged_one_is_said() {
    let mut journal = SampleJournal::long();
    let node = EpochNode { durable_hash: 1, ..journal.node() };
    let salvage = salvaged_with(&journal, node).await;
    assert!(salvage.contradicted.is_some() && salvage.lost_acknowledged() == 1);
    journal.segments.clear();
    journal.checkpoints.clear();
    let outcome = super::salvage(&journal.store(), CLUSTER, Witness::default(), Writers::AreOver).await;
    assert!(matches!(outcome, Err(SalvageError::Nothing { .. })), "{outcome:?}");
}

#[tokio::test]
async fn records_are_shown_up_to_damage() {
    let mut journal = SampleJournal::long();
    damage(&mut journal, segment(2, 0), 7);
    let witness = Witness::of(&journal.node());
    let from = journal.at(2);
    let records = records_after(&journal.store(), witness, Writers::AreOver, from).await.unwrap();
    let numbers: Vec<u64> = records.iter().map(|placed| placed.record.position.sequence.0).collect();
    assert_eq!(numbers, [3, 4, 5, 6]);
    // Also of a journal whose first segments were collected.
    journal.collect_before(segment(2, 0));
    let records = records_after(&journal.store(), witness, Writers::AreOver, Position::START).await.unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].record.position.sequence.0, 6);
}
