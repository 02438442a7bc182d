//! `rm [-R/-r/--recursive] [-U] [--alluxioOnly] [-m/--deleteMountPoint] <path>`

use super::options::{ARG, Opt};
use super::{Command, CommandLine, Words, values};
use crate::client::DeleteOptions;
use crate::shell::fs::{Failure, paths};
use crate::shell::{Output, Session};

pub(super) const COMMAND: Command = Command {
    options: &[
        Opt::flag("R", "recursive", "delete files and subdirectories recursively"),
        Opt::flag("r", "", "copy files in subdirectories recursively"),
        Opt::flag("U", "", "remove directories without checking UFS contents are in sync"),
        Opt::flag("", "alluxioOnly", "remove data and metadata from Alluxio space only"),
        Opt::flag("m", "deleteMountPoint", "remove mount points in the directory"),
        Opt::with(
            "s",
            "syncParentNextTime",
            ARG,
            "Marks a directory to either trigger a metadata sync or skip the metadata sync on next access.",
        ),
    ],
    ..Command::new(
        "rm",
        "rm [-R/-r/--recursive] [-U] [--alluxioOnly] [-m/--deleteMountPoint] <path>",
        "Removes the specified file. Specify -R/-r/--recursive to remove file or directory recursively. Specify -U to remove directories without checking  UFS contents are in sync. Specify --alluxioOnly to remove data and metadata from alluxio space only. Specify -m/--deleteMountPoint to allow removing mount points, otherwise the rm will fail if the directory contains mount points.",
        Words::AtLeast(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let how = DeleteOptions {
        recursive: line.has("R") || line.has("r"),
        alluxio_only: line.has("alluxioOnly"),
        unchecked: line.has("U"),
        mount_points: line.has("m"),
        sync_parent_next_time: line.value("s").is_some_and(values::yes),
    };
    paths::for_each(line.word(0), session, output, async |uri, output| {
        let path = uri.path()?;
        // Compatible: 2.9 RmCommand asks first; the server would delete an empty directory.
        if !session.files.exists(path).await? {
            return Err(Failure::of(format!("Path \"{uri}\" does not exist.")));
        }
        if !how.recursive && session.files.get_status(path).await?.folder {
            let advice = "please use \"rm -R/-r/--recursive <path>\"";
            return Err(Failure::of(format!("{path} is a directory, to remove it, {advice}")));
        }
        session.files.delete_as(path, &how).await?;
        let only = if how.alluxio_only { " only from Alluxio space" } else { "" };
        output.line(&format!("{uri} has been removed{only}"));
        Ok(())
    })
    .await
}
