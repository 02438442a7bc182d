//! The log of commands: `user_<user>.log`, made with the first line, so that a command with nothing to say needs no
//! folder that it may write.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use log::{LevelFilter, Log, Metadata, Record};
use log4rs::append::rolling_file::RollingFileAppender;
use log4rs::append::rolling_file::policy::compound::CompoundPolicy;
use log4rs::append::rolling_file::policy::compound::roll::fixed_window::FixedWindowRoller;
use log4rs::append::rolling_file::policy::compound::trigger::size::SizeTrigger;
use log4rs::config::{Appender, Root};
use log4rs::encode::pattern::PatternEncoder;

use super::PATTERN;
use super::definition::LogsError;
use crate::conf::{Conf, keys};

/// As in 1.2.0: size at which a new file is begun, and how many old ones are kept.
const BYTES_MAX: u64 = 10 << 20;
const KEPT: u32 = 10;

/// Sets up the log of a command.
///
/// # Errors
/// There is a log already.
pub fn log_of_user(conf: &Conf, user: &str) -> Result<(), LogsError> {
    let asked = conf.get(&keys::LOG_LEVEL);
    let level = asked.unwrap_or(LevelFilter::Info);
    // What libraries do is no news of a command: a user who may not write here would be told so each time.
    let of_others = asked.unwrap_or(LevelFilter::Warn);
    // A name is no path, whatever it is.
    let name: String = user.chars().map(|c| if c == '/' || c.is_control() { '_' } else { c }).collect();
    let file = conf.get(&keys::USER_LOGS_DIR).join(format!("user_{name}.log"));
    log::set_boxed_logger(Box::new(Lazy { file, level, of_others, opened: OnceLock::new() }))?;
    log::set_max_level(level);
    Ok(())
}

/// A log that is opened with its first line.
struct Lazy {
    file: PathBuf,
    level: LevelFilter,
    /// Of what is not ours.
    of_others: LevelFilter,
    /// None when it could not be, which was said then.
    opened: OnceLock<Option<log4rs::Logger>>,
}

impl Lazy {
    fn open(&self) -> Option<log4rs::Logger> {
        let file = self.file.display().to_string();
        let complain = move |error: &dyn std::fmt::Display| eprintln!("Cannot write the log {file}: {error}");
        let appender = rolling(&self.file).map_err(|error| complain(&error)).ok()?;
        let appender = Appender::builder().build("user", Box::new(appender));
        let config =
            log4rs::Config::builder().appender(appender).build(Root::builder().appender("user").build(self.level));
        // Of a full disk who runs the command is told once, not with each line.
        let told = AtomicBool::new(false);
        let logger = log4rs::Logger::new_with_err_handler(
            config.ok()?,
            Box::new(move |error| {
                if !told.swap(true, Ordering::Relaxed) {
                    complain(error);
                }
            }),
        );
        Some(logger)
    }
}

fn rolling(file: &std::path::Path) -> std::io::Result<RollingFileAppender> {
    let pattern = format!("{}.{{}}", file.display());
    let roller = FixedWindowRoller::builder().base(1).build(&pattern, KEPT).map_err(std::io::Error::other)?;
    let policy = CompoundPolicy::new(Box::new(SizeTrigger::new(BYTES_MAX)), Box::new(roller));
    RollingFileAppender::builder().encoder(Box::new(PatternEncoder::new(PATTERN))).build(file, Box::new(policy))
}

impl Log for Lazy {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let level = if metadata.target().starts_with("alluxio") { self.level } else { self.of_others };
        metadata.level() <= level
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata())
            && let Some(log) = self.opened.get_or_init(|| self.open())
        {
            log.log(record);
        }
    }

    fn flush(&self) {
        if let Some(Some(log)) = self.opened.get() {
            log.flush();
        }
    }
}
