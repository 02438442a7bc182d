use super::*;
use crate::tools::sample_journal::{SampleJournal, segment};

/// The bytes of a segment with five records, and where its frames begin: header, records, end.
fn sample() -> (Vec<u8>, Vec<usize>, SampleJournal) {
    let mut journal = SampleJournal::new();
    journal.records(5);
    let bytes = journal.segments[&segment(1, 0)].clone();
    let whole = scan(segment(1, 0), &bytes.clone().into());
    let records = whole.runs[0].records.iter();
    let places = records.map(|found| found.offset as usize).chain([bytes.len()]).collect();
    (bytes, places, journal)
}

fn numbers(scan: &Scan) -> Vec<Vec<u64>> {
    scan.runs.iter().map(|run| run.records.iter().map(|found| found.position.sequence.0).collect()).collect()
}

#[test]
fn a_whole_segment_is_one_run() {
    let (bytes, _, journal) = sample();
    let scan = scan(segment(1, 0), &bytes.into());
    assert_eq!(numbers(&scan), [[1, 2, 3, 4, 5]]);
    assert_eq!((scan.gaps.len(), scan.torn_at, scan.mark.0), (0, None, 4));
    let run = &scan.runs[0];
    assert_eq!(run.after(Position::START), Some(0));
    assert_eq!(run.after(journal.at(3)), Some(3));
    assert_eq!(run.after(Position { hash: 1, ..journal.at(3) }), None);
    assert_eq!(run.after(journal.at(5)), None);
}

#[test]
fn every_changed_byte_costs_one_frame_and_no_more() {
    let (bytes, places, journal) = sample();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x40;
        let scan = scan(segment(1, 0), &changed.into());
        assert_eq!(scan.gaps.len(), 1, "byte {at}");
        let gap = &scan.gaps[0];
        assert!((gap.offset..gap.to).contains(&(at as u64)), "byte {at}: {gap:?}");
        // Frame 0 is the header, frame n is record n.
        let lost = places.iter().position(|place| at < *place).expect("inside");
        let kept: Vec<u64> = (1..=5).filter(|n| *n != lost as u64).collect();
        assert_eq!(numbers(&scan).concat(), kept, "byte {at}");
        assert_eq!(scan.header.is_some(), lost != 0);
        if let Some(run) = scan.runs.last().filter(|_| lost < 5) {
            assert_eq!(run.after(journal.at(lost as u64)), Some(0), "byte {at}: taken up again behind it");
            assert_eq!(run.after(Position { hash: 1, ..journal.at(lost as u64) }), None);
        }
    }
}

#[test]
fn every_cut_is_torn_and_zeros_are() {
    let (bytes, places, _) = sample();
    for cut in 1..bytes.len() {
        let mut with_zeros = bytes[..cut].to_vec();
        let cut_off = scan(segment(1, 0), &with_zeros.clone().into());
        let whole = places.iter().filter(|place| **place <= cut).count().saturating_sub(1);
        assert_eq!(numbers(&cut_off).concat().len(), whole, "cut at {cut}");
        assert!(cut_off.gaps.is_empty());
        assert_eq!(cut_off.torn_at.is_some(), !places.contains(&cut), "cut at {cut}");
        if places.contains(&cut) {
            with_zeros.resize(cut + 100, 0);
            let scan = scan(segment(1, 0), &with_zeros.into());
            assert_eq!((scan.torn_at, scan.gaps.len()), (Some(cut as u64), 0));
        }
    }
}

#[test]
fn records_that_lie_beside_the_wrong_ones_are_a_run_of_their_own() {
    let (mut bytes, places, journal) = sample();
    bytes.drain(places[1]..places[3]);
    let found = scan(segment(1, 0), &bytes.into());
    assert_eq!(numbers(&found), [vec![1], vec![4, 5]]);
    assert_eq!(found.runs[1].after(journal.at(3)), Some(0));
    assert_eq!(found.gaps[0].offset, places[1] as u64);
    // A segment under the name of another one holds nothing of that.
    let (bytes, ..) = sample();
    let found = scan(segment(2, 0), &bytes.into());
    assert!(found.runs.is_empty() && !found.gaps.is_empty());
}

#[tokio::test]
async fn what_the_store_cannot_read_is_replaced() {
    let (bytes, ..) = sample();
    let journal = sample().2;
    let read = read_around(&journal.store(), segment(1, 0), bytes.len() as u64).await.unwrap();
    assert_eq!(read, bytes);
}
