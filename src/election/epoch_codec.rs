//! Pure. The bytes of the epoch node: lines of `key=value`, so that `get` in any ZooKeeper shell shows them.
//!
//! The first line names the version of the format. Keys of a later writer that we do not know are passed over; a
//! later version is refused, because what it means is not known. Nothing is repaired: a node that does not read as
//! written is an error that names the line.

use super::latch::EpochNode;

const VERSION_KEY: &str = "alluxio-rs-epoch-node";
const VERSION: u32 = 1;
const CHECKSUM_KEY: &str = "crc32c";

/// The bytes of the node.
///
/// # Errors
/// A text when a field holds a line break, which would be read as the next field.
pub fn encode(node: &EpochNode) -> Result<Vec<u8>, String> {
    for (name, text) in [("owner", &node.owner), ("address", &node.address), ("latch", &node.latch)] {
        if text.contains(['\n', '\r']) {
            return Err(format!("the {name} {text:?} holds a line break"));
        }
    }
    let earlier = (node.segments_epoch != 0).then(|| format!("segments_epoch={}", node.segments_epoch));
    let history = (node.genesis != 0).then(|| format!("genesis={:016x}", node.genesis));
    let lines = [
        format!("{VERSION_KEY}={VERSION}"),
        format!("epoch={}", node.epoch),
        format!("owner={}", node.owner),
        format!("released={}", node.released),
        format!("address={}", node.address),
        format!("latch={}", node.latch),
        format!("lease_ms={}", node.lease_ms),
        format!("segments={}", node.segments),
        format!("durable_sequence={}", node.durable_sequence),
        format!("durable_hash={:016x}", node.durable_hash),
    ];
    Ok((lines.into_iter().chain(earlier).chain(history).collect::<Vec<_>>().join("\n") + "\n").into_bytes())
}

/// The node of these bytes.
///
/// # Errors
/// A text that names the line which is missing or cannot be read.
pub fn decode(bytes: &[u8]) -> Result<EpochNode, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text".to_owned())?;
    let fields = Fields(text);
    let version: u32 = fields.parsed(VERSION_KEY)?;
    if version != VERSION {
        return Err(format!("it has version {version}, this release reads {VERSION}: use the release that wrote it"));
    }
    let has = |key| fields.text(key).is_ok();
    Ok(EpochNode {
        epoch: fields.parsed("epoch")?,
        owner: fields.text("owner")?.to_owned(),
        released: fields.parsed("released")?,
        address: fields.text("address")?.to_owned(),
        latch: fields.text("latch")?.to_owned(),
        lease_ms: fields.parsed("lease_ms")?,
        segments: fields.parsed("segments")?,
        segments_epoch: if has("segments_epoch") { fields.parsed("segments_epoch")? } else { 0 },
        genesis: if has("genesis") { fields.hexadecimal("genesis")? } else { 0 },
        durable_sequence: fields.parsed("durable_sequence")?,
        durable_hash: fields.hexadecimal("durable_hash")?,
    })
}

/// The bytes of a file that holds the node: with a checksum behind it, as nobody else has one for it.
///
/// # Errors
/// As [`encode`].
pub fn encode_file(node: &EpochNode) -> Result<Vec<u8>, String> {
    let mut bytes = encode(node)?;
    let checksum = format!("{CHECKSUM_KEY}={:08x}\n", crc32c::crc32c(&bytes));
    bytes.extend_from_slice(checksum.as_bytes());
    Ok(bytes)
}

/// The node of a file. One without a checksum was written before there were any.
///
/// # Errors
/// As [`decode`], or the checksum is another one.
pub fn decode_file(bytes: &[u8]) -> Result<EpochNode, String> {
    let node = decode(bytes)?;
    let text = String::from_utf8_lossy(bytes);
    if let Ok(told) = Fields(&text).hexadecimal(CHECKSUM_KEY) {
        let end = text.find(&format!("\n{CHECKSUM_KEY}=")).map_or(0, |end| end + 1);
        let found = crc32c::crc32c(&bytes[..end]);
        if u64::from(found) != told {
            return Err(format!("its checksum is {found:08x}, it says {told:08x}"));
        }
    }
    Ok(node)
}

struct Fields<'a>(&'a str);

impl<'a> Fields<'a> {
    fn text(&self, key: &str) -> Result<&'a str, String> {
        let value = self.0.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.ok_or_else(|| format!("it has no line {key}=…"))
    }

    fn parsed<T: std::str::FromStr>(&self, key: &str) -> Result<T, String>
    where
        T::Err: std::fmt::Display,
    {
        let value = self.text(key)?;
        value.parse().map_err(|error| bad_value(key, value, &error))
    }

    fn hexadecimal(&self, key: &str) -> Result<u64, String> {
        let value = self.text(key)?;
        u64::from_str_radix(value, 16).map_err(|error| bad_value(key, value, &error))
    }
}

fn bad_value(key: &str, value: &str, error: &dyn std::fmt::Display) -> String {
    format!("its line {key}={value} cannot be read: {error}")
}

#[cfg(test)]
mod tests {
    use super::{decode, decode_file, encode, encode_file};
    use crate::election::EpochNode;

    fn node() -> EpochNode {
        EpochNode {
            epoch: 7,
            owner: "0123456789ab".into(),
            released: true,
            address: "host:19998".into(),
            latch: "_c_x-lock-0000000001".into(),
            lease_ms: 2_000,
            segments: 3,
            segments_epoch: 0,
            genesis: 0,
            durable_sequence: 12345,
            durable_hash: 0xDEAD_BEEF,
        }
    }

    const TEXT: &str = "alluxio-rs-epoch-node=1\nepoch=7\nowner=0123456789ab\nreleased=true\naddress=host:19998\n\
                        latch=_c_x-lock-0000000001\nlease_ms=2000\nsegments=3\ndurable_sequence=12345\ndurable_hash=00000000deadbeef\n";

    #[test]
    fn the_format_is_this_text() {
        assert_eq!(String::from_utf8(encode(&node()).expect("no line breaks")).expect("text"), TEXT);
        assert_eq!(decode(TEXT.as_bytes()), Ok(node()));
        let claimed = EpochNode { segments_epoch: 6, ..node() };
        assert_eq!(String::from_utf8(encode(&claimed).expect("text")), Ok(format!("{TEXT}segments_epoch=6\n")));
        assert_eq!(decode(format!("{TEXT}segments_epoch=6\n").as_bytes()), Ok(claimed));
        assert!(decode(format!("{TEXT}segments_epoch=x\n").as_bytes()).is_err());
        let of_history = EpochNode { genesis: 0xfeed, ..node() };
        assert_eq!(
            String::from_utf8(encode(&of_history).expect("text")),
            Ok(format!("{TEXT}genesis=000000000000feed\n"))
        );
        assert_eq!(decode(format!("{TEXT}genesis=000000000000feed\n").as_bytes()), Ok(of_history));
        assert!(decode(format!("{TEXT}genesis=history\n").as_bytes()).is_err());
        let empty = EpochNode::default();
        assert_eq!(decode(&encode(&empty).expect("no line breaks")), Ok(empty));
    }

    #[test]
    fn keys_of_a_later_writer_are_passed_over_but_a_later_version_is_not() {
        assert_eq!(decode(format!("{TEXT}later=1\n").as_bytes()), Ok(node()));
        let later = TEXT.replace("node=1", "node=2");
        assert!(decode(later.as_bytes()).is_err_and(|text| text.contains("version 2")));
    }

    #[test]
    fn every_line_is_needed_and_damage_is_named() {
        for line in TEXT.lines() {
            let key = line.split('=').next().expect("a key");
            let without = TEXT.replace(&format!("{line}\n"), "");
            assert!(decode(without.as_bytes()).is_err_and(|text| text.contains(key)), "{key}");
        }
        let damaged = TEXT.replace("epoch=7", "epoch=seven");
        assert!(decode(damaged.as_bytes()).is_err_and(|text| text.contains("epoch=seven")));
        assert!(decode(b"\xff").is_err());
        assert!(decode(b"").is_err());
    }

    #[test]
    fn no_flipped_bit_and_no_lost_end_makes_another_node_of_a_file() {
        let node = EpochNode { genesis: 0xfeed, segments_epoch: 2, durable_sequence: 103, ..node() };
        let whole = encode_file(&node).expect("no line breaks");
        assert_eq!(decode_file(&whole), Ok(node.clone()));
        for bit in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode_file(&flipped).map_or(true, |read| read == node), "bit {bit}: {flipped:?}");
        }
        let told = decode_file(&String::from_utf8_lossy(&whole).replace("=103", "=003").into_bytes());
        assert!(told.clone().is_err_and(|text| text.starts_with("its checksum is ")), "{told:?}");
        // Before there was a checksum.
        assert_eq!(decode_file(TEXT.as_bytes()).map(|node| node.durable_sequence), Ok(12345));
    }

    #[test]
    fn a_line_break_in_a_field_is_refused() {
        let node = EpochNode { address: "host:1\nreleased=true".into(), ..node() };
        assert!(encode(&node).is_err_and(|text| text.contains("address")));
    }
}
