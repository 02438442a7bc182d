//! Pure. What users type for a path, read and echoed as 1.2.0 does.

use std::fmt;

use super::dialect::Dialect;
use crate::types::AlluxioPath;

/// `/a/b`, `alluxio:///a/b`, `alluxio://host:port/a/b` or `alluxio-ft://host:port/a/b`.
///
/// Compatible: 1.2.0 AlluxioURI. `//host/a` has an authority too, the path loses repeated slashes, `.`, `..` and the
/// slash at its end, and the echo keeps scheme and authority as typed: tests/shell, 02-mkdir. That a path is none is
/// found by the call that needs it, so what is wrong first is told first: tests/shell, 22-unrecorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Uri {
    scheme: Option<String>,
    authority: Option<String>,
    /// The path as it is echoed.
    text: String,
    /// None if it cannot be one.
    path: Option<AlluxioPath>,
    /// Whose rules and texts hold.
    dialect: Dialect,
}

/// Not absolute, above the root, or (in 1.2.0) with a blank.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidPath {
    #[error("Path {0} is invalid")]
    In1_2(String),
    #[error("Path \"{0}\" is invalid.")]
    In2_9(String),
}

/// Another file system is meant.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ForeignScheme {
    /// What was typed, and its scheme.
    #[error("Path {0} is invalid: the scheme is {1}, and only alluxio and alluxio-ft name paths of Alluxio")]
    In1_2(String, String),
    /// Its scheme.
    // Compatible: 2.9 BaseFileSystem, checkUri.
    #[error(
        "Scheme {0}:// in AlluxioURI is invalid. Schemes in filesystem operations are ignored. \"alluxio://\" or no \
         scheme at all is valid."
    )]
    In2_9(String),
}

impl Uri {
    /// Reads what a user typed.
    pub(super) fn parse(text: &str, dialect: Dialect) -> Result<Uri, ForeignScheme> {
        let (scheme, rest) = split_scheme(text);
        let known = match dialect {
            Dialect::Of1_2 => &["alluxio", "alluxio-ft"][..],
            Dialect::Of2_9 => &["alluxio"],
        };
        if let Some(scheme) = scheme.filter(|scheme| !known.contains(scheme)) {
            return Err(match dialect {
                Dialect::Of1_2 => ForeignScheme::In1_2(text.to_owned(), scheme.to_owned()),
                Dialect::Of2_9 => ForeignScheme::In2_9(scheme.to_owned()),
            });
        }
        let (authority, path) = split_authority(rest);
        // `alluxio://host:port` alone is the root.
        let path = if path.is_empty() && authority.is_some() { "/" } else { path };
        Ok(Uri::read(scheme.map(str::to_owned), authority.map(str::to_owned), normal(path), dialect))
    }

    fn read(scheme: Option<String>, authority: Option<String>, text: String, dialect: Dialect) -> Uri {
        // Compatible: 1.2.0 refuses blanks and relative paths; tests/shell, 02-mkdir.
        let path = AlluxioPath::parse(&text).ok().filter(|_| dialect != Dialect::Of1_2 || !text.contains(' '));
        Uri { scheme, authority, text, path, dialect }
    }

    /// The same place without scheme and authority, but at `path`.
    pub(super) fn bare(&self, path: AlluxioPath) -> Uri {
        Uri { scheme: None, authority: None, ..self.with_path(path) }
    }

    /// The path in Alluxio.
    pub(super) fn path(&self) -> Result<&AlluxioPath, InvalidPath> {
        self.path.as_ref().ok_or_else(|| match self.dialect {
            Dialect::Of1_2 => InvalidPath::In1_2(self.text.clone()),
            Dialect::Of2_9 => InvalidPath::In2_9(self.text.clone()),
        })
    }

    /// Whose rules and texts hold.
    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The path as it is echoed, whether it can be one or not.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The address that was typed. It chooses no cluster: the properties do (1.2.0 too).
    pub(super) fn authority(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The same place with another path.
    pub(super) fn with_path(&self, path: AlluxioPath) -> Uri {
        Uri { text: path.to_string(), path: Some(path), ..self.clone() }
    }

    /// What is called `name` in this directory.
    pub(super) fn child(&self, name: &str) -> Uri {
        let text = format!("{}/{name}", self.text.trim_end_matches('/'));
        Uri::read(self.scheme.clone(), self.authority.clone(), text, self.dialect)
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.scheme, &self.authority) {
            (Some(scheme), authority) => write!(f, "{scheme}://{}", authority.as_deref().unwrap_or_default())?,
            (None, Some(authority)) => write!(f, "//{authority}")?,
            (None, None) => {}
        }
        f.write_str(&self.text)
    }
}

/// `path` without repeated slashes and one at the end, without `.`, and without `..` and what stands before it.
///
/// Compatible: java.net.URI, which keeps a slash where it took away the last name, and `..` that has nothing before it.
fn normal(path: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    let mut ends_with_slash = false;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let goes_back = name == ".." && names.last().is_some_and(|last| *last != "..");
        ends_with_slash = name == "." || goes_back;
        if goes_back {
            names.pop();
        } else if name != "." {
            names.push(name);
        }
    }
    let start = if path.starts_with('/') { "/" } else { "" };
    let end = if ends_with_slash && !names.is_empty() { "/" } else { "" };
    format!("{start}{}{end}", names.join("/"))
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
    use crate::shell::dialect::Dialect::{self, Of1_2, Of2_9};

    fn read(text: &str) -> Result<(String, String), String> {
        read_in(Of1_2, text)
    }

    fn read_in(dialect: Dialect, text: &str) -> Result<(String, String), String> {
        let uri = Uri::parse(text, dialect).map_err(|error| error.to_string())?;
        let path = uri.path().map_err(|error| error.to_string())?;
        Ok((uri.to_string(), path.to_string()))
    }

    #[test]
    fn the_echo_is_that_of_1_2_0() {
        let same = |echo: &str, path: &str| Ok((echo.to_owned(), path.to_owned()));
        assert_eq!(read("/d1/../dotdot"), same("/dotdot", "/dotdot"));
        assert_eq!(read("//dbl//slash"), same("//dbl/slash", "/slash"));
        assert_eq!(read("/trailing/"), same("/trailing", "/trailing"));
        assert_eq!(read("alluxio:///noauthority"), same("alluxio:///noauthority", "/noauthority"));
        assert_eq!(read("alluxio:/noauthority"), same("alluxio:///noauthority", "/noauthority"));
        assert_eq!(read("alluxio://h:1/a//b"), same("alluxio://h:1/a/b", "/a/b"));
        assert_eq!(read("alluxio-ft://h:1/withft"), same("alluxio-ft://h:1/withft", "/withft"));
        assert_eq!(read("alluxio://h:1"), same("alluxio://h:1/", "/"));
        assert_eq!(read("/"), same("/", "/"));
        assert_eq!(read("//"), same("/", "/"));
        assert_eq!(read("///a"), same("/a", "/a"));
        assert_eq!(read("/a:b"), same("/a:b", "/a:b"));
        assert_eq!(read("/a/b/.."), same("/a/", "/a"));
        assert_eq!(read("/a/."), same("/a/", "/a"));
        assert_eq!(read("/a/.."), same("/", "/"));
    }

    #[test]
    fn what_1_2_0_refuses_is_refused_in_its_words() {
        assert_eq!(read("relative/path"), Err("Path relative/path is invalid".into()));
        assert_eq!(read("./d1"), Err("Path d1 is invalid".into()));
        assert_eq!(read("../d1"), Err("Path ../d1 is invalid".into()));
        assert_eq!(read("-p"), Err("Path -p is invalid".into()));
        assert_eq!(read("/with space"), Err("Path /with space is invalid".into()));
        assert_eq!(read("/.."), Err("Path /.. is invalid".into()));
        assert_eq!(read("/a/../../x"), Err("Path /../x is invalid".into()));
        assert_eq!(read(""), Err("Path  is invalid".into()));
        assert_eq!(read("alluxio://h:1/a b"), Err("Path /a b is invalid".into()));
    }

    #[test]
    fn a_child_is_below_and_may_be_refused() {
        let child = |place: &str, name: &str| {
            let child = Uri::parse(place, Of1_2).unwrap().child(name);
            child.path().map(|_| child.to_string()).map_err(|error| error.to_string())
        };
        assert_eq!(child("/", "a"), Ok("/a".into()));
        assert_eq!(child("alluxio://h:1/a", "b"), Ok("alluxio://h:1/a/b".into()));
        assert_eq!(child("/a", "b c"), Err("Path /a/b c is invalid".into()));
    }

    #[test]
    fn in_2_9_blanks_are_allowed_and_refusals_have_its_words() {
        assert_eq!(read_in(Of2_9, "/with space"), Ok(("/with space".into(), "/with space".into())));
        assert_eq!(read_in(Of2_9, "relative"), Err("Path \"relative\" is invalid.".into()));
        assert!(read_in(Of2_9, "alluxio-ft://h:1/a").is_err_and(|text| text.starts_with("Scheme alluxio-ft:// in ")));
    }

    #[test]
    fn a_path_of_another_file_system_is_not_taken_for_ours() {
        assert!(read("hdfs://nn:8020/data").is_err_and(|text| text.contains("the scheme is hdfs")));
    }
}
