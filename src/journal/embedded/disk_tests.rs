use super::super::channels::{Letters, Queues};
use super::super::local_disk::LocalDisk;
use super::super::memory_disk::MemoryDisk;
use super::super::runtime::TokioRuntime;
use super::*;
use openraft::async_runtime::{Mpsc, MpscSender, Oneshot};

/// What the segments hold, without the room behind it.
async fn content(disk: &mut impl LogDisk) -> Vec<(u64, Vec<u8>)> {
    let end = |content: &Bytes| content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let segments = disk.read().await.unwrap();
    segments.iter().map(|(segment, content)| (*segment, content[..end(content)].to_vec())).collect()
}

/// Every disk must behave like this.
async fn suite(mut disk: impl LogDisk) {
    assert_eq!(content(&mut disk).await, []);
    disk.create(1).await.unwrap();
    disk.append(b"ab".to_vec()).await.unwrap();
    disk.append(b"cd".to_vec()).await.unwrap();
    disk.create(2).await.unwrap();
    disk.append(b"ef".to_vec()).await.unwrap();
    assert_eq!(content(&mut disk).await, [(1, b"abcd".to_vec()), (2, b"ef".to_vec())]);
    assert!(disk.create(2).await.is_err(), "it is there");
    disk.cut(1, 3).await.unwrap();
    assert_eq!(disk.read().await.unwrap()[0], (1, Bytes::from_static(b"abc")));
    disk.delete(1).await.unwrap();
    assert!(disk.delete(1).await.is_err() && disk.cut(1, 0).await.is_err());
    disk.append(b"gh".to_vec()).await.unwrap();
    assert_eq!(content(&mut disk).await, [(2, b"efgh".to_vec())]);
}

#[tokio::test]
async fn disk_suite_in_memory() {
    suite(MemoryDisk::default()).await;
}

#[tokio::test]
async fn disk_suite_on_local_files() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("LOCK"), "").unwrap();
    suite(LocalDisk::new(folder.path().to_owned())).await;
    suite(LocalDisk::new(folder.path().join("raft"))).await;
}

/// Takes two appends, then fails.
struct Failing(usize);

impl LogDisk for Failing {
    async fn read(&mut self) -> io::Result<Vec<(u64, Bytes)>> {
        Ok(Vec::new())
    }

    async fn create(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }

    async fn append(&mut self, _: Vec<u8>) -> io::Result<()> {
        assert!(self.0 > 0, "nothing is asked of a disk that has failed");
        self.0 -= 1;
        if self.0 > 0 { Ok(()) } else { Err(io::Error::other("no")) }
    }

    async fn cut(&mut self, _: u64, _: u64) -> io::Result<()> {
        Ok(())
    }

    async fn delete(&mut self, _: u64) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn everybody_is_told_of_a_disk_that_fails_and_it_is_left_alone() {
    let (orders, ordered) = Queues::channel(1);
    let writing = tokio::spawn(write_orders::<_, TokioRuntime>(Failing(2), ordered));
    let mut outcomes = Vec::new();
    for _ in 0..4 {
        let (done, outcome) = Letters::channel();
        let order = Order { steps: vec![Step::Append(Bytes::from_static(b"a"))], done: IOFlushed::signal(done) };
        assert!(orders.send(order).await.is_ok());
        outcomes.push(outcome.await.unwrap().map_err(|error| error.to_string()));
    }
    let no = Err("no".to_owned());
    assert_eq!(outcomes, [Ok(()), no.clone(), no.clone(), no]);
    drop(orders);
    writing.await.unwrap();
}
