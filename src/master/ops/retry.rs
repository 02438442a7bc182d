//! A repeated operation gets its first answer: the client's id of the operation is kept with it in the state.

use super::create_file::first_status;
use super::status::status_of;
use super::{Answer, Context, Decision, NewXattrs, Operation, Request, WriteType, errors};
use crate::journal::entry::{Answered, AnsweredOperation, Entry};
use crate::master::state::Footprint;
use crate::types::mutant::{self, Mutant};
use crate::types::time::Millis;
use crate::types::{AlluxioPath, BlockId, FsError, InodeId, OperationId, TtlAction};
use xxhash_rust::xxh3::Xxh3;

/// The kept answer to this operation, when this is not the first time that it is asked.
///
/// # Errors
/// The id was used for another operation, or with other arguments.
pub(super) fn first_answer(at: &Context<'_>, request: &Request) -> Result<Option<Decision>, FsError> {
    let Some((operation_id, operation)) = kept_as(request) else { return Ok(None) };
    let Some(first) = at.state.answered(operation_id) else { return Ok(None) };
    let is_other = first.operation != operation || first.arguments != arguments_of(request);
    if is_other && !mutant::is(Mutant::AnyArguments) {
        let OperationId { high, low } = operation_id;
        let message = format!("Operation id {high:016x}{low:016x} was used before with other arguments");
        return Err(errors::invalid(message));
    }
    let answer = match &request.operation {
        Operation::CreateFile(create) => {
            let mut footprint = Footprint::off();
            let status = match at.state.inodes().get(first.inode) {
                Some(inode) => status_of(at, &create.path, &inode, &mut footprint),
                None => first_status(at, create, first.inode, first.op_time_ms),
            };
            Answer::Status(Box::new(status))
        }
        Operation::NewBlock(_) => Answer::NewBlock(BlockId(first.inode.0)),
        _ => Answer::Done,
    };
    Ok(Some(Decision { entries: Vec::new(), answer }))
}

/// Adds the entry that keeps the answer to the entries of the change, so that they are there together.
pub(super) fn remember(request: &Request, now: Millis, decision: &mut Decision) {
    // What changes nothing may be asked again.
    if decision.entries.is_empty() {
        return;
    }
    decision.entries.extend(to_keep(request, now, &decision.answer).map(Entry::Answered));
}

/// What is kept of this answer; nothing, if the client gave no id.
pub(super) fn to_keep(request: &Request, now: Millis, answer: &Answer) -> Option<Answered> {
    let (operation_id, operation) = kept_as(request).filter(|_| !mutant::is(Mutant::ForgetAnswers))?;
    let inode = match answer {
        Answer::Status(status) => status.id,
        Answer::NewBlock(block) => InodeId(block.0),
        _ => InodeId::ROOT,
    };
    Some(Answered { operation_id, operation, arguments: arguments_of(request), inode, op_time_ms: now.0 })
}

/// The id under which the answer is kept, and the kind of operation; the others may be repeated without harm.
fn kept_as(request: &Request) -> Option<(OperationId, AnsweredOperation)> {
    let operation = match &request.operation {
        Operation::CreateDirectory(_) => AnsweredOperation::CreateDirectory,
        Operation::CreateFile(_) => AnsweredOperation::CreateFile,
        Operation::CompleteFile(_) => AnsweredOperation::CompleteFile,
        Operation::Rename(_) => AnsweredOperation::Rename,
        Operation::Delete(_) => AnsweredOperation::Delete,
        Operation::NewBlock(_) => AnsweredOperation::NewBlock,
        Operation::SchedulePersist(_)
        | Operation::PutInPlace(_)
        | Operation::SetAttribute(_)
        | Operation::SetAcl(_)
        | Operation::Free(_)
        | Operation::Expire(_)
        | Operation::Accessed(_)
        | Operation::CommitBlock(_)
        | Operation::Admin(_)
        | Operation::Ufs(_) => return None,
    };
    request.operation_id.map(|id| (id, operation))
}

/// Hash of who asks and of all arguments. Journaled: the order and form of the fields must stay.
fn arguments_of(request: &Request) -> u64 {
    let mut hash = Arguments(Xxh3::new());
    hash.text(&request.caller.user);
    match &request.operation {
        Operation::CreateDirectory(op) => {
            hash.path(&op.path).flag(op.recursive).flag(op.allow_exists).number(i64::from(op.mode));
            hash.write_type(op.write_type).number(op.ttl_ms).ttl_action(op.ttl_action).xattr(&op.xattr);
        }
        Operation::CreateFile(op) => {
            hash.path(&op.path).flag(op.recursive).flag(op.overwrite).number(i64::from(op.mode));
            hash.number(op.block_size_bytes).write_type(op.write_type).number(op.ttl_ms).ttl_action(op.ttl_action);
            for copies in [op.replication_min, op.replication_max, op.replication_durable] {
                hash.number(i64::from(copies));
            }
            hash.wish(op.persistence_wait_ms).xattr(&op.xattr);
        }
        Operation::CompleteFile(op) => {
            hash.path(&op.path).flag(op.ufs_length.is_some()).number(op.ufs_length.unwrap_or(0));
            hash.flag(op.async_persist.is_some()).wish(op.async_persist.unwrap_or(0));
        }
        Operation::Rename(op) => {
            hash.path(&op.source).path(&op.target);
        }
        Operation::Delete(op) => {
            hash.path(&op.path).flag(op.recursive).flag(op.alluxio_only).flag(op.delete_mount_points);
            hash.wish(i64::from(op.unchecked));
        }
        Operation::NewBlock(op) => {
            hash.path(&op.path);
        }
        Operation::SchedulePersist(_)
        | Operation::PutInPlace(_)
        | Operation::SetAttribute(_)
        | Operation::SetAcl(_)
        | Operation::Free(_)
        | Operation::Expire(_)
        | Operation::Accessed(_)
        | Operation::CommitBlock(_)
        | Operation::Admin(_)
        | Operation::Ufs(_) => {}
    }
    hash.0.digest()
}

struct Arguments(Xxh3);

impl Arguments {
    fn text(&mut self, text: &str) -> &mut Arguments {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
        self
    }

    fn path(&mut self, path: &AlluxioPath) -> &mut Arguments {
        self.text(path.as_str())
    }

    fn number(&mut self, number: i64) -> &mut Arguments {
        self.0.update(&number.to_le_bytes());
        self
    }

    /// Most have none, and are hashed as before there were any.
    fn wish(&mut self, wish: i64) -> &mut Arguments {
        if wish == 0 { self } else { self.number(wish) }
    }

    fn xattr(&mut self, xattr: &NewXattrs) -> &mut Arguments {
        // Most have none, and are hashed as before there were any.
        for (name, value) in &xattr.values {
            self.text(name).number(value.len() as i64).flag(xattr.parents_too);
            self.0.update(value);
        }
        self
    }

    fn flag(&mut self, flag: bool) -> &mut Arguments {
        self.number(i64::from(flag))
    }

    fn write_type(&mut self, write_type: WriteType) -> &mut Arguments {
        self.number(match write_type {
            WriteType::MustCache => 1,
            WriteType::TryCache => 2,
            WriteType::CacheThrough => 3,
            WriteType::Through => 4,
            WriteType::AsyncThrough => 5,
            WriteType::None => 6,
        })
    }

    fn ttl_action(&mut self, action: TtlAction) -> &mut Arguments {
        self.number(match action {
            TtlAction::Delete => 0,
            TtlAction::Free => 1,
            TtlAction::DeleteAlluxio => 2,
        })
    }
}
