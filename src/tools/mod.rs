//! Offline work on a journal: format.
