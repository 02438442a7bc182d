//! `alluxio fsadmin report masters`, which 2.9 does not have.

use crate::proto::alluxio_rs::master::{GetMastersResponse, MasterStanding};
use crate::shell::fs29::values::size;
use crate::types::texts::uptime;

pub(super) fn lines(told: &GetMastersResponse) -> Vec<String> {
    let epoch = told.epoch.map_or(String::new(), |epoch| format!(", epoch {epoch}"));
    let mut lines = vec![format!("Masters in the election{epoch}: "), standing("Address", "State", "Position", "Lag")];
    lines.extend(told.masters.iter().map(|master| {
        let MasterStanding { address, primary, position, lag } = master;
        let state = if primary.unwrap_or_default() { "PRIMARY" } else { "STANDBY" };
        let number = |number: &Option<u64>| number.map_or("does not tell".to_owned(), |number| number.to_string());
        standing(address.as_deref().unwrap_or_default(), state, &number(position), &number(lag))
    }));
    lines.extend(told.problem.iter().map(|problem| format!("    The election does not answer: {problem}")));
    let text = |bytes_told: u64| size(i64::try_from(bytes_told).unwrap_or(i64::MAX));
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
            lines(&told).join("\n"),
            "Masters in the election, epoch 7: \n    Address                          State    Position             Lag\n    \
             m1:19998                         PRIMARY  90                   0\n    \
             m2:19998                         STANDBY  does not tell        does not tell\nJournal: /j\n    \
             Size: 5120.00KB\n    Newest Checkpoint: 0 day(s), 0 hour(s), 1 minute(s), and 1 second(s) ago\n    \
             Free on its Disk: 100B\n    The master is read-only."
        );
    }
}
