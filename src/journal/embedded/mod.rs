//! The embedded journal: what openraft needs to replicate records among the masters themselves.
//!
//! Only this folder names openraft. Read `channels.rs`, `watch.rs` and `runtime.rs`: what it runs on, in the product and
//! in the simulator. The first two are pure.

pub mod channels;
pub mod runtime;
pub mod watch;
