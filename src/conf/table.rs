//! What a row of the table of properties is.

use super::values::{Compatibility, ParseValue};

/// What a property is when nobody sets it, written as an operator would.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// Not set.
    Unset,
    /// The same everywhere.
    Always(&'static str),
    /// As the release had it whose compatibility is chosen.
    ByRelease {
        /// With `alluxio.compatibility` = `1.2`.
        v1_2: &'static str,
        /// With `alluxio.compatibility` = `2.9`.
        v2_9: &'static str,
    },
}

impl Preset {
    /// The text for this compatibility; empty when not set.
    pub fn text(&self, compatibility: Compatibility) -> &'static str {
        match (self, compatibility) {
            (Preset::Unset, _) => "",
            (Preset::Always(text), _) => text,
            (Preset::ByRelease { v1_2, .. }, Compatibility::V1_2) => v1_2,
            (Preset::ByRelease { v2_9, .. }, Compatibility::V2_9) => v2_9,
        }
    }
}

/// A row without its type: what is needed to check a value and to explain the property.
#[derive(Debug)]
pub struct Row {
    /// Its name as release 2.9 spells it, or ours.
    pub name: &'static str,
    /// Other spellings, of release 1.2.0 most often.
    pub aliases: &'static [&'static str],
    /// What it is when nobody sets it.
    pub preset: Preset,
    /// One or two sentences for operators.
    pub doc: &'static str,
    /// What a value looks like.
    pub form: &'static str,
    pub(super) check: fn(&str) -> Result<(), String>,
}

/// A property whose values are `T`.
#[derive(Debug)]
pub struct Key<T: 'static> {
    /// Its row.
    pub row: Row,
    pub(super) parse: fn(&str) -> Result<T, String>,
}

impl<T: ParseValue> Key<T> {
    pub(super) const fn new(
        name: &'static str,
        aliases: &'static [&'static str],
        preset: Preset,
        doc: &'static str,
    ) -> Key<T> {
        Key { row: Row { name, aliases, preset, doc, form: T::FORM, check: check::<T> }, parse: T::parse }
    }

    /// The value that a text stands for.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&self, text: &str) -> Result<T, String> {
        (self.parse)(text)
    }
}

/// Properties whose name holds a word of the operator's choice, written `*` in the row's name.
#[derive(Debug)]
pub struct Family<T: 'static> {
    /// The row they share.
    pub key: Key<T>,
}

impl<T: ParseValue> Family<T> {
    pub(super) const fn new(name: &'static str, doc: &'static str) -> Family<T> {
        Family { key: Key::new(name, &[], Preset::Unset, doc) }
    }
}

/// The word that stands for `*` of `pattern` in `name`, if `name` is of that pattern.
pub(super) fn chosen_word<'a>(pattern: &str, name: &'a str) -> Option<&'a str> {
    let (before, after) = pattern.split_once('*')?;
    let word = name.strip_prefix(before)?.strip_suffix(after)?;
    (!word.is_empty()).then_some(word)
}

fn check<T: ParseValue>(text: &str) -> Result<(), String> {
    T::parse(text).map(drop)
}
