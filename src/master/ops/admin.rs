//! What administrators set beside the namespace: defaults of clients for paths, modes of UFS.

use super::ufs_mode;
use super::{Answer, Context, Decision};
use crate::journal::entry::{Entry, PathProperties};
use crate::master::state::Footprint;
use crate::types::{AlluxioPath, FsError, UfsMode};
use std::collections::{BTreeMap, BTreeSet};

/// A change of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdminOperation {
    /// setPathConfiguration: what clients take as default at a path and below, beside what is set there already.
    SetPathProperties {
        /// The path, which need not be there.
        path: AlluxioPath,
        /// By name.
        properties: BTreeMap<String, String>,
    },
    /// updateUfsMode: what may be done with all of a UFS.
    SetUfsMode {
        /// A URI in it.
        ufs_path: String,
        /// What.
        mode: UfsMode,
    },
    /// removePathConfiguration
    RemovePathProperties {
        /// The path.
        path: AlluxioPath,
        /// Which; all, if none is named.
        names: BTreeSet<String>,
    },
}

// Compatible: 2.9.6 PathProperties, MasterUfsManager: what is left at a path is journaled whole; what changes nothing is no error. There
// everybody may do it, without a name even; here the super user.
pub(super) fn decide(at: &Context<'_>, operation: &AdminOperation) -> Result<Decision, FsError> {
    at.permissions(&mut Footprint::off()).check_super_user()?;
    let set_at = |path: &AlluxioPath| at.state.admin().path_properties().get(path).cloned().unwrap_or_default();
    let (path, before, after) = match operation {
        AdminOperation::SetUfsMode { ufs_path, mode } => {
            let entries = Vec::from_iter(ufs_mode::set(at, ufs_path, *mode)?);
            return Ok(Decision { entries, answer: Answer::Done });
        }
        AdminOperation::SetPathProperties { path, properties } => {
            let before = set_at(path);
            let after: BTreeMap<_, _> = before.clone().into_iter().chain(properties.clone()).collect();
            (path, before, after)
        }
        AdminOperation::RemovePathProperties { path, names } => {
            let before = set_at(path);
            let mut after = before.clone();
            after.retain(|name, _| !names.is_empty() && !names.contains(name));
            (path, before, after)
        }
    };
    let path = path.clone();
    let entry = match after {
        after if after == before => return Ok(Decision::done()),
        after if after.is_empty() => Entry::RemovePathProperties { path },
        properties => Entry::PathProperties(PathProperties { path, properties }),
    };
    Ok(Decision { entries: vec![entry], answer: Answer::Done })
}

/// All defaults of clients, by path and name.
pub(super) fn path_properties(at: &Context<'_>, footprint: &mut Footprint) -> Answer {
    footprint.read_mounts();
    Answer::PathProperties(at.state.admin().path_properties().clone())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ask, path, refusal_to, run, started, user};
    use super::super::{Operation, Query};
    use super::*;
    use crate::types::ErrorKind;

    #[test]
    fn defaults_of_a_path_are_added_to_and_taken_away() {
        let mut state = started();
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let set = |text: &str, pairs: &[(&str, &str)]| {
            let properties = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            Operation::Admin(AdminOperation::SetPathProperties { path: path(text), properties })
        };
        let remove = |text: &str, which: &[&str]| {
            Operation::Admin(AdminOperation::RemovePathProperties { path: path(text), names: names(which) })
        };
        let set_at = |state: &_, text: &str| {
            let Ok(Answer::PathProperties(all)) = ask(state, &user("bob", &[]), Query::PathProperties) else {
                panic!("they are told")
            };
            let pairs = all.get(&path(text)).into_iter().flatten();
            pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        run(&mut state, set("/a", &[("x", "1"), ("y", "2")])).unwrap();
        run(&mut state, set("/a", &[("y", "3"), ("z", "4")])).unwrap();
        run(&mut state, set("/b", &[])).unwrap();
        assert_eq!(
            (set_at(&state, "/a"), set_at(&state, "/b")),
            (vec!["x=1".into(), "y=3".into(), "z=4".into()], vec![])
        );
        run(&mut state, remove("/a", &["x", "none"])).unwrap();
        assert_eq!(set_at(&state, "/a"), ["y=3", "z=4"]);
        run(&mut state, remove("/a", &["y", "z"])).unwrap();
        run(&mut state, remove("/a", &[])).unwrap();
        assert!(state.admin().path_properties().is_empty());
        let (kind, text) = refusal_to(&state, user("bob", &[]), set("/a", &[("x", "1")]));
        assert_eq!(
            (kind, text.as_str()),
            (ErrorKind::PermissionDenied, "Permission denied: bob is not a super user or in super group")
        );
    }
}
