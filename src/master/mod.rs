//! The master: the namespace and who may change it.
//!
//! `state/` is plain data with one `apply`; `ops/` has one file per operation; `driver.rs` and `role.rs` are the
//! loop as state machines; `runtime.rs` performs their effects; `server.rs` is the wire.

pub mod driver;
pub mod event;
mod follower;
pub mod gate;
pub mod in_flight;
pub mod ops;
pub mod role;
pub mod runtime;
pub mod server;
mod server_fs;
pub mod server_meta;
pub mod state;
mod takeover;
