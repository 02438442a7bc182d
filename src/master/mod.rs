//! The master: the namespace and who may change it.
//!
//! `state/` is plain data with one `apply`; `ops/` has one file per operation; `driver.rs` and `role.rs` are the
//! loop as state machines; `runtime.rs` performs their effects; `server.rs` is the wire.

pub mod ops;
pub mod role;
pub mod state;
