use super::*;
use crate::tools::sample_journal::{self, SampleJournal};

/// A local folder with the journal, as a master alone has left it.
fn written(journal: &SampleJournal) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("from");
    for (id, bytes) in &journal.segments {
        let file = path.join(id.to_string());
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }
    std::fs::create_dir_all(path.join("checkpoints")).unwrap();
    for (id, bytes) in &journal.checkpoints {
        std::fs::write(path.join(id.to_string()), bytes).unwrap();
    }
    let format = format!("layout=1\nfeature_level=1\ncluster_id={}\n", sample_journal::CLUSTER);
    std::fs::write(path.join("FORMAT"), format).unwrap();
    std::fs::write(path.join("DURABLE"), durable(journal)).unwrap();
    folder
}

/// The file that keeps the epoch node of a master alone.
fn durable(journal: &SampleJournal) -> String {
    let node = journal.node();
    format!(
        "alluxio-rs-epoch-node=1\nepoch={}\nowner=x\nreleased=true\naddress=\nlatch=\nlease_ms=0\nsegments={}\n\
         durable_sequence={}\ndurable_hash={:016x}\ngenesis={:016x}\n",
        node.epoch, node.segments, node.durable_sequence, node.durable_hash, node.genesis
    )
}

async fn copied(folder: &tempfile::TempDir) -> (Result<(), CopyError>, String) {
    let name = |name: &str| folder.path().join(name).display().to_string();
    let mut output = Vec::new();
    let outcome = run(&[], &name("from"), &name("to"), &mut output).await;
    (outcome, String::from_utf8(output).unwrap())
}

async fn verified(folder: &tempfile::TempDir, name: &str) -> Report {
    let path = folder.path().join(name).display().to_string();
    match journal_verify::run(&conf_of(&[], &path).unwrap()).await.unwrap() {
        journal_verify::Outcome::Whole(report) => report,
        journal_verify::Outcome::Damaged(error, _) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_copy_is_the_same_journal_and_knows_what_was_acknowledged() {
    let mut journal = SampleJournal::long();
    journal.collect_before(sample_journal::segment(2, 1));
    let folder = written(&journal);
    let (outcome, said) = copied(&folder).await;
    outcome.unwrap();
    assert!(
        said.contains(": 2 segments, 2 checkpoints, ") && said.contains("alluxio.master.journal.folder="),
        "{said}"
    );
    let (from, to) = (verified(&folder, "from").await, verified(&folder, "to").await);
    assert_eq!((to.end, to.digest, &to.durable), (journal.end(), from.digest, &Ok(journal.end())));
    for (id, bytes) in &journal.segments {
        assert_eq!(&std::fs::read(folder.path().join("to").join(id.to_string())).unwrap(), bytes);
    }
    // What is lost of the copy afterwards is missed.
    std::fs::remove_dir_all(folder.path().join("to/epochs/4")).unwrap();
    let path = folder.path().join("to").display().to_string();
    let damaged = journal_verify::run(&conf_of(&[], &path).unwrap()).await.unwrap();
    assert!(matches!(damaged, journal_verify::Outcome::Damaged(..)), "{damaged:?}");
}

#[tokio::test]
async fn a_damaged_journal_is_not_copied_and_nothing_is_written_over() {
    let mut journal = SampleJournal::long();
    journal.segments.get_mut(&sample_journal::segment(2, 0)).unwrap()[200] ^= 1;
    let folder = written(&journal);
    let (outcome, _) = copied(&folder).await;
    assert!(matches!(outcome, Err(CopyError::Source(_))), "{outcome:?}");
    assert!(!folder.path().join("to/FORMAT").exists());

    let folder = written(&SampleJournal::long());
    copied(&folder).await.0.unwrap();
    let (outcome, _) = copied(&folder).await;
    assert!(matches!(&outcome, Err(CopyError::Occupied { what: "a journal already", .. })), "{outcome:?}");
    let text = std::fs::read_to_string(folder.path().join("to/FORMAT")).unwrap();
    std::fs::write(folder.path().join("to/FORMAT"), text.replace("layout=1", "layout=0")).unwrap();
    let (outcome, _) = copied(&folder).await;
    assert!(
        matches!(&outcome, Err(CopyError::Occupied { what: "a part of a copy that was not finished", .. })),
        "{outcome:?}"
    );
    std::fs::remove_file(folder.path().join("to/FORMAT")).unwrap();
    let (outcome, _) = copied(&folder).await;
    assert!(
        matches!(&outcome, Err(CopyError::Occupied { what: "segments or checkpoints already", .. })),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_journal_is_not_copied_into_itself_or_among_other_files() {
    let folder = written(&SampleJournal::long());
    let name = |name: &str| folder.path().join(name).display().to_string();
    std::os::unix::fs::symlink(name("from"), name("link")).unwrap();
    for to in ["from", "from/", "link", "from/epochs/new", "link/new"] {
        let outcome = run(&[], &name("from"), &name(to), &mut Vec::new()).await;
        assert!(matches!(&outcome, Err(CopyError::Same { .. })), "{to}: {outcome:?}");
    }
    assert!(!folder.path().join("from/new").exists());
    std::fs::create_dir(name("to")).unwrap();
    std::fs::write(name("to/other"), "x").unwrap();
    let (outcome, _) = copied(&folder).await;
    assert!(matches!(&outcome, Err(CopyError::Occupied { what: "other files", .. })), "{outcome:?}");
}

#[tokio::test]
async fn a_journal_in_use_is_not_copied() {
    let folder = written(&SampleJournal::long());
    let path = folder.path().join("from").display().to_string();
    let _master = Side::open(&[], &path, MissingFolder::Refuse).unwrap();
    let (outcome, _) = copied(&folder).await;
    assert!(matches!(&outcome, Err(CopyError::Outside(_))), "{outcome:?}");
}
