//! createDirectory

use super::create::{Creation, check_name, check_parents, check_persisted, persistence_of};
use super::resolve::resolve;
use super::{Answer, Context, CreateDirectory, Decision, errors};
use crate::master::state::Footprint;
use crate::types::{ErrorKind, FsError, PersistenceState};

/// What is made in the UFS, too, is made under an intent.
pub(super) fn decide(at: &Context<'_>, op: &CreateDirectory) -> Result<Decision, FsError> {
    let decision = plan(at, op)?;
    let in_ufs = persistence_of(op.write_type) == PersistenceState::Persisted;
    if in_ufs && !decision.entries.is_empty() { Err(errors::not_yet(&op.path)) } else { Ok(decision) }
}

/// All checks, and what makes the directory in the namespace: the last entry.
pub(super) fn plan(at: &Context<'_>, op: &CreateDirectory) -> Result<Decision, FsError> {
    let path = &op.path;
    let mut footprint = Footprint::off();
    let resolved = resolve(at, path, &mut footprint)?;
    at.permissions(&mut footprint).check_parent(&resolved)?;
    at.check_writable(path)?;
    if path.is_root() {
        return Err(errors::exists(format!("Not allowed to create existing root path: {path}")));
    }
    if let Some(inode) = resolved.target() {
        if !op.allow_exists {
            let message = format!("Not allowed to create directory because path already exists: {path}");
            return Err(errors::exists(message));
        }
        if !inode.is_directory() {
            return Err(FsError::new(ErrorKind::Internal, format!("Inode {} is not a directory", path.name())));
        }
        return Ok(Decision::done());
    }
    check_parents(&resolved, op.recursive)?;
    check_name(path)?;
    let persistence = persistence_of(op.write_type);
    check_persisted(&resolved, persistence)?;
    let mut creation = Creation::below(at, resolved.last(), persistence, op.ttl_ms, op.ttl_action);
    creation.touch_parent();
    creation.add_missing_parents(&resolved, &op.xattr);
    creation.add_directory(path, op.mode & 0o777, &op.xattr.values);
    Ok(Decision { entries: creation.entries, answer: Answer::Done })
}
