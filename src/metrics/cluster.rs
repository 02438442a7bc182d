//! What workers and clients report of themselves, added up for the whole cluster.

use parking_lot::Mutex;
use std::collections::BTreeMap;

/// Under-stores that are told apart, so that made-up names fill no memory.
const UFS_MAX: usize = 1_000;

/// Who reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reporter {
    /// A worker, with its heartbeats.
    Worker,
    /// A client of 2.9.
    Client,
}

// Compatible: 2.9.6 MetricsStore.initMetricKeys: who reports what, and what it is called in the sum.
const SUMS: [(Reporter, &str, &str); 11] = [
    (Reporter::Worker, "BytesReadDirect", "Cluster.BytesReadDirect"),
    (Reporter::Worker, "BytesReadRemote", "Cluster.BytesReadRemote"),
    (Reporter::Worker, "BytesReadDomain", "Cluster.BytesReadDomain"),
    (Reporter::Worker, "BytesReadCache", "Cluster.BytesReadCache"),
    (Reporter::Worker, "BytesWrittenRemote", "Cluster.BytesWrittenRemote"),
    (Reporter::Worker, "BytesWrittenDomain", "Cluster.BytesWrittenDomain"),
    (Reporter::Worker, "ActiveRpcReadCount", "Cluster.ActiveRpcReadCount"),
    (Reporter::Worker, "ActiveRpcWriteCount", "Cluster.ActiveRpcWriteCount"),
    (Reporter::Client, "BytesReadLocal", "Cluster.BytesReadLocal"),
    (Reporter::Client, "BytesWrittenLocal", "Cluster.BytesWrittenLocal"),
    (Reporter::Client, "BusyExceptionCount", "Client.BusyExceptionCount"),
];

/// What workers report for each UFS, what it is called, and the sum of all UFS.
const SUMS_BY_UFS: [(&str, &str, &str); 2] = [
    ("BytesReadPerUfs", "Cluster.BytesReadPerUfs", "Cluster.BytesReadUfsAll"),
    ("BytesWrittenPerUfs", "Cluster.BytesWrittenPerUfs", "Cluster.BytesWrittenUfsAll"),
];

/// Bytes in a minute: what of, and what that is called.
const THROUGHPUTS: [(&str, &str); 9] = [
    ("Cluster.BytesReadDirect", "Cluster.BytesReadDirectThroughput"),
    ("Cluster.BytesReadDomain", "Cluster.BytesReadDomainThroughput"),
    ("Cluster.BytesReadLocal", "Cluster.BytesReadLocalThroughput"),
    ("Cluster.BytesReadRemote", "Cluster.BytesReadRemoteThroughput"),
    ("Cluster.BytesReadUfsAll", "Cluster.BytesReadUfsThroughput"),
    ("Cluster.BytesWrittenDomain", "Cluster.BytesWrittenDomainThroughput"),
    ("Cluster.BytesWrittenLocal", "Cluster.BytesWrittenLocalThroughput"),
    ("Cluster.BytesWrittenRemote", "Cluster.BytesWrittenRemoteThroughput"),
    ("Cluster.BytesWrittenUfsAll", "Cluster.BytesWrittenUfsThroughput"),
];

/// The sums since they were cleared last.
#[derive(Debug, Default)]
pub struct ClusterSums(Mutex<BTreeMap<String, i64>>);

impl ClusterSums {
    /// Adds what was counted since the last report; what nobody asks for is left out. `ufs`: which, of what is counted for
    /// each.
    pub fn add(&self, reporter: Reporter, name: &str, ufs: Option<&str>, value: f64) {
        let mut sums = self.0.lock();
        let mut add = |name: String| {
            let sum = sums.entry(name).or_default();
            *sum = sum.saturating_add(value as i64);
        };
        if let Some((_, _, sum)) = SUMS.iter().find(|(who, what, _)| *who == reporter && *what == name) {
            return add((*sum).to_owned());
        }
        let by_ufs = SUMS_BY_UFS.iter().find(|(what, _, _)| reporter == Reporter::Worker && *what == name);
        let Some((_, of_one, of_all)) = by_ufs else { return };
        add((*of_all).to_owned());
        let of_one = ufs.map(|ufs| format!("{of_one}.UFS:{ufs}"));
        if let Some(of_one) = of_one.filter(|name| sums.contains_key(name) || sums.len() < UFS_MAX) {
            let sum = sums.entry(of_one).or_default();
            *sum = sum.saturating_add(value as i64);
        }
    }

    /// Begins from nothing.
    pub fn clear(&self) {
        self.0.lock().clear();
    }

    /// All sums by name; of what nobody has reported, 0.
    pub fn counts(&self) -> BTreeMap<String, i64> {
        let mut counts = self.0.lock().clone();
        let names = SUMS.iter().map(|(_, _, sum)| *sum).chain(SUMS_BY_UFS.iter().map(|(_, _, all)| *all));
        for name in names {
            counts.entry(name.to_owned()).or_default();
        }
        counts
    }
}

/// What follows from the sums of so many minutes.
// Compatible: 2.9.6 DefaultMetricsMaster: whole minutes; in the first one, what there is.
pub fn derived(counts: &BTreeMap<String, i64>, minutes: u64) -> BTreeMap<String, f64> {
    let count = |name: &str| counts.get(name).copied().unwrap_or_default() as f64;
    let throughput = |(of, name): &(&str, &str)| ((*name).to_owned(), (count(of) / minutes.max(1) as f64).floor());
    let mut derived: BTreeMap<String, f64> = THROUGHPUTS.iter().map(throughput).collect();
    let read = ["Direct", "Remote", "Domain", "Local"].map(|way| count(&format!("Cluster.BytesRead{way}")));
    let total: f64 = read.iter().sum();
    let hit_rate = if total > 0.0 { 1.0 - count("Cluster.BytesReadUfsAll") / total } else { 0.0 };
    derived.insert("Cluster.CacheHitRate".to_owned(), hit_rate);
    derived
}

#[cfg(test)]
mod tests {
    use super::{ClusterSums, Reporter, UFS_MAX, derived};

    #[test]
    fn reports_are_added_up_by_the_names_of_2_9() {
        let sums = ClusterSums::default();
        sums.add(Reporter::Worker, "BytesReadRemote", None, 10.0);
        sums.add(Reporter::Worker, "BytesReadRemote", None, 5.0);
        // Who reports it matters.
        sums.add(Reporter::Client, "BytesReadRemote", None, 1000.0);
        sums.add(Reporter::Client, "BytesReadLocal", None, 85.0);
        sums.add(Reporter::Worker, "Nonsense", None, 1.0);
        sums.add(Reporter::Worker, "BytesReadPerUfs", Some("hdfs://nn/"), 30.0);
        sums.add(Reporter::Worker, "BytesReadPerUfs", None, 20.0);
        let counts = sums.counts();
        let count = |name: &str| counts.get(name).copied();
        assert_eq!((count("Cluster.BytesReadRemote"), count("Cluster.BytesReadLocal")), (Some(15), Some(85)));
        assert_eq!(count("Cluster.BytesReadPerUfs.UFS:hdfs://nn/"), Some(30));
        assert_eq!((count("Cluster.BytesReadUfsAll"), count("Cluster.BytesWrittenUfsAll")), (Some(50), Some(0)));
        let derived = derived(&counts, 10);
        assert_eq!(derived["Cluster.BytesReadLocalThroughput"], 8.0);
        assert_eq!(derived["Cluster.CacheHitRate"], 0.5);
        sums.clear();
        assert!(sums.counts().values().all(|count| *count == 0));
    }

    #[test]
    fn made_up_under_stores_fill_no_memory() {
        let sums = ClusterSums::default();
        (0..2 * UFS_MAX).for_each(|n| sums.add(Reporter::Worker, "BytesReadPerUfs", Some(&n.to_string()), 1.0));
        let counts = sums.counts();
        assert!(counts.len() < UFS_MAX + 20, "{}", counts.len());
        assert_eq!(counts["Cluster.BytesReadUfsAll"], 2 * UFS_MAX as i64);
    }
}
