//! A server on a port: which connections it takes, how it stops. What it answers is for its [`Routes`].

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use log::{info, warn};
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::transport::Server;

use super::WINDOW_BYTES;
use super::call::Reply;
use super::gathered::Gathered;
use super::handshake::Authenticator;

/// Most streams of one connection at a time. Each logical channel of a client process keeps one open for its
/// authentication, so the hundreds that are usual for HTTP/2 would leave a busy process without any to call on.
const STREAMS_PER_CONNECTION_MAX: u32 = 65_536;

/// The calls of a server.
pub trait Routes: Send + Sync + 'static {
    /// Answers one call.
    fn route(self: Arc<Self>, request: http::Request<Body>) -> Reply;

    /// Who knows the users of its channels.
    fn authenticator(&self) -> &Authenticator;
}

/// How long things may take, and how much there may be.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Channels without a call for this long, or up to twice as long, must authenticate again.
    pub channel_purge_interval: Duration,
    /// How long calls may take to finish when the server stops.
    pub shutdown_grace: Duration,
    /// How often a connection is asked whether its other end is still there.
    pub keepalive_interval: Duration,
    /// How long it may take to say so.
    pub keepalive_timeout: Duration,
    /// Connections at a time; further ones wait.
    pub connections_max: usize,
}

/// How many connections a server may have so that an eighth of the files that this process may open is left for its
/// journal, its blocks and its own connections.
pub fn connections_max() -> usize {
    let open_files = getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok());
    open_files.map_or(Semaphore::MAX_PERMITS, |limit| limit - limit / 8).min(Semaphore::MAX_PERMITS)
}

/// The properties that say where a server listens, as advice names them.
#[derive(Debug, Clone, Copy)]
pub struct Properties {
    /// That of its port.
    pub port: &'static str,
    /// That of its address.
    pub host: &'static str,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port is not ours to listen on.
    #[error("cannot listen on {address}; {advice}")]
    Bind {
        /// Where.
        address: String,
        /// What to do.
        advice: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It ended by itself.
    #[error("the RPC server on {address} ended")]
    Serve {
        /// Where.
        address: String,
        /// Why.
        #[source]
        source: tonic::transport::Error,
    },
}

/// Begins to listen on `address` (`host:port`). Connections are accepted once [`serve`] runs.
///
/// # Errors
/// The port is taken, or the host is not one of this machine.
pub async fn bind(address: &str, properties: Properties) -> Result<TcpListener, ServerError> {
    use std::io::ErrorKind as Io;
    let Properties { port, host } = properties;
    TcpListener::bind(address).await.map_err(|source| ServerError::Bind {
        address: address.to_owned(),
        advice: match source.kind() {
            Io::AddrInUse => format!("stop the process that listens there, or choose another {port}"),
            Io::PermissionDenied => format!("choose an {port} above 1023"),
            _ => format!("set {host} to a host name or address of this machine"),
        },
        source,
    })
}

/// Serves until `shutdown`: then no connection and no call is accepted, and the calls under way have
/// `shutdown_grace` to finish.
///
/// # Errors
/// The server ended by itself.
pub async fn serve<R: Routes>(
    listener: TcpListener,
    routes: Arc<R>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    let address = listener.local_addr().map_or_else(|_| "its address".to_owned(), |address| address.to_string());
    let stopping = Notify::new();
    let signal = async {
        shutdown.await;
        // Open authentications would keep their connections, and so the server, alive.
        routes.authenticator().registry().close();
        stopping.notify_one();
    };
    let serving = Server::builder()
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .http2_keepalive_interval(Some(limits.keepalive_interval))
        .http2_keepalive_timeout(Some(limits.keepalive_timeout))
        .serve_with_incoming_shutdown(
            Dispatch(Arc::clone(&routes)),
            connections(listener, limits.connections_max),
            signal,
        );
    let too_late = async {
        stopping.notified().await;
        tokio::time::sleep(limits.shutdown_grace).await;
    };
    tokio::select! {
        ended = serving => ended.map_err(|source| ServerError::Serve { address, source }),
        () = too_late => {
            warn!("gave up waiting for calls under way at shutdown waited_ms={}", limits.shutdown_grace.as_millis());
            Ok(())
        }
        () = purge(routes.authenticator(), limits.channel_purge_interval) => Ok(()),
    }
}

/// What is accepted while there is room.
fn connections(listener: TcpListener, most: usize) -> impl Stream<Item = io::Result<Gathered<TcpStream>>> {
    let room = Arc::new(Semaphore::new(most));
    TcpListenerStream::new(listener).then(move |accepted| {
        let room = Arc::clone(&room);
        async move {
            match accepted {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    Ok(Gathered::new(stream).in_place(place(room, most).await))
                }
                Err(error) => {
                    // Most often too many open files: at once the same would happen again.
                    warn!("cannot accept a connection error={error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    Err(error)
                }
            }
        }
    })
}

/// One of `most` places, once one is free.
async fn place(room: Arc<Semaphore>, most: usize) -> OwnedSemaphorePermit {
    if let Ok(place) = Arc::clone(&room).try_acquire_owned() {
        return place;
    }
    warn!("{most} connections are open, the most that the limit of open files (ulimit -n) has room for: others wait");
    room.acquire_owned().await.expect("it is never closed")
}

/// Runs for ever.
async fn purge(authenticator: &Authenticator, interval: Duration) {
    loop {
        tokio::time::sleep(interval).await;
        let purged = authenticator.registry().purge();
        if purged > 0 {
            info!("removed authenticated channels that nobody used channels={purged}");
        }
    }
}

/// [`Routes::route`] as tonic wants it.
struct Dispatch<R>(Arc<R>);

impl<R> Clone for Dispatch<R> {
    fn clone(&self) -> Self {
        Dispatch(Arc::clone(&self.0))
    }
}

impl<R: Routes> Service<http::Request<Body>> for Dispatch<R> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Reply;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Reply {
        Arc::clone(&self.0).route(request)
    }
}

#[cfg(test)]
mod tests {
    use super::super::callers::GroupSource;
    use super::*;
    use crate::rpc::call;
    use crate::rpc::handshake::{AuthenticationType, Impersonation};
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    struct Nothing(Authenticator);

    impl Routes for Nothing {
        fn route(self: Arc<Self>, request: http::Request<Body>) -> Reply {
            call::refuse_unknown(&request)
        }

        fn authenticator(&self) -> &Authenticator {
            &self.0
        }
    }

    fn limits(keepalive: Duration, connections_max: usize) -> Limits {
        Limits {
            channel_purge_interval: DAY,
            shutdown_grace: DAY,
            keepalive_interval: keepalive,
            keepalive_timeout: keepalive,
            connections_max,
        }
    }

    async fn serve_nothing(listener: TcpListener, limits: Limits) {
        let groups = GroupSource::operating_system(DAY);
        let authenticator = Authenticator::new(AuthenticationType::NoSasl, Impersonation::default(), groups);
        let ended = serve(listener, Arc::new(Nothing(authenticator)), limits, std::future::pending()).await;
        panic!("the server has ended: {ended:?}");
    }

    async fn connect(address: SocketAddr) -> TcpStream {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let no_settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
        connection.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        connection.write_all(&no_settings).await.unwrap();
        connection
    }

    #[tokio::test]
    async fn a_connection_whose_other_end_is_gone_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let client = async {
            // Answers to nothing.
            let _ = connect(address).await.read_to_end(&mut Vec::new()).await;
        };
        tokio::select! {
            () = serve_nothing(listener, limits(Duration::from_millis(50), 10)) => {}
            ended = tokio::time::timeout(Duration::from_secs(20), client) => ended.expect("it is given up"),
        }
    }

    #[tokio::test]
    async fn connections_for_which_there_is_no_room_wait() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let clients = async {
            let mut open = [connect(address).await, connect(address).await];
            for connection in &mut open {
                assert!(connection.read_u8().await.is_ok(), "the server's settings");
            }
            let mut third = connect(address).await;
            let answer = tokio::time::timeout(Duration::from_millis(200), third.read_u8()).await;
            assert!(answer.is_err(), "there are two already: {answer:?}");
            drop(open);
            assert!(third.read_u8().await.is_ok(), "it has the place of one that has gone");
        };
        tokio::select! {
            () = serve_nothing(listener, limits(DAY, 2)) => {}
            () = clients => {}
        }
    }
}
