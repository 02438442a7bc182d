//! setAcl

use super::resolve::resolve;
use super::walk::{Depth, Which, inodes_of};
use super::{Answer, Context, Decision, SetAcl, errors};
use crate::journal::entry::{self, Entry};
use crate::master::state::{Footprint, Inode};
use crate::types::{AclEntry, AclRefusal, AclSubject, ErrorKind, FsError, InodeAcls, InodeType, SetAclAction};

// Compatible: 2.9.6 DefaultFileSystemMaster.setAcl: the owner changes lists, of all below too, and nothing is asked of the
// mode of the UFS. There it tells the UFS, and goes on when that refuses; here the UFS keeps its lists.
pub(super) fn decide(at: &Context<'_>, op: &SetAcl, which: Which<'_>) -> Result<Decision, FsError> {
    let mut footprint = Footprint::off();
    let permissions = at.permissions(&mut footprint);
    let resolved = resolve(at, &op.path, &mut footprint)?;
    permissions.check_way(&resolved, &mut footprint)?;
    let inode = resolved.existing()?;
    permissions.check_owner(inode, &op.path)?;
    let depth = if op.recursive { Depth::Tree } else { Depth::Itself };
    let inodes = inodes_of(at, &op.path, inode, depth, which)?;
    for (path, inode) in &inodes {
        permissions.check_owner(inode, path)?;
    }
    if !has_something_to_do(op)? {
        return Ok(Decision::done());
    }
    let mut entries = Vec::with_capacity(inodes.len());
    for (_, inode) in &inodes {
        check(at, op, inode)?;
        entries.push(Entry::SetAcl(entry::SetAcl {
            id: inode.id,
            op_time_ms: at.now.0,
            action: op.action,
            entries: op.entries.clone(),
        }));
    }
    Ok(Decision { entries, answer: Answer::Done })
}

fn has_something_to_do(op: &SetAcl) -> Result<bool, FsError> {
    match op.action {
        SetAclAction::Modify | SetAclAction::Remove => Ok(!op.entries.is_empty()),
        SetAclAction::RemoveAll | SetAclAction::RemoveDefault => Ok(true),
        SetAclAction::Replace => {
            let base = [
                (AclSubject::Owner, "OWNING_USER"),
                (AclSubject::OwningGroup, "OWNING_GROUP"),
                (AclSubject::Other, "OTHER"),
            ];
            let lacks = |subject: &AclSubject| !op.entries.iter().any(|entry| entry.subject == *subject);
            let missing: Vec<&str> = base.iter().filter(|(kind, _)| lacks(kind)).map(|(_, name)| *name).collect();
            if missing.is_empty() {
                return Ok(true);
            }
            let message = format!(
                "Replacing ACL entries must include the base entries for 'user', 'group', and 'other'. missing: {}",
                missing.join(", ")
            );
            Err(FsError::new(ErrorKind::Unknown, message))
        }
    }
}

/// Refuses what the entry could not do to this inode.
fn check(at: &Context<'_>, op: &SetAcl, inode: &Inode) -> Result<(), FsError> {
    let extras = at.state.inodes().extras(inode);
    let mut acls = InodeAcls { mode: inode.mode, extended: extras.acl, default: extras.default_acl };
    let is = if inode.is_directory() { InodeType::Directory } else { InodeType::File };
    let internal = |message: String| FsError::new(ErrorKind::Internal, message);
    acls.change(op.action, &op.entries, is).map_err(|refusal| match refusal {
        AclRefusal::Mask => {
            let entry = op.entries.iter().find(|entry| entry.subject == AclSubject::Mask);
            errors::invalid(format!("{refusal} entry: {}", entry.map(java_text).unwrap_or_default()))
        }
        AclRefusal::BaseEntry => {
            let is_base = |subject: &AclSubject| {
                matches!(subject, AclSubject::Owner | AclSubject::OwningGroup | AclSubject::Other)
            };
            let entry = op.entries.iter().find(|entry| !entry.is_default && is_base(&entry.subject));
            internal(format!("{refusal} entry: {}", entry.map(java_text).unwrap_or_default()))
        }
        AclRefusal::DefaultOfFile if op.action == SetAclAction::RemoveDefault => {
            internal("setDefaultACL: File does not have default ACL".to_owned())
        }
        AclRefusal::DefaultOfFile if op.action == SetAclAction::Remove => {
            internal("getDefaultACL: File does not have default ACL".to_owned())
        }
        AclRefusal::DefaultOfFile => internal(refusal.to_string()),
    })
}

/// As 2.9.6 shows an entry in its refusals.
fn java_text(entry: &AclEntry) -> String {
    let (kind, subject) = match &entry.subject {
        AclSubject::Owner => ("OWNING_USER", ""),
        AclSubject::User(name) => ("NAMED_USER", name.as_str()),
        AclSubject::OwningGroup => ("OWNING_GROUP", ""),
        AclSubject::Group(name) => ("NAMED_GROUP", name.as_str()),
        AclSubject::Mask => ("MASK", ""),
        AclSubject::Other => ("OTHER", ""),
    };
    let actions = [(4, "READ"), (2, "WRITE"), (1, "EXECUTE")];
    let permitted = actions.iter().filter(|(bit, _)| entry.permitted & bit != 0).map(|(_, name)| *name);
    let permitted = permitted.collect::<Vec<_>>().join(", ");
    let is_default = entry.is_default;
    format!(
        "AclEntry{{type={kind}, subject={subject}, actions=AclActions{{actions=[{permitted}]}}, isDefault={is_default}}}"
    )
}
