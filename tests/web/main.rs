//! The web pages of a master and a worker that run as processes: what they show, what they refuse, when they are there.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "a test may look at the clock")]

mod as_rpc;
mod bed;
mod browser;
mod figures;
#[path = "../harness/free_port.rs"]
mod free_port;
#[path = "../harness/page.rs"]
mod page;
mod pages;
mod ports;
mod room;
mod watch;
