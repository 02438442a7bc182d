//! A server behind a wire that can be cut or go silent at a chosen request.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Operation codes of the protocol.
pub const CREATE: i32 = 1;
pub const SYNC: i32 = 9;
pub const MULTI: i32 = 14;

/// What is done to the traffic.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// The next request of this operation reaches the server; its reply is swallowed together with the connection.
    LoseReply(i32),
    /// The next request of this operation waits.
    Hold(i32),
    /// It does wait.
    Held,
    /// Nothing passes, though connections stay.
    Silent,
}

/// Listens on a port of its own and passes everything on.
pub struct Proxy {
    pub address: String,
    fault: watch::Sender<Fault>,
    used: watch::Receiver<bool>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Proxy {
    pub async fn before(server: String) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let fault = watch::Sender::new(Fault::None);
        let (is_used, used) = watch::channel(false);
        let state = fault.clone();
        let accepting = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                is_used.send_replace(true);
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(pass(client, server, state.clone()));
            }
        });
        Proxy { address, fault, used, accepting }
    }

    /// The next request of this operation reaches the server; its reply is lost, and the connection with it.
    pub fn lose_reply_to(&self, operation: i32) {
        self.fault.send_replace(Fault::LoseReply(operation));
    }

    /// Whether the reply was lost.
    pub fn has_lost(&self) -> bool {
        *self.fault.borrow() == Fault::None
    }

    /// The next request of this operation waits for `go_on`.
    pub fn hold(&self, operation: i32) {
        self.fault.send_replace(Fault::Hold(operation));
    }

    /// Returns when the request has come.
    pub async fn until_held(&self) {
        self.fault.subscribe().wait_for(|fault| *fault == Fault::Held).await.unwrap();
    }

    pub fn go_on(&self) {
        self.fault.send_replace(Fault::None);
    }

    /// Whether it ever had a connection.
    pub fn is_used(&self) -> bool {
        *self.used.borrow()
    }

    /// Nothing passes any more, though connections stay.
    pub fn go_silent(&self) {
        self.fault.send_replace(Fault::Silent);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn pass(client: TcpStream, server: TcpStream, fault: watch::Sender<Fault>) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // The request whose reply is to be lost, by its xid.
    let lost = Arc::new(AtomicI32::new(0));
    tokio::select! {
        () = requests(from_client, to_server, &fault, &lost) => {}
        () = replies(from_server, to_client, &fault, &lost) => {}
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, fault: &watch::Sender<Fault>, lost: &AtomicI32) {
    while let Some(frame) = frame(&mut from).await {
        let operation = number(&frame, 8).unwrap_or_default();
        let now = *fault.borrow();
        if now == Fault::LoseReply(operation) {
            lost.store(number(&frame, 4).unwrap(), Ordering::SeqCst);
        }
        if now == Fault::Hold(operation) {
            fault.send_replace(Fault::Held);
        }
        fault.subscribe().wait_for(|fault| !matches!(fault, Fault::Held | Fault::Silent)).await.unwrap();
        if to.write_all(&frame).await.is_err() {
            return;
        }
    }
}

async fn replies(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, fault: &watch::Sender<Fault>, lost: &AtomicI32) {
    while let Some(frame) = frame(&mut from).await {
        fault.subscribe().wait_for(|fault| *fault != Fault::Silent).await.unwrap();
        let xid = lost.load(Ordering::SeqCst);
        if xid != 0 && number(&frame, 4) == Some(xid) {
            fault.send_replace(Fault::None);
            return; // which closes the connection
        }
        if to.write_all(&frame).await.is_err() {
            return;
        }
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
