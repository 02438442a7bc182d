//! A client of hdfs-native that is replaced when its NameNode is silent.
//!
//! The crate waits for an answer for as long as the connection stands, and looks for the other NameNode of a pair only
//! after an error. A host that has vanished gives none, for a quarter of an hour.

use hdfs_native::{Client, ClientBuilder, HdfsError};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::types::time::{Boot, boot_now};

/// A call that was given up after so long without an answer may be one to a host that has vanished.
const SILENT: Duration = Duration::from_millis(800);
/// How long a new client has until it is replaced in its turn.
const TRIED: Duration = Duration::from_secs(3);

/// See the module text.
#[derive(Debug)]
pub struct HdfsConnection {
    url: String,
    user: String,
    /// Hadoop's properties.
    hadoop: BTreeMap<String, String>,
    /// The property that lists the NameNodes, when the URL names a name service.
    namenodes: Option<String>,
    current: Mutex<Current>,
}

#[derive(Debug)]
struct Current {
    client: Client,
    since: Boot,
    answered: Boot,
    /// How many clients were before it.
    turn: usize,
}

/// A call under way; tells the connection when it is given up.
#[derive(Debug)]
pub struct Call<'a> {
    connection: &'a HdfsConnection,
    since: Boot,
    answered: bool,
}

impl HdfsConnection {
    /// Connects to nothing yet. `service` is the name service in the URL, if it names one.
    ///
    /// # Errors
    /// A name service that is not configured well.
    pub fn new(
        url: String,
        user: String,
        hadoop: BTreeMap<String, String>,
        service: Option<&str>,
    ) -> Result<HdfsConnection, HdfsError> {
        let namenodes = service.map(|service| format!("dfs.ha.namenodes.{service}"));
        let client = build(&url, &user, hadoop.clone())?;
        let now = boot_now();
        let current = Mutex::new(Current { client, since: now, answered: now, turn: 0 });
        Ok(HdfsConnection { url, user, hadoop, namenodes, current })
    }

    /// The client of now.
    pub fn client(&self) -> Client {
        self.current.lock().client.clone()
    }

    /// Begins a call.
    pub fn begin(&self) -> Call<'_> {
        Call { connection: self, since: boot_now(), answered: false }
    }

    /// Another client takes over, which asks the next NameNode first, unless somebody was answered since then.
    fn silent(&self, since: Boot) {
        let mut current = self.current.lock();
        let now = boot_now();
        if current.answered >= since || now.since(current.since) < TRIED {
            return;
        }
        let turn = current.turn + 1;
        let mut hadoop = self.hadoop.clone();
        if let Some(listed) = self.namenodes.as_ref().and_then(|key| hadoop.get_mut(key)) {
            let mut names: Vec<&str> = listed.split(',').map(str::trim).collect();
            let first = turn % names.len();
            names.rotate_left(first);
            *listed = names.join(",");
        }
        // It was built before, of the same properties.
        let Ok(client) = build(&self.url, &self.user, hadoop) else { return };
        log::warn!("HDFS is silent, connecting anew url={}", self.url);
        *current = Current { client, since: now, answered: current.answered, turn };
    }
}

impl Call<'_> {
    /// The NameNode has said something.
    pub fn answered(mut self) {
        self.answered = true;
        let mut current = self.connection.current.lock();
        current.answered = current.answered.max(boot_now());
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.answered && boot_now().since(self.since) >= SILENT {
            self.connection.silent(self.since);
        }
    }
}

fn build(url: &str, user: &str, hadoop: BTreeMap<String, String>) -> Result<Client, HdfsError> {
    // A folder without Hadoop files: those that count are read by `conf/hadoop.rs`.
    ClientBuilder::new().with_url(url).with_user(user).with_config_dir("/dev/null").with_config(hadoop).build()
}
