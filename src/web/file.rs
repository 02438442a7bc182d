//! The page of a file: what it is, how it begins, and where its blocks are.

use askama::Template;
use warp::reply::Response;

use super::browse::{FileRow, way_to};
use super::content;
use super::frame::Frame;
use super::master::MasterSite;
use super::page::{Asked, Problem, html};
use super::part::{PART_BYTES, Part};
use crate::types::FileStatus;

#[derive(Template)]
#[template(path = "file.html")]
struct FilePage {
    frame: Frame,
    way: Vec<(String, String)>,
    name: String,
    file: FileRow,
    ufs_path: String,
    part: Part,
    block_bytes: i64,
    blocks: Vec<BlockRow>,
}

struct BlockRow {
    id: String,
    length: i64,
    locations: Vec<String>,
}

pub(super) async fn show(site: &MasterSite, asked: &Asked, status: &FileStatus) -> Result<Response, Problem> {
    let length = u64::try_from(status.length).unwrap_or(0);
    let offset = Part::asked(asked, length)?;
    let read = if status.completed {
        let read = content::part(&site.files, &status.path, offset.cast_signed(), PART_BYTES).await;
        read.map_err(|error| format!("The content cannot be read: {error}"))
    } else {
        // Compatible: 1.2.0, the text.
        Err("The requested file is not complete yet.".to_owned())
    };
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
        part: Part::new(asked, ("/browse", "/download"), status.path.as_str(), (offset, length), read),
        block_bytes: status.block_size_bytes,
        blocks: blocks.collect(),
    })
}
