//! `alluxio fsadmin report metrics`

use crate::proto::alluxio::grpc::metric::MetricValue;
use crate::shell::fs29::values::size;
use std::collections::BTreeMap;

/// What the name of a figure of Alluxio begins with (2.9.6 MetricsSystem.InstanceType); others are the JVM's.
const INSTANCES: [&str; 11] =
    ["Cluster", "Server", "Master", "Worker", "JobMaster", "JobWorker", "Plugin", "Process", "Proxy", "Client", "Fuse"];

// Compatible: 2.9.6 MetricsCommand.
pub(super) fn lines(metrics: &BTreeMap<String, MetricValue>) -> Vec<String> {
    let of_alluxio = metrics.iter().filter(|(name, _)| INSTANCES.iter().any(|instance| name.starts_with(instance)));
    let line = |(name, value): (&String, &MetricValue)| {
        let kind = value.metric_type().as_str_name();
        format!("{name}  (Type: {kind}, Value: {})", shown(name, value))
    };
    of_alluxio.map(line).collect()
}

fn shown(name: &str, value: &MetricValue) -> String {
    if let Some(text) = &value.string_value {
        return text.clone();
    }
    let number = value.double_value();
    if name.contains("Bytes") {
        let unit = if name.contains("Throughput") { "/MIN" } else { "" };
        return size(number as i64) + unit;
    }
    if number.fract() == 0.0 { grouped(number as i64) } else { number.to_string() }
}

/// `1,234,567`
fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::lines;
    use crate::proto::alluxio::grpc::MetricType;
    use crate::proto::alluxio::grpc::metric::MetricValue;

    #[test]
    fn figures_of_alluxio_are_shown_as_2_9_shows_them() {
        let of = |name: &str, kind: MetricType, number| {
            let value = MetricValue { double_value: Some(number), string_value: None, metric_type: Some(kind.into()) };
            (name.to_owned(), value)
        };
        let text = MetricValue { string_value: Some("IDLE".into()), ..MetricValue::default() };
        let metrics = [
            of("Cluster.BytesReadLocalThroughput", MetricType::Gauge, 6000.0),
            of("Cluster.CapacityTotal", MetricType::Gauge, 2_147_483_648.0),
            of("Master.FilesCreated", MetricType::Counter, -1.0),
            of("Master.Share", MetricType::Gauge, 0.5),
            of("heap.used", MetricType::Gauge, 1.0),
            ("Master.system.status".to_owned(), text),
        ];
        let told = lines(&metrics.into());
        assert_eq!(
            told,
            [
                "Cluster.BytesReadLocalThroughput  (Type: GAUGE, Value: 5.86KB/MIN)",
                "Cluster.CapacityTotal  (Type: GAUGE, Value: 2,147,483,648)",
                "Master.FilesCreated  (Type: COUNTER, Value: -1)",
                "Master.Share  (Type: GAUGE, Value: 0.5)",
                "Master.system.status  (Type: GAUGE, Value: IDLE)",
            ]
        );
    }
}
