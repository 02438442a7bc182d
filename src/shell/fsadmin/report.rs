//! `alluxio fsadmin report [category] [category args]`, which `alluxio info report` is, too.

use super::{capacity, masters, metrics, summary};
use crate::shell::fs::Failure;
use crate::shell::fs29::options::{ARG, CommandLine, Opt};
use crate::shell::fs29::{Command, Words, mount};
use crate::shell::{Output, Session};

/// The option of several commands.
pub(super) const HELP: Opt = Opt::flag("h", "", "print help information.");

pub(super) const COMMAND: Command = Command {
    options: &[
        HELP,
        Opt::flag("live", "", "show capacity information of live workers."),
        Opt::flag("lost", "", "show capacity information of lost workers."),
        Opt::flag("decommissioned", "", "show capacity information of decommissioned workers."),
        Opt::with("workers", "", ARG, "show capacity information of specified workers."),
    ],
    ..Command::new(
        "report",
        "report [category] [category args]",
        "Report Alluxio running cluster information.\n\
         Where [category] is an optional argument. If no arguments are passed in, summary information will be printed out.\n\
         [category] can be one of the following:\n    \
         capacity         worker capacity information\n    \
         masters          masters, how far each is behind, and the room of the journal\n    \
         metrics          metrics information\n    \
         summary          cluster summary\n    \
         ufs              under storage system information\n",
        Words::AtMost(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

// Compatible: 2.9.6 ReportCommand.
async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let category = line.words.first().map_or("summary", String::as_str);
    if category == "capacity" {
        return capacity::run(line, session, output).await;
    }
    if line.has("h") {
        explain(output);
        return Ok(());
    }
    let is_known = ["masters", "metrics", "summary", "ufs", "jobservice", "proxy"].contains(&category);
    if let (true, Some(option)) = (is_known, line.first_option()) {
        return Err(Failure::of(format!("report {category} does not support arguments: {option}")));
    }
    let lines = match category {
        "masters" => masters::lines(&session.files.masters().await?),
        "metrics" => metrics::lines(&session.files.metrics().await?),
        "summary" => summary::lines(session).await?,
        "ufs" => {
            let mounts = session.files.mount_table(true).await?;
            [vec!["Alluxio under storage system information:".to_owned()], mount::lines(&mounts)].concat()
        }
        "jobservice" => return Err(Failure::of("report jobservice is not available: this cluster has no job service")),
        "proxy" => return Err(Failure::of("report proxy is not available: this cluster takes no reports of proxies")),
        _ => {
            explain(output);
            return Err(Failure::of("report category is invalid."));
        }
    };
    lines.iter().for_each(|line| output.line(line));
    Ok(())
}

fn explain(output: &mut Output<'_>) {
    output.line(COMMAND.usage);
    output.line(COMMAND.description);
}
