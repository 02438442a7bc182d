//! `alluxio journal read`: the acknowledged records of a journal, or what stands in one segment, as text or as JSON.
//!
//! Values that are secret are not shown, as in the mount table.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::journal_replay::{Placed, Replay, ReplayError, Writers};
use super::journal_salvage::{self, SalvageError};
use super::journal_scan::{self, Gap};
use super::journal_verify;
use crate::conf::{Conf, shown_text};
use crate::journal::chain::{Position, Record};
use crate::journal::codec::{self, Decoded, Frame};
use crate::journal::entry_codec;
use crate::journal::folder::local::MissingFolder;
use crate::journal::folder::{Format, JournalStore, SegmentId, StoreError};
use crate::journal::folder_identity::{self, IdentityError};
use crate::journal::witness::Witness;
use crate::master::outside::{self, Folder, OutsideError};

/// What is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// First record.
    pub from: u64,
    /// Last record.
    pub to: u64,
    /// All that stands in this one, acknowledged or not.
    pub segment: Option<SegmentId>,
    /// In which form.
    pub shape: Shape,
}

/// The form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A line for each record, and one for each entry.
    Text,
    /// A JSON object for each record, in one line.
    Json,
}

impl Wanted {
    /// All records of the history.
    pub const ALL: Wanted = Wanted { from: 0, to: u64::MAX, segment: None, shape: Shape::Text };

    /// What the words after `read` ask for.
    ///
    /// # Errors
    /// The word that is wrong, and why.
    pub fn parse(words: &[&str]) -> Result<Wanted, String> {
        let mut wanted = Wanted::ALL;
        let mut words = words.iter();
        while let Some(option) = words.next() {
            let mut value = || words.next().copied().ok_or_else(|| format!("{option} needs a value"));
            let number =
                |text: &str| text.parse().map_err(|_| format!("{option} {text}: a record number is expected, 1, 2, …"));
            match *option {
                "--json" => wanted.shape = Shape::Json,
                // As `readJournal` of 2.9 spells them.
                "--from" | "--start" | "-start" => wanted.from = number(value()?)?,
                "--to" | "--end" | "-end" => wanted.to = number(value()?)?,
                "--segment" => {
                    let text = value()?;
                    let segment = SegmentId::parse(text);
                    wanted.segment = Some(
                        segment.ok_or_else(|| format!("--segment {text}: a name is expected like epochs/3/0.log"))?,
                    );
                }
                "-inputDir" => {
                    return Err(in_words_of_2_9(option, "name the journal by -Dalluxio.master.journal.folder=…"));
                }
                "-outputDir" => return Err(in_words_of_2_9(option, "redirect the output: records are written to it")),
                "-master" => return Err(in_words_of_2_9(option, "leave it out: one journal has all records")),
                other => return Err(format!("{other} is no option of read")),
            }
        }
        if wanted.from > wanted.to {
            return Err(format!("--from {} is behind --to {}", wanted.from, wanted.to));
        }
        Ok(wanted)
    }

    fn holds(&self, record: &Record) -> bool {
        (self.from..=self.to).contains(&record.position.sequence.0)
    }
}

fn in_words_of_2_9(option: &str, instead: &str) -> String {
    format!("{option} of 2.9 is not taken here: {instead}")
}

/// Why not all was shown.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The properties name no journal, or it is locked.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// The folder does not say whose journal it holds.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// It cannot be read any further.
    #[error("shown up to record {shown}; then")]
    Ends {
        /// The last record that is whole.
        shown: Position,
        /// What follows.
        #[source]
        source: ReplayError,
    },
    /// The segment is damaged.
    #[error("{segment} is damaged in {} places, the first at byte {}: {}", .gaps.len(), .gaps[0].offset, .gaps[0].reason)]
    Damaged {
        /// Which.
        segment: SegmentId,
        /// Where.
        gaps: Vec<Gap>,
    },
    /// The folder does not answer.
    #[error("cannot read the journal folder {folder}")]
    Store {
        /// As configured.
        folder: String,
        /// Why not.
        #[source]
        source: StoreError,
    },
    /// What is behind damage is not known.
    #[error(transparent)]
    Salvage(#[from] SalvageError),
    /// A record whose entries cannot be read.
    #[error("the journal is damaged: record {position} cannot be read: {reason}")]
    Record {
        /// Which.
        position: Position,
        /// Why not.
        reason: String,
    },
    /// The output.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

/// Shows what is wanted of the journal that the properties name.
///
/// # Errors
/// Why not all of it could be shown; what is whole before was.
pub async fn run(conf: &Conf, wanted: Wanted, output: &mut dyn Write) -> Result<(), ReadError> {
    let Folder { store, lock } = outside::folder(conf, MissingFolder::Refuse)?;
    let format = folder_identity::identify(store.as_ref()).await?;
    let writers = if lock.is_some() { Writers::AreOver } else { Writers::MayLive };
    if let Some(segment) = wanted.segment {
        return read_segment(store.as_ref(), segment, wanted, writers, output).await;
    }
    // Without it, what is there is shown all the same.
    let node = journal_verify::epoch_node(conf, &format).await?;
    let witness = node.as_ref().map(Witness::of).unwrap_or_default();
    read(store.as_ref(), &format, witness, writers, wanted, output).await
}

/// Shows the acknowledged records.
///
/// # Errors
/// As [`run`].
pub async fn read(
    store: &dyn JournalStore,
    format: &Format,
    witness: Witness,
    writers: Writers,
    wanted: Wanted,
    output: &mut dyn Write,
) -> Result<(), ReadError> {
    let mut shown = Position::START;
    let failure = match Replay::begin(store, &format.cluster_id, witness, writers).await {
        Err(error) => error,
        Ok((mut replay, beginning)) => {
            shown = beginning.position;
            if let Some(id) = beginning.checkpoint.filter(|id| wanted.from <= id.sequence.0)
                && wanted.shape == Shape::Text
            {
                writeln!(output, "records up to {} are in {id} only", id.sequence)?;
            }
            loop {
                match replay.next().await {
                    Ok(records) if records.is_empty() => return Ok(()),
                    Ok(records) => {
                        shown = records.last().map_or(shown, |placed| placed.record.position);
                        if shown_all(&records, wanted, output)? {
                            return Ok(());
                        }
                    }
                    Err(error) => break error,
                }
            }
        }
    };
    if let ReplayError::Chain(_) = failure {
        let whole = journal_salvage::records_after(store, witness, writers, shown).await?;
        shown = whole.last().map_or(shown, |placed| placed.record.position);
        if shown_all(&whole, wanted, output)? {
            return Ok(());
        }
    }
    Err(ReadError::Ends { shown, source: failure })
}

/// Shows those that are wanted. Returns whether all that is wanted has been.
fn shown_all(records: &[Placed], wanted: Wanted, output: &mut dyn Write) -> Result<bool, ReadError> {
    for placed in records.iter().filter(|placed| wanted.holds(&placed.record)) {
        show(placed, wanted.shape, output)?;
    }
    Ok(records.last().is_some_and(|placed| placed.record.position.sequence.0 >= wanted.to))
}

async fn read_segment(
    store: &dyn JournalStore,
    segment: SegmentId,
    wanted: Wanted,
    writers: Writers,
    output: &mut dyn Write,
) -> Result<(), ReadError> {
    let failed = |source| ReadError::Store { folder: store.describe(), source };
    let length = journal_salvage::length(store, segment, writers).await?;
    let content = journal_scan::read_around(store, segment, length).await.map_err(failed)?;
    let scan = journal_scan::scan(segment, &content);
    if wanted.shape == Shape::Text {
        match &scan.header {
            Some(header) => {
                let genesis = header.genesis;
                match header.base {
                    None => writeln!(output, "{segment} begins the history {genesis:016x}")?,
                    Some(base) => writeln!(
                        output,
                        "{segment} continues the history {genesis:016x} after record {} at byte {} of {}",
                        base.position, base.bytes, base.segment
                    )?,
                }
            }
            None => writeln!(output, "{segment} has no header")?,
        }
    }
    for found in scan.runs.iter().flat_map(|run| &run.records) {
        let frame = content.slice(found.offset as usize..found.end() as usize);
        if let Decoded::Frame(Frame::Record(record), _) = codec::decode_alone(&frame)
            && wanted.holds(&record)
        {
            show(&Placed { segment, record }, wanted.shape, output)?;
        }
    }
    if let Some(torn) = scan.torn_at.filter(|_| wanted.shape == Shape::Text) {
        writeln!(output, "{segment} ends at byte {torn}: what follows is no whole frame, or zeros")?;
    }
    if scan.gaps.is_empty() { Ok(()) } else { Err(ReadError::Damaged { segment, gaps: scan.gaps }) }
}

fn show(placed: &Placed, shape: Shape, output: &mut dyn Write) -> Result<(), ReadError> {
    let Placed { segment, record } = placed;
    let Record { epoch, position, mark, entries } = record;
    let unreadable = |reason: String| ReadError::Record { position: *position, reason };
    let entries = entry_codec::decode_entries(entries).map_err(|error| unreadable(error.to_string()))?;
    let entries: Result<Vec<Value>, _> = entries.iter().map(serde_json::to_value).collect();
    let mut entries = entries.map_err(|error| unreadable(error.to_string()))?;
    entries.iter_mut().for_each(mask);
    match shape {
        Shape::Json => {
            let hash = format!("{:016x}", position.hash);
            let object = json!({
                "sequence": position.sequence.0, "hash": hash, "epoch": epoch, "mark": mark.0,
                "segment": segment.to_string(), "entries": entries,
            });
            writeln!(output, "{object}")?;
        }
        Shape::Text => {
            writeln!(output, "record {position} epoch {epoch} mark {mark} {segment}")?;
            for entry in &entries {
                writeln!(output, "  {}", text(entry))?;
            }
        }
    }
    Ok(())
}

/// Hides the values of properties that are secret.
fn mask(entry: &mut Value) {
    let Some(properties) = entry.pointer_mut("/AddMountPoint/properties").and_then(Value::as_array_mut) else { return };
    for property in properties {
        if let Some([Value::String(name), Value::String(value)]) = property.as_array_mut().map(Vec::as_mut_slice) {
            *value = shown_text(name, value).to_owned();
        }
    }
}

/// An entry in one line: its kind and its fields.
fn text(entry: &Value) -> String {
    let Some((kind, fields)) = entry.as_object().and_then(|object| object.iter().next()) else {
        return entry.to_string();
    };
    let Some(fields) = fields.as_object() else { return format!("{kind} {fields}") };
    let fields = fields.iter().filter(|(_, value)| !value.is_null());
    fields.fold(kind.clone(), |line, (name, value)| format!("{line} {name}={value}"))
}

#[cfg(test)]
#[path = "journal_read_tests.rs"]
mod tests;
