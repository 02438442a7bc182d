//! Which properties have to be the same at all servers, and what a server tells of its own.

use super::load::Conf;
use super::sources::Role;

/// Properties of servers in 2.9.6, sorted, one a line: its name, `E` if it must be the same everywhere or `W` if it
/// should, and whose it is.
static RULES: &str = include_str!("consistency.txt");

/// How much a difference matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consistency {
    /// It must be the same.
    Required,
    /// It should be the same.
    Recommended,
}

/// What holds for a property. Without a rule it may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// How much a difference matters.
    pub level: Consistency,
    /// Whose it is: `MASTER`, `WORKER`, `SERVER` for both, `NONE`.
    pub scope: &'static str,
}

/// The rule for a property.
pub fn rule(name: &str) -> Option<Rule> {
    RULES.lines().find_map(|line| {
        let (known, rest) = line.split_once(' ')?;
        let (level, scope) = rest.split_once(' ').filter(|_| known == name)?;
        let level = if level == "E" { Consistency::Required } else { Consistency::Recommended };
        Some(Rule { level, scope })
    })
}

impl Conf {
    /// What a server of that role tells of the properties for which there is a rule, as people may see it; "" for what is not
    /// set.
    // Compatible: 2.9.6 ConfigurationUtils.getConfiguration with the scope of the server.
    pub fn told_by(&self, role: Role) -> Vec<(String, String)> {
        let own = match role {
            Role::Master => "MASTER",
            Role::Worker => "WORKER",
            Role::User => return Vec::new(),
        };
        let shown = self.shown().into_iter();
        let told =
            shown.filter(|shown| rule(shown.name).is_some_and(|rule| rule.scope == own || rule.scope == "SERVER"));
        told.map(|shown| (shown.name.to_owned(), shown.text.to_owned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_those_of_2_9_6() {
        let of = |name: &str| rule(name).map(|rule| (rule.level, rule.scope));
        assert_eq!(of("alluxio.zookeeper.address"), Some((Consistency::Required, "SERVER")));
        assert_eq!(of("alluxio.master.journal.folder"), Some((Consistency::Required, "MASTER")));
        assert_eq!((of("alluxio.master.hostname"), of("alluxio.worker.hostname"), of("bogus")), (None, None, None));
        assert!(RULES.lines().all(|line| line.split(' ').count() == 3) && RULES.lines().is_sorted());
    }
}
