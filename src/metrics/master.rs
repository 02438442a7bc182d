//! What a master counts, and what is so at it.

use super::table::{counters, readings};
use prometheus_client::metrics::histogram::Histogram;
use std::time::Duration;

/// Upper ends of the ranges in which the times of flushes are counted, in seconds: from a local disk to an HDFS in
/// trouble.
const FLUSH_SECONDS: [f64; 12] = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

counters! {
    /// What a master counts. The first two groups are those of release 1.2.0 by its names; the changes are counted
    /// when the primary decides them, what was told when it is answered, the operations when they arrive.
    MasterCounters {
        directories_created: "DirectoriesCreated", "Directories that were made or found in the UFS, parents included.";
        file_block_infos_got: "FileBlockInfosGot", "Blocks that were told of.";
        file_infos_got: "FileInfosGot", "Files and directories that were told of.";
        files_completed: "FilesCompleted", "Files that were completed.";
        files_created: "FilesCreated", "Files that were made or found in the UFS.";
        files_freed: "FilesFreed", "Files whose copies were freed.";
        files_persisted: "FilesPersisted", "Files that came to be in the UFS.";
        new_blocks_got: "NewBlocksGot", "Blocks that were added to files.";
        paths_deleted: "PathsDeleted", "Files and directories that were deleted, all below a directory included.";
        paths_mounted: "PathsMounted", "Mounts that were made.";
        paths_renamed: "PathsRenamed", "Files and directories that were renamed.";
        paths_unmounted: "PathsUnmounted", "Mounts that were taken away.";

        complete_file_ops: "CompleteFileOps", "Calls to complete a file.";
        create_directory_ops: "CreateDirectoryOps", "Calls to make a directory.";
        create_file_ops: "CreateFileOps", "Calls to make a file.";
        delete_path_ops: "DeletePathOps", "Calls to delete.";
        free_file_ops: "FreeFileOps", "Calls to free.";
        get_file_block_info_ops: "GetFileBlockInfoOps", "Calls that ask about a block.";
        get_file_info_ops: "GetFileInfoOps", "Calls that ask for a file or directory, or for those in a directory.";
        get_new_block_ops: "GetNewBlockOps", "Calls for a new block of a file.";
        mount_ops: "MountOps", "Calls to mount.";
        rename_path_ops: "RenamePathOps", "Calls to rename.";
        set_acl_ops: "SetAclOps", "Calls to change access lists.";
        set_attribute_ops: "SetAttributeOps", "Calls to set attributes.";
        unmount_ops: "UnmountOps", "Calls to unmount.";

        exists_ops: "ExistsOps", "Calls that ask whether there is a file or directory.";
        get_mount_table_ops: "GetMountTableOps", "Calls for the table of mounts.";
        schedule_async_persist_ops: "ScheduleAsyncPersistOps", "Calls to have a file written to the UFS.";
        failed_ops: "FailedOps", "Calls of clients that were refused or failed.";
        denied_ops: "DeniedOps", "Those of them that were refused for want of a permission.";
        busy_refusals: "BusyRefusals", "Requests that were refused because too many were waiting.";
        became_primary: "BecamePrimary", "How often this process came to be primary: 0 or 1.";
        journal_flushes: "JournalFlushes", "Flushes of the journal that ended well.";
        journal_flush_failures: "JournalFlushFailures", "Flushes of the journal that failed.";
        audit_entries_dropped: "AuditLogEntriesDropped", "Lines of the audit log that were lost because its queue was full.";
    }
}

readings! {
    /// What is so at a master now. What rests on changes of the namespace is known once they are durable.
    MasterFigures {
        capacity_total: u64, Gauge "CapacityTotal", "Bytes that the live workers may hold.";
        capacity_used: u64, Gauge "CapacityUsed", "Bytes that the live workers hold.";
        capacity_free: u64, Gauge "CapacityFree", "Bytes that the live workers may hold yet.";
        workers: u64, Gauge "Workers", "Live workers.";
        lost_workers: u64, Gauge "LostWorkers", "Workers that are silent and not yet forgotten.";
        paths_total: u64, Gauge "PathsTotal", "Files and directories.";
        blocks_total: u64, Gauge "BlocksTotal", "Blocks that are committed.";
        files_pinned: u64, Gauge "FilesPinned", "Files that are pinned, and those that are still to be written to the UFS.";
        is_primary: u64, Gauge "IsPrimary", "1 while this master serves as primary, else 0.";
        epoch: u64, Gauge "Epoch", "The newest epoch that this master knows of.";
        journal_position: u64, Gauge "JournalPosition", "Number of the last record in the memory of this master; of a standby the last it has applied.";
        journal_durable: u64, Gauge "JournalDurable", "Number of the last record that is flushed and answered for.";
        journal_bytes: u64, Gauge "JournalBytes", "Bytes of the segments and checkpoints in the journal folder; of a segment that is open at least some.";
        journal_checkpoint_age_s: u64, Gauge "JournalCheckpointAgeSeconds", "Seconds since the newest checkpoint was written, by the clock of the storage; left out without one.";
        journal_disk_free: u64, Gauge "JournalDiskFree", "Bytes that are free on the disk of a journal folder that is not shared.";
        journal_read_only: u64, Gauge "JournalReadOnly", "1 while the disk of the journal is too full for changes, else 0.";
        lease_left_ms: u64, Gauge "LeaseLeftMs", "Milliseconds that the lease of a primary lasts yet, if it goes by the clock.";
        queue_depth: u64, Gauge "QueueDepth", "Requests that wait for the loop of this master.";
        queue_capacity: u64, Gauge "QueueCapacity", "Requests that may wait; more are refused.";
    }
}

/// How long flushes of the journal take. Clones share what they have seen.
#[derive(Debug, Clone)]
pub struct FlushTimes(pub(super) Histogram);

impl FlushTimes {
    /// Its name as those of other figures.
    pub const NAME: &str = "JournalFlushSeconds";
    /// What it means.
    pub const MEANING: &str = "Time that flushes of the journal took";

    /// A flush has ended well after `took`.
    pub fn observe(&self, took: Duration) {
        self.0.observe(took.as_secs_f64());
    }
}

impl Default for FlushTimes {
    fn default() -> FlushTimes {
        FlushTimes(Histogram::new(FLUSH_SECONDS))
    }
}
