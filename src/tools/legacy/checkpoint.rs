//! Pure. Checkpoints of 2.x: each begins with the number of its type; compound ones hold named parts.
//!
//! A compound is what Kryo's chunked output makes: for each part, pieces behind their lengths, ended by an empty one.
//! The bytes of a part are its name (ASCII; the last byte has the high bit set) and a checkpoint again.

use std::borrow::Cow;

/// Bytes of the number of the type.
const TYPE_BYTES: usize = 8;
/// Compounds in compounds; 2.9.6 has two.
const DEPTH_MAX: usize = 8;

/// What a part holds that has no parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Entries without sequence numbers.
    Entries,
    /// Numbers that follow from the rest.
    Numbers,
    /// Inodes as the metastore HEAP keeps them.
    Inodes,
    /// A RocksDB.
    Rocks,
}

/// A part without parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// Its name with those of the compounds that it is in; "" for a checkpoint without parts.
    pub name: String,
    /// What it holds.
    pub content: Content,
    /// The bytes behind the number of its type.
    pub bytes: Cow<'a, [u8]>,
}

/// Whether these bytes begin with the number of a type, as checkpoints of 2.x do; those of 1.8 begin with an entry.
pub fn has_type(bytes: &[u8]) -> bool {
    // An entry is never empty, so its length is never 0.
    bytes.first() == Some(&0)
}

/// All parts of a checkpoint, in order.
///
/// # Errors
/// Where, counted within the innermost compound that can be read, and what does not fit.
pub fn parts(bytes: &[u8]) -> Result<Vec<Part<'_>>, (usize, String)> {
    let mut parts = Vec::new();
    take(String::new(), Cow::Borrowed(bytes), 0, &mut parts)?;
    Ok(parts)
}

fn take<'a>(
    name: String,
    bytes: Cow<'a, [u8]>,
    depth: usize,
    parts: &mut Vec<Part<'a>>,
) -> Result<(), (usize, String)> {
    let number = bytes.first_chunk::<TYPE_BYTES>().map(|number| u64::from_be_bytes(*number));
    let content = match number {
        Some(0) => Content::Entries,
        Some(1) if depth < DEPTH_MAX => return compound(&name, &bytes[TYPE_BYTES..], depth, parts),
        Some(2 | 5) => Content::Numbers,
        Some(3 | 6) => Content::Rocks,
        Some(4) => Content::Inodes,
        Some(number) => return Err((0, format!("{name}: no checkpoint has the type {number}"))),
        None => return Err((0, format!("{name}: a checkpoint of {} bytes has no type", bytes.len()))),
    };
    let bytes = match bytes {
        Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[TYPE_BYTES..]),
        Cow::Owned(bytes) => Cow::Owned(bytes[TYPE_BYTES..].to_vec()),
    };
    parts.push(Part { name, content, bytes });
    Ok(())
}

fn compound(above: &str, bytes: &[u8], depth: usize, parts: &mut Vec<Part<'_>>) -> Result<(), (usize, String)> {
    let mut at = 0;
    while at < bytes.len() {
        let begin = at;
        let part = chunks(bytes, &mut at).ok_or_else(|| (TYPE_BYTES + begin, format!("{above}: a part is cut off")))?;
        let end = part.iter().position(|byte| byte & 0x80 != 0);
        let name = end.and_then(|end| {
            let name = part[..=end].iter().map(|byte| char::from(byte & 0x7f)).collect::<String>();
            name.bytes().all(|byte| byte.is_ascii_graphic()).then_some((name, end + 1))
        });
        let (name, behind) = name.ok_or_else(|| (TYPE_BYTES + begin, format!("{above}: a part has no name")))?;
        let name = if above.is_empty() { name } else { format!("{above}/{name}") };
        take(name, Cow::Owned(part[behind..].to_vec()), depth + 1, parts)?;
    }
    Ok(())
}

/// The bytes of one part; none if it ends too early.
fn chunks(bytes: &[u8], at: &mut usize) -> Option<Vec<u8>> {
    let mut part = Vec::new();
    loop {
        let mut rest = bytes.get(*at..)?;
        let before = rest.len();
        let length = usize::try_from(prost::encoding::decode_varint(&mut rest).ok()?).ok()?;
        *at += before - rest.len();
        if length == 0 {
            return Some(part);
        }
        part.extend_from_slice(rest.get(..length)?);
        *at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(number: u64, body: &[u8]) -> Vec<u8> {
        [&number.to_be_bytes()[..], body].concat()
    }

    /// A part in chunks of 5 bytes.
    fn part(name: &str, content: &[u8]) -> Vec<u8> {
        let mut name = name.as_bytes().to_vec();
        *name.last_mut().unwrap() |= 0x80;
        let mut chunked = Vec::new();
        for chunk in [name, content.to_vec()].concat().chunks(5) {
            chunked.push(chunk.len() as u8);
            chunked.extend_from_slice(chunk);
        }
        chunked.push(0);
        chunked
    }

    fn sample() -> Vec<u8> {
        let tree = typed(1, &[part("HEAP", &typed(4, b"inodes")), part("COUNTER", &typed(5, &[0; 8]))].concat());
        typed(1, &[part("TREE", &tree), part("MOUNTS", &typed(0, b"entries"))].concat())
    }

    #[test]
    fn parts_of_parts_come_in_order() {
        let bytes = sample();
        let found = parts(&bytes).unwrap();
        let found: Vec<_> = found.iter().map(|part| (part.name.as_str(), part.content, &part.bytes[..])).collect();
        let expected = [
            ("TREE/HEAP", Content::Inodes, &b"inodes"[..]),
            ("TREE/COUNTER", Content::Numbers, &[0; 8]),
            ("MOUNTS", Content::Entries, b"entries"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn no_cut_or_changed_byte_makes_a_panic_and_no_cut_the_whole() {
        let bytes = sample();
        let whole = parts(&bytes).unwrap();
        for cut in 0..bytes.len() {
            assert!(
                parts(&bytes[..cut]).is_err_and(|_| true) || parts(&bytes[..cut]).unwrap() != whole,
                "cut at {cut}"
            );
            let mut changed = bytes.clone();
            changed[cut] ^= 0x80;
            drop(parts(&changed));
        }
    }
}
