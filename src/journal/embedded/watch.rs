//! Pure. The watched value that openraft is given: one value, its changes, and who waits for the next.

use super::channels::Waiting;
use openraft::async_runtime::watch::{RecvError, SendError};
use openraft::async_runtime::{Watch, WatchReceiver, WatchSender};
use parking_lot::{Mutex as Lock, RwLock, RwLockReadGuard};
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Poll, Waker};

/// Watched values.
#[derive(Debug)]
pub struct Watches;

#[derive(Debug)]
struct Watched<T> {
    /// Locked before `changes`.
    value: RwLock<T>,
    changes: Lock<Changes>,
}

#[derive(Debug)]
struct Changes {
    count: u64,
    senders: usize,
    receivers: usize,
    waiting: Waiting,
}

/// Changes the value.
#[derive(Debug)]
pub struct WatchedSender<T>(Arc<Watched<T>>);

/// Sees the value, and learns that it has changed.
#[derive(Debug)]
pub struct WatchedReceiver<T> {
    watched: Arc<Watched<T>>,
    /// Changes that it knows of.
    seen: u64,
    ticket: Option<u64>,
}

impl Watch for Watches {
    type Sender<T: Send + Sync> = WatchedSender<T>;
    type Receiver<T: Send + Sync> = WatchedReceiver<T>;
    type Ref<'a, T: Send + 'a> = RwLockReadGuard<'a, T>;

    fn channel<T: Send + Sync>(value: T) -> (WatchedSender<T>, WatchedReceiver<T>) {
        let changes = Changes { count: 0, senders: 1, receivers: 1, waiting: Waiting::default() };
        let watched = Arc::new(Watched { value: RwLock::new(value), changes: Lock::new(changes) });
        (WatchedSender(watched.clone()), WatchedReceiver { watched, seen: 0, ticket: None })
    }
}

impl<T: Send + Sync> WatchSender<Watches, T> for WatchedSender<T> {
    fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.0.changes.lock().receivers == 0 {
            return Err(SendError(value));
        }
        let mut old = value;
        self.send_if_modified(|current| {
            std::mem::swap(current, &mut old);
            true
        });
        Ok(())
    }

    fn send_if_modified<F: FnOnce(&mut T) -> bool>(&self, modify: F) -> bool {
        let mut value = self.0.value.write();
        if !modify(&mut value) {
            return false;
        }
        let mut changes = self.0.changes.lock();
        changes.count += 1;
        let waiting = changes.waiting.all();
        drop(changes);
        drop(value);
        waiting.into_iter().for_each(Waker::wake);
        true
    }

    fn borrow_watched(&self) -> RwLockReadGuard<'_, T> {
        self.0.value.read()
    }

    fn subscribe(&self) -> WatchedReceiver<T> {
        let mut changes = self.0.changes.lock();
        changes.receivers += 1;
        WatchedReceiver { watched: self.0.clone(), seen: changes.count, ticket: None }
    }
}

impl<T> Clone for WatchedSender<T> {
    fn clone(&self) -> Self {
        self.0.changes.lock().senders += 1;
        WatchedSender(self.0.clone())
    }
}

impl<T> Drop for WatchedSender<T> {
    fn drop(&mut self) {
        let mut changes = self.0.changes.lock();
        changes.senders -= 1;
        let waiting = if changes.senders == 0 { changes.waiting.all() } else { Vec::new() };
        drop(changes);
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl<T: Send + Sync> WatchReceiver<Watches, T> for WatchedReceiver<T> {
    fn changed(&mut self) -> impl Future<Output = Result<(), RecvError>> + Send {
        poll_fn(|context| {
            let mut changes = self.watched.changes.lock();
            if changes.count != self.seen {
                self.seen = changes.count;
                return Poll::Ready(Ok(()));
            }
            if changes.senders == 0 {
                return Poll::Ready(Err(RecvError(())));
            }
            changes.waiting.wait(&mut self.ticket, context.waker());
            Poll::Pending
        })
    }

    fn borrow_watched(&self) -> RwLockReadGuard<'_, T> {
        self.watched.value.read()
    }

    fn borrow_and_update(&mut self) -> RwLockReadGuard<'_, T> {
        let value = self.watched.value.read();
        self.seen = self.watched.changes.lock().count;
        value
    }
}

impl<T> Clone for WatchedReceiver<T> {
    fn clone(&self) -> Self {
        self.watched.changes.lock().receivers += 1;
        WatchedReceiver { watched: self.watched.clone(), seen: self.seen, ticket: None }
    }
}

impl<T> Drop for WatchedReceiver<T> {
    fn drop(&mut self) {
        let mut changes = self.watched.changes.lock();
        changes.receivers -= 1;
        changes.waiting.forget(self.ticket);
    }
}
