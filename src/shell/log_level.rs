//! `alluxio logLevel`: tells, or changes, the level of a logger of servers that run, through their web ports.
// Compatible: 2.9 LogLevel, its options and texts; there are no job services here. tests/web/watch.rs.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::output::Output;
use super::{Session, web_call};

const USAGE: &str = "\
usage: logLevel [--level <arg>] --logName <arg> [--target <arg>]
    --level <arg>     The log level to be set.
    --logName <arg>   The logger's name(e.g.
                      alluxio.master.file.DefaultFileSystemMaster) you
                      want to get or set level.
    --target <arg>
                      <master|workers|job_master|job_workers|host:webPort[
                      :role]>. A list of targets separated by , can be
                      specified. Default target is master, job master, all
                      workers and all job workers.";

/// The ports where servers are asked.
#[derive(Debug, Clone, Copy)]
pub struct WebPorts {
    /// `alluxio.master.web.port`
    pub master: u16,
    /// `alluxio.worker.web.port`
    pub worker: u16,
}

/// A server that is asked.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    host: String,
    port: u16,
    role: &'static str,
}

/// What is wished.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wish<'a> {
    name: Option<&'a str>,
    level: Option<&'a str>,
    targets: Option<&'a str>,
}

pub(super) async fn run(words: &[&str], ports: WebPorts, session: &Session, output: &mut Output<'_>) -> i32 {
    let wish = match parse(words) {
        Ok(wish) => wish,
        Err(reason) => {
            output.complain(&format!("Unable to parse input args: {reason}"));
            output.line(USAGE);
            return 1;
        }
    };
    match set(&wish, ports, session, output).await {
        Ok(()) => 0,
        Err(reason) => {
            output.complain(&format!("Failed to set log level:\n{reason}"));
            1
        }
    }
}

/// `--option=value` or `--option value`.
fn parse<'a>(words: &[&'a str]) -> Result<Wish<'a>, String> {
    let mut wish = Wish::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(option) = word.strip_prefix("--") else { return Err(format!("Unrecognized argument: {word}")) };
        let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
        let place = match name {
            "logName" => &mut wish.name,
            "level" => &mut wish.level,
            "target" => &mut wish.targets,
            _ => return Err(format!("Unrecognized option: {word}")),
        };
        *place = Some(value.or_else(|| words.next().copied()).ok_or(format!("Missing argument for option: {name}"))?);
    }
    if wish.name.is_none() {
        return Err("Missing required option: logName".to_owned());
    }
    Ok(wish)
}

async fn set(wish: &Wish<'_>, ports: WebPorts, session: &Session, output: &mut Output<'_>) -> Result<(), String> {
    let targets = wish.targets.unwrap_or("master,workers");
    if targets.trim().is_empty() {
        return Err("Option target can not be blank.".to_owned());
    }
    for target in targets.split(',').map(str::trim).filter(|target| !target.is_empty()) {
        for target in find(target, ports, session, output).await? {
            let info = ask(&target, wish).await?;
            let Target { host, port, role } = target;
            output.line(&format!("{host}:{port}[{role}]{info}"));
        }
    }
    Ok(())
}

/// The servers that a word stands for.
async fn find(word: &str, ports: WebPorts, session: &Session, output: &mut Output<'_>) -> Result<Vec<Target>, String> {
    let host_of = |address: &str| address.rsplit_once(':').map_or(address, |(host, _)| host).to_owned();
    match word {
        "master" | "masters" => {
            if word == "masters" {
                output.line(
                    "The logLevel command will only take effect on the primary master, instead of on all the masters. ",
                );
                output.line("Target `masters` is replaced with `master`.");
            }
            let primary = session.files.primary().await.map_err(|error| error.to_string())?;
            Ok(vec![Target { host: host_of(&primary), port: ports.master, role: "master" }])
        }
        "workers" => {
            let workers = session.files.workers().await.map_err(|error| error.to_string())?;
            if workers.is_empty() {
                return Err("No workers found".to_owned());
            }
            let target = |address: crate::types::WorkerAddress| Target {
                host: address.host,
                port: address.web_port,
                role: "worker",
            };
            Ok(workers.into_iter().map(|worker| target(worker.address)).collect())
        }
        word if word.contains(':') => {
            let target = named(word, ports)?;
            let Target { host, port, role } = &target;
            output.line(&format!("Role inferred from port: {host}:{port}[{role}]"));
            Ok(vec![target])
        }
        _ => Err(format!(
            "Unrecognized target argument: {word}. Please pass the targets in the form of <host>:<port>, with comma as \
             the separator."
        )),
    }
}

/// `host:webPort`, or `host:webPort:role` where the port is not the usual one.
fn named(word: &str, ports: WebPorts) -> Result<Target, String> {
    let mut parts = word.split(':');
    let (host, port, role) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
    let port: u16 =
        port.parse().map_err(|_| format!("{word} does not name a port: it must be <host>:<port>[:<role>]"))?;
    let role = match role {
        Some("master") => "master",
        Some("worker") => "worker",
        Some(other) => return Err(format!("There is no role {other}: it must be master or worker")),
        None if port == ports.master => "master",
        None if port == ports.worker => "worker",
        None => {
            return Err(format!(
                "Unrecognized port in {word}. Please make sure the port is in [alluxio.master.web.port, \
                 alluxio.worker.web.port], or name the role: {word}:master, {word}:worker"
            ));
        }
    };
    Ok(Target { host: host.to_owned(), port, role })
}

/// Asks a server; its answer as 2.9 shows it.
async fn ask(target: &Target, wish: &Wish<'_>) -> Result<String, String> {
    let Target { host, port, role } = target;
    let answer = post(target, wish).await;
    let answer =
        answer.map_err(|reason| format!("cannot ask the web port of the {role} at {host}:{port}: {reason}"))?;
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    Ok(format!("LogInfo{{{}, {}, {}}}", text("level"), text("logName"), text("message")))
}

async fn post(target: &Target, wish: &Wish<'_>) -> Result<Value, String> {
    let Target { host, port, role } = target;
    let encoded = |value: &str| utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
    let level = wish.level.map_or_else(String::new, |level| format!("&level={}", encoded(level)));
    let uri = format!("/v1/api/{role}/logLevel?logName={}{level}", encoded(wish.name.unwrap_or_default()));
    web_call::post(host, *port, &uri).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_those_of_2_9() {
        let wish = parse(&["--logName=alluxio", "--target", "master,workers", "--level=DEBUG"]);
        let expected = Wish { name: Some("alluxio"), level: Some("DEBUG"), targets: Some("master,workers") };
        assert_eq!(wish, Ok(expected));
        assert_eq!(parse(&[]), Err("Missing required option: logName".into()));
        assert_eq!(parse(&["--logName"]), Err("Missing argument for option: logName".into()));
        assert_eq!(parse(&["--logName=a", "--loud"]), Err("Unrecognized option: --loud".into()));
        assert_eq!(parse(&["alluxio"]), Err("Unrecognized argument: alluxio".into()));
    }

    #[test]
    fn a_role_is_named_or_follows_from_the_port() {
        let ports = WebPorts { master: 19999, worker: 30000 };
        let target = |port, role| Ok(Target { host: "h".into(), port, role });
        assert_eq!(named("h:19999", ports), target(19999, "master"));
        assert_eq!(named("h:30000", ports), target(30000, "worker"));
        assert_eq!(named("h:1:worker", ports), target(1, "worker"));
        for wrong in ["h:1", "h:x", "h:19999:proxy", "h:"] {
            assert!(named(wrong, ports).is_err(), "{wrong}");
        }
    }
}
