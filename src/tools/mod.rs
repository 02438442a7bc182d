//! Offline work: format, check, repair, copy, import and export of a journal, and what a configuration says.
//!
//! `journal.rs` is the table of `alluxio journal`. `journal_replay.rs` reads a journal that is whole, `journal_scan.rs` and
//! `journal_salvage.rs` one that is not; `takeover.rs` is how `format`, `repair`, `copy` and `import` keep masters out.

pub mod format;
pub mod get_conf;
pub mod journal;
pub mod journal_copy;
pub mod journal_export;
pub mod journal_import;
pub mod journal_read;
pub mod journal_repair;
pub mod journal_replay;
pub mod journal_salvage;
pub mod journal_scan;
mod journal_survey;
pub mod journal_verify;
pub mod legacy;
pub mod new_history;
pub mod restore;
pub mod takeover;
pub mod validate_conf;

#[cfg(test)]
mod sample_journal;
