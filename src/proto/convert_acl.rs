//! Access lists ↔ the messages that travel.

use super::alluxio::grpc::file;
use crate::types::{
    AclEntry, AclSubject, DefaultAcl, ErrorKind, ExtendedAcl, FsError, InodeAcls, InodeType, SetAclAction,
};

/// Bits and the actions that they permit.
const ACTIONS: [(u16, file::PAclAction); 3] =
    [(4, file::PAclAction::Read), (2, file::PAclAction::Write), (1, file::PAclAction::Execute)];

/// The list of a file or directory as it travels. Owner, group and others are told by the mode.
// Compatible: 2.9.6 GrpcUtils.toProto: whoever has no list beyond its mode has a message, too.
pub(super) fn acl_to_proto(owner: &str, group: &str, mode: u16, extended: Option<&ExtendedAcl>) -> file::PAcl {
    file::PAcl {
        owner: Some(owner.to_owned()),
        owning_group: Some(group.to_owned()),
        entries: extended.map(|extended| extended.entries().iter().map(entry_to_proto).collect()).unwrap_or_default(),
        mode: Some(mode.into()),
        is_default: Some(false),
        is_default_empty: None,
    }
}

/// The default list of a directory as it travels; an empty one if there is none.
pub(super) fn default_acl_to_proto(owner: &str, group: &str, acl: Option<&DefaultAcl>) -> file::PAcl {
    let (mode, extended) = acl.map_or((0, None), |acl| (acl.mode, acl.extended.as_ref()));
    file::PAcl {
        is_default: Some(true),
        is_default_empty: Some(acl.is_none()),
        ..acl_to_proto(owner, group, mode, extended)
    }
}

/// What of a list goes beyond its mode.
///
/// # Errors
/// An entry that is none.
pub(super) fn extended_from_proto(acl: &file::PAcl) -> Result<Option<ExtendedAcl>, FsError> {
    let entries = acl.entries.iter().map(acl_entry_from_proto).collect::<Result<Vec<_>, _>>()?;
    let entries: Vec<_> = entries.into_iter().map(|entry| AclEntry { is_default: false, ..entry }).collect();
    let mut acls = InodeAcls { mode: acl.mode() as u16 & 0o777, extended: None, default: None };
    acls.change(SetAclAction::Modify, &entries, InodeType::File)
        .map_err(|refusal| FsError::new(ErrorKind::Internal, refusal.to_string()))?;
    Ok(acls.extended)
}

fn entry_to_proto(entry: &AclEntry) -> file::PAclEntry {
    let (kind, subject) = match &entry.subject {
        AclSubject::Owner => (file::PAclEntryType::Owner, ""),
        AclSubject::User(name) => (file::PAclEntryType::NamedUser, name.as_str()),
        AclSubject::OwningGroup => (file::PAclEntryType::OwningGroup, ""),
        AclSubject::Group(name) => (file::PAclEntryType::NamedGroup, name.as_str()),
        AclSubject::Mask => (file::PAclEntryType::Mask, ""),
        AclSubject::Other => (file::PAclEntryType::Other, ""),
    };
    let permitted = ACTIONS.iter().filter(|(bit, _)| entry.permitted & bit != 0);
    file::PAclEntry {
        r#type: Some(kind.into()),
        subject: Some(subject.to_owned()),
        actions: permitted.map(|(_, action)| *action as i32).collect(),
        is_default: Some(entry.is_default),
    }
}

/// An entry of a request.
///
/// # Errors
/// It names nobody, though its kind says that it does; the text is that of 2.9.6.
pub fn acl_entry_from_proto(entry: &file::PAclEntry) -> Result<AclEntry, FsError> {
    let named = |kind: &str| match entry.subject() {
        "" => Err(FsError::new(ErrorKind::Internal, format!("Subject for type {kind} cannot be empty"))),
        name => Ok(name.to_owned()),
    };
    let subject = match entry.r#type() {
        file::PAclEntryType::Owner => AclSubject::Owner,
        file::PAclEntryType::NamedUser => AclSubject::User(named("NAMED_USER")?),
        file::PAclEntryType::OwningGroup => AclSubject::OwningGroup,
        file::PAclEntryType::NamedGroup => AclSubject::Group(named("NAMED_GROUP")?),
        file::PAclEntryType::Mask => AclSubject::Mask,
        file::PAclEntryType::Other => AclSubject::Other,
    };
    let permitted = entry
        .actions()
        .fold(0, |bits, action| bits | ACTIONS.iter().find(|(_, known)| *known == action).map_or(0, |(bit, _)| *bit));
    Ok(AclEntry { subject, is_default: entry.is_default(), permitted })
}

/// What is to be done with entries.
pub fn acl_action_from_proto(action: file::SetAclAction) -> SetAclAction {
    match action {
        file::SetAclAction::Replace => SetAclAction::Replace,
        file::SetAclAction::Modify => SetAclAction::Modify,
        file::SetAclAction::Remove => SetAclAction::Remove,
        file::SetAclAction::RemoveAll => SetAclAction::RemoveAll,
        file::SetAclAction::RemoveDefault => SetAclAction::RemoveDefault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_arrives_as_it_left() {
        for text in ["user::rwx", "user:bob:r-x", "group::---", "group:dev:-w-", "mask::--x", "default:other::r--"] {
            let entry = AclEntry::parse(text).unwrap();
            assert_eq!(acl_entry_from_proto(&entry_to_proto(&entry)), Ok(entry));
        }
        let nobody = file::PAclEntry { r#type: Some(file::PAclEntryType::NamedGroup.into()), ..Default::default() };
        let refused = acl_entry_from_proto(&nobody).unwrap_err();
        assert_eq!(
            (refused.kind, &*refused.message),
            (ErrorKind::Internal, "Subject for type NAMED_GROUP cannot be empty")
        );
    }

    #[test]
    fn a_list_has_its_mode_and_who_is_named() {
        let named = |name: &str, bits| [(name.to_owned(), bits)].into();
        let extended = Some(ExtendedAcl { users: named("ann", 7), groups: named("dev", 1), mask: 5 });
        let message = acl_to_proto("o", "g", 0o750, extended.as_ref());
        assert_eq!((message.mode(), message.entries.len(), message.is_default()), (0o750, 3, false));
        assert_eq!(extended_from_proto(&message), Ok(extended.clone()));
        let default = DefaultAcl { mode: 0o700, extended: extended.clone() };
        let message = default_acl_to_proto("o", "g", Some(&default));
        assert_eq!((message.is_default(), message.is_default_empty(), message.mode()), (true, false, 0o700));
        assert_eq!(extended_from_proto(&message), Ok(extended));
        assert!(default_acl_to_proto("o", "g", None).is_default_empty());
    }
}
