//! Offline work: format and check of a journal, and what a configuration says.

pub mod format;
pub mod get_conf;
pub mod journal;
pub mod journal_export;
pub mod journal_import;
pub mod journal_replay;
pub mod journal_verify;
pub mod legacy;
pub mod new_history;
pub mod restore;
pub mod validate_conf;

#[cfg(test)]
mod sample_journal;
