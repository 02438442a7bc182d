//! `alluxio fsadmin report capacity [-live|-lost|-decommissioned|-workers <names>]`

use super::summary::rank;
use crate::proto::alluxio::grpc::block::{GetWorkerReportPOptions, WorkerInfo, WorkerInfoField, WorkerRange};
use crate::shell::fs::Failure;
use crate::shell::fs29::options::CommandLine;
use crate::shell::fs29::values::size;
use crate::shell::{Output, Session};
use std::collections::{BTreeMap, HashMap};

const USAGE: &str = "alluxio fsadmin report capacity [filter arg]\n\
    Report Alluxio capacity information.\n\
    Where [filter arg] is an optional argument. If no arguments passed in, capacity information of all workers will be \
    printed out.\n\
    [filter arg] can be one of the following:\n    \
    -live                   Live workers\n    \
    -lost                   Lost workers\n    \
    -workers <worker_names>  Specified workers, host names or ip addresses separated by \",\"\n";

// Compatible: 2.9.6 CapacityCommand.
pub(super) async fn run(line: &CommandLine, session: &Session, output: &mut Output<'_>) -> Result<(), Failure> {
    if line.has("h") {
        output.line(USAGE);
        return Ok(());
    }
    if line.options() > 1 {
        output.line(USAGE);
        return Err(Failure::of("Too many arguments passed in."));
    }
    let names = line.value("workers").map(|names| names.split(',').map(str::to_owned).collect());
    let (range, shown) = match (line.first_option(), &names) {
        (Some("live"), _) => (WorkerRange::Live, "live"),
        (Some("lost"), _) => (WorkerRange::Lost, "lost"),
        (Some("decommissioned"), _) => (WorkerRange::Decommissioned, "decommissioned"),
        (_, Some(_)) => (WorkerRange::Specified, "specified"),
        _ => (WorkerRange::All, "all"),
    };
    use WorkerInfoField as Field;
    let fields = [
        Field::Address,
        Field::WorkerCapacityBytes,
        Field::WorkerCapacityBytesOnTiers,
        Field::LastContactSec,
        Field::WorkerUsedBytes,
        Field::WorkerUsedBytesOnTiers,
        Field::BuildVersion,
        Field::Id,
        Field::State,
        Field::NumVcpu,
    ];
    let options = GetWorkerReportPOptions {
        addresses: names.unwrap_or_default(),
        field_ranges: fields.map(i32::from).to_vec(),
        worker_range: Some(range.into()),
    };
    let mut workers = session.files.worker_report(&options).await?;
    if workers.is_empty() {
        output.line("No workers found.");
        return Ok(());
    }
    workers.sort_by(|a, b| (a.last_contact_sec(), host(a)).cmp(&(b.last_contact_sec(), host(b))));
    lines(shown, &workers).iter().for_each(|line| output.line(line));
    Ok(())
}

fn host(worker: &WorkerInfo) -> &str {
    worker.address.as_ref().map_or("", |address| address.host())
}

fn lines(range: &str, workers: &[WorkerInfo]) -> Vec<String> {
    let total = |bytes: fn(&WorkerInfo) -> i64| workers.iter().fold(0_i64, |sum, one| sum.saturating_add(bytes(one)));
    let capacity = by_tier(workers.iter().map(|worker| &worker.capacity_bytes_on_tiers));
    let used = by_tier(workers.iter().map(|worker| &worker.used_bytes_on_tiers));
    let tier_lines = |tiers: &ByTier| -> Vec<String> {
        let lines = tiers.iter().map(|((_, tier), bytes)| format!("        Tier: {tier}  Size: {}", size(*bytes)));
        lines.collect()
    };
    let cpus: i64 = workers.iter().map(|worker| i64::from(worker.num_v_cpu())).sum();
    let (capacity_bytes, used_bytes) = (total(|one| one.capacity_bytes()), total(|one| one.used_bytes()));
    let mut lines = vec![
        format!("Capacity information for {range} workers: "),
        format!("    Total vCPUs: {cpus}"),
        format!("    Total Capacity: {}", size(capacity_bytes)),
    ];
    lines.extend(tier_lines(&capacity));
    lines.push(format!("    Used Capacity: {}", size(used_bytes)));
    lines.extend(tier_lines(&used));
    if let Some(percent) = percent(used_bytes, capacity_bytes) {
        lines.push(format!("    Used Percentage: {percent}%"));
        lines.push(format!("    Free Percentage: {}%", 100 - percent));
    }
    let tiers: Vec<&String> = capacity.keys().map(|(_, tier)| tier).collect();
    lines.extend(table(workers, &tiers));
    lines
}

/// Fastest first.
type ByTier = BTreeMap<(usize, String), i64>;

fn by_tier<'a>(workers: impl Iterator<Item = &'a HashMap<String, i64>>) -> ByTier {
    let mut sums = ByTier::new();
    for (tier, bytes) in workers.flatten() {
        let sum = sums.entry(rank(tier)).or_default();
        *sum = sum.saturating_add(*bytes);
    }
    sums
}

fn percent(used: i64, capacity: i64) -> Option<i64> {
    let percent = (i128::from(used) * 100).checked_div(i128::from(capacity))?;
    i64::try_from(percent).ok()
}

/// Two lines for each worker; where there are several tiers, with a column for each.
fn table(workers: &[WorkerInfo], tiers: &[&String]) -> Vec<String> {
    let Some(first) = tiers.first() else { return Vec::new() };
    let is_short = tiers.len() == 1;
    let longest = workers.iter().map(|worker| host(worker).chars().count()).max().unwrap_or_default();
    let width = if longest < 16 { 16 } else { longest + 5 };
    let row = |[name, state, heartbeat, storage, bytes, tiers, version, revision]: [&str; 8]| {
        let tiers = if is_short { String::new() } else { format!("{tiers} ") };
        format!(
            "{name:<width$} {state:<15} {heartbeat:<16} {storage:<13} {bytes:<16} {tiers}{version:<16} {revision:<40}"
        )
    };
    let titles: String = tiers.iter().map(|tier| format!("{tier:<14}")).collect();
    let title = if is_short { first.as_str() } else { "Total" };
    let head = row(["Worker Name", "State", "Last Heartbeat", "Storage", title, &titles, "Version", "Revision"]);
    let mut lines = vec![String::new(), head];
    for worker in workers {
        let of_tiers = |bytes: &HashMap<String, i64>| -> String {
            let one = |tier: &&String| bytes.get(*tier).map_or_else(|| "-".to_owned(), |bytes| size(*bytes));
            tiers.iter().map(|tier| format!("{:<14}", one(tier))).collect()
        };
        let build = worker.build_version.clone().unwrap_or_default();
        let part = percent(worker.used_bytes(), worker.capacity_bytes());
        let part = part.map_or_else(String::new, |percent| format!(" ({percent}%)"));
        lines.push(row([
            host(worker),
            worker.state(),
            &worker.last_contact_sec().to_string(),
            "capacity",
            &size(worker.capacity_bytes()),
            &of_tiers(&worker.capacity_bytes_on_tiers),
            build.version(),
            build.revision(),
        ]));
        let used = size(worker.used_bytes()) + &part;
        lines.push(row(["", "", "", "used", &used, &of_tiers(&worker.used_bytes_on_tiers), "", ""]));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{WorkerInfo, lines};
    use crate::proto::alluxio::grpc::{BuildVersion, WorkerNetAddress};

    fn worker(host: &str, tiers: &[(&str, i64, i64)]) -> WorkerInfo {
        WorkerInfo {
            address: Some(WorkerNetAddress { host: Some(host.into()), ..WorkerNetAddress::default() }),
            last_contact_sec: Some(0),
            state: Some("ACTIVE".into()),
            capacity_bytes: Some(tiers.iter().map(|tier| tier.1).sum()),
            used_bytes: Some(tiers.iter().map(|tier| tier.2).sum()),
            capacity_bytes_on_tiers: tiers.iter().map(|tier| (tier.0.into(), tier.1)).collect(),
            used_bytes_on_tiers: tiers.iter().map(|tier| (tier.0.into(), tier.2)).collect(),
            build_version: Some(BuildVersion { version: Some("2.9.6".into()), revision: Some("f61a".into()) }),
            num_v_cpu: Some(2),
            ..WorkerInfo::default()
        }
    }

    #[test]
    fn one_tier_has_no_column_of_its_own() {
        let told = lines("live", &[worker("127.0.2.1", &[("MEM", 2 << 30, 2595)])]).join("\n");
        let expected = [
            "Capacity information for live workers: ",
            "    Total vCPUs: 2",
            "    Total Capacity: 2048.00MB",
            "        Tier: MEM  Size: 2048.00MB",
            "    Used Capacity: 2595B",
            "        Tier: MEM  Size: 2595B",
            "    Used Percentage: 0%",
            "    Free Percentage: 100%",
            "",
            &format!(
                "Worker Name      State           Last Heartbeat   Storage       MEM              Version          {:<40}",
                "Revision"
            ),
            &format!(
                "127.0.2.1        ACTIVE          0                capacity      2048.00MB        2.9.6            {:<40}",
                "f61a"
            ),
            &format!("{:<49} used          2595B (0%)       {:<57}", "", ""),
        ];
        assert_eq!(told, expected.join("\n"));
    }

    #[test]
    fn tiers_stand_side_by_side_the_fastest_first() {
        let workers =
            [worker("a-host-of-some-length", &[("SSD", 100, 50), ("MEM", 100, 0)]), worker("b", &[("MEM", 0, 0)])];
        let told = lines("all", &workers);
        let head = told.iter().find(|line| line.starts_with("Worker Name")).unwrap();
        assert!(head.contains("Total            MEM           SSD            Version"), "{head}");
        let found = |text: &str| told.iter().any(|line| line.contains(text));
        assert!(found("capacity      200B             100B          100B           2.9.6"), "{told:#?}");
        assert!(found("used          50B (25%)        0B            50B "), "{told:#?}");
        assert!(found("used          0B               0B            -  "), "{told:#?}");
    }
}
