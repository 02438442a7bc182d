//! Backups of the namespace, which a primary makes.

use super::FileSystem;
use crate::proto::alluxio::grpc::meta::meta_master_client_service_client::MetaMasterClientServiceClient;
use crate::proto::alluxio::grpc::meta::{
    BackupPOptions, BackupPRequest, BackupPStatus, BackupState, BackupStatusPRequest,
};
use crate::rpc::retry::ClientError;
use crate::types::{ErrorKind, FsError};

/// Where a backup goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupOptions {
    /// A path or URI; none for what the master has configured.
    pub directory: Option<String>,
    /// Whether a path is on the disk of the master, not in the UFS of the root.
    pub local: bool,
    /// Whether the primary makes it, though there are standbys.
    pub by_primary: bool,
}

/// How far a backup is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its id.
    pub id: String,
    /// The master that makes it.
    pub host: String,
    /// Where it is, once it is whole.
    pub uri: Option<String>,
    /// How many entries it has then.
    pub entries: i64,
}

impl FileSystem {
    /// Has the primary begin a backup of the namespace.
    ///
    /// # Errors
    /// It makes one already, or no primary answers in time.
    pub async fn back_up(&self, options: BackupOptions) -> Result<Backup, ClientError> {
        let request = BackupPRequest {
            target_directory: options.directory,
            options: Some(BackupPOptions {
                local_file_system: Some(options.local),
                run_async: Some(true),
                allow_leader: Some(true),
                bypass_delegation: Some(options.by_primary),
            }),
        };
        let call = |connection| {
            let request = request.clone();
            async move { MetaMasterClientServiceClient::new(connection).backup(request).await }
        };
        backup_of(self.caller.call(call).await?.into_inner())
    }

    /// How far that backup is.
    ///
    /// # Errors
    /// It failed, is not the last one of this primary, or no primary answers in time.
    pub async fn backup_status(&self, id: &str) -> Result<Backup, ClientError> {
        let call = |connection| {
            let request = BackupStatusPRequest { backup_id: Some(id.to_owned()) };
            async move { MetaMasterClientServiceClient::new(connection).get_backup_status(request).await }
        };
        backup_of(self.caller.call(call).await?.into_inner())
    }
}

fn backup_of(status: BackupPStatus) -> Result<Backup, ClientError> {
    if status.backup_state() == BackupState::Failed {
        let text = String::from_utf8_lossy(status.backup_error()).into_owned();
        return Err(ClientError::Refused(FsError::new(ErrorKind::Internal, text)));
    }
    let is_whole = status.backup_state() == BackupState::Completed;
    Ok(Backup {
        id: status.backup_id().to_owned(),
        host: status.backup_host().to_owned(),
        uri: is_whole.then(|| status.backup_uri().to_owned()),
        entries: status.entry_count(),
    })
}
