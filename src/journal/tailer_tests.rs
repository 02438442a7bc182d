use super::*;
use crate::election::EpochNode;
use crate::journal::codec;

const CLUSTER: &str = "c";

/// A folder in memory: segment → bytes, all of them readable.
#[derive(Default)]
struct Folder {
    segments: BTreeMap<SegmentId, Vec<u8>>,
}

/// One who writes a segment, with all that it knows.
struct Writing {
    segment: SegmentId,
    at: Position,
}

fn id(epoch: u64, index: u32) -> SegmentId {
    SegmentId { epoch, index }
}

impl Folder {
    fn begin(&mut self, segment: SegmentId, base: Option<Base>, through: u64) -> Writing {
        let mut out = Vec::new();
        let header =
            SegmentHeader { cluster_id: CLUSTER.into(), genesis: 7, segment, base, through: SequenceNumber(through) };
        codec::encode_header(&mut out, &header);
        self.segments.insert(segment, out);
        Writing { segment, at: header.start() }
    }

    fn write(&mut self, writing: &mut Writing, mark: u64, entries: &str) -> Position {
        let out = self.segments.get_mut(&writing.segment).unwrap();
        if !entries.is_empty() {
            writing.at = writing.at.after(entries.as_bytes());
        }
        codec::encode_record(out, writing.segment.epoch, writing.at, SequenceNumber(mark), entries.as_bytes());
        writing.at
    }

    fn base(&self, segment: SegmentId, position: Position) -> Option<Base> {
        Some(Base { segment, bytes: self.segments[&segment].len() as u64, position })
    }

    /// Answers all asks of this round and gives what may be applied.
    fn follow(&self, tailer: &mut Tailer) -> Result<Vec<String>, ChainError> {
        let mut applied = Vec::new();
        for _ in 0..1000 {
            let asks = tailer.asks();
            for ask in &asks {
                match *ask {
                    Ask::List => {
                        tailer.listed(&self.segments.keys().copied().collect::<Vec<_>>());
                    }
                    Ask::Length(segment) => {
                        tailer.length(segment, Length::Open(self.segments[&segment].len() as u64));
                    }
                    Ask::Read { segment, offset, bytes } => {
                        let range = offset as usize..(offset + bytes) as usize;
                        tailer.bytes(segment, offset, &self.segments[&segment][range]);
                    }
                    Ask::Recover(segment) => tailer.recovered(segment),
                }
            }
            let records = tailer.decided()?;
            applied.extend(records.iter().map(|record| String::from_utf8(record.entries.to_vec()).unwrap()));
            if asks.is_empty() {
                return Ok(applied);
            }
        }
        panic!("the tailer asks for ever");
    }
}

fn texts(records: &[Record]) -> Vec<&str> {
    records.iter().map(|record| std::str::from_utf8(&record.entries).unwrap()).collect()
}

#[test]
fn a_standby_applies_up_to_the_mark_and_no_further() {
    let mut folder = Folder::default();
    let mut a = folder.begin(id(1, 0), None, 0);
    folder.write(&mut a, 0, "one");
    folder.write(&mut a, 1, "two");
    let mut tailer = Tailer::new(Position::START, None);
    assert_eq!(folder.follow(&mut tailer).unwrap(), ["one"]);
    folder.write(&mut a, 2, "");
    tailer.begin_round(false);
    assert_eq!(folder.follow(&mut tailer).unwrap(), ["two"]);
    assert_eq!(tailer.applied(), a.at);
}

#[test]
fn a_new_leader_names_the_acknowledged_end_and_copies_the_rest() {
    let mut folder = Folder::default();
    let mut a = folder.begin(id(1, 0), None, 0);
    let one = folder.write(&mut a, 0, "one");
    let base = folder.base(a.segment, one);
    folder.write(&mut a, 1, "two");
    folder.write(&mut a, 1, "three");
    let mut tailer = Tailer::new(Position::START, None);
    assert_eq!(folder.follow(&mut tailer).unwrap(), ["one"]);
    let takeover = tailer.takeover().unwrap().unwrap();
    assert_eq!(takeover.base, base);
    assert_eq!(texts(&takeover.copies), ["two", "three"]);
    assert_eq!(takeover.open, [id(1, 0)]);
}

#[test]
fn a_leader_without_an_answer_is_not_a_base() {
    let mut folder = Folder::default();
    let mut a = folder.begin(id(1, 0), None, 0);
    let one = folder.write(&mut a, 0, "one");
    let base = folder.base(a.segment, one);
    folder.write(&mut a, 1, "two");
    // B copies two, and writes three, but nobody was answered: its bytes may vanish (H7).
    let mut b = folder.begin(id(2, 0), base, 2);
    folder.write(&mut b, 1, "two");
    folder.write(&mut b, 1, "three");
    let mut tailer = Tailer::new(Position::START, None);
    assert_eq!(folder.follow(&mut tailer).unwrap(), ["one"]);
    let takeover = tailer.takeover().unwrap().unwrap();
    assert_eq!(takeover.base, base);
    assert_eq!(texts(&takeover.copies), ["two", "three"]);
}

#[test]
fn a_segment_without_all_its_copies_is_skipped() {
    let mut folder = Folder::default();
    let mut a = folder.begin(id(1, 0), None, 0);
    let one = folder.write(&mut a, 0, "one");
    let base = folder.base(a.segment, one);
    folder.write(&mut a, 1, "two");
    let mut b = folder.begin(id(2, 0), base, 3);
    folder.write(&mut b, 1, "two");
    folder.write(&mut a, 2, "three"); // A still had its lease when it answered two.
    let mut tailer = Tailer::new(Position::START, None);
    assert_eq!(folder.follow(&mut tailer).unwrap(), ["one", "two"]);
    let takeover = tailer.takeover().unwrap().unwrap();
    assert_eq!(takeover.base.map(|base| base.segment), Some(id(1, 0)));
    assert_eq!(texts(&takeover.copies), ["three"]);
    assert_eq!(tailer.highest_epoch(), 2);
}

#[test]
fn late_records_of_a_deposed_leader_are_not_applied() {
    let mut folder = Folder::default();
    let mut a = folder.begin(id(1, 0), None, 0);
    let one = folder.write(&mut a, 0, "one");
    let base = folder.base(a.segment, one);
    let mut b = folder.begin(id(2, 0), base, 1);
    folder.write(&mut b, 1, "two of B");
    folder.write(&mut b, 2, "");
    folder.write(&mut a, 1, "two of A");
    let mut tailer = Tailer::new(Position::START, None);
    assert_eq!(folder.follow(&mut tailer).unwrap(), ["one", "two of B"]);
}

#[test]
fn what_was_applied_by_a_zombies_mark_is_still_copied() {
    let mut folder = Folder::default();
    let mut a = folder.begin(id(1, 0), None, 0);
    let one = folder.write(&mut a, 0, "one");
    let base = folder.base(a.segment, one);
    folder.write(&mut a, 1, "two");
    folder.write(&mut a, 2, "");
    let mut tailer = Tailer::new(Position::START, None);
    assert_eq!(folder.follow(&mut tailer).unwrap(), ["one", "two"]);
    // B read before the mark of two landed: it names one, copies two, answers nobody.
    let mut b = folder.begin(id(2, 0), base, 2);
    folder.write(&mut b, 1, "two");
    tailer.begin_round(true);
    assert_eq!(folder.follow(&mut tailer).unwrap(), [""; 0]);
    let takeover = tailer.takeover().unwrap().unwrap();
    assert_eq!(takeover.base, base);
    assert_eq!(texts(&takeover.copies), ["two"]);
}

#[test]
fn another_history_below_what_was_applied_is_an_error() {
    let mut folder = Folder::default();
    let mut a = folder.begin(id(1, 0), None, 0);
    folder.write(&mut a, 0, "one");
    folder.write(&mut a, 1, "");
    let mut tailer = Tailer::new(Position::START.after(b"other"), Some(7));
    folder.write(&mut a, 1, "two");
    folder.write(&mut a, 2, "");
    assert!(matches!(folder.follow(&mut tailer), Err(ChainError::OffChain { .. })));
    let mut foreign = Tailer::new(Position::START, Some(8));
    assert!(matches!(folder.follow(&mut foreign), Err(ChainError::Foreign { .. })));
}

#[test]
fn a_length_nobody_tells_is_recovered_never_taken_for_empty() {
    let mut tailer = Tailer::new(Position::START, None);
    assert_eq!(tailer.asks(), [Ask::List]);
    tailer.listed(&[id(1, 0), id(2, 0)]);
    assert_eq!(tailer.asks(), [Ask::Length(id(2, 0))]);
    tailer.length(id(2, 0), Length::Unknown);
    assert_eq!(tailer.asks(), [Ask::Recover(id(2, 0))]);
    assert!(!tailer.is_settled().unwrap());
    tailer.recovered(id(2, 0));
    assert_eq!(tailer.asks(), [Ask::Length(id(2, 0))]);
}

#[test]
fn a_listing_without_the_segment_that_must_exist_is_asked_again() {
    let mut tailer = Tailer::new(Position::START, None);
    tailer.expect(witness(7, id(1, 1), Position::START));
    assert_eq!(tailer.asks(), [Ask::List]);
    assert_eq!(tailer.listed(&[id(1, 0)]), Some(id(1, 1)));
    assert_eq!(tailer.asks(), [Ask::List]);
}

/// What the epoch node tells: that this segment of the history exists, and that this record was answered.
fn witness(genesis: u64, newest: SegmentId, durable: Position) -> Witness {
    Witness::of(&EpochNode {
        genesis,
        epoch: newest.epoch,
        segments: newest.index + 1,
        durable_sequence: durable.sequence.0,
        durable_hash: durable.hash,
        ..EpochNode::default()
    })
}

/// A format that died before its first segment was flushed must not hide what the old history has.
#[test]
fn a_torn_segment_does_not_make_up_for_one_that_is_not_listed() {
    let mut folder = Folder::default();
    let mut a = folder.begin(id(1, 0), None, 0);
    folder.write(&mut a, 0, "one");
    folder.segments.insert(id(2, 0), Vec::new());
    let mut tailer = Tailer::new(Position::START, None);
    tailer.expect(witness(7, id(1, 1), a.at));
    assert_eq!(tailer.asks(), [Ask::List]);
    assert_eq!(tailer.listed(&[id(1, 0), id(2, 0)]), Some(id(1, 1)));
    assert_eq!(tailer.asks(), [Ask::Length(id(2, 0))]);
    tailer.length(id(2, 0), Length::Closed(0));
    assert_eq!(tailer.asks(), [Ask::List]);
    assert_eq!(tailer.takeover(), Ok(None));
}

/// Who wrote a whole segment of a later epoch had read all before: a format, or a leader.
#[test]
fn a_whole_segment_of_a_later_epoch_makes_up_for_one_that_is_not_listed() {
    let mut folder = Folder::default();
    folder.begin(id(3, 0), None, 0);
    let gone = Position::START.after(b"of the history before");
    for told in [witness(6, id(2, 1), gone), witness(7, id(2, 1), Position::START)] {
        let mut tailer = Tailer::new(Position::START, None);
        tailer.expect(told);
        folder.follow(&mut tailer).unwrap();
        assert!(tailer.takeover().unwrap().is_some());
    }
}

/// As when the folder lags: what continues the chain is there, what it continues is not.
#[test]
fn a_chain_through_a_segment_that_is_not_listed_yet_is_not_damage() {
    let mut folder = Folder::default();
    let mut a = folder.begin(id(1, 0), None, 0);
    let one = folder.write(&mut a, 0, "one");
    let base = folder.base(a.segment, one);
    folder.begin(id(2, 0), base, 1);
    let hidden = folder.segments.remove(&id(1, 0)).unwrap();
    let mut tailer = Tailer::new(Position::START, None);
    assert!(matches!(folder.follow(&mut tailer.clone()), Err(ChainError::Missing { .. })));
    tailer.expect(witness(7, id(1, 0), Position::START));
    for ask in [Ask::List, Ask::Length(id(2, 0))] {
        assert_eq!(tailer.asks(), [ask]);
        match ask {
            Ask::List => assert_eq!(tailer.listed(&[id(2, 0)]), Some(id(1, 0))),
            _ => tailer.length(id(2, 0), Length::Closed(folder.segments[&id(2, 0)].len() as u64)),
        }
    }
    let asks = tailer.asks();
    let [Ask::Read { segment, offset: 0, .. }] = asks[..] else { panic!("{asks:?}") };
    tailer.bytes(segment, 0, &folder.segments[&segment]);
    folder.segments.insert(id(1, 0), hidden);
    assert_eq!(folder.follow(&mut tailer).unwrap(), ["one"]);
}

#[test]
fn the_record_that_was_answered_must_be_there() {
    let mut folder = Folder::default();
    let mut a = folder.begin(id(1, 0), None, 0);
    folder.write(&mut a, 0, "one");
    let two = folder.write(&mut a, 1, "two");
    let four = two.after(b"three").after(b"four");
    let mut tailer = Tailer::new(Position::START, None);
    assert_eq!(folder.follow(&mut tailer).unwrap(), ["one"]);
    let mut outcome = |genesis, durable| {
        tailer.expect(witness(genesis, a.segment, durable));
        tailer.takeover()
    };
    assert!(outcome(7, two).is_ok());
    assert!(matches!(outcome(7, four), Err(ChainError::Short { .. })));
    assert!(matches!(outcome(0, four), Err(ChainError::Short { .. })), "a node that names no history");
    for sequence in [1, 2] {
        let other = Position { sequence: SequenceNumber(sequence), hash: 1 };
        assert!(matches!(outcome(7, other), Err(ChainError::OtherRecord { durable, .. }) if durable == other));
    }
    assert!(matches!(outcome(8, Position::START), Err(ChainError::OlderHistory { told: 8, found: 7, .. })));
}

#[test]
fn a_listing_that_ends_before_a_segment_that_was_listed_once_is_asked_again() {
    let mut tailer = Tailer::new(Position::START, None);
    assert_eq!(tailer.asks(), [Ask::List]);
    assert_eq!(tailer.listed(&[id(1, 0), id(1, 1)]), None);
    tailer.begin_round(true);
    assert_eq!(tailer.asks(), [Ask::List]);
    assert_eq!(tailer.listed(&[id(1, 0)]), Some(id(1, 1)));
    assert_eq!(tailer.highest_segment(), Some(id(1, 1)));
    assert_eq!(tailer.asks(), [Ask::List]);
    assert_eq!(tailer.listed(&[id(2, 0)]), None, "older ones may be deleted");
}

#[test]
fn a_round_uses_no_length_that_was_asked_for_before_it_began() {
    let mut folder = Folder::default();
    folder.begin(id(1, 0), None, 0);
    let mut tailer = Tailer::new(Position::START, None);
    folder.follow(&mut tailer).unwrap();
    tailer.begin_round(false);
    assert_eq!(tailer.asks(), [Ask::Length(id(1, 0))]);
    tailer.begin_round(true);
    assert_eq!(tailer.asks(), [Ask::List]);
    tailer.length(id(1, 0), Length::Open(10)); // asked in the round before
    tailer.listed(&[id(1, 0)]);
    assert_eq!(tailer.asks(), [Ask::Length(id(1, 0))]);
}

#[test]
fn a_round_uses_no_listing_that_was_asked_for_before_it_began() {
    let mut tailer = Tailer::new(Position::START, None);
    assert_eq!(tailer.asks(), [Ask::List]);
    tailer.begin_round(true); // as after a claim
    assert_eq!(tailer.asks(), [], "one is under way already");
    tailer.listed(&[id(1, 0)]);
    assert_eq!(tailer.asks(), [Ask::List], "the one under way may be older than the claim");
    tailer.listed(&[id(1, 0), id(2, 0)]);
    assert_eq!(tailer.asks(), [Ask::Length(id(2, 0))]);
}

#[test]
fn what_a_torn_segment_showed_is_kept_until_it_is_known_whether_it_becomes_the_tip() {
    let mut folder = Folder::default();
    let mut a = folder.begin(id(1, 0), None, 0);
    let one = folder.write(&mut a, 0, "one");
    let base = folder.base(a.segment, one);
    folder.write(&mut a, 1, "two");
    folder.write(&mut a, 1, "three");
    // B read A before its mark of three landed: it copies two and three, and is seen torn in between.
    let mut b = folder.begin(id(2, 0), base, 3);
    folder.write(&mut b, 1, "two");
    folder.write(&mut a, 3, "");
    let mut tailer = Tailer::new(Position::START, None);
    assert_eq!(folder.follow(&mut tailer).unwrap(), ["one", "two", "three"]);
    folder.write(&mut b, 1, "three");
    tailer.begin_round(true);
    assert_eq!(folder.follow(&mut tailer).unwrap(), [""; 0]);
    let takeover = tailer.takeover().unwrap().unwrap();
    assert_eq!(takeover.base, base);
    assert_eq!(texts(&takeover.copies), ["two", "three"]);
}

#[test]
fn damage_below_the_tip_is_told() {
    let mut folder = Folder::default();
    let mut a = folder.begin(id(1, 0), None, 0);
    folder.write(&mut a, 0, "one");
    let two = folder.write(&mut a, 1, "two");
    let base = folder.base(a.segment, two);
    folder.begin(id(2, 0), base, 2);
    let bytes = folder.segments.get_mut(&id(1, 0)).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let mut tailer = Tailer::new(Position::START, None);
    assert!(matches!(folder.follow(&mut tailer), Err(ChainError::Damaged(damage)) if damage.segment == id(1, 0)));
}

#[test]
fn a_base_that_stays_short_after_recovery_is_damage() {
    let mut folder = Folder::default();
    let mut a = folder.begin(id(1, 0), None, 0);
    let one = folder.write(&mut a, 0, "one");
    let base = folder.base(a.segment, one);
    folder.begin(id(2, 0), base, 1);
    folder.segments.get_mut(&id(1, 0)).unwrap().pop();
    let mut tailer = Tailer::new(Position::START, None);
    assert!(matches!(folder.follow(&mut tailer), Err(ChainError::Damaged(_))));
}
