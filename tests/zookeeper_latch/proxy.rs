//! A server behind a wire that can be cut or go silent at a chosen request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

/// Operation codes of the protocol.
pub const CREATE: i32 = 1;
pub const MULTI: i32 = 14;
const NONE: i32 = 0;
const SILENT: i32 = -1;

/// Listens on a port of its own and passes everything on.
pub struct Proxy {
    pub address: String,
    /// The operation whose next reply is swallowed together with the connection.
    cut: Arc<AtomicI32>,
    accepted: Arc<AtomicBool>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub async fn before(server: String) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let cut = Arc::new(AtomicI32::new(NONE));
        let accepted = Arc::new(AtomicBool::new(false));
        let (state, used) = (cut.clone(), accepted.clone());
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                used.store(true, Ordering::SeqCst);
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(pass(client, server, state.clone()));
            }
        });
        Proxy { address, cut, accepted, accepting }
    }

    /// The next request of this operation reaches the server; its reply is lost, and the connection with it.
    pub fn lose_reply_to(&self, operation: i32) {
        self.cut.store(operation, Ordering::SeqCst);
    }

    /// Whether the reply was lost.
    pub fn has_cut(&self) -> bool {
        self.cut.load(Ordering::SeqCst) == NONE
    }

    /// Whether it ever had a connection.
    pub fn is_used(&self) -> bool {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Nothing passes any more, though connections stay.
    pub fn go_silent(&self) {
        self.cut.store(SILENT, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(client: TcpStream, server: TcpStream, cut: Arc<AtomicI32>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // The request whose reply is to be lost, by its xid.
    let lost = Arc::new(AtomicI32::new(0));
    tokio::select! {
        () = requests(from_client, to_server, &cut, &lost) => {}
        () = replies(from_server, to_client, &cut, &lost) => {}
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, cut: &AtomicI32, lost: &AtomicI32) {
    while let Some(frame) = frame(&mut from).await {
        hold_while_silent(cut).await;
        let operation = number(&frame, 8);
        if operation.is_some() && operation == Some(cut.load(Ordering::SeqCst)) {
            lost.store(number(&frame, 4).unwrap(), Ordering::SeqCst);
        }
        if to.write_all(&frame).await.is_err() {
            return;
        }
    }
}

async fn replies(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, cut: &AtomicI32, lost: &AtomicI32) {
    while let Some(frame) = frame(&mut from).await {
        hold_while_silent(cut).await;
        let xid = lost.load(Ordering::SeqCst);
        if xid != 0 && number(&frame, 4) == Some(xid) {
            cut.store(NONE, Ordering::SeqCst);
            return; // which closes the connection
        }
        if to.write_all(&frame).await.is_err() {
            return;
        }
    }
}

async fn hold_while_silent(cut: &AtomicI32) {
    if cut.load(Ordering::SeqCst) == SILENT {
        std::future::pending::<()>().await;
    }
}

/// Length and content.
async fn frame(from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let length = from.read_i32().await.ok()?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.resize(4 + usize::try_from(length).ok()?, 0);
    from.read_exact(&mut frame[4..]).await.ok()?;
    Some(frame)
}

fn number(frame: &[u8], at: usize) -> Option<i32> {
    let bytes = frame.get(at..at + 4)?;
    Some(i32::from_be_bytes(bytes.try_into().unwrap()))
}
