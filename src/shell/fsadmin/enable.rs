//! `alluxio fsadmin enableWorker --addresses <workerHosts>`

use super::worker_places::{ADDRESSES, check, list, parse};
use crate::shell::fs::Failure;
use crate::shell::fs29::options::CommandLine;
use crate::shell::fs29::{Command, Words};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command {
    options: &[ADDRESSES],
    check: |line| check(line, "enableWorker"),
    ..Command::new(
        "enableWorker",
        "enableWorker --addresses <workerHosts>",
        "Re-enables workers to register and join the cluster. This is used in pair with the decommissionWorker command. \
         For example:\n\n\
         # -d specifies the worker should be rejected from registering\n\
         $bin/alluxio fsadmin decommissionWorker --addresses worker1 -d\n\
         # This can be reversed by enableWorker command\n\
         $bin/alluxio fsadmin enableWorker --addresses worker1\n\
         # worker1 should now be able to register",
        Words::AtLeast(0),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

/// Exit code when a worker was not enabled.
const NOT_ENABLED: i32 = 1;

// Compatible: 2.9.6 EnableWorkerCommand.
async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let places = parse(line.value("addresses").unwrap_or_default(), session.web_ports.worker)?;
    let mut failed = Vec::new();
    for place in &places {
        output.line(&format!("Re-enabling worker {place}"));
        match session.files.enable_worker(&place.host, place.port).await {
            Ok(()) => output.line(&format!("Re-enabled worker {place} on master")),
            Err(error) => {
                output.complain(&format!("Failed to re-enable worker {place}\n{error}"));
                failed.push(place);
            }
        }
    }
    if failed.is_empty() {
        output.line(
            "Successfully re-enabled all workers on the master. The workers should be able to register to the master and \
             then serve normally.Note there is a short gap defined by alluxio.user.worker.list.refresh.interval before the \
             clients become aware of this worker and start to use it.",
        );
        return Ok(());
    }
    let (count, failed) = (failed.len(), list(failed));
    output.line(&format!("{count} failed to be re-enabled on the master: {failed}"));
    output.line(
        "The admin needs to manually check and fix the problem. Those workers are not able to register to the master and \
         serve requests.",
    );
    Err(Failure::silent(NOT_ENABLED))
}
