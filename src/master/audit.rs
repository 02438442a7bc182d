//! The audit log: one line for each operation of a client, written once its outcome is known.
//!
//! The lines go through a bounded queue to a thread that writes them, so that no call ever waits for a disk. What finds
//! the queue full is lost, counted, and said in the log.
// Compatible: 2.9 FileSystemMasterAuditContext, the form of a line and the names of the commands; 2.9 lets calls wait
// for the queue. tests/wire/audit.rs.

use std::fmt::{self, Display, Formatter, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use log::warn;

use super::ops::{Operation, Query, SetAttribute, UfsOperation};
use crate::metrics::MasterCounters;
use crate::rpc::handshake::AuthenticationType;
use crate::types::time::boot_now;
use crate::types::{AlluxioPath, Caller, ErrorKind, FsError};

/// Name of the logger that writes the lines, as in 2.9.
pub const LOGGER: &str = "AUDIT_LOG";

/// It is said at most so often that lines were lost.
const LOSS_SAID_EVERY: Duration = Duration::from_secs(10);

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub struct Client {
    /// The user with its groups.
    pub caller: Arc<Caller>,
    /// How it is known who it is.
    pub authentication: AuthenticationType,
    /// The other end of its connection; none of one that is not from outside.
    pub address: Option<SocketAddr>,
}

/// Whose a file or directory is, and who may what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ownership {
    /// User.
    pub owner: String,
    /// Group.
    pub group: String,
    /// Permission bits.
    pub mode: u16,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The name of the command.
    pub command: &'static str,
    /// What it is about.
    pub source: Option<AlluxioPath>,
    /// Where that goes to.
    pub target: Option<AlluxioPath>,
}

impl Subject {
    /// What an operation is about; none of what no client asks.
    pub fn of(operation: &Operation) -> Option<Subject> {
        let about = |command, path: &AlluxioPath| Subject { command, source: Some(path.clone()), target: None };
        Some(match operation {
            Operation::CreateDirectory(op) => about("mkdir", &op.path),
            Operation::CreateFile(op) => about("createFile", &op.path),
            Operation::CompleteFile(op) => about("completeFile", &op.path),
            Operation::NewBlock(op) => about("getNewBlockIdForFile", &op.path),
            Operation::Rename(op) => Subject { target: Some(op.target.clone()), ..about("rename", &op.source) },
            Operation::Delete(op) => about("delete", &op.path),
            Operation::Free(op) => about("free", &op.path),
            Operation::SetAcl(op) => about("setAcl", &op.path),
            Operation::SetAttribute(op) => about(attribute_command(op), &op.path),
            Operation::SchedulePersist(op) => about("scheduleAsyncPersistence", &op.path),
            Operation::Ufs(UfsOperation::Mount(op)) => about("mount", &op.path),
            Operation::Ufs(UfsOperation::Unmount(path)) => about("unmount", path),
            Operation::Ufs(UfsOperation::UpdateMount(op)) => about("updateMount", &op.path),
            Operation::Expire(_)
            | Operation::Accessed(_)
            | Operation::PutInPlace(_)
            | Operation::CommitBlock(_)
            | Operation::Admin(_)
            | Operation::Ufs(_) => return None,
        })
    }

    /// What a question is about; none of what is not about files.
    pub fn of_query(query: &Query) -> Option<Subject> {
        let (command, source) = match query {
            Query::GetStatus { path } => ("getFileInfo", Some(path)),
            Query::ListStatus { path, .. } | Query::ListPart { path, .. } => ("listStatus", Some(path)),
            // Of those only a refusal has a line: who is let through asks for the file next.
            Query::CheckAccess { path, .. } => ("getFileInfo", Some(path)),
            Query::Exists { path } => ("exists", Some(path)),
            Query::MountTable => ("getMountPointInfo", None),
            _ => return None,
        };
        Some(Subject { command, source: source.cloned(), target: None })
    }
}

// Compatible: 2.9 DefaultFileSystemMaster, setAttribute: the first of these names the command.
fn attribute_command(set: &SetAttribute) -> &'static str {
    match set {
        SetAttribute { owner: Some(_), .. } => "chown",
        SetAttribute { group: Some(_), .. } => "chgrp",
        SetAttribute { mode: Some(_), .. } => "chmod",
        _ => "setAttribute",
    }
}

/// One line.
#[derive(Debug)]
pub struct Line {
    /// Who asked.
    pub client: Client,
    /// For what.
    pub subject: Subject,
    /// How that is protected, if it is there.
    pub ownership: Option<Ownership>,
    /// None when it was done, else the kind of the error.
    pub failure: Option<ErrorKind>,
    /// How long the answer took.
    pub took: Duration,
}

impl Line {
    /// The end of an operation.
    pub fn new<A>(
        client: &Client,
        subject: Subject,
        ownership: Option<Ownership>,
        outcome: &Result<A, FsError>,
        took: Duration,
    ) -> Line {
        Line { client: client.clone(), subject, ownership, failure: outcome.as_ref().err().map(|e| e.kind), took }
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Client { caller, authentication, address } = &self.client;
        let (succeeded, allowed) = (self.failure.is_none(), self.failure != Some(ErrorKind::PermissionDenied));
        write!(f, "succeeded={succeeded}\tallowed={allowed}\tugi=")?;
        match (caller.user.as_str(), caller.groups.first()) {
            ("", _) => f.write_str("N/A")?,
            (user, group) => write!(f, "{},{}", Escaped(user), Escaped(group.map_or("N/A", String::as_str)))?,
        }
        let authentication = match authentication {
            AuthenticationType::Simple => "SIMPLE",
            AuthenticationType::NoSasl => "NOSASL",
        };
        write!(f, " (AUTH={authentication})\tip=")?;
        match address {
            // As Java writes the address of a socket.
            Some(address) => write!(f, "/{address}")?,
            None => f.write_str("null")?,
        }
        let path = |path: &'_ Option<AlluxioPath>| path.as_ref().map_or("null".to_owned(), |p| p.as_str().to_owned());
        let Subject { command, source, target } = &self.subject;
        write!(f, "\tcmd={command}\tsrc={}\tdst={}\tperm=", Escaped(&path(source)), Escaped(&path(target)))?;
        match &self.ownership {
            Some(Ownership { owner, group, mode }) => {
                write!(f, "{}:{}:{}", Escaped(owner), Escaped(group), Mode(*mode))?
            }
            None => f.write_str("null")?,
        }
        write!(f, "\texecutionTimeUs={}\tproto=rpc", self.took.as_micros())
    }
}

/// Text from outside that can neither begin a field nor a line, nor look like another one.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                // Ends of lines and turns of the direction of writing, as Unicode has them.
                '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    write!(f, "\\u{:04x}", u32::from(letter))?;
                }
                letter if letter.is_control() => write!(f, "\\u{:04x}", u32::from(letter))?,
                letter => f.write_char(letter)?,
            }
        }
        Ok(())
    }
}

/// Permission bits as `rwxr-xr-x`.
struct Mode(u16);

impl Display for Mode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (bit, letter) in (0..9).rev().zip("rwxrwxrwx".chars()) {
            f.write_char(if self.0 >> bit & 1 == 1 { letter } else { '-' })?;
        }
        Ok(())
    }
}

/// Takes lines. The last clone waits, when it is dropped, until all that were taken are written.
#[derive(Debug, Clone)]
pub struct AuditLog {
    counters: Arc<MasterCounters>,
    queue: Arc<Queue>,
}

/// The way to the thread that writes.
#[derive(Debug)]
struct Queue {
    lines: Option<SyncSender<Box<Line>>>,
    thread: Option<JoinHandle<()>>,
}

impl AuditLog {
    /// A log that `write` writes, one line after the other, on a thread of its own. So many lines may wait.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(
        capacity: usize,
        counters: Arc<MasterCounters>,
        write: impl FnMut(&Line) + Send + 'static,
    ) -> std::io::Result<AuditLog> {
        let (lines, waiting) = sync_channel(capacity);
        let counted = Arc::clone(&counters);
        let thread =
            std::thread::Builder::new().name("audit".into()).spawn(move || write_all(&waiting, &counted, write))?;
        Ok(AuditLog { counters, queue: Arc::new(Queue { lines: Some(lines), thread: Some(thread) }) })
    }

    /// Has a line written, or lost when too many wait.
    pub fn log(&self, line: Line) {
        let sent = self.queue.lines.as_ref().map(|lines| lines.try_send(Box::new(line)));
        if !matches!(sent, Some(Ok(()))) {
            self.counters.audit_entries_dropped.inc();
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        drop(self.lines.take());
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            warn!("the thread that writes the audit log has failed");
        }
    }
}

fn write_all(waiting: &Receiver<Box<Line>>, counters: &MasterCounters, mut write: impl FnMut(&Line)) {
    let (mut said, mut said_at) = (0, None);
    while let Ok(line) = waiting.recv() {
        write(&line);
        let lost = counters.audit_entries_dropped.get();
        let now = boot_now();
        if lost > said && said_at.is_none_or(|at| now.since(at) >= LOSS_SAID_EVERY) {
            warn!("lines of the audit log were lost because its queue was full lost={} in_all={lost}", lost - said);
            (said, said_at) = (lost, Some(now));
        }
    }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
