//! How an operation on the file system fails: a kind, from which retry and wire code follow, and the text users see.

/// The class of a failure. `rpc/status.rs` gives each its gRPC code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The path or id does not exist.
    NotFound,
    /// Something is already there.
    AlreadyExists,
    /// The request cannot be meant as it stands.
    InvalidArgument,
    /// The state of the path does not allow it (a directory that is not empty).
    FailedPrecondition,
    /// The user may not.
    PermissionDenied,
    /// Not known who asks.
    Unauthenticated,
    /// Not now, or not here: the client may try again or elsewhere.
    Unavailable,
    /// A limit was reached.
    ResourceExhausted,
    /// The caller gave up.
    Cancelled,
    /// This server does not have it.
    Unimplemented,
    /// The server's own fault.
    Internal,
    /// Anything else, as the original answers it.
    Unknown,
}

/// A failure as clients see it. The text is the whole message, to the letter of the original where it has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FsError {
    /// Its class.
    pub kind: ErrorKind,
    /// Its text.
    pub message: String,
}

impl FsError {
    /// A failure of this kind with this text.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> FsError {
        FsError { kind, message: message.into() }
    }
}
