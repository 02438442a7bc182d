//! Where the folder is and how to write to it, as plain values.

use super::wire::DatanodeAddress;
use crate::journal::folder::StoreError;
use std::collections::BTreeMap;
use std::time::Duration;

const SCHEME: &str = "hdfs://";
const PORT_DEFAULT: u16 = 8020;
/// The smallest block that a NameNode allows unless it is told otherwise.
const BLOCK_BYTES_MIN: u64 = 1 << 20;
/// Bytes under one checksum; blocks are a multiple of it.
pub const CHUNK_BYTES: usize = 512;

/// What an answered flush has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The disks of all DataNodes of the pipeline.
    Hsync,
    /// Their memory.
    Hflush,
}

/// A folder on HDFS and how to use it. [`HdfsSettings::parse`] fills in the defaults.
#[derive(Debug, Clone)]
pub struct HdfsSettings {
    /// The folder as the operator wrote it, for messages.
    pub folder: String,
    /// `host:port` of each NameNode of the nameservice.
    pub namenodes: Vec<String>,
    /// The folder in HDFS: absolute, without a slash at the end.
    pub path: String,
    /// The user in whose name it is written.
    pub user: String,
    /// Replicas per block; 0 takes the server's default.
    pub replication: u32,
    /// With fewer DataNodes than this no segment is created.
    pub replicas_min: u32,
    /// Size of a block, and so the most that a segment can hold. A multiple of 512, at least 1 MiB.
    pub block_bytes: u64,
    /// What an answered flush has reached.
    pub durability: Durability,
    /// A flush that takes longer ends the segment.
    pub flush_deadline: Duration,
    /// After so long without a packet a heartbeat is sent: DataNodes close a pipeline that is silent for a minute.
    pub heartbeat_every: Duration,
    /// For a TCP connection.
    pub connect_deadline: Duration,
    /// For one try of a call to a NameNode.
    pub call_deadline: Duration,
    /// For a call to the NameNodes with all its tries.
    pub call_budget: Duration,
    /// Until a pipeline stands.
    pub setup_deadline: Duration,
    /// For a visible length, and for each packet that is read.
    pub read_deadline: Duration,
    /// How DataNodes are reached.
    pub datanode_address: DatanodeAddress,
}

impl HdfsSettings {
    /// Takes `hdfs://host:port/path`, `hdfs://host/path` (port 8020), or `hdfs://nameservice/path` with the
    /// addresses of the nameservice's NameNodes in `nameservices`.
    pub fn parse(
        folder: &str,
        user: &str,
        nameservices: &BTreeMap<String, Vec<String>>,
    ) -> Result<HdfsSettings, StoreError> {
        let wrong = |reason: String| StoreError::Misconfigured { folder: folder.into(), reason };
        let rest = folder.strip_prefix(SCHEME).ok_or_else(|| wrong(format!("it does not begin with {SCHEME}")))?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let namenodes = match nameservices.get(authority) {
            Some(addresses) if addresses.is_empty() => {
                return Err(wrong(format!("no NameNode address is configured for the nameservice {authority}")));
            }
            Some(addresses) => addresses.iter().map(|a| address(a)).collect::<Result<Vec<_>, _>>(),
            None => address(authority).map(|a| vec![a]),
        };
        Ok(HdfsSettings {
            folder: folder.into(),
            namenodes: namenodes.map_err(wrong)?,
            path: normal(path).map_err(wrong)?,
            user: user.into(),
            replication: 0,
            replicas_min: 1,
            block_bytes: 64 << 20,
            durability: Durability::Hsync,
            flush_deadline: Duration::from_secs(5),
            heartbeat_every: Duration::from_secs(20),
            connect_deadline: Duration::from_secs(2),
            call_deadline: Duration::from_secs(10),
            call_budget: Duration::from_secs(20),
            setup_deadline: Duration::from_secs(5),
            read_deadline: Duration::from_secs(5),
            datanode_address: DatanodeAddress::Ip,
        })
    }

    /// Refuses values that no server would take.
    pub fn check(&self) -> Result<(), StoreError> {
        let wrong = |reason: String| Err(StoreError::Misconfigured { folder: self.folder.clone(), reason });
        if self.namenodes.is_empty() {
            return wrong("no NameNode address is configured".into());
        }
        if self.user.is_empty() {
            return wrong("the user name is empty".into());
        }
        if self.block_bytes < BLOCK_BYTES_MIN || !self.block_bytes.is_multiple_of(CHUNK_BYTES as u64) {
            return wrong(format!(
                "a block of {} bytes cannot be used: it must be at least {BLOCK_BYTES_MIN} and a multiple of {CHUNK_BYTES}",
                self.block_bytes
            ));
        }
        if self.replication != 0 && self.replicas_min > self.replication {
            return wrong(format!("{} replicas cannot have a minimum of {}", self.replication, self.replicas_min));
        }
        Ok(())
    }
}

/// `host:port`, with the default port when there is none.
fn address(authority: &str) -> Result<String, String> {
    // An IPv6 address is full of colons; only one behind the bracket begins the port.
    let after_brackets = authority.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match authority[after_brackets..].rfind(':') {
        Some(at) => authority.split_at(after_brackets + at),
        None => (authority, ""),
    };
    if host.is_empty() || host.contains(['@', ',', ' ']) {
        return Err(format!(
            "\"{authority}\" is not the address of a NameNode (host:port) or a configured nameservice"
        ));
    }
    let port = match port.strip_prefix(':') {
        None => PORT_DEFAULT,
        Some(port) => match port.parse::<u16>() {
            Ok(port) if port > 0 => port,
            _ => return Err(format!("\"{port}\" in \"{authority}\" is not a port")),
        },
    };
    Ok(format!("{host}:{port}"))
}

/// The path as a NameNode wants it; the root is the empty string, so that `/` and a name can follow.
fn normal(path: &str) -> Result<String, String> {
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        return Err("it has no path; a journal needs a folder of its own, such as hdfs://namenode:8020/journal".into());
    }
    match path[1..].split('/').find(|name| name.is_empty() || *name == "." || *name == ".." || name.contains(':')) {
        None => Ok(path.into()),
        Some(name) => Err(format!("\"{name}\" cannot be a name in an HDFS path")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(folder: &str) -> Result<HdfsSettings, StoreError> {
        let services = BTreeMap::from([
            ("cluster".to_string(), vec!["nn1:9000".to_string(), "nn2".to_string()]),
            ("none".to_string(), vec![]),
        ]);
        HdfsSettings::parse(folder, "alluxio", &services)
    }

    #[test]
    fn an_address_may_have_a_port_or_not() {
        let with = parse("hdfs://nn:9000/journal/a/").unwrap();
        assert_eq!((with.namenodes, with.path.as_str()), (vec!["nn:9000".to_string()], "/journal/a"));
        assert_eq!(parse("hdfs://nn/journal").unwrap().namenodes, ["nn:8020"]);
        assert_eq!(parse("hdfs://[::1]:9000/j").unwrap().namenodes, ["[::1]:9000"]);
        assert_eq!(parse("hdfs://[::1]/j").unwrap().namenodes, ["[::1]:8020"]);
    }

    #[test]
    fn a_nameservice_stands_for_its_namenodes() {
        assert_eq!(parse("hdfs://cluster/journal").unwrap().namenodes, ["nn1:9000", "nn2:8020"]);
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for (folder, part) in [
            ("/journal", "does not begin with hdfs://"),
            ("hdfs:///journal", "is not the address"),
            ("hdfs://nn:x/journal", "\"x\" in \"nn:x\" is not a port"),
            ("hdfs://nn:0/journal", "is not a port"),
            ("hdfs://nn:70000/journal", "is not a port"),
            ("hdfs://none/journal", "no NameNode address is configured for the nameservice none"),
            ("hdfs://nn", "it has no path"),
            ("hdfs://nn/", "it has no path"),
            ("hdfs://nn/a//b", "cannot be a name"),
            ("hdfs://nn/a/../b", "\"..\" cannot be a name"),
            ("hdfs://user@nn/a", "is not the address"),
        ] {
            let error = parse(folder).unwrap_err().to_string();
            assert!(error.contains(folder) && error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_block_must_be_one_that_a_server_takes() {
        let mut settings = parse("hdfs://nn/journal").unwrap();
        settings.check().unwrap();
        settings.block_bytes = (1 << 20) + 1;
        assert!(settings.check().unwrap_err().to_string().contains("1048577"));
    }
}
