//! What few inodes have beside their record: lists of who may do what, extended attributes, media, hashes as texts.
//!
//! The bytes of an inode are cut into parts, each an entry of one tree, in order. Who has nothing has no part.

use super::btree::Tree;
use super::fields::{Reader, Writer};
use super::pages::{read_i64, read_u32, write};
use crate::journal::entry::InodeExtras;
use crate::types::{ContentHash, DefaultAcl, ExtendedAcl, InodeId, Xattrs};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// (id, number of the part, its bytes, their count).
pub(super) const PART_BYTES: usize = 64;
/// Bytes of a part that hold content.
const CONTENT_BYTES: usize = 51;
/// Where the content begins, and where its length stands.
const CONTENT_AT: usize = 12;
const LENGTH_AT: usize = 63;

/// The parts of all inodes.
#[derive(Debug, Clone)]
pub(super) struct Extras {
    pub(super) parts: Tree<PART_BYTES>,
}

impl Extras {
    pub(super) fn new() -> Extras {
        Extras { parts: Tree::new() }
    }

    /// What an inode has; none when it has nothing, or no sound parts.
    pub(super) fn get(&self, id: InodeId) -> Option<InodeExtras> {
        decode(&self.bytes(id)?)
    }

    /// Replaces what an inode has. The hash of its content counts if it is a text only.
    pub(super) fn set(&mut self, id: InodeId, extras: &InodeExtras) -> Stored {
        self.remove(id);
        let bytes = encode(extras);
        for (number, content) in (0..).zip(bytes.chunks(CONTENT_BYTES)) {
            let mut part = [0; PART_BYTES];
            write(&mut part, 0, &id.0.to_le_bytes());
            write(&mut part, 8, &u32::to_le_bytes(number));
            write(&mut part, CONTENT_AT, content);
            part[LENGTH_AT] = content.len() as u8;
            let is_new = self.parts.insert(&part, part_order(id, number));
            assert!(is_new, "all parts of inode {id} were removed");
        }
        if bytes.is_empty() { Stored::Nothing } else { Stored::Something }
    }

    /// Takes away what an inode has.
    pub(super) fn remove(&mut self, id: InodeId) {
        for number in 0.. {
            if self.parts.remove(part_order(id, number)).is_none() {
                return;
            }
        }
    }

    /// The bytes of an inode; none when a part is missing.
    fn bytes(&self, id: InodeId) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let parts = self.parts.iter_from(part_order(id, 0)).take_while(|part| read_i64(&part[..], 0) == id.0);
        for (number, part) in (0..).zip(parts) {
            let length = usize::from(part[LENGTH_AT]);
            // Only the last part is shorter than it could be.
            if read_u32(part, 8) != number || bytes.len() != number as usize * CONTENT_BYTES || length > CONTENT_BYTES {
                return None;
            }
            bytes.extend_from_slice(&part[CONTENT_AT..CONTENT_AT + length]);
        }
        Some(bytes).filter(|bytes| !bytes.is_empty())
    }

    /// The inodes that have parts, after the order of the parts was found sound.
    ///
    /// # Errors
    /// Parts that `set` does not write.
    pub(super) fn verify(&self) -> Result<BTreeSet<InodeId>, String> {
        self.parts.verify(|a, b| read_i64(a, 0).cmp(&read_i64(b, 0)).then(read_u32(a, 8).cmp(&read_u32(b, 8))))?;
        let ids: BTreeSet<InodeId> = self.parts.iter().map(|part| InodeId(read_i64(part, 0))).collect();
        for id in &ids {
            let bytes = self.bytes(*id).ok_or_else(|| format!("a part of the extras of inode {id} does not fit"))?;
            if decode(&bytes).is_none_or(|extras| encode(&extras) != bytes) {
                return Err(format!("the extras of inode {id} cannot be read"));
            }
        }
        Ok(ids)
    }
}

/// Whether an inode has parts now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stored {
    Nothing,
    Something,
}

fn part_order(id: InodeId, number: u32) -> impl Fn(&[u8; PART_BYTES]) -> Ordering {
    move |part| read_i64(part, 0).cmp(&id.0).then(read_u32(part, 8).cmp(&number))
}

/// Kinds of what stands in the bytes, each once at most, in this order.
mod kind {
    pub(super) const ACL: u8 = 1;
    pub(super) const DEFAULT_ACL: u8 = 2;
    pub(super) const XATTR: u8 = 3;
    pub(super) const MEDIA: u8 = 4;
    pub(super) const HASH: u8 = 5;
}

/// The bytes of what an inode has; none for nothing.
pub(super) fn encode(extras: &InodeExtras) -> Vec<u8> {
    let InodeExtras { acl, default_acl, xattr, media, content_hash } = extras;
    let mut out = Writer::default();
    if let Some(acl) = acl {
        out.u8(kind::ACL);
        put_acl(&mut out, acl);
    }
    if let Some(DefaultAcl { mode, extended }) = default_acl {
        out.u8(kind::DEFAULT_ACL).u32(u32::from(*mode)).u8(u8::from(extended.is_some()));
        extended.iter().for_each(|acl| put_acl(&mut out, acl));
    }
    if !xattr.is_empty() {
        out.u8(kind::XATTR).u32(xattr.len() as u32);
        for (name, value) in xattr {
            out.short(name.as_bytes()).short(value);
        }
    }
    if !media.is_empty() {
        out.u8(kind::MEDIA).u32(media.len() as u32);
        for medium in media {
            out.short(medium.as_bytes());
        }
    }
    if let ContentHash::Text(text) = content_hash {
        out.u8(kind::HASH).short(text.as_bytes());
    }
    out.0
}

fn put_acl(out: &mut Writer, acl: &ExtendedAcl) {
    out.u8(acl.mask as u8);
    for named in [&acl.users, &acl.groups] {
        out.u32(named.len() as u32);
        for (name, bits) in named {
            out.short(name.as_bytes()).u8(*bits as u8);
        }
    }
}

fn decode(bytes: &[u8]) -> Option<InodeExtras> {
    let mut reader = Reader { rest: bytes };
    let mut extras = InodeExtras::default();
    while !reader.rest.is_empty() {
        match reader.u8()? {
            kind::ACL => extras.acl = Some(acl_in(&mut reader)?),
            kind::DEFAULT_ACL => {
                let mode = u16::try_from(reader.u32()?).ok()?;
                let extended = if reader.u8()? == 1 { Some(acl_in(&mut reader)?) } else { None };
                extras.default_acl = Some(DefaultAcl { mode, extended });
            }
            kind::XATTR => extras.xattr = xattrs_in(&mut reader)?,
            kind::MEDIA => {
                for _ in 0..reader.u32()? {
                    extras.media.insert(reader.short_text()?.to_owned());
                }
            }
            kind::HASH => extras.content_hash = ContentHash::Text(reader.short_text()?.to_owned()),
            _ => return None,
        }
    }
    Some(extras)
}

fn acl_in(reader: &mut Reader<'_>) -> Option<ExtendedAcl> {
    let mask = u16::from(reader.u8()?);
    let mut named = || {
        let mut all = BTreeMap::new();
        for _ in 0..reader.u32()? {
            all.insert(reader.short_text()?.to_owned(), u16::from(reader.u8()?));
        }
        Some(all)
    };
    Some(ExtendedAcl { users: named()?, groups: named()?, mask })
}

fn xattrs_in(reader: &mut Reader<'_>) -> Option<Xattrs> {
    let mut xattrs = Xattrs::new();
    for _ in 0..reader.u32()? {
        xattrs.insert(reader.short_text()?.to_owned(), reader.short()?.to_vec());
    }
    Some(xattrs)
}

#[cfg(test)]
#[path = "extras_tests.rs"]
mod tests;
