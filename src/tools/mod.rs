//! Offline work: format of a journal, and what a configuration says.

pub mod format;
pub mod get_conf;
pub mod validate_conf;
