//! What all files of one client share: creation, blocks on nodes that work, the lease, the end of a file.

use super::namenode::{NameNode, OpenFile};
use super::pipeline::Pipeline;
use super::reader::Datanodes;
use super::settings::HdfsSettings;
use super::wire::{DatanodeAddress, HdfsError, OwnedTask, Result};
use crate::proto::alluxio_rs::hdfs::{DatanodeInfo, ExtendedBlock, LocatedBlock};
use crate::types::time::{Boot, boot_now};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::OnceCell;

/// A third of the time after which others may take a file.
const RENEW_EVERY: Duration = Duration::from_secs(20);
/// Pipelines that are tried for one block.
const TRIES_MAX: usize = 4;
/// How long a DataNode that failed is not asked for; a NameNode takes ten minutes to see that one died.
const SUSPECT_FOR: Duration = Duration::from_secs(60);
const PAUSE_FIRST: Duration = Duration::from_millis(10);
const PAUSE_MAX: Duration = Duration::from_millis(400);

/// One client of one HDFS.
#[derive(Debug)]
pub struct HdfsClient {
    /// As configured.
    pub settings: HdfsSettings,
    /// The calls to the NameNodes.
    pub namenode: NameNode,
    /// The calls to the DataNodes.
    pub datanodes: Arc<Datanodes>,
    replication: OnceCell<u32>,
    /// DataNodes that failed lately, by uuid, with the end of the suspicion.
    suspects: Mutex<BTreeMap<String, (DatanodeInfo, Boot)>>,
    /// A block whose pipeline did not answer: one of its DataNodes is to blame, not known which.
    doubted: Mutex<Option<LocatedBlock>>,
    open_files: AtomicUsize,
    /// Renews the lease while files are open.
    renewal: Mutex<Option<OwnedTask>>,
}

/// A file that is open for writing: the lease is renewed as long as this lives.
#[derive(Debug)]
pub struct HeldFile {
    /// Its client.
    pub client: Arc<HdfsClient>,
    /// Its name at the NameNode.
    pub file: OpenFile,
}

impl Drop for HeldFile {
    fn drop(&mut self) {
        self.client.open_files.fetch_sub(1, Ordering::Relaxed);
    }
}

impl HdfsClient {
    /// Nothing is sent yet.
    pub fn new(settings: HdfsSettings) -> HdfsClient {
        // A new name for each client: two with one name would share the lease.
        let client_name = format!("alluxio_{}", uuid::Uuid::new_v4().simple());
        HdfsClient {
            namenode: NameNode::new(&settings, client_name),
            datanodes: Arc::new(Datanodes::new(&settings)),
            settings,
            replication: OnceCell::new(),
            suspects: Mutex::new(BTreeMap::new()),
            doubted: Mutex::new(None),
            open_files: AtomicUsize::new(0),
            renewal: Mutex::new(None),
        }
    }

    /// Creates a file that did not exist.
    pub async fn create(self: &Arc<Self>, path: &str) -> Result<HeldFile> {
        let replication = *self.replication.get_or_try_init(|| self.ask_replication()).await?;
        self.open_files.fetch_add(1, Ordering::Relaxed);
        self.renewal.lock().get_or_insert_with(|| self.renew_leases());
        match self.namenode.create(path, replication, self.settings.block_bytes).await {
            Ok(file) => Ok(HeldFile { client: self.clone(), file }),
            Err(failure) => {
                self.open_files.fetch_sub(1, Ordering::Relaxed);
                Err(failure)
            }
        }
    }

    async fn ask_replication(&self) -> Result<u32> {
        let defaults = self.namenode.server_defaults().await?;
        if defaults.encrypt_data_transfer == Some(true) {
            let server = self.settings.namenodes.join(",");
            return Err(HdfsError::Secured { server, feature: "encrypted data transfer".into() });
        }
        Ok(if self.settings.replication == 0 { defaults.replication } else { self.settings.replication })
    }

    fn renew_leases(self: &Arc<Self>) -> OwnedTask {
        let client = Arc::downgrade(self);
        OwnedTask::spawn(async move {
            loop {
                tokio::time::sleep(RENEW_EVERY).await;
                let Some(client) = client.upgrade() else { return };
                if client.open_files.load(Ordering::Relaxed) == 0 {
                    continue;
                }
                if let Err(failure) = client.namenode.renew_lease().await {
                    log::warn!("cannot renew the lease of open journal files cause=\"{failure}\"");
                }
            }
        })
    }

    /// Adds a block to the file and sets up its pipeline, on DataNodes that work.
    pub async fn open_block(
        &self,
        file: &OpenFile,
        previous: Option<ExtendedBlock>,
    ) -> Result<(LocatedBlock, Pipeline)> {
        self.settle_doubt().await;
        let mut failure = HdfsError::TooFewNodes { reason: "no DataNode could be used".into() };
        for _ in 0..TRIES_MAX {
            let block = match self.add_block(file, previous.clone()).await {
                Err(e) if no_node_left(&e) && !self.suspected().is_empty() => {
                    // Better a doubtful DataNode than none.
                    self.suspects.lock().clear();
                    failure = e;
                    continue;
                }
                result => result?,
            };
            match self.open_pipeline(&block).await {
                Ok(pipeline) => return Ok((block, pipeline)),
                Err(e) => {
                    log::warn!("cannot set up a pipeline file={} cause=\"{e}\"", file.path);
                    self.namenode.abandon_block(file, block.b.clone()).await?;
                    self.blame(&block, &e).await;
                    failure = e;
                }
            }
        }
        Err(failure)
    }

    async fn add_block(&self, file: &OpenFile, previous: Option<ExtendedBlock>) -> Result<LocatedBlock> {
        let until = boot_now() + self.settings.call_budget;
        let mut pause = PAUSE_FIRST;
        loop {
            match self.namenode.add_block(file, previous.clone(), &self.suspected()).await {
                // The DataNodes have not reported the block before it yet.
                Err(e) if e.is("NotReplicatedYetException") && until.since(boot_now()) > pause => {
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                result => return result,
            }
        }
    }

    async fn open_pipeline(&self, block: &LocatedBlock) -> Result<Pipeline> {
        let (have, min) = (block.locs.len(), self.settings.replicas_min as usize);
        if have < min {
            let reason = format!("there are {have} usable DataNodes, the journal is configured for at least {min}");
            return Err(HdfsError::TooFewNodes { reason });
        }
        let want = self.replication.get().copied().unwrap_or_default() as usize;
        if have < want {
            log::warn!("a journal block has fewer replicas than configured replicas={have} configured={want}");
        }
        Pipeline::open(block, self.namenode.client_name(), &self.settings).await
    }

    fn suspected(&self) -> Vec<DatanodeInfo> {
        let mut suspects = self.suspects.lock();
        let now = boot_now();
        suspects.retain(|_, (_, until)| *until > now);
        suspects.values().map(|(node, _)| node.clone()).collect()
    }

    fn suspect(&self, node: &DatanodeInfo) {
        log::warn!("avoiding a DataNode for a while node={}", self.settings.datanode_address.transfer(node));
        let until = boot_now() + SUSPECT_FOR;
        self.suspects.lock().insert(node.id.datanode_uuid.clone(), (node.clone(), until));
    }

    /// A pipeline broke under its writer: the next block avoids the DataNode that is to blame.
    pub fn broken(&self, block: &LocatedBlock, failure: &HdfsError) {
        match named(block, failure) {
            Some(node) => self.suspect(node),
            None if matches!(failure, HdfsError::Deadline { .. }) => *self.doubted.lock() = Some(block.clone()),
            None => {}
        }
    }

    /// Whether the pipeline of a block cannot go on, for some of its DataNodes are silent and others are not. They are
    /// avoided from now on. When all are silent it may be this host that is cut off.
    pub async fn stuck(&self, block: &LocatedBlock) -> Option<HdfsError> {
        let silent = self.datanodes.silent(block).await;
        let (first, address) = (silent.first()?, self.settings.datanode_address);
        if silent.len() == block.locs.len() {
            return None;
        }
        silent.iter().for_each(|node| self.suspect(node));
        let reason = "it is silent while a flush waits for it".into();
        Some(HdfsError::Connection { server: address.transfer(first), reason })
    }

    async fn settle_doubt(&self) {
        let doubted = self.doubted.lock().take();
        if let Some(block) = doubted {
            self.datanodes.silent(&block).await.iter().for_each(|node| self.suspect(node));
        }
    }

    /// A pipeline could not be set up: avoids the one that is named, or those that are silent, or the first.
    async fn blame(&self, block: &LocatedBlock, failure: &HdfsError) {
        if let HdfsError::TooFewNodes { .. } = failure {
            return;
        }
        if let Some(node) = named(block, failure) {
            return self.suspect(node);
        }
        let silent = match failure {
            HdfsError::Deadline { .. } => self.datanodes.silent(block).await,
            _ => vec![],
        };
        let first = if silent.is_empty() { block.locs.first().cloned() } else { None };
        silent.iter().chain(&first).for_each(|node| self.suspect(node));
    }

    /// Closes the file: waits until the DataNodes have reported its last block.
    pub async fn complete(&self, file: &OpenFile, last: Option<ExtendedBlock>) -> Result<()> {
        let until = boot_now() + self.settings.call_budget;
        let mut pause = PAUSE_FIRST;
        while !self.namenode.complete(file, last.clone()).await? {
            if until.since(boot_now()) <= pause {
                let (server, after) = (self.settings.namenodes.join(","), self.settings.call_budget);
                return Err(HdfsError::Deadline { server, what: "that the file is complete", after });
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Ok(())
    }
}

/// The DataNode that the failure names. It may be named by address or by host name, as the DataNodes know it.
fn named<'a>(block: &'a LocatedBlock, failure: &HdfsError) -> Option<&'a DatanodeInfo> {
    let HdfsError::Status { bad_link: Some(link), .. } = failure else { return None };
    let is = |node: &&DatanodeInfo| {
        [DatanodeAddress::Ip, DatanodeAddress::HostName].iter().any(|address| address.transfer(node) == *link)
    };
    block.locs.iter().find(is)
}

fn no_node_left(failure: &HdfsError) -> bool {
    matches!(failure, HdfsError::Remote { message, .. } if message.contains("could only be "))
}
