//! Pure. What few inodes have, and what administrators set, as messages of 2.9 and back.

use super::entry::{DefaultAclUpdate, Entry, PathProperties, SetAcl, SyncPoint, UpdateUfsMode};
use super::entry_from_proto::{need, path_of};
use crate::proto::alluxio::proto::journal as wire;
use crate::proto::alluxio::proto::shared;
use crate::types::{
    AccessControlList, AclEntry, AclSubject, AlluxioPath, ContentHash, DefaultAcl, ExtendedAcl, InodeId, SetAclAction,
    UfsMode, XattrStrategy, XattrUpdate, Xattrs,
};

/// Bits and the actions that they permit.
const ACTIONS: [(u16, shared::AclAction); 3] =
    [(4, shared::AclAction::Read), (2, shared::AclAction::Write), (1, shared::AclAction::Execute)];

// ---- to messages

/// A list as 2.9 writes it.
pub(crate) fn acl_to_proto(acl: &AccessControlList) -> shared::AccessControlList {
    list_to_proto(&acl.owner, &acl.group, acl.mode, acl.extended.as_ref(), false)
}

/// The default list of a directory of these owners as 2.9 writes it; without one an empty list.
pub(super) fn default_acl_to_proto(owner: &str, group: &str, acl: Option<&DefaultAcl>) -> shared::AccessControlList {
    match acl {
        Some(acl) => list_to_proto(owner, group, acl.mode, acl.extended.as_ref(), true),
        None => shared::AccessControlList {
            is_default: Some(true),
            is_empty: Some(true),
            ..list_to_proto(owner, group, 0, None, true)
        },
    }
}

fn list_to_proto(
    owner: &str,
    group: &str,
    mode: u16,
    extended: Option<&ExtendedAcl>,
    is_default: bool,
) -> shared::AccessControlList {
    let named =
        |name: &str, bits| shared::NamedAclActions { name: Some(name.to_owned()), actions: Some(actions(bits)) };
    let mut user_actions = vec![named("", mode >> 6)];
    let mut group_actions = vec![named("", mode >> 3)];
    if let Some(extended) = extended {
        user_actions.extend(extended.users.iter().map(|(name, bits)| named(name, *bits)));
        group_actions.extend(extended.groups.iter().map(|(name, bits)| named(name, *bits)));
    }
    shared::AccessControlList {
        owning_user: Some(owner.to_owned()),
        owning_group: Some(group.to_owned()),
        user_actions,
        group_actions,
        mask_actions: extended.map(|extended| actions(extended.mask)),
        other_actions: Some(actions(mode)),
        is_default: Some(is_default),
        is_empty: Some(false),
    }
}

fn actions(bits: u16) -> shared::AclActions {
    let permitted = ACTIONS.iter().filter(|(bit, _)| bits & bit != 0);
    shared::AclActions { actions: permitted.map(|(_, action)| *action as i32).collect() }
}

pub(super) fn set_acl_to_proto(set: &SetAcl) -> wire::SetAclEntry {
    wire::SetAclEntry {
        id: Some(set.id.0),
        op_time_ms: Some(set.op_time_ms),
        action: Some(set.action as i32),
        entries: set.entries.iter().map(entry_to_proto).collect(),
        recursive: None,
    }
}

fn entry_to_proto(entry: &AclEntry) -> shared::AclEntry {
    let (kind, name) = match &entry.subject {
        AclSubject::Owner => (shared::AclEntryType::Owner, ""),
        AclSubject::User(name) => (shared::AclEntryType::NamedUser, name.as_str()),
        AclSubject::OwningGroup => (shared::AclEntryType::OwningGroup, ""),
        AclSubject::Group(name) => (shared::AclEntryType::NamedGroup, name.as_str()),
        AclSubject::Mask => (shared::AclEntryType::Mask, ""),
        AclSubject::Other => (shared::AclEntryType::Other, ""),
    };
    shared::AclEntry {
        r#type: Some(kind as i32),
        subject: Some(name.to_owned()),
        actions: actions(entry.permitted).actions,
        is_default: Some(entry.is_default),
    }
}

/// The fingerprint of a file as 2.9 writes it, but for the kind of UFS, which is not known; "" without a hash.
pub(crate) fn file_fingerprint(hash: &ContentHash, owner: &str, group: &str, mode: u16) -> String {
    hash.fingerprint_of_file("", owner, group, mode)
}

pub(super) fn path_properties_to_proto(set: &PathProperties) -> wire::PathPropertiesEntry {
    wire::PathPropertiesEntry { path: Some(set.path.to_string()), properties: set.properties.clone() }
}

pub(super) fn removed_properties_to_proto(path: &AlluxioPath) -> wire::RemovePathPropertiesEntry {
    wire::RemovePathPropertiesEntry { path: Some(path.to_string()) }
}

pub(super) fn ufs_mode_to_proto(update: &UpdateUfsMode) -> wire::UpdateUfsModeEntry {
    wire::UpdateUfsModeEntry { ufs_path: Some(update.ufs_path.clone()), ufs_mode: Some(update.mode as i32) }
}

pub(super) fn sync_point_to_proto(point: &SyncPoint) -> wire::AddSyncPointEntry {
    wire::AddSyncPointEntry { syncpoint_path: Some(point.path.to_string()), mount_id: Some(point.mount_id) }
}

pub(super) fn removed_sync_point_to_proto(point: &SyncPoint) -> wire::RemoveSyncPointEntry {
    wire::RemoveSyncPointEntry { syncpoint_path: Some(point.path.to_string()), mount_id: Some(point.mount_id) }
}

// ---- from messages

/// The list in a message.
///
/// # Errors
/// An action that does not exist.
pub(crate) fn acl_of(list: shared::AccessControlList) -> Result<AccessControlList, String> {
    let shared::AccessControlList {
        owning_user,
        owning_group,
        user_actions,
        group_actions,
        mask_actions,
        other_actions,
        is_default: _,
        is_empty: _,
    } = list;
    let (mut owner_bits, mut group_bits, mut extended) = (0, 0, ExtendedAcl::default());
    for (named, base, others) in
        [(user_actions, &mut owner_bits, &mut extended.users), (group_actions, &mut group_bits, &mut extended.groups)]
    {
        for one in named {
            let bits = bits_of(&one.actions.unwrap_or_default().actions)?;
            match one.name.filter(|name| !name.is_empty()) {
                Some(name) => drop(others.insert(name, bits)),
                None => *base = bits,
            }
        }
    }
    extended.mask = bits_of(&mask_actions.unwrap_or_default().actions)?;
    let other_bits = bits_of(&other_actions.unwrap_or_default().actions)?;
    Ok(AccessControlList {
        owner: owning_user.unwrap_or_default(),
        group: owning_group.unwrap_or_default(),
        mode: owner_bits << 6 | group_bits << 3 | other_bits,
        // Compatible: 2.9.6 ProtoUtils.fromProto: a mask of nobody does not stay.
        extended: Some(extended).filter(ExtendedAcl::names_anybody),
    })
}

/// The default list in a message; none when it is empty.
///
/// # Errors
/// An action that does not exist.
pub(crate) fn default_acl_of(list: shared::AccessControlList) -> Result<Option<DefaultAcl>, String> {
    if list.is_empty() {
        return Ok(None);
    }
    let AccessControlList { mode, extended, .. } = acl_of(list)?;
    Ok(Some(DefaultAcl { mode, extended }))
}

/// A new default list in a message.
///
/// # Errors
/// An action that does not exist.
pub(super) fn default_update_of(list: shared::AccessControlList) -> Result<Box<DefaultAclUpdate>, String> {
    Ok(Box::new(default_acl_of(list)?.map_or(DefaultAclUpdate::Remove, DefaultAclUpdate::Replace)))
}

fn bits_of(actions: &[i32]) -> Result<u16, String> {
    actions.iter().try_fold(0, |bits, number| {
        let known = ACTIONS.iter().find(|(_, action)| *action as i32 == *number);
        known.map(|(bit, _)| bits | bit).ok_or_else(|| format!("access list: no action has the number {number}"))
    })
}

pub(crate) fn set_acl_of(entry: wire::SetAclEntry) -> Result<SetAcl, String> {
    let wire::SetAclEntry { id, op_time_ms, action, entries, recursive: _ } = entry;
    let kind = "set_acl";
    let action = need(kind, "action", action)?;
    Ok(SetAcl {
        id: InodeId(need(kind, "id", id)?),
        op_time_ms: need(kind, "op_time_ms", op_time_ms)?,
        action: SetAclAction::of_number(action).ok_or_else(|| format!("set_acl: no action has the number {action}"))?,
        entries: entries.into_iter().map(acl_entry_of).collect::<Result<_, _>>()?,
    })
}

fn acl_entry_of(entry: shared::AclEntry) -> Result<AclEntry, String> {
    let shared::AclEntry { r#type, subject, actions, is_default } = entry;
    let number = need("set_acl", "type", r#type)?;
    let name = subject.unwrap_or_default();
    let named = |name: String| if name.is_empty() { Err("set_acl: an entry for no name") } else { Ok(name) };
    let subject = match shared::AclEntryType::try_from(number) {
        Ok(shared::AclEntryType::Owner) => AclSubject::Owner,
        Ok(shared::AclEntryType::NamedUser) => AclSubject::User(named(name)?),
        Ok(shared::AclEntryType::OwningGroup) => AclSubject::OwningGroup,
        Ok(shared::AclEntryType::NamedGroup) => AclSubject::Group(named(name)?),
        Ok(shared::AclEntryType::Mask) => AclSubject::Mask,
        Ok(shared::AclEntryType::Other) => AclSubject::Other,
        Err(_) => return Err(format!("set_acl: no entry has the type {number}")),
    };
    Ok(AclEntry { subject, is_default: is_default.unwrap_or(false), permitted: bits_of(&actions)? })
}

/// A change of extended attributes; one says always how.
///
/// # Errors
/// A strategy that does not exist, or values without one.
pub(super) fn xattr_update_of(values: Xattrs, strategy: Option<i32>) -> Result<Option<Box<XattrUpdate>>, String> {
    let kind = "update_inode";
    match strategy {
        None if values.is_empty() => Ok(None),
        None => Err("update_inode: xAttr without xAttr_update_strategy".into()),
        Some(number) => {
            let strategy = XattrStrategy::of_number(number)
                .ok_or_else(|| format!("{kind}: no xAttr_update_strategy has the number {number}"))?;
            Ok(Some(Box::new(XattrUpdate { strategy, values })))
        }
    }
}

pub(crate) fn path_properties_of(entry: wire::PathPropertiesEntry) -> Result<Entry, String> {
    let wire::PathPropertiesEntry { path, properties } = entry;
    Ok(Entry::PathProperties(PathProperties { path: path_of("path_properties", path)?, properties }))
}

pub(crate) fn removed_properties_of(entry: wire::RemovePathPropertiesEntry) -> Result<Entry, String> {
    let wire::RemovePathPropertiesEntry { path } = entry;
    Ok(Entry::RemovePathProperties { path: path_of("remove_path_properties", path)? })
}

pub(crate) fn ufs_mode_of(entry: wire::UpdateUfsModeEntry) -> Result<Entry, String> {
    let wire::UpdateUfsModeEntry { ufs_path, ufs_mode } = entry;
    let kind = "update_ufs_mode";
    let number = need(kind, "ufsMode", ufs_mode)?;
    let mode = UfsMode::of_number(number).ok_or_else(|| format!("{kind}: no mode has the number {number}"))?;
    Ok(Entry::UpdateUfsMode(UpdateUfsMode { ufs_path: need(kind, "ufsPath", ufs_path)?, mode }))
}

pub(crate) fn sync_point_of(entry: wire::AddSyncPointEntry) -> Result<SyncPoint, String> {
    let wire::AddSyncPointEntry { syncpoint_path, mount_id } = entry;
    let kind = "add_sync_point";
    Ok(SyncPoint { path: path_of(kind, syncpoint_path)?, mount_id: need(kind, "mount_id", mount_id)? })
}

pub(crate) fn removed_sync_point_of(entry: wire::RemoveSyncPointEntry) -> Result<SyncPoint, String> {
    let wire::RemoveSyncPointEntry { syncpoint_path, mount_id } = entry;
    let kind = "remove_sync_point";
    Ok(SyncPoint { path: path_of(kind, syncpoint_path)?, mount_id: need(kind, "mount_id", mount_id)? })
}
