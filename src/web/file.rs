//! The page of a file: what it is, and where its blocks are.

use askama::Template;
use warp::reply::Response;

use super::browse::{FileRow, way_to};
use super::frame::Frame;
use super::master::MasterSite;
use super::page::{Asked, Problem, html};
use crate::types::FileStatus;

#[derive(Template)]
#[template(path = "file.html")]
struct FilePage {
    frame: Frame,
    way: Vec<(String, String)>,
    name: String,
    file: FileRow,
    ufs_path: String,
    block_bytes: i64,
    blocks: Vec<BlockRow>,
}

struct BlockRow {
    id: String,
    length: i64,
    locations: Vec<String>,
}

pub(super) async fn show(site: &MasterSite, asked: &Asked, status: &FileStatus) -> Result<Response, Problem> {
    let mut way = way_to(asked, &status.path);
    let name = way.pop().map_or_else(String::new, |(name, _)| name);
    let blocks = status.blocks.iter().map(|block| BlockRow {
        id: block.id.to_string(),
        length: block.length,
        locations: block.locations.iter().map(|copy| format!("{} {}", copy.address.host, copy.tier_alias)).collect(),
    });
    html(&FilePage {
        frame: Frame::new(site, asked, &format!("Browse {}", status.path)),
        way,
        name,
        file: FileRow::of(asked, status),
        ufs_path: status.ufs_path.clone(),
        block_bytes: status.block_size_bytes,
        blocks: blocks.collect(),
    })
}
