//! Operations that are asked again after their answer came, mostly of a later leader: with the same id and arguments
//! the first answer comes again, with other arguments a refusal, and nothing is done a second time.

use crate::coverage::Met;
use crate::model::Op;
use crate::world::World;
use alluxio::master::ops::{Answer, Operation, Request};
use alluxio::types::{AlluxioPath, ErrorKind, FsError, InodeId};

/// An operation that was answered.
#[derive(Debug, Clone)]
pub struct Echo {
    pub request: Request,
    /// What was made, if the answer told it.
    inode: Option<InodeId>,
    /// Whether the arguments are others now.
    misused: bool,
    /// Takeovers until it was answered.
    takeovers: u64,
}

impl World {
    /// Keeps what changed something, to ask it again.
    pub fn keep_former(&mut self, client: usize, op: &Op, request: Option<Request>, answer: &Result<Answer, FsError>) {
        // What changes nothing is not kept.
        let changes = !matches!(op, Op::Rename { from, to } if from == to);
        let (Some(request), Ok(answer), true) = (request, answer, changes) else { return };
        let inode = if let Answer::Status(status) = answer { Some(status.id) } else { None };
        let takeovers = self.coverage.of(Met::Takeover);
        self.clients[client].former = Some(Echo { request, inode, misused: false, takeovers });
    }

    /// As it was, or with other arguments.
    pub fn again(&mut self, echo: Echo) -> Echo {
        if self.rng.chance(1, 2) {
            return echo;
        }
        let mut request = echo.request.clone();
        match &mut request.operation {
            Operation::CreateDirectory(op) => op.mode = 0o700,
            Operation::CreateFile(op) => op.block_size_bytes += 1,
            Operation::Delete(op) => op.recursive = !op.recursive,
            Operation::Rename(op) => op.target = AlluxioPath::parse("/elsewhere").unwrap(),
            _ => return echo,
        }
        Echo { request, misused: true, ..echo }
    }

    /// What came of it.
    pub fn heard_again(&mut self, echo: &Echo, answer: &Result<Answer, FsError>) -> Result<(), String> {
        let is_as_before = match (answer, echo.misused) {
            (Err(error), true) => error.kind == ErrorKind::InvalidArgument && error.message.contains("was used before"),
            (Ok(Answer::Status(status)), false) => echo.inode == Some(status.id),
            (Ok(Answer::Done), false) => echo.inode.is_none(),
            _ => false,
        };
        if !is_as_before {
            return Err(format!("asked again, {:?} was answered {answer:?}", echo.request));
        }
        self.coverage.met(if echo.misused { Met::Misused } else { Met::Echoed });
        if !echo.misused && self.coverage.of(Met::Takeover) > echo.takeovers {
            self.coverage.met(Met::EchoedElsewhere);
        }
        Ok(())
    }
}
