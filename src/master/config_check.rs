//! Which properties are not the same at all servers. Nothing here asks anybody.

use crate::conf::{self, Consistency, Rule};
use std::collections::BTreeMap;

/// Properties of a server, by name; "" for what is not set.
pub type Told = Vec<(String, String)>;

/// A property that differs.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// What holds for it.
    pub rule: Rule,
    /// Its values, each with the addresses of the servers that have it.
    pub values: BTreeMap<String, Vec<String>>,
}

/// The properties that differ between these servers, each with its address, by name.
// Compatible: 2.9.6 ConfigurationChecker.regenerateReport.
pub fn differences<'a>(servers: impl IntoIterator<Item = (&'a str, &'a Told)>) -> Vec<Difference> {
    let mut properties: BTreeMap<&str, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for (address, told) in servers {
        for (name, value) in told {
            let servers = properties.entry(name).or_default().entry(value.clone()).or_default();
            servers.push(address.to_owned());
        }
    }
    let differing = properties.into_iter().filter(|(_, values)| values.len() > 1);
    let difference =
        |(name, values): (&str, _)| Some(Difference { name: name.to_owned(), rule: conf::rule(name)?, values });
    differing.filter_map(difference).collect()
}

/// Whether one of them must not be.
pub fn is_wrong(differences: &[Difference]) -> bool {
    differences.iter().any(|difference| difference.rule.level == Consistency::Required)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_with_the_servers_that_have_each_value() {
        let told = |pairs: &[(&str, &str)]| -> Told {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let (zookeeper, folder) = ("alluxio.zookeeper.address", "alluxio.master.journal.folder");
        let a = told(&[(zookeeper, "z:1"), (folder, "/j"), ("alluxio.master.hostname", "a")]);
        let b = told(&[(zookeeper, ""), (folder, "/j"), ("alluxio.master.hostname", "b")]);
        let c = told(&[(zookeeper, "z:1"), ("bogus", "1")]);
        let found = differences([("a:1", &a), ("b:1", &b), ("c:1", &c)]);
        let values = |value: &str, servers: &[&str]| {
            (value.to_owned(), servers.iter().map(|server| (*server).to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].name.as_str(), found[0].rule.scope), (zookeeper, "SERVER"));
        assert_eq!(found[0].values, [values("", &["b:1"]), values("z:1", &["a:1", "c:1"])].into());
        assert!(is_wrong(&found) && !is_wrong(&differences([("a:1", &a), ("c:1", &c)])));
    }
}
