//! The backend of each URI, made once and kept. Two mounts of one bucket with other keys have each its own.

use super::error::{UfsError, UfsErrorKind};
use super::hdfs::HdfsUfs;
use super::local::LocalUfs;
use super::memory::MemoryUfs;
use super::s3::S3Ufs;
use super::storage::Ufs;
use super::uri::{UfsScheme, UfsUri};
use crate::conf::hadoop::{self, HadoopError};
use crate::conf::keys::{ROOT_OPTIONS, ROOT_UFS, S3_ROWS};
use crate::conf::{Conf, Row};
use crate::types::Properties;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt;
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
    /// The properties of the site that tell how S3 is used.
    pub site: Properties,
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
            site: site_of(conf),
            ..usual
        })
    }

    /// Usual limits, no Hadoop files, no storage in memory.
    pub fn usual() -> UfsSettings {
        UfsSettings {
            deadline: Duration::from_secs(30),
            hdfs_user: "alluxio".into(),
            hadoop: BTreeMap::new(),
            site: Properties::default(),
            memory: None,
        }
    }
}

/// The properties with which what is mounted at a URI is used.
type MountOf = Box<dyn Fn(&UfsUri) -> Properties + Send + Sync>;

/// See the module text. May be used from many threads.
pub struct UfsClients {
    settings: UfsSettings,
    mount_of: MountOf,
    /// By scheme and authority, and the properties of the mount where they matter.
    clients: Mutex<BTreeMap<(String, Properties), Arc<dyn Ufs>>>,
}

impl fmt::Debug for UfsClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UfsClients").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl UfsClients {
    /// For URIs that no mount says anything of. Connects to nothing yet.
    pub fn new(settings: UfsSettings) -> UfsClients {
        UfsClients::of_mounts(settings, |_| Properties::default())
    }

    /// For URIs of which the mounts say how they are used. Connects to nothing yet.
    pub fn of_mounts(
        settings: UfsSettings,
        mount_of: impl Fn(&UfsUri) -> Properties + Send + Sync + 'static,
    ) -> UfsClients {
        UfsClients { settings, mount_of: Box::new(mount_of), clients: Mutex::default() }
    }

    /// For URIs of the mount of the root, as configured, and others that no mount says anything of. Connects to nothing
    /// yet.
    pub fn of_root(conf: &Conf, settings: UfsSettings) -> UfsClients {
        let (root, options) = (conf.get(&ROOT_UFS), root_options(conf));
        UfsClients::of_mounts(settings, move |uri| match UfsUri::parse(&root) {
            Ok(root) if root.is_same_storage(uri) => options.clone(),
            _ => Properties::default(),
        })
    }

    /// The backend of that URI, used as its mount says.
    ///
    /// # Errors
    /// A URI that no backend can serve.
    pub fn of(&self, uri: &str) -> Result<Arc<dyn Ufs>, UfsError> {
        let parsed = UfsUri::parse(uri)?;
        let mount = if parsed.scheme.has_properties() { (self.mount_of)(&parsed) } else { Properties::default() };
        self.find(uri, &parsed, &mount)
    }

    /// The backend of that URI, used as these properties of a mount say.
    ///
    /// # Errors
    /// A URI that no backend can serve, or a property that cannot be used.
    pub fn of_mount(&self, uri: &str, mount: &Properties) -> Result<Arc<dyn Ufs>, UfsError> {
        self.find(uri, &UfsUri::parse(uri)?, mount)
    }

    fn find(&self, text: &str, uri: &UfsUri, mount: &Properties) -> Result<Arc<dyn Ufs>, UfsError> {
        let root = UfsUri { path: "/".into(), ..uri.clone() }.to_string();
        let mount = if uri.scheme.has_properties() { mount.clone() } else { Properties::default() };
        let key = (root, mount);
        let mut clients = self.clients.lock();
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = self.connect(text, uri, &key.1)?;
        if clients.len() >= CLIENTS_MAX {
            clients.pop_first();
        }
        clients.insert(key, client.clone());
        Ok(client)
    }

    fn connect(&self, text: &str, uri: &UfsUri, mount: &Properties) -> Result<Arc<dyn Ufs>, UfsError> {
        let invalid = |reason: &str| UfsError::new(UfsErrorKind::Invalid, "use", text, reason);
        match uri.scheme {
            UfsScheme::Local => Ok(Arc::new(LocalUfs::new(self.settings.deadline))),
            UfsScheme::Memory => match &self.settings.memory {
                Some(memory) => Ok(Arc::new(memory.clone())),
                None => Err(invalid("a UFS in memory is for tests")),
            },
            UfsScheme::Hdfs => Ok(Arc::new(HdfsUfs::new(uri, &self.settings)?)),
            UfsScheme::S3 | UfsScheme::S3a => Ok(Arc::new(S3Ufs::new(uri, mount, &self.settings)?)),
        }
    }
}

/// The options of the mount of the root.
pub fn root_options(conf: &Conf) -> Properties {
    conf.family(&ROOT_OPTIONS).into_iter().collect()
}

fn site_of(conf: &Conf) -> Properties {
    let set = |row: &&Row| Some((row.name.to_owned(), conf.text(row.name).filter(|text| !text.is_empty())?.to_owned()));
    S3_ROWS.iter().filter_map(set).collect()
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
        assert_eq!(clients.of("oss://a/x").unwrap_err().kind, UfsErrorKind::Invalid);
    }

    #[test]
    fn mounts_of_one_bucket_with_other_keys_have_each_its_client() {
        let mount = |key: &str| {
            let pairs = [
                ("s3a.accessKeyId", key),
                ("s3a.secretKey", "hush"),
                ("alluxio.underfs.s3.endpoint", "http://[::1]:1"),
            ];
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect::<Properties>()
        };
        let own = mount("b");
        let clients = UfsClients::of_mounts(UfsSettings::usual(), move |uri| match uri.path.starts_with("/b") {
            true => own.clone(),
            false => mount("a"),
        });
        let first = clients.of("s3://k/a/x").unwrap();
        assert!(Arc::ptr_eq(&first, &clients.of("s3://k/a/y").unwrap()));
        let other = clients.of("s3://k/b/x").unwrap();
        assert!(!Arc::ptr_eq(&first, &other));
        assert!(Arc::ptr_eq(&other, &clients.of_mount("s3://k/z", &mount("b")).unwrap()));
        assert!(!format!("{clients:?} {first:?}").contains("hush"));
    }
}
