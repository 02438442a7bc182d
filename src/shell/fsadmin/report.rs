//! `alluxio fsadmin report [summary|masters]`, which `alluxio info report` is, too.

use super::failed;
use crate::client::ClientError;
use crate::proto::alluxio::grpc::NetAddress;
use crate::proto::alluxio::grpc::block::BlockMasterInfo;
use crate::proto::alluxio::grpc::meta::{MasterInfo, MasterVersion};
use crate::proto::alluxio_rs::master::{GetMastersResponse, MasterStanding};
use crate::shell::{FAILED, Output, Session};
use crate::types::texts::{size, time, uptime};
use chrono::Local;
use std::collections::HashMap;

const HELP: [&str; 6] = [
    "report [category] [category args]",
    "Report Alluxio running cluster information.",
    "Where [category] is an optional argument. If no arguments are passed in, summary information will be printed out.",
    "[category] can be one of the following:",
    "    masters          masters, how far each is behind, and the room of the journal",
    "    summary          cluster summary",
];

pub(super) async fn run(words: &[&str], session: &Session, output: &mut Output<'_>) -> i32 {
    let lines = match words {
        [] | ["summary"] => summary(session).await,
        ["masters"] => session.files.masters().await.map(|told| masters(&told)),
        ["-h" | "--help"] => Ok(help()),
        [word @ ("capacity" | "metrics" | "ufs" | "jobservice" | "proxy"), ..] => {
            output.complain(&format!("report {word} is not available in this version"));
            return FAILED;
        }
        _ => {
            help().iter().for_each(|line| output.line(line));
            output.line("report category is invalid.");
            return FAILED;
        }
    };
    match lines {
        Ok(lines) => {
            lines.iter().for_each(|line| output.line(line));
            0
        }
        Err(error) => failed(error, output),
    }
}

fn help() -> Vec<String> {
    HELP.map(str::to_owned).into_iter().chain([String::new()]).collect()
}

async fn summary(session: &Session) -> Result<Vec<String>, ClientError> {
    Ok(summary_of(&session.files.master_info().await?, &session.files.block_info().await?))
}

// Compatible: 2.9 SummaryCommand.
fn summary_of(info: &MasterInfo, blocks: &BlockMasterInfo) -> Vec<String> {
    let mut lines = vec![
        "Alluxio cluster summary: ".to_owned(),
        format!("    Master Address: {}", info.leader_master_address()),
        format!("    Web Port: {}", info.web_port()),
        format!("    Rpc Port: {}", info.rpc_port()),
        format!("    Started: {}", time(info.start_time_ms(), &Local)),
        format!("    Uptime: {}", uptime(info.up_time_ms())),
        format!("    Version: {}", info.version()),
        format!("    Safe Mode: {}", info.safe_mode()),
        format!("    Zookeeper Enabled: {}", !info.zookeeper_addresses.is_empty()),
    ];
    if !info.zookeeper_addresses.is_empty() {
        lines.push("    Zookeeper Addresses: ".to_owned());
        lines.extend(info.zookeeper_addresses.iter().map(|address| format!("        {address}")));
    }
    lines.push(format!("    Raft-based Journal: {}", info.raft_journal()));
    lines.push(row("Master Address", "State", "Version"));
    lines.extend(info.master_versions.iter().map(|master| {
        let MasterVersion { addresses, version, state } = master;
        let address = addresses.as_ref().map(shown).unwrap_or_default();
        row(&address, state.as_deref().unwrap_or_default(), version.as_deref().unwrap_or_default())
    }));
    lines.push(format!("    Live Workers: {}", blocks.live_worker_num()));
    lines.push(format!("    Lost Workers: {}", blocks.lost_worker_num()));
    lines.push(format!("    Total Capacity: {}", bytes(blocks.capacity_bytes())));
    lines.extend(tiers(&blocks.capacity_bytes_on_tiers));
    lines.push(format!("    Used Capacity: {}", bytes(blocks.used_bytes())));
    lines.extend(tiers(&blocks.used_bytes_on_tiers));
    lines.push(format!("    Free Capacity: {}", bytes(blocks.free_bytes())));
    lines
}

fn row(address: &str, state: &str, version: &str) -> String {
    format!("    {address:<32} {state:<8} {version:<32}")
}

fn shown(address: &NetAddress) -> String {
    format!("{}:{}", address.host(), address.rpc_port())
}

/// Fastest first.
fn tiers(tiers: &HashMap<String, i64>) -> Vec<String> {
    let mut tiers: Vec<_> = tiers.iter().collect();
    let rank = |tier: &str| ["MEM", "SSD", "HDD"].iter().position(|known| *known == tier).unwrap_or(usize::MAX);
    tiers.sort_by_key(|(tier, _)| (rank(tier), (*tier).clone()));
    tiers.into_iter().map(|(tier, size)| format!("        Tier: {tier}  Size: {}", bytes(*size))).collect()
}

/// As 2.9 writes it: bytes have no decimals.
fn bytes(bytes: i64) -> String {
    let text = size(bytes);
    text.strip_suffix(".00B").map_or(text.clone(), |whole| format!("{whole}B"))
}

fn masters(told: &GetMastersResponse) -> Vec<String> {
    let epoch = told.epoch.map_or(String::new(), |epoch| format!(", epoch {epoch}"));
    let mut lines = vec![format!("Masters in the election{epoch}: "), standing("Address", "State", "Position", "Lag")];
    lines.extend(told.masters.iter().map(|master| {
        let MasterStanding { address, primary, position, lag } = master;
        let state = if primary.unwrap_or_default() { "PRIMARY" } else { "STANDBY" };
        let number = |number: &Option<u64>| number.map_or("does not tell".to_owned(), |number| number.to_string());
        standing(address.as_deref().unwrap_or_default(), state, &number(position), &number(lag))
    }));
    lines.extend(told.problem.iter().map(|problem| format!("    The election does not answer: {problem}")));
    let text = |bytes_told: u64| bytes(i64::try_from(bytes_told).unwrap_or(i64::MAX));
    lines.push(format!("Journal: {}", told.journal()));
    lines.push(format!("    Size: {}", told.journal_bytes.map_or("not known".to_owned(), text)));
    let age = |ms: u64| format!("{} ago", uptime(i64::try_from(ms).unwrap_or(i64::MAX)));
    lines.push(format!("    Newest Checkpoint: {}", told.checkpoint_age_ms.map_or("none yet".to_owned(), age)));
    lines.extend(told.disk_free_bytes.map(|free| format!("    Free on its Disk: {}", text(free))));
    lines.extend(told.read_only.iter().map(|reason| format!("    {reason}")));
    lines
}

fn standing(address: &str, state: &str, position: &str, lag: &str) -> String {
    format!("    {address:<32} {state:<8} {position:<20} {lag}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_that_of_2_9() {
        let address = |host: &str| Some(NetAddress { host: Some(host.into()), rpc_port: Some(21221) });
        let version = |host: &str, state: &str| MasterVersion {
            addresses: address(host),
            version: Some("2.9.6".into()),
            state: Some(state.into()),
        };
        let info = MasterInfo {
            leader_master_address: Some("127.0.2.12:21221".into()),
            web_port: Some(21222),
            rpc_port: Some(21221),
            start_time_ms: Some(0),
            up_time_ms: Some(269_000),
            version: Some("2.9.6".into()),
            zookeeper_addresses: vec!["127.0.0.1:21181".into()],
            master_versions: vec![version("127.0.2.12", "PRIMARY"), version("127.0.2.11", "STANDBY")],
            ..MasterInfo::default()
        };
        let tiers = |bytes| [("SSD".to_owned(), 1), ("MEM".to_owned(), bytes)].into();
        let blocks = BlockMasterInfo {
            live_worker_num: Some(1),
            capacity_bytes: Some((2 << 30) + 1),
            used_bytes: Some(2596),
            free_bytes: Some(0),
            capacity_bytes_on_tiers: tiers(2 << 30),
            used_bytes_on_tiers: tiers(2595),
            ..BlockMasterInfo::default()
        };
        let lines = summary_of(&info, &blocks);
        let started = lines.iter().position(|line| line.starts_with("    Started: ")).unwrap();
        let others: Vec<_> = lines[..started].iter().chain(&lines[started + 1..]).map(String::as_str).collect();
        assert_eq!(
            others.join("\n"),
            "Alluxio cluster summary: \n    Master Address: 127.0.2.12:21221\n    Web Port: 21222\n    Rpc Port: 21221\n    \
             Uptime: 0 day(s), 0 hour(s), 4 minute(s), and 29 second(s)\n    Version: 2.9.6\n    Safe Mode: false\n    \
             Zookeeper Enabled: true\n    Zookeeper Addresses: \n        127.0.0.1:21181\n    Raft-based Journal: false\n    \
             Master Address                   State    Version                         \n    \
             127.0.2.12:21221                 PRIMARY  2.9.6                           \n    \
             127.0.2.11:21221                 STANDBY  2.9.6                           \n    Live Workers: 1\n    \
             Lost Workers: 0\n    Total Capacity: 2048.00MB\n        Tier: MEM  Size: 2048.00MB\n        \
             Tier: SSD  Size: 1B\n    Used Capacity: 2596B\n        Tier: MEM  Size: 2595B\n        Tier: SSD  Size: 1B\n    \
             Free Capacity: 0B"
        );
    }

    #[test]
    fn masters_are_told_with_their_lag_and_the_room_of_the_journal() {
        let standing = |address: &str, primary, position, lag| MasterStanding {
            address: Some(address.into()),
            primary: Some(primary),
            position,
            lag,
        };
        let told = GetMastersResponse {
            masters: vec![standing("m1:19998", true, Some(90), Some(0)), standing("m2:19998", false, None, None)],
            epoch: Some(7),
            journal: Some("/j".into()),
            journal_bytes: Some(5 << 20),
            checkpoint_age_ms: Some(61_000),
            disk_free_bytes: Some(100),
            read_only: Some("The master is read-only.".into()),
            problem: None,
        };
        assert_eq!(
            masters(&told).join("\n"),
            "Masters in the election, epoch 7: \n    Address                          State    Position             Lag\n    \
             m1:19998                         PRIMARY  90                   0\n    \
             m2:19998                         STANDBY  does not tell        does not tell\nJournal: /j\n    \
             Size: 5120.00KB\n    Newest Checkpoint: 0 day(s), 0 hour(s), 1 minute(s), and 1 second(s) ago\n    \
             Free on its Disk: 100B\n    The master is read-only."
        );
    }
}
