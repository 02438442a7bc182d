//! A state as a file: a header, then all pages as they are.
//!
//! ```text
//! "ALXRSCKP"  version: u32  header_bytes: u32  header_crc32c: u32
//! header      total bytes, position, genesis, cluster id, the small tables,
//!             and for each section its numbers, its number of pages, the CRC-32C of each page
//! pages       16 KiB each, section after section
//! ```
//! Numbers are little-endian. The pages are shared with the state, not copied; whoever writes them out does so from
//! a snapshot, while the state goes on.

use super::btree::{Tree, TreeHeader};
use super::extras::Extras;
use super::fields::{Reader, Writer};
use super::inode::INODE_BYTES;
use super::inode_tree::InodeTree;
use super::interner::Interner;
use super::names::Names;
use super::pages::{PAGE_BYTES, Pages};
use super::slots::{Slots, SlotsHeader};
use super::{IdGenerators, MasterState};
use crate::journal::chain::Position;
use crate::journal::entry::{Corrupt, Entry};
use crate::journal::entry_codec;
use crate::types::time::Millis;
use crate::types::{InodeId, SequenceNumber};
use bytes::Bytes;
use std::sync::Arc;

const MAGIC: [u8; 8] = *b"ALXRSCKP";
/// What is written of a state that holds something of feature level 2 of the journal.
const VERSION: u32 = 4;
/// The oldest that is read, and written of all other states: masters that do not know level 2 can read it. It has no
/// contents and extras.
const VERSION_MIN: u32 = 3;
/// Magic, version, length and checksum of the header.
const PREFIX_BYTES: usize = 20;
/// Trees, before records and the sizes of names.
const TREES: usize = 7;
/// The same in the oldest version.
const TREES_MIN: usize = 5;
const SECTIONS_MAX: u64 = 64;

/// Which history a checkpoint is of, and up to where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointOrigin {
    /// The last record in it.
    pub position: Position,
    /// Random number of the format that began the history.
    pub genesis: u64,
    /// Id of the cluster, as the file FORMAT has it.
    pub cluster_id: String,
}

impl CheckpointOrigin {
    /// What the first bytes of a checkpoint say, if they begin as one does. Whether it is sound they do not tell.
    pub fn read(start: &[u8]) -> Option<CheckpointOrigin> {
        let mut reader = Reader { rest: start };
        let is_one = reader.take(MAGIC.len())? == MAGIC && (VERSION_MIN..=VERSION).contains(&reader.u32()?);
        reader.take(8 + 8)?;
        read_origin(&mut reader).filter(|_| is_one)
    }
}

impl MasterState {
    /// The bytes of a checkpoint in pieces, in order.
    pub fn to_checkpoint(&self, origin: &CheckpointOrigin) -> Vec<Bytes> {
        let version = self.version();
        let sections = self.sections(version);
        let mut pages: Vec<Bytes> = Vec::new();
        let mut table = Writer::default();
        table.u64(sections.len() as u64);
        for ([a, b, c], section) in sections {
            table.u64(a).u64(b).u64(c).u64(u64::from(section.count()));
            for page in section.contents() {
                table.u32(crc32c::crc32c(&page));
                pages.push(page);
            }
        }
        let mut body = Writer::default();
        body.u64(origin.position.sequence.0).u64(origin.position.hash).u64(origin.genesis).text(&origin.cluster_id);
        self.write_small_tables(&mut body);
        body.0.extend_from_slice(&table.0);
        let total = (PREFIX_BYTES + 8 + body.0.len() + pages.len() * PAGE_BYTES) as u64;
        let header = [&total.to_le_bytes()[..], &body.0].concat();

        let mut prefix = Writer::default();
        prefix.0.extend_from_slice(&MAGIC);
        prefix.u32(version).u32(header.len() as u32).u32(crc32c::crc32c(&header));
        let mut pieces = vec![Bytes::from(prefix.0), Bytes::from(header)];
        pieces.append(&mut pages);
        pieces
    }

    /// The state in a checkpoint, and what it is of.
    ///
    /// # Errors
    /// Anything but a whole and sound checkpoint of a version that this program knows.
    pub fn from_checkpoint(bytes: &Bytes) -> Result<(MasterState, CheckpointOrigin), Corrupt> {
        let (version, header) = header_of(bytes)?;
        let mut reader = Reader { rest: header };
        let (origin, mut state, sections) =
            read_header(&mut reader, bytes.len() as u64).map_err(|reason| Corrupt::new("checkpoint header", reason))?;
        let pages = &bytes[PREFIX_BYTES + header.len()..];
        state.restore(version, sections, pages)?;
        state.verify()?;
        state.inodes.make_watchlists();
        Ok((state, origin))
    }

    fn version(&self) -> u32 {
        let is_of_level_2 = self.inodes.is_of_level_2 || self.admin.entries().next().is_some();
        if is_of_level_2 { VERSION } else { VERSION_MIN }
    }

    /// The numbers and pages of each section, in the order of the file.
    fn sections(&self, version: u32) -> Vec<([u64; 3], &Pages)> {
        let InodeTree {
            ids,
            edges,
            records,
            names,
            replications,
            contents,
            extras,
            users: _,
            watchlists: _,
            is_of_level_2: _,
        } = &self.inodes;
        let of_tree = |(header, pages)| {
            let TreeHeader { root, free, len } = header;
            ([u64::from(root), u64::from(free), len], pages)
        };
        let of_slots = |(header, pages)| {
            let SlotsHeader { end, free, live } = header;
            ([u64::from(end), u64::from(free), u64::from(live)], pages)
        };
        let mut sections = vec![
            of_tree(ids.parts()),
            of_tree(edges.parts()),
            of_tree(replications.parts()),
            of_tree(self.retries.answers.parts()),
            of_tree(self.blocks.lengths.parts()),
        ];
        if version > VERSION_MIN {
            sections.extend([of_tree(contents.parts()), of_tree(extras.parts.parts())]);
        }
        sections.push(of_slots(records.parts()));
        sections.extend(names.parts().map(of_slots));
        sections
    }

    fn write_small_tables(&self, body: &mut Writer) {
        let IdGenerators { next_container, reserved_containers, directories } = self.ids;
        let (container, sequence) = directories.unwrap_or((-1, -1));
        for number in [self.last_time.0, next_container, reserved_containers, container, sequence] {
            body.u64(number.cast_unsigned());
        }
        body.u64(self.retries.next_ordinal);
        body.u64(u64::from(self.cluster_id.is_some())).text(self.cluster_id.as_deref().unwrap_or(""));
        body.u64(self.inodes.users.texts().len() as u64);
        self.inodes.users.texts().for_each(|text| {
            body.text(text);
        });
        body.u64(self.unlinked.len() as u64);
        for id in self.unlinked.iter() {
            body.u64(id.0.cast_unsigned());
        }
        body.bytes(&self.small_entries());
    }

    /// Mounts, open intents, files that wait to be persisted and what administrators set, which are few, as the entries
    /// that made them.
    pub(super) fn small_entries(&self) -> Vec<u8> {
        let mounts = self.mounts.iter().cloned().map(Entry::AddMountPoint);
        let intents = self.intents.values().cloned().map(Entry::UfsIntent);
        let times =
            self.persist_times.iter().map(|(inode, time_ms)| Entry::PersistTime { inode: *inode, time_ms: *time_ms });
        let all = mounts.chain(intents).chain(times).chain(self.admin.entries());
        entry_codec::encode_entries(&all.collect::<Vec<_>>())
    }

    /// Takes what `small_entries` gave.
    fn restore_small_entries(&mut self, bytes: &[u8]) -> Option<()> {
        for entry in entry_codec::decode_entries(bytes).ok()? {
            match entry {
                Entry::AddMountPoint(mount) => self.mounts.add(&mount).ok()?,
                Entry::UfsIntent(intent) => drop(Arc::make_mut(&mut self.intents).insert(intent.inode, intent)),
                Entry::PersistTime { inode, time_ms } => {
                    Arc::make_mut(&mut self.persist_times).insert(inode, time_ms);
                }
                Entry::PathProperties(_) | Entry::UpdateUfsMode(_) | Entry::AddSyncPoint(_) => {
                    self.admin.apply(&entry).ok()?;
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// Puts the pages of the sections in place.
    fn restore(&mut self, version: u32, sections: Vec<Section>, mut bytes: &[u8]) -> Result<(), Corrupt> {
        let mut loaded = Vec::with_capacity(sections.len());
        for (number, section) in sections.into_iter().enumerate() {
            let mut pages = Pages::default();
            for (index, crc) in section.crcs.iter().enumerate() {
                let at =
                    || Corrupt::new(format!("checkpoint section {number} page {index}"), "the checksum is another");
                let (page, rest) = bytes.split_at_checked(PAGE_BYTES).ok_or_else(at)?;
                if crc32c::crc32c(page) != *crc {
                    return Err(at());
                }
                pages.push_content(page);
                bytes = rest;
            }
            loaded.push((section.numbers, pages));
        }
        let misfit = || Corrupt::new("checkpoint sections", "their numbers do not fit their pages");
        let trees = if version == VERSION_MIN { TREES_MIN } else { TREES };
        let slots = loaded.split_off(trees.min(loaded.len()));
        self.restore_trees(loaded).ok_or_else(misfit)?;
        self.restore_slots(slots).ok_or_else(misfit)
    }

    fn restore_trees(&mut self, trees: Vec<([u64; 3], Pages)>) -> Option<()> {
        let mut trees = trees.into_iter().map(|([root, free, len], pages)| {
            Some((TreeHeader { root: u32::try_from(root).ok()?, free: u32::try_from(free).ok()?, len }, pages))
        });
        let mut next = || trees.next().flatten();
        self.inodes.ids = next().map(|(header, pages)| Tree::restore(header, pages))?;
        self.inodes.edges = next().map(|(header, pages)| Tree::restore(header, pages))?;
        self.inodes.replications = next().map(|(header, pages)| Tree::restore(header, pages))?;
        self.retries.answers = next().map(|(header, pages)| Tree::restore(header, pages))?;
        self.blocks.lengths = next().map(|(header, pages)| Tree::restore(header, pages))?;
        if let Some((header, pages)) = next() {
            self.inodes.is_of_level_2 = true;
            self.inodes.contents = Tree::restore(header, pages);
            self.inodes.extras = next().map(|(header, pages)| Extras { parts: Tree::restore(header, pages) })?;
        }
        Some(())
    }

    fn restore_slots(&mut self, slots: Vec<([u64; 3], Pages)>) -> Option<()> {
        let number = |number: u64| u32::try_from(number).ok();
        let mut slots = slots.into_iter().map(|([end, free, live], pages)| {
            Some((SlotsHeader { end: number(end)?, free: number(free)?, live: number(live)? }, pages))
        });
        let (header, pages) = slots.next()??;
        self.inodes.records = Slots::restore(INODE_BYTES, header, pages)?;
        self.inodes.names = Names::restore(slots.collect::<Option<_>>()?)?;
        Some(())
    }
}

/// A section as the header announces it.
struct Section {
    numbers: [u64; 3],
    crcs: Vec<u32>,
}

/// Version and header, when the file begins as a checkpoint does and the header is sound.
fn header_of(bytes: &[u8]) -> Result<(u32, &[u8]), Corrupt> {
    let corrupt = |reason: String| Corrupt::new("checkpoint header", reason);
    let mut prefix = Reader { rest: bytes };
    let too_short = || corrupt(format!("the file has only {} bytes", bytes.len()));
    if prefix.take(MAGIC.len()).ok_or_else(too_short)? != MAGIC {
        return Err(corrupt("the file does not begin as a checkpoint does".into()));
    }
    let version = prefix.u32().ok_or_else(too_short)?;
    if !(VERSION_MIN..=VERSION).contains(&version) {
        let reason = format!(
            "version {version} of checkpoints is not known, only {VERSION_MIN} to {VERSION}; use the program that wrote it"
        );
        return Err(corrupt(reason));
    }
    let length = prefix.u32().ok_or_else(too_short)?;
    let crc = prefix.u32().ok_or_else(too_short)?;
    let header = prefix.take(length as usize).ok_or_else(too_short)?;
    if crc32c::crc32c(header) != crc {
        return Err(corrupt("the checksum is another".into()));
    }
    Ok((version, header))
}

/// All that the header says; the state is whole but for the sections.
fn read_header(
    reader: &mut Reader<'_>,
    file_bytes: u64,
) -> Result<(CheckpointOrigin, MasterState, Vec<Section>), String> {
    let ends_early = || "it ends early".to_owned();
    let total = reader.u64().ok_or_else(ends_early)?;
    if total != file_bytes {
        return Err(format!("the file should have {total} bytes, it has {file_bytes}"));
    }
    let origin = read_origin(reader).ok_or_else(ends_early)?;
    let state = read_small_tables(reader).ok_or_else(ends_early)?;
    let sections = read_sections(reader).ok_or_else(ends_early)?;
    if !reader.rest.is_empty() {
        return Err(format!("{} bytes too many", reader.rest.len()));
    }
    Ok((origin, state, sections))
}

fn read_origin(reader: &mut Reader<'_>) -> Option<CheckpointOrigin> {
    Some(CheckpointOrigin {
        position: Position { sequence: SequenceNumber(reader.u64()?), hash: reader.u64()? },
        genesis: reader.u64()?,
        cluster_id: reader.text()?.to_owned(),
    })
}

fn read_small_tables(reader: &mut Reader<'_>) -> Option<MasterState> {
    let mut state = MasterState::new();
    state.last_time = Millis(reader.i64()?);
    let (next_container, reserved_containers) = (reader.i64()?, reader.i64()?);
    let directories = Some((reader.i64()?, reader.i64()?)).filter(|(container, _)| *container >= 0);
    state.ids = IdGenerators { next_container, reserved_containers, directories };
    state.retries.next_ordinal = reader.u64()?;
    let has_cluster_id = reader.u64()? == 1;
    let cluster_id = reader.text()?;
    state.cluster_id = has_cluster_id.then(|| cluster_id.into());
    let mut users = Interner::default();
    for number in 0..reader.u64()? {
        // A text that came twice would have the number of the first.
        (u64::from(users.number(reader.text()?)) == number).then_some(())?;
    }
    state.inodes.users = users;
    for _ in 0..reader.u64()? {
        Arc::make_mut(&mut state.unlinked).insert(InodeId(reader.i64()?));
    }
    state.restore_small_entries(reader.bytes()?)?;
    Some(state)
}

fn read_sections(reader: &mut Reader<'_>) -> Option<Vec<Section>> {
    let count = reader.u64().filter(|count| *count <= SECTIONS_MAX)?;
    let mut sections = Vec::new();
    for _ in 0..count {
        let numbers = [reader.u64()?, reader.u64()?, reader.u64()?];
        let mut crcs = Vec::new();
        for _ in 0..reader.u64()? {
            crcs.push(reader.u32()?);
        }
        sections.push(Section { numbers, crcs });
    }
    Some(sections)
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
