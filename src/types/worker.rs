//! Workers and the copies that they hold, as clients see them.

use super::BlockId;

/// Id that the master gave to a worker's address. Random and not negative (2.9.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub i64);

/// Where a worker is reached. Two workers are one if all of it is equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct WorkerAddress {
    /// Host name by which others name the worker; a client on the host of that name may take short cuts.
    pub host: String,
    /// Host to connect to instead of `host`; "" for none.
    pub container_host: String,
    /// Port of its RPC service.
    pub rpc_port: u16,
    /// Port of its data service; the same in 2.x.
    pub data_port: u16,
    /// Port of its web pages.
    pub web_port: u16,
    /// Unix socket of its data service; "" for none.
    pub domain_socket_path: String,
    /// Where it stands, nearest first: tier and value, as ("node", "host7").
    pub tiers: Vec<(String, String)>,
}

impl WorkerAddress {
    /// `host:port` to connect to.
    pub fn endpoint(&self) -> String {
        let host = if self.container_host.is_empty() { &self.host } else { &self.container_host };
        format!("{host}:{}", self.rpc_port)
    }
}

/// One copy of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockLocation {
    /// Who holds it.
    pub worker: WorkerId,
    /// Where that one is.
    pub address: WorkerAddress,
    /// Tier of the copy, as `MEM`.
    pub tier_alias: String,
    /// Medium of the copy, as `MEM`.
    pub medium_type: String,
}

/// A block of a file, with its copies on live workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockStatus {
    /// Id of the block.
    pub id: BlockId,
    /// Bytes in it.
    pub length: i64,
    /// Its copies, in no order.
    pub locations: Vec<BlockLocation>,
}
