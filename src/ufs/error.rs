//! How a call to a UFS fails.

/// The class of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UfsErrorKind {
    /// Nothing is there.
    NotFound,
    /// Something is there already.
    AlreadyExists,
    /// A file where a directory is needed, or the other way round.
    WrongType,
    /// A directory that is not empty.
    NotEmpty,
    /// The UFS does not allow it.
    Denied,
    /// No room, or a quota is used up.
    Full,
    /// The URI or path cannot be used.
    Invalid,
    /// The UFS does not do it, for a reason of its own.
    Refused,
    /// The UFS gave no answer in time, or one that says nothing about the path. Whether the call took effect is open.
    Unavailable,
}

/// A failed call: what, where, why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot {operation} {path}: {reason}")]
pub struct UfsError {
    /// Its class.
    pub kind: UfsErrorKind,
    /// What was to be done.
    pub operation: &'static str,
    /// With which path.
    pub path: String,
    /// Why it was not.
    pub reason: String,
}

impl UfsError {
    /// `operation` on `path` failed because of `reason`.
    pub fn new(
        kind: UfsErrorKind,
        operation: &'static str,
        path: impl Into<String>,
        reason: impl Into<String>,
    ) -> UfsError {
        UfsError { kind, operation, path: path.into(), reason: reason.into() }
    }

    /// Nothing is there.
    pub(super) fn not_found(operation: &'static str, path: impl Into<String>) -> UfsError {
        UfsError::new(UfsErrorKind::NotFound, operation, path, "nothing is there")
    }
}
