//! Load on a master, ours or one of Alluxio 2.9: clients that do one thing over and over, the next time when the last is
//! answered. Prints the rate, the times, and what an operation costs the server.
//!
//! `MASTER=host:port CLIENTS=32 cargo bench --bench master_load`, with further variables: `OPERATION` (mkdir; see
//! operation.rs), `CONNECTIONS` (4, shared by the clients), `WARM_UP_S` (2, not counted), `DURATION_S` (8), `SERVER_PID` for
//! the CPU time of that process (user and system, all its threads), and `NULL` (any value) for the server of
//! benches/null_master.rs. Each client has a directory of its own. All clients run on one thread, so that the generator
//! leaves the other cores to the servers. Ends with 1 when a call fails.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

mod operation;

use alluxio::proto::alluxio::grpc::version::ServiceType;
use alluxio::rpc::channel::{ChannelSettings, Connection, Identity, connect, open_unauthenticated};
use alluxio::types::time::{Boot, boot_now};
use operation::{Operation, Worker};
use std::process::ExitCode;
use std::time::Duration;
use tokio::task::JoinSet;
use tonic::Status;
use uuid::Uuid;

/// How long a master may take until it serves.
const SERVES_WITHIN: Duration = Duration::from_secs(60);

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .map_or(default, |value| value.parse().unwrap_or_else(|_| panic!("{name}={value}: not a number")))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Ok(master) = std::env::var("MASTER") else {
        println!("master_load: MASTER names no master (host:port), nothing measured");
        return ExitCode::SUCCESS;
    };
    let (clients, connections) = (variable("CLIENTS", 32), variable("CONNECTIONS", 4).max(1));
    let server = std::env::var("SERVER_PID").ok();
    let warm_up = Duration::from_secs(variable("WARM_UP_S", 2));
    let seconds = Duration::from_secs(variable("DURATION_S", 8));

    let operation = Operation::named(&std::env::var("OPERATION").unwrap_or_else(|_| "mkdir".into()));
    let connections = open(&master, connections.min(clients)).await;
    let root = format!("/load-{}", Uuid::new_v4());
    operation::prepare(&connections[0], operation, &root).await;
    let mut workers = Vec::new();
    for number in 0..clients {
        let connection = connections[number as usize % connections.len()].clone();
        workers.push(Worker::start(connection, operation, &root, number).await);
    }
    let begin = boot_now() + warm_up;
    let window = Window { begin, end: begin + seconds };
    let mut tasks = JoinSet::new();
    workers.into_iter().for_each(|worker| drop(tasks.spawn(run(worker, window))));
    tokio::time::sleep(warm_up).await;
    let (cpu, began) = (cpu_seconds(server.as_deref()), boot_now());
    tokio::time::sleep(seconds).await;
    let (cpu, took) = (cpu_seconds(server.as_deref()) - cpu, boot_now().since(began));
    report(tasks.join_all().await, clients, took, server.map(|_| cpu))
}

async fn open(master: &str, count: u64) -> Vec<Connection> {
    let user = std::env::var("USER").unwrap_or_else(|_| "root".into());
    let settings =
        ChannelSettings { identity: Some(Identity { user, on_behalf_of: None }), ..ChannelSettings::default() };
    let mut connections = Vec::new();
    for _ in 0..count {
        connections.push(open_one(master, &settings).await);
    }
    connections
}

/// A master that has just been started listens before it serves.
async fn open_one(master: &str, settings: &ChannelSettings) -> Connection {
    let give_up = boot_now() + SERVES_WITHIN;
    loop {
        let connected = match std::env::var_os("NULL") {
            None => connect(master, ServiceType::FileSystemMasterClientService, settings).await,
            Some(_) => open_unauthenticated(master, settings).await,
        };
        match connected {
            Ok(connection) => return connection,
            Err(_) if boot_now() < give_up => tokio::time::sleep(Duration::from_millis(200)).await,
            Err(error) => panic!("MASTER={master}: {error}: {:?}", std::error::Error::source(&error)),
        }
    }
}

/// When calls count: those that are answered in it.
#[derive(Debug, Clone, Copy)]
struct Window {
    begin: Boot,
    end: Boot,
}

/// What one client has seen.
#[derive(Debug, Default)]
struct Seen {
    /// Of the calls that count.
    times: Vec<Duration>,
    failed: u64,
    first_failure: Option<Status>,
}

async fn run(worker: Worker, window: Window) -> Seen {
    let mut seen = Seen::default();
    for number in 0.. {
        let began = boot_now();
        let outcome = worker.once(number).await;
        let now = boot_now();
        if now >= window.end {
            break;
        }
        match outcome {
            Ok(()) if now >= window.begin => seen.times.push(now.since(began)),
            Ok(()) => {}
            Err(status) => {
                seen.failed += 1;
                seen.first_failure.get_or_insert(status);
            }
        }
    }
    seen
}

/// User and system time of a process since it began, without its children.
fn cpu_seconds(pid: Option<&str>) -> f64 {
    let Some(pid) = pid else { return 0.0 };
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .unwrap_or_else(|error| panic!("SERVER_PID={pid}: cannot read its CPU time: {error}"));
    // The name of the program, in parentheses, may have spaces.
    let (_, after_name) = stat.rsplit_once(')').unwrap();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    ticks as f64 / rustix::param::clock_ticks_per_second() as f64
}

fn report(all: Vec<Seen>, clients: u64, took: Duration, cpu_seconds: Option<f64>) -> ExitCode {
    let failed: u64 = all.iter().map(|seen| seen.failed).sum();
    if let Some(status) = all.iter().find_map(|seen| seen.first_failure.as_ref()) {
        eprintln!("first failure: {status}");
    }
    let mut times: Vec<Duration> = all.into_iter().flat_map(|seen| seen.times).collect();
    times.sort_unstable();
    let Some(last) = times.len().checked_sub(1) else {
        eprintln!("no call was answered in the time that counts");
        return ExitCode::FAILURE;
    };
    let ms = |of_hundred: usize| times[(times.len() * of_hundred / 100).min(last)].as_secs_f64() * 1e3;
    let operations = times.len() as f64;
    print!("clients={clients} operations={operations} failed={failed}");
    print!(" per_second={:.0} p50_ms={:.3} p99_ms={:.3}", operations / took.as_secs_f64(), ms(50), ms(99));
    print!(" max_ms={:.3}", times[last].as_secs_f64() * 1e3);
    println!("{}", cpu_seconds.map(|cpu| format!(" cpu_us={:.1}", cpu * 1e6 / operations)).unwrap_or_default());
    if failed > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
