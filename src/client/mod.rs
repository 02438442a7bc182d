//! File system calls that find the primary and try again.
