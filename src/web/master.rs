//! The pages of a master: what they know, as whom they ask, and when they are there.

use std::sync::Arc;
use std::time::Duration;

use super::frame::{Place, State};
use super::page::Site;
use super::port::{WebPort, peer, serve};
use super::routes;
use super::settings::WebSettings;
use super::watch::{Health, Watched};
use crate::client::FileSystem;
use crate::conf::{Conf, keys};
use crate::logs::ServerLog;
use crate::master::audit::Client;
use crate::master::figures;
use crate::master::ops::{Answer, LoadMetadata, Query};
use crate::master::runtime::Progress;
use crate::master::start::{Beside, Running};
use crate::metrics::{ProcessFigures, Shown};
use crate::rpc::callers::{Callers, GroupSource};
use crate::rpc::handshake::AuthenticationType;
use crate::rpc::identity::NoUser;
use crate::rpc::listen::ServerError;
use crate::rpc::locate::Fixed;
use crate::types::time::{Millis, wall_now};
use crate::types::{ErrorKind, FsError};

/// A loop that has not ended a step for so long does not work any more: it takes one each second.
const STANDSTILL_MAX: Duration = Duration::from_secs(10);

/// The web server of a master that is yet to run.
#[derive(Debug)]
pub struct MasterWeb {
    port: WebPort,
    /// Whether the pages are there while this master is not primary.
    on_standby: bool,
    settings: WebSettings,
    log: ServerLog,
}

impl MasterWeb {
    /// By its properties.
    ///
    /// # Errors
    /// It is not known as whom the pages are to look at files.
    pub fn of(conf: &Conf, log: &ServerLog) -> Result<MasterWeb, NoUser> {
        Ok(MasterWeb {
            port: WebPort::of(conf, &keys::MASTER_WEB_BIND_HOST, &keys::MASTER_WEB_PORT),
            on_standby: conf.get(&keys::STANDBY_WEB_ENABLED),
            settings: WebSettings::of(conf)?,
            log: log.clone(),
        })
    }
}

impl Beside for MasterWeb {
    async fn check(&self) -> Result<(), ServerError> {
        self.port.bind().await.map(drop)
    }

    async fn run(self, master: Running) {
        let mut progress = master.handle.progress();
        if !self.on_standby && progress.wait_for(|progress| matches!(progress, Progress::Primary(_))).await.is_err() {
            // The loop has ended, and with it this task.
            return std::future::pending().await;
        }
        let listener = self.port.bind_at_last().await;
        // Itself: if it does not lead any more, its pages have nothing to show.
        let files = self.settings.files(Box::new(Fixed { address: master.cluster.address.clone() }));
        let site = MasterSite {
            master,
            files: Arc::new(files),
            callers: Callers::new(GroupSource::of(&self.settings.conf)),
            settings: self.settings,
            log: self.log,
            started: wall_now(),
            digesting: tokio::sync::Mutex::default(),
        };
        serve(listener, routes::of_master(&Arc::new(site))).await;
    }
}

/// What all pages of a master share.
pub(super) struct MasterSite {
    pub(super) master: Running,
    pub(super) settings: WebSettings,
    /// What files hold.
    pub(super) files: Arc<FileSystem>,
    pub(super) log: ServerLog,
    callers: Callers,
    pub(super) started: Millis,
    /// Held by who has the whole state read: one at a time.
    pub(super) digesting: tokio::sync::Mutex<()>,
}

impl Site for MasterSite {
    fn settings(&self) -> &WebSettings {
        &self.settings
    }

    fn place(&self) -> Place {
        let mut menu = vec![("Overview", "/home")];
        if self.settings.files_shown {
            menu.push(("Browse", "/browse?path=/"));
        }
        menu.extend([("Configuration", "/configuration"), ("Workers", "/workers")]);
        if self.settings.files_shown {
            menu.push(("In-Alluxio Data", "/memory"));
        }
        menu.extend([("Logs", "/browseLogs"), ("Masters", "/masters"), ("Metrics", "/metricsui")]);
        Place {
            server: "master",
            address: self.master.cluster.address.clone(),
            state: match self.master.handle.is_primary() {
                true => State { word: "primary", class: "good" },
                false => State { word: "standby", class: "warn" },
            },
            menu,
            refresh_s: self.settings.refresh_s,
        }
    }
}

impl MasterSite {
    /// Answers a question as the RPC would: through the same gate, with the rights of the user of the pages.
    pub(super) async fn ask(&self, query: Query) -> Result<Answer, FsError> {
        self.master.front.query(&self.client().await, query).await
    }

    /// The same, and the UFS is looked at first, as `ls` does.
    pub(super) async fn look(&self, query: Query) -> Result<Answer, FsError> {
        self.master.front.look(&self.client().await, query, LoadMetadata::Once.into()).await
    }

    /// The groups that a new owner must be in, if it gets a group at the same time; none when nobody's are known.
    pub(super) async fn groups_to_compare(&self, owner: &str) -> Option<Vec<String>> {
        match self.settings.user.is_empty() {
            true => None,
            false => Some(self.callers.get(owner).await.groups.clone()),
        }
    }

    /// How many records each standby is behind, without those that do not tell.
    async fn lags(&self) -> Vec<(String, u64)> {
        let standbys = self.master.cluster.masters.look().await.masters.into_iter().filter(|master| !master.is_primary);
        standbys.filter_map(|standby| Some((standby.address, standby.lag?))).collect()
    }

    /// As whom is asked, and from where.
    pub(super) async fn client(&self) -> Client {
        let authentication =
            if self.settings.user.is_empty() { AuthenticationType::NoSasl } else { AuthenticationType::Simple };
        Client { caller: self.callers.get(&self.settings.user).await, authentication, address: peer() }
    }
}

impl Watched for MasterSite {
    async fn shown(&self) -> Shown {
        let handle = &self.master.handle;
        let (counters, figures) = (handle.counters(), figures::read(handle).await);
        let shown = Shown::default().add("master", counters.as_ref()).add("master", &figures);
        let shown = shown.add("process", &ProcessFigures::read()).add_flushes(handle.flush_times());
        match handle.is_primary() {
            true => shown.add_lags(self.lags().await),
            false => shown,
        }
    }

    fn health(&self) -> Health {
        let role = self.readiness().role;
        let stands_still = self.master.handle.stands_still_for() > STANDSTILL_MAX;
        let reason = if stands_still { "the loop of the master stands still" } else { "" };
        Health { is_well: !stands_still, role, reason }
    }

    fn readiness(&self) -> Health {
        let handle = &self.master.handle;
        match *handle.progress().borrow() {
            _ if handle.is_primary() => Health { is_well: true, role: "primary", reason: "" },
            Progress::Entered => Health { is_well: true, role: "standby", reason: "" },
            Progress::Starting => {
                Health { is_well: false, role: "starting", reason: "it has not read the journal yet" }
            }
            Progress::Primary(_) => Health { is_well: false, role: "primary", reason: "it is stopping" },
        }
    }
}

/// The answer was of another kind than the question.
pub(super) fn mismatch(answer: &Answer) -> FsError {
    FsError::new(ErrorKind::Internal, format!("a question was answered with {answer:?}"))
}
