//! The content of a file on its way to the storage, in chunks that are written and flushed one by one. What was given is
//! dropped as it goes, for it may share its memory with a state that goes on; checksums stay, to compare what is read back.

use bytes::{Bytes, BytesMut};

/// So many bytes are one chunk: a flush each, short enough that others who flush to the same disk hardly wait.
const CHUNK_BYTES: usize = 4 << 20;

/// See the module text.
#[derive(Debug)]
pub(super) struct Chunks {
    parts: std::vec::IntoIter<Bytes>,
    sums: Vec<Sum>,
}

/// What a chunk was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) bytes: usize,
    crc32c: u32,
}

impl Sum {
    /// Whether these bytes are that chunk.
    pub(super) fn is_of(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.bytes && crc32c::crc32c(bytes) == self.crc32c
    }
}

impl Chunks {
    /// Of these parts, in this order.
    pub(super) fn new(parts: Vec<Bytes>) -> Chunks {
        Chunks { parts: parts.into_iter(), sums: Vec::new() }
    }

    /// What the chunks were that were taken.
    pub(super) fn sums(self) -> Vec<Sum> {
        self.sums
    }
}

impl Iterator for Chunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut chunk = BytesMut::new();
        for part in self.parts.by_ref() {
            chunk.extend_from_slice(&part);
            if chunk.len() >= CHUNK_BYTES {
                break;
            }
        }
        let chunk = chunk.freeze();
        let sum = Sum { bytes: chunk.len(), crc32c: crc32c::crc32c(&chunk) };
        (!chunk.is_empty()).then(|| {
            self.sums.push(sum);
            chunk
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_the_parts_in_order_and_their_sums_tell_them_from_others() {
        let parts: Vec<Bytes> = (0..700_u32).map(|number| number.to_le_bytes().repeat(4 << 10).into()).collect();
        let mut chunks = Chunks::new([parts.clone(), vec![Bytes::new()]].concat());
        let written: Vec<Bytes> = chunks.by_ref().collect();
        assert_eq!(
            written.iter().map(Bytes::len).collect::<Vec<_>>(),
            [CHUNK_BYTES, CHUNK_BYTES, 700 * (16 << 10) - 2 * CHUNK_BYTES]
        );
        assert!(written.concat() == parts.concat());
        let sums = chunks.sums();
        assert!(written.iter().zip(&sums).all(|(chunk, sum)| sum.is_of(chunk)));
        assert!(!sums[0].is_of(&written[1]) && !sums[0].is_of(&written[0][1..]));
        assert_eq!(Chunks::new(vec![Bytes::new()]).count(), 0);
    }
}
