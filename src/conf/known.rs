//! The properties that some release of Alluxio has, so that a file written for it is told from a slip of the pen.

use super::keys::{FAMILIES, ROWS};
use super::table::{Row, chosen_word};

/// Names of releases 1.2.0, 1.8.1 and 2.9.6, sorted, one a line; `*` stands for a word of the operator's choice.
static KNOWN: &str = include_str!("known.txt");

/// The row that reads this property, whichever spelling is used.
pub(super) fn row(name: &str) -> Option<&'static Row> {
    let mut plain = ROWS.iter().filter(|row| row.name == name || row.aliases.contains(&name));
    let mut families = FAMILIES.iter().filter(|row| chosen_word(row.name, name).is_some());
    plain.next().or_else(|| families.next()).copied()
}

/// The one spelling under which a property is kept: that of its row, or its own.
pub(super) fn canonical(name: &str) -> &str {
    ROWS.iter().find(|row| row.aliases.contains(&name)).map_or(name, |row| row.name)
}

/// Whether some release has the property.
pub fn is_known(name: &str) -> bool {
    KNOWN.lines().any(|known| known == name || matches(known, name))
}

/// How many slips of the pen may lie between a name and the one that was meant.
const SLIPS_MAX: usize = 4;

/// The name most like `name`, of those that we read and those that some release has; none if no name is like it.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    let ours = ROWS.iter().chain(FAMILIES).flat_map(|row| std::iter::once(&row.name).chain(row.aliases)).copied();
    // The first of equals wins: better one that has an effect.
    let distances = ours.chain(KNOWN.lines()).map(|known| (strsim::damerau_levenshtein(known, name), known));
    let (slips, nearest) = distances.min_by_key(|(slips, _)| *slips)?;
    // Of a short name most letters would be others: alluxio.x is not like alluxio.home.
    let own = name.trim_start_matches("alluxio.").len();
    (slips <= SLIPS_MAX && slips * 2 < own).then_some(nearest)
}

/// Whether `name` is `pattern` with one or more characters in the place of each `*`.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(before) else { return false };
    rest.char_indices()
        .skip(1)
        .map(|(at, _)| &rest[at..])
        .chain([""])
        .any(|rest_after| rest.len() > rest_after.len() && matches(after, rest_after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_all_releases_are_known() {
        for name in [
            "alluxio.worker.memory.size",
            "alluxio.master.lineage.checkpoint.class",
            "alluxio.master.metastore",
            "alluxio.worker.tieredstore.level2.dirs.path",
            "alluxio.master.mount.table.data.option.fs.s3a.endpoint",
            "alluxio.locality.node",
        ] {
            assert!(is_known(name), "{name}");
        }
        for name in ["alluxio.worker.memory.sise", "alluxio.locality.", "alluxio.worker.tieredstore.level.dirs.path"] {
            assert!(!is_known(name), "{name}");
        }
    }

    #[test]
    fn the_nearest_name_is_the_one_meant() {
        assert_eq!(nearest("alluxio.master.rcp.port"), Some("alluxio.master.rpc.port"));
        assert_eq!(nearest("alluxio.zookeper.adress"), Some("alluxio.zookeeper.address"));
        assert_eq!(nearest("alluxio.worker.memmory.size"), Some("alluxio.worker.memory.size"));
        for name in ["alluxio.x", "alluxio.nosuch", "alluxio.what.nobody.ever.had"] {
            assert_eq!(nearest(name), None, "{name}");
        }
    }

    #[test]
    fn each_row_is_known_or_says_that_it_is_ours() {
        for row in ROWS {
            assert_ne!(is_known(row.name), row.doc.contains("(ours)"), "{}", row.name);
        }
    }

    #[test]
    fn aliases_lead_to_their_row() {
        assert_eq!(canonical("alluxio.underfs.address"), "alluxio.master.mount.table.root.ufs");
        assert_eq!(canonical("alluxio.master.hostname"), "alluxio.master.hostname");
        assert_eq!(row("alluxio.master.port").map(|row| row.name), Some("alluxio.master.rpc.port"));
        assert!(row("alluxio.master.security.impersonation.yarn.users").is_some());
    }
}
