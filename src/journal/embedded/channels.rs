//! Pure. Channels and the lock that openraft is given, for the product and the simulator alike: no chance, no clock, no
//! task. Who waits is woken in the order in which it came.

use openraft::async_runtime::{
    Mpsc, MpscReceiver, MpscSender, MpscWeakSender, Mutex, Oneshot, OneshotSender, SendError, TryRecvError,
};
use parking_lot::Mutex as Lock;
use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::ops::{Deref, DerefMut};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Who waits for one thing, by the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Waiting {
    /// Waits, or goes on waiting, at the place `ticket`; the first time it is given one.
    pub(super) fn wait(&mut self, ticket: &mut Option<u64>, waker: &Waker) {
        let at = *ticket.get_or_insert(self.next);
        self.next = self.next.max(at + 1);
        self.wakers.insert(at, waker.clone());
    }

    /// The one that came first; it waits no longer.
    fn first(&mut self) -> Option<Waker> {
        self.wakers.pop_first().map(|(_, waker)| waker)
    }

    /// All that wait, in order; none does any longer.
    pub(super) fn all(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.wakers).into_values().collect()
    }

    /// Gives the place up. The next one to wake, if this one had been woken for a thing that it did not take.
    fn leave(&mut self, ticket: Option<u64>) -> Option<Waker> {
        let was_waiting = self.wakers.remove(&ticket?).is_some();
        if was_waiting { None } else { self.first() }
    }

    /// Gives the place up, where all are woken at once.
    pub(super) fn forget(&mut self, ticket: Option<u64>) {
        ticket.and_then(|ticket| self.wakers.remove(&ticket));
    }
}

/// Bounded queues of many senders and one receiver.
#[derive(Debug)]
pub struct Queues;

#[derive(Debug)]
struct Queue<T> {
    items: VecDeque<T>,
    items_max: usize,
    senders: usize,
    is_received: bool,
    receiver: Option<Waker>,
    waiting: Waiting,
}

/// Puts items into a queue; while one lives, the queue is open.
#[derive(Debug)]
pub struct QueueSender<T>(Arc<Lock<Queue<T>>>);

/// Puts items into a queue as long as a sender lives.
#[derive(Debug)]
pub struct WeakQueueSender<T>(Arc<Lock<Queue<T>>>);

/// Takes the items, in order.
#[derive(Debug)]
pub struct QueueReceiver<T>(Arc<Lock<Queue<T>>>);

/// An item that waits for room. Given up, it leaves its place to the next one.
struct Sending<'a, T> {
    queue: &'a Lock<Queue<T>>,
    item: Option<T>,
    ticket: Option<u64>,
}

// The item is moved, never pinned.
impl<T> Unpin for Sending<'_, T> {}

impl Mpsc for Queues {
    type Sender<T: Send> = QueueSender<T>;
    type Receiver<T: Send> = QueueReceiver<T>;
    type WeakSender<T: Send> = WeakQueueSender<T>;

    fn channel<T: Send>(items_max: usize) -> (QueueSender<T>, QueueReceiver<T>) {
        assert!(items_max > 0, "a queue without room takes nothing");
        let (items, waiting) = (VecDeque::new(), Waiting::default());
        let queue = Queue { items, items_max, senders: 1, is_received: true, receiver: None, waiting };
        let queue = Arc::new(Lock::new(queue));
        (QueueSender(queue.clone()), QueueReceiver(queue))
    }
}

impl<T: Send> MpscSender<Queues, T> for QueueSender<T> {
    fn send(&self, item: T) -> impl Future<Output = Result<(), SendError<T>>> + Send {
        Sending { queue: &self.0, item: Some(item), ticket: None }
    }

    fn downgrade(&self) -> WeakQueueSender<T> {
        WeakQueueSender(self.0.clone())
    }
}

impl<T> Clone for QueueSender<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        QueueSender(self.0.clone())
    }
}

impl<T> Drop for QueueSender<T> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.senders -= 1;
        let receiver = if queue.senders == 0 { queue.receiver.take() } else { None };
        drop(queue);
        wake(receiver);
    }
}

impl<T> Future for Sending<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let mut queue = this.queue.lock();
        let has_room = queue.items.len() < queue.items_max;
        if queue.is_received && !has_room {
            queue.waiting.wait(&mut this.ticket, context.waker());
            return Poll::Pending;
        }
        queue.waiting.forget(this.ticket.take());
        let item = this.item.take().expect("a future is not polled after its end");
        if !queue.is_received {
            return Poll::Ready(Err(SendError(item)));
        }
        queue.items.push_back(item);
        let receiver = queue.receiver.take();
        drop(queue);
        wake(receiver);
        Poll::Ready(Ok(()))
    }
}

impl<T> Drop for Sending<'_, T> {
    fn drop(&mut self) {
        let next = self.queue.lock().waiting.leave(self.ticket);
        wake(next);
    }
}

impl<T: Send> MpscWeakSender<Queues, T> for WeakQueueSender<T> {
    fn upgrade(&self) -> Option<QueueSender<T>> {
        let mut queue = self.0.lock();
        if queue.senders == 0 {
            return None;
        }
        queue.senders += 1;
        Some(QueueSender(self.0.clone()))
    }
}

impl<T> Clone for WeakQueueSender<T> {
    fn clone(&self) -> Self {
        WeakQueueSender(self.0.clone())
    }
}

impl<T> QueueReceiver<T> {
    fn take(&mut self) -> Result<T, TryRecvError> {
        let mut queue = self.0.lock();
        let Some(item) = queue.items.pop_front() else {
            return Err(if queue.senders == 0 { TryRecvError::Disconnected } else { TryRecvError::Empty });
        };
        let sender = queue.waiting.first();
        drop(queue);
        wake(sender);
        Ok(item)
    }

    fn poll_take(&mut self, context: &mut Context<'_>) -> Poll<Option<T>> {
        // Before the look: what is put in after it wakes us.
        self.0.lock().receiver = Some(context.waker().clone());
        match self.take() {
            Ok(item) => Poll::Ready(Some(item)),
            Err(TryRecvError::Disconnected) => Poll::Ready(None),
            Err(TryRecvError::Empty) => Poll::Pending,
        }
    }
}

impl<T: Send> MpscReceiver<T> for QueueReceiver<T> {
    fn recv(&mut self) -> impl Future<Output = Option<T>> + Send {
        poll_fn(|context| self.poll_take(context))
    }

    fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.take()
    }
}

impl<T> Drop for QueueReceiver<T> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.is_received = false;
        let (items, senders) = (std::mem::take(&mut queue.items), queue.waiting.all());
        drop(queue);
        // Items may hold senders of this queue.
        drop(items);
        senders.into_iter().for_each(Waker::wake);
    }
}

/// Channels for one value.
#[derive(Debug)]
pub struct Letters;

#[derive(Debug)]
struct Letter<T> {
    value: Option<T>,
    is_awaited: bool,
    is_sendable: bool,
    receiver: Option<Waker>,
}

/// Sends the value.
#[derive(Debug)]
pub struct LetterSender<T>(Arc<Lock<Letter<T>>>);

/// Becomes the value.
#[derive(Debug)]
pub struct LetterReceiver<T>(Arc<Lock<Letter<T>>>);

/// The sender is gone and has sent nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sender of the answer is gone")]
pub struct NeverSent;

impl Oneshot for Letters {
    type Sender<T: Send> = LetterSender<T>;
    type Receiver<T: Send> = LetterReceiver<T>;
    type ReceiverError = NeverSent;

    fn channel<T: Send>() -> (LetterSender<T>, LetterReceiver<T>) {
        let letter = Letter { value: None, is_awaited: true, is_sendable: true, receiver: None };
        let letter = Arc::new(Lock::new(letter));
        (LetterSender(letter.clone()), LetterReceiver(letter))
    }
}

impl<T: Send> OneshotSender<T> for LetterSender<T> {
    fn send(self, value: T) -> Result<(), T> {
        let mut letter = self.0.lock();
        if !letter.is_awaited {
            return Err(value);
        }
        letter.value = Some(value);
        drop(letter);
        Ok(())
    }
}

impl<T> Drop for LetterSender<T> {
    fn drop(&mut self) {
        let mut letter = self.0.lock();
        letter.is_sendable = false;
        let receiver = letter.receiver.take();
        drop(letter);
        wake(receiver);
    }
}

impl<T> Future for LetterReceiver<T> {
    type Output = Result<T, NeverSent>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut letter = self.0.lock();
        if let Some(value) = letter.value.take() {
            return Poll::Ready(Ok(value));
        }
        if !letter.is_sendable {
            return Poll::Ready(Err(NeverSent));
        }
        letter.receiver = Some(context.waker().clone());
        Poll::Pending
    }
}

impl<T> Drop for LetterReceiver<T> {
    fn drop(&mut self) {
        let mut letter = self.0.lock();
        letter.is_awaited = false;
        let value = letter.value.take();
        drop(letter);
        drop(value);
    }
}

/// A lock that tasks wait for. The value is handed out and comes back, so its guard may move between threads.
#[derive(Debug)]
pub struct TaskLock<T>(Lock<Slot<T>>);

#[derive(Debug)]
struct Slot<T> {
    /// None while a guard has it.
    value: Option<T>,
    waiting: Waiting,
}

/// The value of a lock; it is given back when this is dropped.
#[derive(Debug)]
pub struct TaskLockGuard<'a, T> {
    lock: &'a TaskLock<T>,
    value: Option<T>,
}

/// Waits for a lock. Given up, it leaves its place to the next one.
struct Locking<'a, T> {
    lock: &'a TaskLock<T>,
    ticket: Option<u64>,
}

impl<T: Send + 'static> Mutex<T> for TaskLock<T> {
    type Guard<'a> = TaskLockGuard<'a, T>;

    fn new(value: T) -> Self {
        TaskLock(Lock::new(Slot { value: Some(value), waiting: Waiting::default() }))
    }

    fn lock(&self) -> impl Future<Output = TaskLockGuard<'_, T>> + Send {
        Locking { lock: self, ticket: None }
    }
}

impl<'a, T> Future for Locking<'a, T> {
    type Output = TaskLockGuard<'a, T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let mut slot = this.lock.0.lock();
        let Some(value) = slot.value.take() else {
            slot.waiting.wait(&mut this.ticket, context.waker());
            return Poll::Pending;
        };
        slot.waiting.forget(this.ticket.take());
        Poll::Ready(TaskLockGuard { lock: this.lock, value: Some(value) })
    }
}

impl<T> Drop for Locking<'_, T> {
    fn drop(&mut self) {
        let next = self.lock.0.lock().waiting.leave(self.ticket);
        wake(next);
    }
}

impl<T> Deref for TaskLockGuard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.value.as_ref().expect("given back in drop only")
    }
}

impl<T> DerefMut for TaskLockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("given back in drop only")
    }
}

impl<T> Drop for TaskLockGuard<'_, T> {
    fn drop(&mut self) {
        let mut slot = self.lock.0.lock();
        slot.value = self.value.take();
        let next = slot.waiting.first();
        drop(slot);
        wake(next);
    }
}

/// Outside of every lock: a waker may poll at once, or drop what it holds.
fn wake(waker: Option<Waker>) {
    waker.into_iter().for_each(Waker::wake);
}

#[cfg(test)]
#[path = "channels_tests.rs"]
mod tests;
