//! `/memory`: the files of which workers hold something.

use std::sync::Arc;

use askama::Template;
use warp::reply::Response;

use super::browse::FileRow;
use super::frame::Frame;
use super::master::{MasterSite, mismatch};
use super::page::{Asked, Problem, check_files_shown, html};
use crate::master::ops::{Answer, Query};
use crate::types::{FileStatus, InodeId};

/// Files of a page whose reader asks for no number, and the most.
const LIMIT: u64 = 100;
const LIMIT_MAX: u64 = 1000;

#[derive(Template)]
#[template(path = "memory.html")]
struct MemoryPage {
    frame: Frame,
    rows: Vec<FileRow>,
    /// The first files, when these are others.
    first: Option<String>,
    next: Option<String>,
}

pub(super) async fn show(site: Arc<MasterSite>, asked: Asked) -> Result<Response, Problem> {
    check_files_shown(site.as_ref())?;
    // Files come by their ids: there may be millions, and an offset would have to count them.
    let after = asked.number("after", 0, 0..=i64::MAX as u64)?;
    let limit = asked.number("limit", LIMIT, 1..=LIMIT_MAX)?;
    let query = Query::InAlluxio { after: InodeId(after.cast_signed()), limit: limit as usize };
    let answer = site.ask(query).await?;
    let Answer::InAlluxio { files, last } = answer else { return Err(mismatch(&answer).into()) };
    let limit = limit.to_string();
    let row = |status: &FileStatus| FileRow { name: status.path.as_str().to_owned(), ..FileRow::of(&asked, status) };
    html(&MemoryPage {
        frame: Frame::new(site.as_ref(), &asked, "In-Alluxio Data"),
        rows: files.iter().map(row).collect(),
        first: (after > 0).then(|| asked.link("/memory", &[("limit", &limit)])),
        next: last.map(|last| asked.link("/memory", &[("after", &last.0.to_string()), ("limit", &limit)])),
    })
}
