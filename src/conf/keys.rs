//! The table of properties: a row for each one that the product reads, and no other.
//!
//! Names are those of release 2.9; spellings of 1.2.0 are aliases. What no Alluxio has is marked "ours". The texts
//! are what `docs/properties.md` shows.

use chrono::NaiveTime;
use std::path::PathBuf;
use std::time::Duration;

use super::table::{Family, Key, Preset, Row};
use super::values::{
    Authentication, Bytes, Compatibility, Credentials, FencingMode, FlushDurability, GroupMapping, HostPort, Hostname,
    JournalType, Octal, Port, QueueCapacity, SyncInterval, WriteType,
};
use Preset::{Always, ByRelease, Unset};

/// Declares the rows as typed keys, and `ROWS` with all of them.
macro_rules! table {
    ($($(#[doc = $doc:literal])+ $key:ident: $type:ty = $name:literal $aliases:expr, $preset:expr;)+) => {
        $($(#[doc = $doc])+
        pub static $key: Key<$type> = Key::new($name, &$aliases, $preset, concat!($($doc),+));)+

        /// All rows, families apart, in the order of the table.
        pub static ROWS: &[&Row] = &[$(&$key.row),+];
    };
}

table! {
    // Where things are.

    /// Root of the installation.
    HOME: PathBuf = "alluxio.home" [], Always("/opt/alluxio");
    /// Folder of the site file, `alluxio-env.sh` and `log4rs.yaml`.
    CONF_DIR: PathBuf = "alluxio.conf.dir" [], Always("${alluxio.home}/conf");
    /// Folder for what has no other place; journal, logs and under store lie in it unless they are set.
    WORK_DIR: PathBuf = "alluxio.work.dir" [], Always("${alluxio.home}");
    /// Folder of log, output and pid files.
    LOGS_DIR: PathBuf = "alluxio.logs.dir" [], Always("${alluxio.work.dir}/logs");
    /// Folder of the logs of commands, `user_<user>.log`.
    USER_LOGS_DIR: PathBuf = "alluxio.user.logs.dir" [],
        ByRelease { v1_2: "${alluxio.logs.dir}", v2_9: "${alluxio.logs.dir}/user" };
    /// Folders in which `alluxio-site.properties` is looked for; the first one that holds it counts.
    /// Read from environment and command line only.
    SITE_CONF_DIR: Vec<PathBuf> = "alluxio.site.conf.dir" [],
        Always("${alluxio.conf.dir}/,${user.home}/.alluxio/,/etc/alluxio/");

    // What it looks like.

    /// The release whose shell texts and client defaults are used (ours).
    COMPATIBILITY: Compatibility = "alluxio.compatibility" [], Always("1.2");
    /// Level of the root logger; unset, `log4rs.yaml` says it (ours).
    LOG_LEVEL: Option<log::LevelFilter> = "alluxio.log.level" [], Unset;
    /// Whether a master writes each operation of a client to `master_audit.log`.
    AUDIT_LOGGING_ENABLED: bool = "alluxio.master.audit.logging.enabled" [], Always("false");
    /// Lines of the audit log that may wait to be written; more are lost, and that is said.
    AUDIT_LOGGING_QUEUE_CAPACITY: QueueCapacity = "alluxio.master.audit.logging.queue.capacity" [], Always("10000");

    // Where a master is found.

    /// Host name by which others reach this master; unset, the name of the machine.
    MASTER_HOSTNAME: Option<Hostname> = "alluxio.master.hostname" [], Unset;
    /// Address on which a master listens.
    MASTER_BIND_HOST: String = "alluxio.master.bind.host" [], Always("0.0.0.0");
    /// Port of a master's RPC service.
    MASTER_RPC_PORT: Port = "alluxio.master.rpc.port" ["alluxio.master.port"], Always("19998");
    /// Addresses of all masters, for clients that do not ask ZooKeeper.
    MASTER_RPC_ADDRESSES: Vec<HostPort> = "alluxio.master.rpc.addresses" [], Unset;

    // Web pages.

    /// Whether masters and workers have web pages; without them the web ports have the rest.
    WEB_UI_ENABLED: bool = "alluxio.web.ui.enabled" [], Always("true");
    /// Whether the pages show what files hold: browsing, preview, download, data in Alluxio.
    WEB_FILE_INFO_ENABLED: bool = "alluxio.web.file.info.enabled" [], Always("true");
    /// How often a page loads itself anew once its reader has asked for that.
    WEB_REFRESH_INTERVAL: Duration = "alluxio.web.refresh.interval" [], Always("15s");
    /// User as whom the pages look at files, and whose permissions count; unset, the user of the master, as in 1.2.0
    /// and 2.9 (ours).
    WEB_LOGIN_USERNAME: Option<String> = "alluxio.web.login.username" [], Unset;
    /// Address on which the web pages of a master listen.
    MASTER_WEB_BIND_HOST: String = "alluxio.master.web.bind.host" [], Always("0.0.0.0");
    /// Port of a master's web pages; they are there while it is primary.
    MASTER_WEB_PORT: Port = "alluxio.master.web.port" [], Always("19999");
    /// Whether a standby has web pages, too.
    STANDBY_WEB_ENABLED: bool = "alluxio.standby.master.web.enabled" [], Always("false");

    // Election.

    /// Whether masters are elected, and found, through ZooKeeper.
    ZOOKEEPER_ENABLED: bool = "alluxio.zookeeper.enabled" [], Always("false");
    /// `host:port,…` of the ZooKeeper servers, with a chroot behind the last if wanted.
    ZOOKEEPER_ADDRESS: Option<String> = "alluxio.zookeeper.address" [], Unset;
    /// Path of the latch; unset, `/election`.
    ZOOKEEPER_ELECTION_PATH: Option<String> = "alluxio.zookeeper.election.path" [], Unset;
    /// Path under which the leader's address is published; unset, both `/leader` (1.x) and `/alluxio/leader` (2.x).
    ZOOKEEPER_LEADER_PATH: Option<String> = "alluxio.zookeeper.leader.path" [], Unset;
    /// `user:password` with which masters close their nodes in ZooKeeper (scheme `digest`): others may read them, and
    /// change nothing. The same on all masters; workers and clients need none. Unset, anybody may change them (ours).
    ZOOKEEPER_ACL_CREDENTIALS: Option<Credentials> = "alluxio.zookeeper.acl.credentials" [], Unset;
    /// How long ZooKeeper keeps the session of a silent master.
    ZOOKEEPER_SESSION_TIMEOUT: Duration = "alluxio.zookeeper.session.timeout" [], Always("6s");
    /// How long to wait for a connection to ZooKeeper.
    ZOOKEEPER_CONNECTION_TIMEOUT: Duration = "alluxio.zookeeper.connection.timeout" [], Always("15s");

    // Journal.

    /// Where the journal lives; EMBEDDED and NOOP are not available in this version.
    JOURNAL_TYPE: JournalType = "alluxio.master.journal.type" [], Always("UFS");
    /// Folder of the journal, shared by all masters: `hdfs://…` or a local path.
    JOURNAL_FOLDER: String = "alluxio.master.journal.folder" [], Always("${alluxio.work.dir}/journal");
    /// What a flush on HDFS waits for: `hsync` the disks of the pipeline, `hflush` their memory (ours).
    JOURNAL_FLUSH_DURABILITY: FlushDurability = "alluxio.master.journal.flush.durability" [], Always("hsync");
    /// Size at which a new segment of the journal is begun.
    JOURNAL_LOG_SIZE_MAX: Bytes = "alluxio.master.journal.log.size.bytes.max" [], Always("10MB");
    /// Replicas of the journal's files on HDFS; unset, what the NameNode's default is (ours).
    JOURNAL_HDFS_REPLICATION: Option<u32> = "alluxio.master.journal.hdfs.replication" [], Unset;
    /// Entries between two checkpoints. Standbys come first, each further master waits a quarter longer, a primary half
    /// as long again.
    JOURNAL_CHECKPOINT_PERIOD: u64 = "alluxio.master.journal.checkpoint.period.entries" [], Always("2000000");
    /// Bytes of journal entries between two checkpoints (ours).
    JOURNAL_CHECKPOINT_PERIOD_BYTES: Bytes = "alluxio.master.journal.checkpoint.period.bytes" [], Always("1GB");
    /// The longest that a change is in no checkpoint (ours).
    JOURNAL_CHECKPOINT_PERIOD_TIME: Duration = "alluxio.master.journal.checkpoint.period.time" [], Always("24h");
    /// How often it is said that the local disk of the journal is nearly full.
    JOURNAL_SPACE_MONITOR_INTERVAL: Duration = "alluxio.master.journal.space.monitor.interval" [], Always("10min");
    /// That disk is nearly full when less than so many of a hundred bytes are free.
    JOURNAL_SPACE_FREE_THRESHOLD: u64 = "alluxio.master.journal.space.monitor.percent.free.threshold" [], Always("10");
    /// With fewer bytes free on that disk the master is read-only, until a quarter more is free; 0: never (ours).
    JOURNAL_SPACE_READ_ONLY: Bytes = "alluxio.master.journal.space.read.only.bytes" [], Always("128MB");
    /// Where backups are written, of which nothing else is said: a path in the UFS of the root, or a URI.
    MASTER_BACKUP_DIRECTORY: String = "alluxio.master.backup.directory" [], Always("/alluxio_backups");
    /// Whether a backup is written to that place each day.
    DAILY_BACKUP_ENABLED: bool = "alluxio.master.daily.backup.enabled" [], Always("false");
    /// At which time of the day in UTC.
    DAILY_BACKUP_TIME: NaiveTime = "alluxio.master.daily.backup.time" [], Always("05:00");
    /// How many backups are kept at that place: after each daily one, older ones are deleted.
    DAILY_BACKUP_RETAINED: u32 = "alluxio.master.daily.backup.files.retained" [], Always("3");
    /// A backup, or a journal of Alluxio 1.x or 2.x, that a journal folder which is formatted and empty begins with when a
    /// master is started.
    JOURNAL_INIT_FROM_BACKUP: Option<String> = "alluxio.master.journal.init.from.backup" [], Unset;
    /// What proves that a leader still leads: `lease` on the local clock, or `confirm`, a renewal after each flush
    /// (ours).
    JOURNAL_FENCING_MODE: FencingMode = "alluxio.master.journal.fencing.mode" [], Always("lease");
    /// How long a renewal lets a leader answer; others wait a tenth longer (ours).
    JOURNAL_FENCING_LEASE: Duration = "alluxio.master.journal.fencing.lease" [], Always("2s");

    // Workers, as a master sees them.

    /// Silent for so long, a worker is lost with its copies.
    MASTER_WORKER_TIMEOUT: Duration = "alluxio.master.worker.timeout" ["alluxio.master.worker.timeout.ms"],
        Always("5min");
    /// How long a new primary waits for workers before it says which there are; less when all that it knows have come.
    MASTER_WORKER_CONNECT_WAIT: Duration = "alluxio.master.worker.connect.wait.time" [], Always("5sec");

    /// How often it is looked for files and directories whose time to live has ended.
    TTL_CHECKER_INTERVAL: Duration = "alluxio.master.ttl.checker.interval" ["alluxio.master.ttl.checker.interval.ms"],
        Always("1hour");

    /// Whether it is kept when a file was last opened and a directory last listed.
    ACCESS_TIME_UPDATER_ENABLED: bool = "alluxio.master.file.access.time.updater.enabled" [], Always("true");
    /// A time of an access that is later than the one which is kept by no more than this is not kept.
    ACCESS_TIME_PRECISION: Duration = "alluxio.master.file.access.time.update.precision" [], Always("1d");

    /// How often it is looked for blocks of which there are fewer copies than is wished.
    REPLICATION_CHECK_INTERVAL: Duration = "alluxio.master.replication.check.interval" [], Always("1min");

    // Under store.

    /// Parts of paths: of files that have one in theirs, a master writes none to the under store.
    PERSISTENCE_BLACKLIST: Vec<String> = "alluxio.master.persistence.blacklist" [], Unset;

    /// What is mounted at the root of the namespace.
    ROOT_UFS: String = "alluxio.master.mount.table.root.ufs" ["alluxio.underfs.address"],
        Always("${alluxio.work.dir}/underFSStorage");
    /// Hadoop files that name the NameNodes of an HDFS name service.
    UNDERFS_HDFS_CONFIGURATION: Vec<PathBuf> = "alluxio.underfs.hdfs.configuration" [],
        Always("${alluxio.conf.dir}/core-site.xml:${alluxio.conf.dir}/hdfs-site.xml");
    /// Access key of S3. Unset, as the secret key: the variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
    /// `AWS_SESSION_TOKEN`; without those, requests are not signed. This and what follows for S3 may be an option of a mount.
    S3_ACCESS_KEY: Option<String> = "s3a.accessKeyId" ["aws.accessKeyId"], Unset;
    /// Secret key of S3.
    S3_SECRET_KEY: Option<String> = "s3a.secretKey" ["aws.secretKey"], Unset;
    /// Where S3 is: `http://host:port` or `https://host`; unset, Amazon's of the region, by https.
    S3_ENDPOINT: Option<String> = "alluxio.underfs.s3.endpoint" [], Unset;
    /// Region that requests to the endpoint are signed for; unset, `alluxio.underfs.s3.region`.
    S3_ENDPOINT_REGION: Option<String> = "alluxio.underfs.s3.endpoint.region" [], Unset;
    /// Region of the bucket.
    S3_REGION: String = "alluxio.underfs.s3.region" [], Always("us-east-1");
    /// Whether an endpoint without `http://` or `https://` is asked by https.
    S3_SECURE_HTTP: bool = "alluxio.underfs.s3.secure.http.enabled" ["alluxio.underfs.s3a.secure.http.enabled"],
        Always("false");
    /// Whether the bucket stands in the path, as most stores but Amazon's want it, and not in the name of the host. It does
    /// in any case when the endpoint is an IP address.
    S3_DISABLE_DNS_BUCKETS: bool = "alluxio.underfs.s3.disable.dns.buckets" [], Always("false");
    /// Permission bits that files and directories of S3 have.
    S3_DEFAULT_MODE: Octal = "alluxio.underfs.s3.default.mode" ["alluxio.underfs.s3a.default.mode"], Always("0700");

    // Workers.

    /// Host name by which others reach this worker; unset, the name of the machine. Clients on a machine of that name
    /// read and write its files themselves.
    WORKER_HOSTNAME: Option<Hostname> = "alluxio.worker.hostname" [], Unset;
    /// Address on which a worker listens.
    WORKER_BIND_HOST: String = "alluxio.worker.bind.host" [], Always("0.0.0.0");
    /// Port of a worker, for calls and data.
    WORKER_RPC_PORT: Port = "alluxio.worker.rpc.port" ["alluxio.worker.port"], Always("29999");
    /// Address on which the web pages of a worker listen.
    WORKER_WEB_BIND_HOST: String = "alluxio.worker.web.bind.host" [], Always("0.0.0.0");
    /// Port of a worker's web pages, which clients are told.
    WORKER_WEB_PORT: Port = "alluxio.worker.web.port" [], Always("30000");
    /// Bytes of blocks that a worker holds.
    WORKER_RAMDISK_SIZE: Bytes = "alluxio.worker.ramdisk.size" ["alluxio.worker.memory.size"], Always("1GB");
    /// Name of a worker's tier.
    WORKER_TIER_ALIAS: String = "alluxio.worker.tieredstore.level0.alias" [], Always("MEM");
    /// Directory of a worker's tier, in memory most often; one only in this version.
    WORKER_TIER_PATH: PathBuf = "alluxio.worker.tieredstore.level0.dirs.path" [], Always("/mnt/ramdisk");
    /// Folder of a worker below that directory.
    WORKER_DATA_FOLDER: String = "alluxio.worker.data.folder" [], Always("/alluxioworker/");
    /// Pause between two heartbeats of a worker.
    WORKER_HEARTBEAT_INTERVAL: Duration =
        "alluxio.worker.block.heartbeat.interval" ["alluxio.worker.block.heartbeat.interval.ms"], Always("1sec");
    /// Whether a worker asks for a lease before it tells a master its blocks.
    WORKER_REGISTER_LEASE: bool = "alluxio.worker.register.lease.enabled" [], Always("true");

    // Who may.

    /// How clients say who they are: NOSASL or SIMPLE.
    AUTHENTICATION_TYPE: Authentication = "alluxio.security.authentication.type" [], Always("SIMPLE");
    /// Who tells in which groups a user is: the operating system of the server (of 2.9 ShellBasedUnixGroupsMapping), or
    /// nobody, and each user is in a group of its own name (IdentityUserGroupsMapping).
    GROUP_MAPPING_CLASS: GroupMapping = "alluxio.security.group.mapping.class" [],
        Always("alluxio.security.group.provider.ShellBasedUnixGroupsMapping");
    /// How long the groups of a user are believed.
    GROUP_MAPPING_CACHE_TIMEOUT: Duration = "alluxio.security.group.mapping.cache.timeout"
        ["alluxio.security.group.mapping.cache.timeout.ms"], Always("1min");
    /// Whether permissions of files are checked.
    PERMISSION_ENABLED: bool = "alluxio.security.authorization.permission.enabled" [], Always("true");
    /// Group whose members may do everything.
    PERMISSION_SUPERGROUP: String = "alluxio.security.authorization.permission.supergroup" [], Always("supergroup");
    /// Permission bits that new files and directories do not get.
    PERMISSION_UMASK: Octal = "alluxio.security.authorization.permission.umask" [], Always("022");
    /// User as whom clients act; unset, the user of the operating system.
    LOGIN_USERNAME: Option<String> = "alluxio.security.login.username" [], Unset;

    // Clients.

    /// How long a client goes on trying a call.
    USER_RPC_RETRY_MAX_DURATION: Duration = "alluxio.user.rpc.retry.max.duration" [], Always("2min");
    /// Pause before the first repetition of a call.
    USER_RPC_RETRY_BASE_SLEEP: Duration = "alluxio.user.rpc.retry.base.sleep" ["alluxio.user.rpc.retry.base.sleep.ms"],
        Always("50ms");
    /// Longest pause between two repetitions of a call.
    USER_RPC_RETRY_MAX_SLEEP: Duration = "alluxio.user.rpc.retry.max.sleep" ["alluxio.user.rpc.retry.max.sleep.ms"],
        Always("3sec");
    /// Where a client's new data goes.
    USER_WRITE_TYPE: WriteType = "alluxio.user.file.writetype.default" [],
        ByRelease { v1_2: "MUST_CACHE", v2_9: "ASYNC_THROUGH" };
    /// Size of the blocks of a client's new files.
    USER_BLOCK_SIZE: Bytes = "alluxio.user.block.size.bytes.default" [], ByRelease { v1_2: "512MB", v2_9: "64MB" };
    /// Name of the host on which a client runs: workers of that name are near; unset, the name of the machine.
    USER_HOSTNAME: Option<String> = "alluxio.user.hostname" [], Unset;
    /// Rack in which a client stands: of far workers those of the same rack are preferred.
    LOCALITY_RACK: Option<String> = "alluxio.locality.rack" [], Unset;
    /// Whether a client on a worker's host reads and writes the files of blocks itself.
    USER_SHORT_CIRCUIT_ENABLED: bool = "alluxio.user.short.circuit.enabled" [], Always("true");
    /// Most bytes in one message of a stream that is read from a worker.
    USER_STREAMING_READER_CHUNK_SIZE: Bytes = "alluxio.user.streaming.reader.chunk.size.bytes"
        ["alluxio.user.network.reader.chunk.size.bytes"], Always("1MB");
    /// Longest time without progress when a client reads from a worker.
    USER_STREAMING_DATA_READ_TIMEOUT: Duration = "alluxio.user.streaming.data.read.timeout"
        ["alluxio.user.streaming.data.timeout", "alluxio.user.network.data.timeout",
         "alluxio.user.network.data.timeout.ms"], Always("3m");
    /// Longest time without progress when a client writes to a worker.
    USER_STREAMING_DATA_WRITE_TIMEOUT: Duration = "alluxio.user.streaming.data.write.timeout" [], Always("3m");
    /// Longest wait for a worker to commit what a client wrote.
    USER_STREAMING_WRITER_CLOSE_TIMEOUT: Duration = "alluxio.user.streaming.writer.close.timeout"
        ["alluxio.user.network.writer.close.timeout", "alluxio.user.network.writer.close.timeout.ms"], Always("30min");
    /// How long a client goes on trying to read a block, from any worker.
    USER_BLOCK_READ_RETRY_MAX_DURATION: Duration = "alluxio.user.block.read.retry.max.duration" [],
        ByRelease { v1_2: "30s", v2_9: "5min" };
    /// Pause before the first repetition of reading a block.
    USER_BLOCK_READ_RETRY_SLEEP_BASE: Duration = "alluxio.user.block.read.retry.sleep.base" [], Always("250ms");
    /// Longest pause between two repetitions of reading a block.
    USER_BLOCK_READ_RETRY_SLEEP_MAX: Duration = "alluxio.user.block.read.retry.sleep.max" [], Always("2sec");
    /// What a master compared with the UFS longer ago than this, a client has compared again before it is told or changes
    /// anything: 0 always, -1 never.
    USER_FILE_METADATA_SYNC_INTERVAL: SyncInterval = "alluxio.user.file.metadata.sync.interval" [], Always("-1");
    /// How long clients of 2.9 go on with the workers that they know. `alluxio fsadmin decommissionWorker` waits so long
    /// for all to know that a worker is not to be used; clients of ours ask each time.
    USER_WORKER_LIST_REFRESH_INTERVAL: Duration = "alluxio.user.worker.list.refresh.interval" [], Always("2min");
    /// How long a client waits for a worker to write to.
    USER_FILE_WRITE_INIT_MAX_DURATION: Duration = "alluxio.user.file.write.init.max.duration" [],
        ByRelease { v1_2: "10s", v2_9: "2min" };
}

/// Users for whom the user named in the property may act; `*` for all.
pub static IMPERSONATION_USERS: Family<Vec<String>> = Family::new(
    "alluxio.master.security.impersonation.*.users",
    "Users for whom the user named in the property may act; `*` for all.",
);

/// Groups for whose members the user named in the property may act; `*` for all.
pub static IMPERSONATION_GROUPS: Family<Vec<String>> = Family::new(
    "alluxio.master.security.impersonation.*.groups",
    "Groups for whose members the user named in the property may act; `*` for all.",
);

/// Options of the mount of the root, as `alluxio fs mount --option` gives them to others.
pub static ROOT_OPTIONS: Family<String> = Family::new(
    "alluxio.master.mount.table.root.option.*",
    "Options of the mount of the root: `alluxio.master.mount.table.root.option.s3a.accessKeyId`. Workers learn them from the master.",
);

/// The rows of all families.
pub static FAMILIES: &[&Row] = &[&IMPERSONATION_USERS.key.row, &IMPERSONATION_GROUPS.key.row, &ROOT_OPTIONS.key.row];

/// The rows that tell how S3 is used, which may be options of a mount.
pub static S3_ROWS: &[&Row] = &[
    &S3_ACCESS_KEY.row,
    &S3_SECRET_KEY.row,
    &S3_ENDPOINT.row,
    &S3_ENDPOINT_REGION.row,
    &S3_REGION.row,
    &S3_SECURE_HTTP.row,
    &S3_DISABLE_DNS_BUCKETS.row,
    &S3_DEFAULT_MODE.row,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_aliases_are_unique() {
        let mut seen = BTreeSet::new();
        for row in ROWS {
            for name in std::iter::once(&row.name).chain(row.aliases) {
                assert!(seen.insert(*name), "{name} stands twice");
                assert!(["alluxio.", "s3a.", "aws."].iter().any(|first| name.starts_with(first)), "{name}");
            }
        }
    }

    #[test]
    fn presets_are_values_of_their_type() {
        for row in ROWS {
            for compatibility in [Compatibility::V1_2, Compatibility::V2_9] {
                let text = row.preset.text(compatibility);
                assert_eq!((row.check)(text), Ok(()), "{} = {text}", row.name);
            }
        }
    }
}
