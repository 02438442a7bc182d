//! What tells one content of a file in a UFS from another.

/// The part of a UFS fingerprint that does not follow from the inode.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub enum ContentHash {
    /// Nobody has looked, or the UFS does not tell.
    #[default]
    Unknown,
    /// Length and time, where the UFS has nothing better.
    LengthAndTime {
        /// Bytes.
        length: i64,
        /// Milliseconds since 1970 UTC.
        modification_time_ms: i64,
    },
    /// As the UFS calls it (the etag of an object), without blanks and bars.
    Text(String),
}

/// Stands for what is not known in a fingerprint.
const UNKNOWN: &str = "_";
const TAG: &str = "CONTENT_HASH|";

impl ContentHash {
    /// The hash in a text, as a UFS tells it or a fingerprint has it.
    pub fn of(text: &str) -> ContentHash {
        match text {
            "" | UNKNOWN => ContentHash::Unknown,
            text => length_and_time(text).unwrap_or_else(|| ContentHash::Text(sanitized(text))),
        }
    }

    /// The hash as a client tells it; one that a fingerprint cannot hold, or that is longer than any, is not known.
    pub fn told(text: &str) -> ContentHash {
        const BYTES_MAX: usize = 256;
        let hash = ContentHash::of(text);
        let is_kept = text.len() <= BYTES_MAX && ContentHash::in_fingerprint(&hash.fingerprint()) == hash;
        if is_kept { hash } else { ContentHash::Unknown }
    }

    /// The hash in a fingerprint: `TYPE|FILE UFS|hdfs OWNER|… CONTENT_HASH|(len:5,_modtime:7) `.
    // Compatible: 2.9.6 Fingerprint.parse.
    pub fn in_fingerprint(text: &str) -> ContentHash {
        text.split(' ').find_map(|tag| tag.trim().strip_prefix(TAG)).map_or(ContentHash::Unknown, ContentHash::of)
    }

    /// A fingerprint that says nothing else; "" when there is none. That of 2.9.6 with all tags is longer.
    pub fn fingerprint(&self) -> String {
        match self.text() {
            Some(text) => format!("{TAG}{} ", sanitized(&text)),
            None => String::new(),
        }
    }

    /// The fingerprint of a file with this content in a UFS of that kind (`hdfs`, `local`, …; "" when not known), with these
    /// attributes there; "" when the content is not known.
    // Compatible: 2.9.6 Fingerprint.serialize.
    pub fn fingerprint_of_file(&self, ufs_kind: &str, owner: &str, group: &str, mode: u16) -> String {
        match self.fingerprint() {
            empty if empty.is_empty() => empty,
            hash => {
                let (kind, owner, group) = (sanitized(ufs_kind), sanitized(owner), sanitized(group));
                format!("TYPE|FILE UFS|{kind} OWNER|{owner} GROUP|{group} MODE|{mode} {hash}")
            }
        }
    }

    /// As a UFS tells it and the extended attribute `s3_etag` shows it; none when unknown.
    // Compatible: 2.9.6 UnderFileSystemUtils.approximateContentHash.
    pub fn text(&self) -> Option<String> {
        match self {
            ContentHash::Unknown => None,
            ContentHash::LengthAndTime { length, modification_time_ms } => {
                Some(format!("(len:{length}, modtime:{modification_time_ms})"))
            }
            ContentHash::Text(text) => Some(text.clone()),
        }
    }
}

/// What a fingerprint can hold of a text.
// Compatible: 2.9.6 Fingerprint.sanitizeString.
pub fn sanitized(text: &str) -> String {
    match text {
        "" => UNKNOWN.to_owned(),
        text => text.replace(['|', ' '], UNKNOWN),
    }
}

fn length_and_time(text: &str) -> Option<ContentHash> {
    let (length, time) = text.strip_prefix("(len:")?.strip_suffix(')')?.split_once(',')?;
    let time = time.strip_prefix([' ', '_'])?.strip_prefix("modtime:")?;
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| number.to_string() == text);
    Some(ContentHash::LengthAndTime { length: number(length)?, modification_time_ms: number(time)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_tells_is_kept_only_if_it_comes_back_from_a_fingerprint() {
        for text in ["9f86d081", "(len:5, modtime:7)"] {
            assert_eq!(ContentHash::told(text), ContentHash::of(text));
        }
        let long = "x".repeat(300);
        for text in ["", "_", " ", "|", "\n", "abc\t", "(len:5,|modtime:7)", long.as_str()] {
            assert_eq!(ContentHash::told(text), ContentHash::Unknown, "{text:?}");
        }
    }

    #[test]
    fn length_and_time_are_told_from_other_texts() {
        let both = ContentHash::LengthAndTime { length: 5, modification_time_ms: -7 };
        assert_eq!(ContentHash::of("(len:5, modtime:-7)"), both);
        assert_eq!(ContentHash::of("(len:5,_modtime:-7)"), both);
        assert_eq!(both.text().as_deref(), Some("(len:5, modtime:-7)"));
        for other in ["(len:05, modtime:7)", "(len:5, modtime:)", "(len:5, modtime:7", "9f86d081884c7d65"] {
            assert_eq!(ContentHash::of(other), ContentHash::Text(sanitized(other)), "{other}");
        }
        assert_eq!([ContentHash::of(""), ContentHash::of("_")], [ContentHash::Unknown, ContentHash::Unknown]);
    }

    #[test]
    fn a_fingerprint_gives_its_hash_back() {
        let whole = "TYPE|FILE UFS|hdfs OWNER|o GROUP|g MODE|420 CONTENT_HASH|(len:5,_modtime:7) ACL|user::rwx ";
        let hash = ContentHash::in_fingerprint(whole);
        assert_eq!(hash, ContentHash::LengthAndTime { length: 5, modification_time_ms: 7 });
        for hash in [hash, ContentHash::Text("a_b".into()), ContentHash::Unknown] {
            assert_eq!(ContentHash::in_fingerprint(&hash.fingerprint()), hash);
        }
        assert_eq!(ContentHash::in_fingerprint("TYPE|DIRECTORY UFS|hdfs OWNER|o "), ContentHash::Unknown);
        assert_eq!(ContentHash::Unknown.fingerprint(), "");
        let hash = ContentHash::LengthAndTime { length: 12, modification_time_ms: 9 };
        let whole = "TYPE|FILE UFS|local OWNER|a_b GROUP|_ MODE|420 CONTENT_HASH|(len:12,_modtime:9) ";
        assert_eq!(hash.fingerprint_of_file("local", "a b", "", 0o644), whole);
        assert_eq!(ContentHash::Unknown.fingerprint_of_file("local", "a", "b", 0o644), "");
    }
}
