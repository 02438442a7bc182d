//! `loadMetadata [-R] [-F] [-v2] [-a/--async] [-o/--operation <operation>] [-d <type>] [-p <polling interval ms>] <path>`

use std::time::Duration;

use super::options::{ARG, Opt};
use super::{Command, CommandLine, Words};
use crate::proto::alluxio::grpc::file::{SyncMetadataPOptions, SyncMetadataState, SyncMetadataTask};
use crate::proto::alluxio::grpc::fscommon::{DirectoryLoadPType, LoadDescendantPType};
use crate::shell::fs::{Failure, paths};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};
use crate::types::time::boot_now;

pub(super) const COMMAND: Command = Command {
    options: &[
        Opt::flag("R", "", "load metadata subdirectories recursively"),
        Opt::flag("F", "", "update the metadata of the existing sub file forcibly"),
        Opt::flag("a", "async", "load the metadata asynchronously"),
        Opt::with("d", "", ARG, "load directory type, can be SINGLE_LISTING, BFS, or DFS"),
        Opt::flag("v2", "", "use the load metadata v2 implementation"),
        Opt::with("o", "option", ARG, "operation, can be load, get, cancel"),
        Opt::with("p", "polling", ARG, "when running a task asynchronously, how often to poll the task progress in ms"),
        Opt::with("id", "", ARG, "the numeric task group id"),
    ],
    check,
    ..Command::new(
        "loadMetadata",
        "loadMetadata [-R] [-F] [-v2] [-a/--async] [-o/--operation <operation>] [-d <type>] [-p <polling interval ms>] <path>",
        "Loads metadata for the given Alluxio path from the under file system.",
        Words::Checked,
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

const GREEN: &str = "\u{1b}[32m";
const RED: &str = "\u{1b}[31m";
const PLAIN: &str = "\u{1b}[0m";

// Compatible: 2.9 LoadMetadataCommand, validateArgs.
fn check(line: &CommandLine) -> Result<(), String> {
    let operation = line.value("o").unwrap_or("load");
    let given = line.words.len();
    let wrong = match operation {
        "load" if given < 1 => format!("Command loadMetadata requires at least 1 arguments ({given} provided)"),
        "get" | "cancel" if given > 0 => {
            format!("Command loadMetadata requires at most 0 arguments ({given} provided)")
        }
        "get" | "cancel" if line.has("F") || line.has("a") || line.has("d") => {
            "-o load/cancel only supports -id option".into()
        }
        "get" | "cancel" if !line.has("id") => "-o load/cancel only comes with an -id option".into(),
        "load" | "get" | "cancel" => match operation {
            _ if line.has("F") && line.has("v2") => "LoadMetadata v2 does not support -F option.".into(),
            _ if line.has("a") && !line.has("v2") => "LoadMetadata v1 does not support -a/--async option.".into(),
            "load" if line.has("id") => "-id option only works with get and cancel operation type".into(),
            _ => return Ok(()),
        },
        other => format!("Operation value {other} invalid. Possible values: load/cancel/get"),
    };
    Err(wrong)
}

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    match line.value("o") {
        Some("get") => {
            for task in session.files.sync_progress(number(line.value("id"), 0)?).await? {
                show(&task, output);
            }
            return Ok(());
        }
        Some("cancel") => {
            let group = number(line.value("id"), 0)?;
            session.files.cancel_sync_metadata(group).await?;
            output.line(&format!("Task group {group} cancelled"));
            return Ok(());
        }
        _ => {}
    }
    paths::for_each(line.word(0), session, output, async |uri, output| {
        if line.has("v2") {
            return compare(uri, line, session, output).await;
        }
        let started = boot_now();
        session.files.load_metadata(uri.path()?, line.has("R"), line.has("F")).await?;
        output.line(&format!("Time elapsed {}", boot_now().since(started).as_millis()));
        Ok(())
    })
    .await
}

/// Compares it with the UFS, and shows what came of it.
async fn compare(uri: &Uri, line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let kind = line.value("d").unwrap_or("SINGLE_LISTING");
    let no_kind = || {
        let class = "alluxio.grpc.DirectoryLoadPType";
        Failure::of(format!("No enum constant {class}.{kind}"))
    };
    let below = if line.has("R") { LoadDescendantPType::All } else { LoadDescendantPType::One };
    let how = SyncMetadataPOptions {
        load_descendant_type: Some(below.into()),
        directory_load_type: Some(DirectoryLoadPType::from_str_name(kind).ok_or_else(no_kind)?.into()),
    };
    if line.has("a") {
        return compare_later(uri, how, number(line.value("p"), 10_000)?, session, output).await;
    }
    output.line("Starting metadata sync..");
    output.flush();
    let tasks = session.files.sync_metadata(uri.path()?, how).await?;
    output.line("Sync Metadata finished");
    tasks.iter().for_each(|task| show(task, output));
    Ok(())
}

async fn compare_later(
    uri: &Uri,
    how: SyncMetadataPOptions,
    poll_ms: i64,
    session: &Session,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    output.line("Submitting metadata sync task...");
    let begun = session.files.sync_metadata_async(uri.path()?, how).await?;
    let group = begun.task_group_id();
    let ids: Vec<String> = begun.task_ids.iter().map(i64::to_string).collect();
    output.line(&format!(
        "Task group {group} has been submitted successfully.\nTask ids: [{}]\nPolling sync progress every {poll_ms}ms\n\
         You can also poll the sync progress in another terminal using:\n\
         \t$bin/alluxio fs loadMetadata -o get -id {group}\n\
         Sync is being executed asynchronously. Ctrl+C or closing the terminal does not stop the task group. To cancel \
         the task, you can use: \n\t$bin/alluxio fs loadMetadata -o cancel -id {group}",
        ids.join(", ")
    ));
    loop {
        output.line(&"-".repeat(54));
        let mut tasks = session.files.sync_progress(group).await?;
        tasks.sort_by_key(SyncMetadataTask::id);
        output.line(&format!("Task group id: {group}"));
        for task in &tasks {
            show(task, output);
            output.line("");
        }
        output.flush();
        if tasks.iter().all(|task| task.state() != SyncMetadataState::Running) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(poll_ms.max(0).unsigned_abs())).await;
    }
}

// Compatible: 2.9 LoadMetadataCommand, printTask; tests/shell, fs-05-stat-du-count-test of 2.9.6.
fn show(task: &SyncMetadataTask, output: &mut Output<'_>) {
    let state = task.state();
    let (color, plain) = match state {
        SyncMetadataState::Succeeded => (GREEN, PLAIN),
        SyncMetadataState::Failed => (RED, PLAIN),
        _ => ("", ""),
    };
    let ms = task.sync_duration_ms();
    let rate = if ms == 0 { 0.0 } else { task.success_op_count() as f64 / (ms as f64 / 1000.0) };
    output.line(&format!("Task id: {}\n{color}State: {}{plain}", task.id(), state.as_str_name()));
    output.line(&format!("Sync duration: {ms}\nOps/sec: {rate:?}"));
    if let Some(exception) = &task.exception {
        output.line(&format!("{RED}Exception: {PLAIN}"));
        for text in [exception.exception_type(), exception.exception_message(), exception.stacktrace()] {
            output.line(&format!("{RED}\t{text}{PLAIN}"));
        }
    }
    output.line(&format!("Task info: \n\t{}", task.task_info_string()));
    output.line(&format!("Task stats: \n\t{}", task.task_stat_string()));
    match state {
        SyncMetadataState::Succeeded => output.line(&format!("{GREEN}Load Metadata Completed.{PLAIN}")),
        SyncMetadataState::Failed => {
            output.line(&format!("{RED}Load Metadata Failed. Please check the server log or retry!{PLAIN}"));
        }
        SyncMetadataState::Canceled => output.line("Load Metadata Canceled."),
        SyncMetadataState::Unknown | SyncMetadataState::Running => {}
    }
}

fn number(text: Option<&str>, preset: i64) -> Result<i64, Failure> {
    // Compatible: what Java says of a text that is no number.
    text.map_or(Ok(preset), |text| text.parse().map_err(|_| Failure::of(format!("For input string: \"{text}\""))))
}
