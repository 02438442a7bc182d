//! The scripts in `bin/`, with a program that tells how it was called in the place of the real one; the faces of the real
//! one that need no server; and both together on one host.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod commands;
mod configuration;
mod hosts;
mod installation;
mod mount;
mod one_host;
mod program;
mod start_stop;
