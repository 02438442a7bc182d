//! Names and values that may be secret.

use std::collections::BTreeMap;
use std::fmt;

/// Properties of a mount: their names are shown in logs, their values never.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Properties(BTreeMap<String, String>);

impl Properties {
    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// All as pairs, ordered by name.
    pub fn pairs(&self) -> Vec<(String, String)> {
        self.0.clone().into_iter().collect()
    }
}

impl FromIterator<(String, String)> for Properties {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Properties {
        Properties(pairs.into_iter().collect())
    }
}

impl fmt::Debug for Properties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Pairs of which the names are shown, and the values never.
pub struct Names<'a>(pub &'a [(String, String)]);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_not_shown() {
        let properties: Properties = [("s3a.secretKey".to_owned(), "hush".to_owned())].into_iter().collect();
        assert_eq!(format!("{properties:?}"), r#"{"s3a.secretKey"}"#);
        assert_eq!(properties.get("s3a.secretKey"), Some("hush"));
    }
}
