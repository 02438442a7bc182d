//! `alluxio fsadmin doctor [configuration|storage]`

use super::report::HELP;
use crate::proto::alluxio::grpc::block::WorkerLostStorageInfo;
use crate::proto::alluxio::grpc::meta::{ConfigCheckReport, ConfigStatus, InconsistentProperties};
use crate::shell::fs::Failure;
use crate::shell::fs29::options::CommandLine;
use crate::shell::fs29::{Command, Words};
use crate::shell::{Output, Session};
use std::collections::{BTreeMap, HashMap};

pub(super) const COMMAND: Command = Command {
    options: &[HELP],
    ..Command::new(
        "doctor",
        "doctor [category]",
        "Show Alluxio errors and warnings.\n\
         Where [category] is an optional argument. If no arguments are passed in, all categories of errors/warnings will \
         be printed out.\n\
         [category] can be one of the following:\n    \
         configuration    server-side configuration errors/warnings\n    \
         storage          worker lost storage warnings\n",
        Words::AtMost(1),
        |line, session, output| Box::pin(run(line, session, output)),
    )
};

// Compatible: 2.9.6 DoctorCommand.
async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    let category = line.words.first().map(String::as_str);
    let is_known = matches!(category, None | Some("configuration" | "storage"));
    if line.has("h") || !is_known {
        output.line(COMMAND.usage);
        output.line(COMMAND.description);
        return if line.has("h") { Ok(()) } else { Err(Failure::of("doctor category is invalid.")) };
    }
    if category != Some("storage") {
        of_configuration(&session.files.config_report().await?).iter().for_each(|line| output.line(line));
    }
    if category != Some("configuration") {
        of_storage(&session.files.lost_storage().await?).iter().for_each(|line| output.line(line));
    }
    Ok(())
}

fn of_configuration(report: &ConfigCheckReport) -> Vec<String> {
    if report.status() == ConfigStatus::Passed {
        return vec!["No server-side configuration errors or warnings.".to_owned()];
    }
    let mut lines = Vec::new();
    if !report.errors.is_empty() {
        let head = "Server-side configuration errors (those properties are required to be identical): ";
        lines.push(head.to_owned());
        lines.extend(properties(&report.errors));
    }
    if !report.warns.is_empty() {
        lines.push(String::new());
        let head = "Server-side configuration warnings (those properties are recommended to be identical): ";
        lines.push(head.to_owned());
        lines.extend(properties(&report.warns));
    }
    lines
}

/// Of all scopes; by name, as no order is known in 2.9.
fn properties(scopes: &HashMap<String, InconsistentProperties>) -> Vec<String> {
    let mut properties: Vec<_> = scopes.values().flat_map(|scope| &scope.properties).collect();
    properties.sort_by(|a, b| a.name().cmp(b.name()));
    let mut lines = Vec::new();
    for property in properties {
        lines.push(format!("key: {}", property.name()));
        let values: BTreeMap<_, _> = property.values.iter().collect();
        for (value, servers) in values {
            // What travels for one that is not set (2.9.6 InconsistentProperty).
            let value = if value == "__Optional__" { "no value set" } else { value };
            lines.push(format!("    value: {value} ({})", servers.values.join(", ")));
        }
    }
    lines
}

fn of_storage(workers: &[WorkerLostStorageInfo]) -> Vec<String> {
    if workers.is_empty() {
        return vec!["All worker storage paths are in working state.".to_owned()];
    }
    let mut lines = Vec::new();
    for worker in workers.iter().filter(|worker| !worker.lost_storage.is_empty()) {
        let host = worker.address.as_ref().map_or("", |address| address.host());
        lines.push(format!("The following storage paths are lost in worker {host}: "));
        let tiers: BTreeMap<_, _> = worker.lost_storage.iter().collect();
        for (tier, folders) in tiers {
            lines.extend(folders.storage.iter().map(|folder| format!("{folder} ({tier})")));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::alluxio::grpc::WorkerNetAddress;
    use crate::proto::alluxio::grpc::block::StorageList;
    use crate::proto::alluxio::grpc::meta::{InconsistentProperty, InconsistentPropertyValues};

    #[test]
    fn properties_that_differ_are_told_with_the_servers_that_have_each_value() {
        let values = |value: &str, servers: &[&str]| {
            let values = servers.iter().map(|server| (*server).to_owned()).collect();
            (value.to_owned(), InconsistentPropertyValues { values })
        };
        let property = |name: &str| InconsistentProperty {
            name: Some(name.into()),
            values: [values("1", &["m1:19998", "m2:19998"]), values("__Optional__", &["w1:29999"])].into(),
        };
        let scope = |name: &str| InconsistentProperties { properties: vec![property(name)] };
        let mut report = ConfigCheckReport {
            errors: [("SERVER".to_owned(), scope("a.b"))].into(),
            warns: [("MASTER".to_owned(), scope("c.d"))].into(),
            status: Some(ConfigStatus::Failed.into()),
        };
        let found = "    value: 1 (m1:19998, m2:19998)\n    value: no value set (w1:29999)";
        assert_eq!(
            of_configuration(&report).join("\n"),
            format!(
                "Server-side configuration errors (those properties are required to be identical): \nkey: a.b\n{found}\n\n\
                 Server-side configuration warnings (those properties are recommended to be identical): \nkey: c.d\n{found}"
            )
        );
        report.status = Some(ConfigStatus::Passed.into());
        assert_eq!(of_configuration(&report), ["No server-side configuration errors or warnings."]);
    }

    #[test]
    fn lost_directories_are_told_by_worker() {
        assert_eq!(of_storage(&[]), ["All worker storage paths are in working state."]);
        let lost = WorkerLostStorageInfo {
            address: Some(WorkerNetAddress { host: Some("w1".into()), ..WorkerNetAddress::default() }),
            lost_storage: [("SSD".to_owned(), StorageList { storage: vec!["/a".into(), "/b".into()] })].into(),
        };
        assert_eq!(
            of_storage(&[lost]),
            ["The following storage paths are lost in worker w1: ", "/a (SSD)", "/b (SSD)"]
        );
    }
}
