//! A client: asks one operation at a time, and asks again, with the same operation id, until it is answered.

use crate::coverage::Met;
use crate::echo::Echo;
use crate::model::{Call, Op, Seen};
use crate::rng::Rng;
use crate::staged::{IDLE, Stage, is_reader};
use crate::workers::is_of_writer;
use crate::world::{Action, MS, Options, SECOND, Ticket, World};
use alluxio::master::ops::{
    Answer, Attempt, Caller, CreateDirectory, CreateFile, Delete, LoadMetadata, Operation, Query, Rename, Request,
    WriteType,
};
use alluxio::types::{AlluxioPath, ErrorKind, FsError, OperationId, TtlAction};

/// What is made at one of these is made in the UFS, too.
const THROUGH: &[&str] = &["/t", "/u", "/a/t"];
const ALL: &[&str] = &["/a", "/t", "/u", "/t/a", "/b", "/c", "/a/a", "/a/b", "/b/a", "/b/b", "/a/a/a"];
/// Whose names change together.
pub const PATHS: &[&[&str]] = &[&["/a"], &["/a", "/t"], ALL, &["/t", "/a", "/a/t", "/u", "/t/a"]];
const DIRECTORIES: &[&str] = &["/", "/t", "/a", "/b", "/a/a", "/u", OUTSIDE[0].0];
/// What others put into the UFS, and which of it are directories. No client makes anything at these names, so nothing of
/// the namespace hides what is there.
pub const OUTSIDE: [(&str, bool); 5] =
    [("/o", true), ("/o/f", false), ("/t/o", true), ("/u/o", false), ("/a/o", false)];

#[derive(Debug)]
pub struct Client {
    pub index: usize,
    number: u64,
    attempt: u64,
    /// What it does, since when.
    current: Option<(Doing, u64)>,
    /// When it wants the UFS looked at.
    load: LoadMetadata,
    /// An operation that was answered, and may be asked again.
    pub former: Option<Echo>,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a simulation has few of them")]
enum Doing {
    Op(Op),
    Again(Echo),
}

/// What an operation is to the master.
#[expect(clippy::large_enum_variant, reason = "a simulation has few of them")]
pub enum Asked {
    Change(Request),
    Read(Query, LoadMetadata),
}

impl Client {
    pub fn new(index: usize) -> Client {
        Client { index, number: 0, attempt: 0, current: None, load: LoadMetadata::Once, former: None }
    }

    pub fn is_waiting(&self) -> bool {
        self.current.is_some()
    }

    /// Whether this is its last try: a client closes the connection of a try that it gave up, so neither that
    /// request nor its answer arrives later.
    pub fn waits_for(&self, ticket: Ticket) -> bool {
        self.is_waiting() && ticket == self.ticket()
    }

    fn ticket(&self) -> Ticket {
        (self.index, self.number, self.attempt)
    }
}

fn choose(rng: &mut Rng, client: usize, Options { names, outsiders, stage, .. }: Options) -> Op {
    if stage == Some(Stage::DeathInFlush) {
        return Stage::contend(rng, client);
    }
    // What is there, though not by a client.
    let some = if outsiders && rng.chance(1, 4) { rng.pick(&OUTSIDE.map(|(path, _)| path)) } else { rng.pick(names) };
    Op::choose(rng, some, names, DIRECTORIES)
}

/// The operation of a client as the wire would bring it.
pub fn asked(client: &Client) -> Option<Asked> {
    let op = match &client.current.as_ref()?.0 {
        Doing::Op(op) => op,
        Doing::Again(echo) => return Some(Asked::Change(echo.request.clone())),
    };
    let path = |text: &str| AlluxioPath::parse(text).unwrap();
    let operation = match op {
        Op::Stat(p) => return Some(Asked::Read(Query::GetStatus { path: path(p) }, client.load)),
        Op::List(p) => return Some(Asked::Read(Query::ListStatus { path: path(p), recursive: false }, client.load)),
        Op::Mkdir(p) => Operation::CreateDirectory(CreateDirectory {
            path: path(p),
            recursive: false,
            allow_exists: false,
            mode: 0o755,
            write_type: if THROUGH.contains(p) { WriteType::CacheThrough } else { WriteType::MustCache },
            ttl_ms: -1,
            ttl_action: TtlAction::Free,
            xattr: Default::default(),
        }),
        Op::Create(p) => Operation::CreateFile(CreateFile {
            path: path(p),
            recursive: false,
            overwrite: false,
            mode: 0o644,
            block_size_bytes: 1 << 26,
            write_type: WriteType::MustCache,
            ttl_ms: -1,
            ttl_action: TtlAction::Free,
            replication_min: 0,
            replication_max: -1,
            replication_durable: 1,
            persistence_wait_ms: 0,
            xattr: Default::default(),
        }),
        Op::Delete { path: p, recursive } => Operation::Delete(Delete { recursive: *recursive, ..Delete::of(path(p)) }),
        Op::Rename { from, to } => Operation::Rename(Rename { source: path(from), target: path(to) }),
    };
    let operation_id = Some(OperationId { high: client.index as u64 + 1, low: client.number });
    Some(Asked::Change(Request { caller: caller(), operation_id, operation }))
}

pub fn caller() -> Caller {
    Caller { user: "root".into(), groups: vec!["root".into()] }
}

impl World {
    /// The client begins an operation, or tries it again.
    pub fn ask(&mut self, index: usize) {
        if self.clients[index].current.is_none() {
            let done = self.history.len() + self.clients.iter().filter(|client| client.is_waiting()).count();
            if done >= self.options.operations {
                return;
            }
            if self.now < self.rest_until {
                return self.after(self.rest_until - self.now, Action::ClientTurn { client: index });
            }
            let again = if self.rng.chance(1, 4) { self.clients[index].former.take() } else { None };
            let doing = match again {
                Some(echo) => Doing::Again(self.again(echo)),
                None => Doing::Op(self.last.pop().unwrap_or_else(|| choose(&mut self.rng, index, self.options))),
            };
            let loads = [LoadMetadata::Never, LoadMetadata::Once, LoadMetadata::Once, LoadMetadata::Always];
            let looks = match self.options.stage {
                _ if self.looked_for > 0 => LoadMetadata::Once,
                Some(Stage::DeathInFlush) => LoadMetadata::Never,
                _ => loads[self.rng.index(loads.len())],
            };
            self.clients[index].load = looks;
            self.clients[index].current = Some((doing, self.now));
            self.clients[index].number += 1;
        }
        self.clients[index].attempt += 1;
        let ticket = self.clients[index].ticket();
        let published = self.election.primary().and_then(|address| address.strip_prefix("host"));
        let known = published.and_then(|address| address.split(':').next()).and_then(|host| host.parse().ok());
        let anywhere = self.rng.index(self.hosts.len());
        let unaware = self.passed_over.filter(|(_, until)| self.now < *until).map(|(host, _)| host);
        let known = unaware.filter(|_| self.rng.chance(1, 2)).or(known);
        let host = known.filter(|_| !self.rng.chance(1, 5)).unwrap_or(anywhere);
        let life = self.hosts[host].lives;
        let delay = self.rng.range(50, 2 * MS);
        self.after(delay, Action::Coordinate { host, life, ticket, attempt: Attempt::First });
        let patience = self.rng.range(200 * MS, 3 * SECOND);
        self.after(patience, Action::Impatient { ticket });
    }

    /// Another history began, which knows nothing of former operations: they are not asked again. Those that are under
    /// way may have been executed in the former history, and will be executed in this one.
    pub fn forget_formers(&mut self) {
        for index in 0..self.clients.len() {
            let client = &mut self.clients[index];
            client.former = None;
            if let Some((Doing::Op(op), asked)) = &client.current {
                self.history.push(Call {
                    op: op.clone(),
                    asked: *asked,
                    heard: self.now,
                    seen: Seen::Unknown,
                    inode: None,
                });
                self.options.operations += 1;
            }
            if client.current.take_if(|(doing, _)| matches!(doing, Doing::Again(_))).is_some() {
                self.after(SECOND, Action::ClientTurn { client: index });
            }
        }
    }

    /// No answer came: whether the operation took effect is not known.
    pub fn impatient(&mut self, ticket: Ticket) {
        if self.clients[ticket.0].waits_for(ticket) {
            self.coverage.met(Met::Ambiguous);
            self.ask(ticket.0);
        }
    }

    /// An answer arrives.
    pub fn hear(&mut self, ticket: Ticket, answer: Result<Answer, FsError>) -> Result<(), String> {
        let client = &mut self.clients[ticket.0];
        if !client.waits_for(ticket) {
            return Ok(());
        }
        if matches!(&answer, Err(error) if error.kind == ErrorKind::Unavailable) {
            client.attempt += 1;
            let delay = self.rng.range(10 * MS, 200 * MS);
            self.after(delay, Action::ClientTurn { client: ticket.0 });
            return Ok(());
        }
        let former = asked_with_id(client);
        let (doing, asked) = client.current.take().expect("just seen");
        match doing {
            Doing::Again(echo) => self.heard_again(&echo, &answer)?,
            Doing::Op(op) => {
                let seen = seen(&op, &answer).map_err(|text| format!("{op:?} was answered {text}"))?;
                self.note(|| format!("client {} heard {op:?} = {seen:?}, asked at {asked}", ticket.0));
                // An answer may be older than the history.
                if asked > self.formatter.since {
                    self.keep_former(ticket.0, &op, former, &answer);
                }
                self.coverage.met(Met::Operation);
                let inode = if let Ok(Answer::Status(status)) = &answer { Some(status.id) } else { None };
                self.history.push(Call { op, asked, heard: self.now, seen, inode });
            }
        }
        // While flushes are slow, much is under way at once.
        let most = match self.options.stage {
            Some(Stage::DeathInFlush) if self.is_slow() && is_reader(ticket.0) => 40 * MS,
            _ if self.is_slow() => 4 * MS,
            Some(_) if !self.healing => IDLE,
            _ => 60 * MS,
        };
        let pause = self.rng.range(0, most);
        self.after(pause, Action::ClientTurn { client: ticket.0 });
        Ok(())
    }
}

/// The change that it asks for.
fn asked_with_id(client: &Client) -> Option<Request> {
    match asked(client)? {
        Asked::Change(request) => Some(request),
        Asked::Read(..) => None,
    }
}

fn seen(op: &Op, answer: &Result<Answer, FsError>) -> Result<Seen, String> {
    match answer {
        Ok(Answer::Done) => Ok(Seen::Done),
        Ok(Answer::Status(_)) if matches!(op, Op::Mkdir(_) | Op::Create(_)) => Ok(Seen::Done),
        Ok(Answer::Status(status)) => Ok(if status.folder { Seen::Directory } else { Seen::File }),
        Ok(Answer::List(part)) => Ok(Seen::Names(
            part.statuses
                .iter()
                .filter(|status| !is_of_writer(&status.path))
                .map(|status| status.path.to_string())
                .collect(),
        )),
        Err(error) => match error.kind {
            ErrorKind::NotFound => Ok(Seen::NotFound),
            ErrorKind::AlreadyExists => Ok(Seen::Exists),
            ErrorKind::InvalidArgument => Ok(Seen::Invalid),
            ErrorKind::FailedPrecondition | ErrorKind::Unknown
                if error.message.contains("under file system") && op.can_need_ufs(THROUGH) =>
            {
                Ok(Seen::Failed)
            }
            ErrorKind::FailedPrecondition => Ok(Seen::NotEmpty),
            _ => Err(format!("{error:?}")),
        },
        Ok(other) => Err(format!("{other:?}")),
    }
}
