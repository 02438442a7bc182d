//! Workers as administrators name them: by host and web port.

use crate::client::WorkerInfo;
use crate::shell::fs::Failure;
use crate::shell::fs29::options::{CommandLine, Opt};
use std::fmt;

/// A worker by the port of its web pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WebPlace {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for WebPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl WebPlace {
    pub(super) fn of(worker: &WorkerInfo) -> WebPlace {
        WebPlace { host: worker.address.host.clone(), port: worker.address.web_port }
    }
}

/// `[w1:30000, w2:30000]`
pub(super) fn list<'a>(places: impl IntoIterator<Item = &'a WebPlace>) -> String {
    let places: Vec<String> = places.into_iter().map(WebPlace::to_string).collect();
    format!("[{}]", places.join(", "))
}

/// The option that names workers.
pub(super) const ADDRESSES: Opt = Opt::with(
    "a",
    "addresses",
    Some("workerHosts"),
    "One or more worker addresses separated by comma. If port is not specified, alluxio.worker.web.port will be used. Note \
     the addresses specify the WEB port instead of RPC port!",
);

/// Refuses words without it.
// Compatible: commons-cli, a required option; tests/shell, fsadmin of 2.9.6.
pub(super) fn check(line: &CommandLine, command: &str) -> Result<(), String> {
    match line.has("addresses") {
        true => Ok(()),
        false => Err(format!("Failed to parse args for {command}: Missing required option: a")),
    }
}

/// The workers that `text` names, with `port` where it names none.
// Compatible: 2.9.6 WorkerAddressUtils.
pub(super) fn parse(text: &str, port: u16) -> Result<Vec<WebPlace>, Failure> {
    if text.is_empty() {
        return Err(Failure::of("Worker addresses must be specified"));
    }
    let place = |part: &str| {
        let wrong = || Failure::of(format!("worker address {part} cannot be recognized"));
        let (host, port) = match part.split_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| wrong())?),
            None => (part, port),
        };
        if host.is_empty() { Err(wrong()) } else { Ok(WebPlace { host: host.to_owned(), port }) }
    };
    text.split(',').map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::{list, parse};

    #[test]
    fn a_worker_is_named_by_its_host_with_or_without_a_port() {
        let parsed = |text: &str| parse(text, 30000).map(|places| list(&places)).map_err(|failure| failure.text);
        assert_eq!(parsed("w1,w2:1"), Ok("[w1:30000, w2:1]".into()));
        assert_eq!(parsed(""), Err("Worker addresses must be specified".into()));
        for wrong in ["w1:x", ":1", "w1:1:2", "w1:70000"] {
            assert_eq!(parsed(wrong), Err(format!("worker address {wrong} cannot be recognized")));
        }
        assert!(parsed("w1,").is_err());
    }
}
