use super::*;
use crate::journal::folder::StoreError;
use crate::proto::alluxio_rs::hdfs::{RequestHeader, RpcRequestHeader, RpcResponseHeader};
use parking_lot::Mutex;
use std::collections::{BTreeMap, VecDeque};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a NameNode does with a call.
#[derive(Debug, Clone)]
enum Reply {
    True,
    Exception(&'static str, &'static str),
    Fatal(&'static str, &'static str),
    HangUp,
    Never,
}

/// A call as the NameNode saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    method: String,
    client_id: Vec<u8>,
    call_id: i32,
    retry_count: i32,
}

#[derive(Debug)]
struct Fake {
    address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
}

/// A NameNode that follows a script, over all its connections; then it answers "true" to everything.
async fn fake(script: &[Reply]) -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let script = Arc::new(Mutex::new(VecDeque::from(script.to_vec())));
    let fake = Fake { address, seen: Arc::default(), connections: Arc::default() };
    let (seen, connections) = (fake.seen.clone(), fake.connections.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            connections.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(serve(stream, script.clone(), seen.clone()));
        }
    });
    fake
}

async fn serve(mut stream: TcpStream, script: Arc<Mutex<VecDeque<Reply>>>, seen: Arc<Mutex<Vec<Seen>>>) {
    let mut hello = [0; 7];
    stream.read_exact(&mut hello).await.unwrap();
    assert_eq!(&hello, b"hrpc\x09\x00\x00");
    while let Ok(length) = stream.read_u32().await {
        let mut bytes = vec![0; length as usize];
        stream.read_exact(&mut bytes).await.unwrap();
        let mut rest = &bytes[..];
        let header = RpcRequestHeader::decode_length_delimited(&mut rest).unwrap();
        if header.call_id < 0 {
            continue; // the connection's context
        }
        let method = RequestHeader::decode_length_delimited(&mut rest).unwrap().method_name;
        let retry_count = header.retry_count.unwrap();
        seen.lock().push(Seen { method, client_id: header.client_id, call_id: header.call_id, retry_count });
        let reply = script.lock().pop_front().unwrap_or(Reply::True);
        let (status, failure) = match reply {
            Reply::True => (0, None),
            Reply::Exception(class, message) => (1, Some((class, message))),
            Reply::Fatal(class, message) => (2, Some((class, message))),
            Reply::HangUp => return,
            Reply::Never => continue,
        };
        let answer = RpcResponseHeader {
            call_id: header.call_id as u32,
            status,
            exception_class_name: failure.map(|f| f.0.into()),
            error_msg: failure.map(|f| f.1.into()),
            ..Default::default()
        };
        let mut out = answer.encode_length_delimited_to_vec();
        if failure.is_none() {
            out.extend(BoolResponse { result: true }.encode_length_delimited_to_vec());
        }
        stream.write_u32(out.len() as u32).await.unwrap();
        stream.write_all(&out).await.unwrap();
    }
}

fn namenode(fakes: &[&Fake]) -> NameNode {
    let addresses = fakes.iter().map(|fake| fake.address.clone()).collect();
    let services = BTreeMap::from([("ns".to_string(), addresses)]);
    let mut settings = HdfsSettings::parse("hdfs://ns/journal", "someone", &services).unwrap();
    settings.call_deadline = Duration::from_millis(300);
    settings.call_budget = Duration::from_secs(5);
    NameNode::new(&settings, "client".into())
}

const STANDBY: Reply = Reply::Exception(
    "org.apache.hadoop.ipc.StandbyException",
    "Operation category READ is not supported in state standby\n\tat org.apache",
);

#[tokio::test]
async fn a_standby_sends_the_call_to_the_other_namenode() {
    let (standby, active) = (fake(&[STANDBY]).await, fake(&[]).await);
    let namenode = namenode(&[&standby, &active]);
    assert!(namenode.recover_lease("/a").await.unwrap());
    let (first, second) = (standby.seen.lock().clone(), active.seen.lock().clone());
    assert_eq!((first.len(), second.len()), (1, 1));
    // The same call for whoever remembers answers.
    assert_eq!((&first[0].client_id, first[0].call_id), (&second[0].client_id, second[0].call_id));
    assert_eq!((first[0].retry_count, second[0].retry_count), (0, 1));

    // The active one is remembered, and another call has another id.
    namenode.delete("/b").await.unwrap();
    assert_eq!(standby.seen.lock().len(), 1);
    assert_ne!(active.seen.lock()[1].call_id, second[0].call_id);
}

#[tokio::test]
async fn a_silent_namenode_keeps_no_call_from_the_other_one() {
    let silent = fake(&vec![Reply::Never; 100]).await;
    // It is made the active one a little later.
    let other = fake(&[STANDBY, STANDBY]).await;
    let mut namenode = namenode(&[&silent, &other]);
    (namenode.call_deadline, namenode.budget) = (Duration::from_secs(10), Duration::from_secs(20));
    let began = boot_now();
    namenode.delete("/a").await.unwrap();
    let took = boot_now().since(began);
    assert!(took >= ALONE && took < Duration::from_secs(5), "{took:?}");
    let (first, last) = (silent.seen.lock()[0].clone(), other.seen.lock()[2].clone());
    assert_eq!((first.client_id, first.call_id), (last.client_id, last.call_id));

    // The next call asks the other one first.
    let asked = silent.seen.lock().len();
    namenode.delete("/b").await.unwrap();
    assert_eq!((silent.seen.lock().len(), other.seen.lock().len()), (asked, 4));
}

#[tokio::test]
async fn calls_do_not_wait_in_turn_for_a_connection() {
    // Accepts nothing beyond the connections that wait already, as a host that has vanished.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        waiting.push(stream);
        assert!(waiting.len() < 100, "the queue of connections has no end");
    }
    let ipc = Ipc::new(address.to_string(), NAMENODE_PROTOCOL, "u", Arc::new(Caller::new()), Duration::from_secs(2));
    let began = boot_now();
    let call = |id| ipc.call::<_, Empty>("fsync", &Empty {}, id, 0, Duration::from_millis(500));
    let answers = tokio::join!(call(1), call(2), call(3));
    let took = boot_now().since(began);
    for failure in [answers.0.unwrap_err(), answers.1.unwrap_err(), answers.2.unwrap_err()] {
        assert!(matches!(failure, HdfsError::Deadline { .. }), "{failure}");
    }
    assert!(took < Duration::from_millis(1_400), "{took:?}");
}

#[tokio::test]
async fn a_lost_or_late_answer_is_asked_for_again_by_the_same_id() {
    let only = fake(&[Reply::HangUp, Reply::Never, Reply::True]).await;
    namenode(&[&only]).delete("/a").await.unwrap();
    let seen = only.seen.lock().clone();
    assert_eq!(seen.iter().map(|s| s.retry_count).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(seen.iter().all(|s| (&s.client_id, s.call_id) == (&seen[0].client_id, seen[0].call_id)));
    assert_eq!(only.connections.load(Ordering::Relaxed), 3, "a suspicious connection is not used again");
}

#[tokio::test]
async fn a_refusal_is_final_and_shows_its_first_line() {
    let only = fake(&[Reply::Exception("org.x.AccessControlException", "no\n\tat a stack trace")]).await;
    let failure = namenode(&[&only]).delete("/a").await.unwrap_err();
    assert_eq!(only.seen.lock().len(), 1);
    let StoreError::Denied { object, reason } = failure.into_store_error("delete", "hdfs://ns/a") else {
        panic!("not a denial")
    };
    assert_eq!((object.as_str(), reason.as_str()), ("hdfs://ns/a", "no"));
}

#[tokio::test]
async fn a_secured_cluster_is_named_as_such() {
    let message = "SIMPLE authentication is not enabled.  Available:[TOKEN, KERBEROS]";
    let only = fake(&[Reply::Fatal("org.apache.hadoop.security.AccessControlException", message)]).await;
    let failure = namenode(&[&only]).delete("/a").await.unwrap_err().into_store_error("delete", "/a");
    assert!(matches!(failure, StoreError::Denied { .. }));
    assert!(failure.to_string().contains("Kerberos"), "{failure}");
}

#[tokio::test]
async fn calls_do_not_wait_for_one_another() {
    let only = fake(&[Reply::Never]).await;
    let namenode = namenode(&[&only]);
    let (slow, quick) = tokio::join!(namenode.recover_lease("/slow"), async {
        while only.seen.lock().is_empty() {
            tokio::task::yield_now().await;
        }
        tokio::time::timeout(Duration::from_millis(200), namenode.renew_lease()).await
    });
    quick.unwrap().unwrap();
    assert!(slow.unwrap(), "answered at the second try");
}

#[tokio::test]
async fn without_any_answer_a_call_ends_by_its_budget() {
    let only = fake(&vec![STANDBY; 100]).await;
    let mut namenode = namenode(&[&only]);
    namenode.budget = Duration::from_millis(500);
    let began = boot_now();
    let failure = namenode.delete("/a").await.unwrap_err();
    assert!(failure.is("StandbyException") && boot_now().since(began) < Duration::from_secs(2), "{failure}");
}

#[test]
fn an_exception_is_told_whole_but_for_its_stack() {
    let message = "file /x on client c.\nRequested replication 9999 exceeds maximum 512\n\tat a.b.C(C.java:1)\n\tat d";
    let told = HdfsError::remote("nn:8020", "java.io.IOException", message).to_string();
    assert_eq!(told, "nn:8020: IOException: file /x on client c. Requested replication 9999 exceeds maximum 512");
    assert_eq!(HdfsError::remote("nn:8020", "a.B", "").to_string(), "nn:8020: B: ");
}

#[test]
fn exceptions_have_their_kind() {
    let kind = |class: &str, message: &str| {
        let failure = HdfsError::remote("nn:8020", class, message);
        format!("{:?}", failure.into_store_error("create", "x")).split_once(' ').unwrap().0.to_string()
    };
    for (class, expected) in [
        ("java.io.FileNotFoundException", "NotFound"),
        ("org.apache.hadoop.fs.FileAlreadyExistsException", "Exists"),
        ("org.apache.hadoop.hdfs.protocol.AlreadyBeingCreatedException", "Exists"),
        ("org.apache.hadoop.hdfs.protocol.RecoveryInProgressException", "Exists"),
        ("org.apache.hadoop.security.AccessControlException", "Denied"),
        ("org.apache.hadoop.hdfs.protocol.DSQuotaExceededException", "Full"),
        ("org.apache.hadoop.hdfs.protocol.NSQuotaExceededException", "Full"),
        ("org.apache.hadoop.hdfs.server.namenode.LeaseExpiredException", "Unavailable"),
        ("org.apache.hadoop.hdfs.server.namenode.Outer$SafeModeException", "Unavailable"),
        ("java.io.IOException", "Unavailable"),
    ] {
        assert_eq!(kind(class, "text"), expected, "{class}");
    }
    let message = "File /a could only be written to 0 of the 1 minReplication nodes.";
    assert_eq!(kind("java.io.IOException", message), "Full");
    let message = "File /a could only be replicated to 0 nodes instead of minReplication (=1).";
    assert_eq!(kind("java.io.IOException", message), "Full");
}
