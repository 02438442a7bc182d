use super::*;
use std::collections::BTreeSet;

fn member(port: u16) -> Member {
    Member { rpc_address: format!("a:{port}"), raft_address: format!("b:{port}") }
}

fn members() -> Membership {
    let voters = |ids: &[u64]| ids.iter().copied().map(MemberId).collect::<BTreeSet<_>>();
    let nodes: BTreeMap<_, _> = (1..=3).map(|id| (MemberId(id), member(id as u16))).collect();
    Membership::new(vec![voters(&[1, 2]), voters(&[2, 3])], nodes).unwrap()
}

fn entry(payload: Payload) -> Frame {
    Frame::Entry(LogEntry { log_id: log_id(5, 9), payload })
}

fn record() -> Record {
    let entries = Bytes::from_static(b"ab");
    Record { term: 5, position: Position::START.after(&entries), entries }
}

/// One of each kind.
fn all() -> Vec<Frame> {
    let mut committed = Vote::new(5, MemberId(7));
    committed.committed = true;
    vec![
        Frame::Segment { number: 3, last: Some(log_id(4, 8)) },
        Frame::Segment { number: 1, last: None },
        Frame::Vote(Vote::new(5, MemberId(7))),
        Frame::Vote(committed),
        entry(Payload::Blank),
        entry(Payload::Normal(record())),
        entry(Payload::Membership(members())),
        Frame::Truncated(Some(log_id(2, 5))),
        Frame::Truncated(None),
        Frame::Purged(log_id(2, 4)),
    ]
}

fn bytes_of(frame: &Frame) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut out, frame);
    out
}

#[test]
fn frames_come_back_as_they_were_written() {
    for frame in all() {
        let bytes = bytes_of(&frame);
        let length = bytes.len();
        assert_eq!(decode(&bytes.into()), Decoded::Frame(frame, length));
    }
}

#[test]
fn every_cut_is_short_and_every_changed_bit_is_seen() {
    for frame in all() {
        let whole = bytes_of(&frame);
        for cut in 1..whole.len() {
            assert_eq!(decode(&whole[..cut].to_vec().into()), Decoded::Short, "{frame:?} cut at {cut}");
        }
        for bit in 0..whole.len() * 8 {
            let mut changed = whole.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(decode(&changed.into()), Decoded::Unfit(_)), "{frame:?}, bit {bit}");
        }
    }
    assert_eq!(decode(&Bytes::new()), Decoded::End);
    assert_eq!(decode(&vec![0; 100].into()), Decoded::End);
}

/// These bytes are in logs: they must be read for ever. A change here is a new layout.
#[test]
fn layout_is_golden() {
    let hex = |frame: &Frame| bytes_of(frame).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let found: Vec<String> = all().iter().map(hex).collect();
    assert_eq!(found, GOLDEN);
}

const GOLDEN: [&str; 10] = [
    "53414a3109000000040000000000000000000000000000000000000000000000080000000000000089e7215004321cde03000000\
     0000000001",
    "53414a31090000000000000000000000000000000000000000000000000000000000000000000000ebbedb4fe314f9c601000000\
     0000000000",
    "56414a31090000000500000000000000000000000000000000000000000000000000000000000000b9a6857cc312127c07000000\
     0000000000",
    "56414a31090000000500000000000000000000000000000000000000000000000000000000000000ba25ee8e6f7d034407000000\
     0000000001",
    "42414a3100000000050000000000000000000000000000000000000000000000090000000000000000000000144f7917",
    "45414a310a000000050000000000000001000000000000004b064c61b7ac30570900000000000000ada025181f507c9805000000\
     000000006162",
    "4d414a31670000000500000000000000000000000000000000000000000000000900000000000000f23b6cce0ad2126f0a120901\
     000000000000000902000000000000000a1209020000000000000009030000000000000012130901000000000000001203613a31\
     1a03623a3112130902000000000000001203613a321a03623a3212130903000000000000001203613a331a03623a33",
    "54414a3100000000020000000000000000000000000000000000000000000000060000000000000000000000644d58c9",
    "54414a3100000000000000000000000000000000000000000000000000000000000000000000000000000000bcc2e509",
    "50414a31000000000200000000000000000000000000000000000000000000000400000000000000000000000903132f",
];
