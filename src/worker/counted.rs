//! What a worker has counted since it told a master last.

use crate::metrics::WorkerCounters;
use crate::proto::alluxio::grpc::{Metric, MetricType};
use parking_lot::Mutex;
use std::collections::HashMap;

/// Those that a master adds up for the cluster: bytes read and written through streams, read from and written to UFS.
// Compatible: 2.9.6 MetricKey, the names; a heartbeat has what was counted since the one before.
const NAMES: [&str; 4] = ["BytesReadRemote", "BytesWrittenRemote", "BytesReadPerUfs", "BytesWrittenPerUfs"];

/// Counts by the order of [`NAMES`].
pub(super) type Counts = [u64; NAMES.len()];

/// What one master was told last.
#[derive(Debug, Default)]
pub struct Counted(Mutex<Counts>);

impl Counted {
    /// What has come to it, with the counts that this rests on.
    pub(super) fn since(&self, counters: &WorkerCounters, host: &str) -> (Vec<Metric>, Counts) {
        let counts = [
            counters.bytes_read_remote.get(),
            counters.bytes_written_remote.get(),
            counters.bytes_read_ufs.get(),
            counters.bytes_written_ufs.get(),
        ];
        let told = *self.0.lock();
        let changed = NAMES.iter().zip(counts.iter().zip(told)).filter(|(_, (count, told))| **count != *told);
        let metric = |(name, (count, told)): (&&str, (&u64, u64))| Metric {
            instance: Some("Worker".to_owned()),
            source: Some(host.to_owned()),
            name: Some((*name).to_owned()),
            value: Some(count.saturating_sub(told) as f64),
            metric_type: MetricType::Counter.into(),
            tags: HashMap::new(),
        };
        (changed.map(metric).collect(), counts)
    }

    /// The master has heard of these counts.
    pub(super) fn was_told(&self, counts: Counts) {
        *self.0.lock() = counts;
    }
}

#[cfg(test)]
mod tests {
    use super::Counted;
    use crate::metrics::WorkerCounters;

    #[test]
    fn a_master_is_told_what_was_counted_since_it_heard_last() {
        let (counted, counters) = (Counted::default(), WorkerCounters::default());
        let since = |counted: &Counted| {
            let (metrics, counts) = counted.since(&counters, "w1");
            let told: Vec<_> = metrics.iter().map(|metric| (metric.name().to_owned(), metric.value())).collect();
            (told, counts)
        };
        assert_eq!(since(&counted).0, []);
        counters.bytes_read_remote.inc_by(7);
        assert_eq!(since(&counted).0, [("BytesReadRemote".to_owned(), 7.0)]);
        // What was lost on the way is told again.
        counters.bytes_written_ufs.inc_by(3);
        let (told, counts) = since(&counted);
        assert_eq!(told, [("BytesReadRemote".to_owned(), 7.0), ("BytesWrittenPerUfs".to_owned(), 3.0)]);
        counted.was_told(counts);
        counters.bytes_read_remote.inc_by(1);
        assert_eq!(since(&counted).0, [("BytesReadRemote".to_owned(), 1.0)]);
    }
}
