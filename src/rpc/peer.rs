//! What a master asks another one.

use std::time::Duration;

use super::channel::{ChannelSettings, open_unauthenticated};
use super::status::from_status;
use crate::proto::alluxio_rs::master::GetJournalPositionRequest;
use crate::proto::alluxio_rs::master::master_peer_service_client::MasterPeerServiceClient;
use crate::types::{ErrorKind, FsError, SequenceNumber};

/// The last record that the master at `address` (`host:port`) has applied and takes for permanent, in any role.
///
/// # Errors
/// It does not answer within `limit`, or is none of this project.
pub async fn journal_position(address: &str, limit: Duration) -> Result<SequenceNumber, FsError> {
    let asking = async {
        let connection = open_unauthenticated(address, &ChannelSettings::default()).await?;
        let asked = MasterPeerServiceClient::new(connection).get_journal_position(GetJournalPositionRequest {}).await;
        Ok(SequenceNumber(asked.map_err(from_status)?.into_inner().position()))
    };
    let late = |_| FsError::new(ErrorKind::Unavailable, format!("{address} does not answer"));
    tokio::time::timeout(limit, asking).await.map_err(late)?
}
