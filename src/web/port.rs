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
/// How long connections are waited for.
const PATIENCE: Patience = Patience { request: Duration::from_secs(15), send: Duration::from_secs(60) };
/// Bytes of a request, its headers included.
const REQUEST_BYTES_MAX: usize = 64 << 10;
/// Pause after a connection could not be accepted, and before a port that was taken is tried again.
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
struct Patience {
    /// How long a connection may take to say what it wants, or may be idle between two requests.
    request: Duration,
    /// How long it may take to receive any more of what it is sent.
    send: Duration,
}

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
    serve_with(PATIENCE, listener, routes).await;
}

async fn serve_with(patience: Patience, listener: TcpListener, routes: BoxedFilter<(Response,)>) {
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
            answer(patience, stream, peer, routes).await;
            drop(permit);
        });
    }
}

tokio::task_local! {
    /// The other end of the connection whose requests this task answers.
    static PEER: SocketAddr;
}

/// Who sent the request that is being answered; none of what no request asks for.
pub(super) fn peer() -> Option<SocketAddr> {
    PEER.try_with(|peer| *peer).ok()
}

async fn answer(patience: Patience, stream: TcpStream, peer: SocketAddr, routes: BoxedFilter<(Response,)>) {
    // Both only make a connection nicer; one that has ended says so below.
    let _ = stream.set_nodelay(true);
    let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, patience.send.as_millis() as u32);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience.request).max_buf_size(REQUEST_BYTES_MAX);
    let service = TowerToHyperService::new(warp::service(routes));
    if let Err(error) = PEER.scope(peer, http.serve_connection(TokioIo::new(stream), service)).await {
        debug!("a connection to the web pages ended reason={error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::timeout;
    use warp::Filter;

    const LIMIT: Duration = Duration::from_secs(20);
    /// More than all buffers of a connection hold.
    const ANSWER_BYTES: usize = 64 << 20;

    async fn connect(patience: Patience) -> (TcpStream, JoinSet<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let routes = warp::any().map(|| Response::new(vec![7; ANSWER_BYTES].into())).boxed();
        let mut serving = JoinSet::new();
        serving.spawn(serve_with(patience, listener, routes));
        (TcpStream::connect(address).await.expect("it listens"), serving)
    }

    async fn ask(stream: &mut TcpStream) {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("it takes a request");
    }

    #[tokio::test]
    async fn who_takes_nothing_is_given_up_and_who_is_slow_is_not() {
        let patience = Patience { request: LIMIT, send: Duration::from_millis(500) };
        let (mut slow, _serving) = connect(patience).await;
        ask(&mut slow).await;
        let (mut read, mut chunk) = (0, vec![0; ANSWER_BYTES / 8]);
        while read < ANSWER_BYTES {
            sleep(Duration::from_millis(150)).await;
            let bytes = timeout(LIMIT, slow.read(&mut chunk)).await.expect("it is served").expect("it is not cut off");
            read += bytes;
        }
        // Now it asks again, and takes nothing.
        ask(&mut slow).await;
        sleep(Duration::from_millis(2500)).await;
        let mut rest = Vec::new();
        // The connection was reset, or ended early.
        let ended = timeout(LIMIT, slow.read_to_end(&mut rest)).await.expect("it is given up");
        assert!(ended.is_err() || rest.len() < ANSWER_BYTES, "{ended:?}, {} bytes", rest.len());
    }

    #[tokio::test]
    async fn who_is_idle_after_an_answer_is_given_up() {
        let patience = Patience { request: Duration::from_millis(300), send: LIMIT };
        let (mut idle, _serving) = connect(patience).await;
        ask(&mut idle).await;
        let mut all = Vec::new();
        timeout(LIMIT, idle.read_to_end(&mut all)).await.expect("it is given up").expect("it is closed in order");
        assert!(all.len() > ANSWER_BYTES);
    }
}
