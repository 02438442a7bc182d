//! Generated messages and services; `convert.rs` turns them into our own types at the edges.
//!
//! The text of the messages is in `proto/`. Nothing but the edges (`rpc`, `master/server.rs`, `client`,
//! `journal/codec`, `journal/folder/hdfs`) names a generated type.

pub mod convert;
mod convert_acl;
mod convert_status;

#[allow(missing_docs, non_camel_case_types, clippy::all, rustdoc::all, reason = "generated code")]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/messages.rs"));
}

pub use generated::{alluxio, alluxio_rs};
