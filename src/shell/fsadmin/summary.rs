//! `alluxio fsadmin report [summary]`

use crate::client::ClientError;
use crate::proto::alluxio::grpc::NetAddress;
use crate::proto::alluxio::grpc::block::BlockMasterInfo;
use crate::proto::alluxio::grpc::meta::{MasterInfo, MasterVersion};
use crate::shell::Session;
use crate::shell::fs29::values::size;
use crate::types::texts::{time, uptime};
use chrono::Local;
use std::collections::HashMap;

pub(super) async fn lines(session: &Session) -> Result<Vec<String>, ClientError> {
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
    lines.push(format!("    Total Capacity: {}", size(blocks.capacity_bytes())));
    lines.extend(tiers(&blocks.capacity_bytes_on_tiers));
    lines.push(format!("    Used Capacity: {}", size(blocks.used_bytes())));
    lines.extend(tiers(&blocks.used_bytes_on_tiers));
    lines.push(format!("    Free Capacity: {}", size(blocks.free_bytes())));
    lines
}

fn row(address: &str, state: &str, version: &str) -> String {
    format!("    {address:<32} {state:<8} {version:<32}")
}

fn shown(address: &NetAddress) -> String {
    format!("{}:{}", address.host(), address.rpc_port())
}

fn tiers(tiers: &HashMap<String, i64>) -> Vec<String> {
    let mut tiers: Vec<_> = tiers.iter().collect();
    tiers.sort_by_key(|(tier, _)| rank(tier));
    tiers.into_iter().map(|(tier, bytes)| format!("        Tier: {tier}  Size: {}", size(*bytes))).collect()
}

/// Fastest first.
// Compatible: 2.9.6 FileSystemAdminShellUtils, compareTierNames.
pub(super) fn rank(tier: &str) -> (usize, String) {
    let known = ["MEM", "SSD", "HDD"].iter().position(|known| *known == tier);
    (known.unwrap_or(usize::MAX), tier.to_owned())
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
}
