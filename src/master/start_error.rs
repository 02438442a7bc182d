//! Why a master does not serve.

use super::outside::OutsideError;
use super::server::ServerError;
use crate::election::LatchError;
use crate::journal::folder::StoreError;
use crate::journal::folder_identity::IdentityError;
use crate::rpc::identity::{self, NotAvailable};

/// Why a master does not serve.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The properties name no journal or no election.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// The folder does not say whose journal it holds.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The file that says how far a local journal was acknowledged.
    #[error(
        "{0}; it says how far the journal was acknowledged. bin/alluxio journal verify tells what is there, and bin/alluxio \
         journal repair goes on from it"
    )]
    DurableLost(String),
    /// The folder cannot be read.
    #[error("cannot read the journal folder {folder}")]
    Store {
        /// As configured.
        folder: String,
        /// Why not.
        #[source]
        source: StoreError,
    },
    /// The folder cannot be written.
    #[error("cannot write to the journal folder {folder}")]
    Probe {
        /// As configured.
        folder: String,
        /// Why not.
        #[source]
        source: StoreError,
    },
    /// The folder was formatted, and something in it was deleted since.
    #[error(
        "{folder} is gone from the journal: bin/alluxio journal verify tells what is left, and bin/alluxio journal repair \
         goes on from it"
    )]
    FolderGone {
        /// Which.
        folder: String,
    },
    /// No checkpoint can be loaded.
    #[error(
        "no checkpoint in {folder} can be loaded; the newest: {reason}. bin/alluxio journal verify tells what is there, and \
         bin/alluxio journal repair goes on from it"
    )]
    Checkpoint {
        /// As configured.
        folder: String,
        /// What is wrong with the newest.
        reason: String,
    },
    /// The election does not answer.
    #[error("cannot reach the election")]
    Latch(#[source] LatchError),
    /// The port is not ours.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// Users cannot be asked who they are in this way.
    #[error(transparent)]
    Authentication(#[from] NotAvailable),
    /// It is not known as whom to ask workers.
    #[error(transparent)]
    User(#[from] identity::NoUser),
    /// The audit log has no thread.
    #[error("cannot start the thread of the audit log")]
    Audit(#[source] std::io::Error),
    /// Signals cannot be received.
    #[error("cannot receive signals")]
    Signals(#[source] std::io::Error),
}

impl StartError {
    /// Whether it may be otherwise after a while: what the master needs did not answer.
    pub fn may_pass(&self) -> bool {
        let away = |source: &StoreError| matches!(source, StoreError::Unavailable { .. } | StoreError::Full { .. });
        match self {
            StartError::Store { source, .. }
            | StartError::Probe { source, .. }
            | StartError::Identity(IdentityError::Store { source, .. }) => away(source),
            StartError::Latch(source) => source.may_pass(),
            StartError::Outside(error) => matches!(error, OutsideError::Unresolved { .. }),
            // It was ours before; a name server or a network may be away, too.
            StartError::Server(_) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_away_may_be_back_and_what_is_wrong_stays_wrong() {
        let object = || "epochs".to_owned();
        let store = |source| StartError::Probe { folder: "hdfs://nn/j".into(), source };
        let unresolved = OutsideError::Unresolved { host: "m1".into(), reason: "no name server".into() };
        let bind = ServerError::Bind {
            address: "m1:19998".into(),
            advice: String::new(),
            source: std::io::ErrorKind::AddrNotAvailable.into(),
        };
        for passing in [
            store(StoreError::Unavailable { operation: "create", object: object(), reason: "away".into() }),
            store(StoreError::Full { object: object(), reason: "quota".into() }),
            StartError::Latch(LatchError::Unknown { operation: "read_epoch", reason: "no answer".into() }),
            StartError::Latch(LatchError::SessionExpired),
            unresolved.into(),
            bind.into(),
        ] {
            assert!(passing.may_pass(), "{passing:?}");
        }
        for lasting in [
            store(StoreError::Denied { object: object(), reason: "another user".into() }),
            store(StoreError::NotFound { object: object() }),
            IdentityError::NotFormatted { folder: "hdfs://nn/j".into() }.into(),
            StartError::Latch(LatchError::Denied { operation: "read_epoch", reason: "no".into() }),
            OutsideError::Properties("no".into()).into(),
        ] {
            assert!(!lasting.may_pass(), "{lasting:?}");
        }
    }
}
