//! What a master asks another one.

use std::time::Duration;

use super::channel::{ChannelSettings, ConnectError, open_authenticated, open_unauthenticated};
use super::status::from_status;
use crate::proto::alluxio::grpc::ConfigProperty;
use crate::proto::alluxio_rs::master::master_peer_service_client::MasterPeerServiceClient;
use crate::proto::alluxio_rs::master::{BackUpRequest, GetJournalPositionRequest, GetServerConfigurationRequest};
use crate::types::{ErrorKind, FsError, SequenceNumber};

/// How long another master may take to tell its configuration.
const CONFIGURATION_LIMIT: Duration = Duration::from_secs(2);

/// What a master tells anybody of itself, in any role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The last record that it has applied and takes for permanent.
    pub position: SequenceNumber,
    /// Of its process; none when it is of a version that does not tell.
    pub incarnation: Option<String>,
    /// The highest feature level of a journal that it knows.
    pub feature_level: Option<u32>,
}

/// What the master at `address` (`host:port`) tells of itself.
///
/// # Errors
/// It does not answer within `limit`, or is none of this project.
pub async fn standing(address: &str, limit: Duration) -> Result<Standing, FsError> {
    let asking = async {
        let connection = open_unauthenticated(address, &ChannelSettings::default()).await?;
        let asked = MasterPeerServiceClient::new(connection).get_journal_position(GetJournalPositionRequest {}).await;
        let told = asked.map_err(from_status)?.into_inner();
        Ok(Standing {
            position: SequenceNumber(told.position()),
            feature_level: told.feature_level,
            incarnation: told.incarnation,
        })
    };
    let late = |_| FsError::new(ErrorKind::Unavailable, format!("{address} does not answer"));
    tokio::time::timeout(limit, asking).await.map_err(late)?
}

/// Another master, and as whom it is asked.
#[derive(Debug, Clone)]
pub struct Peer {
    /// `host:port`
    pub address: String,
    /// How it is connected to.
    pub channel: ChannelSettings,
}

impl Peer {
    /// What it tells of its configuration.
    ///
    /// # Errors
    /// It does not answer in time, or is of a version that does not tell.
    pub async fn configuration(&self) -> Result<Vec<ConfigProperty>, FsError> {
        let asking = async {
            let away = |error: ConnectError| FsError::new(ErrorKind::Unavailable, error.to_string());
            let connection = open_authenticated(&self.address, &self.channel).await.map_err(away)?;
            let mut client = MasterPeerServiceClient::new(connection);
            let told = client.get_server_configuration(GetServerConfigurationRequest {}).await;
            Ok(told.map_err(from_status)?.into_inner().properties)
        };
        let late = |_| FsError::new(ErrorKind::Unavailable, format!("{} does not answer", self.address));
        tokio::time::timeout(CONFIGURATION_LIMIT, asking).await.map_err(late)?
    }

    /// Has it write a backup of the namespace to a file of a UFS, in which at least all records up to `after` are. How many
    /// entries it has.
    ///
    /// # Errors
    /// It does not answer, does not follow the journal so far, or cannot write the file.
    pub async fn back_up(&self, uri: &str, after: SequenceNumber) -> Result<u64, FsError> {
        let away = |error: ConnectError| FsError::new(ErrorKind::Unavailable, error.to_string());
        let connection = open_authenticated(&self.address, &self.channel).await.map_err(away)?;
        let request = BackUpRequest { uri: Some(uri.to_owned()), after: Some(after.0) };
        let made = MasterPeerServiceClient::new(connection).back_up(request).await.map_err(from_status)?;
        Ok(made.into_inner().entries())
    }
}
