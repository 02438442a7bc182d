//! How large a UFS is. Asked when somebody looks; nothing is decided by it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use log::debug;
use tokio::task::spawn_blocking;

use super::outside;
use crate::conf::{Conf, hadoop};
use crate::journal::folder::hdfs::{HdfsSettings, NameNode};
pub use crate::ufs::Space;
use crate::ufs::{UfsScheme, UfsUri};

/// How long a NameNode may take: a page is not to wait for one that is away.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Where all UFS can be asked.
#[derive(Debug, Default)]
pub struct UfsSpaces {
    /// The NameNodes of HA nameservices.
    nameservices: BTreeMap<String, Vec<String>>,
}

/// Where to ask one.
#[derive(Debug)]
pub enum UfsSpace {
    /// The file system that holds this path.
    Local(PathBuf),
    /// The NameNodes of an HDFS.
    Hdfs(NameNode),
    /// Nowhere: it has no size, or its NameNodes are not known.
    Unknown,
}

impl UfsSpaces {
    /// By the properties.
    pub fn of(conf: &Conf) -> UfsSpaces {
        UfsSpaces { nameservices: hadoop::nameservices(conf).unwrap_or_default() }
    }

    /// Of the UFS with that URI.
    pub fn at(&self, uri: &str) -> UfsSpace {
        match UfsUri::parse(uri) {
            Ok(UfsUri { scheme: UfsScheme::Local, path, .. }) => UfsSpace::Local(path.into()),
            Ok(UfsUri { scheme: UfsScheme::Hdfs, authority, .. }) => {
                self.name_nodes(&authority).map_or(UfsSpace::Unknown, UfsSpace::Hdfs)
            }
            Ok(_) | Err(_) => UfsSpace::Unknown,
        }
    }

    fn name_nodes(&self, authority: &str) -> Option<NameNode> {
        // The path is of no account, and must be there.
        let uri = format!("hdfs://{authority}/alluxio");
        let settings = HdfsSettings::parse(&uri, &outside::hdfs_user(), &self.nameservices);
        let settings = HdfsSettings { call_deadline: ANSWER_LIMIT, call_budget: ANSWER_LIMIT, ..settings.ok()? };
        Some(NameNode::new(&settings, String::new()))
    }
}

impl UfsSpace {
    /// Its size now; none when nobody tells.
    pub async fn read(&self) -> Option<Space> {
        match self {
            UfsSpace::Local(path) => {
                let path = path.clone();
                let told = spawn_blocking(move || rustix::fs::statvfs(&path)).await.ok()?.ok()?;
                let bytes = |blocks: u64| i64::try_from(blocks.saturating_mul(told.f_frsize)).unwrap_or(i64::MAX);
                let (capacity, free) = (bytes(told.f_blocks), bytes(told.f_bfree));
                Some(Space { capacity_bytes: capacity, used_bytes: capacity - free, free_bytes: free })
            }
            UfsSpace::Hdfs(name_nodes) => {
                let told = name_nodes.space().await;
                told.inspect_err(|reason| debug!("HDFS does not tell its size reason={reason}")).ok()
            }
            UfsSpace::Unknown => None,
        }
    }
}
