//! The storage below the namespace.
