//! Runs the unmodified Java 2.9.6 client against a cluster.

use crate::harness::{COMMAND_LIMIT, Cluster, Outcome, Running, project, start};

/// Starts `scripts/java-client` with these words.
pub fn start_java(cluster: &Cluster, words: &[&str]) -> Running {
    let properties = cluster.java_properties();
    let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
    start(&project().join("scripts/java-client"), &[&properties, words].concat(), &[])
}

/// Runs it to its end.
pub fn java(cluster: &Cluster, words: &[&str]) -> Outcome {
    start_java(cluster, words).wait(COMMAND_LIMIT)
}

/// What `read` and `readers` of the Java client expect, as `write` writes it.
pub fn probe_content(length: u64) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + (at >> 13)) as u8).collect()
}
