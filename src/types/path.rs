//! Paths of the Alluxio namespace.

use std::borrow::Borrow;
use std::fmt;

/// An absolute path without scheme and authority: `/`, or `/a/b` with no empty, `.` or `..` component and no
/// slash at the end. Cheap to compare; order is that of the bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct AlluxioPath(String);

// Maps of paths are asked with the text of one: same order, same equality.
impl Borrow<str> for AlluxioPath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A text that is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Path \"{0}\" is invalid.")]
pub struct InvalidPath(pub String);

impl AlluxioPath {
    /// The root.
    pub fn root() -> AlluxioPath {
        AlluxioPath("/".into())
    }

    /// Reads an absolute path, with repeated slashes, `.`, `..` and a slash at the end taken away.
    ///
    /// # Errors
    /// A text that does not begin with `/`, or that leaves the root by `..`.
    pub fn parse(text: &str) -> Result<AlluxioPath, InvalidPath> {
        let invalid = || InvalidPath(text.to_owned());
        let rest = text.strip_prefix('/').ok_or_else(invalid)?;
        let mut parts: Vec<&str> = Vec::new();
        for part in rest.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or_else(invalid)?;
                }
                name => parts.push(name),
            }
        }
        Ok(AlluxioPath(format!("/{}", parts.join("/"))))
    }

    /// The text, beginning with `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, without a copy.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether it is `/`.
    pub fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// The names from the root down; none for the root.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|name| !name.is_empty())
    }

    /// The last component; "" for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or("")
    }

    /// The texts of this path and of all above it, the root last.
    pub fn upwards(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.0.as_str()), |text| match text.rfind('/') {
            _ if *text == "/" => None,
            Some(end) => Some(&text[..end.max(1)]),
            None => None,
        })
    }

    /// The path above; none for the root.
    pub fn parent(&self) -> Option<AlluxioPath> {
        if self.is_root() {
            return None;
        }
        let end = self.0.rfind('/').filter(|end| *end > 0);
        Some(end.map_or_else(AlluxioPath::root, |end| AlluxioPath(self.0[..end].to_owned())))
    }

    /// The path of the child `name`, which must be a single component.
    pub fn join(&self, name: &str) -> AlluxioPath {
        debug_assert!(!name.contains('/') && !name.is_empty(), "{name:?} is one component");
        AlluxioPath([if self.is_root() { "" } else { &self.0 }, "/", name].concat())
    }

    /// Whether this is `other` or lies above it.
    pub fn is_prefix_of(&self, other: &AlluxioPath) -> bool {
        self.is_root() || other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl fmt::Display for AlluxioPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::AlluxioPath;

    #[test]
    fn upwards_goes_to_the_root() {
        let upwards = |text: &str| AlluxioPath::parse(text).unwrap().upwards().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(upwards("/"), ["/"]);
        assert_eq!(upwards("/a"), ["/a", "/"]);
        assert_eq!(upwards("/a/bc/d"), ["/a/bc/d", "/a/bc", "/a", "/"]);
    }

    #[test]
    fn a_path_is_normal_whatever_its_text() {
        let normal = |text: &str| AlluxioPath::parse(text).map(|path| path.to_string());
        assert_eq!(normal("/"), Ok("/".into()));
        assert_eq!(normal("//a//b/"), Ok("/a/b".into()));
        assert_eq!(normal("/a/./b/../c"), Ok("/a/c".into()));
        assert!(normal("a/b").is_err());
        assert!(normal("").is_err());
        assert!(normal("/..").is_err());
    }

    #[test]
    fn parent_name_and_prefix_agree() {
        let path = AlluxioPath::parse("/a/b").expect("absolute");
        assert_eq!(path.parent().map(|p| p.to_string()), Some("/a".into()));
        assert_eq!(path.parent().and_then(|p| p.parent()), Some(AlluxioPath::root()));
        assert_eq!(AlluxioPath::root().parent(), None);
        assert_eq!(path.name(), "b");
        assert_eq!(AlluxioPath::root().name(), "");
        assert!(path.parent().is_some_and(|p| p.is_prefix_of(&path)));
        let other = AlluxioPath::parse("/ab").expect("absolute");
        assert!(!AlluxioPath::parse("/a").is_ok_and(|p| p.is_prefix_of(&other)));
    }
}
