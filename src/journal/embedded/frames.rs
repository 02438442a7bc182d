//! Pure. Bytes of the replicated log: frames of 48 bytes of header and a body, as `journal/codec.rs` has them.
//!
//! ```text
//! offset  0  kind
//!         1  magic "AJ1"
//!         4  u32 length of the body
//!         8  u64 term
//!        16  u64 sequence   ─ position after a record; 0 in all other frames
//!        24  u64 hash       ─
//!        32  u64 index of the log entry
//!        40  u32 CRC-32C of the body
//!        44  u32 CRC-32C of the 44 bytes before
//!        48  body
//!
//! kind    frame                       term and index                   body
//! 'E'     log entry: a record         its own                          u64 term of the record, entries
//! 'B'     log entry: blank            its own                          none
//! 'M'     log entry: the members      its own                          RaftMembership
//! 'V'     vote                        its term, 0                      u64 member, u8 committed
//! 'T'     truncated                   term of the last that is left,    none
//!                                     the first index that is gone
//! 'P'     purged                      the last that is gone            none
//! 'S'     begin of a segment          the last log entry before it     u64 number of the segment, u8 is there an entry
//! ```
//! Numbers are little-endian.

use super::types::{LogEntry, LogId, Member, MemberId, Membership, Payload, Record, Vote, log_id, term_of};
use crate::journal::chain::Position;
use crate::journal::codec::{BODY_BYTES_MAX, FRAME_HEADER_BYTES, MAGIC};
use crate::proto::alluxio_rs::journal as message;
use crate::types::SequenceNumber;
use bytes::{Buf, Bytes};
use prost::Message;
use std::collections::BTreeMap;

const KIND_RECORD: u8 = b'E';
const KIND_BLANK: u8 = b'B';
const KIND_MEMBERSHIP: u8 = b'M';
const KIND_VOTE: u8 = b'V';
const KIND_TRUNCATED: u8 = b'T';
const KIND_PURGED: u8 = b'P';
const KIND_SEGMENT: u8 = b'S';

/// One frame of the log.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// The first frame of a segment.
    Segment {
        /// Number of the segment.
        number: u64,
        /// The last log entry, or the last that was purged, when it was begun.
        last: Option<LogId>,
    },
    /// The next log entry.
    Entry(LogEntry),
    /// The vote from now on.
    Vote(Vote),
    /// No entry is left behind this one; none: no entry at all.
    Truncated(Option<LogId>),
    /// Entries up to this one are not needed any more.
    Purged(LogId),
}

/// What stands at a place of the log.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    /// A whole frame and its length in bytes.
    Frame(Frame, usize),
    /// Only zeros follow, or nothing.
    End,
    /// The bytes end before the frame does.
    Short,
    /// Something that no writer wrote, or only in part.
    Unfit(String),
}

/// What the header has beside kind, length and sums.
#[derive(Debug, Clone, Copy, Default)]
struct Fields {
    term: u64,
    position: Position,
    index: u64,
}

/// Appends the frame.
pub fn encode(out: &mut Vec<u8>, frame: &Frame) {
    match frame {
        Frame::Segment { number, last } => {
            let mut body = number.to_le_bytes().to_vec();
            body.push(u8::from(last.is_some()));
            encode_frame(out, KIND_SEGMENT, last.as_ref().map(Fields::of).unwrap_or_default(), &[&body]);
        }
        Frame::Entry(entry) => encode_entry(out, entry),
        Frame::Vote(vote) => {
            let member = vote.leader_id.voted_for.0.to_le_bytes();
            let fields = Fields { term: vote.leader_id.term, ..Fields::default() };
            encode_frame(out, KIND_VOTE, fields, &[&member, &[u8::from(vote.committed)]]);
        }
        Frame::Truncated(last) => {
            let gone = last.map_or(Fields::default(), |last| Fields { index: last.index + 1, ..Fields::of(&last) });
            encode_frame(out, KIND_TRUNCATED, gone, &[]);
        }
        Frame::Purged(upto) => encode_frame(out, KIND_PURGED, Fields::of(upto), &[]),
    }
}

/// Appends the frame of a log entry.
pub fn encode_entry(out: &mut Vec<u8>, entry: &LogEntry) {
    let fields = Fields::of(&entry.log_id);
    match &entry.payload {
        Payload::Blank => encode_frame(out, KIND_BLANK, fields, &[]),
        Payload::Normal(record) => {
            let fields = Fields { position: record.position, ..fields };
            encode_frame(out, KIND_RECORD, fields, &[&record.term.to_le_bytes(), &record.entries]);
        }
        Payload::Membership(members) => {
            encode_frame(out, KIND_MEMBERSHIP, fields, &[&encode_membership(members)]);
        }
    }
}

fn encode_frame(out: &mut Vec<u8>, kind: u8, fields: Fields, body: &[&[u8]]) {
    let length: usize = body.iter().map(|part| part.len()).sum();
    assert!(length <= BODY_BYTES_MAX, "a batch is bounded far below {BODY_BYTES_MAX} bytes");
    let begin = out.len();
    out.reserve(FRAME_HEADER_BYTES + length);
    out.push(kind);
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&(length as u32).to_le_bytes());
    for number in [fields.term, fields.position.sequence.0, fields.position.hash, fields.index] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    let sum = body.iter().fold(0, |sum, part| crc32c::crc32c_append(sum, part));
    out.extend_from_slice(&sum.to_le_bytes());
    let sum = crc32c::crc32c(&out[begin..]);
    out.extend_from_slice(&sum.to_le_bytes());
    body.iter().for_each(|part| out.extend_from_slice(part));
}

/// Reads the frame that begins at the beginning of `bytes`.
pub fn decode(bytes: &Bytes) -> Decoded {
    if bytes.iter().all(|byte| *byte == 0) {
        return Decoded::End;
    }
    if bytes.len() < FRAME_HEADER_BYTES {
        return Decoded::Short;
    }
    let mut header = bytes.slice(..FRAME_HEADER_BYTES);
    let sum = crc32c::crc32c(&header[..FRAME_HEADER_BYTES - 4]);
    let kind = header.get_u8();
    if header.split_to(MAGIC.len())[..] != MAGIC[..] {
        return Decoded::Unfit("no frame begins here".into());
    }
    let length = header.get_u32_le() as usize;
    let term = header.get_u64_le();
    let position = Position { sequence: SequenceNumber(header.get_u64_le()), hash: header.get_u64_le() };
    let fields = Fields { term, position, index: header.get_u64_le() };
    let body_sum = header.get_u32_le();
    if sum != header.get_u32_le() {
        return Decoded::Unfit("checksum of a frame header".into());
    }
    if length > BODY_BYTES_MAX {
        return Decoded::Unfit(format!("a body of {length} bytes"));
    }
    if bytes.len() < FRAME_HEADER_BYTES + length {
        return Decoded::Short;
    }
    let body = bytes.slice(FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + length);
    if crc32c::crc32c(&body) != body_sum {
        return Decoded::Unfit("checksum of a body".into());
    }
    match decode_body(kind, fields, body) {
        Ok(frame) => Decoded::Frame(frame, FRAME_HEADER_BYTES + length),
        Err(reason) => Decoded::Unfit(reason),
    }
}

fn decode_body(kind: u8, fields: Fields, mut body: Bytes) -> Result<Frame, String> {
    let expected = match kind {
        KIND_RECORD | KIND_MEMBERSHIP => body.len().max(8 * usize::from(kind == KIND_RECORD)),
        KIND_VOTE | KIND_SEGMENT => 9,
        _ => 0,
    };
    if body.len() != expected {
        return Err(format!("a body of {} bytes in a frame of kind {kind:#04x}", body.len()));
    }
    let id = fields.log_id();
    Ok(match kind {
        KIND_BLANK => Frame::Entry(LogEntry { log_id: id, payload: Payload::Blank }),
        KIND_RECORD => {
            let record = Record { term: body.get_u64_le(), position: fields.position, entries: body };
            Frame::Entry(LogEntry { log_id: id, payload: Payload::Normal(record) })
        }
        KIND_MEMBERSHIP => {
            let members = decode_membership(&body)?;
            Frame::Entry(LogEntry { log_id: id, payload: Payload::Membership(members) })
        }
        KIND_VOTE => {
            let mut vote = Vote::new(fields.term, MemberId(body.get_u64_le()));
            vote.committed = body.get_u8() != 0;
            Frame::Vote(vote)
        }
        KIND_TRUNCATED => Frame::Truncated(fields.index.checked_sub(1).map(|last| log_id(fields.term, last))),
        KIND_PURGED => Frame::Purged(id),
        KIND_SEGMENT => Frame::Segment { number: body.get_u64_le(), last: (body.get_u8() != 0).then_some(id) },
        kind => return Err(format!("a frame of unknown kind {kind:#04x}: it was written by a newer version")),
    })
}

/// The members as bytes.
pub fn encode_membership(members: &Membership) -> Vec<u8> {
    let voters = members.get_joint_config().iter();
    let voters = voters.map(|ids| message::RaftVoters { ids: ids.iter().map(|id| id.0).collect() });
    let nodes = members.nodes().map(|(id, member)| message::RaftMember {
        id: id.0,
        rpc_address: member.rpc_address.clone(),
        raft_address: member.raft_address.clone(),
    });
    message::RaftMembership { voters: voters.collect(), members: nodes.collect() }.encode_to_vec()
}

/// The members that the bytes tell of.
pub fn decode_membership(bytes: &[u8]) -> Result<Membership, String> {
    let message = message::RaftMembership::decode(bytes).map_err(|error| format!("members: {error}"))?;
    let voters = message.voters.iter().map(|voters| voters.ids.iter().copied().map(MemberId).collect());
    let members = message.members.into_iter().map(|member| {
        let place = Member { rpc_address: member.rpc_address, raft_address: member.raft_address };
        (MemberId(member.id), place)
    });
    let members: BTreeMap<MemberId, Member> = members.collect();
    Membership::new(voters.collect(), members).map_err(|error| format!("members: {error}"))
}

impl Fields {
    fn of(id: &LogId) -> Fields {
        Fields { term: term_of(id), index: id.index, ..Fields::default() }
    }

    fn log_id(&self) -> LogId {
        log_id(self.term, self.index)
    }
}

#[cfg(test)]
#[path = "frames_tests.rs"]
mod tests;
