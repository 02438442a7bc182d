//! A port with pages: which connections it takes, how long they may be idle.

use std::net::SocketAddr;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use log::{debug, warn};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;
use warp::filters::BoxedFilter;
use warp::reply::Response;

use crate::conf::{Conf, Key, Port};
use crate::rpc::listen::{self, Properties, ServerError};

/// Connections at a time; more wait until one of them ends.
const CONNECTIONS_MAX: usize = 256;
/// How long a connection may take to say what it wants, or may be idle between two requests.
const REQUEST_WAIT: Duration = Duration::from_secs(15);
/// How long it may take to receive any more of what it is sent.
const SEND_WAIT: Duration = Duration::from_secs(60);
/// Bytes of a request, its headers included.
const REQUEST_BYTES_MAX: usize = 64 << 10;
/// Pause after a connection could not be accepted, and before a port that was taken is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Where pages are.
#[derive(Debug, Clone)]
pub(super) struct WebPort {
    address: String,
    properties: Properties,
}

impl WebPort {
    /// By these two properties.
    pub(super) fn of(conf: &Conf, host: &'static Key<String>, port: &'static Key<Port>) -> WebPort {
        let properties = Properties { port: port.row.name, host: host.row.name };
        WebPort { address: format!("{}:{}", conf.get(host), conf.get(port).0), properties }
    }

    /// Begins to listen.
    ///
    /// # Errors
    /// The port is taken, or the host is not one of this machine; the text names the property.
    pub(super) async fn bind(&self) -> Result<TcpListener, ServerError> {
        listen::bind(&self.address, self.properties).await
    }

    /// The same, until it works: what was free at start may be another's by now, and a master serves all the same.
    pub(super) async fn bind_at_last(&self) -> TcpListener {
        let mut told = false;
        loop {
            match self.bind().await {
                Ok(listener) => return listener,
                Err(error) if !told => {
                    warn!("no web pages, trying again: {error} reason={:?}", std::error::Error::source(&error));
                    told = true;
                }
                Err(_) => {}
            }
            sleep(PAUSE).await;
        }
    }
}

/// Answers requests until it is dropped; then all connections end.
pub(super) async fn serve(listener: TcpListener, routes: BoxedFilter<(Response,)>) {
    let room = std::sync::Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let permit = std::sync::Arc::clone(&room).acquire_owned().await.expect("nobody closes the semaphore");
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!("cannot accept a connection to the web pages, trying again reason={error}");
                sleep(PAUSE).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let routes = routes.clone();
        connections.spawn(async move {
            answer(stream, peer, routes).await;
            drop(permit);
        });
    }
}

/// Who sent a request, among its extensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

async fn answer(stream: TcpStream, peer: SocketAddr, routes: BoxedFilter<(Response,)>) {
    // Both only make a connection nicer; one that has ended says so below.
    let _ = stream.set_nodelay(true);
    let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, SEND_WAIT.as_millis() as u32);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(REQUEST_WAIT).max_buf_size(REQUEST_BYTES_MAX);
    let service = TowerToHyperService::new(warp::service(routes));
    let service = hyper::service::service_fn(move |mut request| {
        hyper::Request::extensions_mut(&mut request).insert(Peer(peer));
        hyper::service::Service::call(&service, request)
    });
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        debug!("a connection to the web pages ended reason={error}");
    }
}
