//! The part of `apply` that changes what few inodes have.

use super::apply::Applied;
use super::{Inode, MasterState};
use crate::journal::entry::{DefaultAclUpdate, InodeExtras, SetAcl, UpdateInode};
use crate::types::{ContentHash, InodeAcls, InodeId, InodeType};

impl MasterState {
    /// Gives a new inode what its entry says, and was checked.
    pub(super) fn add_extras(&mut self, id: InodeId, extras: Option<&InodeExtras>) -> Applied {
        let Some(extras) = extras else { return Ok(()) };
        let mut inode = self.inode(id)?;
        self.inodes.set_extras(&mut inode, extras);
        self.inodes.update(&inode);
        Ok(())
    }

    /// The inode is to be written back.
    pub(super) fn update_extras(&mut self, inode: &mut Inode, update: &UpdateInode) -> Applied {
        let UpdateInode { acl, content_hash, media, xattr, pinned, .. } = update;
        // Compatible: 2.9.6 MutableInode.updateFromEntry: whoever pins or lets go says all media.
        let forgets_media = pinned.is_some() && inode.has_extras();
        let changes = acl.is_some() || content_hash.is_some() || !media.is_empty() || xattr.is_some();
        if !changes && !forgets_media {
            return Ok(());
        }
        let mut extras = self.inodes.extras(inode);
        if let Some(acl) = acl {
            if !acl.owner.is_empty() {
                inode.owner = self.inodes.users.number(&acl.owner);
            }
            if !acl.group.is_empty() {
                inode.group = self.inodes.users.number(&acl.group);
            }
            inode.mode = acl.mode;
            extras.acl.clone_from(&acl.extended);
        }
        if let Some(hash) = content_hash {
            extras.content_hash.clone_from(hash);
        }
        match pinned {
            Some(false) => extras.media.clear(),
            Some(true) => extras.media.clone_from(media),
            None if media.is_empty() => {}
            None => extras.media.clone_from(media),
        }
        if let Some(xattr) = xattr {
            xattr.apply(&mut extras.xattr);
        }
        check(type_of(inode), Some(&extras))?;
        self.inodes.set_extras(inode, &extras);
        Ok(())
    }

    /// The directory is to be written back.
    pub(super) fn set_default_acl(&mut self, directory: &mut Inode, update: &DefaultAclUpdate) {
        let mut extras = self.inodes.extras(directory);
        extras.default_acl = match update {
            DefaultAclUpdate::Replace(acl) => Some(acl.clone()),
            DefaultAclUpdate::Remove => None,
        };
        self.inodes.set_extras(directory, &extras);
    }

    pub(super) fn set_acl(&mut self, set: &SetAcl) -> Applied {
        let mut inode = self.inode(set.id)?;
        let mut extras = self.inodes.extras(&inode);
        let mut acls = InodeAcls { mode: inode.mode, extended: extras.acl, default: extras.default_acl };
        acls.change(set.action, &set.entries, type_of(&inode)).map_err(|refusal| refusal.to_string())?;
        (inode.mode, extras.acl, extras.default_acl) = (acls.mode, acls.extended, acls.default);
        self.inodes.set_extras(&mut inode, &extras);
        self.inodes.update(&inode);
        self.passed(set.op_time_ms);
        Ok(())
    }
}

/// Files have no children, and directories no content.
pub(super) fn check(of: InodeType, extras: Option<&InodeExtras>) -> Applied {
    match (of, extras) {
        (InodeType::Directory, Some(extras)) if extras.content_hash != ContentHash::Unknown => {
            Err("a directory has no content".into())
        }
        (InodeType::File, Some(extras)) if extras.default_acl.is_some() => {
            Err("a file has no default access list".into())
        }
        _ => Ok(()),
    }
}

fn type_of(inode: &Inode) -> InodeType {
    if inode.is_directory() { InodeType::Directory } else { InodeType::File }
}

#[cfg(test)]
#[path = "apply_extras_tests.rs"]
mod tests;
