//! How long an append takes until it is durable, and how long a segment takes to open.
//!
//! `JOURNAL_FOLDER=hdfs://host:port/bench cargo bench --bench journal_append` (or an absolute local path).
//! `DURABILITY=hflush` for the memory of the DataNodes instead of their disks, `COUNT` (5000), `BYTES` (400).
//! The folder is formatted, and its segments are deleted afterwards.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use alluxio::journal::folder::hdfs::{Durability, HdfsSettings, HdfsStore};
use alluxio::journal::folder::local::{LocalSettings, LocalStore};
use alluxio::journal::folder::{Format, JournalStore, SegmentId};
use alluxio::types::time::boot_now;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::time::Duration;

fn variable(name: &str, default: usize) -> usize {
    std::env::var(name)
        .map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name}={value}: not a number")))
}

fn open(folder: &str) -> Box<dyn JournalStore> {
    if folder.starts_with('/') {
        return Box::new(LocalStore::new(LocalSettings::new(folder)));
    }
    let user = std::env::var("USER").unwrap_or_else(|_| "root".into());
    let mut settings = HdfsSettings::parse(folder, &user, &BTreeMap::new()).unwrap_or_else(|e| panic!("{e}"));
    settings.durability = match std::env::var("DURABILITY").as_deref() {
        Ok("hflush") => Durability::Hflush,
        Ok("hsync") | Err(_) => Durability::Hsync,
        Ok(other) => panic!("DURABILITY={other}: hsync or hflush"),
    };
    Box::new(HdfsStore::new(settings).unwrap_or_else(|e| panic!("{e}")))
}

fn quantile(sorted: &[Duration], of_thousand: usize) -> f64 {
    sorted[(sorted.len() * of_thousand / 1000).min(sorted.len() - 1)].as_secs_f64() * 1000.0
}

#[tokio::main]
async fn main() {
    let Ok(folder) = std::env::var("JOURNAL_FOLDER") else {
        println!("journal_append: JOURNAL_FOLDER names no folder, nothing measured");
        return;
    };
    let (count, bytes) = (variable("COUNT", 5000), variable("BYTES", 400));
    let store = open(&folder);
    store.write_format(&Format { layout: 1, feature_level: 1, cluster_id: "bench".into() }).await.unwrap();
    let epoch = store.list().await.unwrap().segments.last().map_or(1, |last| last.epoch + 1);
    let segment = SegmentId { epoch, index: 0 };

    let began = boot_now();
    let mut writer = store.create(segment).await.unwrap();
    let opened = boot_now().since(began);
    let record = Bytes::from(vec![7; bytes]);
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let began = boot_now();
        writer.append(record.clone()).await.unwrap();
        times.push(boot_now().since(began));
    }
    let began = boot_now();
    writer.close().await.unwrap();
    let closed = boot_now().since(began);
    store.delete_segment(segment).await.unwrap();

    times.sort_unstable();
    let (p50, p99, p999) = (quantile(&times, 500), quantile(&times, 990), quantile(&times, 999));
    println!(
        "{folder} {count} appends of {bytes} bytes, ms: p50 {p50:.3} p99 {p99:.3} p99.9 {p999:.3} max {:.3}; \
         create {:.1} close {:.1}",
        quantile(&times, 1000),
        opened.as_secs_f64() * 1000.0,
        closed.as_secs_f64() * 1000.0,
    );
}
