//! `ls [-d|-f|-p|-R/--recursive|-h|--sort=option|--timestamp=option|-r|-m/--omit-mount-info] <path> ...`

use std::cmp::Ordering;

use chrono::Local;

use super::options::{ARG, Opt};
use super::{Command, CommandLine, Words, describe, values};
use crate::proto::alluxio::grpc::file::{FileInfo, GetStatusPOptions, ListStatusPOptions, LoadMetadataPType};
use crate::proto::convert::status_from_proto;
use crate::shell::fs::{Failure, paths};
use crate::shell::uri::Uri;
use crate::shell::{Output, Session};
use crate::types::FileStatus;
use crate::types::texts::{mode, time};

pub(super) const COMMAND: Command = Command {
    options: &[
        Opt::flag("f", "", "force to load metadata for immediate children in a directory"),
        Opt::flag("d", "", "list directories as plain files"),
        Opt::flag("h", "", "print human-readable format sizes"),
        Opt::flag("p", "", "list all pinned files"),
        Opt::flag(
            "m",
            "omit-mount-info",
            "if specified, the status will not include mount point related information, like the UFS path",
        ),
        Opt::flag("R", "recursive", "list subdirectories recursively"),
        Opt::flag("r", "", "reverse order while sorting"),
        Opt::with(
            "",
            "sort",
            ARG,
            "sort statuses by the given field {path|lastAccessTime|creationTime|size|lastModificationTime|inMemoryPercentage|name}",
        ),
        Opt::with(
            "",
            "timestamp",
            ARG,
            "display specific timestamp(default is last modification time) {lastAccessTime|creationTime|lastModificationTime}",
        ),
    ],
    check: |line| timestamp(line).map(drop),
    ..Command::new(
        "ls",
        "ls [-d|-f|-p|-R/--recursive|-h|--sort=option|--timestamp=option|-r|-m/--omit-mount-info] <path> ...",
        "Displays information for all files and directories directly under the specified paths, including permission, owner, group, size (bytes for files or the number of children for directories, persistence state, last modified time, the percentage of content already in Alluxio and the path in order.",
        Words::AtLeast(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

/// What a line shows.
struct Shown {
    status: FileStatus,
    /// Whether more is said of it than its mode says.
    extended: bool,
}

type Timestamp = fn(&FileStatus) -> i64;
type Order = fn(&FileStatus, &FileStatus) -> Ordering;

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let timestamp = timestamp(line).map_err(Failure::of)?;
    for word in &line.words {
        paths::for_each(word, session, output, async |uri, output| {
            for shown in list(uri, line, session).await? {
                if !line.has("p") || shown.status.pinned {
                    output.line(&row(&shown, timestamp, line.has("h"), session.show_owners));
                }
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

async fn list(uri: &Uri, line: &CommandLine, session: &Session) -> Result<Vec<Shown>, Failure> {
    let path = uri.path()?;
    if line.has("d") {
        return Ok(vec![shown(session.files.info(path, GetStatusPOptions::default()).await?)?]);
    }
    let load = if line.has("f") { LoadMetadataPType::Always } else { LoadMetadataPType::Once };
    let how = ListStatusPOptions {
        load_metadata_type: Some(load.into()),
        recursive: Some(line.has("R")),
        exclude_mount_info: Some(line.has("m")),
        ..ListStatusPOptions::default()
    };
    let infos = session.files.list_infos(path, how).await?;
    let mut all = infos.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    // By name, name after name: each directory is followed by what is in it.
    all.sort_by(|a, b| a.status.path.components().cmp(b.status.path.components()));
    if let Some(field) = line.value("sort") {
        let wrong = || Failure::of(format!("Invalid sort option `{field}` for --sort"));
        let order = order(field).ok_or_else(wrong)?;
        let reverse = line.has("r");
        all.sort_by(|a, b| if reverse { order(&b.status, &a.status) } else { order(&a.status, &b.status) });
    }
    Ok(all)
}

fn shown(info: FileInfo) -> Result<Shown, Failure> {
    let extended = describe::has_extended(&info);
    let status = status_from_proto(info).map_err(|error| Failure::of(error.message))?;
    Ok(Shown { status, extended })
}

fn timestamp(line: &CommandLine) -> Result<Timestamp, String> {
    match line.value("timestamp") {
        None | Some("lastModificationTime") => Ok(|status| status.modification_time_ms),
        Some("lastAccessTime") => Ok(|status| status.access_time_ms),
        Some("creationTime") => Ok(|status| status.creation_time_ms),
        Some(other) => Err(format!("Unrecognized timestamp option {other}")),
    }
}

fn order(field: &str) -> Option<Order> {
    Some(match field {
        "creationTime" => |a, b| a.creation_time_ms.cmp(&b.creation_time_ms),
        "inMemoryPercentage" => |a, b| a.in_memory_percentage.cmp(&b.in_memory_percentage),
        "lastAccessTime" => |a, b| a.access_time_ms.cmp(&b.access_time_ms),
        "lastModificationTime" => |a, b| a.modification_time_ms.cmp(&b.modification_time_ms),
        "name" => |a, b| a.path.name().to_lowercase().cmp(&b.path.name().to_lowercase()),
        "path" => |a, b| a.path.as_str().cmp(b.path.as_str()),
        "size" => |a, b| a.length.cmp(&b.length),
        _ => return None,
    })
}

// Compatible: 2.9 LsCommand, formatLsString; tests/shell, fs-04-ls of 2.9.6.
fn row(shown: &Shown, timestamp: Timestamp, human: bool, owners: bool) -> String {
    let status = &shown.status;
    let size = if human && !status.folder { values::size(status.length) } else { status.length.to_string() };
    let state = if status.folder { "DIR".to_owned() } else { format!("{}%", status.in_alluxio_percentage) };
    let time = time(timestamp(status), &Local);
    let rest = format!("{size:>15}{:>16}{time:>24}{state:>5} {:<5}", status.persistence.text(), status.path.as_str());
    if !owners {
        return rest;
    }
    let plus = if shown.extended { "+" } else { "" };
    format!("{:<12}{:<15}{:<15}{rest}", mode(status) + plus, status.owner, status.group)
}
