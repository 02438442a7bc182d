//! Refusals that several operations share, to the letter of 2.9.6.

use crate::types::{AlluxioPath, ErrorKind, FsError};

pub(super) fn path_does_not_exist(path: &AlluxioPath) -> FsError {
    FsError::new(ErrorKind::NotFound, format!("Path \"{path}\" does not exist."))
}

pub(super) fn traversal_failed(path: &AlluxioPath, component: usize, name: &str) -> FsError {
    let message =
        format!("Traversal failed for path {path}. Component {component}({name}) is a file, not a directory.");
    FsError::new(ErrorKind::InvalidArgument, message)
}

pub(super) fn invalid(message: impl Into<String>) -> FsError {
    FsError::new(ErrorKind::InvalidArgument, message)
}

pub(super) fn exists(message: impl Into<String>) -> FsError {
    FsError::new(ErrorKind::AlreadyExists, message)
}

/// What the words after the path are when the UFS has to be asked or changed first.
const NOT_YET: &str = " is being changed in the under file system. Try again.";

/// Refuses what cannot be decided before something is done, or settled, in the UFS. The coordinator does it and asks
/// again; a client that gets this does the same.
pub(super) fn not_yet(path: &AlluxioPath) -> FsError {
    FsError::new(ErrorKind::Unavailable, format!("Path {path}{NOT_YET}"))
}

/// Whether that was the refusal.
pub fn is_not_yet(error: &FsError) -> bool {
    error.kind == ErrorKind::Unavailable && error.message.ends_with(NOT_YET)
}
