//! Extended attributes: values that clients give to files and directories by name.

use std::collections::BTreeMap;

/// Values by their names.
pub type Xattrs = BTreeMap<String, Vec<u8>>;

/// How new extended attributes meet those that are there (2.9.6 XAttrUpdateStrategy). The numbers are journaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum XattrStrategy {
    /// The new ones replace all.
    Truncate = 1,
    /// The new ones are added, and replace those of the same name.
    UnionReplace = 2,
    /// The new ones are added where there is none of the same name.
    UnionPreserve = 3,
    /// Those of these names are taken away; the new values do not count.
    DeleteKeys = 4,
}

/// A change of extended attributes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct XattrUpdate {
    /// How.
    pub strategy: XattrStrategy,
    /// With what.
    pub values: Xattrs,
}

impl XattrUpdate {
    /// Changes `xattrs` as it says.
    // Compatible: 2.9.6 MutableInode.setXAttr.
    pub fn apply(&self, xattrs: &mut Xattrs) {
        let added = self.values.iter().map(|(name, value)| (name.clone(), value.clone()));
        match self.strategy {
            XattrStrategy::Truncate => xattrs.clone_from(&self.values),
            XattrStrategy::UnionReplace => xattrs.extend(added),
            XattrStrategy::UnionPreserve => {
                for (name, value) in added {
                    xattrs.entry(name).or_insert(value);
                }
            }
            XattrStrategy::DeleteKeys => xattrs.retain(|name, _| !self.values.contains_key(name)),
        }
    }
}

impl XattrStrategy {
    /// The strategy of that number, if there is one.
    pub fn of_number(number: i32) -> Option<XattrStrategy> {
        use XattrStrategy::{DeleteKeys, Truncate, UnionPreserve, UnionReplace};
        [Truncate, UnionReplace, UnionPreserve, DeleteKeys].into_iter().find(|strategy| *strategy as i32 == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_says_what_becomes_of_what_is_there() {
        let of = |pairs: &[(&str, &str)]| -> Xattrs {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect()
        };
        let cases = [
            (XattrStrategy::Truncate, of(&[("b", "new"), ("c", "new")])),
            (XattrStrategy::UnionReplace, of(&[("a", "old"), ("b", "new"), ("c", "new")])),
            (XattrStrategy::UnionPreserve, of(&[("a", "old"), ("b", "old"), ("c", "new")])),
            (XattrStrategy::DeleteKeys, of(&[("a", "old")])),
        ];
        for (strategy, expected) in cases {
            let mut xattrs = of(&[("a", "old"), ("b", "old")]);
            XattrUpdate { strategy, values: of(&[("b", "new"), ("c", "new")]) }.apply(&mut xattrs);
            assert_eq!(xattrs, expected, "{strategy:?}");
            assert_eq!(XattrStrategy::of_number(strategy as i32), Some(strategy));
        }
        assert_eq!([XattrStrategy::of_number(0), XattrStrategy::of_number(5)], [None, None]);
    }
}
