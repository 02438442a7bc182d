//! Hadoop IPC, version 9, simple authentication: many calls at a time over one connection, matched by call id.

use super::wire::{HdfsError, OwnedTask, Result, connect, within};
use crate::proto::alluxio_rs::hdfs::{
    IpcConnectionContext, RequestHeader, RpcRequestHeader, RpcResponseHeader, UserInformation,
};
use bytes::Bytes;
use parking_lot::Mutex;
use prost::Message;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::oneshot;

/// What a NameNode is called by.
pub const NAMENODE_PROTOCOL: &str = "org.apache.hadoop.hdfs.protocol.ClientProtocol";
/// What a DataNode is called by.
pub const DATANODE_PROTOCOL: &str = "org.apache.hadoop.hdfs.protocol.ClientDatanodeProtocol";

/// "hrpc", version 9, service class 0, authentication 0 (simple).
const HELLO: &[u8] = b"hrpc\x09\x00\x00";
const CONTEXT_CALL_ID: i32 = -3;
/// Longest answer that is read; a listing page of 1000 names has some 200 KB.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// The identity of a client: servers remember the answers of calls that are not idempotent by (client, call id).
/// So a call keeps its id when it is repeated, at whichever server, and no id is used for two calls.
#[derive(Debug)]
pub struct Caller {
    client_id: [u8; 16],
    next_call: AtomicI32,
}

impl Caller {
    /// A new client.
    pub fn new() -> Caller {
        Caller { client_id: rand::random(), next_call: AtomicI32::new(0) }
    }

    /// An id for one call and its repetitions.
    pub fn fresh_call_id(&self) -> i32 {
        self.next_call.fetch_add(1, Ordering::Relaxed) & i32::MAX
    }

    fn header(&self, call_id: i32, retry_count: i32) -> RpcRequestHeader {
        RpcRequestHeader {
            rpc_kind: Some(2),
            rpc_op: Some(0),
            call_id,
            client_id: self.client_id.to_vec(),
            retry_count: Some(retry_count),
        }
    }
}

/// One server as one user calls it. Connects when a call needs it, and again after the connection was lost.
#[derive(Debug)]
pub struct Ipc {
    server: String,
    protocol: &'static str,
    user: String,
    caller: Arc<Caller>,
    connect_deadline: Duration,
    /// The connection that new calls take. Calls under way hold their own reference.
    current: tokio::sync::Mutex<Option<Arc<Connection>>>,
}

impl Ipc {
    /// Nothing is sent yet.
    pub fn new(
        server: String,
        protocol: &'static str,
        user: &str,
        caller: Arc<Caller>,
        connect_deadline: Duration,
    ) -> Ipc {
        Ipc { server, protocol, user: user.into(), caller, connect_deadline, current: tokio::sync::Mutex::new(None) }
    }

    /// `host:port`.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Calls and waits for the answer. After a lost connection or a late answer the outcome is not known; the
    /// next call connects anew.
    pub async fn call<Q: Message, A: Message + Default>(
        &self,
        method: &'static str,
        request: &Q,
        call_id: i32,
        retry_count: i32,
        deadline: Duration,
    ) -> Result<A> {
        let request = request.encode_length_delimited_to_vec();
        let answer = self.call_encoded(method, &request, call_id, retry_count, deadline).await?;
        self.decode(method, answer)
    }

    /// The answer to `method`.
    pub fn decode<A: Message + Default>(&self, method: &'static str, answer: Bytes) -> Result<A> {
        A::decode_length_delimited(answer).map_err(|e| HdfsError::protocol(&self.server, format!("{method}: {e}")))
    }

    /// The same with the request, its length before it, as it is sent, and the answer as it comes.
    pub async fn call_encoded(
        &self,
        method: &'static str,
        request: &[u8],
        call_id: i32,
        retry_count: i32,
        deadline: Duration,
    ) -> Result<Bytes> {
        let header = RequestHeader {
            method_name: method.into(),
            declaring_class_protocol_name: self.protocol.into(),
            client_protocol_version: 1,
        };
        let mut message = Vec::with_capacity(512);
        frame(
            &mut message,
            &[
                &self.caller.header(call_id, retry_count).encode_length_delimited_to_vec(),
                &header.encode_length_delimited_to_vec(),
                request,
            ],
        );
        let mut used = None;
        // With the wait for a connection that another call is about to make.
        let result = within(deadline, &self.server, method, async {
            used.insert(self.connection().await?).exchange(call_id, &message).await
        })
        .await;
        if let (Some(connection), Err(HdfsError::Connection { .. } | HdfsError::Deadline { .. })) = (&used, &result) {
            self.forget(connection).await;
        }
        result
    }

    async fn connection(&self) -> Result<Arc<Connection>> {
        let mut current = self.current.lock().await;
        if let Some(connection) = current.as_ref().filter(|c| c.pending.lock().lost.is_none()) {
            return Ok(connection.clone());
        }
        let stream = connect(&self.server, self.connect_deadline).await?;
        let context = IpcConnectionContext {
            user_info: Some(UserInformation { effective_user: Some(self.user.clone()), real_user: None }),
            protocol: Some(self.protocol.into()),
        };
        let mut hello = HELLO.to_vec();
        frame(
            &mut hello,
            &[
                &self.caller.header(CONTEXT_CALL_ID, -1).encode_length_delimited_to_vec(),
                &context.encode_length_delimited_to_vec(),
            ],
        );
        let connection = Arc::new(Connection::new(self.server.clone(), stream));
        within(self.connect_deadline, &self.server, "the greeting", connection.send(&hello)).await?;
        *current = Some(connection.clone());
        Ok(connection)
    }

    /// New calls no longer take this connection; those under way on it may still end well.
    async fn forget(&self, connection: &Arc<Connection>) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|c| Arc::ptr_eq(c, connection)) {
            *current = None;
        }
    }
}

#[derive(Debug)]
struct Connection {
    server: String,
    write: tokio::sync::Mutex<WriteHalf>,
    pending: Arc<Mutex<Pending>>,
    _reader: OwnedTask,
}

#[derive(Debug)]
struct WriteHalf {
    half: OwnedWriteHalf,
    /// A caller gave up in the middle of a frame: nothing that follows would be understood.
    torn: bool,
}

/// Calls that wait for their answer.
#[derive(Debug, Default)]
struct Pending {
    answers: BTreeMap<i32, oneshot::Sender<Result<Bytes>>>,
    lost: Option<HdfsError>,
}

impl Connection {
    fn new(server: String, stream: tokio::net::TcpStream) -> Connection {
        let (read, half) = stream.into_split();
        let pending = Arc::new(Mutex::new(Pending::default()));
        let reader = {
            let (pending, server) = (pending.clone(), server.clone());
            OwnedTask::spawn(async move {
                let lost = read_answers(&server, BufReader::new(read), &pending).await;
                let mut pending = pending.lock();
                for (_, answer) in std::mem::take(&mut pending.answers) {
                    let _ = answer.send(Err(lost.clone())); // the caller may have given up
                }
                pending.lost = Some(lost);
            })
        };
        Connection { server, write: tokio::sync::Mutex::new(WriteHalf { half, torn: false }), pending, _reader: reader }
    }

    async fn send(&self, frame: &[u8]) -> Result<()> {
        let mut write = self.write.lock().await;
        if write.torn {
            return Err(HdfsError::Connection {
                server: self.server.clone(),
                reason: "an earlier call was cut".into(),
            });
        }
        write.torn = true;
        write.half.write_all(frame).await.map_err(|e| HdfsError::connection(&self.server, &e))?;
        write.torn = false;
        Ok(())
    }

    async fn exchange(&self, call_id: i32, frame: &[u8]) -> Result<Bytes> {
        let (sender, answer) = oneshot::channel();
        {
            let mut pending = self.pending.lock();
            if let Some(lost) = &pending.lost {
                return Err(lost.clone());
            }
            pending.answers.insert(call_id, sender);
        }
        // Removes the entry also when the caller's deadline drops this future.
        let _entry = Entry { pending: &self.pending, call_id };
        self.send(frame).await?;
        answer.await.unwrap_or_else(|_| {
            Err(HdfsError::Connection { server: self.server.clone(), reason: "the connection ended".into() })
        })
    }
}

struct Entry<'a> {
    pending: &'a Mutex<Pending>,
    call_id: i32,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.pending.lock().answers.remove(&self.call_id);
    }
}

/// Hands each answer to its caller, until the connection ends; tells why it ended.
async fn read_answers(server: &str, mut read: BufReader<OwnedReadHalf>, pending: &Mutex<Pending>) -> HdfsError {
    loop {
        let length = match read.read_u32().await {
            Ok(length) => length as usize,
            Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
                return HdfsError::Connection { server: server.into(), reason: "it closed the connection".into() };
            }
            Err(e) => return HdfsError::connection(server, &e),
        };
        if length > ANSWER_BYTES_MAX {
            return HdfsError::protocol(server, format!("an answer of {length} bytes; is this its RPC port?"));
        }
        let mut bytes = vec![0; length];
        if let Err(e) = read.read_exact(&mut bytes).await {
            return HdfsError::connection(server, &e);
        }
        let mut rest = Bytes::from(bytes);
        let header = match RpcResponseHeader::decode_length_delimited(&mut rest) {
            Ok(header) => header,
            Err(e) => return HdfsError::protocol(server, e.to_string()),
        };
        let failure = (header.status != 0).then(|| {
            let class = header.exception_class_name.as_deref().unwrap_or("exception without a class");
            HdfsError::remote(server, class, header.error_msg.as_deref().unwrap_or_default())
        });
        // A negative id answers the greeting: nobody waits for it, and the server hangs up.
        let call_id = header.call_id as i32;
        match failure {
            Some(failure) if header.status == 2 || call_id < 0 => return failure,
            failure => {
                if let Some(answer) = pending.lock().answers.remove(&call_id) {
                    let _ = answer.send(failure.map_or(Ok(rest), Err)); // the caller may have given up
                }
            }
        }
    }
}

fn frame(out: &mut Vec<u8>, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|p| p.len()).sum();
    out.extend_from_slice(&(length as u32).to_be_bytes());
    parts.iter().for_each(|p| out.extend_from_slice(p));
}
