//! `alluxio journal import <folder> [--dry-run]`: takes over the journal of Alluxio 1.x or 2.x: reads it where it lies,
//! and begins a history with what it says in the journal folder that the properties name, which has to be empty.

use super::legacy::gather::Whole;
use super::legacy::source::{self, Generation, SourceError};
use super::new_history::{self, Begun, NewHistoryError};
use crate::conf::Conf;
use crate::master::outside::{self, OutsideError};
use crate::master::state::{InodeKind, MasterState};
use std::io::{self, Write};

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The properties.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// The journal of the original.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Our own journal.
    #[error(transparent)]
    NewHistory(#[from] NewHistoryError),
}

/// Whether to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Say what is there only.
    DryRun,
    /// Write it.
    Import,
}

/// What was found, and written.
#[derive(Debug)]
pub struct Report {
    folder: String,
    generation: Generation,
    whole: Whole,
    /// Where it was written to; none for a dry run.
    written: Option<(String, Begun)>,
}

/// See the module text.
///
/// # Errors
/// The journal of the original cannot be read or is damaged, or ours cannot be written.
pub async fn run(conf: &Conf, folder: &str, mode: Mode) -> Result<Report, ImportError> {
    let target = if mode == Mode::Import { Some(new_history::check(conf).await?) } else { None };
    let (generation, whole) = source::read_journal(outside::ufs(conf)?, folder).await?;
    let written = match target {
        Some(target) => Some((target, new_history::run(conf, whole.state.portable_entries(whole.ids)).await?)),
        None => None,
    };
    Ok(Report { folder: folder.to_owned(), generation, whole, written })
}

impl Report {
    /// Writes it for people, a line for each thing.
    ///
    /// # Errors
    /// The output.
    pub fn write(&self, output: &mut dyn Write) -> io::Result<()> {
        let Report { folder, generation, whole: Whole { state, tally, .. }, written } = self;
        writeln!(output, "journal {folder}: {}", generation.text())?;
        writeln!(output, "entries read:")?;
        for (kind, count) in &tally.read {
            writeln!(output, "  {count:>12} {kind}")?;
        }
        let Counts { directories, files, incomplete } = Counts::of(state);
        writeln!(output, "namespace: {directories} directories, {files} files ({incomplete} incomplete)")?;
        writeln!(output, "{} committed blocks, {} mounts", state.blocks().count(), state.mounts().iter().count())?;
        for note in &tally.notes {
            writeln!(output, "note: {note}")?;
        }
        for (what, count) in &tally.dropped {
            writeln!(output, "left out: {count} × {what}")?;
        }
        match written {
            Some((target, Begun { end, segments, digest })) => {
                writeln!(output, "imported into {target}: record {end}, {segments} segments, state {digest:016x}")
            }
            None => writeln!(output, "Nothing was written (--dry-run)."),
        }
    }
}

struct Counts {
    directories: u64,
    files: u64,
    incomplete: u64,
}

impl Counts {
    fn of(state: &MasterState) -> Counts {
        let mut counts = Counts { directories: 0, files: 0, incomplete: 0 };
        for inode in state.inodes().iter() {
            match inode.kind {
                InodeKind::Directory { .. } => counts.directories += 1,
                InodeKind::File { completed, .. } => {
                    counts.files += 1;
                    counts.incomplete += u64::from(!completed);
                }
            }
        }
        counts
    }
}
