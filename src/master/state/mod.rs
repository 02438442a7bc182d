//! [pure] The state of the master on copy-on-write pages, and `apply`, the only way to change it.

/// The whole state. A clone is a snapshot: it shares all pages.
#[derive(Debug, Clone, Default)]
pub struct MasterState {}

/// What a query looked at: the answer may leave when the changes of all this are durable.
#[derive(Debug, Clone, Default)]
pub struct Footprint {}
