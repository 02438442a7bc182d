//! Points in time, and the one place that reads the clocks.

use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970 UTC, as inodes carry them. May jump; nothing is decided by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Millis(pub i64);

/// A point on the boot clock: never steps, counts while the machine is suspended. Leases are measured by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Boot(Duration);

impl Boot {
    /// The point `since_boot` after the machine (or the simulation) began.
    pub fn from_start(since_boot: Duration) -> Boot {
        Boot(since_boot)
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Boot) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Boot {
    type Output = Boot;
    fn add(self, by: Duration) -> Boot {
        Boot(self.0 + by)
    }
}

impl Sub<Duration> for Boot {
    type Output = Boot;
    fn sub(self, by: Duration) -> Boot {
        Boot(self.0.saturating_sub(by))
    }
}

/// The wall clock now; 1970 for one that stands before.
#[allow(clippy::disallowed_methods, reason = "the one place that reads it")]
pub fn wall_now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The boot clock now (`CLOCK_BOOTTIME`).
pub fn boot_now() -> Boot {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Boot(Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs() as u32))
}
