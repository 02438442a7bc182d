//! What stands behind the namespace after an episode: the UFS must have what it has as persisted, and all masters must
//! hold the same state.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::calls::persisted;
use crate::clients::now;
use crate::cluster::{MASTERS, UFS};
use crate::episode::Episodes;
use crate::hosts::address;

const NAMENODE_WEB_PORT: u16 = 9870;
const MASTER_WEB_PORT: u16 = 19999;
/// How long masters may take to finish what was under way in the UFS, and to come to the same record.
const SETTLE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Paths below a folder, and whether they are directories.
type Listing = BTreeSet<(String, bool)>;

impl Episodes<'_> {
    /// Compares what the namespace has as persisted at `root` with HDFS, both ways.
    pub fn compare_ufs(&self, root: &str) -> Option<String> {
        let compare = || {
            let named = self.runtime.block_on(persisted(&self.callers[0], root)).map_err(|error| error.to_string())?;
            let stored = self.stored(root)?;
            let (lost, foreign) = (named.difference(&stored).collect::<Vec<_>>(), stored.difference(&named));
            let foreign: Vec<_> = foreign.collect();
            if lost.is_empty() && foreign.is_empty() {
                return Ok(());
            }
            Err(format!("below {root} the UFS lacks {lost:?}, which are persisted, and has {foreign:?}, which are not"))
        };
        settled(compare)
    }

    /// Compares the states in the memories of all masters, once they are at the same record.
    pub fn compare_masters(&self) -> Option<String> {
        let compare = || {
            let told: Vec<_> = MASTERS.iter().map(|host| state(host)).collect::<Result<_, _>>()?;
            let first = &told[0];
            if told.iter().all(|state| state == first) { Ok(()) } else { Err(format!("the masters hold {told:?}")) }
        };
        settled(compare)
    }

    /// What HDFS has at `root`, by WebHDFS.
    fn stored(&self, root: &str) -> Result<Listing, String> {
        let mut found = Listing::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let path = format!("/webhdfs/v1{UFS}{root}{folder}?op=LISTSTATUS&user.name=root");
            let listed = match get(self.cluster.hdfs.active(), NAMENODE_WEB_PORT, &path)? {
                (404, _) => continue,
                (200, listed) => listed,
                (status, text) => return Err(format!("{path}: {status} {text}")),
            };
            let listed: Value = serde_json::from_str(&listed).map_err(|error| format!("{path}: {error}"))?;
            let listed = listed["FileStatuses"]["FileStatus"].as_array().ok_or_else(|| format!("{path}: {listed}"))?;
            found.insert((folder.clone(), true));
            for entry in listed {
                let name = format!("{folder}/{}", entry["pathSuffix"].as_str().unwrap_or_default());
                match entry["type"] == "DIRECTORY" {
                    true => folders.push(name),
                    false => drop(found.insert((name, false))),
                }
            }
        }
        Ok(found)
    }
}

/// The number of the last record of a master, and the digest of its state.
fn state(host: &str) -> Result<String, String> {
    match get(host, MASTER_WEB_PORT, "/v1/api/master/state_digest")? {
        (200, text) => Ok(text),
        (status, text) => Err(format!("{host}: {status} {text}")),
    }
}

/// Compares until it fits; why it did not in the end.
fn settled(compare: impl Fn() -> Result<(), String>) -> Option<String> {
    let end = now() + SETTLE.as_micros() as u64;
    loop {
        let difference = compare().err()?;
        if now() > end {
            return Some(difference);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Status and body.
fn get(host: &str, port: u16, path: &str) -> Result<(u16, String), String> {
    let failed = |error: std::io::Error| format!("{host}:{port}{path}: {error}");
    let at = format!("{}:{port}", address(host)).parse().expect("an address");
    let mut stream = TcpStream::connect_timeout(&at, ANSWER_LIMIT).map_err(failed)?;
    stream.set_read_timeout(Some(ANSWER_LIMIT)).map_err(failed)?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", address(host)).map_err(failed)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(failed)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("{host}:{port}{path}: {answer:?}"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(|| format!("{host}:{port}{path}: {head}"))?, body.to_owned()))
}
