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

/// Refuses what would have to touch the UFS. `Internal`, because clients do not try that again.
pub(super) fn needs_ufs(what: &str, path: &AlluxioPath) -> FsError {
    let message = format!("{what} {path} needs the under file system, which this version does not write to yet");
    FsError::new(ErrorKind::Internal, message)
}
