//! What all parts of the client share: how a call can fail, and messages with their length before them.

use crate::journal::folder::StoreError;
use crate::proto::alluxio_rs::hdfs::{BaseHeader, ClientOperationHeader, DatanodeId, DatanodeInfo, LocatedBlock};
use prost::Message;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::TcpStream;

/// Version of the data transfer protocol: the same from Hadoop 2 to 3.
const TRANSFER_VERSION: u16 = 28;
/// Longest message that is read with its length before it; real ones have some hundred bytes.
const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// How a call to a NameNode or DataNode failed. The server is named in each.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HdfsError {
    /// No connection, or it was lost. Whether a call took effect is not known.
    #[error("{server}: {reason}")]
    Connection {
        /// `host:port`.
        server: String,
        /// What the system said.
        reason: String,
    },
    /// No answer in time.
    #[error("{server} did not answer {what} within {} ms", .after.as_millis())]
    Deadline {
        /// `host:port`.
        server: String,
        /// The call.
        what: &'static str,
        /// The deadline.
        after: Duration,
    },
    /// An exception of the server.
    #[error("{server}: {class}: {message}")]
    Remote {
        /// `host:port`.
        server: String,
        /// The last part of the class name.
        class: String,
        /// Its message, in one line, without the stack trace.
        message: String,
    },
    /// A DataNode refused an operation, or a pipeline broke.
    #[error("{server}: status {status}: {reason}")]
    Status {
        /// `host:port`.
        server: String,
        /// Of `DataTransferProtos.Status`.
        status: i32,
        /// What it said.
        reason: String,
        /// `ip:port` of the DataNode that is to blame, when it is known.
        bad_link: Option<String>,
    },
    /// The bytes do not match their checksum.
    #[error("{server}: the checksum of the bytes at {offset} of the block does not match")]
    Checksum {
        /// `host:port`.
        server: String,
        /// In the block.
        offset: u64,
    },
    /// The answer cannot be understood.
    #[error("{server} answered what this client does not understand: {reason}")]
    Protocol {
        /// `host:port`.
        server: String,
        /// What does not fit.
        reason: String,
    },
    /// The server wants security that this client does not have.
    #[error(
        "{server} asks for {feature}, which this client does not have: it speaks to HDFS with simple authentication and unencrypted data transfer only"
    )]
    Secured {
        /// `host:port`.
        server: String,
        /// What it asks for.
        feature: String,
    },
    /// Too few DataNodes for a block.
    #[error("{reason}")]
    TooFewNodes {
        /// How many there are and how many are asked for.
        reason: String,
    },
}

/// Short for the results of this client.
pub type Result<T> = std::result::Result<T, HdfsError>;

impl HdfsError {
    /// Whether the server threw this exception (last part of the class name).
    pub fn is(&self, simple_name: &str) -> bool {
        matches!(self, HdfsError::Remote { class, .. } if class == simple_name)
    }

    /// The exception that came over the wire: class without package, message without stack trace.
    pub fn remote(server: &str, class: &str, message: &str) -> HdfsError {
        if message.contains("SIMPLE authentication is not enabled") {
            return HdfsError::Secured { server: server.into(), feature: "Kerberos or token authentication".into() };
        }
        let told: Vec<&str> = message.lines().take_while(|line| !line.starts_with("\tat ")).collect();
        HdfsError::Remote {
            server: server.into(),
            class: class.rsplit(['.', '$']).next().unwrap_or(class).into(),
            message: told.join(" "),
        }
    }

    /// A lost connection.
    pub fn connection(server: &str, error: &std::io::Error) -> HdfsError {
        HdfsError::Connection { server: server.into(), reason: error.to_string() }
    }

    /// An answer that does not fit.
    pub fn protocol(server: &str, reason: impl Into<String>) -> HdfsError {
        HdfsError::Protocol { server: server.into(), reason: reason.into() }
    }

    /// The failure as the users of the journal folder see it: by kind, with the object that it concerns.
    pub fn into_store_error(self, operation: &'static str, object: &str) -> StoreError {
        let object = object.to_string();
        match &self {
            HdfsError::Remote { class, message, .. } => match class.as_str() {
                "FileNotFoundException" => StoreError::NotFound { object },
                "FileAlreadyExistsException" | "AlreadyBeingCreatedException" | "RecoveryInProgressException" => {
                    StoreError::Exists { object }
                }
                "AccessControlException" | "AuthorizationException" => {
                    StoreError::Denied { object, reason: message.clone() }
                }
                "QuotaExceededException"
                | "DSQuotaExceededException"
                | "NSQuotaExceededException"
                | "QuotaByStorageTypeExceededException" => StoreError::Full { object, reason: message.clone() },
                _ if message.contains("could only be ") => StoreError::Full { object, reason: message.clone() },
                _ => StoreError::Unavailable { operation, object, reason: self.to_string() },
            },
            HdfsError::Secured { .. } => StoreError::Denied { object, reason: self.to_string() },
            HdfsError::TooFewNodes { reason } => StoreError::Full { object, reason: reason.clone() },
            _ => StoreError::Unavailable { operation, object, reason: self.to_string() },
        }
    }
}

/// Runs a call against its deadline.
pub async fn within<T>(
    after: Duration,
    server: &str,
    what: &'static str,
    call: impl Future<Output = Result<T>>,
) -> Result<T> {
    match tokio::time::timeout(after, call).await {
        Ok(result) => result,
        Err(_) => Err(HdfsError::Deadline { server: server.into(), what, after }),
    }
}

/// Connects without Nagle's delay, which would cost up to 40 ms per flush.
pub async fn connect(server: &str, deadline: Duration) -> Result<TcpStream> {
    within(deadline, server, "the connection", async {
        let stream = TcpStream::connect(server).await.map_err(|e| HdfsError::connection(server, &e))?;
        stream.set_nodelay(true).map_err(|e| HdfsError::connection(server, &e))?;
        Ok(stream)
    })
    .await
}

/// Reads one message with its length as a varint before it. The source must be buffered: it is read byte by byte.
pub async fn read_delimited<M: Message + Default>(source: &mut (impl AsyncRead + Unpin), server: &str) -> Result<M> {
    let lost = |e: std::io::Error| match e.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            HdfsError::Connection { server: server.into(), reason: "it closed the connection".into() }
        }
        _ => HdfsError::connection(server, &e),
    };
    let mut length = 0usize;
    for shift in (0..).step_by(7) {
        let byte = source.read_u8().await.map_err(lost)?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
        if shift >= 28 {
            return Err(HdfsError::protocol(server, "a length of more than five bytes"));
        }
    }
    if length > MESSAGE_BYTES_MAX {
        return Err(HdfsError::protocol(server, format!("a message of {length} bytes")));
    }
    let mut bytes = vec![0; length];
    source.read_exact(&mut bytes).await.map_err(lost)?;
    M::decode(&bytes[..]).map_err(|e| HdfsError::protocol(server, e.to_string()))
}

/// The bytes that begin an operation on a DataNode's data port.
pub fn operation(code: u8, message: &impl Message) -> Vec<u8> {
    let mut out = Vec::with_capacity(3 + 5 + message.encoded_len());
    out.extend_from_slice(&TRANSFER_VERSION.to_be_bytes());
    out.push(code);
    out.extend(message.encode_length_delimited_to_vec());
    out
}

/// Which block an operation is about, and who asks.
pub fn operation_header(block: &LocatedBlock, client_name: &str) -> ClientOperationHeader {
    ClientOperationHeader {
        base_header: BaseHeader { block: block.b.clone(), token: Some(block.block_token.clone()) },
        client_name: client_name.into(),
    }
}

/// How DataNodes are reached: by the address they registered with, or by host name (containers, NAT).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatanodeAddress {
    /// `ipAddr`.
    Ip,
    /// `hostName`, as `dfs.client.use.datanode.hostname` asks for.
    HostName,
}

impl DatanodeAddress {
    fn host(self, id: &DatanodeId) -> &str {
        match self {
            DatanodeAddress::Ip => &id.ip_addr,
            DatanodeAddress::HostName => &id.host_name,
        }
    }

    /// Address of the data port.
    pub fn transfer(self, node: &DatanodeInfo) -> String {
        format!("{}:{}", self.host(&node.id), node.id.xfer_port)
    }

    /// Address of the IPC port.
    pub fn ipc(self, node: &DatanodeInfo) -> String {
        format!("{}:{}", self.host(&node.id), node.id.ipc_port)
    }
}

/// A task that ends with its owner.
#[derive(Debug)]
pub struct OwnedTask(tokio::task::JoinHandle<()>);

impl OwnedTask {
    /// Starts it.
    pub fn spawn(task: impl Future<Output = ()> + Send + 'static) -> OwnedTask {
        OwnedTask(tokio::spawn(task))
    }
}

impl Drop for OwnedTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}
