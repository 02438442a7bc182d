//! Changes of bytes that find what decoders trust: lengths, counts, tags, ends.

/// Numbers at which something often goes wrong.
const EDGES: [u64; 12] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];
/// No input is longer.
const BYTES_MAX: usize = 1 << 20;

/// Draws changes, always the same ones from the same seed.
pub struct Mutator(u64);

impl Mutator {
    pub fn new(seed: u64) -> Mutator {
        Mutator(seed)
    }

    // SplitMix64.
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.draw() % limit.max(1) as u64) as usize
    }

    /// One of the seeds, changed in a few places.
    pub fn change(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            let other = self.below(seeds.len());
            self.change_once(&mut bytes, &seeds[other]);
        }
        bytes.truncate(BYTES_MAX);
        bytes
    }

    fn change_once(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(bytes.len());
        let run = 1 + self.below(16);
        let end = (at + run).min(bytes.len());
        match self.below(9) {
            _ if bytes.is_empty() => bytes.push(self.draw() as u8),
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = self.draw() as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let twice = bytes[at..end].to_vec();
                bytes.splice(at..at, twice);
            }
            5 => {
                let edge = EDGES[self.below(EDGES.len())].to_le_bytes();
                let width = [1, 2, 4, 8][self.below(4)].min(bytes.len() - at);
                bytes[at..at + width].copy_from_slice(&edge[..width]);
            }
            6 => {
                let mut varint = Vec::new();
                let mut rest = EDGES[self.below(EDGES.len())];
                while rest >= 0x80 {
                    varint.push(rest as u8 | 0x80);
                    rest >>= 7;
                }
                varint.push(rest as u8);
                bytes.splice(at..(at + 1).min(bytes.len()), varint);
            }
            7 => {
                let from = self.below(other.len());
                let part = other[from..(from + run * 8).min(other.len())].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                let from = self.below(other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
    }
}
