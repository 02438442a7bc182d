//! Pure. Wildcards: `*` stands for any text without a slash.
//!
//! A name that contains a star cannot be told from a pattern, as in 1.2.0.

use crate::types::AlluxioPath;

/// Whether `text` is a pattern.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains('*')
}

/// Splits a pattern into the directory above its first star and the names below it, some with stars.
pub(super) fn split(pattern: &AlluxioPath) -> (AlluxioPath, Vec<&str>) {
    let mut base = AlluxioPath::root();
    let mut names = Vec::new();
    for name in pattern.components() {
        if names.is_empty() && !name.contains('*') {
            base = base.join(name);
        } else {
            names.push(name);
        }
    }
    (base, names)
}

/// What stands above the first star of `text`, which is no path.
pub(super) fn above(text: &str) -> &str {
    let head = text.split('*').next().unwrap_or_default();
    head.rsplit_once('/').map_or("", |(above, _)| above)
}

/// Whether `name` is what `pattern` stands for.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut rest) = name.strip_prefix(head) else { return false };
    // Each middle part at its first place leaves most for those after it; the last part must stand at the end.
    let (middle, last) = tail.rsplit_once('*').unwrap_or(("", tail));
    for part in middle.split('*') {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{matches, split};
    use crate::types::AlluxioPath;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "a"),
            ("h*", "hello"),
            ("*.txt", "a.txt"),
            ("a*c*e", "abcde"),
            ("**", "x"),
            ("a", "a"),
            ("a*a", "aa"),
            ("*ab*ab", "abab"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("h*", "ahello"),
            ("*.txt", "a.txt~"),
            ("a*c*e", "abde"),
            ("a", "ab"),
            ("a*a", "a"),
            ("*ab*ab", "ab"),
            ("a.c", "abc"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn the_search_begins_above_the_first_star() {
        let pattern = AlluxioPath::parse("/a/b/c*/d/*.txt").unwrap();
        assert_eq!(split(&pattern), (AlluxioPath::parse("/a/b").unwrap(), vec!["c*", "d", "*.txt"]));
    }
}
