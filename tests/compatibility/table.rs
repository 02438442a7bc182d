//! Every method of 2.9.6 and what becomes of it here.

/// What a client finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As 2.9.6.
    Same,
    /// Served, with differences.
    Differs,
    /// Refused.
    Absent,
}

/// A line of the document.
pub struct Method {
    pub service: &'static str,
    pub name: &'static str,
    pub state: State,
    /// How it differs, or why it is not there; nothing if it is the same.
    pub what: &'static str,
}

const fn same(service: &'static str, name: &'static str) -> Method {
    Method { service, name, state: State::Same, what: "" }
}

const fn differs(service: &'static str, name: &'static str, what: &'static str) -> Method {
    Method { service, name, state: State::Differs, what }
}

const fn absent(service: &'static str, name: &'static str, what: &'static str) -> Method {
    Method { service, name, state: State::Absent, what }
}

/// Chapters, and what a service is for.
pub const SERVICES: &[(&str, &str)] = &[
    ("FileSystemMasterClientService", "Files and directories, for clients."),
    ("FileSystemMasterWorkerService", "The same, for workers."),
    ("FileSystemMasterJobService", "The same, for the job service."),
    ("BlockMasterClientService", "Blocks and workers, for clients."),
    ("BlockMasterWorkerService", "Blocks, for workers."),
    ("MetaMasterClientService", "The cluster itself: backups, masters."),
    ("MetaMasterConfigurationService", "Configuration, for all that connect."),
    ("MetaMasterMasterService", "Masters among themselves."),
    ("MetaMasterProxyService", "Proxies."),
    ("MetricsMasterClientService", "Metrics of clients and the cluster."),
    ("SaslAuthenticationService", "Who connects."),
    ("ServiceVersionClientService", "Which services there are."),
    ("BlockWorker", "Workers: the bytes of blocks."),
    ("JobMasterClientService", "The job service, for clients."),
    ("JobMasterWorkerService", "The job service, for its workers."),
    ("JobMasterMasterService", "The job service, for its masters."),
    ("JournalMasterClientService", "The embedded journal, for operators."),
    ("RaftJournalService", "The embedded journal among masters."),
    ("MessagingService", "The same."),
    ("TableMasterClientService", "The catalog of tables."),
];

const FILE_SYSTEM_MASTER_CLIENT_SERVICE: &str = "FileSystemMasterClientService";
const FILE_SYSTEM_MASTER_WORKER_SERVICE: &str = "FileSystemMasterWorkerService";
const FILE_SYSTEM_MASTER_JOB_SERVICE: &str = "FileSystemMasterJobService";
const BLOCK_MASTER_CLIENT_SERVICE: &str = "BlockMasterClientService";
const BLOCK_MASTER_WORKER_SERVICE: &str = "BlockMasterWorkerService";
const META_MASTER_CLIENT_SERVICE: &str = "MetaMasterClientService";
const META_MASTER_CONFIGURATION_SERVICE: &str = "MetaMasterConfigurationService";
const META_MASTER_MASTER_SERVICE: &str = "MetaMasterMasterService";
const META_MASTER_PROXY_SERVICE: &str = "MetaMasterProxyService";
const METRICS_MASTER_CLIENT_SERVICE: &str = "MetricsMasterClientService";
const SASL_AUTHENTICATION_SERVICE: &str = "SaslAuthenticationService";
const SERVICE_VERSION_CLIENT_SERVICE: &str = "ServiceVersionClientService";
const BLOCK_WORKER: &str = "BlockWorker";
const JOB_MASTER_CLIENT_SERVICE: &str = "JobMasterClientService";
const JOB_MASTER_WORKER_SERVICE: &str = "JobMasterWorkerService";
const JOB_MASTER_MASTER_SERVICE: &str = "JobMasterMasterService";
const JOURNAL_MASTER_CLIENT_SERVICE: &str = "JournalMasterClientService";
const RAFT_JOURNAL_SERVICE: &str = "RaftJournalService";
const MESSAGING_SERVICE: &str = "MessagingService";
const TABLE_MASTER_CLIENT_SERVICE: &str = "TableMasterClientService";

/// By service, in the order of its definition.
pub const METHODS: &[Method] = &[
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "CheckAccess",
        "What is not loaded is loaded first. What is not there is NOT_FOUND to all who may look for it.",
    ),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "CheckConsistency",
        "Content is compared by what was noted of it, or by its length; owners and modes are not.",
    ),
    same(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "Exists"),
    differs(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "CompleteFile", "`ufsLength` -1 is refused."),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "CreateDirectory",
        "`checkS3BucketPath` is not read; persisted directories above take no `xattr`. What lies in the UFS at the path is loaded first.",
    ),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "CreateFile",
        "`writeTier`, `workerLocation` and `checkS3BucketPath` are not read. What lies in the UFS at the path is loaded first.",
    ),
    same(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "Free"),
    same(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "GetFilePath"),
    same(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "GetMountTable"),
    absent(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "GetSyncPathList", "No active synchronisation with HDFS."),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "GetNewBlockIdForFile",
        "For a directory: NOT_FOUND, where a 2.9.6 master ends.",
    ),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "GetStatus",
        "Who has not the right that `accessMode` names is refused, where 2.9.6 refuses nobody. Below a directory that is in Alluxio alone the UFS is not looked at. `includeRealContentHash` is not read. A time of access is told about a second later. With `syncIntervalMs`: which owner, group and mode the UFS showed last is not kept, so a new owner of a file that was written here is not taken over, what is in Alluxio alone is never taken away because the UFS has something else there, and a UFS that gives no answer is an error, where 2.9.6 tells what it knew. The fingerprint tells owner, group and mode as they are here. Locations in the UFS are told of a local one only.",
    ),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "ListStatus",
        "`loadDirectChildren` and `disableAreDescendantsLoadedCheck` are not read. `syncIntervalMs` and fields as with `GetStatus`.",
    ),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "ListStatusPartial",
        "At most 10,000 entries at a time, without `batchSize`, too; `isTruncated` says so. All names of `prefix` but the last are whole: for 2.9 they are beginnings, and an `offsetId` below such a directory is refused. What `startAfter` names need not be there.",
    ),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "Mount",
        "`properties` are kept, and used by S3 only; `shared` opens the mount point only. The refusal has no record of the steps before it, and codes of its own.",
    ),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "Remove",
        "Where something below a directory may not be deleted, nothing is; the answer is the same. What is not loaded is loaded first.",
    ),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "Rename",
        "`persist` is a step of its own after the rename; `s3SyntaxOptions` are refused. A source with a mount point below is refused. What is not loaded is loaded first.",
    ),
    same(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "ReverseResolve"),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "ScheduleAsyncPersistence",
        "What is in the UFS already is not written there once more.",
    ),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "SetAcl",
        "Access lists are kept in Alluxio only: none is written to a UFS, or read from one.",
    ),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "SetAttribute",
        "Media are MEM, SSD and HDD, whatever the property says. What is in the UFS below a directory is loaded first. A local UFS keeps its owner where it does not know the new one, with a warning in the log.",
    ),
    absent(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "StartSync", "No active synchronisation with HDFS."),
    absent(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "StopSync", "No active synchronisation with HDFS."),
    same(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "Unmount"),
    differs(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "UpdateMount", "The UFS is not looked at with the new options first."),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "UpdateUfsMode",
        "Only the super user may; of a delete, all is refused where 2.9.6 deletes what lies in other under-stores.",
    ),
    differs(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "GetStateLockHolders", "There is no such lock, and no holder."),
    same(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "NeedsSync"),
    absent(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "submitJob", "No jobs: its request is serialised Java."),
    absent(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "StopJob", "No jobs."),
    absent(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "GetJobProgress", "No jobs."),
    differs(
        FILE_SYSTEM_MASTER_CLIENT_SERVICE,
        "SyncMetadata",
        "`directoryLoadType` changes nothing; `taskStatString` says how many inodes were compared, and no more. Who asks needs the rights of a listing.",
    ),
    differs(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "SyncMetadataAsync", "As `SyncMetadata`."),
    differs(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "GetSyncProgress", "As `SyncMetadata`. Of the last thousand."),
    same(FILE_SYSTEM_MASTER_CLIENT_SERVICE, "CancelSyncMetadata"),
    differs(
        FILE_SYSTEM_MASTER_WORKER_SERVICE,
        "FileSystemHeartbeat",
        "`persistedFiles` is not read; the command is always Nothing.",
    ),
    differs(
        FILE_SYSTEM_MASTER_WORKER_SERVICE,
        "GetFileInfo",
        "Fields as with `GetStatus`; another text for an id that is not there.",
    ),
    same(FILE_SYSTEM_MASTER_WORKER_SERVICE, "GetPinnedFileIds"),
    differs(
        FILE_SYSTEM_MASTER_WORKER_SERVICE,
        "GetUfsInfo",
        "For a mount that is not there an empty answer, where 2.9.6 tells of a null pointer.",
    ),
    absent(FILE_SYSTEM_MASTER_JOB_SERVICE, "GetFileInfo", "No job service."),
    absent(FILE_SYSTEM_MASTER_JOB_SERVICE, "GetUfsInfo", "No job service."),
    same(BLOCK_MASTER_CLIENT_SERVICE, "GetBlockInfo"),
    same(BLOCK_MASTER_CLIENT_SERVICE, "GetBlockMasterInfo"),
    same(BLOCK_MASTER_CLIENT_SERVICE, "GetCapacityBytes"),
    same(BLOCK_MASTER_CLIENT_SERVICE, "GetUsedBytes"),
    same(BLOCK_MASTER_CLIENT_SERVICE, "GetWorkerInfoList"),
    same(BLOCK_MASTER_CLIENT_SERVICE, "RemoveDisabledWorker"),
    differs(
        BLOCK_MASTER_CLIENT_SERVICE,
        "GetWorkerReport",
        "Workers are named by host or address, not by what their host resolves to.",
    ),
    same(BLOCK_MASTER_CLIENT_SERVICE, "GetWorkerLostStorage"),
    differs(
        BLOCK_MASTER_CLIENT_SERVICE,
        "DecommissionWorker",
        "A block without another copy is still read from there; it lasts as long as the worker reports.",
    ),
    same(BLOCK_MASTER_WORKER_SERVICE, "BlockHeartbeat"),
    same(BLOCK_MASTER_WORKER_SERVICE, "CommitBlock"),
    same(BLOCK_MASTER_WORKER_SERVICE, "CommitBlockInUfs"),
    same(BLOCK_MASTER_WORKER_SERVICE, "GetWorkerId"),
    same(BLOCK_MASTER_WORKER_SERVICE, "NotifyWorkerId"),
    same(BLOCK_MASTER_WORKER_SERVICE, "RegisterWorker"),
    same(BLOCK_MASTER_WORKER_SERVICE, "RegisterWorkerStream"),
    differs(
        BLOCK_MASTER_WORKER_SERVICE,
        "RequestRegisterLease",
        "`blockCount` is not read; 25 leases of 60 s are not configurable.",
    ),
    differs(META_MASTER_CLIENT_SERVICE, "Backup", "A standby writes none for the primary."),
    differs(META_MASTER_CLIENT_SERVICE, "GetBackupStatus", "The states of a backup on a standby do not occur."),
    differs(
        META_MASTER_CLIENT_SERVICE,
        "GetConfigReport",
        "Servers of ours tell the properties that have an effect, and those that were set.",
    ),
    differs(META_MASTER_CLIENT_SERVICE, "GetMasterInfo", "`safeMode` is always false; lost masters are not told of."),
    same(META_MASTER_CLIENT_SERVICE, "Checkpoint"),
    differs(META_MASTER_CLIENT_SERVICE, "ListProxyStatus", "Empty: proxies do not report here."),
    differs(
        META_MASTER_CONFIGURATION_SERVICE,
        "GetConfiguration",
        "Only properties that the operator set; `rawValue` is not read; secrets are masked.",
    ),
    differs(META_MASTER_CONFIGURATION_SERVICE, "SetPathConfiguration", "Only the super user may."),
    differs(META_MASTER_CONFIGURATION_SERVICE, "RemovePathConfiguration", "Only the super user may."),
    differs(META_MASTER_CONFIGURATION_SERVICE, "GetConfigHash", "Hashes of another kind; clients compare them only."),
    differs(
        META_MASTER_CONFIGURATION_SERVICE,
        "UpdateConfiguration",
        "No property is dynamic: the status of all is false.",
    ),
    absent(META_MASTER_MASTER_SERVICE, "GetMasterId", "Masters find one another through ZooKeeper."),
    absent(META_MASTER_MASTER_SERVICE, "RegisterMaster", "Masters find one another through ZooKeeper."),
    absent(META_MASTER_MASTER_SERVICE, "MasterHeartbeat", "Masters find one another through ZooKeeper."),
    absent(META_MASTER_PROXY_SERVICE, "ProxyHeartbeat", "No proxy."),
    differs(
        METRICS_MASTER_CLIENT_SERVICE,
        "ClearMetrics",
        "What GetMetrics tells; counters for Prometheus never go back.",
    ),
    same(METRICS_MASTER_CLIENT_SERVICE, "MetricsHeartbeat"),
    differs(
        METRICS_MASTER_CLIENT_SERVICE,
        "GetMetrics",
        "Those of the cluster, logical operations and what is so now; no timers, no JVM, nothing by user.",
    ),
    differs(
        SASL_AUTHENTICATION_SERVICE,
        "authenticate",
        "SIMPLE with impersonation, and NOSASL; no CUSTOM, no KERBEROS.",
    ),
    differs(
        SERVICE_VERSION_CLIENT_SERVICE,
        "getServiceVersion",
        "A service that is not served here is not found; standbys refuse.",
    ),
    differs(BLOCK_WORKER, "ReadBlock", "`promote` and `positionShort` are not read."),
    differs(BLOCK_WORKER, "WriteBlock", "`tier` and `mediumType` are not read: one tier."),
    differs(BLOCK_WORKER, "OpenLocalBlock", "`promote` is not read."),
    differs(BLOCK_WORKER, "CreateLocalBlock", "`tier` and `mediumType` are not read."),
    same(BLOCK_WORKER, "AsyncCache"),
    same(BLOCK_WORKER, "Cache"),
    absent(BLOCK_WORKER, "Load", "No counterpart yet."),
    same(BLOCK_WORKER, "RemoveBlock"),
    differs(BLOCK_WORKER, "MoveBlock", "Accepted; nothing moves."),
    differs(BLOCK_WORKER, "ClearMetrics", "Accepted; nothing is cleared."),
    same(BLOCK_WORKER, "FreeWorker"),
    absent(JOB_MASTER_CLIENT_SERVICE, "Cancel", "No job service."),
    absent(JOB_MASTER_CLIENT_SERVICE, "GetJobStatus", "No job service."),
    absent(JOB_MASTER_CLIENT_SERVICE, "GetJobStatusDetailed", "No job service."),
    absent(JOB_MASTER_CLIENT_SERVICE, "GetJobServiceSummary", "No job service."),
    absent(JOB_MASTER_CLIENT_SERVICE, "ListAll", "No job service."),
    absent(JOB_MASTER_CLIENT_SERVICE, "Run", "No job service."),
    absent(JOB_MASTER_CLIENT_SERVICE, "GetAllWorkerHealth", "No job service."),
    absent(JOB_MASTER_CLIENT_SERVICE, "GetAllMasterStatus", "No job service."),
    absent(JOB_MASTER_CLIENT_SERVICE, "Submit", "No job service."),
    absent(JOB_MASTER_CLIENT_SERVICE, "GetCmdStatus", "No job service."),
    absent(JOB_MASTER_CLIENT_SERVICE, "GetCmdStatusDetailed", "No job service."),
    absent(JOB_MASTER_WORKER_SERVICE, "Heartbeat", "No job service."),
    absent(JOB_MASTER_WORKER_SERVICE, "RegisterJobWorker", "No job service."),
    absent(JOB_MASTER_MASTER_SERVICE, "GetMasterId", "No job service."),
    absent(JOB_MASTER_MASTER_SERVICE, "RegisterMaster", "No job service."),
    absent(JOB_MASTER_MASTER_SERVICE, "MasterHeartbeat", "No job service."),
    absent(JOURNAL_MASTER_CLIENT_SERVICE, "GetQuorumInfo", "No embedded journal."),
    absent(JOURNAL_MASTER_CLIENT_SERVICE, "RemoveQuorumServer", "No embedded journal."),
    absent(JOURNAL_MASTER_CLIENT_SERVICE, "TransferLeadership", "No embedded journal."),
    absent(JOURNAL_MASTER_CLIENT_SERVICE, "ResetPriorities", "No embedded journal."),
    absent(JOURNAL_MASTER_CLIENT_SERVICE, "GetTransferLeaderMessage", "No embedded journal."),
    absent(JOURNAL_MASTER_CLIENT_SERVICE, "GetNodeState", "No embedded journal."),
    absent(RAFT_JOURNAL_SERVICE, "UploadSnapshot", "No embedded journal."),
    absent(RAFT_JOURNAL_SERVICE, "DownloadSnapshot", "No embedded journal."),
    absent(RAFT_JOURNAL_SERVICE, "RequestLatestSnapshotInfo", "No embedded journal."),
    absent(RAFT_JOURNAL_SERVICE, "RequestLatestSnapshotData", "No embedded journal."),
    absent(MESSAGING_SERVICE, "connect", "No embedded journal."),
    absent(TABLE_MASTER_CLIENT_SERVICE, "GetAllDatabases", "No table service."),
    absent(TABLE_MASTER_CLIENT_SERVICE, "GetAllTables", "No table service."),
    absent(TABLE_MASTER_CLIENT_SERVICE, "GetDatabase", "No table service."),
    absent(TABLE_MASTER_CLIENT_SERVICE, "GetTable", "No table service."),
    absent(TABLE_MASTER_CLIENT_SERVICE, "AttachDatabase", "No table service."),
    absent(TABLE_MASTER_CLIENT_SERVICE, "DetachDatabase", "No table service."),
    absent(TABLE_MASTER_CLIENT_SERVICE, "SyncDatabase", "No table service."),
    absent(TABLE_MASTER_CLIENT_SERVICE, "GetTableColumnStatistics", "No table service."),
    absent(TABLE_MASTER_CLIENT_SERVICE, "GetPartitionColumnStatistics", "No table service."),
    absent(TABLE_MASTER_CLIENT_SERVICE, "ReadTable", "No table service."),
    absent(TABLE_MASTER_CLIENT_SERVICE, "TransformTable", "No table service."),
    absent(TABLE_MASTER_CLIENT_SERVICE, "GetTransformJobInfo", "No table service."),
];
