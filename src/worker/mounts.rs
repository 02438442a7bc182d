//! The UFSes of the mounts, as the master tells them: asked once for each mount.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::primary::PrimaryMaster;
use crate::types::ufs_names::BLOCKS_FOLDER;
use crate::types::{BlockId, ErrorKind, FsError, Properties};
use crate::ufs::{Ufs, UfsClients, UfsError, UfsErrorKind, UfsUri};

/// Most mounts remembered; when there are more, all are asked for anew.
const MOUNTS_MAX: usize = 10_000;

/// The root of a mount in its UFS, and its properties.
type Known = OnceCell<(UfsUri, Properties)>;

/// See the module text.
#[derive(Debug)]
pub struct Mounts {
    clients: UfsClients,
    primary: Arc<PrimaryMaster>,
    /// The root of each mount in its UFS, and how that is used. Another such use has another id.
    known: Mutex<BTreeMap<i64, Arc<Known>>>,
}

impl Mounts {
    /// Nothing is asked before it is needed.
    pub fn new(clients: UfsClients, primary: Arc<PrimaryMaster>) -> Mounts {
        Mounts { clients, primary, known: Mutex::default() }
    }

    /// The UFS of `path`, which must lie below the root of the mount: else whoever may read a block could read any file
    /// that this process can.
    ///
    /// # Errors
    /// There is no such mount, the path is not below it, or its UFS cannot be used.
    pub async fn ufs(&self, mount: i64, path: &str) -> Result<Arc<dyn Ufs>, FsError> {
        let known = self.entry(mount);
        let (root, properties) = self.asked(mount, &known).await?;
        if !root.is_prefix_of(&UfsUri::parse(path).map_err(ufs_failed)?) {
            let text = format!("{path} is not below {root}, the root of mount {mount}");
            return Err(FsError::new(ErrorKind::PermissionDenied, text));
        }
        self.clients.of_mount(path, properties).map_err(ufs_failed)
    }

    /// Where a block lies in the UFS that is a file of its own there, because no worker could keep it.
    ///
    /// # Errors
    /// There is no such mount, or its UFS cannot be used.
    pub async fn block(&self, mount: i64, block: BlockId) -> Result<String, FsError> {
        let root = self.root(mount).await?.to_string();
        Ok(format!("{}/{BLOCKS_FOLDER}/{block}", root.trim_end_matches('/')))
    }

    /// The root of the mount in its UFS.
    ///
    /// # Errors
    /// There is no such mount, or its UFS cannot be used.
    pub async fn root(&self, mount: i64) -> Result<UfsUri, FsError> {
        self.asked(mount, &self.entry(mount)).await.map(|(root, _)| root.clone())
    }

    async fn asked<'a>(&self, mount: i64, known: &'a Known) -> Result<&'a (UfsUri, Properties), FsError> {
        let ask = || async {
            let info = self.primary.ufs_of(mount).await?;
            let root = UfsUri::parse(info.uri()).map_err(ufs_failed)?;
            Ok((root, info.properties.unwrap_or_default().properties.into_iter().collect()))
        };
        known.get_or_try_init(ask).await
    }

    fn entry(&self, mount: i64) -> Arc<Known> {
        let mut known = self.known.lock();
        if known.len() >= MOUNTS_MAX {
            known.clear();
        }
        Arc::clone(known.entry(mount).or_default())
    }
}

/// A failure of a UFS as clients see it.
pub fn ufs_failed(error: UfsError) -> FsError {
    let kind = match error.kind {
        UfsErrorKind::NotFound => ErrorKind::NotFound,
        UfsErrorKind::AlreadyExists => ErrorKind::AlreadyExists,
        UfsErrorKind::WrongType | UfsErrorKind::NotEmpty | UfsErrorKind::Refused => ErrorKind::FailedPrecondition,
        UfsErrorKind::Denied => ErrorKind::PermissionDenied,
        UfsErrorKind::Full => ErrorKind::ResourceExhausted,
        UfsErrorKind::Invalid => ErrorKind::InvalidArgument,
        UfsErrorKind::Unavailable => ErrorKind::Unavailable,
    };
    FsError::new(kind, error.to_string())
}
