//! `alluxio fsadmin decommissionWorker --addresses <workerHosts> [--wait waitTime] [--disable]`

use super::worker_places::{ADDRESSES, WebPlace, check, list, parse};
use crate::client::WorkerInfo;
use crate::shell::fs::Failure;
use crate::shell::fs29::options::{CommandLine, Opt};
use crate::shell::fs29::{Command, Words, values};
use crate::shell::{Output, Session, web_call};
use crate::types::time::{Boot, boot_now};
use std::time::Duration;

pub(super) const COMMAND: Command = Command {
    options: &[
        ADDRESSES,
        Opt::with("w", "wait", Some("waitTime"), "Time to wait, in human readable form like 5m."),
        Opt::flag(
            "d",
            "disable",
            "Whether the worker should be disabled and not allowed to register again, until it is re-enabled again by \
             fsadmin enableWorker command.",
        ),
    ],
    check: |line| check(line, "decommissionWorker"),
    ..Command::new(
        "decommissionWorker",
        "decommissionWorker --addresses <workerHosts> [--wait waitTime] [--disable]",
        DESCRIPTION,
        Words::AtLeast(0),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

const DESCRIPTION: &str = "\
Decommission a specific batch of workers in the Alluxio cluster. The command will perform the following actions:
1. For each worker in the batch, send a decommission command to the primary Alluxio master so the master marks those workers as decommissioned and will not serve operations.
2. It takes a small interval for all other Alluxio components (like clients and Proxy instances) to know those workers should not be used, so this command waits for the interval time defined by alluxio.user.worker.list.refresh.interval.
3. Gets the active worker list from the master after waiting, and verify the target workers are not active anymore.
4. Wait for the workers to become idle. This command will constantly check the idleness status on each worker.
5. Either all workers have become idle, or the specified timeout expires, this command will return.

This command is idempotent and can be retried, but the admin is advised to manually check if there's an error. The return codes have different meanings: 
0: OK
All workers are successfully decommissioned and now idle. Safe to kill or restart this batch of workers now.
1: DECOMMISSION_FAILED
Failed to decommission all workers. The admin should double check the worker addresses and the primary master status.
2: LOST_MASTER_CONNECTION
Lost connection to the primary master while this command is running. This suggests the configured master address is wrong or the primary master failed over.
3: WORKERS_NOT_IDLE
Some workers were still not idle afte the wait. Either the wait time is too short or those workers failed to mark decommissioned. The admin should manually intervene and check those workers.
10: LOST_SOME_WORKERS
Workers are decommissioned but some or all workers lost contact while this command is running. If a worker is not serving then it is safe to kill or restart. But the admin is advised to double check the status of those workers.";

/// Exit codes.
const DECOMMISSION_FAILED: i32 = 1;
const LOST_MASTER_CONNECTION: i32 = 2;
const WORKERS_NOT_IDLE: i32 = 3;
const LOST_SOME_WORKERS: i32 = 10;

/// How long it is waited for idle workers unless it is said.
const WAIT_MS: i64 = 5 * 60 * 1000;
/// How often they are asked.
const LOOK: Duration = Duration::from_secs(1);
/// So many times in a row one is idle, or does not answer, before that is believed.
const QUIET_LOOKS: u32 = 20;
const FAILED_LOOKS: u32 = 5;

/// A worker that is waited for.
struct Waiting {
    place: WebPlace,
    quiet: u32,
    failed: u32,
    /// Operations under way and waiting, as it told last.
    seen: Option<(i64, i64)>,
}

// Compatible: 2.9.6 DecommissionWorkerCommand, texts and exit codes.
async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let wait_ms = line.value("wait").map_or(Ok(WAIT_MS), values::time).map_err(Failure::of)?;
    let places = parse(line.value("addresses").unwrap_or_default(), session.web_ports.worker)?;
    let workers = match session.files.workers().await {
        Ok(workers) => workers,
        Err(error) => {
            output.complain(&format!("Cannot get available worker list from master: {error}"));
            return Err(Failure::silent(LOST_MASTER_CONNECTION));
        }
    };
    let (mut waiting, failed) = send(&places, &workers, line.has("disable"), session, output).await?;
    output.line(&format!(
        "Sent decommission messages to the master, {} failed and {} succeeded",
        failed.len(),
        waiting.len()
    ));
    output.line(&format!("Failed ones: {}", list(&failed)));
    if waiting.is_empty() {
        output.line(
            "Failed to decommission all workers. The admin should double check the worker addresses and the primary master \
             status.",
        );
        return Err(Failure::silent(DECOMMISSION_FAILED));
    }
    verify(&waiting, session, output).await;
    let begin = boot_now();
    let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0));
    let (finished, lost) = wait_for_idle(&mut waiting, begin + wait, output).await;
    output.line(&format!("Waited {} minutes for workers to be idle", boot_now().since(begin).as_secs() / 60));
    tell(&waiting, &finished, &lost, output)
}

/// Tells the master, worker by worker; those that it took, and those that it did not.
async fn send(
    places: &[WebPlace],
    workers: &[WorkerInfo],
    disable: bool,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(Vec<Waiting>, Vec<WebPlace>), Failure> {
    let (mut waiting, mut failed) = (Vec::new(), Vec::new());
    for place in places {
        output.line(&format!("Decommissioning worker {place}"));
        let Some(worker) = workers.iter().find(|worker| worker.address.host == place.host) else {
            let known: String = workers.iter().map(|worker| format!("\t{}", WebPlace::of(worker))).collect();
            return Err(Failure::of(format!(
                "Worker {} is not known by the master. Please check the hostname or retry later. Available workers are: \
                 {known}",
                place.host
            )));
        };
        let place = WebPlace::of(worker);
        match session.files.decommission_worker(&place.host, place.port, disable).await {
            Ok(()) => {
                output.line(&format!("Set worker {place} decommissioned on master"));
                waiting.push(Waiting { place, quiet: 0, failed: 0, seen: None });
            }
            Err(error) => {
                output.complain(&format!("Failed to decommission worker {place}\n{error}"));
                failed.push(place);
            }
        }
    }
    Ok((waiting, failed))
}

/// Waits until clients know it, and looks whether the master does.
async fn verify(waiting: &[Waiting], session: &Session, output: &mut Output<'_>) {
    output.line(&format!(
        "Clients take alluxio.user.worker.list.refresh.interval={}ms to be updated on the new worker list so this command \
         will block for the same amount of time to ensure the update propagates to clients in the cluster.",
        session.worker_list_refresh.as_millis()
    ));
    output.flush();
    tokio::time::sleep(session.worker_list_refresh).await;
    output.line("Verifying the decommission has taken effect by listing all available workers on the master");
    match session.files.workers().await {
        Ok(workers) => {
            let known: Vec<WebPlace> = workers.iter().map(WebPlace::of).collect();
            let begin = if known.is_empty() { "" } else { "\n" };
            output.line(&format!("Now on master the available workers are: {begin}{}", list(&known)));
            for place in known.iter().filter(|place| waiting.iter().any(|one| one.place == **place)) {
                output.complain(&format!(
                    "Worker {place} is still showing available on the master. Please check why the decommission did not \
                     work.\nThis command will still continue, but the admin should manually verify the state of this worker \
                     afterwards."
                ));
            }
        }
        Err(error) => output.complain(&format!(
            "Failed to refresh the available worker list from master: {error}\nThe command will skip this check and \
             continue. If we observe the workers become idle, that suggests the decommission is successful and no clients \
             will be using this batch of workers, and this error can be ignored."
        )),
    }
}

/// Asks workers until they are idle or gone, or the time is over. Those that came to be idle, and those that are gone.
async fn wait_for_idle(
    waiting: &mut Vec<Waiting>,
    until: Boot,
    output: &mut Output<'_>,
) -> (Vec<WebPlace>, Vec<WebPlace>) {
    let (mut finished, mut lost) = (Vec::new(), Vec::new());
    let mut is_explained = false;
    loop {
        for worker in waiting.iter_mut() {
            look(worker, &mut is_explained, output).await;
        }
        waiting.retain(|worker| {
            let place = worker.place.clone();
            if worker.quiet >= QUIET_LOOKS {
                output.line(&format!(
                    "There is no operation on worker {place} for {QUIET_LOOKS} times in a row. Worker is considered safe to \
                     stop."
                ));
                finished.push(place);
                return false;
            }
            if worker.failed >= FAILED_LOOKS {
                output.line(&format!(
                    "Failed to poll status from worker {place} for {FAILED_LOOKS} times in a row. Worker is considered \
                     inaccessible and not functioning. If the worker is not functioning, it probably does not currently \
                     have ongoing I/O and can be stopped. But the admin is advised to manually double check the working \
                     before stopping it. "
                ));
                lost.push(place);
                return false;
            }
            true
        });
        output.flush();
        if waiting.is_empty() || boot_now() >= until {
            return (finished, lost);
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn look(worker: &mut Waiting, is_explained: &mut bool, output: &mut Output<'_>) {
    let WebPlace { host, port } = &worker.place;
    output.line(&format!("Polling status from worker {host}:{port}"));
    let told = web_call::get(host, *port, "/api/v1/worker/operations").await;
    let told = told.and_then(|told| {
        let number = |name: &str| told[name].as_i64().ok_or_else(|| format!("it does not tell its {name}"));
        Ok((number("operationCount")?, number("rpcQueueLength")?))
    });
    match told {
        Ok((0, 0)) => (worker.quiet, worker.failed, worker.seen) = (worker.quiet + 1, 0, Some((0, 0))),
        Ok((operations, queued)) => {
            output.line(&format!("Worker ActiveOperations={operations}, RpcQueueLength={queued}"));
            (worker.quiet, worker.failed, worker.seen) = (0, 0, Some((operations, queued)));
        }
        Err(reason) => {
            output.complain(&format!("Failed to poll progress from worker {host}: {reason}"));
            if !std::mem::replace(is_explained, true) {
                output.complain(
                    "There are many reasons why the poll can fail, including but not limited to:\n1. Worker is running with \
                     a low version which does not contain this endpoint\n2. alluxio.worker.web.port is not configured \
                     correctly or is not accessible by firewall rules\n3. Some other transient network errors",
                );
            }
            (worker.quiet, worker.failed) = (0, worker.failed + 1);
        }
    }
}

fn tell(waiting: &[Waiting], finished: &[WebPlace], lost: &[WebPlace], output: &mut Output<'_>) -> Result<(), Failure> {
    if !waiting.is_empty() {
        let places = list(waiting.iter().map(|worker| &worker.place));
        output.line(&format!("{places} workers still have not finished all their operations"));
        output.line("The admin should manually intervene and check those workers, before shutting them down.");
        for Waiting { place, seen, .. } in waiting {
            let (operations, queued) = seen.unwrap_or_default();
            output.line(&format!(
                "Worker {place} has Worker.ActiveOperations={operations}, Worker.RpcQueueLength={queued}"
            ));
        }
    }
    if !lost.is_empty() {
        output.line(&format!("{} workers finished all their operations successfully:", finished.len()));
        output.line(&list(finished));
        output.line(&format!(
            "{} workers became inaccessible and we assume there are no operations, but we still recommend the admin to \
             double check:",
            lost.len()
        ));
        output.line(&list(lost));
    }
    match (waiting.is_empty(), lost.is_empty()) {
        (false, _) => Err(Failure::silent(WORKERS_NOT_IDLE)),
        (true, false) => Err(Failure::silent(LOST_SOME_WORKERS)),
        (true, true) => {
            output.line(
                "All workers are successfully decommissioned and now idle. Safe to kill or restart this batch of workers \
                 now.",
            );
            Ok(())
        }
    }
}
