//! Pure. Lists of who may do what, as far as our state keeps them: owner, group and permission bits.

use super::tally::Tally;
use crate::proto::alluxio::proto::journal::{PSetAclAction, SetAclEntry};
use crate::proto::alluxio::proto::shared::{AccessControlList, AclAction, AclEntryType, NamedAclActions};

/// What is left out of a list of who may do what.
const EXTENDED: &str = "access lists beyond owner, group and others (setfacl)";
/// The same for lists that new children inherit.
const DEFAULT: &str = "default access lists of directories (setfacl -d)";

/// Owner, group and permission bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// User.
    pub owner: Option<String>,
    /// Group.
    pub group: Option<String>,
    /// Permission bits.
    pub mode: i32,
}

/// The part of `list` that is kept.
///
/// # Errors
/// An action that does not exist.
pub fn base_of(list: AccessControlList, tally: &mut Tally) -> Result<Base, String> {
    let AccessControlList {
        owning_user,
        owning_group,
        user_actions,
        group_actions,
        mask_actions,
        other_actions,
        is_default: _,
        is_empty: _,
    } = list;
    let named = |actions: &[NamedAclActions]| actions.iter().any(|one| !one.name().is_empty());
    let is_extended =
        named(&user_actions) || named(&group_actions) || mask_actions.is_some_and(|m| !m.actions.is_empty());
    tally.drop_if(is_extended, EXTENDED);
    let of_owner = |actions: Vec<NamedAclActions>| {
        actions.into_iter().find(|one| one.name().is_empty()).and_then(|one| one.actions).unwrap_or_default().actions
    };
    let user = bits(&of_owner(user_actions))?;
    let group = bits(&of_owner(group_actions))?;
    let other = bits(&other_actions.unwrap_or_default().actions)?;
    Ok(Base { owner: owning_user, group: owning_group, mode: user << 6 | group << 3 | other })
}

/// Counts a list for new children, if it says anything.
pub fn drop_default(list: Option<AccessControlList>, tally: &mut Tally) {
    tally.drop_if(list.is_some_and(|list| !list.is_empty()), DEFAULT);
}

/// The permission bits after a `set_acl` entry.
///
/// # Errors
/// An action or a kind of entry that does not exist.
pub fn mode_after(mode: u16, entry: &SetAclEntry, tally: &mut Tally) -> Result<u16, String> {
    let action = PSetAclAction::try_from(entry.action.ok_or("set_acl without action")?).map_err(|e| e.to_string())?;
    let mut mode = i32::from(mode);
    for one in &entry.entries {
        let kind = AclEntryType::try_from(one.r#type.ok_or("set_acl: an entry without type")?);
        let kind = kind.map_err(|e| e.to_string())?;
        if one.is_default() {
            tally.drop_one(DEFAULT);
            continue;
        }
        let shift = match kind {
            AclEntryType::Owner => 6,
            AclEntryType::OwningGroup => 3,
            AclEntryType::Other => 0,
            AclEntryType::NamedUser | AclEntryType::NamedGroup | AclEntryType::Mask => {
                tally.drop_one(EXTENDED);
                continue;
            }
        };
        if matches!(action, PSetAclAction::Replace | PSetAclAction::Modify) {
            mode = mode & !(7 << shift) | bits(&one.actions)? << shift;
        }
    }
    u16::try_from(mode).map_err(|e| e.to_string())
}

fn bits(actions: &[i32]) -> Result<i32, String> {
    actions.iter().try_fold(0, |bits, action| match AclAction::try_from(*action) {
        Ok(AclAction::Read) => Ok(bits | 4),
        Ok(AclAction::Write) => Ok(bits | 2),
        Ok(AclAction::Execute) => Ok(bits | 1),
        Err(error) => Err(format!("access list: {error}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::alluxio::proto::shared::{AclActions, AclEntry};

    fn actions(actions: &[AclAction]) -> Option<AclActions> {
        Some(AclActions { actions: actions.iter().map(|action| *action as i32).collect() })
    }

    #[test]
    fn owner_group_and_bits_are_kept_and_the_rest_is_counted() {
        let named = |name: &str, these| NamedAclActions { name: Some(name.into()), actions: actions(these) };
        let list = AccessControlList {
            owning_user: Some("u".into()),
            owning_group: Some("g".into()),
            user_actions: vec![named("x", &[AclAction::Write]), named("", &[AclAction::Read, AclAction::Write])],
            group_actions: vec![named("", &[AclAction::Execute])],
            other_actions: actions(&[AclAction::Read]),
            ..AccessControlList::default()
        };
        let mut tally = Tally::default();
        let base = base_of(list, &mut tally).unwrap();
        assert_eq!(base, Base { owner: Some("u".into()), group: Some("g".into()), mode: 0o614 });
        assert_eq!(tally.dropped.get(EXTENDED), Some(&1));
    }

    #[test]
    fn a_change_of_the_base_changes_the_bits() {
        let entry = |action: PSetAclAction, kind: AclEntryType| SetAclEntry {
            action: Some(action as i32),
            entries: vec![AclEntry {
                r#type: Some(kind as i32),
                actions: vec![AclAction::Read as i32],
                ..AclEntry::default()
            }],
            ..SetAclEntry::default()
        };
        let mut tally = Tally::default();
        let mut after = |entry| mode_after(0o777, &entry, &mut tally).unwrap();
        assert_eq!(after(entry(PSetAclAction::Modify, AclEntryType::OwningGroup)), 0o747);
        assert_eq!(after(entry(PSetAclAction::Remove, AclEntryType::Other)), 0o777);
        assert_eq!(after(entry(PSetAclAction::Modify, AclEntryType::NamedUser)), 0o777);
        assert_eq!(tally.dropped.get(EXTENDED), Some(&1));
    }
}
