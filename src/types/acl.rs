//! Access control lists: who may do what beyond owner, group and others, and what new children inherit.
//!
//! Owner, group and permission bits stand in the inode; here is the rest, and the rules. Permissions are bits as in a
//! mode: 4 read, 2 write, 1 execute.

use std::collections::BTreeMap;
use std::fmt;

/// Bits of all that may be permitted.
const ALL: u16 = 7;

/// Whom an entry is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub enum AclSubject {
    /// The owner.
    Owner,
    /// The user of this name; it is not empty.
    User(String),
    /// The owning group.
    OwningGroup,
    /// The group of this name; it is not empty.
    Group(String),
    /// Nobody: the most that named users, named groups and the owning group are permitted.
    Mask,
    /// Everybody else.
    Other,
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AclEntry {
    /// Whom it is for.
    pub subject: AclSubject,
    /// Whether it is of the list that new children inherit.
    pub is_default: bool,
    /// Permission bits, 0 to 7.
    pub permitted: u16,
}

/// The entries that a mode has no room for.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct ExtendedAcl {
    /// Permission bits of users by their names.
    pub users: BTreeMap<String, u16>,
    /// Permission bits of groups by their names.
    pub groups: BTreeMap<String, u16>,
    /// The most that those, and the owning group, are permitted. Means nothing while there are none.
    pub mask: u16,
}

/// The list that new children of a directory inherit.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct DefaultAcl {
    /// Permission bits of owner, group and others, 0 to 0o777.
    pub mode: u16,
    /// The entries beyond.
    pub extended: Option<ExtendedAcl>,
}

/// A whole list, as 2.9.6 journals it and tells clients of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AccessControlList {
    /// User.
    pub owner: String,
    /// Group.
    pub group: String,
    /// Permission bits of owner, group and others, 0 to 0o777.
    pub mode: u16,
    /// The entries beyond.
    pub extended: Option<ExtendedAcl>,
}

/// What is to be done with entries (2.9.6 SetAclAction). The numbers are journaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum SetAclAction {
    /// They are the whole list from now on.
    Replace = 0,
    /// They are added, or replace those of the same subject.
    Modify = 1,
    /// They are taken away; what they permit does not count.
    Remove = 2,
    /// All that a mode has no room for is taken away.
    RemoveAll = 3,
    /// Children inherit nothing any more.
    RemoveDefault = 4,
}

/// The lists of an inode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InodeAcls {
    /// Permission bits of owner, group and others, 0 to 0o777.
    pub mode: u16,
    /// The entries beyond.
    pub extended: Option<ExtendedAcl>,
    /// What new children inherit; only directories have it.
    pub default: Option<DefaultAcl>,
}

/// Why lists are not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AclRefusal {
    /// Owner, owning group and others always have an entry.
    #[error("Deleting base entry is not allowed.")]
    BaseEntry,
    /// There are named users or groups.
    #[error("Deleting the mask for an extended ACL is not allowed.")]
    Mask,
    /// A file has no children.
    #[error("Can not set default ACL for a file")]
    DefaultOfFile,
}

/// A text that is no entry of a list. The texts are those of 2.9.6.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAcl(String);

impl ExtendedAcl {
    /// Whether anybody is named; if not, the mask means nothing.
    pub fn names_anybody(&self) -> bool {
        !self.users.is_empty() || !self.groups.is_empty()
    }

    /// Its entries: users and groups by name, the mask; none when nobody is named.
    pub fn entries(&self) -> Vec<AclEntry> {
        let entry = |subject, permitted| AclEntry { subject, is_default: false, permitted };
        let users = self.users.iter().map(|(name, bits)| entry(AclSubject::User(name.clone()), *bits));
        let groups = self.groups.iter().map(|(name, bits)| entry(AclSubject::Group(name.clone()), *bits));
        let mask = self.names_anybody().then(|| entry(AclSubject::Mask, self.mask));
        users.chain(groups).chain(mask).collect()
    }

    /// The mask that permits all that the owning group and the named ones are given.
    fn widest(&self, group_bits: u16) -> u16 {
        self.users.values().chain(self.groups.values()).fold(group_bits, |mask, bits| mask | bits)
    }
}

/// What of these entries counts: none when nobody is named.
fn in_force(extended: &Option<ExtendedAcl>) -> Option<&ExtendedAcl> {
    extended.as_ref().filter(|extended| extended.names_anybody())
}

fn drop_idle_mask(extended: &mut Option<ExtendedAcl>) {
    if in_force(extended).is_none() {
        *extended = None;
    }
}

impl AccessControlList {
    /// The permission bits of somebody, 0 to 7.
    // Compatible: 2.9.6 AccessControlList.getPermission: the first that fits of owner, named user, groups, others;
    // all groups that fit add up, and the mask takes away from all but owner and others.
    pub fn permitted(&self, user: &str, groups: &[String]) -> u16 {
        if user == self.owner {
            return self.mode >> 6 & ALL;
        }
        let extended = in_force(&self.extended);
        let mask = extended.map_or(ALL, |extended| extended.mask);
        if let Some(bits) = extended.and_then(|extended| extended.users.get(user)) {
            return bits & mask;
        }
        let owning = groups.contains(&self.group).then_some(self.mode >> 3 & ALL);
        let named = groups.iter().filter_map(|group| extended?.groups.get(group).copied());
        match owning.into_iter().chain(named).reduce(|all, bits| all | bits) {
            Some(bits) => bits & mask,
            None => self.mode & ALL,
        }
    }

    /// All entries, as 2.9.6 orders them: owner, group, others, users and groups by name, the mask.
    pub fn entries(&self) -> Vec<AclEntry> {
        entries(self.mode, &self.extended, false)
    }
}

impl DefaultAcl {
    /// Mode and entries of a new child; a directory inherits this list, too.
    // Compatible: 2.9.6 DefaultAccessControlList.generateChildFileACL: with entries beyond the mode the bits of the group
    // that the client asked for limit the mask, not the group.
    pub fn of_child(&self, mode: u16) -> (u16, Option<ExtendedAcl>) {
        match &self.extended {
            None => (self.mode & mode, None),
            Some(extended) => {
                let mask = extended.mask & mode >> 3;
                let group = self.mode & 0o070;
                (self.mode & mode & 0o707 | group, Some(ExtendedAcl { mask, ..extended.clone() }))
            }
        }
    }

    /// All entries, in the order of [`AccessControlList::entries`].
    pub fn entries(&self) -> Vec<AclEntry> {
        entries(self.mode, &self.extended, true)
    }
}

fn entries(mode: u16, extended: &Option<ExtendedAcl>, is_default: bool) -> Vec<AclEntry> {
    let entry = |subject, bits: u16| AclEntry { subject, is_default, permitted: bits & ALL };
    let mut entries = vec![
        entry(AclSubject::Owner, mode >> 6),
        entry(AclSubject::OwningGroup, mode >> 3),
        entry(AclSubject::Other, mode),
    ];
    let beyond = extended.iter().flat_map(ExtendedAcl::entries);
    entries.extend(beyond.map(|beyond| AclEntry { is_default, ..beyond }));
    entries
}

/// A list in the making: mode and entries beyond.
struct Lists<'a> {
    mode: &'a mut u16,
    extended: &'a mut Option<ExtendedAcl>,
}

impl Lists<'_> {
    fn set(&mut self, subject: &AclSubject, bits: u16) {
        let bits = bits & ALL;
        match subject {
            AclSubject::Owner => self.set_base(6, bits),
            AclSubject::OwningGroup => self.set_base(3, bits),
            AclSubject::Other => self.set_base(0, bits),
            AclSubject::User(name) => drop(self.extended().users.insert(name.clone(), bits)),
            AclSubject::Group(name) => drop(self.extended().groups.insert(name.clone(), bits)),
            AclSubject::Mask => self.extended().mask = bits,
        }
    }

    /// `base`: what owner, owning group and others have when their entries are taken away; none: they cannot be.
    fn remove(&mut self, subject: &AclSubject, base: Option<u16>) -> Result<(), AclRefusal> {
        let named = in_force(self.extended).is_some();
        match (subject, self.extended.as_mut()) {
            (AclSubject::Owner | AclSubject::OwningGroup | AclSubject::Other, _) => {
                let base = base.ok_or(AclRefusal::BaseEntry)?;
                let shift = match subject {
                    AclSubject::Owner => 6,
                    AclSubject::OwningGroup => 3,
                    _ => 0,
                };
                self.set_base(shift, base >> shift & ALL);
            }
            (AclSubject::User(name), Some(extended)) => drop(extended.users.remove(name)),
            (AclSubject::Group(name), Some(extended)) => drop(extended.groups.remove(name)),
            (AclSubject::Mask, Some(_)) if named => return Err(AclRefusal::Mask),
            (AclSubject::Mask, Some(extended)) => extended.mask = 0,
            (_, None) => {}
        }
        Ok(())
    }

    fn update_mask(&mut self) {
        let group_bits = *self.mode >> 3 & ALL;
        if let Some(extended) = self.extended.as_mut().filter(|extended| extended.names_anybody()) {
            extended.mask = extended.widest(group_bits);
        }
    }

    fn set_base(&mut self, shift: u16, bits: u16) {
        *self.mode = *self.mode & !(ALL << shift) | bits << shift;
    }

    fn extended(&mut self) -> &mut ExtendedAcl {
        self.extended.get_or_insert_default()
    }
}

impl InodeAcls {
    /// Does with the entries what is asked for. A mask of nobody does not stay.
    ///
    /// # Errors
    /// What cannot be; then the lists are as good as lost, so change a copy.
    // Compatible: 2.9.6 MutableInode.replaceAcl, setAcl, removeAcl, removeExtendedAcl.
    pub fn change(&mut self, action: SetAclAction, entries: &[AclEntry], is: InodeType) -> Result<(), AclRefusal> {
        let of_file = is == InodeType::File;
        if of_file && (action == SetAclAction::RemoveDefault || entries.iter().any(|entry| entry.is_default)) {
            return Err(AclRefusal::DefaultOfFile);
        }
        match action {
            SetAclAction::Replace => {
                // Who replaces only what children inherit keeps the list of the directory itself.
                if entries.iter().any(|entry| !entry.is_default) {
                    (self.mode, self.extended) = (0, None);
                }
                self.set(entries);
            }
            SetAclAction::Modify => self.set(entries),
            SetAclAction::Remove => self.remove(entries)?,
            SetAclAction::RemoveAll => self.extended = None,
            SetAclAction::RemoveDefault => self.default = None,
        }
        // Compatible: 2.9.6 forgets a mask of nobody when it restarts.
        drop_idle_mask(&mut self.extended);
        if let Some(default) = &mut self.default {
            drop_idle_mask(&mut default.extended);
        }
        Ok(())
    }

    fn set(&mut self, entries: &[AclEntry]) {
        for entry in entries {
            if entry.is_default {
                // The first entry makes the rest of the list what the directory itself has.
                let mode = self.mode;
                let default = self.default.get_or_insert(DefaultAcl { mode, extended: None });
                default.lists().set(&entry.subject, entry.permitted);
            } else {
                self.lists().set(&entry.subject, entry.permitted);
            }
        }
        self.update_masks(entries);
    }

    fn remove(&mut self, entries: &[AclEntry]) -> Result<(), AclRefusal> {
        for entry in entries {
            if !entry.is_default {
                self.lists().remove(&entry.subject, None)?;
            } else if let Some(default) = &mut self.default {
                default.lists().remove(&entry.subject, Some(self.mode))?;
            }
        }
        self.update_masks(entries);
        Ok(())
    }

    /// After a change of what it depends on; a mask that the client names stays as it is.
    fn update_masks(&mut self, entries: &[AclEntry]) {
        if entries.iter().any(|entry| entry.subject == AclSubject::Mask) {
            return;
        }
        let depends = |entry: &&AclEntry| {
            matches!(entry.subject, AclSubject::User(_) | AclSubject::Group(_) | AclSubject::OwningGroup)
        };
        if entries.iter().filter(depends).any(|entry| !entry.is_default) {
            self.lists().update_mask();
        }
        if let Some(default) = &mut self.default
            && entries.iter().filter(depends).any(|entry| entry.is_default)
        {
            default.lists().update_mask();
        }
    }

    fn lists(&mut self) -> Lists<'_> {
        Lists { mode: &mut self.mode, extended: &mut self.extended }
    }
}

impl DefaultAcl {
    fn lists(&mut self) -> Lists<'_> {
        Lists { mode: &mut self.mode, extended: &mut self.extended }
    }
}

/// What an inode is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InodeType {
    /// It has content.
    File,
    /// It has children.
    Directory,
}

impl SetAclAction {
    /// The action of that number, if there is one.
    pub fn of_number(number: i32) -> Option<SetAclAction> {
        use SetAclAction::{Modify, Remove, RemoveAll, RemoveDefault, Replace};
        [Replace, Modify, Remove, RemoveAll, RemoveDefault].into_iter().find(|action| *action as i32 == number)
    }
}

/// As `getfacl` shows it: `user:bob:r-x`, `default:mask::rwx`.
impl fmt::Display for AclEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, name) = match &self.subject {
            AclSubject::Owner => ("user", ""),
            AclSubject::User(name) => ("user", name.as_str()),
            AclSubject::OwningGroup => ("group", ""),
            AclSubject::Group(name) => ("group", name.as_str()),
            AclSubject::Mask => ("mask", ""),
            AclSubject::Other => ("other", ""),
        };
        let default = if self.is_default { "default:" } else { "" };
        write!(f, "{default}{kind}:{name}:{}", bits_text(self.permitted))
    }
}

/// Permission bits as `rwx` with `-` for what is not permitted.
fn bits_text(bits: u16) -> String {
    [(4, 'r'), (2, 'w'), (1, 'x')].iter().map(|(bit, letter)| if bits & bit != 0 { *letter } else { '-' }).collect()
}

impl AclEntry {
    /// The entry in a text as `setfacl -m` takes it.
    ///
    /// # Errors
    /// It is none; the text is that of 2.9.6 AclEntry.fromCliString.
    pub fn parse(text: &str) -> Result<AclEntry, InvalidAcl> {
        let parts = parts_of(text);
        let (is_default, parts) = without_default(&parts);
        let [kind, name, bits] = parts else { return Err(odd("Unexpected acl components", text)) };
        let subject = subject_of(kind, name, text)?;
        Ok(AclEntry { subject, is_default, permitted: bits_of(bits)? })
    }

    /// The entry that a text as `setfacl -x` takes it names; it permits nothing.
    ///
    /// # Errors
    /// It names none, or says permissions; the text is that of 2.9.6 AclEntry.fromCliStringWithoutPermissions.
    pub fn parse_without_permissions(text: &str) -> Result<AclEntry, InvalidAcl> {
        let parts = parts_of(text);
        let (is_default, parts) = without_default(&parts);
        let (kind, name, bits) = match parts {
            [kind] => (*kind, "", ""),
            [kind, name] => (*kind, *name, ""),
            [kind, name, bits] => (*kind, *name, *bits),
            _ => return Err(odd("Unexpected acl components", text)),
        };
        if !bits.is_empty() {
            return Err(odd("ACL permissions cannot be specified", text));
        }
        match subject_of(kind, name, text)? {
            AclSubject::Owner | AclSubject::OwningGroup => Err(odd("ACL entry must have subject", text)),
            subject => Ok(AclEntry { subject, is_default, permitted: 0 }),
        }
    }
}

/// The parts between colons, without blanks around them. As Java splits: empty ones at the end do not count.
fn parts_of(text: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = text.split(':').collect();
    while parts.len() > 1 && parts.last() == Some(&"") {
        parts.pop();
    }
    parts.into_iter().map(str::trim).collect()
}

fn without_default<'a, 'b>(parts: &'b [&'a str]) -> (bool, &'b [&'a str]) {
    match parts {
        ["default", rest @ ..] => (true, rest),
        parts => (false, parts),
    }
}

fn subject_of(kind: &str, name: &str, text: &str) -> Result<AclSubject, InvalidAcl> {
    match (kind, name) {
        ("", _) => Err(odd("ACL entry type is empty", text)),
        ("user", "") => Ok(AclSubject::Owner),
        ("user", name) => Ok(AclSubject::User(name.to_owned())),
        ("group", "") => Ok(AclSubject::OwningGroup),
        ("group", name) => Ok(AclSubject::Group(name.to_owned())),
        ("mask", "") => Ok(AclSubject::Mask),
        ("other", "") => Ok(AclSubject::Other),
        ("mask" | "other", _) => Err(odd(&format!("Subject for acl {kind} type must be empty"), text)),
        _ => Err(odd("Unexpected ACL entry type", text)),
    }
}

fn bits_of(text: &str) -> Result<u16, InvalidAcl> {
    (0..=ALL).find(|bits| bits_text(*bits) == text).ok_or_else(|| InvalidAcl(format!("Invalid mode string: {text}")))
}

fn odd(what: &str, text: &str) -> InvalidAcl {
    InvalidAcl(format!("{what}: {text}"))
}

#[cfg(test)]
#[path = "acl_tests.rs"]
mod tests;
