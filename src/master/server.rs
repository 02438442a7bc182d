//! The wire of the master: which call goes where, who may make it, and when the server listens and stops.
//!
//! `server_fs.rs` has the calls on the namespace, `server_block.rs` those about blocks and workers, `server_worker.rs`
//! those of workers, `server_meta.rs` and `server_cluster.rs` those about the cluster. The table of methods is a `match`
//! in each; a new operation is one line there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codegen::http;

use crate::conf::keys;
use crate::master::audit::{Client, Ownership};
use crate::master::config_check::Told;
use crate::master::front::Front;
use crate::master::listing::Listing;
use crate::master::ops::{Answer, Freshness, Operation, Part, Query, Request};
use crate::master::server_cluster::ClusterFacts;
use crate::master::ufs::{BackupRequest, BackupStatus};
use crate::master::ufs_space::UfsSpaces;
use crate::master::worker_call::WorkerCall;
use crate::master::{
    server_block, server_cluster, server_conf, server_config, server_fs, server_meta, server_metrics, server_sync,
    server_worker,
};
use crate::metrics::MasterFigures;
use crate::proto::alluxio::grpc::block::block_master_client_service_server as block;
use crate::proto::alluxio::grpc::block::block_master_worker_service_server as block_worker;
use crate::proto::alluxio::grpc::file::FileInfo;
use crate::proto::alluxio::grpc::file::file_system_master_client_service_server as file_system;
use crate::proto::alluxio::grpc::file::file_system_master_worker_service_server as file_system_worker;
use crate::proto::alluxio::grpc::meta::meta_master_client_service_server as meta;
use crate::proto::alluxio::grpc::meta::meta_master_configuration_service_server as configuration;
use crate::proto::alluxio::grpc::metric::metrics_master_client_service_server as metrics;
use crate::proto::alluxio::grpc::sasl::sasl_authentication_service_server as sasl;
use crate::proto::alluxio::grpc::version::service_version_client_service_server as version;
use crate::proto::alluxio_rs::master::master_peer_service_server as peer;
use crate::proto::convert;
use crate::rpc::call::{self, Reply};
use crate::rpc::callers::GroupSource;
use crate::rpc::handshake::{AuthenticationType, Authenticator, Impersonation};
pub use crate::rpc::listen::ServerError;
use crate::rpc::listen::{self, Limits, Properties, Routes};
use crate::types::{AlluxioPath, Caller, ErrorKind, FileStatus, FsError, OperationId, SequenceNumber};

/// The namespace behind the server.
pub trait Namespace: Send + Sync + 'static {
    /// Whether this master answers clients. Asked at each call; may change while the server runs.
    fn is_primary(&self) -> bool;

    /// The last record that this master has applied and takes for permanent, in any role.
    fn journal_position(&self) -> SequenceNumber;

    /// Decides a change. The answer comes once it is durable, under a valid lease.
    fn submit(&self, request: Request) -> impl Future<Output = Result<Answer, FsError>> + Send;

    /// Takes the call of a worker, in any role.
    fn worker(&self, call: WorkerCall) -> impl Future<Output = Result<Answer, FsError>> + Send;

    /// Has a checkpoint of the journal written.
    fn checkpoint(&self) -> impl Future<Output = Result<(), FsError>> + Send;

    /// Has a backup of the namespace made.
    fn backup(&self, request: BackupRequest) -> impl Future<Output = Result<BackupStatus, FsError>> + Send;

    /// Whether the first answer to that operation is kept: who asks again gets it, and changes nothing.
    fn is_answered(&self, id: OperationId) -> bool;

    /// Writes a backup of the namespace to a file of a UFS, in any role, once this master has applied that record. How many
    /// entries it has.
    fn back_up_here(&self, uri: &str, after: SequenceNumber) -> impl Future<Output = Result<u64, FsError>> + Send;

    /// How far that backup is, if it is the last one.
    ///
    /// # Errors
    /// It is not.
    fn backup_status(&self, id: &str) -> Result<BackupStatus, FsError>;

    /// Answers a question. Waits only where the answer depends on something that is not yet durable.
    fn query(&self, caller: &Caller, query: &Query) -> impl Future<Output = Result<Answer, FsError>> + Send;

    /// The next entries of a listing, `limit` at most; of what is never large, all at once.
    fn list(
        &self,
        caller: &Caller,
        listing: &mut Listing,
        _limit: usize,
    ) -> impl Future<Output = Result<Part, FsError>> + Send {
        async { Part::whole(self.query(caller, &listing.walk().query()).await?) }
    }

    /// Deletes a file of a UFS that nobody needs, while this master leads for certain. One that is gone is no error.
    fn delete_leftover(&self, uri: &str) -> impl Future<Output = Result<(), FsError>> + Send;

    /// Looks at the UFS for what a question is about and the namespace does not have, or, if that is wished, has.
    fn load(&self, query: &Query, fresh: Freshness) -> impl Future<Output = Result<(), FsError>> + Send;

    /// What the UFS has there is another thing by now: it is compared before anybody is told of it.
    fn changed_in_ufs(&self, path: AlluxioPath);

    /// Where a path is, or would be, in the UFS.
    fn ufs_uri(&self, path: &AlluxioPath) -> String;

    /// What is not in the UFS as it is here, and what is only there, of a path and all below it.
    fn inconsistent(&self, path: &AlluxioPath) -> impl Future<Output = Result<Vec<AlluxioPath>, FsError>> + Send;

    /// Compares with the UFS what a change is about, if that was not done within so long.
    fn refresh(&self, operation: &Operation, interval: Duration) -> impl Future<Output = Result<(), FsError>> + Send;

    /// What is so at this master now, as far as that is known.
    fn figures(&self) -> impl Future<Output = MasterFigures> + Send {
        async { MasterFigures::default() }
    }

    /// Whose a path is now, if it is there and that is known. No answer to anybody, for it may not be durable yet: it
    /// is for the audit log, which is written once the outcome of the operation is.
    fn ownership(&self, path: &AlluxioPath) -> Option<Ownership>;
}

/// How to serve.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Whether and how users are asked who they are.
    pub authentication: AuthenticationType,
    /// Who may ask on whose behalf.
    pub impersonation: Impersonation,
    /// Who tells in which groups users are.
    pub groups: GroupSource,
    /// Channels without a call for this long, or up to twice as long, must authenticate again.
    pub channel_purge_interval: Duration,
    /// How long calls may take to finish when the server stops.
    pub shutdown_grace: Duration,
    /// What clients are told of the configuration.
    pub configuration: Vec<server_conf::Property>,
    /// The name of this host, as clients are told it.
    pub hostname: String,
    /// Where a UFS that is a local disk is, as clients are told it: the name by which a worker here would be known.
    pub local_ufs_host: String,
    /// Where backups go of which nothing is said.
    pub backup_directory: String,
    /// What clients are told of the cluster; none of a server that is in none.
    pub cluster: Option<ClusterFacts>,
    /// How large under-stores are.
    pub ufs_spaces: Arc<UfsSpaces>,
    /// What this master tells of its configuration, to be compared with that of the others.
    pub told: Told,
}

/// Begins to listen on `address` (`host:port`). Connections are accepted once [`serve`] runs.
///
/// # Errors
/// The port is taken, or the host is not one of this machine.
pub async fn bind(address: &str) -> Result<TcpListener, ServerError> {
    let properties = Properties { port: keys::MASTER_RPC_PORT.row.name, host: keys::MASTER_BIND_HOST.row.name };
    listen::bind(address, properties).await
}

/// As 2.9 has it for masters, whose connections hold nothing that others wait for.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2 * 60 * 60);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(30);

/// Serves until `shutdown`: then no connection and no call is accepted, and the calls under way have
/// `shutdown_grace` to finish.
///
/// # Errors
/// The server ended by itself.
pub async fn serve<N: Namespace>(
    listener: TcpListener,
    front: Arc<Front<N>>,
    settings: ServerSettings,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    let limits = Limits {
        channel_purge_interval: settings.channel_purge_interval,
        shutdown_grace: settings.shutdown_grace,
        keepalive_interval: KEEPALIVE_INTERVAL,
        keepalive_timeout: KEEPALIVE_TIMEOUT,
        connections_max: listen::connections_max(),
    };
    let server = Arc::new(MasterServer::new(front, settings));
    listen::serve(listener, Arc::clone(&server), limits, shutdown).await
}

/// What all calls share.
#[derive(Debug)]
pub(super) struct MasterServer<N> {
    pub(super) namespace: Arc<N>,
    pub(super) front: Arc<Front<N>>,
    pub(super) authenticator: Authenticator,
    pub(super) configuration: server_conf::Configuration,
    pub(super) hostname: String,
    local_ufs_host: String,
    pub(super) backup_directory: String,
    pub(super) cluster: Option<ClusterFacts>,
    pub(super) ufs_spaces: Arc<UfsSpaces>,
    pub(super) syncs: server_sync::Syncs,
    pub(super) reported: server_metrics::Reported,
    /// What this master tells of its configuration, to be compared with that of the others.
    pub(super) told: Arc<Told>,
    pub(super) worker_configurations: server_config::WorkerConfigurations,
}

/// A call whose user is known.
#[derive(Debug)]
pub(super) struct UserCall<N> {
    pub(super) server: Arc<MasterServer<N>>,
    user: Arc<str>,
    /// The other end of its connection.
    address: Option<SocketAddr>,
}

impl<N: Namespace> UserCall<N> {
    /// Who calls: the user with its groups, from where.
    pub(super) async fn client(&self) -> Client {
        let authenticator = &self.server.authenticator;
        Client {
            caller: authenticator.callers().get(&self.user).await,
            authentication: authenticator.kind(),
            address: self.address,
        }
    }
}

impl<N: Namespace> MasterServer<N> {
    fn new(front: Arc<Front<N>>, settings: ServerSettings) -> MasterServer<N> {
        let ServerSettings {
            authentication,
            impersonation,
            groups,
            configuration,
            hostname,
            local_ufs_host,
            backup_directory,
            cluster,
            ufs_spaces,
            told,
            ..
        } = settings;
        MasterServer {
            namespace: Arc::clone(front.namespace()),
            front,
            authenticator: Authenticator::new(authentication, impersonation, groups),
            configuration: server_conf::Configuration::new(configuration),
            hostname,
            local_ufs_host,
            backup_directory,
            cluster,
            ufs_spaces,
            syncs: server_sync::Syncs::default(),
            reported: server_metrics::Reported::default(),
            told: Arc::new(told),
            worker_configurations: server_config::WorkerConfigurations::default(),
        }
    }

    /// What a path looks like, with where it is in its UFS.
    pub(super) fn info_of(&self, status: FileStatus) -> FileInfo {
        convert::located_in_ufs(convert::status_to_proto(status), &self.local_ufs_host)
    }

    /// The groups that a new owner must be in, if it gets a group at the same time.
    pub(super) async fn groups_to_compare(&self, owner: &str) -> Option<Vec<String>> {
        match self.authenticator.kind() {
            // Nobody's groups are known then.
            AuthenticationType::NoSasl => None,
            AuthenticationType::Simple => Some(self.authenticator.callers().get(owner).await.groups.clone()),
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
        self.as_known(request, route)
    }

    /// Only users that the server knows.
    pub(super) fn as_known(
        self: &Arc<Self>,
        request: http::Request<Body>,
        route: impl FnOnce(UserCall<N>, http::Request<Body>) -> Reply,
    ) -> Reply {
        match call::user_of(&request, &self.authenticator) {
            Ok(user) => {
                let address = call::address_of(&request);
                route(UserCall { server: Arc::clone(self), user, address }, request)
            }
            Err(error) => call::refuse(error),
        }
    }
}

impl<N: Namespace> Routes for MasterServer<N> {
    fn authenticator(&self) -> &Authenticator {
        &self.authenticator
    }

    fn route(self: Arc<Self>, request: http::Request<Body>) -> Reply {
        let Some((service, method)) = call::method_of(&request) else { return call::refuse_unknown(&request) };
        match service {
            version::SERVICE_NAME => server_meta::route_version(self, request),
            peer::SERVICE_NAME => server_cluster::route_peer(self, request),
            sasl::SERVICE_NAME if self.authenticator.is_asked(method) => {
                call::bidi_stream(request, |inbound| async move { self.authenticator.authenticate(inbound).await })
            }
            // Compatible: a 2.9 standby does not have this service; tests/wire/standby.rs.
            configuration::SERVICE_NAME if !self.namespace.is_primary() => call::refuse_unknown(&request),
            configuration::SERVICE_NAME => server_conf::route(self, request),
            file_system::SERVICE_NAME => self.as_user(request, server_fs::route),
            block::SERVICE_NAME => self.as_user(request, server_block::route),
            // Workers of ours report to standbys, too.
            block_worker::SERVICE_NAME => self.as_known(request, server_worker::route_block),
            file_system_worker::SERVICE_NAME => self.as_user(request, server_worker::route_file_system),
            meta::SERVICE_NAME => self.as_user(request, server_meta::route),
            metrics::SERVICE_NAME => self.as_user(request, server_metrics::route),
            _ => call::refuse_unknown(&request),
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
