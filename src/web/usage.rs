//! How much of a space is used, as a bar and in words.

use crate::master::figures::sum;
use crate::master::ufs_space::Space;
use crate::master::worker_call::TierBytes;
use crate::types::texts::size;

/// How much of a UFS is used.
#[derive(Debug, Clone, Copy)]
pub(super) struct UfsUsage(pub(super) Space);

impl UfsUsage {
    pub(super) fn capacity(&self) -> String {
        size(self.0.capacity_bytes)
    }

    pub(super) fn free_and_used(&self) -> String {
        format!("{} / {}", size(self.0.free_bytes), size(self.0.used_bytes))
    }
}

/// Used of capacity.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    capacity_bytes: i64,
    used_bytes: i64,
}

impl Usage {
    /// In bytes.
    pub(super) fn of(capacity_bytes: i64, used_bytes: i64) -> Usage {
        Usage { capacity_bytes, used_bytes }
    }

    /// Of all tiers.
    pub(super) fn of_tiers(capacity: &TierBytes, used: &TierBytes) -> Usage {
        Usage::of(sum(capacity), sum(used))
    }

    pub(super) fn capacity(&self) -> String {
        size(self.capacity_bytes)
    }

    pub(super) fn used(&self) -> String {
        size(self.used_bytes)
    }

    pub(super) fn free(&self) -> String {
        size(self.capacity_bytes.saturating_sub(self.used_bytes))
    }

    /// Rounded down, as in 1.2.0.
    pub(super) fn used_percent(&self) -> i64 {
        match self.capacity_bytes {
            ..=0 => 0,
            capacity => i64::try_from(i128::from(self.used_bytes) * 100 / i128::from(capacity)).unwrap_or(0),
        }
    }

    pub(super) fn free_percent(&self) -> i64 {
        100 - self.used_percent()
    }
}
