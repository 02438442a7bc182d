//! Pure. Bytes of a segment: frames of 48 bytes of header and a body.
//!
//! ```text
//! offset  0  kind: 'H' segment header, 'R' record
//!         1  magic "AJ1"
//!         4  u32 length of the body
//!         8  u64 epoch of the writer
//!        16  u64 sequence   ─ position after this frame:
//!        24  u64 hash       ─ number of the last record, rolling hash of the history up to it
//!        32  u64 mark: highest sequence that had been answered when this was written
//!        40  u32 CRC-32C of the body
//!        44  u32 CRC-32C of the 44 bytes before
//!        48  body
//! ```
//! Numbers are little-endian. A record without entries carries only its mark and keeps the position before it.
//! The hash covers sequence and entries only, so a copied record means the same in every segment.

use super::chain::{Base, Position, Record, SegmentHeader};
use super::folder::SegmentId;
use crate::proto::alluxio_rs::journal as message;
use crate::types::SequenceNumber;
use bytes::Bytes;
use prost::Message;

/// Bytes before the body.
pub const FRAME_HEADER_BYTES: usize = 48;
/// No body is longer; a length above it is damage, not a torn frame.
pub const BODY_BYTES_MAX: usize = 64 << 20;

/// What every frame has behind its kind.
pub const MAGIC: &[u8; 3] = b"AJ1";
const KIND_SEGMENT: u8 = b'H';
const KIND_RECORD: u8 = b'R';

/// One frame of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The first frame of every segment.
    Header(SegmentHeader),
    /// All others.
    Record(Record),
}

/// What stands at a place of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// A whole frame and its length in bytes.
    Frame(Frame, usize),
    /// The bytes end before the frame does, or only zeros follow.
    Torn,
    /// Something that no writer wrote.
    Damaged(String),
}

/// The hash of the history that `before` is the hash of, continued by the record `sequence`.
pub fn history_hash(before: u64, sequence: SequenceNumber, entries: &[u8]) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::with_seed(before);
    hasher.update(&sequence.0.to_le_bytes());
    hasher.update(entries);
    hasher.digest()
}

/// Appends the frame of a record, as the writer of `epoch` writes it under `mark`.
pub fn encode_record(out: &mut Vec<u8>, epoch: u64, position: Position, mark: SequenceNumber, entries: &[u8]) {
    encode_frame(out, KIND_RECORD, epoch, position, mark, entries);
}

/// Appends the frame of a segment header. Its mark is the sequence of the base, which was acknowledged.
pub fn encode_header(out: &mut Vec<u8>, header: &SegmentHeader) {
    let body = message::SegmentHeader {
        cluster_id: header.cluster_id.clone(),
        genesis: header.genesis,
        epoch: header.segment.epoch,
        index: header.segment.index,
        base: header.base.map(|base| message::Base {
            epoch: base.segment.epoch,
            index: base.segment.index,
            bytes: base.bytes,
            sequence: base.position.sequence.0,
            hash: base.position.hash,
        }),
        through: header.through.0,
    };
    let start = header.start();
    encode_frame(out, KIND_SEGMENT, header.segment.epoch, start, start.sequence, &body.encode_to_vec());
}

fn encode_frame(out: &mut Vec<u8>, kind: u8, epoch: u64, at: Position, mark: SequenceNumber, body: &[u8]) {
    assert!(body.len() <= BODY_BYTES_MAX, "a batch is bounded far below {BODY_BYTES_MAX} bytes");
    let begin = out.len();
    out.reserve(FRAME_HEADER_BYTES + body.len());
    out.push(kind);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    for number in [epoch, at.sequence.0, at.hash, mark.0] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(&crc32c::crc32c(body).to_le_bytes());
    let crc = crc32c::crc32c(&out[begin..]);
    out.extend_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(body);
}

/// Reads the frame that begins at the beginning of `bytes`. `before` is the position before it, against which the
/// hash of a record is verified.
pub fn decode(bytes: &Bytes, before: Position) -> Decoded {
    decode_frame(bytes, Some(before))
}

/// As `decode`, where the position before is not known: that a record follows anything is not verified.
pub fn decode_alone(bytes: &Bytes) -> Decoded {
    decode_frame(bytes, None)
}

/// How long the frame is that begins at the beginning of `bytes`, whether all of it is there or not; none if its header is
/// not whole.
pub fn length_of(bytes: &[u8]) -> Option<usize> {
    let header = bytes.get(..FRAME_HEADER_BYTES).filter(|header| &header[1..4] == MAGIC)?;
    let (covered, crc) = header.split_at(FRAME_HEADER_BYTES - 4);
    let is_whole = crc32c::crc32c(covered).to_le_bytes() == crc;
    let length = u32::from_le_bytes(header[4..8].try_into().ok()?) as usize;
    (is_whole && length <= BODY_BYTES_MAX).then_some(FRAME_HEADER_BYTES + length)
}

fn decode_frame(bytes: &Bytes, before: Option<Position>) -> Decoded {
    if bytes.len() < FRAME_HEADER_BYTES || (bytes[0] == 0 && bytes.iter().all(|byte| *byte == 0)) {
        return Decoded::Torn;
    }
    let u32_at = |at: usize| bytes[at..at + 4].iter().rev().fold(0u32, |number, byte| number << 8 | u32::from(*byte));
    let u64_at = |at: usize| bytes[at..at + 8].iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    if &bytes[1..4] != MAGIC {
        return Decoded::Damaged("no frame begins here".into());
    }
    if crc32c::crc32c(&bytes[..44]) != u32_at(44) {
        return Decoded::Damaged("checksum of a frame header".into());
    }
    let length = u32_at(4) as usize;
    if length > BODY_BYTES_MAX {
        return Decoded::Damaged(format!("a body of {length} bytes"));
    }
    if bytes.len() < FRAME_HEADER_BYTES + length {
        return Decoded::Torn;
    }
    let body = bytes.slice(FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + length);
    if crc32c::crc32c(&body) != u32_at(40) {
        return Decoded::Damaged("checksum of a body".into());
    }
    let position = Position { sequence: SequenceNumber(u64_at(16)), hash: u64_at(24) };
    let frame = match bytes[0] {
        KIND_RECORD => {
            let record = Record { epoch: u64_at(8), position, mark: SequenceNumber(u64_at(32)), entries: body };
            check_record(&record, before).map(|()| Frame::Record(record))
        }
        KIND_SEGMENT => decode_header(&body, position).map(Frame::Header),
        kind => Err(format!("a frame of unknown kind {kind:#04x}: it was written by a newer version")),
    };
    match frame {
        Ok(frame) => Decoded::Frame(frame, FRAME_HEADER_BYTES + length),
        Err(reason) => Decoded::Damaged(reason),
    }
}

fn check_record(record: &Record, before: Option<Position>) -> Result<(), String> {
    if let Some(before) = before {
        let expected = if record.entries.is_empty() { before } else { before.after(&record.entries) };
        if record.position != expected {
            return Err(format!("record {} does not follow {}", record.position, before));
        }
    }
    if record.mark > record.position.sequence {
        return Err(format!("record {} has the mark {} before it", record.position, record.mark));
    }
    Ok(())
}

fn decode_header(body: &[u8], position: Position) -> Result<SegmentHeader, String> {
    let body = message::SegmentHeader::decode(body).map_err(|error| format!("segment header: {error}"))?;
    let header = SegmentHeader {
        cluster_id: body.cluster_id,
        genesis: body.genesis,
        segment: SegmentId { epoch: body.epoch, index: body.index },
        base: body.base.map(|base| Base {
            segment: SegmentId { epoch: base.epoch, index: base.index },
            bytes: base.bytes,
            position: Position { sequence: SequenceNumber(base.sequence), hash: base.hash },
        }),
        through: SequenceNumber(body.through),
    };
    if header.start() != position || header.through < position.sequence {
        return Err("segment header that contradicts itself".into());
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(base: Option<Base>, through: u64) -> SegmentHeader {
        SegmentHeader {
            cluster_id: "c".into(),
            genesis: 7,
            segment: SegmentId { epoch: 3, index: 1 },
            base,
            through: SequenceNumber(through),
        }
    }

    fn record(before: Position, mark: u64, entries: &[u8]) -> (Vec<u8>, Position) {
        let (mut out, after) = (Vec::new(), before.after(entries));
        encode_record(&mut out, 3, after, SequenceNumber(mark), entries);
        (out, after)
    }

    #[test]
    fn frames_come_back_as_they_were_written() {
        let base = Base { segment: SegmentId { epoch: 2, index: 0 }, bytes: 99, position: Position::START.after(b"x") };
        let written = header(Some(base), 4);
        let mut out = Vec::new();
        encode_header(&mut out, &written);
        let length = out.len();
        assert_eq!(decode(&out.into(), Position::START), Decoded::Frame(Frame::Header(written), length));

        let (out, after) = record(base.position, 1, b"entries");
        let length = out.len();
        let expected =
            Record { epoch: 3, position: after, mark: SequenceNumber(1), entries: Bytes::from_static(b"entries") };
        assert_eq!(decode(&out.into(), base.position), Decoded::Frame(Frame::Record(expected), length));
    }

    #[test]
    fn every_cut_of_a_frame_is_torn_and_every_changed_byte_is_damage() {
        let (whole, _) = record(Position::START, 0, b"some entries");
        for cut in 0..whole.len() {
            assert_eq!(decode(&whole[..cut].to_vec().into(), Position::START), Decoded::Torn, "cut at {cut}");
        }
        for at in 0..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 0x10;
            assert!(matches!(decode(&changed.into(), Position::START), Decoded::Damaged(_)), "byte {at}");
        }
        assert_eq!(decode(&vec![0; 100].into(), Position::START), Decoded::Torn);
    }

    #[test]
    fn a_record_of_another_history_is_damage() {
        let (out, _) = record(Position::START, 0, b"a");
        let elsewhere = Position::START.after(b"b");
        assert!(matches!(decode(&out.into(), elsewhere), Decoded::Damaged(_)));
    }

    /// These bytes are in journals: they must be read for ever. A change here is a new layout.
    #[test]
    fn layout_1_is_golden() {
        let (out, _) = record(Position::START, 0, b"ab");
        let hex: String = out.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "52414a3102000000030000000000000001000000000000004b064c61b7ac30570000000000000000\
             3629a2e2e6973a606162"
        );
    }
}
