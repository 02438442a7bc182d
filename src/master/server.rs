//! The wire of the master: which call goes where, who may make it, and when the server listens and stops.
//!
//! `server_fs.rs` has the calls on the namespace, `server_meta.rs` those about the cluster. The table of methods is a
//! `match` in each; a new operation is one line there.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use log::{info, warn};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codegen::{Service, http};
use tonic::transport::Server;

use crate::master::ops::{Answer, Query, Request};
use crate::master::runtime::Handle;
use crate::master::{server_fs, server_meta};
use crate::proto::alluxio::grpc::file::file_system_master_client_service_server as file_system;
use crate::proto::alluxio::grpc::meta::meta_master_client_service_server as meta;
use crate::proto::alluxio::grpc::meta::meta_master_configuration_service_server as configuration;
use crate::proto::alluxio::grpc::metric::metrics_master_client_service_server as metrics;
use crate::proto::alluxio::grpc::sasl::sasl_authentication_service_server as sasl;
use crate::proto::alluxio::grpc::version::service_version_client_service_server as version;
use crate::rpc::call::{self, Reply};
use crate::rpc::handshake::{AuthenticationType, Authenticator, Impersonation};
use crate::rpc::{CHANNEL_ID_HEADER, WINDOW_BYTES};
use crate::types::{Caller, ErrorKind, FsError};

/// Most streams of one connection at a time. Each logical channel of a client process keeps one open for its
/// authentication, so the hundreds that are usual for HTTP/2 would leave a busy process without any to call on.
const STREAMS_PER_CONNECTION_MAX: u32 = 65_536;

/// The namespace behind the server.
pub trait Namespace: Send + Sync + 'static {
    /// Whether this master answers clients. Asked at each call; may change while the server runs.
    fn is_primary(&self) -> bool;

    /// Decides a change. The answer comes once it is durable, under a valid lease.
    fn submit(&self, request: Request) -> impl Future<Output = Result<Answer, FsError>> + Send;

    /// Answers a question. Waits only where the answer depends on something that is not yet durable.
    fn query(&self, caller: &Caller, query: &Query) -> impl Future<Output = Result<Answer, FsError>> + Send;
}

impl Namespace for Handle {
    fn is_primary(&self) -> bool {
        self.is_primary()
    }

    async fn submit(&self, request: Request) -> Result<Answer, FsError> {
        self.submit(request).await
    }

    async fn query(&self, caller: &Caller, query: &Query) -> Result<Answer, FsError> {
        self.query(caller, query).await
    }
}

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Whether and how users are asked who they are.
    pub authentication: AuthenticationType,
    /// Who may ask on whose behalf.
    pub impersonation: Impersonation,
    /// How long the groups of a user are believed.
    pub groups_lifetime: Duration,
    /// Channels without a call for this long, or up to twice as long, must authenticate again.
    pub channel_purge_interval: Duration,
    /// How long calls may take to finish when the server stops.
    pub shutdown_grace: Duration,
    /// What clients are told of the configuration.
    pub configuration: Vec<server_meta::Property>,
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
        advice: &'static str,
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
pub async fn bind(address: &str) -> Result<TcpListener, ServerError> {
    use std::io::ErrorKind as Io;
    TcpListener::bind(address).await.map_err(|source| ServerError::Bind {
        address: address.to_owned(),
        advice: match source.kind() {
            Io::AddrInUse => "stop the process that listens there, or choose another alluxio.master.rpc.port",
            Io::PermissionDenied => "choose an alluxio.master.rpc.port above 1023",
            _ => "set alluxio.master.bind.host to a host name or address of this machine",
        },
        source,
    })
}

/// Serves until `shutdown`: then no connection and no call is accepted, and the calls under way have
/// `shutdown_grace` to finish.
///
/// # Errors
/// The server ended by itself.
pub async fn serve<N: Namespace>(
    listener: TcpListener,
    namespace: Arc<N>,
    settings: ServerSettings,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    let address = listener.local_addr().map_or_else(|_| "its address".to_owned(), |address| address.to_string());
    let grace = settings.shutdown_grace;
    let purge_interval = settings.channel_purge_interval;
    let server = Arc::new(MasterServer::new(namespace, settings));
    let stopping = Notify::new();
    let signal = async {
        shutdown.await;
        // Open authentications would keep their connections, and so the server, alive.
        server.authenticator.registry().close();
        stopping.notify_one();
    };
    let serving = Server::builder()
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .max_concurrent_streams(STREAMS_PER_CONNECTION_MAX)
        .http2_keepalive_interval(Some(Duration::from_secs(2 * 60 * 60)))
        .http2_keepalive_timeout(Some(Duration::from_secs(30)))
        .serve_with_incoming_shutdown(
            Dispatch(Arc::clone(&server)),
            TcpListenerStream::new(listener).then(prepare),
            signal,
        );
    let too_late = async {
        stopping.notified().await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        ended = serving => ended.map_err(|source| ServerError::Serve { address, source }),
        () = too_late => {
            warn!("gave up waiting for calls under way at shutdown waited_ms={}", grace.as_millis());
            Ok(())
        }
        () = purge(&server.authenticator, purge_interval) => Ok(()),
    }
}

async fn prepare(accepted: std::io::Result<TcpStream>) -> std::io::Result<TcpStream> {
    match &accepted {
        Ok(stream) => stream.set_nodelay(true)?,
        Err(error) => {
            // Most often too many open files: at once the same would happen again.
            warn!("cannot accept a connection error={error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    accepted
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

/// What all calls share.
#[derive(Debug)]
pub(super) struct MasterServer<N> {
    pub(super) namespace: Arc<N>,
    pub(super) authenticator: Authenticator,
    pub(super) configuration: server_meta::Configuration,
}

/// A call whose user is known.
#[derive(Debug)]
pub(super) struct UserCall<N> {
    pub(super) server: Arc<MasterServer<N>>,
    user: Arc<str>,
}

impl<N: Namespace> UserCall<N> {
    /// The user with its groups.
    pub(super) async fn caller(&self) -> Arc<Caller> {
        self.server.authenticator.callers().get(&self.user).await
    }
}

impl<N: Namespace> MasterServer<N> {
    fn new(namespace: Arc<N>, settings: ServerSettings) -> MasterServer<N> {
        let ServerSettings { authentication, impersonation, groups_lifetime, configuration, .. } = settings;
        MasterServer {
            namespace,
            authenticator: Authenticator::new(authentication, impersonation, groups_lifetime),
            configuration: server_meta::Configuration::new(configuration),
        }
    }

    /// The groups that a new owner must be in, if it gets a group at the same time.
    pub(super) async fn groups_to_compare(&self, owner: &str) -> Option<Vec<String>> {
        match self.authenticator.kind() {
            // Nobody's groups are known then.
            AuthenticationType::NoSasl => None,
            AuthenticationType::Simple => Some(self.authenticator.callers().get(owner).await.groups.clone()),
        }
    }

    fn route(self: &Arc<Self>, request: http::Request<Body>) -> Reply {
        let Some((service, method)) = call::method_of(&request) else { return call::refuse_unknown(&request) };
        let server = Arc::clone(self);
        match service {
            version::SERVICE_NAME => server_meta::route_version(server, request),
            sasl::SERVICE_NAME
                if self.authenticator.kind() == AuthenticationType::Simple && method == "authenticate" =>
            {
                call::bidi_stream(request, |inbound| async move { server.authenticator.authenticate(inbound).await })
            }
            // Compatible: a 2.9 standby does not have this service; tests/wire/standby.rs.
            configuration::SERVICE_NAME if !self.namespace.is_primary() => call::refuse_unknown(&request),
            configuration::SERVICE_NAME => server_meta::route_configuration(server, request),
            file_system::SERVICE_NAME => self.as_user(request, server_fs::route),
            meta::SERVICE_NAME | metrics::SERVICE_NAME => self.as_user(request, server_meta::route),
            _ => call::refuse_unknown(&request),
        }
    }

    /// Only a primary answers, and only users it knows.
    fn as_user(
        self: &Arc<Self>,
        request: http::Request<Body>,
        route: impl FnOnce(UserCall<N>, http::Request<Body>) -> Reply,
    ) -> Reply {
        if !self.namespace.is_primary() {
            let method = call::method_of(&request).map_or("", |(_, method)| method);
            return call::refuse(on_standby(method));
        }
        let channel_id = request.headers().get(CHANNEL_ID_HEADER).map(|id| id.as_bytes());
        match self.authenticator.user(channel_id, request.uri().path().trim_start_matches('/')) {
            Ok(user) => route(UserCall { server: Arc::clone(self), user }, request),
            Err(error) => call::refuse(error),
        }
    }
}

/// The refusal of a standby. Clients look for the primary and try again.
// Compatible: 2.9 ServiceVersionClientServiceHandler, the text with the name of the call; tests/wire/standby.rs.
pub(super) fn on_standby(method: &str) -> FsError {
    FsError::new(ErrorKind::Unavailable, format!("{method} is not supported on standby master"))
}

/// The refusal of something that 2.9 has and we do not have yet.
// Not UNIMPLEMENTED: 2.9 clients would repeat the call for two minutes. Not FAILED_PRECONDITION or INVALID_ARGUMENT:
// they would make exceptions of it that mean something else.
pub(super) fn unsupported(what: &str) -> FsError {
    FsError::new(ErrorKind::Unknown, format!("{what} is not supported by this master yet."))
}

/// The answer was of another kind than the question.
pub(super) fn mismatch(call: &str, answer: &Answer) -> FsError {
    FsError::new(ErrorKind::Internal, format!("{call} was answered with {answer:?}"))
}

/// [`MasterServer::route`] as tonic wants it.
struct Dispatch<N>(Arc<MasterServer<N>>);

impl<N> Clone for Dispatch<N> {
    fn clone(&self) -> Self {
        Dispatch(Arc::clone(&self.0))
    }
}

impl<N: Namespace> Service<http::Request<Body>> for Dispatch<N> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Reply;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Reply {
        self.0.route(request)
    }
}
