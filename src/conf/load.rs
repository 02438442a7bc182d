//! Which value counts: built-in default < site file < environment < command line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::keys::{self, ROWS};
use super::known;
use super::sources::{Environment, Layer, Origin, Setting, Sources, command_line, merge, site_file};
use super::table::{Family, Key, Preset, Row, chosen_word};
use super::values::{Compatibility, ParseValue};

/// How deep references to other properties may be nested; deeper is a circle.
const REFERENCES_MAX: usize = 20;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfError {
    /// A value is not one of its property's.
    #[error("{name} = {text} ({origin}): {reason}")]
    Value {
        /// The property as it was written.
        name: String,
        /// The value as it was written, hidden if it is a secret.
        text: String,
        /// Where.
        origin: Origin,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// A word among options is none.
    // Compatible: 1.2.0, whose JVM takes such a word for the class that it should run; load_tests.rs.
    #[error(
        "{variable} has the word {word:?}, which is no option; options are -Dkey=value, a value with blanks in quotes"
    )]
    Word {
        /// The variable.
        variable: String,
        /// The word.
        word: String,
    },
    /// The options in a variable cannot be split into words.
    #[error("{variable} has a quote or backslash without its end: {text}")]
    Quote {
        /// The variable.
        variable: String,
        /// Its content.
        text: String,
    },
    /// The site file exists, but cannot be read.
    #[error("cannot read {path}")]
    SiteFile {
        /// The file.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The site file is not a properties file.
    #[error("{path}:{line}: {reason}")]
    Syntax {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The layers could not be merged.
    #[error("cannot merge the configuration")]
    Merge(#[from] config::ConfigError),
}

/// A property that somebody set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explicit<'a> {
    /// The name as release 2.9 spells it.
    pub name: &'a str,
    /// The value, references resolved.
    pub text: &'a str,
    /// Where it was set.
    pub origin: &'a Origin,
}

/// A property as people may see it: what only its owner may know is hidden.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<'a> {
    /// The name as release 2.9 spells it.
    pub name: &'a str,
    /// The value, references resolved; empty when it is not set.
    pub text: &'a str,
    /// Where it was set.
    pub origin: &'a Origin,
}

/// Stands for a secret, as in 2.9.
const HIDDEN: &str = "******";

/// Whether a property holds what only its owner may know.
// Compatible: 2.9 DisplayType.CREDENTIALS is told by the property; here by its name, so that those of mounts and of
// other programs are hidden, too.
fn is_secret(name: &str) -> bool {
    const PARTS: [&str; 7] = ["password", "secret", "accesskey", "access.key", "credential", "token", "private.key"];
    let name = name.to_ascii_lowercase();
    PARTS.iter().any(|part| name.contains(part))
}

/// The value of a property as people may see it.
pub fn shown_text<'a>(name: &str, text: &'a str) -> &'a str {
    if is_secret(name) && !text.is_empty() { HIDDEN } else { text }
}

/// What an operator should know, but what stops nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Warning {
    /// A property of some Alluxio that has no effect here.
    #[error("{name} ({origin}) is not supported, ignored")]
    Unsupported {
        /// The property as it was written.
        name: String,
        /// Where.
        origin: Origin,
    },
    /// A property that no Alluxio has.
    #[error(
        "{name} ({origin}) is not a property of Alluxio, ignored{}",
        nearest.map_or_else(String::new, |nearest| format!("; did you mean {nearest}?"))
    )]
    Unknown {
        /// The property as it was written.
        name: String,
        /// Where.
        origin: Origin,
        /// The property with a name like it, if there is one.
        nearest: Option<&'static str>,
    },
    /// A variable of the environment that nobody reads, and that is like one that is read.
    #[error("{name} in the environment or alluxio-env.sh is not read by anybody, ignored; did you mean {meant}?")]
    Variable {
        /// The variable.
        name: String,
        /// The one that is read.
        meant: &'static str,
    },
    /// Options for a JVM.
    #[error("options for a Java machine have no effect, ignored: {0}")]
    JavaOptions(String),
}

/// The configuration of a process: a checked value for every row of the table.
#[derive(Debug, Clone)]
pub struct Conf {
    /// What counts, by name as release 2.9 spells it; values of rows are resolved and checked.
    settings: BTreeMap<String, Setting>,
    compatibility: Compatibility,
    warnings: Vec<Warning>,
}

impl Conf {
    /// Reads and checks everything; a value of a wrong form is an error even if this process has no use for it.
    pub fn load(sources: &Sources) -> Result<Conf, ConfError> {
        let environment = Environment::read(sources)?;
        let mut layers = [environment.role, environment.common, environment.named, command_line(sources)];
        let site = site_file(&site_folders(sources, &layers)?)?;
        let compatibility = compatibility(std::iter::once(&site).chain(&layers))?;
        if compatibility == Compatibility::V2_9 {
            // In 1.2.0 a role's options lose against those for all processes, in 2.9 they win against all variables.
            layers[..3].rotate_left(1);
        }
        let mut settings = merge(std::iter::once(&presets(compatibility)).chain([&site]).chain(&layers))?;
        resolve_and_check(sources, &mut settings)?;
        let warnings = warnings(&settings, environment.misspelt, &environment.ignored);
        Ok(Conf { settings, compatibility, warnings })
    }

    /// The value of a property.
    pub fn get<T: ParseValue>(&self, key: &Key<T>) -> T {
        let text = self.settings.get(key.row.name).map_or("", |setting| setting.text.as_str());
        (key.parse)(text).expect("all values were checked when they were loaded")
    }

    /// The values of a family, by the word in their names.
    pub fn family<T: ParseValue>(&self, family: &Family<T>) -> BTreeMap<String, T> {
        let value = |setting: &Setting| (family.key.parse)(&setting.text).expect("all values were checked");
        let member = |(name, setting): (&String, &Setting)| {
            Some((chosen_word(family.key.row.name, name)?.to_owned(), value(setting)))
        };
        self.settings.iter().filter_map(member).collect()
    }

    /// Where the value of a property comes from.
    pub fn origin(&self, row: &Row) -> &Origin {
        self.origin_of(row.name)
    }

    /// Whether some Alluxio has a property of this name.
    pub fn knows(name: &str) -> bool {
        known::row(name).is_some() || known::is_known(name)
    }

    /// Where the value of a property comes from, by any of its spellings.
    pub fn origin_of(&self, name: &str) -> &Origin {
        self.settings.get(known::canonical(name)).map_or(&Origin::Preset, |setting| &setting.origin)
    }

    /// The value of a property as text, by any of its spellings; none when it is unknown or not set.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.settings.get(known::canonical(name)).map(|setting| setting.text.as_str())
    }

    /// Properties and options without effect. To be logged once.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The properties of Alluxio that somebody set, in the order of their names.
    pub fn set_by_operator(&self) -> impl Iterator<Item = Explicit<'_>> {
        self.settings
            .iter()
            .filter(|(name, setting)| setting.origin != Origin::Preset && name.starts_with("alluxio."))
            .map(|(name, setting)| Explicit { name, text: &setting.text, origin: &setting.origin })
    }

    /// Every property of Alluxio that has an effect or was set, in the order of their names, as people may see them.
    pub fn shown(&self) -> Vec<Shown<'_>> {
        let unset = ROWS.iter().map(|row| row.name).filter(|name| !self.settings.contains_key(*name));
        let names = self.settings.keys().map(String::as_str).filter(|name| name.starts_with("alluxio."));
        let mut names: Vec<&str> = names.chain(unset).collect();
        names.sort_unstable();
        let shown = |name| {
            let text = shown_text(name, self.text(name).unwrap_or_default());
            Shown { name, text, origin: self.origin_of(name) }
        };
        names.into_iter().map(shown).collect()
    }

    /// Whose texts and client defaults are shown.
    pub fn compatibility(&self) -> Compatibility {
        self.compatibility
    }
}

/// The folders of the site file, which only environment and command line can name.
fn site_folders(sources: &Sources, layers: &[Layer]) -> Result<Vec<PathBuf>, ConfError> {
    let compatibility = compatibility(layers)?;
    let settings = merge(std::iter::once(&presets(compatibility)).chain(layers))?;
    let row = &keys::SITE_CONF_DIR.row;
    let folders = resolve(sources, &settings, &settings[row.name].text, 0);
    let folders = folders.and_then(|text| (keys::SITE_CONF_DIR.parse)(&text));
    folders.map_err(|reason| wrong(&settings[row.name], reason))
}

/// The compatibility that is asked for last; needed before everything else, because built-in defaults depend on it.
fn compatibility<'a>(layers: impl IntoIterator<Item = &'a Layer>) -> Result<Compatibility, ConfError> {
    let key = &keys::COMPATIBILITY;
    let settings = layers.into_iter().flat_map(|layer| &layer.0);
    match settings.filter(|setting| setting.name == key.row.name).last() {
        Some(setting) => (key.parse)(&setting.text).map_err(|reason| wrong(setting, reason)),
        None => Ok(Compatibility::V1_2),
    }
}

fn presets(compatibility: Compatibility) -> Layer {
    let preset = |row: &&Row| Setting {
        name: row.name.to_owned(),
        text: row.preset.text(compatibility).to_owned(),
        origin: Origin::Preset,
    };
    Layer(ROWS.iter().filter(|row| row.preset != Preset::Unset).map(preset).collect())
}

/// Puts the values of other properties in the place of `${name}`, and checks the result. What no row reads stays as
/// it was written when it cannot be resolved.
fn resolve_and_check(sources: &Sources, settings: &mut BTreeMap<String, Setting>) -> Result<(), ConfError> {
    let mut resolved = settings.clone();
    for (name, setting) in &mut resolved {
        let text = resolve(sources, settings, &setting.text, 0);
        let Some(row) = known::row(name) else {
            setting.text = text.unwrap_or_else(|_| std::mem::take(&mut setting.text));
            continue;
        };
        let text = text.and_then(|text| (row.check)(&text).map(|()| text));
        setting.text = text.map_err(|reason| wrong(setting, reason))?;
    }
    *settings = resolved;
    Ok(())
}

/// `text` with every `${name}` replaced; the reason when that cannot be done.
fn resolve(
    sources: &Sources,
    settings: &BTreeMap<String, Setting>,
    text: &str,
    depth: usize,
) -> Result<String, String> {
    let Some((before, rest)) = text.split_once("${") else { return Ok(text.to_owned()) };
    let Some((name, after)) = rest.split_once('}') else { return Err("has a ${ without its }".to_owned()) };
    if depth == REFERENCES_MAX {
        return Err(format!("refers to itself through ${{{name}}}"));
    }
    let value = match (name, settings.get(known::canonical(name))) {
        (_, Some(setting)) => resolve(sources, settings, &setting.text, depth + 1)?,
        ("user.home", None) => sources.variable("HOME").unwrap_or("/").to_owned(),
        ("user.name", None) => sources.variable("USER").unwrap_or("root").to_owned(),
        _ => return Err(format!("refers to ${{{name}}}, which is not set")),
    };
    Ok(format!("{before}{value}{}", resolve(sources, settings, after, depth)?))
}

fn wrong(setting: &Setting, reason: String) -> ConfError {
    let text = shown_text(&setting.name, &setting.text).to_owned();
    ConfError::Value { name: setting.name.clone(), text, origin: setting.origin.clone(), reason }
}

fn warnings(
    settings: &BTreeMap<String, Setting>,
    misspelt: Vec<(String, &'static str)>,
    ignored: &[String],
) -> Vec<Warning> {
    let mut warnings: Vec<_> = misspelt.into_iter().map(|(name, meant)| Warning::Variable { name, meant }).collect();
    for (canonical, Setting { name, origin, .. }) in settings {
        let (name, origin) = (name.clone(), origin.clone());
        if known::row(canonical).is_some() {
            continue;
        }
        if known::is_known(canonical) {
            warnings.push(Warning::Unsupported { name, origin });
        } else if canonical.starts_with("alluxio.") {
            warnings.push(Warning::Unknown { name, origin, nearest: known::nearest(canonical) });
        }
    }
    if !ignored.is_empty() {
        warnings.push(Warning::JavaOptions(ignored.join(", ")));
    }
    warnings
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
