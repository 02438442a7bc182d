//! Pure. Which worker is the nearest.

use crate::types::WorkerAddress;

/// Names by which a worker says "this machine", whatever that is called elsewhere.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// Where a client stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Place {
    /// Its host (`alluxio.user.hostname`).
    pub host: String,
    /// Its rack (`alluxio.locality.rack`), if it is known.
    pub rack: Option<String>,
}

impl Place {
    /// Whether the worker at `address` is on this host.
    pub fn is_local(&self, address: &WorkerAddress) -> bool {
        address.host == self.host || LOOPBACK.contains(&address.host.as_str()) || stands_in(address, "node", &self.host)
    }

    /// The nearest of the workers: on this host, in this rack, or the first.
    // Compatible: 2.9 LocalFirstPolicy; 1.2.0 knows no racks.
    pub fn nearest<'a>(&self, workers: &[&'a WorkerAddress]) -> Option<&'a WorkerAddress> {
        let local = workers.iter().find(|worker| self.is_local(worker));
        let in_rack = |rack: &String| workers.iter().find(|worker| stands_in(worker, "rack", rack));
        local.or_else(|| self.rack.as_ref().and_then(in_rack)).or_else(|| workers.first()).copied()
    }
}

fn stands_in(address: &WorkerAddress, tier: &str, value: &str) -> bool {
    address.tiers.iter().any(|(name, place)| name == tier && place == value)
}

#[cfg(test)]
mod tests {
    use super::Place;
    use crate::types::WorkerAddress;

    fn worker(host: &str, rack: &str) -> WorkerAddress {
        let tiers = vec![("node".to_owned(), host.to_owned()), ("rack".to_owned(), rack.to_owned())];
        WorkerAddress { host: host.into(), tiers, ..WorkerAddress::default() }
    }

    #[test]
    fn this_host_comes_before_this_rack_before_the_first() {
        let (here, near, far) = (worker("a", "r1"), worker("b", "r1"), worker("c", "r2"));
        let place = Place { host: "a".into(), rack: Some("r1".into()) };
        assert_eq!(place.nearest(&[&far, &near, &here]), Some(&here));
        assert_eq!(place.nearest(&[&far, &near]), Some(&near));
        assert_eq!(Place { rack: None, ..place.clone() }.nearest(&[&far, &near]), Some(&far));
        assert_eq!(place.nearest(&[]), None);
    }

    #[test]
    fn a_worker_that_calls_itself_this_machine_is_local() {
        let place = Place { host: "a".into(), rack: None };
        assert!(place.is_local(&worker("localhost", "")) && place.is_local(&worker("a", "")));
        assert!(!place.is_local(&worker("b", "")));
    }
}
