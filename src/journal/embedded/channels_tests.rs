use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Count {
    fn poll<F: Future + Unpin>(self: &Arc<Self>, future: &mut F) -> Poll<F::Output> {
        Pin::new(future).poll(&mut Context::from_waker(&self.clone().into()))
    }

    fn woken(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn senders_get_room_in_the_order_in_which_they_came() {
    let (sender, mut receiver) = Queues::channel(1);
    let task: [Arc<Count>; 3] = Default::default();
    let mut sending: Vec<_> = (0..4).map(|item| Box::pin(sender.send(item))).collect();
    assert!(task[0].poll(&mut sending[0]).is_ready());
    for at in 0..3 {
        assert!(task[at].poll(&mut sending[at + 1]).is_pending());
    }
    assert_eq!(receiver.try_recv(), Ok(0));
    assert_eq!([0, 1, 2].map(|at| task[at].woken()), [1, 0, 0]);
    // The first gives up what it was woken for: the next one is.
    drop(sending.remove(1));
    assert_eq!([0, 1, 2].map(|at| task[at].woken()), [1, 1, 0]);
    // One that waits gives up: nobody is woken for it.
    drop(sending.remove(2));
    assert_eq!(task[1].woken(), 1);
    assert!(task[1].poll(&mut sending[1]).is_ready());
    assert_eq!(receiver.try_recv(), Ok(2));
}

#[test]
fn a_receiver_that_goes_wakes_all_who_wait_and_returns_their_items() {
    let (sender, receiver) = Queues::channel(1);
    let task: Arc<Count> = Arc::default();
    let mut sending: Vec<_> = (0..3).map(|item| Box::pin(sender.send(item))).collect();
    for (at, sending) in sending.iter_mut().enumerate() {
        assert_eq!(task.poll(sending).is_ready(), at == 0);
    }
    drop(receiver);
    assert_eq!(task.woken(), 2);
    assert_eq!(task.poll(&mut sending[1]), Poll::Ready(Err(SendError(1))));
    assert_eq!(task.poll(&mut sending[2]), Poll::Ready(Err(SendError(2))));
}

#[test]
fn a_lock_goes_to_the_next_one_when_who_was_woken_gives_up() {
    let lock = TaskLock::new(7);
    let task: [Arc<Count>; 2] = Default::default();
    let Poll::Ready(guard) = task[0].poll(&mut Box::pin(Mutex::lock(&lock))) else { panic!("it is free") };
    let mut first = Box::pin(Mutex::lock(&lock));
    let mut second = Box::pin(Mutex::lock(&lock));
    assert!(task[0].poll(&mut first).is_pending());
    assert!(task[1].poll(&mut second).is_pending());
    drop(guard);
    assert_eq!([task[0].woken(), task[1].woken()], [1, 0]);
    drop(first);
    assert_eq!(task[1].woken(), 1);
    assert!(matches!(task[1].poll(&mut second), Poll::Ready(guard) if *guard == 7));
}

#[test]
fn an_answer_that_nobody_awaits_comes_back() {
    let (sender, receiver) = Letters::channel();
    drop(receiver);
    assert_eq!(sender.send(1), Err(1));
    let (sender, mut receiver) = Letters::channel::<u8>();
    let task: Arc<Count> = Arc::default();
    assert!(task.poll(&mut receiver).is_pending());
    drop(sender);
    assert_eq!(task.woken(), 1);
    assert_eq!(task.poll(&mut receiver), Poll::Ready(Err(NeverSent)));
}
