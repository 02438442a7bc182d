//! Clients of hdfs-native that are replaced when their NameNode is silent.
//!
//! The crate waits for an answer for as long as the connection stands, and looks for the other NameNode of a pair only
//! after an error. A host that has vanished gives none, for a quarter of an hour. So a call that waits for long raises a
//! doubt: each NameNode is asked by a client of its own then, and who answers as the active one is asked first from then
//! on. What is asked while there is a doubt waits for its end, so that no calls pile up at a silent host.

use hdfs_native::{Client, ClientBuilder, HdfsError};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::types::time::{Boot, boot_now};

/// A call without an answer for so long raises a doubt.
const SILENT: Duration = Duration::from_millis(500);
/// And so does one that is given up after so long: masters with a short lease have short deadlines.
const GIVEN_UP: Duration = Duration::from_millis(200);
/// How long all NameNodes are asked before they are connected to anew.
const SEARCH: Duration = Duration::from_secs(3);
/// How often a call is made again by another client.
const RESTARTS_MAX: usize = 3;
/// How the crate goes through its NameNodes, unless Hadoop's files say it otherwise: until the deadline of a call, with
/// pauses that are shorter than any.
const ROUNDS: [(&str, &str); 3] = [
    ("dfs.client.failover.max.attempts", "1000000"),
    ("dfs.client.failover.sleep.base.millis", "50"),
    ("dfs.client.failover.sleep.max.millis", "500"),
];

/// See the module text.
#[derive(Debug)]
pub struct HdfsConnection {
    inner: Arc<Inner>,
    /// Looks for the active NameNode; the last one.
    search: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Inner {
    url: String,
    user: String,
    /// Hadoop's properties.
    hadoop: BTreeMap<String, String>,
    namenodes: Vec<NameNode>,
    known: watch::Sender<Known>,
}

/// One that may be the active one.
#[derive(Debug)]
struct NameNode {
    /// Leads to it alone.
    url: String,
    /// Hadoop's properties by which the crate asks it first.
    first: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Known {
    client: Client,
    /// How many clients were before it.
    replaced: u64,
    /// When somebody had an answer.
    answered: Boot,
    /// Whether a call has waited for long since then.
    is_doubted: bool,
}

impl HdfsConnection {
    /// Connects to nothing yet. `service`: the name service that the URL names, if it names one.
    ///
    /// # Errors
    /// A name service that is not configured well.
    pub fn new(
        url: String,
        user: String,
        mut hadoop: BTreeMap<String, String>,
        service: Option<&str>,
    ) -> Result<HdfsConnection, HdfsError> {
        for (name, value) in ROUNDS {
            hadoop.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        let client = build(&url, &user, hadoop.clone())?;
        let namenodes = service.map(|service| members(service, &hadoop)).filter(|found| !found.is_empty());
        let namenodes = namenodes.unwrap_or_else(|| vec![NameNode { url: url.clone(), first: BTreeMap::new() }]);
        let (known, _) = watch::channel(Known { client, replaced: 0, answered: boot_now(), is_doubted: false });
        let inner = Arc::new(Inner { url, user, hadoop, namenodes, known });
        Ok(HdfsConnection { inner, search: Mutex::default() })
    }

    /// Makes a call once.
    ///
    /// # Errors
    /// Of the call.
    pub async fn call<T, F>(&self, call: impl FnOnce(Client) -> F) -> Result<T, HdfsError>
    where
        F: Future<Output = Result<T, HdfsError>>,
    {
        let known = self.known().await;
        self.watched(call(known.client)).await
    }

    /// Makes a call that changes nothing, again when its client is replaced, unless that happens too often: a long
    /// listing looks like silence, too.
    ///
    /// # Errors
    /// Of the call.
    pub async fn ask<T, F>(&self, call: impl Fn(Client) -> F) -> Result<T, HdfsError>
    where
        F: Future<Output = Result<T, HdfsError>>,
    {
        for _ in 0..RESTARTS_MAX {
            let known = self.known().await;
            let mut changes = self.inner.known.subscribe();
            let replaced = async {
                // What it returns is locked, and must be gone before the call is.
                drop(changes.wait_for(|now| now.replaced != known.replaced).await);
            };
            tokio::select! {
                biased;
                answer = self.watched(call(known.client)) => return answer,
                () = replaced => {}
            }
        }
        self.call(call).await
    }

    /// The client of now, once there is no doubt about it.
    async fn known(&self) -> Known {
        let mut known = self.inner.known.subscribe();
        loop {
            let now = known.borrow_and_update().clone();
            if !now.is_doubted {
                return now;
            }
            self.search();
            // The search may end without a change.
            let _ = tokio::time::timeout(SEARCH, known.changed()).await;
        }
    }

    /// Awaits an answer; raises a doubt when that takes long.
    async fn watched<T>(&self, call: impl Future<Output = Result<T, HdfsError>>) -> Result<T, HdfsError> {
        let mut waiting = Waiting { connection: self, since: boot_now(), is_over: false };
        tokio::pin!(call);
        let answer = match tokio::time::timeout(SILENT, &mut call).await {
            Ok(answer) => answer,
            Err(_) => {
                if self.doubt(waiting.since) {
                    self.search();
                }
                call.await
            }
        };
        waiting.is_over = true;
        if is_answer(&answer) {
            self.inner.known.send_if_modified(|known| {
                known.answered = boot_now();
                std::mem::take(&mut known.is_doubted)
            });
        }
        answer
    }

    /// A call that began then has no answer. Says whether that is a doubt, as it is unless somebody had one since.
    fn doubt(&self, since: Boot) -> bool {
        self.inner.known.send_if_modified(|known| {
            let raises = known.answered < since && !known.is_doubted;
            known.is_doubted |= raises;
            raises
        })
    }

    fn search(&self) {
        let mut search = self.search.lock();
        if search.as_ref().is_none_or(JoinHandle::is_finished) {
            *search = Some(tokio::spawn(Arc::clone(&self.inner).search()));
        }
    }
}

impl Drop for HdfsConnection {
    fn drop(&mut self) {
        if let Some(search) = self.search.get_mut() {
            search.abort();
        }
    }
}

/// A call under way.
struct Waiting<'a> {
    connection: &'a HdfsConnection,
    since: Boot,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.is_over && boot_now().since(self.since) >= GIVEN_UP {
            self.connection.doubt(self.since);
        }
    }
}

impl Inner {
    /// Asks all NameNodes until one says that it is active, for a while.
    async fn search(self: Arc<Inner>) {
        let mut asked = JoinSet::new();
        for (at, namenode) in self.namenodes.iter().enumerate() {
            // It was built before, of the same properties.
            let Ok(client) = build(&namenode.url, &self.user, self.hadoop.clone()) else { continue };
            asked.spawn(async move { is_answer(&client.get_file_info("/").await).then_some(at) });
        }
        let found = async {
            while let Some(answer) = asked.join_next().await {
                if let Ok(Some(at)) = answer {
                    return Some(at);
                }
            }
            None
        };
        let Ok(Some(first)) = tokio::time::timeout(SEARCH, found).await else { return };
        let properties = self.hadoop.iter().chain(&self.namenodes[first].first);
        let properties = properties.map(|(name, value)| (name.clone(), value.clone())).collect();
        let Ok(client) = build(&self.url, &self.user, properties) else { return };
        let replaced = self.known.send_if_modified(|known| {
            let is_doubted = known.is_doubted;
            if is_doubted {
                let replaced = known.replaced + 1;
                *known = Known { client, replaced, answered: boot_now(), is_doubted: false };
            }
            is_doubted
        });
        if replaced {
            log::warn!("HDFS was silent, connected anew namenode={}", self.namenodes[first].url);
        }
    }
}

/// Whether a NameNode has said something. The crate keeps to itself that one is not active.
fn is_answer<T>(answer: &Result<T, HdfsError>) -> bool {
    !matches!(answer, Err(HdfsError::IOError(_)))
}

/// The NameNodes of a name service, those whose addresses are known.
fn members(service: &str, hadoop: &BTreeMap<String, String>) -> Vec<NameNode> {
    let key = format!("dfs.ha.namenodes.{service}");
    let names: Vec<&str> = hadoop.get(&key).map_or_else(Vec::new, |listed| listed.split(',').map(str::trim).collect());
    let namenode = |(at, name): (usize, &&str)| {
        let address = hadoop.get(&format!("dfs.namenode.rpc-address.{service}.{name}"))?;
        let mut order = names.clone();
        order.rotate_left(at);
        let first = BTreeMap::from([(key.clone(), order.join(","))]);
        Some(NameNode { url: format!("hdfs://{address}"), first })
    };
    names.iter().enumerate().filter_map(namenode).collect()
}

fn build(url: &str, user: &str, hadoop: BTreeMap<String, String>) -> Result<Client, HdfsError> {
    // A folder without Hadoop files: those that count are read by `conf/hadoop.rs`.
    ClientBuilder::new().with_url(url).with_user(user).with_config_dir("/dev/null").with_config(hadoop).build()
}

#[cfg(test)]
#[path = "hdfs_connection_tests.rs"]
mod tests;
