//! What the pages of both servers have from the properties.

use std::time::Duration;

use crate::client::{ChannelSettings, ClientSettings, DataSettings, FileSystem, RetrySettings};
use crate::conf::{Authentication, Conf, keys};
use crate::rpc::channel::Identity;
use crate::rpc::identity::{self, NoUser};
use crate::rpc::locate::Locate;

/// How long the pages go on trying to read a file: less than their readers wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// See the module text.
#[derive(Debug)]
pub(super) struct WebSettings {
    /// Whether there are pages.
    pub(super) ui_enabled: bool,
    /// Whether they show what files hold.
    pub(super) files_shown: bool,
    /// Seconds between two loads of a page that refreshes itself.
    pub(super) refresh_s: u64,
    /// As whom the pages look at files; "" when nobody is asked who they are.
    pub(super) user: String,
    /// All of it.
    pub(super) conf: Conf,
}

impl WebSettings {
    /// # Errors
    /// It is not known as whom the pages are to look at files.
    pub(super) fn of(conf: &Conf) -> Result<WebSettings, NoUser> {
        let user = match conf.get(&keys::WEB_LOGIN_USERNAME) {
            Some(user) => user,
            // Compatible: 1.2.0 and 2.9, whose pages act as the user of the server.
            None => identity::of_process(conf)?.map_or_else(String::new, |identity| identity.user),
        };
        Ok(WebSettings {
            ui_enabled: conf.get(&keys::WEB_UI_ENABLED),
            files_shown: conf.get(&keys::WEB_FILE_INFO_ENABLED),
            refresh_s: conf.get(&keys::WEB_REFRESH_INTERVAL).as_secs().max(1),
            user,
            conf: conf.clone(),
        })
    }

    /// Files as the user of the pages reads them, through the client of the shell.
    pub(super) fn files(&self, masters: Box<dyn Locate>) -> FileSystem {
        let asked = !matches!(self.conf.get(&keys::AUTHENTICATION_TYPE), Authentication::NoSasl);
        let identity = asked.then(|| Identity { user: self.user.clone(), on_behalf_of: None });
        let channel = ChannelSettings { identity, ..ChannelSettings::default() };
        let retry = RetrySettings { max_duration: PATIENCE, ..RetrySettings::default() };
        let data = DataSettings::read(&self.conf, &channel);
        let data = DataSettings { read_retry: RetrySettings { max_duration: PATIENCE, ..data.read_retry }, ..data };
        FileSystem::new(masters, ClientSettings { channel, retry, ..ClientSettings::default() }, data)
    }
}
