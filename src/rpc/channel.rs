//! The client's side: open a channel to a server, say who asks, check that both speak the same version.
//!
//! A [`Connection`] is what generated clients run on: `FileSystemMasterClientServiceClient::new(connection.clone())`.
//! When a call fails with a kind that `status.rs` calls worth retrying, drop the connection and open another one: the
//! server forgets the authentication with the transport, and the primary may have moved.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::body::Body;
use tonic::codegen::http::{HeaderValue, Request, Response};
use tonic::codegen::{Bytes, Service};
use tonic::transport::channel::ResponseFuture;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

use super::{CHANNEL_ID_HEADER, WINDOW_BYTES, status, version};
use crate::proto::alluxio::grpc::sasl::sasl_authentication_service_client::SaslAuthenticationServiceClient;
use crate::proto::alluxio::grpc::sasl::{ChannelAuthenticationScheme, SaslMessage, SaslMessageType};
use crate::proto::alluxio::grpc::version::service_version_client_service_client::ServiceVersionClientServiceClient;
use crate::proto::alluxio::grpc::version::{GetServiceVersionPRequest, ServiceType};
use crate::types::{ErrorKind, FsError};

/// How to reach a server, and as whom.
#[derive(Debug, Clone)]
pub struct ChannelSettings {
    /// Who asks; none when the cluster runs without authentication (NOSASL).
    pub identity: Option<Identity>,
    /// Longest wait for the TCP connection (`alluxio.user.network.…`; 2.9.6 has none but the retry budget).
    pub connect_timeout: Duration,
    /// Longest wait for the answer to an authentication (`alluxio.network.connection.auth.timeout`, 30 s) and to the
    /// question for a version (`alluxio.user.master.polling.timeout`, 30 s).
    pub answer_timeout: Duration,
}

/// The user of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user that runs the client.
    pub user: String,
    /// The user on whose behalf it asks, if another one; the server must allow it.
    pub on_behalf_of: Option<String>,
}

impl Default for ChannelSettings {
    fn default() -> Self {
        let limit = Duration::from_secs(30);
        ChannelSettings { identity: None, connect_timeout: limit, answer_timeout: limit }
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The text is no address.
    #[error("\"{address}\" is not an address of the form host:port")]
    Address {
        /// What was given.
        address: String,
    },
    /// Nobody listens, or not in time.
    #[error("cannot connect to {address}")]
    Connect {
        /// The server.
        address: String,
        /// Why.
        #[source]
        source: tonic::transport::Error,
    },
    /// The server accepted, then stayed silent.
    #[error("{address} gave no answer to {call} within {timeout_ms} ms")]
    Silent {
        /// The server.
        address: String,
        /// What was asked.
        call: &'static str,
        /// How long it had.
        timeout_ms: u128,
    },
    /// The server refused.
    #[error("{address} refused {call}")]
    Refused {
        /// The server.
        address: String,
        /// What was asked.
        call: &'static str,
        /// Its answer.
        #[source]
        source: FsError,
    },
    /// It speaks another version.
    #[error("{service} client version {client} is not compatible with server version {server}")]
    Incompatible {
        /// The service, as the enum of the wire names it.
        service: &'static str,
        /// Our number.
        client: i64,
        /// Its number.
        server: i64,
    },
}

impl ConnectError {
    /// Its class: what `status.rs` decides about another try by.
    pub fn kind(&self) -> ErrorKind {
        match self {
            ConnectError::Address { .. } => ErrorKind::InvalidArgument,
            ConnectError::Connect { .. } | ConnectError::Silent { .. } => ErrorKind::Unavailable,
            ConnectError::Refused { source, .. } => source.kind,
            ConnectError::Incompatible { .. } => ErrorKind::FailedPrecondition,
        }
    }
}

impl From<ConnectError> for FsError {
    /// With the whole chain of causes.
    fn from(error: ConnectError) -> FsError {
        FsError::new(error.kind(), status::with_causes(&error))
    }
}

const AUTHENTICATE: &str = "authenticate";
const GET_SERVICE_VERSION: &str = "getServiceVersion";

/// An open channel to one server. Clones share it; the last one to go ends the authentication.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Of the server.
    address: Arc<str>,
    channel: Channel,
    /// None without authentication.
    session: Option<Arc<Session>>,
}

/// An authentication, in force for as long as its stream is open.
#[derive(Debug)]
struct Session {
    id: HeaderValue,
    /// Dropping it half-closes the stream.
    _requests: mpsc::Sender<SaslMessage>,
    /// Dropping it resets the stream.
    _answers: Streaming<SaslMessage>,
}

/// Opens a channel to `address` (`host:port`), authenticates, and checks the version of `service`.
///
/// # Errors
/// Nobody listens or answers in time; the server refuses the user, does not have the service, or speaks another version.
pub async fn connect(
    address: &str,
    service: ServiceType,
    settings: &ChannelSettings,
) -> Result<Connection, ConnectError> {
    let connection = open_authenticated(address, settings).await?;
    check_version(address, &connection, service, settings).await?;
    Ok(connection)
}

/// As [`connect`], but to a standby, too, which tells no version: for workers of ours, which report to every master.
///
/// # Errors
/// As [`connect`].
pub async fn connect_to_any_master(
    address: &str,
    service: ServiceType,
    settings: &ChannelSettings,
) -> Result<Connection, ConnectError> {
    let connection = open_authenticated(address, settings).await?;
    match check_version(address, &connection, service, settings).await {
        Err(ConnectError::Refused { source, .. }) if source.kind == ErrorKind::Unavailable => Ok(connection),
        checked => checked.map(|()| connection),
    }
}

async fn check_version(
    address: &str,
    connection: &Connection,
    service: ServiceType,
    settings: &ChannelSettings,
) -> Result<(), ConnectError> {
    let server = get_service_version(address, connection.clone(), service, true, settings).await?;
    let client = version::of(service).unwrap_or(-1);
    if server == client {
        return Ok(());
    }
    Err(ConnectError::Incompatible { service: service.as_str_name(), client, server })
}

/// Opens a channel to `address` (`host:port`) and authenticates.
///
/// # Errors
/// Nobody listens or answers in time; the server refuses the user.
pub async fn open_authenticated(address: &str, settings: &ChannelSettings) -> Result<Connection, ConnectError> {
    let channel = open(address, settings).await?;
    let session = match &settings.identity {
        Some(identity) => Some(Arc::new(authenticate(address, channel.clone(), identity, settings).await?)),
        None => None,
    };
    Ok(Connection { address: address.into(), channel, session })
}

/// Asks `address` whether it is primary, as clients with several addresses do: a standby refuses with `Unavailable`.
///
/// # Errors
/// As [`connect`]. Everything but success means "not this one".
pub async fn ask_whether_primary(address: &str, settings: &ChannelSettings) -> Result<(), ConnectError> {
    let connection = open_unauthenticated(address, settings).await?;
    get_service_version(address, connection, ServiceType::MetaMasterClientService, false, settings).await?;
    Ok(())
}

/// Opens a channel for calls that need no authentication (GetConfiguration).
///
/// # Errors
/// Nobody listens, or not in time.
pub async fn open_unauthenticated(address: &str, settings: &ChannelSettings) -> Result<Connection, ConnectError> {
    Ok(Connection { address: address.into(), channel: open(address, settings).await?, session: None })
}

impl Connection {
    /// The address (`host:port`) of the server.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Service<Request<Body>> for Connection {
    type Response = Response<Body>;
    type Error = tonic::transport::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(session) = &self.session {
            request.headers_mut().insert(CHANNEL_ID_HEADER, session.id.clone());
        }
        self.channel.call(request)
    }
}

async fn open(address: &str, settings: &ChannelSettings) -> Result<Channel, ConnectError> {
    let invalid = || ConnectError::Address { address: address.to_owned() };
    // Without this test a missing port would mean 80.
    address.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok()).ok_or_else(invalid)?;
    let endpoint = Endpoint::from_shared(Bytes::from(format!("http://{address}")))
        .map_err(|_| invalid())?
        .connect_timeout(settings.connect_timeout)
        .tcp_nodelay(true)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(30));
    endpoint.connect().await.map_err(|source| ConnectError::Connect { address: address.to_owned(), source })
}

async fn authenticate(
    address: &str,
    channel: Channel,
    identity: &Identity,
    settings: &ChannelSettings,
) -> Result<Session, ConnectError> {
    let id = Uuid::new_v4().to_string();
    let (requests, outgoing) = mpsc::channel(1);
    let hello = hello(identity, &id, address);
    requests.try_send(hello).expect("the channel has room for one message, and its receiver is here");
    let refused = |status| ConnectError::Refused {
        address: address.to_owned(),
        call: AUTHENTICATE,
        source: status::from_status(status),
    };
    let exchange = async {
        let mut client = SaslAuthenticationServiceClient::new(channel);
        let mut answers = client.authenticate(ReceiverStream::new(outgoing)).await.map_err(refused)?.into_inner();
        let answer = answers.message().await.map_err(refused)?;
        match answer.map(|answer| answer.message_type()) {
            Some(SaslMessageType::Success) => Ok(answers),
            other => Err(refused(tonic::Status::unauthenticated(format!("the answer is {other:?}, not SUCCESS")))),
        }
    };
    let answers = in_time(address, AUTHENTICATE, settings, exchange).await?;
    let id = HeaderValue::from_str(&id).expect("a UUID is plain ASCII");
    Ok(Session { id, _requests: requests, _answers: answers })
}

/// The one message of a client in the PLAIN mechanism: `authzid NUL authcid NUL password`.
fn hello(identity: &Identity, channel_id: &str, address: &str) -> SaslMessage {
    let Identity { user, on_behalf_of } = identity;
    let behalf = on_behalf_of.as_deref().unwrap_or_default();
    SaslMessage {
        message_type: Some(SaslMessageType::Challenge.into()),
        message: Some(format!("{behalf}\0{user}\0noPassword").into_bytes()),
        client_id: Some(channel_id.to_owned()),
        authentication_scheme: Some(ChannelAuthenticationScheme::Simple.into()),
        channel_ref: Some(format!("alluxio-rs to {address}, ChannelId={channel_id}")),
    }
}

async fn get_service_version(
    address: &str,
    connection: Connection,
    service: ServiceType,
    on_standby_too: bool,
    settings: &ChannelSettings,
) -> Result<i64, ConnectError> {
    let request = GetServiceVersionPRequest {
        service_type: Some(service.into()),
        allowed_on_standby_masters: on_standby_too.then_some(true),
    };
    let exchange = async {
        let answer = ServiceVersionClientServiceClient::new(connection).get_service_version(request).await;
        answer.map(|answer| answer.into_inner().version()).map_err(|status| ConnectError::Refused {
            address: address.to_owned(),
            call: GET_SERVICE_VERSION,
            source: status::from_status(status),
        })
    };
    in_time(address, GET_SERVICE_VERSION, settings, exchange).await
}

async fn in_time<T>(
    address: &str,
    call: &'static str,
    settings: &ChannelSettings,
    exchange: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, ConnectError> {
    tokio::time::timeout(settings.answer_timeout, exchange).await.unwrap_or_else(|_| {
        let timeout_ms = settings.answer_timeout.as_millis();
        Err(ConnectError::Silent { address: address.to_owned(), call, timeout_ms })
    })
}
