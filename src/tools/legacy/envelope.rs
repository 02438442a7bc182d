//! Pure. A `JournalEntry` as far as all generations agree: a sequence number and one thing that is said.

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// Number of the field that holds the sequence number.
const SEQUENCE_NUMBER: u32 = 1;
/// Number of the field that holds the id under which a client asked.
const OPERATION_ID: u32 = 52;

/// See the module text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// Its number in the journal of its master; none in checkpoints and backups of 2.x.
    pub sequence: Option<i64>,
    /// Number of the field that is set: the kind of entry.
    pub kind: u32,
    /// The message in it.
    pub body: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// Reads one; the messages inside are not looked at.
    ///
    /// # Errors
    /// Bytes that are no message, or one that says nothing or several things.
    pub fn of(bytes: &'a [u8]) -> Result<Envelope<'a>, String> {
        let (mut sequence, mut action) = (None, None);
        let mut rest = bytes;
        while !rest.is_empty() {
            let (field, wire_type) = decode_key(&mut rest).map_err(|e| e.to_string())?;
            match (field, wire_type) {
                (SEQUENCE_NUMBER, WireType::Varint) if sequence.is_none() => {
                    sequence = Some(decode_varint(&mut rest).map_err(|e| e.to_string())?.cast_signed());
                }
                (OPERATION_ID, WireType::LengthDelimited) => {
                    skip_field(wire_type, field, &mut rest, DecodeContext::default()).map_err(|e| e.to_string())?;
                }
                (kind, WireType::LengthDelimited) if action.is_none() && kind != SEQUENCE_NUMBER => {
                    let length = decode_varint(&mut rest).map_err(|e| e.to_string())?;
                    let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
                    let (body, behind) = rest.split_at(length.ok_or("a message in it is longer than the entry")?);
                    action = Some((kind, body));
                    rest = behind;
                }
                _ => return Err(format!("field {field} does not belong there")),
            }
        }
        let (kind, body) = action.ok_or("it says nothing")?;
        Ok(Envelope { sequence, kind, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_says_one_thing() {
        let entry = [0x08, 0x07, 0xa2, 0x03, 0x00, 0x1a, 0x02, 0x08, 0x05];
        assert_eq!(Envelope::of(&entry), Ok(Envelope { sequence: Some(7), kind: 3, body: &[8, 5] }));
        for wrong in [&entry[..5], &[], &[entry, entry].concat(), &entry[5..8], &[0x08, 0x07, 0x1a, 0x7f]] {
            assert!(Envelope::of(wrong).is_err(), "{wrong:?}");
        }
    }
}
