//! The journal: what a record is, how the segments form one chain, who may append, how a standby follows.
//!
//! `entry`, `codec`, `chain`, `writer`, `tailer` and `collector` are pure: steps and effects. `folder/` holds the stores
//! that perform the effects. Read `entry.rs`, `codec.rs`, `chain.rs`, `writer.rs`, `tailer.rs`, `witness.rs`, then
//! `folder/` and `folder_identity.rs`. `embedded/` replicates records among the masters; nothing uses it yet.
//! The rules F1 to F11 that the comments cite are those of `docs/journal.md`.

pub mod chain;
pub mod chain_error;
pub mod codec;
pub mod collector;
pub mod embedded;
pub mod entry;
mod entry_admin;
mod entry_answered;
pub mod entry_codec;
mod entry_extras;
pub(crate) mod entry_extras_proto;
pub(crate) mod entry_from_proto;
mod entry_inode;
mod entry_place;
pub(crate) mod entry_to_proto;
mod entry_ufs;
pub mod folder;
pub mod folder_identity;
mod gather;
pub mod portable_codec;
pub mod tailer;
pub mod witness;
pub mod writer;
