//! Loading: a copy of every block of a file at some worker.

use super::file_reader::{UNAVAILABLE, ufs_block};
use super::file_system::FileSystem;
use crate::rpc::retry::ClientError;
use crate::rpc::worker::{Keep, Wait};
use crate::types::{ErrorKind, FileStatus, FsError};

impl FileSystem {
    /// Waits until each block of the file of `status` has a copy; those that have none are read from the UFS by the
    /// nearest worker that can.
    ///
    /// # Errors
    /// No worker can hold a block, or it is not in the UFS either.
    pub async fn load(&self, status: &FileStatus) -> Result<(), ClientError> {
        for (index, block) in status.blocks.iter().enumerate().filter(|(_, block)| block.locations.is_empty()) {
            let Some(ufs) = ufs_block(status, index, Keep::Copy) else {
                let text = format!("Block {} {UNAVAILABLE}", block.id.0);
                return Err(FsError::new(ErrorKind::Unavailable, text).into());
            };
            let mut candidates = self.workers().await?;
            candidates.retain(|worker| worker.capacity_bytes >= block.length);
            let mut last = FsError::new(ErrorKind::Unavailable, "No available Alluxio worker found");
            loop {
                let addresses = candidates.iter().map(|worker| worker.address.clone());
                let Some(address) = self.workers.nearest(addresses) else { return Err(last.into()) };
                let asked = async {
                    let worker = self.workers.connect(&address).await?;
                    worker.cache(block.id, block.length, &ufs, &address, Wait::ForTheCopy).await
                };
                match asked.await {
                    Ok(()) => break,
                    Err(error) => {
                        self.workers.forget(&address);
                        candidates.retain(|worker| worker.address != address);
                        last = error;
                    }
                }
            }
        }
        Ok(())
    }

    /// Has the worker of this host keep a copy of each block of the file of `status`, wherever others are. Says whether
    /// there is such a worker.
    ///
    /// # Errors
    /// It cannot hold a block, or a block is nowhere.
    pub async fn load_here(&self, status: &FileStatus) -> Result<bool, ClientError> {
        let place = &self.workers.settings.place;
        let all = self.workers().await?.into_iter().map(|worker| worker.address);
        let Some(here) = all.into_iter().find(|address| place.is_local(address)) else { return Ok(false) };
        for (index, block) in status.blocks.iter().enumerate() {
            if block.locations.iter().any(|location| location.address == here) {
                continue;
            }
            let ufs = ufs_block(status, index, Keep::Copy);
            let other = block.locations.first().map(|location| &location.address);
            let (Some(ufs), source) = (ufs, other.unwrap_or(&here)) else {
                let text =
                    format!("Block {} is in no UFS from which the worker of this host could load it.", block.id.0);
                return Err(FsError::new(ErrorKind::Unavailable, text).into());
            };
            let worker = self.workers.connect(&here).await?;
            worker.cache(block.id, block.length, &ufs, source, Wait::ForTheCopy).await?;
        }
        Ok(true)
    }
}
