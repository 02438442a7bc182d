//! The backend of each URI, made once and kept.

use super::error::{UfsError, UfsErrorKind};
use super::hdfs::HdfsUfs;
use super::local::LocalUfs;
use super::memory::MemoryUfs;
use super::storage::Ufs;
use super::uri::{UfsScheme, UfsUri};
use crate::conf::Conf;
use crate::conf::hadoop::{self, HadoopError};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Different storages that are used at a time.
const CLIENTS_MAX: usize = 1_000;

/// How UFSes are used.
#[derive(Debug, Clone)]
pub struct UfsSettings {
    /// A call that takes longer has failed for its caller.
    pub deadline: Duration,
    /// As whom HDFS is used.
    pub hdfs_user: String,
    /// Hadoop's properties: which NameNodes a name service has.
    pub hadoop: BTreeMap<String, String>,
    /// What `memory://` stands for; such URIs are refused without it.
    pub memory: Option<MemoryUfs>,
}

impl UfsSettings {
    /// As configured.
    ///
    /// # Errors
    /// Hadoop's files cannot be read.
    pub fn of(conf: &Conf) -> Result<UfsSettings, HadoopError> {
        let user = std::env::var("HADOOP_USER_NAME").ok().filter(|user| !user.is_empty());
        let own = || nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten().map(|user| user.name);
        let usual = UfsSettings::usual();
        Ok(UfsSettings {
            hdfs_user: user.or_else(own).unwrap_or(usual.hdfs_user),
            hadoop: hadoop::properties(conf)?,
            ..usual
        })
    }

    /// Usual limits, no Hadoop files, no storage in memory.
    pub fn usual() -> UfsSettings {
        UfsSettings {
            deadline: Duration::from_secs(30),
            hdfs_user: "alluxio".into(),
            hadoop: BTreeMap::new(),
            memory: None,
        }
    }
}

/// See the module text. May be used from many threads.
#[derive(Debug)]
pub struct UfsClients {
    settings: UfsSettings,
    /// By scheme and authority.
    clients: Mutex<BTreeMap<String, Arc<dyn Ufs>>>,
}

impl UfsClients {
    /// Connects to nothing yet.
    pub fn new(settings: UfsSettings) -> UfsClients {
        UfsClients { settings, clients: Mutex::default() }
    }

    /// The backend of that URI.
    ///
    /// # Errors
    /// A URI that no backend can serve.
    pub fn of(&self, uri: &str) -> Result<Arc<dyn Ufs>, UfsError> {
        let parsed = UfsUri::parse(uri)?;
        let root = UfsUri { path: "/".into(), ..parsed.clone() }.to_string();
        let mut clients = self.clients.lock();
        if let Some(client) = clients.get(&root) {
            return Ok(client.clone());
        }
        let client = self.connect(uri, &parsed)?;
        if clients.len() >= CLIENTS_MAX {
            clients.pop_first();
        }
        clients.insert(root, client.clone());
        Ok(client)
    }

    fn connect(&self, text: &str, uri: &UfsUri) -> Result<Arc<dyn Ufs>, UfsError> {
        let invalid = |reason: &str| UfsError::new(UfsErrorKind::Invalid, "use", text, reason);
        match uri.scheme {
            UfsScheme::Local => Ok(Arc::new(LocalUfs::new(self.settings.deadline))),
            UfsScheme::Memory => match &self.settings.memory {
                Some(memory) => Ok(Arc::new(memory.clone())),
                None => Err(invalid("a UFS in memory is for tests")),
            },
            UfsScheme::Hdfs => Ok(Arc::new(HdfsUfs::new(uri, &self.settings)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storage_has_one_client() {
        let memory = MemoryUfs::new();
        let clients = UfsClients::new(UfsSettings { memory: Some(memory), ..UfsSettings::usual() });
        let first = clients.of("memory://a/x").unwrap();
        assert!(Arc::ptr_eq(&first, &clients.of("memory://a/y").unwrap()));
        assert!(!Arc::ptr_eq(&first, &clients.of("memory://b/x").unwrap()));
        assert!(Arc::ptr_eq(&clients.of("/a").unwrap(), &clients.of("file:///b").unwrap()));
    }

    #[test]
    fn what_no_backend_serves_is_refused() {
        let clients = UfsClients::new(UfsSettings::usual());
        let refused = clients.of("memory://a/x").unwrap_err();
        assert_eq!(refused.to_string(), "cannot use memory://a/x: a UFS in memory is for tests");
        assert_eq!(clients.of("s3://a/x").unwrap_err().kind, UfsErrorKind::Invalid);
    }
}
