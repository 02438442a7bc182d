//! Large directories: streams that their reader holds up, and batches.

use std::time::Duration;

use alluxio::proto::alluxio::grpc::file::list_status_partial_p_options::OffsetType;
use alluxio::proto::alluxio::grpc::file::{
    CreateDirectoryPOptions, CreateDirectoryPRequest, ListStatusPOptions, ListStatusPRequest,
    ListStatusPartialPOptions, ListStatusPartialPRequest, ListStatusPartialPResponse,
};
use tonic::{Code, Status};

use crate::ufs::{Master, in_memory};

async fn mkdir(master: &mut Master, path: String) {
    let options = CreateDirectoryPOptions { recursive: Some(true), ..Default::default() };
    let request = CreateDirectoryPRequest { path: Some(path), options: Some(options) };
    master.client.create_directory(request).await.unwrap();
}

/// So many directories in `/d`, by name.
async fn fill(master: &mut Master, count: usize) -> Vec<String> {
    let paths: Vec<String> = (0..count).map(|number| format!("/d/{number:05}-{}", "x".repeat(200))).collect();
    let made = paths.iter().map(|path| {
        let (mut client, path) = (master.client.clone(), path.clone());
        let options = CreateDirectoryPOptions { recursive: Some(true), ..Default::default() };
        let request = CreateDirectoryPRequest { path: Some(path), options: Some(options) };
        tokio::spawn(async move { client.create_directory(request).await.map(drop) })
    });
    for task in Vec::from_iter(made) {
        task.await.unwrap().unwrap();
    }
    paths
}

#[tokio::test]
async fn a_large_directory_is_told_as_it_was_when_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    let paths = fill(&mut master, 3_500).await;
    for recursive in [false, true] {
        let options = ListStatusPOptions { recursive: Some(recursive), ..Default::default() };
        let request = ListStatusPRequest { path: Some("/d".into()), options: Some(options) };
        let mut messages = master.client.list_status(request).await.unwrap().into_inner();
        let first = messages.message().await.unwrap().unwrap();
        // Nobody waits for who reads, and what happens meanwhile is not seen.
        mkdir(&mut master, format!("/d/99999-{recursive}")).await;
        mkdir(&mut master, format!("/d/00000-{recursive}")).await;
        let mut told: Vec<String> = first.file_infos.into_iter().map(|info| info.path.unwrap()).collect();
        while let Some(message) = messages.message().await.unwrap() {
            told.extend(message.file_infos.into_iter().map(|info| info.path.unwrap()));
        }
        let before: Vec<String> = told.into_iter().filter(|path| !path.ends_with("-false")).collect();
        assert_eq!(before, paths);
    }
}

#[tokio::test]
async fn whoever_goes_away_in_the_middle_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    fill(&mut master, 3_500).await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let request = ListStatusPRequest { path: Some("/d".into()), options: None };
    let mut messages = master.client.list_status(request).await.unwrap().into_inner();
    messages.message().await.unwrap().unwrap();
    drop(messages);
    while tasks() > before {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn batch(
    master: &mut Master,
    path: &str,
    partial: ListStatusPartialPOptions,
) -> Result<ListStatusPartialPResponse, Status> {
    let request = ListStatusPartialPRequest { path: Some(path.into()), options: Some(partial) };
    master.client.list_status_partial(request).await.map(|answer| answer.into_inner())
}

#[tokio::test]
async fn a_directory_is_listed_batch_by_batch() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    let paths = fill(&mut master, 1_300).await;
    let next = |last: &ListStatusPartialPResponse, seen: usize, kind: usize| match kind {
        0 => OffsetType::OffsetId(last.file_infos.last().unwrap().file_id()),
        1 => OffsetType::StartAfter(last.file_infos.last().unwrap().path().to_owned()),
        2 => OffsetType::StartAfter(last.file_infos.last().unwrap().name().to_owned()),
        _ => OffsetType::OffsetCount(i32::try_from(seen).unwrap()),
    };
    for kind in 0..4 {
        let (mut seen, mut offset_type) = (Vec::new(), None);
        loop {
            let partial = ListStatusPartialPOptions { batch_size: Some(400), offset_type, ..Default::default() };
            let answer = batch(&mut master, "/d", partial).await.unwrap();
            assert_eq!(answer.file_count(), 1_300);
            seen.extend(answer.file_infos.iter().map(|info| info.path().to_owned()));
            assert_eq!(answer.is_truncated(), seen.len() < 1_300, "after {}", seen.len());
            if !answer.is_truncated() {
                break;
            }
            offset_type = Some(next(&answer, seen.len(), kind));
        }
        assert_eq!(seen, paths, "by offset {kind}");
    }
}

#[tokio::test]
async fn of_a_batch_what_is_told_besides_and_what_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut master = in_memory(folder.path()).await;
    for path in ["/d/a/x", "/d/ab", "/d/b"] {
        mkdir(&mut master, path.into()).await;
    }
    let recursive = Some(ListStatusPOptions { recursive: Some(true), ..Default::default() });
    let names = |answer: &ListStatusPartialPResponse| -> Vec<String> {
        answer.file_infos.iter().map(|info| info.name().to_owned()).collect()
    };
    let tree = ListStatusPartialPOptions { options: recursive, prefix: Some("/a".into()), ..Default::default() };
    let answer = batch(&mut master, "/d", tree).await.unwrap();
    assert_eq!(
        (names(&answer), answer.file_count(), answer.is_truncated()),
        (vec!["a".into(), "x".into(), "ab".into()], -1, false)
    );
    let none = ListStatusPartialPOptions { batch_size: Some(0), ..Default::default() };
    let answer = batch(&mut master, "/d", none).await.unwrap();
    assert_eq!((answer.file_infos.len(), answer.file_count(), answer.is_truncated()), (0, 3, true));
    let elsewhere = OffsetType::StartAfter("/e/x".into());
    let elsewhere = ListStatusPartialPOptions { offset_type: Some(elsewhere), ..Default::default() };
    let refused = batch(&mut master, "/d", elsewhere).await.unwrap_err();
    let text = "The start after partial listing option /e/x is not a prefix of the listing path /d";
    assert_eq!((refused.code(), refused.message()), (Code::InvalidArgument, text));
    let gone = ListStatusPartialPOptions { offset_type: Some(OffsetType::OffsetId(77)), ..Default::default() };
    assert_eq!(batch(&mut master, "/d", gone).await.unwrap_err().code(), Code::NotFound);
    let negative = ListStatusPartialPOptions { batch_size: Some(-1), ..Default::default() };
    assert_eq!(batch(&mut master, "/d", negative).await.unwrap_err().message(), "The batch size is -1, below 0.");
}
