//! How figures are shown: as text for Prometheus and as the JSON of 1.2.0.

use super::master::FlushTimes;
use super::table::{Figure, Figures, Kind, Row, Value};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;
use serde_json::{Map, json};
use std::fmt::Write;

/// The gauge of each standby, told by the primary.
pub const STANDBY_LAG: &str = "alluxio_master_standby_lag";
/// What it means.
pub const STANDBY_LAG_MEANING: &str = "Records that a standby, named by its address, has still to apply";

/// What the figures of one moment are shown from.
#[derive(Debug, Default)]
pub struct Shown {
    groups: Vec<(&'static str, Vec<Figure>)>,
    flushes: Option<FlushTimes>,
    lags: Vec<(String, u64)>,
}

impl Shown {
    /// Adds the figures of a server (`master`, `worker`) or of its `process`.
    pub fn add(mut self, group: &'static str, figures: &impl Figures) -> Shown {
        self.groups.push((group, figures.figures()));
        self
    }

    /// Adds the times that flushes took.
    pub fn add_flushes(mut self, flushes: &FlushTimes) -> Shown {
        self.flushes = Some(flushes.clone());
        self
    }

    /// Adds how many records each standby, by its address, is behind.
    pub fn add_lags(mut self, lags: Vec<(String, u64)>) -> Shown {
        self.lags = lags;
        self
    }

    /// The text that Prometheus reads, in the OpenMetrics format.
    pub fn text(&self) -> String {
        let mut registry = Registry::default();
        for (group, figures) in &self.groups {
            for Figure { row, value } in figures {
                register(&mut registry, &full_name(group, row), row, *value);
            }
        }
        if let Some(flushes) = &self.flushes {
            registry.register("alluxio_master_journal_flush_seconds", FlushTimes::MEANING, flushes.0.clone());
        }
        if !self.lags.is_empty() {
            let family = Family::<[(&str, String); 1], Gauge>::default();
            for (address, lag) in &self.lags {
                let of_one = family.get_or_create(&[("address", address.clone())]);
                of_one.set(i64::try_from(*lag).unwrap_or(i64::MAX));
            }
            registry.register(STANDBY_LAG, STANDBY_LAG_MEANING, family);
        }
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("a string takes all");
        text
    }

    /// The JSON of 1.2.0, which is that of Dropwizard's metrics module 3.
    pub fn json(&self) -> String {
        let (mut gauges, mut counters) = (Map::new(), Map::new());
        for (group, figures) in &self.groups {
            for Figure { row, value } in figures {
                let name = format!("{group}.{}", row.name);
                let value = match value {
                    Value::Whole(number) => json!(number),
                    Value::Seconds(seconds) => json!(seconds),
                };
                match row.kind {
                    Kind::Counter => counters.insert(name, json!({ "count": value })),
                    Kind::Gauge => gauges.insert(name, json!({ "value": value })),
                };
            }
        }
        let none = json!({});
        json!({
            "version": "3.0.0",
            "gauges": gauges,
            "counters": counters,
            "histograms": none,
            "meters": none,
            "timers": none,
        })
        .to_string()
    }
}

fn register(registry: &mut Registry, name: &str, row: &Row, value: Value) {
    // The registry adds the full stop.
    let meaning = row.meaning.trim_end_matches('.');
    match (row.kind, value) {
        (Kind::Counter, Value::Whole(count)) => {
            registry.register(name, meaning, ConstCounter::new(u64::try_from(count).unwrap_or(0)));
        }
        (Kind::Counter, Value::Seconds(seconds)) => registry.register(name, meaning, ConstCounter::new(seconds)),
        (Kind::Gauge, Value::Whole(number)) => registry.register(name, meaning, ConstGauge::new(number)),
        (Kind::Gauge, Value::Seconds(seconds)) => registry.register(name, meaning, ConstGauge::new(seconds)),
    }
}

/// The name for Prometheus, without the `_total` of counters. Those of processes are the usual ones everywhere.
fn full_name(group: &str, row: &Row) -> String {
    let prefix = if group == "process" { "" } else { "alluxio_" };
    format!("{prefix}{group}_{}", row.snake_name())
}

/// The rows of a group as a table of the documentation.
pub fn document(group: &str, rows: &[Row]) -> String {
    let mut table = String::from("| `/metrics/json/` | `/metrics` | kind | meaning |\n|---|---|---|---|\n");
    for row in rows {
        let (suffix, kind) = match row.kind {
            Kind::Counter => ("_total", "counter"),
            Kind::Gauge => ("", "gauge"),
        };
        let name = full_name(group, row);
        writeln!(table, "| `{group}.{}` | `{name}{suffix}` | {kind} | {} |", row.name, row.meaning)
            .expect("a string takes all");
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{MasterCounters, ProcessFigures, WorkerFigures};
    use std::time::Duration;

    #[test]
    fn prometheus_reads_counters_gauges_and_times() {
        let counters = MasterCounters::default();
        counters.create_file_ops.inc_by(7);
        let worker = WorkerFigures { capacity_total: Some(1 << 30), ..WorkerFigures::default() };
        let process = ProcessFigures { cpu_seconds: Some(1.5), ..ProcessFigures::default() };
        let flushes = FlushTimes::default();
        flushes.observe(Duration::from_millis(3));
        let shown = Shown::default().add("master", &counters).add("worker", &worker).add("process", &process);
        let text = shown.add_flushes(&flushes).add_lags(vec![("m2:19998".into(), 5)]).text();
        for line in [
            "# HELP alluxio_master_create_file_ops Calls to make a file.\n",
            "# TYPE alluxio_master_create_file_ops counter\n",
            "\nalluxio_master_create_file_ops_total 7\n",
            "\n# TYPE alluxio_worker_capacity_total gauge\nalluxio_worker_capacity_total 1073741824\n",
            "\nprocess_cpu_seconds_total 1.5\n",
            "\nalluxio_master_journal_flush_seconds_bucket{le=\"0.002\"} 0\n",
            "\nalluxio_master_journal_flush_seconds_bucket{le=\"0.005\"} 1\n",
            "\nalluxio_master_journal_flush_seconds_count 1\n",
            "\nalluxio_master_standby_lag{address=\"m2:19998\"} 5\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn the_json_is_that_of_dropwizard() {
        let counters = MasterCounters::default();
        counters.files_created.inc();
        let worker = WorkerFigures { capacity_total: Some(5), ..WorkerFigures::default() };
        let json = Shown::default().add("master", &counters).add("worker", &worker).json();
        let parsed: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
        let keys: Vec<_> = parsed.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(keys, ["counters", "gauges", "histograms", "meters", "timers", "version"]);
        assert_eq!(parsed["version"], "3.0.0");
        assert_eq!(parsed["counters"]["master.FilesCreated"], json!({ "count": 1 }));
        assert_eq!(parsed["gauges"]["worker.CapacityTotal"], json!({ "value": 5 }));
        assert_eq!(parsed["gauges"].as_object().map(Map::len), Some(1));
    }
}
