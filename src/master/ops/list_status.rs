//! listStatus and listStatusPartial: a walk over a directory, or over all below it, that can pause between any two entries.

use super::permissions::{Access, Permissions};
use super::question::Query;
use super::resolve::resolve;
use super::status::status_of;
use super::{Answer, Context, errors};
use crate::master::state::{Footprint, Inode, MasterState};
use crate::types::{AlluxioPath, ErrorKind, FileStatus, FsError, InodeId};
use std::fmt;
use std::ops::Bound;

/// Of a part of a walk: who waits for the state waits no longer than so many entries take to be looked at.
const LOOKED_AT_MAX: usize = 2_000;

/// What is to be listed, and how far that is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walk {
    /// The directory, or the file itself.
    path: AlluxioPath,
    /// With all below it: depth first, parents before children.
    recursive: bool,
    start: Start,
    /// The names below the path, of which the last is only how a name begins (2.9 prefix).
    prefix: Vec<String>,
    /// So many entries are left out yet (2.9 offsetCount).
    skip: u64,
    /// The directories under way, the listed one first; none before the first part.
    levels: Option<Vec<Level>>,
}

/// Where a walk begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// At the first entry.
    First,
    /// After what these names lead to from the listed directory, whether it is there or not.
    After(Vec<String>),
    /// After this inode.
    AfterInode(InodeId),
}

/// A directory under way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Level {
    path: AlluxioPath,
    directory: InodeId,
    /// Its children up to this one are done.
    after: Option<String>,
}

/// Some entries, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// The entries.
    pub statuses: Vec<FileStatus>,
    /// How many the directory has, 1 of a file, -1 of a tree; told with the first part.
    pub count: i64,
    /// Whether these were the last.
    pub is_last: bool,
    /// The directories whose children are told from here on, and when each was last listed before, in milliseconds since 1970.
    pub begun: Vec<(InodeId, i64)>,
}

impl Part {
    /// All of a listing that was told at once.
    ///
    /// # Errors
    /// It is another answer.
    pub fn whole(answer: Answer) -> Result<Part, FsError> {
        match answer {
            Answer::List(part) => Ok(part),
            other => Err(FsError::new(ErrorKind::Internal, format!("the answer to a listing is {other:?}"))),
        }
    }
}

impl Walk {
    /// All that listStatus tells.
    pub fn new(path: AlluxioPath, recursive: bool) -> Walk {
        Walk { path, recursive, start: Start::First, prefix: Vec::new(), skip: 0, levels: None }
    }

    /// Less of it: from `start` on, without the first `skip`, below names that begin so.
    pub fn within(self, start: Start, prefix: Vec<String>, skip: u64) -> Walk {
        Walk { start, prefix, skip, ..self }
    }

    /// What is asked, but for the part of it that is wished.
    pub fn query(&self) -> Query {
        Query::ListStatus { path: self.path.clone(), recursive: self.recursive }
    }

    /// Whether it tells all that listStatus does, and has not begun.
    pub fn is_whole(&self) -> bool {
        let Walk { start, prefix, skip, levels, .. } = self;
        levels.is_none() && *start == Start::First && prefix.is_empty() && *skip == 0
    }

    /// The next entries, `limit` at most, and the end of the walk if there is nothing after them. They may be none, and
    /// not the last.
    pub(super) fn next(
        &mut self,
        at: &Context<'_>,
        limit: usize,
        looked_at_max: usize,
        footprint: &mut Footprint,
    ) -> Result<Part, FsError> {
        let permissions = at.permissions(footprint);
        let mut begun = Vec::new();
        let (mut levels, count, expected) = match self.levels.take() {
            Some(levels) => (levels, -1, limit),
            None => {
                let (inode, permissions) = listable(at, &self.path, footprint)?;
                if !inode.is_directory() {
                    // Compatible: 2.9.6 listStatusInternal: what begins after a name begins after the file, too.
                    let begins_later = matches!(self.start, Start::After(_));
                    let is_left_out = self.skip > 0 || !self.prefix.is_empty() || begins_later;
                    let status = (!is_left_out).then(|| status_of(at, &self.path, &inode, footprint));
                    return Ok(Part { statuses: Vec::from_iter(status), count: 1, is_last: true, begun: Vec::new() });
                }
                let count = if self.recursive { -1 } else { inode.children().cast_signed() };
                let children = usize::try_from(inode.children()).unwrap_or(usize::MAX);
                begun.push((inode.id, inode.access_time_ms));
                (self.begin(at, &permissions, &inode, footprint)?, count, children.min(limit))
            }
        };
        let (mut statuses, mut left) = (Vec::with_capacity(expected.min(LOOKED_AT_MAX)), looked_at_max);
        while statuses.len() < limit && left > 0 {
            let depth = levels.len();
            let Some(level) = levels.last_mut() else { break };
            let (mut last, mut below, mut is_done) = (None, None, true);
            for child in at.state.inodes().children_within(level.directory, next_name(&self.prefix, depth, level)) {
                let name = at.state.inodes().name(&child);
                if !fits(&self.prefix, depth, name) {
                    break;
                }
                (last, left) = (Some(child), left - 1);
                let path = level.path.join(name);
                match depth < self.prefix.len() {
                    true => {}
                    false if self.skip > 0 => self.skip -= 1,
                    false => statuses.push(status_of(at, &path, &child, footprint)),
                }
                if self.recursive && child.is_directory() && may_list(&permissions, &child, &path, footprint) {
                    begun.push((child.id, child.access_time_ms));
                    below = Some(Level { path, directory: child.id, after: None });
                }
                is_done = !(below.is_some() || statuses.len() == limit || left == 0);
                if !is_done {
                    break;
                }
            }
            match is_done {
                true => drop(levels.pop()),
                false => level.after = last.map(|child| at.state.inodes().name(&child).to_owned()),
            }
            levels.extend(below);
        }
        let is_last = levels.is_empty();
        self.levels = Some(levels);
        Ok(Part { statuses, count, is_last, begun })
    }

    /// The directories on the way to where it begins.
    fn begin(
        &self,
        at: &Context<'_>,
        permissions: &Permissions<'_>,
        top: &Inode,
        footprint: &mut Footprint,
    ) -> Result<Vec<Level>, FsError> {
        let names = match &self.start {
            Start::First => Vec::new(),
            Start::After(names) => names.clone(),
            Start::AfterInode(id) => self.names_to(at.state, *id)?,
        };
        let after = |depth: usize| names.get(depth).cloned();
        let mut levels = vec![Level { path: self.path.clone(), directory: top.id, after: after(0) }];
        for (depth, name) in names.iter().enumerate().filter(|_| self.recursive) {
            let above = levels.last().expect("the first was pushed");
            let path = above.path.join(name);
            let child = at.state.inodes().child(above.directory, name).filter(|child| child.is_directory());
            match child.filter(|child| may_list(permissions, child, &path, footprint)) {
                Some(child) => levels.push(Level { path, directory: child.id, after: after(depth + 1) }),
                None => break,
            }
        }
        Ok(levels)
    }

    /// From the listed path to an inode below it.
    // Compatible: 2.9.6 ListStatusPartial.checkPartialListingOffset, the texts to the letter.
    fn names_to(&self, state: &MasterState, id: InodeId) -> Result<Vec<String>, FsError> {
        let gone = |what: &dyn fmt::Display| {
            let text = "Inode was not found during partial listing. It was likely removed across listing calls.";
            FsError::new(ErrorKind::NotFound, format!("\"{what}\" {text}"))
        };
        let path = state.path_of(id).ok_or_else(|| gone(&format_args!("Inode {id} does not exit")))?;
        if !self.path.is_prefix_of(&path) {
            return Err(gone(&self.path));
        }
        let below = path.as_str()[self.path.as_str().len()..].split('/').filter(|name| !name.is_empty());
        let names: Vec<String> = below.map(str::to_owned).collect();
        if names.iter().enumerate().all(|(above, name)| fits(&self.prefix, above + 1, name)) {
            return Ok(names);
        }
        let (wanted, names) = (self.prefix.join(", "), names.join(", "));
        Err(errors::invalid(format!(
            "Prefix component [{wanted}] does not match path component [{names}] of the listing offset"
        )))
    }
}

/// Where to go on among the children of the directory at that depth.
fn next_name<'a>(prefix: &'a [String], depth: usize, level: &'a Level) -> Bound<&'a str> {
    let wanted = prefix.get(depth - 1).map(String::as_str);
    match (level.after.as_deref(), wanted) {
        (Some(after), Some(wanted)) if after < wanted => Bound::Included(wanted),
        (Some(after), _) => Bound::Excluded(after),
        (None, Some(wanted)) => Bound::Included(wanted),
        (None, None) => Bound::Unbounded,
    }
}

/// Whether a child at that depth is wished, or on the way to what is.
fn fits(prefix: &[String], depth: usize, name: &str) -> bool {
    match prefix.get(depth - 1) {
        Some(wanted) if depth < prefix.len() => name == wanted,
        Some(wanted) => name.starts_with(wanted),
        None => true,
    }
}

/// The next part of a walk over a state, read at once.
///
/// # Errors
/// With the first part: the refusal.
pub(super) fn next_part(at: &Context<'_>, walk: &mut Walk, limit: usize) -> Result<Part, FsError> {
    walk.next(at, limit, LOOKED_AT_MAX, &mut Footprint::off())
}

/// The children by name, or the file itself; recursive: depth first, parents before children.
pub(super) fn list_status(
    at: &Context<'_>,
    path: &AlluxioPath,
    recursive: bool,
    footprint: &mut Footprint,
) -> Result<Answer, FsError> {
    Walk::new(path.clone(), recursive).next(at, usize::MAX, usize::MAX, footprint).map(Answer::List)
}

/// Some of what `list_status` tells of a directory, in the same order, with the same rights.
pub(super) fn list_part(
    at: &Context<'_>,
    path: &AlluxioPath,
    offset: usize,
    limit: usize,
    footprint: &mut Footprint,
) -> Result<Answer, FsError> {
    let (inode, _) = listable(at, path, footprint)?;
    if !inode.is_directory() {
        return Err(errors::invalid(format!("{path} is a file, not a directory")));
    }
    let inodes = at.state.inodes();
    let children = inodes.children_from(inode.id, offset).take(limit);
    let statuses: Vec<_> =
        children.map(|child| status_of(at, &path.join(inodes.name(&child)), &child, footprint)).collect();
    let is_last = (offset + statuses.len()) as u64 >= inode.children();
    Ok(Answer::List(Part { statuses, count: inode.children().cast_signed(), is_last, begun: Vec::new() }))
}

/// What is there, if it may be read and, as a directory, be listed.
fn listable<'a>(
    at: &'a Context<'_>,
    path: &AlluxioPath,
    footprint: &mut Footprint,
) -> Result<(Inode, Permissions<'a>), FsError> {
    let resolved = resolve(at, path, footprint)?;
    let permissions = at.permissions(footprint);
    permissions.check_target(&resolved, Access::READ, footprint)?;
    let inode = *resolved.existing()?;
    if inode.is_directory() {
        permissions.check(&inode, Access::EXECUTE, path, footprint)?;
        footprint.listed(inode.id);
    }
    Ok((inode, permissions))
}

// Compatible: 2.9 listStatus: below the listed directory, what may not be read is left out, not refused.
fn may_list(permissions: &Permissions<'_>, child: &Inode, path: &AlluxioPath, footprint: &mut Footprint) -> bool {
    [Access::READ, Access::EXECUTE].into_iter().all(|access| permissions.check(child, access, path, footprint).is_ok())
}
