//! `alluxio formatWorker`: deletes the blocks of a worker that does not run.

use std::path::Path;

use super::settings::{self, SettingsError};
use super::start::PID_FILE;
use super::store::{Folder, StoreError};
use crate::conf::{Conf, keys};
use crate::process::{PidFile, PidFileError};

/// Why the blocks are still there.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The worker runs.
    #[error(transparent)]
    Running(#[from] PidFileError),
    /// The properties do not say where the blocks are.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// They cannot be deleted.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Deletes the blocks.
///
/// # Errors
/// The worker runs, or they cannot be deleted.
pub fn run(conf: &Conf) -> Result<(), FormatError> {
    let logs = conf.get(&keys::LOGS_DIR);
    // Held meanwhile, so that none is started. Without a folder for logs none runs.
    let _pid_file = logs.is_dir().then(|| PidFile::claim(&logs.join(PID_FILE))).transpose()?;
    let store = settings::store(conf)?;
    for directory in &store.directories {
        clear(&directory.path, &store.data_folder)?;
    }
    Ok(())
}

fn clear(directory: &Path, data: &str) -> Result<(), StoreError> {
    Folder::new(directory, data).clear().map_err(|source| StoreError::file("format the folder", directory, source))
}
