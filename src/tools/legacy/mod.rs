//! Journals of the originals: v0 (1.2 to 1.7), v1 (1.8 to 2.9), and backups of 1.8 and 2.x, read as a state of ours.
//!
//! Read `error.rs`, `frames.rs` and `envelope.rs` (bytes), `layout.rs` (which files, in which order), `checkpoint.rs`,
//! then `translate.rs`, `admin.rs`, `translate_1x.rs` and `stored_inodes.rs` (what an entry of theirs is in entries of ours), then
//! `gather.rs`, which puts all together; those are pure. `source.rs` reads the files.

pub mod admin;
pub mod checkpoint;
pub mod envelope;
pub mod error;
pub mod frames;
pub mod gather;
pub mod layout;
pub mod source;
pub mod stored_inodes;
pub mod tally;
pub mod translate;
pub mod translate_1x;
