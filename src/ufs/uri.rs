//! URIs of UFS paths. The text of a path is taken as it is: nothing in it is escaped.

use super::error::{UfsError, UfsErrorKind};
use std::fmt;

/// Which backend a URI belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UfsScheme {
    /// A local disk: no scheme, or `file`.
    Local,
    /// `hdfs`
    Hdfs,
    /// `s3`; the authority is the bucket.
    S3,
    /// `s3a`: the same by another name.
    S3a,
    /// `memory`: within the process, for tests and the simulator.
    Memory,
}

impl UfsScheme {
    /// Whether the properties of a mount tell how it is used.
    pub fn has_properties(self) -> bool {
        matches!(self, UfsScheme::S3 | UfsScheme::S3a)
    }
}

/// A URI of a known scheme, with a normal path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UfsUri {
    /// Its backend.
    pub scheme: UfsScheme,
    /// `host:port`, the name of a service or a bucket; empty on a local disk.
    pub authority: String,
    /// Begins with `/`; no empty, `.` or `..` component, no slash at the end unless it is the root.
    pub path: String,
}

impl UfsUri {
    /// Reads a URI.
    ///
    /// # Errors
    /// A scheme that no backend has, a path that is not absolute or leaves the root, a missing or needless authority.
    pub fn parse(text: &str) -> Result<UfsUri, UfsError> {
        let invalid = |reason: String| UfsError::new(UfsErrorKind::Invalid, "use", text, reason);
        let (scheme, rest) = match text.find([':', '/']) {
            Some(at) if text.as_bytes()[at] == b':' => (&text[..at], &text[at + 1..]),
            _ => ("", text),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) if !scheme.is_empty() => rest.split_at(rest.find('/').unwrap_or(rest.len())),
            _ => ("", rest),
        };
        let scheme = match scheme {
            "" | "file" if authority.is_empty() => UfsScheme::Local,
            "file" => return Err(invalid(format!("a local path has no host, but this one has {authority}"))),
            "hdfs" | "memory" if authority.is_empty() => {
                return Err(invalid(format!("{scheme}:// must be followed by a host or the name of a service")));
            }
            "s3" | "s3a" if authority.is_empty() => {
                return Err(invalid(format!("{scheme}:// must be followed by the name of a bucket")));
            }
            "s3" => UfsScheme::S3,
            "s3a" => UfsScheme::S3a,
            "hdfs" => UfsScheme::Hdfs,
            "memory" => UfsScheme::Memory,
            other => {
                let reason = format!(
                    "the scheme {other} is not supported; use hdfs://host:port/path, s3://bucket/path or a local path"
                );
                return Err(invalid(reason));
            }
        };
        let path = if path.is_empty() && scheme != UfsScheme::Local { "/" } else { path };
        let path = normal(path).ok_or_else(|| invalid("the path is not absolute, or leaves the root".into()))?;
        Ok(UfsUri { scheme, authority: authority.to_owned(), path })
    }

    /// Whether this is `other` or lies above it, in the same storage.
    pub fn is_prefix_of(&self, other: &UfsUri) -> bool {
        let below = || other.path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        self.is_same_storage(other) && (self.path == "/" || below())
    }

    /// Whether both lie in one storage.
    pub fn is_same_storage(&self, other: &UfsUri) -> bool {
        (self.scheme, &self.authority) == (other.scheme, &other.authority)
    }

    /// The last component; empty for the root.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or("")
    }
}

impl fmt::Display for UfsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scheme {
            UfsScheme::Local => f.write_str(&self.path),
            UfsScheme::Hdfs => write!(f, "hdfs://{}{}", self.authority, self.path),
            UfsScheme::S3 => write!(f, "s3://{}{}", self.authority, self.path),
            UfsScheme::S3a => write!(f, "s3a://{}{}", self.authority, self.path),
            UfsScheme::Memory => write!(f, "memory://{}{}", self.authority, self.path),
        }
    }
}

fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.strip_prefix('/')?.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(text: &str) -> String {
        UfsUri::parse(text).map_or_else(|error| error.to_string(), |uri| uri.to_string())
    }

    #[test]
    fn a_uri_is_normal_whatever_its_text() {
        assert_eq!(normal("/a//b/./c/../d/"), "/a/b/d");
        assert_eq!(normal("file:///a/b"), "/a/b");
        assert_eq!(normal("file:/a/b"), "/a/b");
        assert_eq!(normal("/a/b:c%20d?e#f"), "/a/b:c%20d?e#f");
        assert_eq!(normal("hdfs://nn:9000"), "hdfs://nn:9000/");
        assert_eq!(normal("hdfs://nn:9000//a/"), "hdfs://nn:9000/a");
        assert_eq!(normal("memory://m/"), "memory://m/");
        assert_eq!(normal("s3://b/k/"), "s3://b/k");
        assert_eq!(normal("s3a://b"), "s3a://b/");
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let supported = "is not supported; use hdfs://host:port/path, s3://bucket/path or a local path";
        assert_eq!(normal("oss://b/k"), format!("cannot use oss://b/k: the scheme oss {supported}"));
        assert_eq!(normal("s3:///k"), "cannot use s3:///k: s3:// must be followed by the name of a bucket");
        assert_eq!(normal("HDFS://b/k"), format!("cannot use HDFS://b/k: the scheme HDFS {supported}"));
        assert_eq!(normal("a/b"), "cannot use a/b: the path is not absolute, or leaves the root");
        assert_eq!(normal(""), "cannot use : the path is not absolute, or leaves the root");
        assert_eq!(normal("/.."), "cannot use /..: the path is not absolute, or leaves the root");
        assert_eq!(normal("file://h/a"), "cannot use file://h/a: a local path has no host, but this one has h");
        let host = "hdfs:// must be followed by a host or the name of a service";
        assert_eq!(normal("hdfs:///a"), format!("cannot use hdfs:///a: {host}"));
    }

    #[test]
    fn only_whole_components_of_one_storage_are_a_prefix() {
        let uri = |text| UfsUri::parse(text).unwrap();
        assert!(uri("/a").is_prefix_of(&uri("file:///a/b")) && uri("/a").is_prefix_of(&uri("/a")));
        assert!(uri("hdfs://n/").is_prefix_of(&uri("hdfs://n/a")));
        assert!(!uri("/a").is_prefix_of(&uri("/ab")));
        assert!(!uri("hdfs://n/a").is_prefix_of(&uri("hdfs://m/a")) && !uri("/a").is_prefix_of(&uri("hdfs://n/a")));
    }
}
