use super::*;
use crate::conf::{Role, Sources};
use crate::tools::{journal_verify, legacy};
use std::collections::BTreeMap;
use std::path::Path;

/// Properties with a journal in that folder.
fn conf(folder: &Path) -> Conf {
    let own = [
        ("alluxio.master.journal.folder", folder.display().to_string()),
        ("alluxio.master.journal.type", "UFS".into()),
        // Several segments.
        ("alluxio.master.journal.log.size.bytes.max", "64KB".into()),
        ("alluxio.master.hostname", "localhost".into()),
    ];
    let command_line = own.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Conf::load(&Sources { role: Role::Master, environment: BTreeMap::default(), command_line }).unwrap()
}

async fn golden() -> legacy::gather::Whole {
    let folder = format!("{}/tests/data/legacy-journals/v0-1.2.0/running", env!("CARGO_MANIFEST_DIR"));
    legacy::source::read_journal(crate::ufs::UfsSettings::usual(), &folder).await.unwrap().1
}

#[tokio::test]
async fn an_imported_namespace_is_a_whole_journal_and_is_not_imported_twice() {
    let folder = tempfile::tempdir().unwrap();
    let conf = conf(&folder.path().join("journal"));
    assert!(matches!(check(&conf).await, Err(NewHistoryError::Identity(IdentityError::NotFormatted { .. }))));
    format::run(&conf).await.unwrap();
    check(&conf).await.unwrap();
    let whole = golden().await;
    let begun = run(&conf, whole.state.portable_entries(whole.ids)).await.unwrap();
    let journal_verify::Outcome::Whole(report) = journal_verify::run(&conf).await.unwrap() else {
        panic!("it is whole")
    };
    assert_eq!((report.end, report.digest, report.checkpoints), (begun.end, begun.digest, 1));
    assert_eq!(report.durable, Ok(begun.end));
    assert!(matches!(check(&conf).await, Err(NewHistoryError::NotEmpty { .. })));
    let again = run(&conf, whole.state.portable_entries(whole.ids)).await;
    assert!(matches!(again, Err(NewHistoryError::NotEmpty { .. })), "{again:?}");
}

#[tokio::test]
async fn what_was_not_finished_is_no_journal() {
    let folder = tempfile::tempdir().unwrap();
    let conf = conf(&folder.path().join("journal"));
    format::run(&conf).await.unwrap();
    // A file before the directory that holds it: no state.
    let whole = golden().await;
    let mut entries: Vec<Entry> = whole.state.portable_entries(whole.ids).collect();
    entries.truncate(5);
    entries.push(entries[4].clone());
    let broken = run(&conf, entries.into_iter()).await;
    assert!(matches!(broken, Err(NewHistoryError::Corrupt(_))), "{broken:?}");
    let Folder { store, .. } = outside::folder(&conf, MissingFolder::Refuse).unwrap();
    assert_eq!(store.read_format().await.unwrap().unwrap().layout, Format::HALF_IMPORTED);
}
