//! `docs/compatibility.md` says what the table says; the table has every method of 2.9.6, and calls served what is served.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use prost_types::FileDescriptorSet;
use table::{METHODS, Method, SERVICES, State};

const HEAD: &str = "\
# Compatibility with release 2.9.6

What the unmodified clients and workers of Alluxio 2.9.6 find here, method by method, from the table in
`tests/compatibility/table.rs`; `UPDATE_DOCS=1 cargo test --test compatibility` writes this file anew. Names of methods and
options are those of their protocol.

- *same*: answers, errors and effects are those of 2.9.6.
- *differs*: served, with the differences that stand beside it.
- *not served*: refused with a clear error.

Differences in single answers are looked for by random calls, sent to a master of 2.9.6 and to one of ours
(`scripts/test --long differential`); those that are known, with their reasons, stand in `tests/differential/known.rs`.
";

fn document() -> String {
    let mut text = HEAD.to_owned();
    for (service, about) in SERVICES {
        text += &format!("\n## {service}\n\n{about}\n\n| method | state | differences |\n|---|---|---|\n");
        for method in METHODS.iter().filter(|method| method.service == *service) {
            let state = match method.state {
                State::Same => "same",
                State::Differs => "differs",
                State::Absent => "not served",
            };
            text += &format!("| `{}` | {state} | {} |\n", method.name, method.what);
        }
    }
    text
}

#[test]
fn the_document_is_that_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/compatibility.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, document()).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    let current = found == document();
    assert!(current, "docs/compatibility.md is not that of the table: UPDATE_DOCS=1 cargo test --test compatibility");
}

/// Methods of 2.9.6 by service.
fn methods_of_2_9_6() -> BTreeMap<String, Vec<String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/alluxio-2.9.6.binpb");
    let all: FileDescriptorSet = prost::Message::decode(fs::read(file).unwrap().as_slice()).unwrap();
    let services = all.file.into_iter().flat_map(|file| file.service);
    let names = |service: prost_types::ServiceDescriptorProto| {
        let mut methods: Vec<String> = service.method.iter().map(|method| method.name().to_owned()).collect();
        methods.sort();
        (service.name().to_owned(), methods)
    };
    services.map(names).collect()
}

#[test]
fn the_table_has_every_method() {
    let mut table = BTreeMap::<String, Vec<String>>::new();
    for Method { service, name, .. } in METHODS {
        table.entry((*service).to_owned()).or_default().push((*name).to_owned());
    }
    table.values_mut().for_each(|methods| methods.sort());
    assert_eq!(table, methods_of_2_9_6());
    for (service, _) in SERVICES {
        assert!(table.remove(*service).is_some(), "{service} is in the table");
    }
    assert!(table.is_empty(), "every service has a chapter: {table:?}");
}

#[test]
fn differences_are_told_and_nothing_else() {
    for Method { service, name, state, what } in METHODS {
        assert_eq!(*state == State::Same, what.is_empty(), "{service}/{name}: {what}");
    }
}

#[test]
fn served_is_what_the_table_says() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = fs::read_dir(src.join("master")).unwrap().map(|entry| entry.unwrap().path());
    let servers = files.filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.starts_with("server") && !name.ends_with("_tests.rs")
    });
    let source: String =
        servers.chain([src.join("worker/data_server.rs")]).map(|f| fs::read_to_string(f).unwrap()).collect();
    // A name that two services have says nothing.
    let only_once = |name: &str| METHODS.iter().filter(|method| method.name == name).count() == 1;
    for Method { service, name, state, .. } in METHODS.iter().filter(|method| only_once(method.name)) {
        // These two have no table: one method each.
        if *service == "SaslAuthenticationService" || *service == "ServiceVersionClientService" {
            continue;
        }
        let served = source.contains(&format!("\"{name}\""));
        assert_eq!(served, *state != State::Absent, "{service}/{name}: served: {served}, the table says {state:?}");
    }
}
