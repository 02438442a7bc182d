//! What a worker counts, and what is so at it.

use super::table::{counters, readings};

counters! {
    /// What a worker counts; the names of release 1.2.0 where it has them.
    WorkerCounters {
        blocks_accessed: "BlocksAccessed", "Blocks that were opened here to be read.";
        blocks_cached: "BlocksCached", "Blocks that were committed here.";
        blocks_canceled: "BlocksCanceled", "Blocks that were begun here and given up.";
        blocks_deleted: "BlocksDeleted", "Blocks that were dropped at somebody's order.";
        blocks_evicted: "BlocksEvicted", "Blocks that were dropped to make room.";
        blocks_promoted: "BlocksPromoted", "Blocks that were moved to a higher tier: none, there is one tier.";
        blocks_read_local: "BlocksReadLocal", "Blocks that clients on this host opened to read their files themselves.";
        blocks_read_remote: "BlocksReadRemote", "Blocks that were read through a stream.";
        blocks_written_local: "BlocksWrittenLocal", "Blocks that clients on this host wrote themselves.";
        blocks_written_remote: "BlocksWrittenRemote", "Blocks that were written through a stream.";
        bytes_read_local: "BytesReadLocal", "Length of the blocks that clients on this host opened themselves: how much of them they read the worker does not see.";
        bytes_read_remote: "BytesReadRemote", "Bytes that were sent through streams.";
        bytes_read_ufs: "BytesReadUfs", "Bytes that were read from the UFS.";
        bytes_written_local: "BytesWrittenLocal", "Bytes of blocks that clients on this host wrote themselves.";
        bytes_written_remote: "BytesWrittenRemote", "Bytes that came through streams.";
        bytes_written_ufs: "BytesWrittenUfs", "Bytes that were written to the UFS.";
    }
}

readings! {
    /// What is so at a worker now.
    WorkerFigures {
        capacity_total: u64, Gauge "CapacityTotal", "Bytes that this worker may hold.";
        capacity_used: u64, Gauge "CapacityUsed", "Bytes that it holds.";
        capacity_free: u64, Gauge "CapacityFree", "Bytes that it may hold yet.";
        blocks_held: u64, Gauge "BlocksHeld", "Blocks that it holds.";
        masters_registered: u64, Gauge "MastersRegistered", "Masters that know this worker.";
    }
}
