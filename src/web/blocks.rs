//! `/blockInfo` of a worker: the files of which it holds blocks, and the blocks of one of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use chrono::Local;
use tokio::task::JoinSet;
use warp::reply::Response;

use super::frame::Frame;
use super::page::{Asked, Problem, check_files_shown, html};
use super::paging::Paging;
use super::worker::WorkerSite;
use crate::types::texts::{size, time};
use crate::types::{BlockId, FileStatus};

/// The directory of each block that the worker holds of a file.
type Held = BTreeMap<BlockId, usize>;

#[derive(Template)]
#[template(path = "block_info.html")]
struct FilesPage {
    frame: Frame,
    tiers: Vec<String>,
    rows: Vec<FileRow>,
    paging: Paging,
}

struct FileRow {
    /// None when the file is gone, may not be seen, or the primary does not answer.
    file: Option<File>,
    container: i64,
}

struct File {
    path: String,
    link: String,
    /// Per cent of the file in each tier here.
    in_tiers: Vec<i64>,
    size: String,
    created: String,
    modified: String,
}

#[derive(Template)]
#[template(path = "block_list.html")]
struct BlocksPage {
    frame: Frame,
    /// The list of all files.
    all: String,
    path: String,
    blocks: Vec<(String, String, i64)>,
}

pub(super) async fn show(site: Arc<WorkerSite>, asked: Asked) -> Result<Response, Problem> {
    check_files_shown(site.as_ref())?;
    match asked.text("path") {
        Some(_) => blocks(&site, &asked).await,
        None => files(&site, &asked).await,
    }
}

async fn files(site: &Arc<WorkerSite>, asked: &Asked) -> Result<Response, Problem> {
    let (offset, limit) = Paging::asked(asked)?;
    let mut by_file: BTreeMap<i64, Held> = BTreeMap::new();
    for (block, directory) in site.worker.store.report().0 {
        by_file.entry(block.container()).or_default().insert(block, directory);
    }
    let paging = Paging::new(asked, "/blockInfo", &[], by_file.len(), offset, limit)?;
    let mut asking = JoinSet::new();
    let shown: Vec<(i64, Held)> = by_file.into_iter().skip(offset).take(limit).collect();
    for (at, (container, _)) in shown.iter().enumerate() {
        let (site, container) = (Arc::clone(site), *container);
        asking.spawn(async move { (at, visible(&site, container).await) });
    }
    let statuses: BTreeMap<usize, Option<FileStatus>> = asking.join_all().await.into_iter().collect();
    let row = |((at, status), (container, held)): ((usize, Option<FileStatus>), (i64, Held))| {
        debug_assert!(at < limit, "{at}");
        FileRow { file: status.map(|status| file(site, asked, &status, &held)), container }
    };
    html(&FilesPage {
        frame: Frame::new(site.as_ref(), asked, "BlockInfo"),
        tiers: site.worker.store.settings().tier_aliases.clone(),
        rows: statuses.into_iter().zip(shown).map(row).collect(),
        paging,
    })
}

/// The file, if the user of the pages may see it: the primary tells a worker the path of any, and then the user's
/// rights to that path are what counts.
async fn visible(site: &WorkerSite, container: i64) -> Option<FileStatus> {
    let status = site.worker.primary.file(container).await.ok()?;
    let seen = site.files.get_status(&status.path).await.ok()?;
    (seen.id == status.id).then_some(seen)
}

fn file(site: &WorkerSite, asked: &Asked, status: &FileStatus, held: &Held) -> File {
    let store = &site.worker.store;
    let mut bytes = vec![0_i64; store.settings().tier_aliases.len()];
    for block in &status.blocks {
        if let Some(directory) = held.get(&block.id) {
            bytes[store.tier_of(*directory)] += block.length;
        }
    }
    let percent = |bytes| if status.length == 0 { 100 } else { bytes * 100 / status.length };
    File {
        path: status.path.as_str().to_owned(),
        link: asked.link("/blockInfo", &[("path", status.path.as_str())]),
        in_tiers: bytes.into_iter().map(percent).collect(),
        size: size(status.length),
        created: time(status.creation_time_ms, &Local),
        modified: time(status.modification_time_ms, &Local),
    }
}

async fn blocks(site: &WorkerSite, asked: &Asked) -> Result<Response, Problem> {
    let path = asked.path()?;
    let status = site.files.get_status(&path).await?;
    let store = &site.worker.store;
    let held: Held = store.report().0.into_iter().collect();
    let here = status.blocks.iter().filter_map(|block| {
        let tier = store.tier_of(*held.get(&block.id)?);
        Some((block.id.to_string(), store.settings().tier_aliases[tier].clone(), block.length))
    });
    html(&BlocksPage {
        frame: Frame::new(site, asked, &format!("BlockInfo {path}")),
        all: asked.link("/blockInfo", &[]),
        path: path.as_str().to_owned(),
        blocks: here.collect(),
    })
}
