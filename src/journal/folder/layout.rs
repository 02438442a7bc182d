//! Pure. Names in the journal folder, and the text of FORMAT.

use super::{CheckpointId, Format, SegmentId, StoreError};
use crate::types::SequenceNumber;
use bytes::Bytes;

/// The file that makes a folder a journal.
pub const FORMAT: &str = "FORMAT";
/// The folder of the epochs.
pub const EPOCHS: &str = "epochs";
/// The folder of the checkpoints.
pub const CHECKPOINTS: &str = "checkpoints";

/// What is written to see whether that can be done.
pub const PROBE: Bytes = Bytes::from_static(b"probe\n");

/// The folder of an epoch.
pub fn epoch_folder(epoch: u64) -> String {
    format!("{EPOCHS}/{epoch}")
}

/// The name under which a checkpoint is written before it is verified.
pub fn temporary(id: CheckpointId, writer: &str) -> String {
    format!("{id}.{writer}.tmp")
}

/// The name of the file that shows whether `writer` may write. No epoch has such a name.
pub fn probe(writer: &str) -> String {
    format!("{EPOCHS}/{writer}.probe")
}

/// The epoch that a folder is named after; none for a foreign name.
pub fn parse_epoch(name: &str) -> Option<u64> {
    let epoch = name.parse().ok()?;
    (format!("{epoch}") == name).then_some(epoch)
}

/// The segment that a file in the folder of `epoch` is; none for a foreign name.
pub fn parse_segment(epoch: u64, name: &str) -> Option<SegmentId> {
    let index = name.strip_suffix(".log")?.parse().ok()?;
    (format!("{index}.log") == name).then_some(SegmentId { epoch, index })
}

/// The checkpoint that a file is; none for a foreign or temporary name.
pub fn parse_checkpoint(name: &str) -> Option<CheckpointId> {
    let (sequence, hash) = name.strip_suffix(".ckpt")?.split_once('-')?;
    let id =
        CheckpointId { sequence: SequenceNumber(sequence.parse().ok()?), hash: u64::from_str_radix(hash, 16).ok()? };
    (id.to_string() == format!("{CHECKPOINTS}/{name}")).then_some(id)
}

/// The checkpoint that a file was to become; none for any other name.
pub fn parse_temporary(name: &str) -> Option<CheckpointId> {
    let (checkpoint, _writer) = name.strip_suffix(".tmp")?.rsplit_once('.')?;
    parse_checkpoint(checkpoint)
}

/// The text of FORMAT.
pub fn encode_format(format: &Format) -> String {
    let Format { layout, feature_level, cluster_id } = format;
    format!("layout={layout}\nfeature_level={feature_level}\ncluster_id={cluster_id}\n")
}

/// Reads the text of FORMAT; `object` is its name for messages. Unknown lines are left to later versions.
pub fn decode_format(text: &[u8], object: &str) -> Result<Format, StoreError> {
    let damaged = |reason: String| StoreError::Damaged { object: object.into(), offset: 0, reason };
    let text = std::str::from_utf8(text).map_err(|_| damaged("it is not text".into()))?;
    let value = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        let value = lines.next().map(str::trim).ok_or_else(|| damaged(format!("it has no line {key}=")))?;
        if lines.next().is_none() { Ok(value) } else { Err(damaged(format!("it has two lines {key}="))) }
    };
    let number = |key: &str| {
        let value = value(key)?;
        value.parse::<u32>().map_err(|_| damaged(format!("\"{value}\" after {key}= is not a number")))
    };
    Ok(Format {
        layout: number("layout")?,
        feature_level: number("feature_level")?,
        cluster_id: value("cluster_id")?.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let segment = SegmentId { epoch: 12, index: 3 };
        assert_eq!(segment.to_string(), "epochs/12/3.log");
        assert_eq!(parse_epoch("12"), Some(12));
        assert_eq!(parse_segment(12, "3.log"), Some(segment));
        assert_eq!(SegmentId::parse("epochs/12/3.log"), Some(segment));
        assert_eq!(SegmentId::parse("epochs/12/03.log"), None);
        assert_eq!(SegmentId::parse("12/3.log"), None);
        let checkpoint = CheckpointId { sequence: SequenceNumber(71), hash: 0xabc };
        assert_eq!(parse_checkpoint("00000000000000000071-0000000000000abc.ckpt"), Some(checkpoint));
    }

    #[test]
    fn foreign_names_are_no_segments_and_no_checkpoints() {
        for name in ["", "x", "-1", "01", "+1", "1.tmp", "99999999999999999999"] {
            assert_eq!(parse_epoch(name), None, "{name}");
        }
        for name in ["", "log", ".log", "01.log", "+1.log", "1.log.tmp", "4294967296.log"] {
            assert_eq!(parse_segment(1, name), None, "{name}");
        }
        for name in ["", "1-2.ckpt", "00000000000000000071-0000000000000ABC.ckpt"] {
            assert_eq!(parse_checkpoint(name), None, "{name}");
        }
        let id = CheckpointId { sequence: SequenceNumber(1), hash: 2 };
        let temporary = temporary(id, "me");
        assert_eq!(parse_checkpoint(temporary.strip_prefix("checkpoints/").unwrap()), None);
        assert_eq!(parse_temporary(temporary.strip_prefix("checkpoints/").unwrap()), Some(id));
        assert_eq!(parse_temporary(&id.to_string().replace("checkpoints/", "")), None);
        assert_eq!(parse_temporary("foreign.tmp"), None);
    }

    #[test]
    fn format_is_read_as_it_is_written_and_may_gain_lines() {
        let format = Format { layout: 1, feature_level: 2, cluster_id: "c-1".into() };
        let text = encode_format(&format);
        assert_eq!(decode_format(text.as_bytes(), "FORMAT").unwrap(), format);
        assert_eq!(decode_format(format!("{text}later=yes\n").as_bytes(), "FORMAT").unwrap(), format);
    }

    #[test]
    fn a_damaged_format_is_named() {
        for (text, part) in [
            (&b"\xff"[..], "not text"),
            (b"", "no line layout="),
            (b"layout=x\n", "\"x\" after layout="),
            (b"layout=1\nfeature_level=1\n", "no line cluster_id="),
        ] {
            let error = decode_format(text, "hdfs://nn/j/FORMAT").unwrap_err().to_string();
            assert!(error.contains("hdfs://nn/j/FORMAT") && error.contains(part), "{error}");
        }
    }
}
