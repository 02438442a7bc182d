//! [pure] What a record says: entries with every computed value in them.

/// One change of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {}
