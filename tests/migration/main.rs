//! Journals of the original 2.9.6 master: imported, and exported for it. What it answered about every path, ours answers,
//! and so does another one that starts on our export.
//!
//! Needs Java and its jars (`scripts/java-master`); no other service.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../harness/free_port.rs"]
mod free_port;
mod masters;

use masters::{Java, Ours, copy, folder_with_ufs, only_file_in};
use std::path::Path;

/// Lines that both answers do not have in common, for people.
fn assert_equal(ours: &str, theirs: &str, when: &str) {
    let missing: Vec<&str> = theirs.lines().filter(|line| !ours.lines().any(|other| other == *line)).collect();
    let added: Vec<&str> = ours.lines().filter(|line| !theirs.lines().any(|other| other == *line)).collect();
    assert!(missing.is_empty() && added.is_empty(), "{when}\nmissing: {missing:#?}\nadded: {added:#?}");
    assert!(theirs.lines().count() > 60, "{when}: the namespace has all kinds of things: {theirs}");
}

/// Imports a journal into a new folder, and gives what a master of ours answers on it.
fn answers_after_import(folder: &Path, journal: &Path) -> (Ours, String) {
    let ours = Ours::new(folder);
    ours.alluxio(&["format"]).unwrap();
    let dry = ours.alluxio(&["journal", "import", &journal.display().to_string(), "--dry-run"]).unwrap();
    assert!(dry.contains("Nothing was written") && !dry.contains("access lists"), "{dry}");
    let said = ours.alluxio(&["journal", "import", &journal.display().to_string()]).unwrap();
    assert!(said.contains("imported into"), "{said}");
    ours.alluxio(&["journal", "verify"]).unwrap();
    let running = ours.start();
    let tree = running.tree();
    drop(running);
    (ours, tree)
}

#[test]
#[ignore = "needs the original master: scripts/test"]
fn what_2_9_6_answered_is_answered_by_ours_and_by_2_9_6_again() {
    let folder = folder_with_ufs();
    let at = folder.path();
    let java = Java::new(at, "java", "HEAP", &at.join("java-journal"));
    java.format();
    let running = java.start();
    running.make();
    let answers = running.tree();

    // As it lies there while the master runs, with logs that are not finished.
    copy(&at.join("java-journal"), &at.join("open"));
    running.stop();
    let (ours, tree) = answers_after_import(&at.join("ours"), &at.join("open"));
    assert_equal(&tree, &answers, "logs only, not finished");

    // A namespace is not imported into another one.
    let again = ours.alluxio(&["journal", "import", &at.join("open").display().to_string()]);
    assert!(again.unwrap_err().contains("holds a namespace already"));

    for store in ["HEAP", "ROCKS"] {
        let exported = at.join(format!("exported-{store}"));
        let said = ours.alluxio(&["journal", "export", &exported.display().to_string()]).unwrap();
        assert!(said.contains("exported up to record"), "{said}");
        let java = Java::new(at, &format!("java-{store}"), store, &exported);
        let running = java.start();
        assert_equal(&running.tree(), &answers, &format!("2.9.6 with {store} on our export"));
        running.fs(&["mkdir", "/after-migration"]);
        running.stop();
    }
}

/// The original takes minutes for each of them.
#[test]
#[ignore = "needs the original master: scripts/test --long migration"]
fn checkpoints_and_backups_of_2_9_6_are_read_and_a_backup_of_ours_by_2_9_6() {
    let folder = folder_with_ufs();
    let at = folder.path();
    let java = Java::new(at, "java", "HEAP", &at.join("java-journal"));
    java.format();
    let running = java.start();
    running.make();
    let answers = running.tree();

    running.checkpoint();
    running.stop();
    let (_, tree) = answers_after_import(&at.join("ours"), &at.join("java-journal"));
    assert_equal(&tree, &answers, "checkpoints of the metastore HEAP");

    let java = Java::new(at, "java-again", "HEAP", &at.join("java-journal"));
    let running = java.start();
    // The shell of 2.9.6 gives up before a master has started.
    assert_equal(&running.tree(), &answers, "2.9.6 on its own checkpoints");
    let backup = running.backup();
    running.stop();
    let (restored, tree) = answers_after_import(&at.join("ours-restored"), &backup);
    assert_equal(&tree, &answers, "a backup of 2.9.6");
    let running = restored.start();
    let said = running.fsadmin(&["backup", &at.join("our-backups").display().to_string(), "--local"]);
    assert!(said.contains("Backup Entry Count : "), "{said}");
    drop(running);
    let ours_to_java = Java::new(at, "java-restored", "ROCKS", &at.join("java-restored-journal"));
    ours_to_java.format();
    let running = ours_to_java.start_from(&only_file_in(&at.join("our-backups")));
    assert_equal(&running.tree(), &answers, "a backup of ours");
    running.stop();
}

#[test]
fn the_journal_of_1_2_0_is_imported_and_what_is_no_journal_is_refused() {
    let folder = folder_with_ufs();
    let ours = Ours::new(&folder.path().join("ours"));
    let golden = format!("{}/tests/data/legacy-journals/v0-1.2.0", env!("CARGO_MANIFEST_DIR"));
    let refused = ours.alluxio(&["journal", "import", &format!("{golden}/running")]).unwrap_err();
    assert!(refused.contains("format"), "{refused}");
    ours.alluxio(&["format"]).unwrap();
    let refused = ours.alluxio(&["journal", "import", &format!("{golden}/running/BlockMaster")]).unwrap_err();
    assert!(refused.contains("holds no journal of Alluxio"), "{refused}");
    let dry = ours.alluxio(&["journal", "import", &format!("{golden}/running"), "--dry-run"]).unwrap();
    assert!(dry.contains("layout v0") && dry.contains("namespace: 9 directories, 4 files (0 incomplete)"), "{dry}");
    let said = ours.alluxio(&["journal", "import", &format!("{golden}/running")]).unwrap();
    assert!(said.contains("3 committed blocks, 1 mounts"), "{said}");
    let running = ours.start();
    // Not below /mnt, whose under-store is not there.
    let listed: String = ["/", "/a/b", "/c", "/c/d", "/后"].map(|path| running.fs(&["ls", path])).concat();
    for path in ["/a/b/big.bin", "/c/d/renamed.txt", "/c/e2", "/后/中文文件", "/with-dash_and.dot"] {
        assert!(listed.lines().any(|line| line.trim_end().ends_with(path)), "{path} in {listed}");
    }
}

/// `commands.txt` beside the journals says what was done, and `src/tools/legacy/source_tests.rs` compares all of it.
#[test]
fn masters_of_ours_start_on_journals_of_1_4_0_and_1_8_1() {
    for (journal, blocks) in [
        ("v0-1.4.0/later", "[805306368, 805306369, 805306370, 805306371, 805306372]"),
        ("v1-1.8.1/later", "[905969664, 905969665, 905969666, 905969667, 905969668]"),
        ("v1-1.8.1/backup.gz", "[905969664, 905969665, 905969666, 905969667, 905969668]"),
    ] {
        let folder = folder_with_ufs();
        let ours = Ours::new(&folder.path().join("ours"));
        ours.alluxio(&["format"]).unwrap();
        let journal = format!("{}/tests/data/legacy-journals/{journal}", env!("CARGO_MANIFEST_DIR"));
        let said = ours.alluxio(&["journal", "import", &journal]).unwrap();
        assert!(said.contains("imported into"), "{said}");
        ours.alluxio(&["journal", "verify"]).unwrap();
        let running = ours.start();
        let listed: String = ["/a", "/odd", "/moved-to/deeper"].map(|path| running.fs(&["ls", path])).concat();
        for path in ["/a/four", "/odd/100%", "/odd/😀", "/odd/后中文", "/moved-to/deeper/new"] {
            assert!(listed.lines().any(|line| line.trim_end().ends_with(path)), "{path} in {listed}");
        }
        // A file of a lineage, whose blocks its writer chose.
        let info = running.fs(&["fileInfo", "/lin/last"]);
        for field in ["length=1500", "blockSizeBytes=300", "ttl=96000000000", &format!("blockIds={blocks}")] {
            assert!(info.contains(field), "{field} in {info}");
        }
    }
}
