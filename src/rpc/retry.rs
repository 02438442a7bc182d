//! When a call is tried again, and where.
//!
//! An attempt is: find the primary, connect, call. When it takes longer than [`ClientSettings::look_again`] we look
//! whether the leader has moved, because a master that was stopped or cut off accepts a call and never answers it; then
//! the attempt is dropped and made again with the new leader. That is safe: what changes something carries an operation
//! id, or gives the same result twice.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{sleep, timeout};
use tonic::Status;

use super::channel::{self, ChannelSettings, ConnectError, Connection};
use super::locate::{Locate, LocateError};
use super::status::{from_status, is_worth_retrying, with_causes};
use crate::proto::alluxio::grpc::version::ServiceType;
use crate::types::time::{Boot, boot_now};
use crate::types::{ErrorKind, FsError};

/// How often we look for a new leader once a call seems to hang, and while we wait for the next attempt. Reading a node
/// of ZooKeeper costs little.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How long nobody answers before who waits is told so.
const TELL_AFTER: Duration = Duration::from_secs(3);

/// How a client of the masters behaves.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// Who asks, and how long a connection may take.
    pub channel: ChannelSettings,
    /// How long we go on trying.
    pub retry: RetrySettings,
    /// A call that has no answer for so long makes us look whether somebody else leads now.
    pub look_again: Duration,
    /// Told once, with the reason, when no master has answered for a few seconds.
    pub on_wait: Option<fn(&str)>,
}

/// `alluxio.user.rpc.retry.*`
#[derive(Debug, Clone)]
pub struct RetrySettings {
    /// Pause after the first failure; doubled after each further one.
    pub base_sleep: Duration,
    /// Longest pause.
    pub max_sleep: Duration,
    /// No attempt begins later than this after the first one.
    pub max_duration: Duration,
}

impl Default for RetrySettings {
    fn default() -> Self {
        RetrySettings {
            base_sleep: Duration::from_millis(50),
            max_sleep: Duration::from_secs(3),
            max_duration: Duration::from_secs(120),
        }
    }
}

impl Default for ClientSettings {
    fn default() -> Self {
        ClientSettings {
            channel: ChannelSettings::default(),
            retry: RetrySettings::default(),
            look_again: Duration::from_secs(1),
            on_wait: None,
        }
    }
}

/// Why a call has no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// The primary answered: no.
    #[error(transparent)]
    Refused(#[from] FsError),
    /// No primary answered in time.
    #[error("Failed after {attempts} attempts: {last}")]
    Unreachable {
        /// Where the last attempt went, if it was known who leads.
        master: Option<String>,
        /// All places where a master was looked for.
        places: String,
        /// How many attempts were made.
        attempts: u32,
        /// How the last one ended.
        last: String,
    },
}

/// The connection to the primary, and the rules for finding another one.
#[derive(Debug)]
pub struct Caller {
    masters: Box<dyn Locate>,
    /// The service that is called.
    service: ServiceType,
    settings: ClientSettings,
    /// The connection of the last good call, with the address of its server.
    current: Mutex<Option<(String, Connection)>>,
    /// Whether who waits has been told.
    told: AtomicBool,
}

/// How an attempt ended without a result.
enum Ended {
    /// The primary refused.
    Refused(FsError),
    /// Worth another attempt after a pause.
    Failed { address: Option<String>, reason: String },
    /// Somebody else leads: another attempt at once.
    Moved { address: String, reason: String },
}

impl Caller {
    /// Calls `service` of the primary that `masters` finds. Nothing is connected before the first call.
    pub fn new(masters: Box<dyn Locate>, service: ServiceType, settings: ClientSettings) -> Caller {
        Caller { masters, service, settings, current: Mutex::new(None), told: AtomicBool::new(false) }
    }

    /// The address of the primary, waited for as long as a call would be.
    ///
    /// # Errors
    /// Nobody leads in time.
    pub async fn primary(&self) -> Result<String, ClientError> {
        self.until_done(|_| self.locate()).await
    }

    /// Makes `call` on a connection to the primary until it has an answer.
    ///
    /// # Errors
    /// The primary refuses, or none answers in time.
    pub async fn call<T, F>(&self, call: impl Fn(Connection) -> F) -> Result<T, ClientError>
    where
        F: Future<Output = Result<T, Status>>,
    {
        self.until_done(|end| self.attempt(&call, end)).await
    }

    async fn until_done<T, F>(&self, attempt: impl Fn(Boot) -> F) -> Result<T, ClientError>
    where
        F: Future<Output = Result<T, Ended>>,
    {
        let retry = &self.settings.retry;
        let begun = boot_now();
        let end = begun + retry.max_duration;
        let mut pause = retry.base_sleep;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (master, last, moved) = match attempt(end).await {
                Ok(result) => return Ok(result),
                Err(Ended::Refused(error)) => return Err(ClientError::Refused(error)),
                Err(Ended::Failed { address, reason }) => {
                    self.tell_wait(begun, &reason);
                    let moved = self.pause(address.as_deref(), pause, end).await;
                    (address, reason, moved)
                }
                Err(Ended::Moved { address, reason }) => (Some(address), reason, true),
            };
            if boot_now() >= end {
                return Err(ClientError::Unreachable { master, places: self.masters.places(), attempts, last });
            }
            pause = if moved { retry.base_sleep } else { (pause * 2).min(retry.max_sleep) };
        }
    }

    async fn attempt<T, F>(&self, call: &impl Fn(Connection) -> F, end: Boot) -> Result<T, Ended>
    where
        F: Future<Output = Result<T, Status>>,
    {
        // A connection that served before is used without asking again who leads: a master that has lost the lead
        // refuses, and one that is silent is noticed by `watched`.
        let kept = self.current.lock().clone();
        let address = match &kept {
            Some((address, _)) => address.clone(),
            None => self.locate().await?,
        };
        let exchange = async {
            let connection = match kept {
                Some((_, connection)) => connection,
                None => self.connect(&address).await?,
            };
            let answer = call(connection.clone()).await;
            answer.map(|answer| (connection, answer)).map_err(|status| ended(&address, from_status(status)))
        };
        let result = self.watched(&address, end, exchange).await;
        let mut current = self.current.lock();
        match result {
            Ok((connection, answer)) => {
                *current = Some((address, connection));
                Ok(answer)
            }
            Err(Ended::Refused(error)) => Err(Ended::Refused(error)),
            Err(other) => {
                *current = None;
                Err(other)
            }
        }
    }

    async fn locate(&self) -> Result<String, Ended> {
        let limit = self.settings.retry.max_duration;
        let failed = |reason: String| Ended::Failed {
            address: None,
            reason: format!("Failed to determine primary master rpc address: {reason}"),
        };
        match timeout(limit, self.masters.locate()).await {
            Ok(Ok(address)) => Ok(address),
            Ok(Err(LocateError::Settings(text))) => Err(Ended::Refused(FsError::new(ErrorKind::InvalidArgument, text))),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(_) => Err(failed(format!("{} gave no answer within {} ms", self.masters.places(), limit.as_millis()))),
        }
    }

    async fn connect(&self, address: &str) -> Result<Connection, Ended> {
        channel::connect(address, self.service, &self.settings.channel).await.map_err(|error| {
            let failure = FsError::new(error.kind(), with_causes(&error));
            match error {
                // Another try would bring the same user.
                ConnectError::Refused { call: "authenticate", source, .. }
                    if source.kind == ErrorKind::Unauthenticated =>
                {
                    Ended::Refused(source)
                }
                // A standby has no file system service yet.
                ConnectError::Refused { source, .. } if source.kind == ErrorKind::NotFound => {
                    Ended::Failed { address: Some(address.to_owned()), reason: failure.message }
                }
                _ => ended(address, failure),
            }
        })
    }

    /// `exchange` with the master at `address`, for as long as nobody else leads and, after `end`, the master shows
    /// signs of life.
    async fn watched<T>(
        &self,
        address: &str,
        end: Boot,
        exchange: impl Future<Output = Result<T, Ended>>,
    ) -> Result<T, Ended> {
        let mut exchange = std::pin::pin!(exchange);
        let started = boot_now();
        let mut patience = self.settings.look_again;
        loop {
            if let Ok(result) = timeout(patience, &mut exchange).await {
                return result;
            }
            patience = LOOK_EVERY.min(self.settings.look_again);
            let waited_ms = boot_now().since(started).as_millis();
            let reason = format!("{address} gave no answer within {waited_ms} ms");
            // Asked beside the call, which may have its answer meanwhile.
            tokio::select! {
                result = &mut exchange => return result,
                moved = self.leads_elsewhere(Some(address)) => {
                    if moved {
                        return Err(Ended::Moved { address: address.to_owned(), reason });
                    }
                }
            }
            self.tell_wait(started, &reason);
            if boot_now() < end {
                continue;
            }
            // A recursive delete may take longer than any limit, so a master that still answers others is waited for.
            tokio::select! {
                result = &mut exchange => return result,
                alive = self.is_alive(address) => {
                    if !alive {
                        return Err(Ended::Failed { address: Some(address.to_owned()), reason });
                    }
                }
            }
        }
    }

    /// Says once that nobody has answered since `begun`, when that is long ago.
    fn tell_wait(&self, begun: Boot, reason: &str) {
        let Some(tell) = self.settings.on_wait else { return };
        if boot_now().since(begun) >= TELL_AFTER && !self.told.swap(true, Ordering::Relaxed) {
            let limit = self.settings.retry.max_duration;
            tell(&format!(
                "waiting for a master, up to {limit:?} (alluxio.user.rpc.retry.max.duration); meanwhile: {reason}"
            ));
        }
    }

    /// Waits `pause`, less if somebody else than `failed` begins to lead. Says whether it was less.
    async fn pause(&self, failed: Option<&str>, pause: Duration, end: Boot) -> bool {
        let until = boot_now() + pause.min(end.since(boot_now()));
        while boot_now() < until {
            sleep(until.since(boot_now()).min(LOOK_EVERY)).await;
            if boot_now() < until && self.leads_elsewhere(failed).await {
                return true;
            }
        }
        false
    }

    /// Whether a master other than `known` leads; any master, if none is known.
    async fn leads_elsewhere(&self, known: Option<&str>) -> bool {
        let look = timeout(self.settings.look_again, self.masters.locate()).await;
        matches!(look, Ok(Ok(leader)) if Some(leader.as_str()) != known)
    }

    async fn is_alive(&self, address: &str) -> bool {
        let limit = self.settings.look_again;
        let settings = ChannelSettings { identity: None, connect_timeout: limit, answer_timeout: limit };
        channel::ask_whether_primary(address, &settings).await.is_ok()
    }
}

fn ended(address: &str, error: FsError) -> Ended {
    if is_worth_retrying(error.kind) {
        Ended::Failed { address: Some(address.to_owned()), reason: error.message }
    } else {
        Ended::Refused(error)
    }
}
