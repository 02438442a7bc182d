//! `log4rs.yaml`: what it says, with levels changed since.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use log::LevelFilter;
use log4rs::config::{Deserializers, Logger, RawConfig};
use serde_value::Value;

/// The log of a server when there is no file that says it.
const BUILT_IN: &str = include_str!("../../conf/log4rs.yaml");

/// What is only in the definition for a server that writes an audit log: the logger and its appender.
const AUDIT_LOGGER: &str = "AUDIT_LOG";
const AUDIT_APPENDER: &str = "audit";

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// The file is there and cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// It is no YAML.
    #[error("{name} is not readable YAML")]
    Syntax {
        /// The file.
        name: String,
        /// What is wrong.
        #[source]
        source: config::ConfigError,
    },
    /// It says something that a log cannot be.
    #[error("{name} cannot be understood")]
    Meaning {
        /// The file.
        name: String,
        /// What is wrong.
        #[source]
        source: serde_value::DeserializerError,
    },
    /// A file of the log cannot be opened, or an appender is no appender.
    #[error("{name} has appenders that cannot be used")]
    Appenders {
        /// The file.
        name: String,
    },
    /// Its parts do not go together.
    #[error("{name} cannot be used")]
    Unusable {
        /// The file.
        name: String,
        /// What is wrong.
        #[source]
        source: log4rs::config::runtime::ConfigErrors,
    },
    /// An audit log is wished, and the file does not say where it goes.
    #[error(
        "{name} has no logger AUDIT_LOG, so there is no place for the audit log that \
         alluxio.master.audit.logging.enabled asks for; take the parts that name it from the log4rs.yaml of this version"
    )]
    NoAudit {
        /// The file.
        name: String,
    },
    /// The process has a log already.
    #[error("the log cannot be set up twice")]
    Twice(#[from] log::SetLoggerError),
}

impl LogsError {
    pub(super) fn unusable(name: &str) -> impl FnOnce(log4rs::config::runtime::ConfigErrors) -> LogsError {
        move |source| LogsError::Unusable { name: name.to_owned(), source }
    }
}

/// Where the definition of a server's log is, and what stands for its variables.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    pub(super) logs_dir: PathBuf,
    pub(super) server: &'static str,
    pub(super) audit: bool,
}

/// The text of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    /// The file, for people.
    name: String,
    text: String,
}

/// Levels that are not those of the definition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Levels {
    pub(super) root: Option<LevelFilter>,
    /// By the name of the logger.
    pub(super) loggers: BTreeMap<String, LevelFilter>,
}

impl Place {
    /// Reads the file; without one there is what is built in.
    pub(super) fn read(&self) -> Result<Text, LogsError> {
        match std::fs::read_to_string(&self.file) {
            Ok(text) => Ok(Text { name: shown(&self.file), text }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Ok(Text { name: "the built-in log4rs.yaml".to_owned(), text: BUILT_IN.to_owned() })
            }
            Err(source) => Err(LogsError::Read { path: shown(&self.file), source }),
        }
    }

    /// What a text says for this server.
    pub(super) fn parse(&self, text: &Text) -> Result<Definition, LogsError> {
        let Text { name, text } = text;
        let logs_dir = shown(&self.logs_dir).replace('\'', "''");
        let text = text.replace("${alluxio.logs.dir}", &logs_dir).replace("${alluxio.server}", self.server);
        let file = config::File::from_str(&text, config::FileFormat::Yaml);
        let parsed = config::Config::builder().add_source(file).build();
        // Not at once into what log4rs wants: `config` would take the names of levels in capitals only.
        let mut value: Value = parsed
            .and_then(config::Config::try_deserialize)
            .map_err(|source| LogsError::Syntax { name: name.clone(), source })?;
        if !self.audit {
            remove(&mut value, "loggers", AUDIT_LOGGER);
            remove(&mut value, "appenders", AUDIT_APPENDER);
        }
        let raw: RawConfig =
            value.deserialize_into().map_err(|source| LogsError::Meaning { name: name.clone(), source })?;
        if self.audit && !raw.loggers().iter().any(|logger| logger.name() == AUDIT_LOGGER) {
            return Err(LogsError::NoAudit { name: name.clone() });
        }
        Ok(Definition { name: name.clone(), raw })
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Leaves out an entry of a table.
fn remove(definition: &mut Value, table: &str, key: &str) {
    let Value::Map(tables) = definition else { return };
    if let Some(Value::Map(table)) = tables.get_mut(&Value::String(table.to_owned())) {
        table.remove(&Value::String(key.to_owned()));
    }
}

/// A definition that was read.
#[derive(Debug)]
pub(super) struct Definition {
    name: String,
    raw: RawConfig,
}

impl Definition {
    /// How often it is looked whether the file has changed; none if it is not.
    pub(super) fn refresh_rate(&self) -> Option<Duration> {
        self.raw.refresh_rate()
    }

    /// The log with these levels. Opens its files.
    pub(super) fn build(&self, levels: &Levels) -> Result<log4rs::Config, LogsError> {
        let (appenders, mut errors) = self.raw.appenders_lossy(&Deserializers::default());
        if !errors.is_empty() {
            errors.handle();
            return Err(LogsError::Appenders { name: self.name.clone() });
        }
        let mut root = self.raw.root();
        if let Some(level) = levels.root {
            root.set_level(level);
        }
        let mut loggers = self.raw.loggers();
        for (name, level) in &levels.loggers {
            let before = loggers.iter().position(|logger| logger.name() == name);
            let changed = Logger::builder();
            let changed = match before.map(|at| loggers.remove(at)) {
                Some(before) => changed.appenders(before.appenders()).additive(before.additive()),
                None => changed,
            };
            loggers.push(changed.build(name, *level));
        }
        let config = log4rs::Config::builder().appenders(appenders).loggers(loggers).build(root);
        config.map_err(LogsError::unusable(&self.name))
    }

    /// The level of a logger: its own, or that of the nearest one above.
    pub(super) fn level_of(&self, name: &str, levels: &Levels) -> LevelFilter {
        let defined = self.raw.loggers();
        let mut name = name;
        while !name.is_empty() {
            let own = levels.loggers.get(name).copied();
            let defined = || defined.iter().find(|logger| logger.name() == name).map(Logger::level);
            if let Some(level) = own.or_else(defined) {
                return level;
            }
            name = name.rsplit_once("::").map_or("", |(above, _)| above);
        }
        levels.root.unwrap_or_else(|| self.raw.root().level())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(audit: bool) -> Place {
        Place { file: "none/log4rs.yaml".into(), logs_dir: "it's/here".into(), server: "master", audit }
    }

    fn text(text: &str) -> Text {
        Text { name: "x.yaml".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn the_audit_log_is_there_for_who_wants_it_only() {
        let loggers = |audit| {
            let place = place(audit);
            let definition = place.parse(&place.read().expect("what is built in")).expect("it can be understood");
            definition.raw.loggers().iter().map(|logger| logger.name().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(loggers(true), [AUDIT_LOGGER]);
        assert_eq!(loggers(false), [""; 0]);
        let refused = place(true).parse(&text("root: {level: info}")).map(|_| ()).expect_err("it has no such logger");
        assert!(refused.to_string().starts_with("x.yaml has no logger AUDIT_LOG"), "{refused}");
    }

    #[test]
    fn a_logger_has_its_own_level_or_that_of_the_nearest_above() {
        let definition = "root: {level: warn}\nloggers: {'a::b': {level: debug}}";
        let definition = place(false).parse(&text(definition)).expect("it can be understood");
        let mut levels = Levels::default();
        assert_eq!(definition.level_of("a::b::c", &levels), LevelFilter::Debug);
        assert_eq!(definition.level_of("a", &levels), LevelFilter::Warn);
        assert_eq!(definition.level_of("a::bc", &levels), LevelFilter::Warn);
        levels.loggers.insert("a".to_owned(), LevelFilter::Trace);
        levels.root = Some(LevelFilter::Error);
        assert_eq!(definition.level_of("a::x", &levels), LevelFilter::Trace);
        assert_eq!(definition.level_of("a::b", &levels), LevelFilter::Debug);
        assert_eq!(definition.level_of("other", &levels), LevelFilter::Error);
        assert_eq!(definition.level_of("", &levels), LevelFilter::Error);
        levels.loggers.insert("a::b".to_owned(), LevelFilter::Off);
        let built = definition.build(&levels).expect("they go together");
        let told: Vec<_> = built.loggers().iter().map(|logger| (logger.name(), logger.level())).collect();
        assert_eq!(told, [("a", LevelFilter::Trace), ("a::b", LevelFilter::Off)]);
        assert_eq!(built.root().level(), LevelFilter::Error);
    }
}
