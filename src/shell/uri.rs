//! Pure. What users type for a path, read and echoed as 1.2.0 does.

use std::fmt;

use crate::types::AlluxioPath;

/// `/a/b`, `alluxio:///a/b`, `alluxio://host:port/a/b` or `alluxio-ft://host:port/a/b`.
///
/// Compatible: 1.2.0 AlluxioURI. `//host/a` has an authority too, the path loses repeated slashes, `.`, `..` and the
/// slash at its end, and the echo keeps scheme and authority as typed: tests/shell, 02-mkdir.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Uri {
    scheme: Option<String>,
    authority: Option<String>,
    path: AlluxioPath,
}

/// Why a text is no path.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidUri {
    /// Not absolute, with a blank, or above the root.
    #[error("Path {0} is invalid")]
    Path(String),
    /// Another file system is meant.
    #[error("Path {uri} is invalid: the scheme is {scheme}, and only alluxio and alluxio-ft name paths of Alluxio")]
    Scheme {
        /// What was typed.
        uri: String,
        /// Its scheme.
        scheme: String,
    },
}

impl Uri {
    /// Reads what a user typed.
    pub(super) fn parse(text: &str) -> Result<Uri, InvalidUri> {
        let (scheme, rest) = split_scheme(text);
        if let Some(scheme) = scheme.filter(|scheme| !["alluxio", "alluxio-ft"].contains(scheme)) {
            return Err(InvalidUri::Scheme { uri: text.to_owned(), scheme: scheme.to_owned() });
        }
        let (authority, path) = split_authority(rest);
        // `alluxio://host:port` alone is the root.
        let path = if path.is_empty() && authority.is_some() { "/" } else { path };
        // Compatible: 1.2.0 refuses blanks and relative paths; tests/shell, 02-mkdir. The echo is the path alone.
        let path = match AlluxioPath::parse(path) {
            Ok(parsed) if !path.contains(' ') => parsed,
            _ => return Err(InvalidUri::Path(path.to_owned())),
        };
        Ok(Uri { scheme: scheme.map(str::to_owned), authority: authority.map(str::to_owned), path })
    }

    /// The path alone, as if typed so.
    pub(super) fn of(path: AlluxioPath) -> Uri {
        Uri { scheme: None, authority: None, path }
    }

    /// The path in Alluxio.
    pub(super) fn path(&self) -> &AlluxioPath {
        &self.path
    }

    /// The address that was typed. It chooses no cluster: the properties do (1.2.0 too).
    pub(super) fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The same place with another path.
    pub(super) fn with_path(&self, path: AlluxioPath) -> Uri {
        Uri { path, ..self.clone() }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.scheme, &self.authority) {
            (Some(scheme), authority) => write!(f, "{scheme}://{}", authority.as_deref().unwrap_or_default())?,
            (None, Some(authority)) => write!(f, "//{authority}")?,
            (None, None) => {}
        }
        self.path.fmt(f)
    }
}

/// A colon before the first slash ends a scheme.
fn split_scheme(text: &str) -> (Option<&str>, &str) {
    let head = text.find('/').unwrap_or(text.len());
    match text[..head].find(':') {
        Some(colon) => (Some(&text[..colon]), &text[colon + 1..]),
        None => (None, text),
    }
}

/// Two slashes begin an authority, if anything but a slash follows.
fn split_authority(text: &str) -> (Option<&str>, &str) {
    let Some(rest) = text.strip_prefix("//") else { return (None, text) };
    let end = rest.find('/').unwrap_or(rest.len());
    if end == 0 { (None, text) } else { (Some(&rest[..end]), &rest[end..]) }
}

#[cfg(test)]
mod tests {
    use super::Uri;

    fn read(text: &str) -> Result<(String, String), String> {
        let uri = Uri::parse(text).map_err(|error| error.to_string())?;
        Ok((uri.to_string(), uri.path().to_string()))
    }

    #[test]
    fn the_echo_is_that_of_1_2_0() {
        let same = |echo: &str, path: &str| Ok((echo.to_owned(), path.to_owned()));
        assert_eq!(read("/d1/../dotdot"), same("/dotdot", "/dotdot"));
        assert_eq!(read("//dbl//slash"), same("//dbl/slash", "/slash"));
        assert_eq!(read("/trailing/"), same("/trailing", "/trailing"));
        assert_eq!(read("alluxio:///noauthority"), same("alluxio:///noauthority", "/noauthority"));
        assert_eq!(read("alluxio://h:1/a//b"), same("alluxio://h:1/a/b", "/a/b"));
        assert_eq!(read("alluxio-ft://h:1/withft"), same("alluxio-ft://h:1/withft", "/withft"));
        assert_eq!(read("alluxio://h:1"), same("alluxio://h:1/", "/"));
        assert_eq!(read("/"), same("/", "/"));
        assert_eq!(read("//"), same("/", "/"));
        assert_eq!(read("///a"), same("/a", "/a"));
        assert_eq!(read("/a:b"), same("/a:b", "/a:b"));
    }

    #[test]
    fn what_1_2_0_refuses_is_refused_in_its_words() {
        assert_eq!(read("relative/path"), Err("Path relative/path is invalid".into()));
        assert_eq!(read("-p"), Err("Path -p is invalid".into()));
        assert_eq!(read("/with space"), Err("Path /with space is invalid".into()));
        assert_eq!(read("/.."), Err("Path /.. is invalid".into()));
        assert_eq!(read(""), Err("Path  is invalid".into()));
    }

    #[test]
    fn a_path_of_another_file_system_is_not_taken_for_ours() {
        assert!(read("hdfs://nn:8020/data").is_err_and(|text| text.contains("the scheme is hdfs")));
    }
}
