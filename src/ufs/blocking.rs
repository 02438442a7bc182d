//! Blocking work on the threads that are there for it, with a deadline.

use super::error::{UfsError, UfsErrorKind};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

/// Runs `work` on `path`. Work that is given up goes on alone: what it does may still take effect.
pub(super) async fn blocking<T: Send + 'static>(
    deadline: Duration,
    operation: &'static str,
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T, UfsError> {
    let owned = path.to_path_buf();
    let task = tokio::task::spawn_blocking(move || work(&owned));
    let unavailable = |reason| UfsError::new(UfsErrorKind::Unavailable, operation, path.display().to_string(), reason);
    match tokio::time::timeout(deadline, task).await {
        Ok(Ok(result)) => result.map_err(|e| io_error(operation, path, &e)),
        Ok(Err(e)) => Err(unavailable(e.to_string())),
        Err(_) => Err(unavailable(format!("the disk did not answer within {} ms", deadline.as_millis()))),
    }
}

/// What the operating system said.
pub(super) fn io_error(operation: &'static str, path: &Path, error: &io::Error) -> UfsError {
    let kind = match error.kind() {
        ErrorKind::NotFound => UfsErrorKind::NotFound,
        ErrorKind::AlreadyExists => UfsErrorKind::AlreadyExists,
        ErrorKind::NotADirectory | ErrorKind::IsADirectory => UfsErrorKind::WrongType,
        ErrorKind::DirectoryNotEmpty => UfsErrorKind::NotEmpty,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => UfsErrorKind::Denied,
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => UfsErrorKind::Full,
        ErrorKind::InvalidInput | ErrorKind::InvalidFilename | ErrorKind::CrossesDevices => UfsErrorKind::Invalid,
        _ => UfsErrorKind::Unavailable,
    };
    UfsError::new(kind, operation, path.display().to_string(), error.to_string())
}
