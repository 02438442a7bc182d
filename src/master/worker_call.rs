//! Pure. What workers tell a master and are told, and what clients are told of workers.

use crate::types::time::Millis;
use crate::types::{BlockId, WorkerAddress, WorkerId};
use std::collections::BTreeMap;

/// Bytes by the alias of the tier, as `MEM`.
pub type TierBytes = BTreeMap<String, i64>;

/// Folders that a worker has lost, by the alias of their tier.
pub type LostStorage = BTreeMap<String, Vec<String>>;

/// Where in a worker a copy lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Alias of the tier, as `MEM`.
    pub tier_alias: String,
    /// Medium, as `MEM`.
    pub medium_type: String,
}

/// Blocks by their places.
pub type PlacedBlocks = Vec<(Place, Vec<BlockId>)>;

/// A call of a worker that changes nothing in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerCall {
    /// The id for an address; `fresh`, a random one, when it has none yet.
    GetId {
        /// The worker's.
        address: WorkerAddress,
        /// Not known to anybody yet.
        fresh: WorkerId,
    },
    /// The worker has an id of another master already, and keeps it here.
    NotifyId {
        /// Its id.
        worker: WorkerId,
        /// Its address.
        address: WorkerAddress,
    },
    /// Permission to register, so that not all come at once.
    RequestLease {
        /// Who asks.
        worker: WorkerId,
    },
    /// The beginning of a registration.
    Begin(Box<Registration>),
    /// Blocks of a registration that has begun.
    Holds {
        /// Who registers.
        worker: WorkerId,
        /// Some of what it holds.
        blocks: PlacedBlocks,
    },
    /// The end of a registration: all blocks were named.
    End {
        /// Who registers.
        worker: WorkerId,
    },
    /// What has changed since the last heartbeat.
    Heartbeat(Box<Heartbeat>),
    /// An administrator wants no blocks on it any more.
    Decommission {
        /// Its host.
        host: String,
        /// The port of its web pages.
        web_port: u16,
        /// Whether it is refused when it registers again.
        disable: bool,
    },
    /// An administrator lets it register again.
    Enable {
        /// Its host.
        host: String,
        /// The port of its web pages.
        web_port: u16,
    },
}

/// Whether a registration needs a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseRule {
    /// As the unary RegisterWorker.
    Needed,
    /// As the streamed one.
    NotNeeded,
}

/// What a worker says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Who registers.
    pub worker: WorkerId,
    /// Whether it must have a lease.
    pub lease: LeaseRule,
    /// Capacity.
    pub capacity_bytes: TierBytes,
    /// What of it is used.
    pub used_bytes: TierBytes,
    /// What it cannot use any more.
    pub lost_storage: LostStorage,
    /// Version and revision of its program.
    pub build: (String, String),
    /// Number of its processors.
    pub vcpus: i32,
}

/// What has changed since the last heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    /// Who reports.
    pub worker: WorkerId,
    /// Capacity now; unchanged when empty.
    pub capacity_bytes: TierBytes,
    /// What of it is used now.
    pub used_bytes: TierBytes,
    /// What it cannot use any more, as far as it is new.
    pub lost_storage: LostStorage,
    /// Blocks that it holds no longer.
    pub removed: Vec<BlockId>,
    /// Blocks that it holds now.
    pub added: PlacedBlocks,
}

/// What a worker is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerAnswer {
    /// Its call was taken.
    Taken,
    /// Its id.
    Id(WorkerId),
    /// Whether it may register, and until when.
    Lease {
        /// Whether.
        allowed: bool,
        /// Until when.
        expires: Millis,
    },
    /// What to do next.
    Command(Command),
}

/// What a worker is to do after a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Nothing.
    Nothing,
    /// Register anew, with a new id.
    Register,
    /// Drop these blocks.
    Free(Vec<BlockId>),
    /// Know that no blocks are wanted from it.
    Decommissioned,
    /// Know that it is refused if it registers.
    Disabled,
}

/// Whether a worker is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WorkerState {
    /// It reports.
    Live,
    /// It has not reported for too long.
    Lost,
    /// It gets no more blocks until it registers again.
    Decommissioned,
    /// It is refused when it registers again.
    Disabled,
}

impl WorkerState {
    /// Whether an administrator took it out of use.
    pub fn is_decommissioned(self) -> bool {
        matches!(self, WorkerState::Decommissioned | WorkerState::Disabled)
    }
}

/// What clients are told of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerInfo {
    /// Its id.
    pub id: WorkerId,
    /// Where it is reached.
    pub address: WorkerAddress,
    /// Whether it is there.
    pub state: WorkerState,
    /// Seconds since it reported last.
    pub last_contact_s: u64,
    /// When it registered.
    pub start_time: Millis,
    /// Capacity.
    pub capacity_bytes: TierBytes,
    /// What of it is used.
    pub used_bytes: TierBytes,
    /// What it cannot use any more.
    pub lost_storage: LostStorage,
    /// Version and revision of its program.
    pub build: (String, String),
    /// Number of its processors.
    pub vcpus: i32,
    /// How many blocks it holds.
    pub blocks: u64,
}
