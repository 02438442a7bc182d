use super::*;
use crate::journal::entry::{AddMountPoint, Entry};
use crate::tools::sample_journal::{SampleJournal, format, segment};
use crate::types::AlluxioPath;

/// What is shown, and why it ends.
async fn shown(journal: &SampleJournal, wanted: Wanted) -> (Result<(), ReadError>, String) {
    let (store, witness) = (journal.store(), Witness::of(&journal.node()));
    let mut output = Vec::new();
    let outcome = match wanted.segment {
        Some(segment) => read_segment(&store, segment, wanted, Writers::AreOver, &mut output).await,
        None => read(&store, &format(), witness, Writers::AreOver, wanted, &mut output).await,
    };
    (outcome, String::from_utf8(output).unwrap())
}

fn sequences(output: &str) -> Vec<u64> {
    output.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["sequence"].as_u64().unwrap()).collect()
}

#[test]
fn words_ask_for_records() {
    let parsed = Wanted::parse(&["--from", "3", "--json", "--to", "9", "--segment", "epochs/3/0.log"]);
    let segment = Some(segment(3, 0));
    assert_eq!(parsed, Ok(Wanted { from: 3, to: 9, segment, shape: Shape::Json }));
    assert_eq!(Wanted::parse(&["-start", "0", "-end", "5"]), Ok(Wanted { to: 5, ..Wanted::ALL }));
    for (words, part) in [
        (&["--from"][..], "--from needs a value"),
        (&["--from", "x"], "--from x: a record number"),
        (&["--segment", "3/0"], "--segment 3/0: a name is expected like epochs/3/0.log"),
        (&["--from", "3", "--to", "2"], "--from 3 is behind --to 2"),
        (&["all"], "all is no option"),
        (&["-inputDir", "/j"], "-inputDir of 2.9 is not taken here: name the journal by -D"),
    ] {
        let wrong = Wanted::parse(words).unwrap_err();
        assert!(wrong.starts_with(part), "{wrong}");
    }
}

#[tokio::test]
async fn acknowledged_records_are_shown_as_text_and_as_json() {
    let mut journal = SampleJournal::long();
    journal.records(1);
    let json = Wanted { shape: Shape::Json, from: 4, ..Wanted::ALL };
    let (outcome, output) = shown(&journal, json).await;
    outcome.unwrap();
    // No mark says that the last one was answered, but the epoch node does.
    assert_eq!(sequences(&output), (4..=16).collect::<Vec<_>>());
    journal.answered = journal.at(15);
    let (outcome, output) = shown(&journal, json).await;
    outcome.unwrap();
    assert_eq!(sequences(&output), (4..=15).collect::<Vec<_>>());
    let first: Value = serde_json::from_str(output.lines().next().unwrap()).unwrap();
    assert_eq!((&first["segment"], &first["mark"], &first["epoch"]), (&json!("epochs/1/0.log"), &json!(3), &json!(1)));
    assert_eq!(first["entries"], json!([{"BlockContainerIdGenerator": {"next_container": 4}}]));
    let (outcome, output) = shown(&journal, Wanted { from: 4, to: 4, ..Wanted::ALL }).await;
    outcome.unwrap();
    let position = journal.at(4);
    let expected =
        format!("record {position} epoch 1 mark 3 epochs/1/0.log\n  BlockContainerIdGenerator next_container=4\n");
    assert_eq!(output, expected);
}

#[tokio::test]
async fn what_is_whole_before_damage_is_shown_and_then_the_damage_is_said() {
    let mut journal = SampleJournal::long();
    let at = journal.segments[&segment(2, 0)].len() - 5;
    journal.segments.get_mut(&segment(2, 0)).unwrap()[at] ^= 1;
    let (outcome, output) = shown(&journal, Wanted { shape: Shape::Json, ..Wanted::ALL }).await;
    assert_eq!(sequences(&output), (1..=7).collect::<Vec<_>>());
    let error = outcome.unwrap_err();
    assert!(matches!(&error, ReadError::Ends { shown, .. } if *shown == journal.at(7)), "{error:?}");
    // What is asked for lies before it.
    let (outcome, output) = shown(&journal, Wanted { shape: Shape::Json, to: 6, ..Wanted::ALL }).await;
    outcome.unwrap();
    assert_eq!(sequences(&output), (1..=6).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_collected_journal_says_where_its_records_begin() {
    let mut journal = SampleJournal::long();
    journal.collect_before(segment(2, 1));
    let (outcome, output) = shown(&journal, Wanted::ALL).await;
    outcome.unwrap();
    assert!(output.starts_with("records up to 9 are in checkpoints/"), "{output}");
    assert_eq!(output.lines().filter(|line| line.starts_with("record ")).count(), 6);
}

#[tokio::test]
async fn one_segment_is_shown_with_what_is_behind_its_damage() {
    let mut journal = SampleJournal::long();
    let wanted = Wanted { segment: Some(segment(2, 1)), ..Wanted::ALL };
    let (outcome, output) = shown(&journal, wanted).await;
    outcome.unwrap();
    let first =
        format!("epochs/2/1.log continues the history 0000000000000007 after record {} at byte ", journal.at(8));
    assert!(output.starts_with(&first), "{output}");
    let bytes = journal.segments.get_mut(&segment(2, 1)).unwrap();
    let middle = bytes.len() - 80;
    bytes[middle] ^= 1;
    let (outcome, output) = shown(&journal, Wanted { shape: Shape::Json, ..wanted }).await;
    assert_eq!(sequences(&output).len(), 2);
    assert!(matches!(outcome, Err(ReadError::Damaged { gaps, .. }) if gaps.len() == 1));
}

#[test]
fn secrets_of_a_mount_are_not_shown() {
    let property = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let entry = Entry::AddMountPoint(AddMountPoint {
        path: AlluxioPath::parse("/m").unwrap(),
        ufs_path: "s3://b".into(),
        read_only: false,
        shared: false,
        properties: vec![property("aws.secretKey", "hush"), property("s3a.endpoint", "e")],
        mount_id: 3,
    });
    let mut shown = serde_json::to_value(&entry).unwrap();
    mask(&mut shown);
    let line = text(&shown);
    assert!(line.starts_with("AddMountPoint ") && line.contains("s3a.endpoint") && line.contains("/m"), "{line}");
    assert!(!line.contains("hush"), "{line}");
}
