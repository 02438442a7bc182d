//! One table of properties, read from files, environment and command line.
//!
//! `keys.rs` is the table: a row per property that the product reads. `values.rs` says how values are written,
//! `sources.rs` where they stand (site file, environment, command line), `load.rs` which of them wins, and
//! `known.rs` which other properties an Alluxio has, so that those are not mistaken for a slip of the pen.
//! `hadoop.rs` reads the files of the HDFS that is used.

mod consistency;
pub mod hadoop;
pub mod keys;
mod known;
mod load;
mod sources;
mod table;
mod values;

pub use consistency::{Consistency, Rule, rule};
pub use known::is_known;
pub use load::{Conf, ConfError, Explicit, Shown, Warning, shown_text};
pub use sources::{Origin, Role, Sources};
pub use table::{Family, Key, Preset, Row};
pub use values::{
    Authentication, Bytes, Compatibility, Credentials, FencingMode, FlushDurability, GroupMapping, HostPort, Hostname,
    JournalType, Octal, ParseValue, Port, WriteType,
};
