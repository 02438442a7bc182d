//! Pure. Rows of messages, each behind its length as a varint: logs, old checkpoints, parts of new ones, backups.

/// What stands at a place of such a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A whole message and where its length begins.
    Message {
        /// Bytes before it.
        offset: usize,
        /// The message.
        bytes: &'a [u8],
    },
    /// Nothing more.
    End,
    /// Fewer bytes than the message needs.
    Torn {
        /// Where its length begins.
        offset: usize,
    },
    /// No length of any message.
    NoLength {
        /// Where.
        offset: usize,
    },
}

/// A place in a row of messages.
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Frames<'a> {
    /// The first message.
    pub fn of(bytes: &'a [u8]) -> Frames<'a> {
        Frames { bytes, at: 0 }
    }

    /// What stands here; goes on behind it if it is a message.
    pub fn next_frame(&mut self) -> Frame<'a> {
        let offset = self.at;
        let rest = &self.bytes[offset..];
        if rest.is_empty() {
            return Frame::End;
        }
        match length_at(rest) {
            Length::Of(length, behind) if length <= rest.len() - behind => {
                self.at = offset + behind + length;
                Frame::Message { offset, bytes: &rest[behind..behind + length] }
            }
            Length::Of(..) | Length::Cut => Frame::Torn { offset },
            Length::None => Frame::NoLength { offset },
        }
    }
}

enum Length {
    /// Bytes of the message, and of its length.
    Of(usize, usize),
    /// The bytes end within it.
    Cut,
    /// Longer than any.
    None,
}

/// A varint of 32 bits, as the originals write and read it.
fn length_at(bytes: &[u8]) -> Length {
    let mut length = 0u64;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        length |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return if length <= i32::MAX as u64 { Length::Of(length as usize, index + 1) } else { Length::None };
        }
    }
    if bytes.len() < 5 { Length::Cut } else { Length::None }
}

/// Where, behind a message at `torn` that is not whole, another one stands that carries a sequence number from `next`
/// on: then a length is damaged, and no writer died.
pub fn message_behind(bytes: &[u8], torn: usize, next: i64) -> Option<usize> {
    /// A torn message is one of a few that follow.
    const AHEAD: i64 = 1 << 20;
    (torn + 1..bytes.len()).find(|at| {
        let Frame::Message { bytes: message, .. } = Frames::of(&bytes[*at..]).next_frame() else { return false };
        super::envelope::Envelope::of(message).is_ok_and(|entry| {
            entry.sequence.is_some_and(|sequence| (next..next.saturating_add(AHEAD)).contains(&sequence))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_is_torn_or_a_boundary() {
        let row = [&[2, b'a', b'b', 0x80, 1][..], &[7; 128]].concat();
        for cut in 0..row.len() {
            let mut frames = Frames::of(&row[..cut]);
            let mut last = frames.next_frame();
            while matches!(last, Frame::Message { .. }) {
                last = frames.next_frame();
            }
            let expected = match cut {
                0 | 3 => Frame::End,
                1 | 2 => Frame::Torn { offset: 0 },
                _ => Frame::Torn { offset: 3 },
            };
            assert_eq!(last, expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_length_beyond_all_messages_is_none() {
        for row in [[0xff; 5], [0xff, 0xff, 0xff, 0xff, 0x0f]] {
            assert_eq!(Frames::of(&row).next_frame(), Frame::NoLength { offset: 0 });
        }
    }
}
