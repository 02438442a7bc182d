use super::*;
use crate::proto::alluxio_rs::hdfs::{RequestHeader, RpcRequestHeader, RpcResponseHeader};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a NameNode does with a call.
#[derive(Debug, Clone, Copy)]
enum Mode {
    /// Says that nothing is there.
    Active,
    Standby,
    Silent,
    Slow(Duration),
}

struct Fake {
    address: String,
    mode: Arc<Mutex<Mode>>,
    /// The methods that were called.
    called: Arc<Mutex<Vec<String>>>,
}

async fn fake(mode: Mode) -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let fake = Fake { address, mode: Arc::new(Mutex::new(mode)), called: Arc::default() };
    let (mode, called) = (fake.mode.clone(), fake.called.clone());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, mode.clone(), called.clone()));
        }
    });
    fake
}

async fn serve(mut stream: TcpStream, mode: Arc<Mutex<Mode>>, called: Arc<Mutex<Vec<String>>>) {
    let mut hello = [0; 7];
    stream.read_exact(&mut hello).await.unwrap();
    while let Ok(length) = stream.read_u32().await {
        let mut bytes = vec![0; length as usize];
        stream.read_exact(&mut bytes).await.unwrap();
        let mut rest = &bytes[..];
        let header = RpcRequestHeader::decode_length_delimited(&mut rest).unwrap();
        if header.call_id < 0 {
            continue; // the connection's context
        }
        called.lock().push(RequestHeader::decode_length_delimited(&mut rest).unwrap().method_name);
        let mode = *mode.lock();
        match mode {
            Mode::Silent => continue,
            Mode::Slow(pause) => tokio::time::sleep(pause).await,
            Mode::Active | Mode::Standby => {}
        }
        let is_standby = matches!(mode, Mode::Standby);
        let answer = RpcResponseHeader {
            call_id: header.call_id as u32,
            status: i32::from(is_standby),
            exception_class_name: is_standby.then(|| "org.apache.hadoop.ipc.StandbyException".into()),
            error_msg: is_standby.then(|| "not now".into()),
            ..Default::default()
        };
        let mut out = answer.encode_length_delimited_to_vec();
        if !is_standby {
            out.push(0); // an answer without anything in it
        }
        stream.write_u32(out.len() as u32).await.unwrap();
        stream.write_all(&out).await.unwrap();
    }
}

fn connection(fakes: &[&Fake]) -> HdfsConnection {
    let mut hadoop = BTreeMap::from([("dfs.nameservices".to_owned(), "pair".to_owned())]);
    let names: Vec<_> = (0..fakes.len()).map(|i| format!("nn{i}")).collect();
    hadoop.insert("dfs.ha.namenodes.pair".into(), names.join(","));
    for (name, fake) in names.iter().zip(fakes) {
        hadoop.insert(format!("dfs.namenode.rpc-address.pair.{name}"), fake.address.clone());
    }
    HdfsConnection::new("hdfs://pair".into(), "someone".into(), hadoop, Some("pair")).unwrap()
}

/// Looks for something; how long it took to hear that it is not there.
async fn look(connection: &HdfsConnection) -> Duration {
    let began = boot_now();
    let asked = connection.ask(|client| async move { client.get_file_info("/a").await });
    let answer = tokio::time::timeout(Duration::from_secs(20), asked).await.expect("an answer");
    assert!(matches!(answer, Err(HdfsError::FileNotFound(_))), "{answer:?}");
    boot_now().since(began)
}

#[tokio::test]
async fn a_silent_namenode_is_left_once_the_other_is_active() {
    let (silent, other) = (fake(Mode::Silent).await, fake(Mode::Standby).await);
    let connection = connection(&[&silent, &other]);
    let becomes_active = async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        *other.mode.lock() = Mode::Active;
    };
    let (took, others, ()) = tokio::join!(look(&connection), look(&connection), becomes_active);
    assert!(took.max(others) < Duration::from_secs(5), "{took:?} {others:?}");
    // The silent one is left alone from then on.
    let asked = silent.called.lock().len();
    assert!(look(&connection).await < SILENT);
    assert_eq!(silent.called.lock().len(), asked);
}

#[tokio::test]
async fn the_other_way_round_as_well() {
    let (first, second) = (fake(Mode::Standby).await, fake(Mode::Active).await);
    let connection = connection(&[&first, &second]);
    // The crate has found it by itself.
    look(&connection).await;
    (*first.mode.lock(), *second.mode.lock()) = (Mode::Active, Mode::Silent);
    let took = look(&connection).await;
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn a_change_is_not_made_again_and_the_next_one_goes_to_who_is_active() {
    let (silent, other) = (fake(Mode::Silent).await, fake(Mode::Active).await);
    let connection = connection(&[&silent, &other]);
    let change = || connection.call(|client| async move { client.mkdirs("/a", 0o755, true).await });
    assert!(tokio::time::timeout(Duration::from_secs(1), change()).await.is_err());
    assert!(!other.called.lock().contains(&"mkdirs".to_owned()));
    let answer = tokio::time::timeout(Duration::from_secs(5), change()).await.expect("an answer");
    assert!(other.called.lock().contains(&"mkdirs".to_owned()), "{answer:?}");
    assert_eq!(silent.called.lock().iter().filter(|method| *method == "mkdirs").count(), 1);
}

#[tokio::test]
async fn one_that_is_slow_is_waited_for() {
    let slow = fake(Mode::Slow(SILENT * 2)).await;
    let connection = connection(&[&slow]);
    for _ in 0..3 {
        let took = look(&connection).await;
        assert!(took < SILENT * 7, "{took:?}");
    }
}

#[tokio::test]
async fn nothing_is_sent_to_silent_namenodes_but_one_search() {
    let silent = fake(Mode::Silent).await;
    let connection = connection(&[&silent]);
    let given_up = |limit| async move {
        let asked = connection.ask(|client| async move { client.get_file_info("/a").await });
        assert!(tokio::time::timeout(limit, asked).await.is_err());
        connection
    };
    let connection = given_up(SILENT * 2).await;
    assert_eq!(silent.called.lock().len(), 2, "the call and the search");
    let asked = (0..20).map(|_| connection.ask(|client| async move { client.get_file_info("/a").await }));
    let mut asked: Vec<_> = asked.map(Box::pin).collect();
    for call in &mut asked {
        assert!(tokio::time::timeout(Duration::from_millis(10), call).await.is_err());
    }
    assert_eq!(silent.called.lock().len(), 2);
}
