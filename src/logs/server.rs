//! The log of a server. Its levels change while it runs: by a call, or with `log4rs.yaml` when that says how often it is
//! looked at.

use std::sync::Arc;

use log::{LevelFilter, info, warn};
use parking_lot::Mutex;
use tokio::time::sleep;

use super::definition::{Definition, Levels, LogsError, Place, Text};
use crate::conf::{Conf, keys};

/// Name of the logger above all others.
const ROOT: &str = "root";

/// Which logs a server writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Its own.
    Log,
    /// An audit log besides.
    LogAndAudit,
}

/// See the module text. Clones are the same log.
#[derive(Debug, Clone)]
pub struct ServerLog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    place: Place,
    /// `alluxio.log.level`.
    root_level: Option<LevelFilter>,
    handle: log4rs::Handle,
    /// Locked while the log is changed.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    text: Text,
    definition: Definition,
    levels: Levels,
}

/// What came of a wish to see or change a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelChange {
    /// The level that holds now; none when no logger was named.
    pub level: Option<LevelFilter>,
    /// What was done, or why not; empty when nothing was to be done.
    pub message: String,
}

impl ServerLog {
    /// Sets up the log of this process as `log4rs.yaml` in the configuration folder says.
    ///
    /// # Errors
    /// The file is wrong, a file of the log cannot be opened, or there is a log already.
    pub fn start(conf: &Conf, server: &'static str, wanted: Wanted) -> Result<ServerLog, LogsError> {
        let place = Place {
            file: conf.get(&keys::CONF_DIR).join("log4rs.yaml"),
            logs_dir: conf.get(&keys::LOGS_DIR),
            server,
            audit: wanted == Wanted::LogAndAudit,
        };
        let root_level = conf.get(&keys::LOG_LEVEL);
        let text = place.read()?;
        let definition = place.parse(&text)?;
        let levels = Levels { root: root_level, ..Levels::default() };
        let handle = log4rs::init_config(definition.build(&levels)?)?;
        let state = Mutex::new(State { text, definition, levels });
        Ok(ServerLog { inner: Arc::new(Inner { place, root_level, handle, state }) })
    }

    /// Tells the level of a logger, and changes it first if `level` says so. The names of loggers are those of modules,
    /// as `alluxio::master::runtime`; the dots of Java are taken for that, too.
    // Compatible: 2.9 LogUtils, setLogLevel, the messages.
    pub fn level(&self, name: &str, level: Option<&str>) -> LevelChange {
        if name.trim().is_empty() {
            return LevelChange { level: None, message: "Please specify a correct logName.".to_owned() };
        }
        let name = name.trim().replace('.', "::");
        let mut state = self.inner.state.lock();
        let message = level.map_or_else(String::new, |level| match named(level) {
            None => format!("Bad level : {level}"),
            Some(filter) => match self.set(&mut state, &name, filter) {
                Ok(()) => {
                    info!("changed the level of the log logger={name} level={filter}");
                    format!("Setting Level to {level}")
                }
                Err(error) => {
                    warn!("cannot change the level of the log logger={name} reason={error}");
                    error.to_string()
                }
            },
        });
        let name = if name == ROOT { "" } else { &name };
        LevelChange { level: Some(state.definition.level_of(name, &state.levels)), message }
    }

    fn set(&self, state: &mut State, name: &str, level: LevelFilter) -> Result<(), LogsError> {
        let mut levels = state.levels.clone();
        match name {
            ROOT => levels.root = Some(level),
            name => drop(levels.loggers.insert(name.to_owned(), level)),
        }
        self.inner.handle.set_config(state.definition.build(&levels)?);
        state.levels = levels;
        Ok(())
    }

    /// Goes on for ever: when `log4rs.yaml` has a `refresh_rate`, a changed file is taken up after that time at most,
    /// and what calls had changed is forgotten.
    pub async fn watch(&self) {
        loop {
            let rate = self.inner.state.lock().definition.refresh_rate();
            let Some(rate) = rate else { return std::future::pending().await };
            sleep(rate).await;
            self.reload();
        }
    }

    fn reload(&self) {
        let Inner { place, root_level, handle, state } = &*self.inner;
        let text = match place.read() {
            Ok(text) => text,
            Err(error) => return warn!("going on with the log as it is: {error}"),
        };
        let mut state = state.lock();
        if text == state.text {
            return;
        }
        // Complained of once, not each time.
        state.text = text;
        let levels = Levels { root: *root_level, ..Levels::default() };
        let built = place.parse(&state.text).and_then(|new| new.build(&levels).map(|config| (new, config)));
        match built {
            Ok((definition, config)) => {
                handle.set_config(config);
                (state.definition, state.levels) = (definition, levels);
                info!("took up a changed log4rs.yaml");
            }
            Err(error) => warn!("going on with the log as it is: {error}"),
        }
    }
}

/// The level of that name, in capitals as log4j has them.
fn named(level: &str) -> Option<LevelFilter> {
    Some(match level {
        "OFF" => LevelFilter::Off,
        "FATAL" | "ERROR" => LevelFilter::Error,
        "WARN" => LevelFilter::Warn,
        "INFO" => LevelFilter::Info,
        "DEBUG" => LevelFilter::Debug,
        "TRACE" | "ALL" => LevelFilter::Trace,
        _ => return None,
    })
}
