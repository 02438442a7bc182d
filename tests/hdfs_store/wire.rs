//! What goes over the wire to the NameNode: long listings, refusals, lost replies.

use crate::bed;
use crate::journal::folder::hdfs::HdfsStore;
use crate::journal::folder::{JournalStore, StoreError};
use crate::store_suite::{format, formatted, segment};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn a_listing_may_have_more_than_one_page() {
    let place = bed::place().await;
    let store = formatted(&place).await;
    store.create(segment(1, 0)).await.unwrap().close().await.unwrap();
    let names: Vec<_> = (0..1234).map(|index| segment(1, index)).collect();
    let paths: Vec<String> = names[1..].iter().map(|name| format!("{}/{name}", place.folder)).collect();
    let mut words = vec!["hdfs", "-touchz"];
    words.extend(paths.iter().map(String::as_str));
    tokio::task::block_in_place(|| bed::testbed(&words));
    assert_eq!(store.list().await.unwrap().segments, names);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn a_user_without_permission_is_refused() {
    let place = bed::place().await;
    formatted(&place).await;
    let mut settings = bed::settings(&place.folder);
    settings.user = "a_stranger".into();
    let failure = HdfsStore::new(settings).unwrap().create(segment(1, 0)).await.err().unwrap();
    let text = failure.to_string();
    assert!(matches!(failure, StoreError::Denied { .. }), "{text}");
    assert!(text.contains("a_stranger") && text.contains("epochs") && !text.contains('\n'), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn too_few_datanodes_are_refused_and_counted() {
    let place = bed::place().await;
    formatted(&place).await;
    let mut settings = bed::settings(&place.folder);
    settings.replication = 9;
    settings.replicas_min = 9;
    let store = HdfsStore::new(settings).unwrap();
    let failure = store.create(segment(1, 0)).await.err().unwrap();
    assert!(matches!(failure, StoreError::Full { .. }), "{failure}");
    // How many are usable depends on what other tests did to them a moment ago.
    let counts = "usable DataNodes, the journal is configured for at least 9";
    assert!(failure.to_string().contains(counts), "{failure}");
    // A master that can create files and not write them must not join.
    let failure = store.probe("ours").await.unwrap_err();
    assert!(matches!(failure, StoreError::Full { .. }) && failure.to_string().contains(counts), "{failure}");
    bed::open(&place.folder).probe("ours").await.expect("the probe that failed has left nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn a_namenode_that_is_not_there_is_named_in_time() {
    // Bound and closed again: nobody listens there.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut settings = bed::settings(&format!("hdfs://{address}/journal"));
    settings.call_budget = Duration::from_millis(500);
    let store = HdfsStore::new(settings).unwrap();
    let failure = tokio::time::timeout(Duration::from_secs(5), store.read_format()).await.unwrap().unwrap_err();
    assert!(matches!(failure, StoreError::Unavailable { .. }), "{failure}");
    assert!(failure.to_string().contains(&address.to_string()), "{failure}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn another_port_of_hdfs_is_no_namenode() {
    let _shared = bed::place().await;
    let datanode = bed::value("TESTBED_DATANODES").split(',').next().unwrap().to_string();
    let mut settings = bed::settings(&format!("hdfs://{datanode}/journal"));
    settings.call_deadline = Duration::from_secs(1);
    settings.call_budget = Duration::from_secs(2);
    let store = HdfsStore::new(settings).unwrap();
    let failure = tokio::time::timeout(Duration::from_secs(10), store.read_format()).await.unwrap().unwrap_err();
    assert!(failure.to_string().contains(&datanode), "{failure}");
}

/// Passes on what goes between a client and the NameNode, but loses the first answer to `method` with its connection.
async fn lose_one_reply(method: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let lost = Arc::new(AtomicUsize::new(0));
    let namenode = bed::value("TESTBED_HDFS").strip_prefix("hdfs://").unwrap().to_string();
    let count = lost.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&namenode).await.unwrap();
            tokio::spawn(pass_on(client, server, method, count.clone()));
        }
    });
    (address, lost)
}

async fn pass_on(mut client: TcpStream, mut server: TcpStream, method: &str, lost: Arc<AtomicUsize>) {
    let (mut up, mut down) = (vec![0; 65536], vec![0; 65536]);
    let mut lose_next = false;
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(bytes @ 1..) = read else { return };
                // The method's name stands in the call with its length before it.
                let call = [&[method.len() as u8], method.as_bytes()].concat();
                let is_call = up[..bytes].windows(call.len()).any(|w| w == call);
                lose_next = lose_next || (is_call && lost.load(Ordering::SeqCst) == 0);
                server.write_all(&up[..bytes]).await.unwrap();
            }
            read = server.read(&mut down) => {
                let Ok(bytes @ 1..) = read else { return };
                if lose_next {
                    lost.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                client.write_all(&down[..bytes]).await.unwrap();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn a_lost_reply_of_create_is_answered_again() {
    let place = bed::place().await;
    formatted(&place).await;
    let (address, lost) = lose_one_reply("create").await;
    let mut settings = bed::settings(&place.folder);
    settings.namenodes = vec![address];
    let store = HdfsStore::new(settings).unwrap();
    // Index 1: the folder of the epoch is there, so the first create takes effect.
    store.create(segment(1, 1)).await.unwrap().close().await.unwrap();
    assert_eq!(lost.load(Ordering::SeqCst), 1);
    assert_eq!(store.list().await.unwrap().segments, [segment(1, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a test bed: scripts/test"]
async fn a_lost_reply_of_rename_is_answered_again() {
    let place = bed::place().await;
    let (address, lost) = lose_one_reply("rename2").await;
    let mut settings = bed::settings(&place.folder);
    settings.namenodes = vec![address];
    let store = HdfsStore::new(settings).unwrap();
    store.write_format(&format("cluster")).await.unwrap();
    assert_eq!(lost.load(Ordering::SeqCst), 1);
    assert_eq!(store.read_format().await.unwrap(), Some(format("cluster")));
}
