//! `/browseLogs` and `/downloadLocal`: the log files of this server, and nothing else of its disk.
//!
//! A file is named by its name alone, is in the folder of the logs itself, and is no symbolic link.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use askama::Template;
use bytes::Bytes;
use chrono::Local;
use rustix::fs::{Mode, OFlags};
use tokio::task::spawn_blocking;
use warp::http::StatusCode;
use warp::reply::Response;

use super::content::{Chunks, Sink};
use super::frame::Frame;
use super::page::{Asked, Problem, Site, html};
use super::paging::Paging;
use super::part::{PART_BYTES, Part};
use crate::conf::keys;
use crate::types::texts::{size, time};

/// Bytes of a log file in one chunk of a download.
const CHUNK_BYTES: usize = 64 << 10;

#[derive(Template)]
#[template(path = "logs.html")]
struct LogsPage {
    frame: Frame,
    folder: String,
    rows: Vec<LogRow>,
    paging: Paging,
}

struct LogRow {
    name: String,
    link: String,
    size: String,
    modified: String,
}

#[derive(Template)]
#[template(path = "log.html")]
struct LogPage {
    frame: Frame,
    /// The list of all log files.
    logs: String,
    name: String,
    part: Part,
}

pub(super) async fn show<S: Site>(site: Arc<S>, asked: Asked) -> Result<Response, Problem> {
    match asked.text("path").map(str::to_owned) {
        Some(path) if path != "/" => file(site.as_ref(), &asked, &path).await,
        _ => folder(site.as_ref(), &asked).await,
    }
}

/// All bytes that a log file has now.
pub(super) async fn download<S: Site>(site: Arc<S>, asked: Asked) -> Result<Response, Problem> {
    let path = asked.text("path").unwrap_or_default().to_owned();
    let (log, length) = open(site.as_ref(), &path).await?;
    let name = path.trim_start_matches('/');
    Ok(Chunks::of(|sink| fill(log.take(length), sink)).attached(name, length))
}

async fn fill(mut log: std::io::Take<File>, sink: Sink) {
    loop {
        let read = spawn_blocking(move || {
            let mut chunk = vec![0; CHUNK_BYTES];
            let read = log.read(&mut chunk).map(|bytes| {
                chunk.truncate(bytes);
                Bytes::from(chunk)
            });
            (log, read)
        });
        let Ok((rest, chunk)) = read.await else { return };
        log = rest;
        let goes_on = chunk.is_ok();
        if chunk.as_ref().is_ok_and(Bytes::is_empty) {
            return;
        }
        // Whoever asked may have gone away.
        if sink.send(chunk).await.is_err() || !goes_on {
            return;
        }
    }
}

async fn folder(site: &dyn Site, asked: &Asked) -> Result<Response, Problem> {
    let (offset, limit) = Paging::asked(asked)?;
    let folder = logs_dir(site);
    let shown = folder.display().to_string();
    let listed = blocking(move || list(&folder)).await;
    let logs = listed.map_err(|error| unreadable(&shown, &error))?;
    let paging = Paging::new(asked, "/browseLogs", &[], logs.len(), offset, limit)?;
    let row = |(name, bytes, modified): (String, u64, i64)| LogRow {
        link: asked.link("/browseLogs", &[("path", &format!("/{name}"))]),
        name,
        size: size(i64::try_from(bytes).unwrap_or(i64::MAX)),
        modified: time(modified, &Local),
    };
    let rows = logs.into_iter().skip(offset).take(limit).map(row).collect();
    html(&LogsPage { frame: Frame::new(site, asked, "Logs"), folder: shown, rows, paging })
}

async fn file(site: &dyn Site, asked: &Asked, path: &str) -> Result<Response, Problem> {
    let (mut log, length) = open(site, path).await?;
    let offset = Part::asked(asked, length)?;
    let read = blocking(move || {
        let mut content = Vec::new();
        log.seek(SeekFrom::Start(offset))?;
        log.take(PART_BYTES as u64).read_to_end(&mut content)?;
        Ok(content)
    });
    let read = read.await.map_err(|error| error.to_string());
    html(&LogPage {
        frame: Frame::new(site, asked, path.trim_start_matches('/')),
        logs: asked.link("/browseLogs", &[]),
        name: path.trim_start_matches('/').to_owned(),
        part: Part::new(asked, ("/browseLogs", "/downloadLocal"), path, (offset, length), read),
    })
}

/// A log file, and its length now.
async fn open(site: &dyn Site, path: &str) -> Result<(File, u64), Problem> {
    let name = path.strip_prefix('/').unwrap_or(path).to_owned();
    if name.contains(['/', '\0']) || !is_log(&name) {
        let text = format!("path = {path}: it must be the name of a log file, as /browseLogs lists them");
        return Err(Problem::new(StatusCode::BAD_REQUEST, text));
    }
    let folder = logs_dir(site);
    let opened = blocking(move || open_plain(&folder, &name)).await;
    opened.map_err(|error| match error.kind() {
        ErrorKind::NotFound => Problem::new(StatusCode::NOT_FOUND, format!("There is no log file {path}.")),
        _ => unreadable(path, &error),
    })
}

/// A plain file of this name in the folder itself. A link, a folder or a pipe is refused as not found.
fn open_plain(folder: &Path, name: &str) -> Result<(File, u64), Error> {
    let folder = rustix::fs::open(folder, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(&folder, name, flags, Mode::empty()).map_err(|error| match error {
        rustix::io::Errno::LOOP => ErrorKind::NotFound.into(),
        error => Error::from(error),
    })?;
    let file = File::from(opened);
    let facts = file.metadata()?;
    if !facts.is_file() {
        return Err(ErrorKind::NotFound.into());
    }
    Ok((file, facts.len()))
}

/// Name, bytes and time of the last change of every log file, by name.
fn list(folder: &Path) -> Result<Vec<(String, u64, i64)>, Error> {
    let mut logs = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        // Of a link, the link itself is looked at; one that has just been rotated away is not there any more.
        let Some((name, facts)) = name.to_str().zip(entry.metadata().ok()) else { continue };
        if is_log(name) && facts.is_file() {
            let modified = facts.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            let modified = modified.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
            logs.push((name.to_owned(), facts.len(), modified));
        }
    }
    logs.sort();
    Ok(logs)
}

/// `master.log`, `master.log.1`, `worker.out`: what the servers and their launchers write.
fn is_log(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(OsStr::to_str).unwrap_or_default();
    !name.starts_with('.') && (matches!(ending, "log" | "out") || name.contains(".log.") || name.contains(".out."))
}

fn logs_dir(site: &dyn Site) -> PathBuf {
    site.settings().conf.get(&keys::LOGS_DIR)
}

fn unreadable(what: &str, error: &Error) -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("{what} cannot be read: {error}"))
}

async fn blocking<R: Send + 'static>(work: impl FnOnce() -> Result<R, Error> + Send + 'static) -> Result<R, Error> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(Error::other(error)))
}
