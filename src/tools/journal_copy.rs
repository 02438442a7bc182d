//! `alluxio journal copy <from> <to>`: the same history, with the same cluster id, in another folder: from a local one to
//! HDFS, back, or between two of a kind.
//!
//! The masters of the source must have ended: it is claimed as a master would claim it, and released afterwards as it was.
//! It is verified before it is copied, and so is the copy. Until the copy is whole its FORMAT says layout 0, with which no
//! master starts. What the epoch node of the source knows is told to that of the target, if that is another one.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::journal_replay::Writers;
use super::journal_verify::{self, Report, VerifyError};
use super::takeover::{self, Claimed, TakeoverError, Tool};
use crate::conf::{Conf, ConfError, Role, Sources, keys};
use crate::election::{EpochNode, Latch, LatchError, new_incarnation};
use crate::journal::folder::local::MissingFolder;
use crate::journal::folder::{CheckpointId, Format, JournalStore, Length, Listing, SegmentId, StoreError};
use crate::journal::folder_identity::{self, IdentityError};
use crate::journal::tailer::READ_BYTES_MAX;
use crate::master::outside::{self, Folder, OutsideError};

/// Why a journal was not copied. The source is as it was.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The properties cannot be read.
    #[error(transparent)]
    Conf(#[from] ConfError),
    /// A folder or its election cannot be used.
    #[error(transparent)]
    Outside(#[from] OutsideError),
    /// The source does not say whose journal it holds.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The target is the source, or in it.
    #[error("{to} is the journal that is to be copied, or lies in it: give another folder")]
    Same {
        /// The target, as given.
        to: String,
    },
    /// The target is in use.
    #[error("{folder} holds {what}: give an empty folder, or one that does not exist")]
    Occupied {
        /// As given.
        folder: String,
        /// What is in it.
        what: &'static str,
    },
    /// The journal is in use, or the election or the folder cannot be used.
    #[error(transparent)]
    Takeover(#[from] TakeoverError),
    /// The source is not whole.
    #[error("the source cannot be copied")]
    Source(#[source] Box<VerifyError>),
    /// A file was not copied.
    #[error("cannot copy {file}: {to} is not a journal yet, delete it before you copy again")]
    File {
        /// Which.
        file: String,
        /// The target.
        to: String,
        /// Why not.
        #[source]
        source: StoreError,
    },
    /// A segment of the source is longer than one of the target may be.
    #[error(
        "{segment} has {bytes} bytes, and a segment of {to} takes {room}: set \
         alluxio.master.journal.log.size.bytes.max as it was for the source"
    )]
    TooLong {
        /// Which.
        segment: SegmentId,
        /// Its length.
        bytes: u64,
        /// The target.
        to: String,
        /// What fits.
        room: u64,
    },
    /// The copy is not whole.
    #[error("the copy in {to} is not whole, delete it before you copy again")]
    Copied {
        /// The target.
        to: String,
        /// What is wrong.
        #[source]
        source: Box<VerifyError>,
    },
    /// The copy gives another state.
    #[error("the copy in {to} is another journal than the source, delete it before you copy again")]
    Differs {
        /// The target.
        to: String,
    },
    /// An epoch was not released.
    #[error("copied, but the epoch of {folder} was not released")]
    Release {
        /// Which folder.
        folder: String,
        /// Why not.
        #[source]
        source: LatchError,
    },
    /// The output.
    #[error("cannot write the output")]
    Output(#[from] io::Error),
}

/// One of the two folders.
struct Side {
    conf: Conf,
    folder: Folder,
    incarnation: String,
    is_local: bool,
}

/// What the properties say, but for the folder.
fn conf_of(properties: &[String], folder: &str) -> Result<Conf, ConfError> {
    let mut properties = properties.to_vec();
    properties.push(format!("alluxio.master.journal.folder={folder}"));
    if is_local(folder) {
        // A local journal has one master, which is not elected.
        properties.push("alluxio.zookeeper.enabled=false".to_owned());
    }
    Conf::load(&Sources::of_process(Role::User, properties))
}

fn is_local(folder: &str) -> bool {
    !folder.contains("://") || folder.starts_with("file://")
}

impl Side {
    fn open(properties: &[String], folder: &str, missing: MissingFolder) -> Result<Side, CopyError> {
        let conf = conf_of(properties, folder)?;
        let is_local = is_local(folder);
        let folder = outside::folder(&conf, missing)?;
        Ok(Side { conf, folder, incarnation: new_incarnation(), is_local })
    }

    fn store(&self) -> &dyn JournalStore {
        self.folder.store.as_ref()
    }

    async fn format(&self) -> Result<Option<Format>, CopyError> {
        let failed = |source| TakeoverError::Store { folder: self.store().describe(), source };
        Ok(self.store().read_format().await.map_err(failed)?)
    }

    async fn claim(&self, latch: &dyn Latch) -> Result<Claimed, CopyError> {
        Ok(takeover::claim(&self.conf, latch, self.store(), &self.incarnation).await?)
    }

    fn latch(&self, cluster_id: &str) -> Result<std::sync::Arc<dyn Latch>, CopyError> {
        Ok(outside::latch(&self.conf, cluster_id, &Tool::Copy.address(&self.conf), &self.incarnation)?)
    }

    async fn release(&self, latch: &dyn Latch, claimed: &Claimed, durable: &EpochNode) -> Result<(), CopyError> {
        let released = latch.release(claimed.version, &claimed.released(durable)).await;
        released.map_err(|source| CopyError::Release { folder: self.store().describe(), source })
    }
}

/// Copies the journal in `from` to `to`; what else is to be known of both, `properties` say.
///
/// # Errors
/// See [`CopyError`].
pub async fn run(properties: &[String], from: &str, to: &str, output: &mut dyn Write) -> Result<(), CopyError> {
    if lies_in(to, from) {
        return Err(CopyError::Same { to: to.to_owned() });
    }
    let source = Side::open(properties, from, MissingFolder::Refuse)?;
    let format = folder_identity::identify_readable(source.store()).await?;
    let target = Side::open(properties, to, MissingFolder::Make)?;
    refuse_occupied(&target).await?;
    let latch = source.latch(&format.cluster_id)?;
    let outcome = copy(&source, &target, latch.as_ref(), &format, output).await;
    latch.leave().await;
    outcome
}

/// Whether a folder is the other one or in it, as far as their names and, on this disk, links tell.
fn lies_in(inner: &str, outer: &str) -> bool {
    let plain = |folder: &str| -> PathBuf {
        let folder = folder.strip_prefix("file://").unwrap_or(folder);
        // What is not there yet may be in what is.
        let there = Path::new(folder).ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
        match there.filter(|_| is_local(folder)) {
            Some((above, real)) => real.join(Path::new(folder).strip_prefix(above).unwrap_or(Path::new(""))),
            None => folder.into(),
        }
    };
    plain(inner).starts_with(plain(outer))
}

/// Whether there is anything in a local folder but what locks it.
fn has_others(folder: &str) -> bool {
    let listed = std::fs::read_dir(folder.strip_prefix("file://").unwrap_or(folder));
    listed.is_ok_and(|names| names.filter_map(Result::ok).any(|name| name.file_name() != "LOCK"))
}

async fn refuse_occupied(target: &Side) -> Result<(), CopyError> {
    let folder = target.store().describe();
    match target.format().await? {
        None => {}
        Some(Format { layout: Format::HALF_IMPORTED, .. }) => {
            return Err(CopyError::Occupied { folder, what: "a part of a copy that was not finished" });
        }
        Some(_) => return Err(CopyError::Occupied { folder, what: "a journal already" }),
    }
    let failed = |source| TakeoverError::Store { folder: folder.clone(), source };
    let listing = target.store().list().await.map_err(failed)?;
    if !listing.segments.is_empty() || !listing.checkpoints.is_empty() {
        return Err(CopyError::Occupied { folder, what: "segments or checkpoints already" });
    }
    match target.is_local && has_others(&folder) {
        true => Err(CopyError::Occupied { folder, what: "other files" }),
        false => Ok(()),
    }
}

async fn copy(
    source: &Side,
    target: &Side,
    latch: &dyn Latch,
    format: &Format,
    output: &mut dyn Write,
) -> Result<(), CopyError> {
    takeover::check(latch).await?;
    let claimed = source.claim(latch).await?;
    let outcome = copy_claimed(source, target, &claimed, format, output).await;
    // As it was: its masters may start again.
    let released = source.release(latch, &claimed, &claimed.node).await;
    outcome.and(released)
}

async fn copy_claimed(
    source: &Side,
    target: &Side,
    claimed: &Claimed,
    format: &Format,
    output: &mut dyn Write,
) -> Result<(), CopyError> {
    let told = takeover::told(&claimed.node);
    let verified = journal_verify::verify(source.store(), format, told.clone(), Writers::AreOver).await;
    let report = verified.map_err(|error| CopyError::Source(error.into()))?;
    let to = target.store().describe();
    let unfinished = Format { layout: Format::HALF_IMPORTED, ..format.clone() };
    let failed = |source| TakeoverError::Store { folder: to.clone(), source };
    target.store().write_format(&unfinished).await.map_err(failed)?;
    let bytes = copy_files(source.store(), target, &claimed.before.checkpoints, &claimed.before.segments).await?;
    let copied = journal_verify::verify(target.store(), format, told, Writers::AreOver).await;
    let copied = copied.map_err(|source| CopyError::Copied { to: to.clone(), source: source.into() })?;
    if (copied.end, copied.digest) != (report.end, report.digest) {
        return Err(CopyError::Differs { to });
    }
    // Elected in the same ZooKeeper, both have one epoch node.
    if source.is_local || target.is_local {
        let latch = target.latch(&format.cluster_id)?;
        let told = tell(target, latch.as_ref(), &claimed.node).await;
        latch.leave().await;
        told?;
    }
    target.store().write_format(format).await.map_err(failed)?;
    write(&report, &claimed.before, bytes, target, &to, output)?;
    Ok(())
}

/// Tells the epoch node of the target what that of the source knows.
async fn tell(target: &Side, latch: &dyn Latch, known: &EpochNode) -> Result<(), CopyError> {
    takeover::check(latch).await?;
    let claimed = target.claim(latch).await?;
    target.release(latch, &claimed, known).await
}

/// Copies checkpoints and segments as they are. Returns how many bytes.
async fn copy_files(
    source: &dyn JournalStore,
    target: &Side,
    checkpoints: &[CheckpointId],
    segments: &[SegmentId],
) -> Result<u64, CopyError> {
    let to = target.store().describe();
    let failed = |file: String| {
        let to = to.clone();
        move |source| CopyError::File { file, to, source }
    };
    let mut copied = 0;
    for id in checkpoints {
        let content = source.read_checkpoint(*id).await.map_err(failed(id.to_string()))?;
        copied += content.len() as u64;
        let written = target.store().write_checkpoint(*id, &target.incarnation, vec![content]).await;
        written.map_err(failed(id.to_string()))?;
    }
    for segment in segments {
        let bytes = length(source, *segment).await.map_err(failed(segment.to_string()))?;
        let mut writer = target.store().create(*segment).await.map_err(failed(segment.to_string()))?;
        if bytes > writer.room_bytes() {
            return Err(CopyError::TooLong { segment: *segment, bytes, to, room: writer.room_bytes() });
        }
        let mut at = 0;
        while at < bytes {
            let part = (bytes - at).min(READ_BYTES_MAX);
            let content = source.read(*segment, at, part).await.map_err(failed(segment.to_string()))?;
            writer.append(content).await.map_err(failed(segment.to_string()))?;
            at += part;
        }
        writer.close().await.map_err(failed(segment.to_string()))?;
        copied += bytes;
    }
    Ok(copied)
}

/// All that can be read of a segment to which nobody appends any more.
async fn length(source: &dyn JournalStore, segment: SegmentId) -> Result<u64, StoreError> {
    match source.length(segment).await? {
        Length::Open(bytes) | Length::Closed(bytes) => Ok(bytes),
        // Nobody needed it, or it would not have been verified.
        Length::Unknown => Ok(0),
    }
}

fn write(
    report: &Report,
    listing: &Listing,
    bytes: u64,
    target: &Side,
    to: &str,
    output: &mut dyn Write,
) -> io::Result<()> {
    let (segments, checkpoints) = (listing.segments.len(), listing.checkpoints.len());
    let Report { folder, cluster_id, end, digest, .. } = report;
    writeln!(output, "copied {folder} to {to}: {segments} segments, {checkpoints} checkpoints, {bytes} bytes")?;
    writeln!(output, "cluster {cluster_id}, acknowledged up to record {end}, state {digest:016x}, in both")?;
    writeln!(output, "To use the copy, set on all masters, and then start them:")?;
    writeln!(output, "  alluxio.master.journal.folder={to}")?;
    if target.is_local {
        writeln!(output, "  alluxio.zookeeper.enabled=false")?;
    } else {
        writeln!(output, "  alluxio.zookeeper.enabled=true")?;
        let address = target.conf.get(&keys::ZOOKEEPER_ADDRESS).unwrap_or_default();
        writeln!(output, "  alluxio.zookeeper.address={address}")?;
    }
    writeln!(output, "Never start a master on {folder} again: from now on the two would be different histories.")
}

#[cfg(test)]
#[path = "journal_copy_tests.rs"]
mod tests;
