//! What a journal folder on a local disk holds, and how much room its disk has.

use super::layout::{self, CHECKPOINTS, EPOCHS, parse_checkpoint, parse_epoch};
use super::{Room, Usage};
use crate::types::time::Millis;
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// The size of what is in the folder. What goes away meanwhile counts as gone.
pub(super) fn usage(folder: &Path) -> io::Result<Usage> {
    let mut usage = Usage { room: Some(room(folder)?), ..Usage::default() };
    for (name, _) in entries(&folder.join(EPOCHS))? {
        if let Some(epoch) = parse_epoch(&name) {
            let files = entries(&folder.join(layout::epoch_folder(epoch)))?;
            usage.bytes += files.iter().map(|(_, file)| file.len()).sum::<u64>();
        }
    }
    for (name, file) in entries(&folder.join(CHECKPOINTS))? {
        usage.bytes += file.len();
        if parse_checkpoint(&name).is_some() {
            usage.checkpoint_at = usage.checkpoint_at.max(modified(&file));
        }
    }
    Ok(usage)
}

/// What the disk of the folder has for those who are not root.
fn room(folder: &Path) -> io::Result<Room> {
    let told = rustix::fs::statvfs(folder)?;
    let bytes = |blocks: u64| blocks.saturating_mul(told.f_frsize);
    Ok(Room { total_bytes: bytes(told.f_blocks), free_bytes: bytes(told.f_bavail) })
}

fn modified(file: &Metadata) -> Option<Millis> {
    let since = file.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    Some(Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
}

/// Names in a folder and what they are; none when it is not there.
fn entries(folder: &Path) -> io::Result<Vec<(String, Metadata)>> {
    let listed = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut found = Vec::new();
    for entry in listed {
        let entry = entry?;
        match entry.metadata() {
            Ok(metadata) => found.push((entry.file_name().to_string_lossy().into_owned(), metadata)),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(found)
}
