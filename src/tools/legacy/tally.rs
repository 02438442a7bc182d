//! Pure. What was read, and what of it has no place in our state: counted, to be told.

use std::collections::BTreeMap;

/// See the module text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries by kind.
    pub read: BTreeMap<&'static str, u64>,
    /// What is left out, by what it is.
    pub dropped: BTreeMap<&'static str, u64>,
    /// Things to know that are no loss.
    pub notes: Vec<String>,
}

impl Tally {
    /// Counts an entry of this kind.
    pub fn count(&mut self, kind: &'static str) {
        *self.read.entry(kind).or_default() += 1;
    }

    /// Counts something that is left out.
    pub fn drop_one(&mut self, what: &'static str) {
        *self.dropped.entry(what).or_default() += 1;
    }

    /// Counts it if it is there.
    pub fn drop_if(&mut self, there: bool, what: &'static str) {
        if there {
            self.drop_one(what);
        }
    }
}
