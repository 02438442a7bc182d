//! `getCapacityBytes`, `getUsedBytes`

use super::{Command, Words};
use crate::shell::fs;

pub(super) const CAPACITY: Command = Command::new(
    "getCapacityBytes",
    "getCapacityBytes",
    "Gets the capacity of the Alluxio file system.",
    Words::Exactly(0),
    |_, session, output| Box::pin(fs::get_bytes::capacity(session, output)),
);

pub(super) const USED: Command = Command::new(
    "getUsedBytes",
    "getUsedBytes",
    "Gets number of bytes used in the Alluxio file system.",
    Words::Exactly(0),
    |_, session, output| Box::pin(fs::get_bytes::used(session, output)),
);
