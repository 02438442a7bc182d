//! Who may do what: owner, group and other bits, access lists, and the super user, as 2.9.6 checks them.

use super::resolve::Resolved;
use super::{Caller, Context};
use crate::master::state::{Footprint, Inode, InodeTree};
use crate::types::{AccessControlList, AlluxioPath, ErrorKind, FsError, InodeId};

/// What is asked of an inode, as permission bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Access(u16);

impl Access {
    pub(super) const READ: Access = Access(4);
    pub(super) const WRITE: Access = Access(2);
    pub(super) const EXECUTE: Access = Access(1);

    /// 4 read, 2 write, 1 execute, or several of them.
    pub(super) fn of_bits(bits: u16) -> Access {
        Access(bits & 7)
    }
}

/// The rights of one caller.
pub(super) struct Permissions<'a> {
    inodes: &'a InodeTree,
    caller: &'a Caller,
    /// Nothing is refused: checking is off, or the caller is the super user.
    is_free: bool,
    is_super_user: bool,
}

impl<'a> Permissions<'a> {
    pub(super) fn of(at: &Context<'a>, footprint: &mut Footprint) -> Permissions<'a> {
        let inodes = at.state.inodes();
        let is_super_user = at.settings.permission_checking && {
            footprint.read_inode(InodeId::ROOT);
            let root = inodes.get(InodeId::ROOT);
            root.is_some_and(|root| inodes.owner(&root) == at.caller.user)
                || at.caller.groups.contains(&at.settings.super_group)
        };
        let is_free = !at.settings.permission_checking || is_super_user;
        Permissions { inodes, caller: at.caller, is_free, is_super_user }
    }

    /// Whether nothing is refused to this caller.
    pub(super) fn is_free(&self) -> bool {
        self.is_free
    }

    /// The way to what the path names may be walked.
    pub(super) fn check_way(&self, resolved: &Resolved<'_>, footprint: &mut Footprint) -> Result<(), FsError> {
        resolved.above().iter().try_for_each(|inode| self.check(inode, Access::EXECUTE, resolved.path, footprint))
    }

    /// The way may be walked, and this may be done to what the path names, if that exists.
    pub(super) fn check_target(
        &self,
        resolved: &Resolved<'_>,
        access: Access,
        footprint: &mut Footprint,
    ) -> Result<(), FsError> {
        self.check_way(resolved, footprint)?;
        resolved.target().map_or(Ok(()), |inode| self.check(inode, access, resolved.path, footprint))
    }

    /// Children may be added to and taken from the lowest directory above that exists; the root has none above.
    pub(super) fn check_parent(&self, resolved: &Resolved<'_>) -> Result<(), FsError> {
        let mut footprint = Footprint::off();
        match resolved.above().split_last() {
            None => Ok(()),
            Some((parent, way)) => {
                let mut on_way = way.iter();
                on_way.try_for_each(|inode| self.check(inode, Access::EXECUTE, resolved.path, &mut footprint))?;
                self.check(parent, Access::WRITE, resolved.path, &mut footprint)
            }
        }
    }

    /// The caller owns it.
    pub(super) fn check_owner(&self, inode: &Inode, path: &AlluxioPath) -> Result<(), FsError> {
        if self.is_free || self.inodes.owner(inode) == self.caller.user {
            return Ok(());
        }
        Err(denied(format!("user={} is not the owner of path={path}", self.caller.user)))
    }

    /// The caller is the super user.
    pub(super) fn check_super_user(&self) -> Result<(), FsError> {
        if self.is_free || self.is_super_user {
            return Ok(());
        }
        Err(denied(format!("{} is not a super user or in super group", self.caller.user)))
    }

    /// The list of an inode that has more than its mode.
    fn list_of(&self, inode: &Inode) -> Option<AccessControlList> {
        let extended = inode.has_extras().then(|| self.inodes.extras(inode).acl).flatten();
        extended.map(|extended| AccessControlList {
            owner: self.inodes.owner(inode).to_owned(),
            group: self.inodes.group(inode).to_owned(),
            mode: inode.mode,
            extended: Some(extended),
        })
    }

    /// Whether this may be done to an inode.
    pub(super) fn allow(&self, inode: &Inode, access: Access) -> bool {
        self.is_free || {
            let (owner, group) = (self.inodes.owner(inode), self.inodes.group(inode));
            let class = if let Some(list) = self.list_of(inode) {
                list.permitted(&self.caller.user, &self.caller.groups)
            } else if owner == self.caller.user {
                inode.mode >> 6
            } else if self.caller.groups.iter().any(|mine| mine == group) {
                inode.mode >> 3
            } else {
                inode.mode
            };
            class & access.0 == access.0
        }
    }

    /// The same, of an inode on that path, with the reason if not.
    pub(super) fn check(
        &self,
        inode: &Inode,
        access: Access,
        path: &AlluxioPath,
        footprint: &mut Footprint,
    ) -> Result<(), FsError> {
        if self.is_free {
            return Ok(());
        }
        footprint.read_inode(inode.id);
        if self.allow(inode, access) {
            return Ok(());
        }
        let (owner, group) = (self.inodes.owner(inode), self.inodes.group(inode));
        let name = Some(self.inodes.name(inode)).filter(|name| !name.is_empty()).unwrap_or("/");
        Err(denied(format!(
            "user={}, access={}, path={path}: failed at {name}, inode owner={owner}, inode group={group}, inode mode={}",
            self.caller.user,
            class_text(access.0),
            mode_text(inode.mode),
        )))
    }
}

fn denied(reason: String) -> FsError {
    FsError::new(ErrorKind::PermissionDenied, format!("Permission denied: {reason}"))
}

fn mode_text(mode: u16) -> String {
    [mode >> 6, mode >> 3, mode].map(class_text).concat()
}

fn class_text(bits: u16) -> String {
    [(4, 'r'), (2, 'w'), (1, 'x')].map(|(bit, letter)| if bits & bit != 0 { letter } else { '-' }).iter().collect()
}
