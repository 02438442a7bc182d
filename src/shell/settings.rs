//! What the shell has from the properties.

use std::time::Duration;

use super::{Dialect, WebPorts};
use crate::client::{
    ChannelSettings, ClientSettings, CreateDirectoryOptions, CreateFileOptions, DataSettings, Locate, NoUser,
    RetrySettings, identity,
};
use crate::conf::{Compatibility, Conf, Origin, WriteType, keys};
use crate::election::{FindError, configured};
use crate::types::TtlAction;

/// How long the shell of 2.9 goes on trying unless a property says so (2.9.6 FileSystemShell, main).
const PATIENCE_OF_2_9: Duration = Duration::from_secs(5);

/// What the shell needs to know.
#[derive(Debug)]
pub struct ShellSettings {
    /// Who finds the primary.
    pub masters: Box<dyn Locate>,
    /// How the client connects and tries again.
    pub client: ClientSettings,
    /// How data is read and written.
    pub data: DataSettings,
    /// How files and directories are made.
    pub create: CreateSettings,
    /// Whether `ls` shows mode, owner and group.
    pub show_owners: bool,
    /// Whose commands and texts `alluxio fs` has.
    pub dialect: Dialect,
    /// Where servers are asked for the level of their logs.
    pub web_ports: WebPorts,
    /// How long clients go on with the workers that they know.
    pub worker_list_refresh: Duration,
}

/// How the shell makes files and directories.
#[derive(Debug, Clone)]
pub struct CreateSettings {
    /// Permission bits that they do not get.
    pub umask: u16,
    /// Size of the blocks of a file.
    pub block_size_bytes: i64,
    /// Where the content of a file goes.
    pub write_type: WriteType,
    /// What happens when a time to live, set later, ends.
    pub ttl_action: TtlAction,
}

impl CreateSettings {
    /// How a directory is made, with its parents.
    pub(super) fn directory(&self) -> CreateDirectoryOptions {
        CreateDirectoryOptions {
            recursive: true,
            allow_exists: false,
            mode: 0o777 & !self.umask,
            write_type: self.write_type,
            ttl_action: self.ttl_action,
        }
    }

    /// How a directory is made whose parent must be there.
    pub(super) fn directory_only(&self) -> CreateDirectoryOptions {
        CreateDirectoryOptions { recursive: false, ..self.directory() }
    }

    /// How a file is made, with its parents.
    pub(super) fn file(&self) -> CreateFileOptions {
        CreateFileOptions {
            recursive: true,
            mode: 0o666 & !self.umask,
            block_size_bytes: self.block_size_bytes,
            write_type: self.write_type,
            ttl_action: self.ttl_action,
        }
    }
}

impl Default for CreateSettings {
    /// The defaults of 1.2.0.
    fn default() -> Self {
        CreateSettings {
            umask: 0o022,
            block_size_bytes: 512 << 20,
            write_type: WriteType::MustCache,
            ttl_action: TtlAction::Delete,
        }
    }
}

/// Properties with which the shell cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The operating system does not know who runs the shell.
    #[error(transparent)]
    NoUser(#[from] NoUser),
    /// They do not say where the masters are.
    #[error(transparent)]
    Masters(#[from] FindError),
}

impl ShellSettings {
    /// Reads the properties.
    ///
    /// # Errors
    /// They do not say where the masters are, or who asks.
    pub fn read(conf: &Conf) -> Result<ShellSettings, SettingsError> {
        let dialect = match conf.compatibility() {
            Compatibility::V1_2 => Dialect::Of1_2,
            Compatibility::V2_9 => Dialect::Of2_9,
        };
        let identity = identity::of_process(conf)?;
        // Compatible: 1.2.0 shows owners where permissions are checked, which was off by default; tests/shell, 05-ls.
        // Here it is on by default, so only who asks for it sees them.
        let asked_for_permissions = *conf.origin(&keys::PERMISSION_ENABLED.row) != Origin::Preset;
        // Compatible: 2.9 LsCommand, printLsString: wherever users are authenticated.
        let permissions = asked_for_permissions && conf.get(&keys::PERMISSION_ENABLED);
        let show_owners = identity.is_some() && (permissions || dialect == Dialect::Of2_9);
        let retry = RetrySettings {
            base_sleep: conf.get(&keys::USER_RPC_RETRY_BASE_SLEEP),
            max_sleep: conf.get(&keys::USER_RPC_RETRY_MAX_SLEEP),
            max_duration: match (dialect, conf.origin(&keys::USER_RPC_RETRY_MAX_DURATION.row)) {
                (Dialect::Of2_9, Origin::Preset) => PATIENCE_OF_2_9,
                _ => conf.get(&keys::USER_RPC_RETRY_MAX_DURATION),
            },
        };
        let channel = ChannelSettings { identity, ..ChannelSettings::default() };
        let client = ClientSettings { channel, retry, ..ClientSettings::default() };
        let create = CreateSettings {
            umask: conf.get(&keys::PERMISSION_UMASK).0,
            block_size_bytes: i64::try_from(conf.get(&keys::USER_BLOCK_SIZE).0).unwrap_or(i64::MAX),
            write_type: conf.get(&keys::USER_WRITE_TYPE),
            ttl_action: match dialect {
                Dialect::Of1_2 => TtlAction::Delete,
                Dialect::Of2_9 => TtlAction::Free,
            },
        };
        let masters = configured::primary(conf, client.look_again)?;
        let data = DataSettings::read(conf, &client.channel);
        let web_ports =
            WebPorts { master: conf.get(&keys::MASTER_WEB_PORT).0, worker: conf.get(&keys::WORKER_WEB_PORT).0 };
        let worker_list_refresh = conf.get(&keys::USER_WORKER_LIST_REFRESH_INTERVAL);
        Ok(ShellSettings { masters, client, data, create, show_owners, dialect, web_ports, worker_list_refresh })
    }
}

#[cfg(test)]
mod tests {
    use super::ShellSettings;
    use crate::conf::{Conf, Role, Sources};
    use crate::shell::Dialect;

    /// The settings by these properties and no others.
    fn read(properties: &[&str]) -> Result<ShellSettings, String> {
        let folder = tempfile::TempDir::new().unwrap();
        let conf_dir = folder.path().to_str().unwrap().to_owned();
        let sources = Sources {
            role: Role::User,
            environment: [("ALLUXIO_CONF_DIR", conf_dir.clone()), ("HOME", conf_dir)].map(own).into(),
            command_line: properties.iter().map(|property| (*property).to_owned()).collect(),
        };
        let conf = Conf::load(&sources).map_err(|error| error.to_string())?;
        ShellSettings::read(&conf).map_err(|error| error.to_string())
    }

    fn own((name, text): (&str, String)) -> (String, String) {
        (name.to_owned(), text)
    }

    #[test]
    fn the_properties_say_where_the_masters_are() {
        let places = |properties: &[&str]| read(properties).map(|settings| settings.masters.places());
        assert_eq!(places(&[]), Ok("localhost:19998".into()));
        assert_eq!(places(&["alluxio.master.hostname=a", "alluxio.master.port=1"]), Ok("a:1".into()));
        assert_eq!(places(&["alluxio.master.rpc.addresses=a:1,b:2"]), Ok("a:1, b:2".into()));
        let zookeeper = ["alluxio.zookeeper.enabled=true", "alluxio.zookeeper.address=z:2181"];
        assert_eq!(places(&zookeeper), Ok("ZooKeeper z:2181".into()));
        assert!(places(&zookeeper[..1]).is_err_and(|text| text.contains("alluxio.zookeeper.address is not set")));
    }

    #[test]
    fn the_dialect_is_that_of_the_compatibility() {
        let read = |properties: &[&str]| read(properties).unwrap();
        let old = read(&[]);
        assert_eq!((old.dialect, old.client.retry.max_duration.as_secs()), (Dialect::Of1_2, 120));
        let new = read(&["alluxio.compatibility=2.9"]);
        assert_eq!((new.dialect, new.client.retry.max_duration.as_secs(), new.show_owners), (Dialect::Of2_9, 5, true));
        let patient = read(&["alluxio.compatibility=2.9", "alluxio.user.rpc.retry.max.duration=7s"]);
        assert_eq!(patient.client.retry.max_duration.as_secs(), 7);
    }

    #[test]
    fn owners_are_shown_to_who_asked_for_permissions() {
        let shown = |properties: &[&str]| read(properties).unwrap().show_owners;
        assert!(!shown(&[]));
        assert!(shown(&["alluxio.security.authorization.permission.enabled=true"]));
        assert!(!shown(&[
            "alluxio.security.authorization.permission.enabled=true",
            "alluxio.security.authentication.type=NOSASL"
        ]));
    }
}
