//! The servers in a ZooKeeper address `host:port[,host:port…][/chroot]`, and why none of them serves.

use std::net::ToSocketAddrs;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

/// How long one server may take to accept a connection when we look for the reason of a failure.
const PROBE: Duration = Duration::from_millis(300);

/// An address taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Servers {
    /// `host:port` of each.
    pub servers: Vec<String>,
    /// With its slash; empty when there is none.
    pub chroot: String,
}

impl Servers {
    /// The servers of the address.
    ///
    /// # Errors
    /// A text that names the part which is wrong.
    pub fn parse(address: &str) -> Result<Servers, String> {
        let wrong = |reason: String| {
            format!("the ZooKeeper address {address:?} is wrong: {reason}; expected host:port[,host:port…][/folder]")
        };
        let (list, chroot) = address.find('/').map_or((address, ""), |at| address.split_at(at));
        let mut servers = Vec::new();
        for server in list.split(',').map(str::trim) {
            let (host, port) = match server.rsplit_once(':') {
                // A host alone, or an IPv6 address in brackets without a port.
                None => (server, "2181"),
                Some(_) if server.ends_with(']') => (server, "2181"),
                Some(parts) => parts,
            };
            if host.is_empty() {
                return Err(wrong(format!("{server:?} has no host name")));
            }
            if !is_host(host) {
                return Err(wrong(format!("{host:?} is not a host name")));
            }
            if port.parse::<u16>().map_or(true, |port| port == 0) {
                return Err(wrong(format!("{port:?} is not a port")));
            }
            servers.push(format!("{host}:{port}"));
        }
        let chroot = chroot.strip_suffix('/').unwrap_or(chroot);
        if chroot.split('/').skip(1).any(|part| part.is_empty() || part == "." || part == "..") {
            return Err(wrong(format!("{chroot:?} is not a folder")));
        }
        Ok(Servers { servers, chroot: chroot.to_owned() })
    }

    /// The address of all servers.
    pub fn address(&self) -> String {
        format!("{}{}", self.servers.join(","), self.chroot)
    }

    /// The addresses of the servers one by one.
    pub fn each(&self) -> impl Iterator<Item = String> {
        self.servers.iter().map(|server| format!("{server}{}", self.chroot))
    }

    /// What a plain connection to each server meets, for the text of an error.
    pub async fn diagnosis(&self) -> String {
        let mut found = Vec::new();
        for server in &self.servers {
            let met = match timeout(PROBE, probe(server)).await {
                Ok(met) => met,
                Err(_) => format!("does not accept a connection within {PROBE:?}"),
            };
            found.push(format!("{server} {met}"));
        }
        found.join(", ")
    }
}

/// The servers of a ZooKeeper address whose names lead nowhere here, each with the reason. None of an address that is
/// wrong, which whoever uses it refuses.
pub fn unknown_servers(address: &str) -> Vec<String> {
    let servers = Servers::parse(address).map_or_else(|_| Vec::new(), |parsed| parsed.servers);
    let unknown = |server: &String| server.to_socket_addrs().err().map(|error| format!("{server} ({error})"));
    servers.iter().filter_map(unknown).collect()
}

/// Whether a text could be a host name, an IPv4 address, or an IPv6 address in brackets.
fn is_host(text: &str) -> bool {
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')),
    }
}

async fn probe(server: &str) -> String {
    if let Err(error) = lookup_host(server).await {
        return format!("is not the name of a host ({error})");
    }
    match TcpStream::connect(server).await {
        Ok(_) => "accepts connections, but does not answer as ZooKeeper in a quorum".into(),
        Err(error) => format!("refuses ({error})"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Servers, unknown_servers};

    #[test]
    fn an_address_is_servers_and_a_folder() {
        let parsed = |address| Servers::parse(address).expect("valid");
        let one = parsed("host:2181");
        assert_eq!((one.address(), one.chroot.as_str()), ("host:2181".into(), ""));
        let many = parsed("a, b:2182 ,[::1]:2183,[::1]/x/y");
        assert_eq!(many.each().collect::<Vec<_>>(), ["a:2181/x/y", "b:2182/x/y", "[::1]:2183/x/y", "[::1]:2181/x/y"]);
        assert_eq!(parsed("a:1/").address(), "a:1");
    }

    #[test]
    fn a_wrong_address_is_named() {
        for bad in
            ["", ",", "a:b", "a:0", "a:65536", ":2181", "a:1,", "a:1//x", "a:1/x/../y", "a b:1", "a:1;b:1", "zk://a:1"]
        {
            let text = Servers::parse(bad).expect_err(bad);
            assert!(text.contains(&format!("{bad:?}")), "{text}");
        }
    }

    #[test]
    fn servers_whose_names_lead_nowhere_are_told() {
        let unknown = unknown_servers("127.0.0.1:1,nosuchhost.invalid,[::1]:2/x");
        assert!(unknown.len() == 1 && unknown[0].starts_with("nosuchhost.invalid:2181 ("), "{unknown:?}");
        assert!(unknown_servers("a:b").is_empty());
    }

    #[tokio::test]
    async fn the_diagnosis_names_each_server_and_what_it_meets() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let open = listener.local_addr().expect("bound").to_string();
        let closed = {
            let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            other.local_addr().expect("bound").to_string()
        };
        let text = Servers::parse(&format!("{open},{closed}")).expect("valid").diagnosis().await;
        assert!(text.contains(&format!("{open} accepts")) && text.contains(&format!("{closed} refuses")), "{text}");
    }
}
