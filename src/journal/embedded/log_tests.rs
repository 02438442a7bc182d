use super::super::types::{MemberId, Payload, Record, log_id};
use super::*;
use crate::journal::chain::Position;

/// Segments as a disk would have them.
#[derive(Debug, Clone, Default, PartialEq)]
struct Disk(Vec<(u64, Vec<u8>)>);

impl Disk {
    fn perform(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Begin { segment } => self.0.push((segment, Vec::new())),
                Step::Append(bytes) => self.0.last_mut().unwrap().1.extend_from_slice(&bytes),
                Step::Delete { segment } => self.0.retain(|(number, _)| *number != segment),
                Step::Cut { segment, bytes } => {
                    self.0.iter_mut().find(|(number, _)| *number == segment).unwrap().1.truncate(bytes as usize);
                }
            }
        }
    }

    fn load(&self) -> Result<(Log, Vec<Step>), LogError> {
        Log::load(self.0.iter().map(|(number, content)| (*number, content.clone().into())).collect())
    }
}

type Content = (Option<Vote>, Option<LogId>, Vec<LogEntry>);

fn content(log: &Log) -> Content {
    (log.vote(), log.purged(), log.entries(0, u64::MAX).cloned().collect())
}

fn entry(term: u64, index: u64) -> LogEntry {
    let entries = Bytes::from(format!("entries of {index}"));
    let record = Record { term, position: Position::START.after(&entries), entries };
    let payload = if index.is_multiple_of(3) { Payload::Blank } else { Payload::Normal(record) };
    LogEntry { log_id: log_id(term, index), payload }
}

fn entries(term: u64, indexes: std::ops::Range<u64>) -> Vec<LogEntry> {
    indexes.map(|index| entry(term, index)).collect()
}

fn new() -> (Log, Disk) {
    reload(&Disk::default())
}

fn reload(disk: &Disk) -> (Log, Disk) {
    let mut disk = disk.clone();
    let (log, steps) = disk.load().unwrap();
    disk.perform(steps);
    (log, disk)
}

type Change = fn(&mut Log) -> Vec<Step>;

/// Two starts, and a change of each kind.
const CHANGES: &[Change] = &[
    |log| log.save_vote(Vote::new(1, MemberId(1))),
    |log| log.append(entries(1, 0..5)).unwrap(),
    |log| log.truncate_after(Some(log_id(1, 2))),
    |log| log.save_vote(Vote::new(2, MemberId(2))),
    |log| log.append(entries(2, 3..7)).unwrap(),
    |log| log.purge(log_id(1, 1)),
    |log| log.append(entries(2, 7..8)).unwrap(),
];

/// A log after all changes, with a start in between; and what it held after each of them.
fn written() -> (Disk, Vec<Content>) {
    let (mut log, mut disk) = new();
    let mut contents = vec![content(&log)];
    for (at, change) in CHANGES.iter().enumerate() {
        if at == 4 {
            (log, disk) = reload(&disk);
        }
        disk.perform(change(&mut log));
        contents.push(content(&log));
    }
    (disk, contents)
}

#[test]
fn a_log_is_read_as_it_was_written() {
    let (disk, contents) = written();
    let (log, disk) = reload(&disk);
    assert_eq!(content(&log), contents[CHANGES.len()]);
    let (log, _) = reload(&disk);
    assert_eq!(content(&log), contents[CHANGES.len()], "twice");
    assert_eq!(log.last(), Some(log_id(2, 7)));
    let indexes = |from, to| log.entries(from, to).map(|entry| entry.log_id.index).collect::<Vec<_>>();
    assert_eq!(indexes(0, 4), [2, 3]);
    assert_eq!(indexes(6, 100), [6, 7]);
    assert_eq!(indexes(5, 5), [0; 0]);
    assert_eq!(indexes(9, 3), [0; 0]);
}

#[test]
fn a_torn_tail_at_every_byte_leaves_what_was_before_it() {
    let (disk, contents) = written();
    let newest = disk.0.last().unwrap().1.len();
    for zeros in [0, 100] {
        for cut in 0..newest {
            let mut torn = disk.clone();
            let end = &mut torn.0.last_mut().unwrap().1;
            end.truncate(cut);
            end.resize(cut + zeros, 0);
            let (mut log, torn) = reload(&torn);
            let kept = contents.iter().position(|before| *before == content(&log));
            assert!(kept.is_some() || is_part_of_the_append(&log), "cut at {cut}: {:?}", content(&log));
            assert!(kept.is_none_or(|kept| kept >= 4), "cut at {cut}: the older segment is whole");
            // It goes on from there.
            let next = log.last().map_or(0, |last| last.index + 1);
            let mut written = torn.clone();
            written.perform(log.append(entries(9, next..next + 1)).unwrap());
            assert_eq!(content(&reload(&written).0), content(&log));
        }
    }
}

/// Four entries are appended at once, and may be torn between them.
fn is_part_of_the_append(log: &Log) -> bool {
    let (vote, purged, kept) = content(log);
    let whole = [entries(1, 0..3), entries(2, 3..7)].concat();
    vote == Some(Vote::new(2, MemberId(2))) && purged.is_none() && whole.starts_with(&kept) && kept.len() > 3
}

#[test]
fn a_flipped_bit_is_damage_or_ends_the_log_at_its_last_frame() {
    let (disk, contents) = written();
    let mut refused = 0;
    for at in 0..disk.0.len() {
        let is_newest = at + 1 == disk.0.len();
        for bit in 0..disk.0[at].1.len() * 8 {
            let mut changed = disk.clone();
            changed.0[at].1[bit / 8] ^= 1 << (bit % 8);
            match changed.load() {
                Ok((log, _)) => {
                    assert!(is_newest, "segment {at}, bit {bit}");
                    assert_eq!(content(&log), contents[CHANGES.len() - 1], "only the last frame, bit {bit}");
                }
                Err(LogError::Damaged { file, offset, .. }) => {
                    refused += 1;
                    assert_eq!(file, file_name(disk.0[at].0));
                    assert!(offset <= bit / 8, "bit {bit} is not before {offset}");
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

#[test]
fn a_segment_that_is_gone_or_renamed_is_damage() {
    let (disk, _) = written();
    let (_, disk) = reload(&disk);
    assert_eq!(disk.0.len(), 3);
    let mut gap = disk.clone();
    gap.0.remove(1);
    assert!(matches!(gap.load(), Err(LogError::Damaged { file, offset: 0, .. }) if file == file_name(3)));
    let mut renamed = disk.clone();
    renamed.0.iter_mut().for_each(|(number, _)| *number += 1);
    assert!(matches!(renamed.load(), Err(LogError::Damaged { file, offset: 0, .. }) if file == file_name(2)));
    let mut empty = disk;
    empty.0[1].1.clear();
    assert!(matches!(empty.load(), Err(LogError::Damaged { offset: 0, .. })));
}

#[test]
fn segments_without_entries_that_are_needed_are_deleted() {
    let (mut log, mut disk) = new();
    disk.perform(log.save_vote(Vote::new(1, MemberId(1))));
    for start in [0, 10, 20] {
        disk.perform(log.append(entries(1, start..start + 10)).unwrap());
        (log, disk) = reload(&disk);
    }
    disk.perform(log.purge(log_id(1, 18)));
    assert_eq!(disk.0.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [2, 3, 4]);
    disk.perform(log.purge(log_id(1, 19)));
    assert_eq!(disk.0[0].0, 3);
    let (mut log, mut disk) = reload(&disk);
    assert_eq!((log.purged(), log.last()), (Some(log_id(1, 19)), Some(log_id(1, 29))));
    assert_eq!(log.vote(), Some(Vote::new(1, MemberId(1))));
    // A snapshot is ahead of the log.
    disk.perform(log.purge(log_id(3, 99)));
    disk.perform(log.append(entries(3, 100..102)).unwrap());
    assert_eq!(disk.0.len(), 1);
    let (log, _) = reload(&disk);
    assert_eq!((log.purged(), log.last()), (Some(log_id(3, 99)), Some(log_id(3, 101))));
}

/// Found by the world of the embedded journal.
#[test]
fn entries_before_the_first_segment_may_have_been_truncated_in_it() {
    let (mut log, mut disk) = new();
    disk.perform(log.append(entries(1, 0..6)).unwrap());
    let (mut log, mut disk) = reload(&disk);
    disk.perform(log.truncate_after(Some(log_id(1, 2))));
    disk.perform(log.append(entries(2, 3..9)).unwrap());
    disk.perform(log.purge(log_id(2, 5)));
    assert_eq!(disk.0.len(), 1);
    let (read, _) = reload(&disk);
    assert_eq!(content(&read), content(&log));
    assert_eq!((read.purged(), read.last()), (Some(log_id(2, 5)), Some(log_id(2, 8))));
}

#[test]
fn a_full_segment_is_followed_by_another_before_a_change_of_any_kind() {
    for change in CHANGES {
        let (mut log, mut disk) = new();
        disk.perform(log.append(entries(1, 0..5)).unwrap());
        if log.append(entries(1, 7..8)).is_ok() {
            panic!("there is no entry 6");
        }
        log.bytes = SEGMENT_BYTES;
        let next = log.last().map_or(0, |last| last.index + 1);
        let before = content(&log);
        disk.perform(if std::ptr::fn_addr_eq(*change, CHANGES[1]) {
            log.append(entries(1, next..next + 5)).unwrap()
        } else if std::ptr::fn_addr_eq(*change, CHANGES[4]) || std::ptr::fn_addr_eq(*change, CHANGES[6]) {
            log.append(entries(2, next..next + 1)).unwrap()
        } else {
            change(&mut log)
        });
        assert_ne!(content(&log), before);
        assert_eq!(disk.0.len(), 2);
        assert_eq!(content(&reload(&disk).0), content(&log));
    }
}

#[test]
fn entries_that_do_not_follow_are_refused() {
    let (mut log, _) = new();
    log.append(entries(1, 0..3)).unwrap();
    let refused = |index| Err(LogError::Hole { index, last: Some(2) });
    assert_eq!(log.append(entries(1, 4..5)), refused(4));
    assert_eq!(log.append(entries(1, 2..4)), refused(2));
    assert_eq!(log.append(vec![entry(1, 3), entry(1, 5)]), refused(5));
    assert_eq!(log.last(), Some(log_id(1, 2)), "none of them was added");
}

#[test]
fn files_are_named_by_their_segments() {
    assert_eq!(file_name(7), "00000000000000000007.log");
    assert_eq!(segment_of("00000000000000000007.log"), Some(7));
    for other in ["7.log", "00000000000000000007.tmp", "+0000000000000000007.log", "LOCK"] {
        assert_eq!(segment_of(other), None, "{other}");
    }
}
