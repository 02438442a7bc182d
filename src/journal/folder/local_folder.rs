//! What a journal folder on a local disk holds, and how much room its disk has.

use super::layout::{self, CHECKPOINTS, EPOCHS, parse_checkpoint, parse_epoch, parse_segment, parse_temporary};
use super::{Listing, Room, Usage};
use crate::types::SequenceNumber;
use crate::types::time::Millis;
use std::fs::{DirEntry, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// Its segments and checkpoints.
pub(super) fn list(folder: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for epoch in names(&folder.join(EPOCHS))?.iter().filter_map(|name| parse_epoch(name)) {
        let above = folder.join(layout::epoch_folder(epoch));
        // Other names than ours are passed over, and so is what is no folder.
        let files = if above.is_dir() { names(&above)? } else { Vec::new() };
        for (name, segment) in files.iter().filter_map(|name| Some((name, parse_segment(epoch, name)?))) {
            refuse_no_file(&above.join(name))?;
            listing.segments.push(segment);
        }
    }
    let above = folder.join(CHECKPOINTS);
    for (name, checkpoint) in names(&above)?.iter().filter_map(|name| Some((name, parse_checkpoint(name)?))) {
        refuse_no_file(&above.join(name))?;
        listing.checkpoints.push(checkpoint);
    }
    listing.segments.sort_unstable();
    listing.checkpoints.sort_unstable();
    Ok(listing)
}

/// Refuses what is no folder, or may not be looked at.
pub(super) fn refuse_no_folder(path: &Path) -> io::Result<()> {
    if std::fs::metadata(path)?.is_dir() { Ok(()) } else { Err(ErrorKind::NotADirectory.into()) }
}

/// Refuses what has the name of a file of ours and is none: a pipe would never be read, a link may lead nowhere.
pub(super) fn refuse_no_file(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        // It was deleted meanwhile.
        Err(error) if error.kind() == ErrorKind::NotFound && std::fs::symlink_metadata(path).is_err() => Ok(()),
        _ => Err(io::Error::other(format!("{} is no file, or a link that leads to none", path.display()))),
    }
}

/// Deletes what was to become a checkpoint up to `newest` from the folder of the checkpoints.
pub(super) fn delete_unfinished(checkpoints: &Path, newest: SequenceNumber) -> io::Result<()> {
    let is_older = |name: &&String| parse_temporary(name).is_some_and(|id| id.sequence <= newest);
    let names = names(checkpoints)?;
    names.iter().filter(is_older).try_for_each(|name| missing_is_fine(std::fs::remove_file(checkpoints.join(name))))
}

/// The size of what is in the folder. What goes away meanwhile counts as gone.
pub(super) fn usage(folder: &Path) -> io::Result<Usage> {
    let mut usage = Usage { room: Some(room(folder)?), ..Usage::default() };
    for (name, _) in entries(&folder.join(EPOCHS))? {
        let epoch = parse_epoch(&name).filter(|epoch| folder.join(layout::epoch_folder(*epoch)).is_dir());
        if let Some(epoch) = epoch {
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

/// What is in a folder; nothing when it is not there.
fn read_folder(folder: &Path) -> io::Result<Vec<DirEntry>> {
    match std::fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        // Which folder: the caller names the journal only.
        listed => listed.map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", folder.display())))?.collect(),
    }
}

fn name_of(entry: &DirEntry) -> String {
    entry.file_name().to_string_lossy().into_owned()
}

/// Names in a folder.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    Ok(read_folder(folder)?.iter().map(name_of).collect())
}

/// Names in a folder and what they are.
fn entries(folder: &Path) -> io::Result<Vec<(String, Metadata)>> {
    let mut found = Vec::new();
    for entry in read_folder(folder)? {
        match entry.metadata() {
            Ok(metadata) => found.push((name_of(&entry), metadata)),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
    }
    Ok(found)
}

/// A deletion of what is not there has done its work.
pub(super) fn missing_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::FORMAT;
    use super::super::local::{LocalSettings, LocalStore};
    use super::super::{Format, JournalStore};
    use rustix::fs::{FileType, Mode};
    use std::path::Path;

    /// A pipe would be waited for for ever.
    #[tokio::test]
    async fn what_has_the_name_of_a_file_and_is_none_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let store = LocalStore::new(LocalSettings::new(folder.path()));
        store.write_format(&Format { layout: 1, feature_level: 1, cluster_id: "c".into() }).await.unwrap();
        let name = |name: &str| folder.path().join(name);
        let pipe = |path: &Path| rustix::fs::mknodat(rustix::fs::CWD, path, FileType::Fifo, Mode::RUSR, 0).unwrap();
        std::fs::create_dir_all(name("epochs/1")).unwrap();
        pipe(&name("epochs/1/0.log"));
        let told = store.list().await.unwrap_err().to_string();
        assert!(told.contains("0.log is no file, or a link that leads to none"), "{told}");
        std::fs::remove_file(name(FORMAT)).unwrap();
        pipe(&name(FORMAT));
        let told = store.read_format().await.unwrap_err().to_string();
        assert!(told.contains("FORMAT is no file, or a link that leads to none"), "{told}");
    }
}
