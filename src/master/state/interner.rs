//! Names of users and groups as numbers: there are few, and every inode has two.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Texts in the order in which they came; a text keeps its number for ever.
#[derive(Debug, Clone, Default)]
pub(super) struct Interner {
    texts: Arc<Vec<Arc<str>>>,
    numbers: Arc<BTreeMap<Arc<str>, u32>>,
}

impl Interner {
    /// The number of a text, given now when it has none.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).expect("fewer than 2^32 users and groups");
        let text: Arc<str> = text.into();
        Arc::make_mut(&mut self.texts).push(Arc::clone(&text));
        Arc::make_mut(&mut self.numbers).insert(text, number);
        number
    }

    /// The text of a number that was given.
    pub(super) fn text(&self, number: u32) -> &str {
        &self.texts[number as usize]
    }

    /// All texts in the order of their numbers.
    pub(super) fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(|text| &**text)
    }
}
