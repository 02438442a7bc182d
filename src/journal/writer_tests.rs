use super::*;
use crate::journal::codec::{Decoded, Frame, decode, decode_alone};

fn at(ms: u64) -> Boot {
    Boot::from_start(Duration::from_millis(ms))
}

fn id(index: u32) -> SegmentId {
    SegmentId { epoch: 4, index }
}

fn writer(segment_bytes: u64) -> Writer {
    writer_with(segment_bytes, 1)
}

fn writer_with(segment_bytes: u64, flights: usize) -> Writer {
    let start = WriterStart { cluster_id: "c".into(), genesis: 7, epoch: 4, base: None, copies: Vec::new() };
    Writer::new(start, WriterLimits { segment_bytes, unacknowledged_bytes: 1000, flights })
}

/// The frames of an append.
fn frames(effect: &WriterEffect) -> (SegmentId, Vec<Frame>) {
    let WriterEffect::Append { segment, bytes } = effect else { panic!("not an append: {effect:?}") };
    let (mut rest, mut frames, mut last) = (bytes.clone(), Vec::new(), None);
    while !rest.is_empty() {
        let decoded = last.map_or_else(|| decode_alone(&rest), |last| decode(&rest, last));
        let Decoded::Frame(frame, length) = decoded else { panic!("no frame in {rest:?}") };
        last = Some(match &frame {
            Frame::Header(header) => header.start(),
            Frame::Record(record) => record.position,
        });
        let _ = rest.split_to(length);
        frames.push(frame);
    }
    (*segment, frames)
}

fn texts(frames: &[Frame]) -> Vec<String> {
    let text = |frame: &Frame| match frame {
        Frame::Header(header) => format!("header through {}", header.through),
        Frame::Record(record) => {
            format!("{}@{} mark {}", String::from_utf8_lossy(&record.entries), record.position.sequence, record.mark)
        }
    };
    frames.iter().map(text).collect()
}

/// A writer whose first segment is open and empty but for its header.
fn started(segment_bytes: u64) -> Writer {
    start(writer(segment_bytes))
}

fn start(mut writer: Writer) -> Writer {
    assert_eq!(writer.effects(at(0)), [WriterEffect::Create(id(0))]);
    writer.created(id(0), Some(10_000), at(0)).unwrap();
    let effects = writer.effects(at(0));
    assert_eq!(texts(&frames(&effects[0]).1), ["header through 0"]);
    assert!(writer.appended(id(0), true, at(0)));
    assert_eq!(writer.flushed(), Some(Position::START));
    writer
}

#[test]
fn a_flush_waits_for_who_comes_back_sooner_than_a_flush_takes() {
    let mut writer = started(1000);
    let both = |writer: &mut Writer, from: u64| {
        writer.append(Bytes::from_static(b"one"), 2);
        assert_eq!(writer.effects(at(from)).len(), 1);
        assert!(writer.appended(id(0), true, at(from + 10)));
    };
    both(&mut writer, 100);
    both(&mut writer, 111);
    writer.append(Bytes::from_static(b"one"), 1);
    assert_eq!(writer.effects(at(122)), []);
    assert_eq!(writer.wake_at(at(122)), Some(at(123)), "2 ms after the flush at the latest");
    writer.append(Bytes::from_static(b"two"), 1);
    let effects = writer.effects(at(122));
    assert!(matches!(&effects[..], [WriterEffect::Append { .. }]), "{effects:?}");
}

#[test]
fn what_is_queued_during_a_flush_goes_with_the_next_one() {
    let mut writer = started(1000);
    writer.append(Bytes::from_static(b"one"), 1);
    assert_eq!(writer.effects(at(1)).len(), 1);
    writer.append(Bytes::from_static(b"two"), 1);
    writer.append(Bytes::from_static(b"three"), 1);
    assert_eq!(writer.effects(at(1)), []);
    assert_eq!(writer.flushed().map(|flushed| flushed.sequence), Some(SequenceNumber(0)));
    writer.appended(id(0), true, at(0));
    writer.answered(writer.flushed().unwrap());
    let effects = writer.effects(at(2));
    let WriterEffect::Append { bytes, .. } = &effects[0] else { panic!("{effects:?}") };
    let one = Position::START.after(b"one");
    let Decoded::Frame(Frame::Record(two), length) = decode(bytes, one) else { panic!("no record") };
    assert_eq!((two.entries.as_ref(), two.mark), (b"two".as_ref(), SequenceNumber(1)));
    assert!(matches!(decode(&bytes.slice(length..), two.position), Decoded::Frame(Frame::Record(_), _)));
}

#[test]
fn a_flush_begins_behind_another_one_and_counts_after_it() {
    let mut writer = start(writer_with(1000, 2));
    let sent = |writer: &mut Writer, text: &'static str| {
        writer.append(Bytes::from_static(text.as_bytes()), 1);
        writer.effects(at(1)).iter().flat_map(|effect| texts(&frames(effect).1)).collect::<Vec<_>>()
    };
    assert_eq!(sent(&mut writer, "one"), ["one@1 mark 0"]);
    assert_eq!(sent(&mut writer, "two"), ["two@2 mark 0"], "what is under way is not sent again");
    assert_eq!(sent(&mut writer, "three"), [""; 0], "no more than two");
    assert!(writer.appended(id(0), true, at(2)));
    assert_eq!(writer.flushed().map(|flushed| flushed.sequence), Some(SequenceNumber(1)));
    let bytes_of_one = writer.base.unwrap().bytes;
    assert_eq!(writer.effects(at(2)), [], "less than half of all wait");
    assert_eq!(sent(&mut writer, "four"), ["three@3 mark 0", "four@4 mark 0"]);
    // The second fails, and the others with it: all are copied behind the first.
    assert!(writer.appended(id(0), false, at(3)));
    assert!(!writer.appended(id(0), true, at(3)), "nothing of the old segment counts any more");
    writer.answered(writer.flushed().unwrap());
    assert_eq!(writer.effects(at(3)), [WriterEffect::Create(id(1))]);
    writer.created(id(1), Some(10_000), at(3)).unwrap();
    let effects = writer.effects(at(3));
    let (segment, frames) = frames(&effects[0]);
    assert_eq!(
        (segment, texts(&frames)),
        (id(1), ["header through 4", "two@2 mark 1", "three@3 mark 1", "four@4 mark 1"].map(String::from).to_vec())
    );
    let Frame::Header(header) = &frames[0] else { panic!("{frames:?}") };
    let base = header.base.unwrap();
    assert_eq!((base.segment, base.bytes, base.position.sequence), (id(0), bytes_of_one, SequenceNumber(1)));
    // The first append of a segment is alone.
    writer.append(Bytes::from_static(b"five"), 5);
    assert_eq!(writer.effects(at(4)), []);
    assert!(writer.appended(id(1), true, at(4)));
    assert_eq!(writer.flushed().map(|flushed| flushed.sequence), Some(SequenceNumber(4)));
    assert_eq!(writer.effects(at(4)).len(), 1);
}

#[test]
fn a_segment_that_is_followed_by_another_ends_with_one_flush_at_a_time() {
    let mut writer = start(writer_with(110, 2));
    writer.append(Bytes::from_static(b"one"), 1);
    let effects = writer.effects(at(1));
    assert!(
        matches!(&effects[..], [WriterEffect::Append { .. }, WriterEffect::Create(next)] if *next == id(1)),
        "{effects:?}"
    );
    writer.created(id(1), Some(10_000), at(1)).unwrap();
    writer.append(Bytes::from_static(b"two"), 1);
    assert_eq!(writer.effects(at(1)), []);
    assert!(writer.appended(id(0), true, at(2)));
    writer.answered(writer.flushed().unwrap());
    let effects = writer.effects(at(2));
    assert!(
        matches!(&effects[..], [WriterEffect::Close(_), WriterEffect::Append { segment, .. }, ..] if *segment == id(1)),
        "{effects:?}"
    );
}

#[test]
fn an_idle_writer_writes_its_mark_once() {
    let mut writer = started(1000);
    writer.append(Bytes::from_static(b"one"), 1);
    writer.effects(at(0));
    writer.appended(id(0), true, at(0));
    writer.answered(writer.flushed().unwrap());
    assert_eq!(writer.effects(at(49)), []);
    assert_eq!(writer.wake_at(at(0)), Some(at(50)));
    let effects = writer.effects(at(50));
    assert_eq!(texts(&frames(&effects[0]).1), ["@1 mark 1"]);
    writer.appended(id(0), true, at(0));
    assert_eq!((writer.effects(at(500)), writer.wake_at(at(500))), (vec![], None));
}

#[test]
fn a_failed_flush_is_copied_into_the_next_segment_and_late_answers_mean_nothing() {
    let mut writer = started(1000);
    writer.append(Bytes::from_static(b"one"), 1);
    writer.effects(at(0));
    writer.appended(id(0), true, at(0));
    writer.answered(writer.flushed().unwrap());
    let acknowledged = writer.base;
    writer.append(Bytes::from_static(b"two"), 1);
    writer.effects(at(1));
    assert!(writer.appended(id(0), false, at(0)));
    assert_eq!(writer.effects(at(2)), [WriterEffect::Create(id(1))]);
    writer.append(Bytes::from_static(b"three"), 1);
    writer.created(id(1), Some(10_000), at(3)).unwrap();
    let effects = writer.effects(at(3));
    assert!(!writer.appended(id(0), true, at(0)), "an answer of the old segment");
    assert_eq!(writer.flushed().map(|flushed| flushed.sequence), Some(SequenceNumber(1)));
    let (segment, frames) = frames(&effects[0]);
    assert_eq!(segment, id(1));
    assert_eq!(texts(&frames), ["header through 3", "two@2 mark 1", "three@3 mark 1"]);
    let Frame::Header(header) = &frames[0] else { panic!("no header") };
    assert_eq!(header.base, acknowledged);
    // A second failure before anything of segment 1 was acknowledged keeps the base (F7).
    assert!(writer.appended(id(1), false, at(0)));
    writer.effects(at(4));
    writer.effects(at(204));
    writer.created(id(2), Some(10_000), at(205)).unwrap();
    let effects = writer.effects(at(205));
    let WriterEffect::Append { bytes, .. } = &effects[0] else { panic!("{effects:?}") };
    let Decoded::Frame(Frame::Header(header), _) = decode(bytes, Position::START) else { panic!("no header") };
    assert_eq!(header.base, acknowledged);
}

#[test]
fn a_full_segment_is_followed_by_one_that_was_created_ahead() {
    let mut writer = started(100);
    writer.append(Bytes::from_static(b"one"), 1);
    let effects = writer.effects(at(0));
    assert_eq!(effects[1..], [WriterEffect::Create(id(1))]);
    writer.created(id(1), Some(10_000), at(0)).unwrap();
    assert_eq!(writer.effects(at(0)), [], "not before the flush that is under way");
    writer.appended(id(0), true, at(0));
    assert_eq!(writer.effects(at(0)), [], "nor while what is flushed is held back: a base says answered");
    writer.answered(writer.flushed().unwrap());
    writer.append(Bytes::from_static(b"two"), 1);
    let effects = writer.effects(at(1));
    assert_eq!(effects[0], WriterEffect::Close(id(0)));
    assert_eq!(texts(&frames(&effects[1]).1), ["header through 2", "two@2 mark 1"]);
    assert_eq!(writer.flushed_segments(), 1);
    writer.appended(id(1), true, at(0));
    assert_eq!(writer.flushed_segments(), 2);
}

#[test]
fn the_epoch_is_given_up_when_its_first_segment_is_taken() {
    let mut writer = writer(1000);
    writer.effects(at(0));
    assert_eq!(writer.created(SegmentId { epoch: 1, index: 0 }, None, at(1)), Ok(false), "of an epoch given up");
    assert_eq!(writer.created(id(0), None, at(1)), Err(EpochTaken));
}

#[test]
fn a_later_segment_that_cannot_be_created_is_tried_under_the_next_name_after_a_while() {
    let mut writer = started(1000);
    writer.append(Bytes::from_static(b"one"), 1);
    writer.effects(at(0));
    writer.appended(id(0), false, at(0));
    assert_eq!(writer.effects(at(1)), [WriterEffect::Create(id(1))]);
    writer.created(id(1), None, at(2)).unwrap();
    assert_eq!(writer.effects(at(3)), []);
    assert_eq!(writer.wake_at(at(2)), Some(at(2) + CREATE_DELAY));
    assert_eq!(writer.effects(at(202)), [WriterEffect::Create(id(2))]);
    // An outage leaves an empty file with each try: fewer and fewer tries, but one every two seconds.
    let mut now = 202;
    for (index, delay) in [(2, 400), (3, 800), (4, 1600), (5, 2000), (6, 2000)] {
        writer.created(id(index), None, at(now)).unwrap();
        assert_eq!(writer.effects(at(now + delay - 1)), []);
        now += delay;
        assert_eq!(writer.effects(at(now)), [WriterEffect::Create(id(index + 1))]);
    }
    writer.created(id(7), Some(1000), at(now)).unwrap();
    writer.effects(at(now));
    writer.appended(id(7), true, at(0));
    writer.append(Bytes::from_static(b"two"), 1);
    writer.effects(at(now));
    writer.appended(id(7), false, at(0));
    writer.effects(at(now));
    writer.created(id(8), None, at(now)).unwrap();
    assert_eq!(writer.wake_at(at(now)), Some(at(now) + CREATE_DELAY), "a flush that succeeded begins it anew");
}

/// As under a quota: the open segment has its room.
#[test]
fn while_the_segment_before_takes_what_comes_the_next_one_is_tried_more_and_more_seldom() {
    let mut writer = started(1);
    let mut now = 0;
    for (index, delay) in [(1, 200), (2, 400), (3, 800), (4, 1600), (5, 3200), (6, 6400)] {
        writer.created(id(index), None, at(now)).unwrap();
        writer.append(Bytes::from_static(b"one"), 1);
        assert!(matches!(writer.effects(at(now))[..], [WriterEffect::Append { .. }]));
        writer.appended(id(0), true, at(0));
        assert_eq!((writer.effects(at(now + delay - 1)), writer.is_failing()), (vec![], false));
        now += delay;
        assert_eq!(writer.effects(at(now)), [WriterEffect::Create(id(index + 1))]);
    }
    // The segment breaks: now the next one is tried as often as in any outage.
    writer.created(id(7), None, at(now)).unwrap();
    writer.append(Bytes::from_static(b"two"), 1);
    writer.effects(at(now));
    writer.appended(id(0), false, at(0));
    assert_eq!((writer.effects(at(now)), writer.wake_at(at(now))), (vec![], Some(at(now + 2000))));
}

#[test]
fn segments_that_can_be_created_and_not_written_do_not_follow_each_other_at_once() {
    let mut writer = started(1000);
    writer.append(Bytes::from_static(b"one"), 1);
    writer.effects(at(0));
    writer.appended(id(0), false, at(0));
    assert_eq!(writer.effects(at(0)), [WriterEffect::Create(id(1))], "the first may be the fault of a DataNode");
    let mut now = 0;
    for (index, delay) in [(1, 200), (2, 400), (3, 800)] {
        writer.created(id(index), Some(1000), at(now)).unwrap();
        assert!(matches!(writer.effects(at(now))[..], [WriterEffect::Append { .. }]));
        writer.appended(id(index), false, at(0));
        assert_eq!((writer.effects(at(now)), writer.wake_at(at(now))), (vec![], Some(at(now + delay))));
        now += delay;
        assert_eq!(writer.effects(at(now)), [WriterEffect::Create(id(index + 1))]);
    }
}

#[test]
fn nothing_leaves_the_room_of_a_segment() {
    let mut writer = started(1_000_000);
    for _ in 0..200 {
        writer.append(Bytes::from_static(&[b'x'; 100]), 1);
    }
    assert_eq!(writer.effects(at(0)), [WriterEffect::Create(id(1))]);
    assert!(writer.is_full());
}

#[test]
fn a_segment_that_breaks_while_nothing_is_sent_is_followed_by_another_without_haste() {
    let mut writer = started(1000);
    assert!(writer.appended(id(0), false, at(5)));
    assert_eq!(writer.effects(at(5)), [WriterEffect::Create(id(1))]);
    assert!(!writer.appended(id(0), false, at(5)), "it is over");
    let mut now = 5;
    for (index, delay) in [(1, 200), (2, 400), (3, 800), (4, 1600), (5, 3200)] {
        writer.created(id(index), None, at(now)).unwrap();
        assert_eq!((writer.effects(at(now + delay - 1)), writer.is_failing()), (vec![], false));
        now += delay;
        assert_eq!(writer.effects(at(now)), [WriterEffect::Create(id(index + 1))]);
    }
    writer.created(id(6), None, at(now)).unwrap();
    // Now somebody waits.
    writer.append(Bytes::from_static(b"one"), 1);
    assert_eq!((writer.effects(at(now)), writer.wake_at(at(now))), (vec![], Some(at(now + 2000))));
    assert_eq!(writer.effects(at(now + 2000)), [WriterEffect::Create(id(7))]);
    writer.created(id(7), Some(1000), at(now + 2000)).unwrap();
    let (segment, written) = frames(&writer.effects(at(now + 2000))[0]);
    assert_eq!((segment, texts(&written)), (id(7), vec!["header through 1".to_owned(), "one@1 mark 0".to_owned()]));
}

#[test]
fn a_segment_that_breaks_before_it_is_written_to_is_replaced() {
    let mut writer = started(1);
    writer.append(Bytes::from_static(b"one"), 1);
    assert_eq!(writer.effects(at(0)).len(), 1);
    writer.created(id(1), Some(1000), at(0)).unwrap();
    assert_eq!(writer.effects(at(0)), []);
    assert!(writer.appended(id(1), false, at(0)));
    assert_eq!(writer.effects(at(0)), [WriterEffect::Create(id(2))]);
    assert!(writer.appended(id(0), true, at(0)), "what is under way is not hurt");
}

/// Standbys cannot apply what no mark covers.
#[test]
fn a_mark_that_is_not_written_is_waited_for() {
    let mut writer = started(1000);
    writer.append(Bytes::from_static(b"one"), 1);
    writer.effects(at(0));
    writer.appended(id(0), true, at(0));
    writer.answered(writer.flushed().unwrap());
    assert_eq!(writer.effects(at(50)).len(), 1, "the mark of an idle writer");
    writer.appended(id(0), false, at(50));
    assert_eq!(writer.effects(at(50)), [WriterEffect::Create(id(1))]);
    let mut now = 50;
    for (index, delay) in [(1, 200), (2, 400), (3, 800), (4, 1600), (5, 2000), (6, 2000)] {
        writer.created(id(index), None, at(now)).unwrap();
        assert_eq!(writer.wake_at(at(now)), Some(at(now + delay)));
        now += delay;
        assert_eq!(writer.effects(at(now)), [WriterEffect::Create(id(index + 1))]);
    }
}
