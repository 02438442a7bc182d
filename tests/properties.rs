//! `docs/properties.md` says what the table of properties says.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use alluxio::conf::keys::{FAMILIES, ROWS};
use alluxio::conf::{Preset, Row};

const HEAD: &str = "\
# Properties

Every property that has an effect, from the table in `src/conf/keys.rs`; `UPDATE_DOCS=1 cargo test --test properties`
writes this file anew. How and where they are set stands in `configuration.md`. Names are those of release 2.9, with
other spellings below them; what only this project has is marked *ours*. Other properties of Alluxio are accepted, and
named once in the log as ignored.

| property | default | values and meaning |
|---|---|---|
";

fn line(row: &Row) -> String {
    let names: Vec<String> = std::iter::once(&row.name).chain(row.aliases).map(|name| format!("`{name}`")).collect();
    let preset = match row.preset {
        Preset::Unset => String::new(),
        Preset::Always(text) => format!("`{text}`"),
        Preset::ByRelease { v1_2, v2_9 } => format!("`{v1_2}`; with compatibility 2.9 `{v2_9}`"),
    };
    let doc = row.doc.trim().replace(" (ours)", " *(ours)*").replace('|', "\\|");
    format!("| {} | {preset} | {doc} Value: {}. |\n", names.join("<br>"), row.form)
}

#[test]
fn the_document_is_that_of_the_table() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/properties.md");
    let expected = HEAD.to_owned() + &ROWS.iter().chain(FAMILIES).map(|row| line(row)).collect::<String>();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/properties.md is not that of the table: UPDATE_DOCS=1 cargo test --test properties"
    );
}
