//! One table of properties, read from files, environment and command line.
