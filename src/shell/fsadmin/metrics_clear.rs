//! `alluxio fsadmin metrics clear [--master] [--workers <worker_hostnames>] [--parallelism <#>]`

use super::{Entry, Group};
use crate::shell::fs::Failure;
use crate::shell::fs29::options::{ARG, CommandLine, Opt};
use crate::shell::fs29::{Command, Words};
use crate::shell::{Output, Session};
use crate::types::WorkerAddress;
use std::collections::BTreeSet;

// Compatible: 2.9.6 alluxio.cli.fsadmin.metrics, the texts to the letter.
pub(super) const GROUP: Group = Group {
    name: "metrics",
    usage: "metrics [clear]",
    description: "Provide operations for the Alluxio metrics system. See sub-commands' descriptions for more details.",
    entries: &[Entry::One(&CLEAR)],
};

const CLEAR: Command = Command {
    options: &[
        Opt::flag("", "master", "Clear the metrics of Alluxio leading master"),
        Opt::with(
            "",
            "workers",
            ARG,
            "Clear metrics of specified workers. Pass in the worker hostnames separated by comma",
        ),
        // Checked, without effect: workers are asked one after another.
        Opt::with(
            "",
            "parallelism",
            Some("# concurrent operations"),
            "Number of concurrent worker metrics clear operations, default: 8",
        ),
    ],
    check: |line| match line.value("parallelism").map(str::parse::<u32>) {
        None | Some(Ok(1..)) => Ok(()),
        Some(_) => Err("The number of concurrent operations is at least 1".into()),
    },
    ..Command::new(
        "clear",
        "clear [--master] [--workers <worker_hostnames>] [--parallelism <#>] \n\
         \t--master: Clear the metrics of Alluxio leading master\n\
         \t--workers: Clear metrics of specified workers. Pass in the worker hostnames separated by comma\n\
         \t--parallelism: Number of concurrent worker metrics clear operations, default: 8\n",
        "Clear the metrics of the whole cluster by default. Users can pass in options to decide metrics of which nodes to \
         be cleared. This command is useful when getting metrics information in short-term testing. This command should be \
         used sparingly as it may affect the current metrics recording and reporting which may lead to metrics \
         incorrectness and affect worker/client heartbeats with leading master.",
        Words::AtMost(3),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let of_all = !line.has("master") && !line.has("workers");
    if of_all || line.has("workers") {
        of_workers(line.value("workers"), session, output).await?;
    }
    if of_all || line.has("master") {
        session.files.clear_metrics().await.map_err(|error| Failure::of(format!("Fatal error: {error}")))?;
        output.line("Successfully cleared metrics of Alluxio leading master.");
    }
    Ok(())
}

async fn of_workers(names: Option<&str>, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let mut workers: Vec<WorkerAddress> =
        session.files.workers().await?.into_iter().map(|worker| worker.address).collect();
    workers.sort_by_key(WorkerAddress::endpoint);
    if let Some(names) = names {
        let asked: BTreeSet<&str> = names.split(',').collect();
        let missing: Vec<&str> =
            asked.iter().filter(|name| !workers.iter().any(|worker| worker.host == **name)).copied().collect();
        if !missing.is_empty() {
            output.line(&format!("Cannot find workers of hostnames {}", missing.join(",")));
            return Err(Failure::of(format!("Valid workers include {}", hosts(&workers))));
        }
        workers.retain(|worker| asked.contains(worker.host.as_str()));
    }
    if workers.is_empty() {
        output.line("No worker metrics to clear.");
    }
    for worker in &workers {
        if let Err(error) = session.files.clear_metrics_of_worker(worker).await {
            output.line(&format!("Fatal error: {error}"));
            return Err(Failure::of(format!("Failed to clear metrics of workers {}", hosts(&workers))));
        }
        output.line(&format!("Successfully cleared metrics of worker {}.", worker.host));
    }
    Ok(())
}

fn hosts(workers: &[WorkerAddress]) -> String {
    let hosts: Vec<&str> = workers.iter().map(|worker| worker.host.as_str()).collect();
    format!("[{}]", hosts.join(", "))
}
