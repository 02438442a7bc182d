//! `/browse`: what a directory holds, page by page.

use std::sync::Arc;

use askama::Template;
use chrono::Local;
use warp::reply::Response;

use super::file;
use super::frame::Frame;
use super::master::{MasterSite, mismatch};
use super::page::{Asked, Problem, check_files_shown, html};
use super::paging::Paging;
use crate::master::ops::{Answer, Part, Query};
use crate::types::texts::{mode, size, time};
use crate::types::{AlluxioPath, FileStatus};

#[derive(Template)]
#[template(path = "browse.html")]
struct DirectoryPage {
    frame: Frame,
    /// The way to the directory: name and link of each part.
    way: Vec<(String, String)>,
    name: String,
    rows: Vec<FileRow>,
    paging: Paging,
}

/// A file or directory in a table.
pub(super) struct FileRow {
    pub(super) name: String,
    pub(super) link: String,
    pub(super) is_directory: bool,
    pub(super) size: String,
    pub(super) block_size: String,
    pub(super) in_alluxio: i32,
    pub(super) mode: String,
    pub(super) owner: String,
    pub(super) group: String,
    pub(super) persistence: &'static str,
    pub(super) pinned: bool,
    pub(super) created: String,
    pub(super) modified: String,
}

pub(super) async fn show(site: Arc<MasterSite>, asked: Asked) -> Result<Response, Problem> {
    check_files_shown(site.as_ref())?;
    let path = asked.path()?;
    let answer = site.look(Query::GetStatus { path: path.clone() }).await?;
    let Answer::Status(status) = answer else { return Err(mismatch(&answer).into()) };
    if status.folder { directory(&site, &asked, &path).await } else { file::show(&site, &asked, &status).await }
}

async fn directory(site: &MasterSite, asked: &Asked, path: &AlluxioPath) -> Result<Response, Problem> {
    let (offset, limit) = Paging::asked(asked)?;
    let answer = site.look(Query::ListPart { path: path.clone(), offset, limit }).await?;
    let Answer::List(Part { statuses, .. }) = answer else { return Err(mismatch(&answer).into()) };
    // Only now is it known how many there are: listing may have loaded them.
    let answer = site.ask(Query::GetStatus { path: path.clone() }).await?;
    let Answer::Status(status) = answer else { return Err(mismatch(&answer).into()) };
    let total = usize::try_from(status.length).unwrap_or(0);
    let paging = Paging::new(asked, "/browse", &[("path", path.as_str())], total, offset, limit)?;
    let mut way = way_to(asked, path);
    let name = way.pop().map_or_else(String::new, |(name, _)| name);
    let rows = statuses.iter().map(|status| FileRow::of(asked, status)).collect();
    html(&DirectoryPage { frame: Frame::new(site, asked, &format!("Browse {path}")), way, name, rows, paging })
}

impl FileRow {
    pub(super) fn of(asked: &Asked, status: &FileStatus) -> FileRow {
        FileRow {
            name: status.path.name().to_owned(),
            link: asked.link("/browse", &[("path", status.path.as_str())]),
            is_directory: status.folder,
            size: if status.folder { String::new() } else { size(status.length) },
            block_size: if status.folder { String::new() } else { size(status.block_size_bytes) },
            in_alluxio: status.in_alluxio_percentage,
            mode: mode(status),
            owner: status.owner.clone(),
            group: status.group.clone(),
            persistence: status.persistence.text(),
            pinned: status.pinned,
            created: time(status.creation_time_ms, &Local),
            modified: time(status.modification_time_ms, &Local),
        }
    }
}

/// The parts of a path from the root on, each with a link to it.
pub(super) fn way_to(asked: &Asked, path: &AlluxioPath) -> Vec<(String, String)> {
    let mut parts = vec![("/".to_owned(), asked.link("/browse", &[("path", "/")]))];
    let mut above = AlluxioPath::root();
    for name in path.components() {
        above = above.join(name);
        parts.push((name.to_owned(), asked.link("/browse", &[("path", above.as_str())])));
    }
    parts
}
