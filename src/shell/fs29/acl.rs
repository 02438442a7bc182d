//! Pure. Access control lists as 2.9 reads and shows them: `user::rwx`, `group:eng:r-x`, `default:mask::r--`.

use crate::proto::alluxio::grpc::file::{
    PAcl as Acl, PAclAction as AclAction, PAclEntry as AclEntry, PAclEntryType as AclEntryType,
};

const DEFAULT: &str = "default";

/// The entries of `acl`: what its mode says of owner, group and the rest, then all others.
pub(super) fn entries(acl: &Acl) -> Vec<String> {
    let prefix = if acl.is_default() { "default:" } else { "" };
    let bits = |shift: u32| permissions(&bits_of(acl.mode() >> shift));
    let base = [("user", 6), ("group", 3), ("other", 0)];
    let base = base.map(|(kind, shift)| format!("{prefix}{kind}::{}", bits(shift)));
    let base_types = [AclEntryType::Owner, AclEntryType::OwningGroup, AclEntryType::Other];
    let others = acl.entries.iter().filter(|entry| !base_types.contains(&entry.r#type()));
    base.into_iter().chain(others.map(|entry| format!("{prefix}{}", text(entry)))).collect()
}

fn bits_of(mode: i32) -> Vec<AclAction> {
    let all = [(4, AclAction::Read), (2, AclAction::Write), (1, AclAction::Execute)];
    all.into_iter().filter(|(bit, _)| mode & bit != 0).map(|(_, action)| action).collect()
}

fn text(entry: &AclEntry) -> String {
    let kind = match entry.r#type() {
        AclEntryType::Owner | AclEntryType::NamedUser => "user",
        AclEntryType::OwningGroup | AclEntryType::NamedGroup => "group",
        AclEntryType::Mask => "mask",
        AclEntryType::Other => "other",
    };
    let named = matches!(entry.r#type(), AclEntryType::NamedUser | AclEntryType::NamedGroup);
    let subject = if named { entry.subject() } else { "" };
    format!("{kind}:{subject}:{}", permissions(&entry.actions().collect::<Vec<_>>()))
}

fn permissions(actions: &[AclAction]) -> String {
    let letter = |action, letter| if actions.contains(&action) { letter } else { '-' };
    [letter(AclAction::Read, 'r'), letter(AclAction::Write, 'w'), letter(AclAction::Execute, 'x')].iter().collect()
}

/// Whether all of an entry is typed, or only whom it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// With what is allowed.
    Whole,
    /// To be removed.
    Subject,
}

/// Reads entries with commas between them; all are for what is made below if `default`.
///
/// # Errors
/// One is none.
// Compatible: 2.9 AclEntry, fromCliString and fromCliStringWithoutPermissions; tests/shell, fs-06-perm-acl of 2.9.6.
pub(super) fn read(list: &str, kind: Kind, default: bool) -> Result<Vec<AclEntry>, String> {
    list.split(',').map(|entry| read_one(entry, kind, default)).collect()
}

fn read_one(typed: &str, kind: Kind, default: bool) -> Result<AclEntry, String> {
    let mut parts: Vec<&str> = typed.split(':').map(str::trim).collect();
    // Java drops what is empty at the end.
    while parts.len() > 1 && parts.last().is_some_and(|part| part.is_empty()) {
        parts.pop();
    }
    let says_default = parts[0] == DEFAULT;
    let named = default && !says_default;
    let text = if named { format!("{DEFAULT}:{typed}") } else { typed.to_owned() };
    let parts = if says_default { &parts[1..] } else { &parts[..] };
    let fits = match kind {
        Kind::Whole => parts.len() == 3,
        Kind::Subject => (1..=3).contains(&parts.len()),
    };
    if !fits {
        return Err(format!("Unexpected acl components: {text}"));
    }
    let part = |index: usize| parts.get(index).copied().unwrap_or_default();
    let (name, subject, allowed) = (part(0), part(1), part(2));
    if kind == Kind::Subject && !allowed.is_empty() {
        return Err(format!("ACL permissions cannot be specified: {text}"));
    }
    let entry_type = match (name, subject.is_empty()) {
        ("", _) => return Err(format!("ACL entry type is empty: {text}")),
        ("user" | "group", true) if kind == Kind::Subject => {
            return Err(format!("ACL entry must have subject: {text}"));
        }
        ("user", true) => AclEntryType::Owner,
        ("user", false) => AclEntryType::NamedUser,
        ("group", true) => AclEntryType::OwningGroup,
        ("group", false) => AclEntryType::NamedGroup,
        ("mask", true) => AclEntryType::Mask,
        ("other", true) => AclEntryType::Other,
        ("mask" | "other", false) => return Err(format!("Subject for acl {name} type must be empty: {text}")),
        _ => return Err(format!("Unexpected ACL entry type: {text}")),
    };
    let actions = if kind == Kind::Whole { read_permissions(allowed)? } else { Vec::new() };
    Ok(AclEntry {
        r#type: Some(entry_type.into()),
        subject: Some(subject.to_owned()),
        actions: actions.into_iter().map(i32::from).collect(),
        is_default: Some(says_default || default),
    })
}

fn read_permissions(text: &str) -> Result<Vec<AclAction>, String> {
    let all = [('r', AclAction::Read), ('w', AclAction::Write), ('x', AclAction::Execute)];
    let mut found = Vec::new();
    let letters: Vec<char> = text.chars().collect();
    if letters.len() != all.len() {
        return Err(format!("Invalid mode string: {text}"));
    }
    for (found_letter, (letter, action)) in letters.into_iter().zip(all) {
        match found_letter {
            '-' => {}
            other if other == letter => found.push(action),
            _ => return Err(format!("Invalid mode string: {text}")),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Kind, entries, read};
    use crate::proto::alluxio::grpc::file::PAcl as Acl;

    #[test]
    fn a_list_is_shown_as_it_is_typed() {
        let typed = "user:carol:rwx,group:eng:r-x,mask::r--";
        let shown = |default| {
            let entries = read(typed, Kind::Whole, default).unwrap();
            super::entries(&Acl { mode: Some(0o640), entries, is_default: Some(default), ..Acl::default() }).join(",")
        };
        assert_eq!(shown(false), format!("user::rw-,group::r--,other::---,{typed}"));
        assert!(shown(true).ends_with("default:user:carol:rwx,default:group:eng:r-x,default:mask::r--"));
        assert_eq!(entries(&Acl { mode: Some(0o755), ..Acl::default() }).join(" "), "user::rwx group::r-x other::r-x");
    }

    #[test]
    fn what_is_no_entry_is_refused_in_the_words_of_2_9() {
        let wrong = |typed: &str, kind| read(typed, kind, false).unwrap_err();
        for (typed, text) in [
            ("bogus", "Unexpected acl components: bogus"),
            ("user:a:rwx:x", "Unexpected acl components: user:a:rwx:x"),
            (":a:rwx", "ACL entry type is empty: :a:rwx"),
            ("mask:a:rwx", "Subject for acl mask type must be empty: mask:a:rwx"),
            ("nobody:a:rwx", "Unexpected ACL entry type: nobody:a:rwx"),
            ("user:a:xwr", "Invalid mode string: xwr"),
        ] {
            assert_eq!(wrong(typed, Kind::Whole), text);
        }
        assert_eq!(wrong("user:a:rwx", Kind::Subject), "ACL permissions cannot be specified: user:a:rwx");
        assert_eq!(wrong("group", Kind::Subject), "ACL entry must have subject: group");
        assert!(read("user:carol,mask", Kind::Subject, true).is_ok());
    }
}
