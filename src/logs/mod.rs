//! The log of a process: where it goes, how much is kept, and at which level.
//!
//! `definition.rs` is `log4rs.yaml`, read; `server.rs` the log of a server, whose levels change while it runs; `user.rs`
//! that of commands, which has a file only once there is something to say. Uses `conf` and `types`.

mod definition;
mod server;
mod user;

pub use definition::LogsError;
pub use server::{LevelChange, ServerLog, Wanted};
pub use user::log_of_user;

use log::LevelFilter;
use log4rs::append::console::{ConsoleAppender, Target};
use log4rs::config::{Appender, Root};
use log4rs::encode::pattern::PatternEncoder;

/// What a line looks like where no file says it.
const PATTERN: &str = "{d(%Y-%m-%d %H:%M:%S,%3f)} {l:<5} {t} - {m}{n}";

/// For a process without a log of its own: what it has to say goes to standard error.
///
/// # Errors
/// There is a log already.
pub fn log_to_terminal() -> Result<(), LogsError> {
    let appender = ConsoleAppender::builder().target(Target::Stderr).encoder(Box::new(PatternEncoder::new(PATTERN)));
    let appender = Appender::builder().build("stderr", Box::new(appender.build()));
    let root = Root::builder().appender("stderr").build(LevelFilter::Info);
    let config = log4rs::Config::builder().appender(appender).build(root).map_err(LogsError::unusable("the log"))?;
    log4rs::init_config(config)?;
    Ok(())
}
