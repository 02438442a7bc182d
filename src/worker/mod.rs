//! The process of a worker: it holds blocks.
//!
//! `store/` has the blocks as files.

pub mod store;
