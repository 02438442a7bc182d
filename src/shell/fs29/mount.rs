//! `mount [--readonly] [--shared] [--remount] [--option <key=val>] <alluxioPath> <ufsURI>`

use std::collections::BTreeMap;

use super::options::Opt;
use super::{Command, CommandLine, Words, values};
use crate::client::MountOptions;
use crate::proto::alluxio::grpc::file::MountPointInfo;
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command {
    options: &[
        READ_ONLY,
        SHARED,
        Opt::flag("", "remount", "unmount and remount in one locked operation, with atomicity"),
        option("options associated with this mount point"),
    ],
    check: |line| match line.words.len() {
        0 | 2 => Ok(()),
        given => Err(format!("Command mount takes 0 or 2 arguments, not {given}")),
    },
    ..Command::new(
        "mount",
        "mount [--readonly] [--shared] [--remount] [--option <key=val>] <alluxioPath> <ufsURI>",
        "Mounts a UFS path onto an Alluxio path.",
        Words::Checked,
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

pub(super) const READ_ONLY: Opt = Opt::flag("", "readonly", "mount point is readonly in Alluxio");
pub(super) const SHARED: Opt = Opt::flag("", "shared", "mount point is shared");

/// The option for a property of the UFS.
pub(super) const fn option(description: &'static str) -> Opt {
    Opt { short: "", long: "option", value: Some("key=value"), values: 2, description }
}

/// What the options of the command say.
pub(super) fn how(line: &CommandLine) -> MountOptions {
    MountOptions {
        read_only: line.has("readonly"),
        shared: line.has("shared"),
        remount: line.has("remount"),
        properties: line.properties("option"),
    }
}

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    if line.words.is_empty() {
        return show(session, output).await;
    }
    let uri = paths::parse(line.word(0), session, output)?;
    // Compatible: 2.9 AlluxioURI takes the slash at the end away.
    let ufs = match line.word(1) {
        ufs if ufs.len() > 1 && !ufs.ends_with("://") => ufs.trim_end_matches('/'),
        ufs => ufs,
    };
    session.files.mount(uri.path()?, ufs, &how(line)).await?;
    output.line(&format!("Mounted {ufs} at {uri}"));
    Ok(())
}

/// All mounts, by path.
async fn show(session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    lines(&session.files.mount_table(true).await?).iter().for_each(|line| output.line(line));
    Ok(())
}

/// A line for each mount.
pub(in crate::shell) fn lines(mounts: &[(String, MountPointInfo)]) -> Vec<String> {
    let ufs_width = mounts.iter().map(|(_, info)| info.ufs_uri().chars().count()).max().unwrap_or_default();
    let path_width = mounts.iter().map(|(path, _)| path.chars().count()).max().unwrap_or_default();
    let line = |(path, info): &(String, MountPointInfo)| {
        format!("{:<ufs_width$}  on  {path:<path_width$}  {}", info.ufs_uri(), about(info))
    };
    mounts.iter().map(line).collect()
}

// Compatible: 2.9 UfsCommand, printMountInfo; tests/shell, fs-08-mount of 2.9.6.
fn about(info: &MountPointInfo) -> String {
    let (capacity, used) = (info.ufs_capacity_bytes(), info.ufs_used_bytes());
    let part =
        if capacity > 0 { format!("({}%)", i128::from(used) * 100 / i128::from(capacity)) } else { String::new() };
    let not = |holds: bool| if holds { "" } else { "not " };
    let properties: BTreeMap<_, _> = info.properties.iter().collect();
    let properties: Vec<String> = properties.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!(
        "({}, capacity={}, used={}{part}, {}read-only, {}shared, properties={{{}}})",
        info.ufs_type(),
        values::size(capacity),
        values::size(used),
        not(info.read_only()),
        not(info.shared()),
        properties.join(", ")
    )
}
