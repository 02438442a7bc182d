//! rename

use super::resolve::resolve;
use super::{Answer, Context, Decision, Rename, create, errors};
use crate::journal::entry::{self, Entry};
use crate::master::state::Footprint;
use crate::types::{ErrorKind, FsError, PersistenceState};

pub(super) fn decide(at: &Context<'_>, op: &Rename) -> Result<Decision, FsError> {
    let (source, target) = (&op.source, &op.target);
    let mut footprint = Footprint::off();
    let from = resolve(at, source, &mut footprint)?;
    let to = resolve(at, target, &mut footprint)?;
    let permissions = at.permissions(&mut footprint);
    permissions.check_parent(&from)?;
    permissions.check_parent(&to)?;
    let inode = from.existing()?;
    if source == target {
        return Ok(Decision { entries: Vec::new(), answer: Answer::Done });
    }
    if source.is_root() {
        return Err(errors::invalid("The root directory cannot be renamed"));
    }
    let Some(target_parent) = target.parent() else {
        return Err(errors::invalid("Cannot rename a path to the root directory"));
    };
    if source.is_prefix_of(target) {
        return Err(errors::invalid(format!("Cannot rename because {source} is a prefix of {target}")));
    }
    if to.missing.len() > 1 {
        return Err(errors::path_does_not_exist(&target_parent));
    }
    if to.target().is_some() {
        let message = format!("Cannot rename because destination already exists. src: {source} dst: {target}");
        return Err(FsError::new(ErrorKind::AlreadyExists, message));
    }
    create::check_name(target)?;
    if inode.persistence == PersistenceState::Persisted {
        return Err(errors::needs_ufs("Renaming", source));
    }
    let rename = entry::Rename {
        id: inode.id,
        new_parent: to.last().id,
        new_name: target.name().to_owned(),
        op_time_ms: at.now.0,
        path: source.clone(),
        new_path: target.clone(),
    };
    Ok(Decision { entries: vec![Entry::Rename(rename)], answer: Answer::Done })
}
