//! The pages of a worker: what they know, and as whom they ask.

use std::sync::Arc;

use super::frame::{Place, State};
use super::page::Site;
use super::port::{WebPort, serve};
use super::routes;
use super::settings::WebSettings;
use crate::client::FileSystem;
use crate::conf::{Conf, keys};
use crate::election::{FindError, configured};
use crate::logs::ServerLog;
use crate::rpc::identity::NoUser;
use crate::rpc::listen::ServerError;
use crate::rpc::locate::Locate;
use crate::types::time::{Millis, wall_now};
use crate::worker::start::{Beside, Running};

/// How long one look for the primary may take when several addresses are configured.
const SWEEP: std::time::Duration = std::time::Duration::from_millis(500);

/// Why a worker has no web pages.
#[derive(Debug, thiserror::Error)]
pub enum WorkerWebError {
    /// It is not known as whom they are to look at files.
    #[error(transparent)]
    NoUser(#[from] NoUser),
    /// It is not known where the masters are.
    #[error(transparent)]
    Masters(#[from] FindError),
}

/// The web server of a worker that is yet to run.
#[derive(Debug)]
pub struct WorkerWeb {
    port: WebPort,
    masters: Box<dyn Locate>,
    settings: WebSettings,
    log: ServerLog,
}

impl WorkerWeb {
    /// By its properties.
    ///
    /// # Errors
    /// They do not say as whom the pages are to ask, or where the masters are.
    pub fn of(conf: &Conf, log: &ServerLog) -> Result<WorkerWeb, WorkerWebError> {
        Ok(WorkerWeb {
            port: WebPort::of(conf, &keys::WORKER_WEB_BIND_HOST, &keys::WORKER_WEB_PORT),
            masters: configured::primary(conf, SWEEP)?,
            settings: WebSettings::of(conf)?,
            log: log.clone(),
        })
    }
}

impl Beside for WorkerWeb {
    async fn run(self, worker: Running) -> Result<impl Future<Output = ()> + Send, ServerError> {
        let listener = self.port.bind().await?;
        let files = Arc::new(self.settings.files(self.masters));
        let site = WorkerSite { worker, files, settings: self.settings, log: self.log, started: wall_now() };
        Ok(serve(listener, routes::of_worker(&Arc::new(site))))
    }
}

/// What all pages of a worker share.
pub(super) struct WorkerSite {
    pub(super) worker: Running,
    pub(super) settings: WebSettings,
    pub(super) log: ServerLog,
    /// The namespace, with the rights of the user of the pages.
    pub(super) files: Arc<FileSystem>,
    pub(super) started: Millis,
}

impl Site for WorkerSite {
    fn settings(&self) -> &WebSettings {
        &self.settings
    }

    fn place(&self) -> Place {
        let mut menu = vec![("Overview", "/home")];
        if self.settings.files_shown {
            menu.push(("BlockInfo", "/blockInfo"));
        }
        menu.extend([
            ("Configuration", "/configuration"),
            ("Logs", "/browseLogs"),
            ("Metrics", "/metricsui"),
            ("Return to Master", "/toMaster"),
        ]);
        Place {
            server: "worker",
            address: self.worker.address.endpoint(),
            state: match self.worker.registrations.count() {
                0 => State { word: "known to no master", class: "bad" },
                _ => State { word: "registered", class: "good" },
            },
            menu,
            refresh_s: self.settings.refresh_s,
        }
    }
}
