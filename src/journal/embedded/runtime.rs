//! What openraft runs on: tasks of tokio, time of the boot clock, channels of ours.
//!
//! The clock counts while the machine is suspended. tokio's timers do not, so a sleep looks at the clock when it is woken.

use super::channels::{Letters, Queues, TaskLock};
use super::watch::Watches;
use crate::types::time::{Boot, boot_now};
use openraft::AsyncRuntime;
use rand_core::TryRng;
use std::convert::Infallible;
use std::future::Future;
use std::ops::{AddAssign, Sub, SubAssign};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// See the module text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokioRuntime {
    threads: usize,
}

/// Ends at a point of the boot clock.
#[derive(Debug)]
pub struct Sleep {
    until: Boot,
    timer: Pin<Box<tokio::time::Sleep>>,
}

/// A future, or the end of its time, which a sleep tells; of any runtime.
#[derive(Debug)]
pub struct Timeout<F, S> {
    future: Pin<Box<F>>,
    sleep: S,
}

/// The time was over first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time is over")]
pub struct TimeIsOver;

/// Chance, from what gives numbers; of any runtime.
#[derive(Debug, Clone, Copy)]
pub struct Chance(pub fn() -> u64);

impl<F, S> Timeout<F, S> {
    /// The future, for as long as `sleep` lasts.
    pub fn new(future: F, sleep: S) -> Timeout<F, S> {
        Timeout { future: Box::pin(future), sleep }
    }
}

impl AsyncRuntime for TokioRuntime {
    type JoinError = tokio::task::JoinError;
    type JoinHandle<T: Send + 'static> = tokio::task::JoinHandle<T>;
    type Sleep = Sleep;
    type Instant = Boot;
    type TimeoutError = TimeIsOver;
    type Timeout<R, T: Future<Output = R> + Send> = Timeout<T, Sleep>;
    type ThreadLocalRng = Chance;
    type Mpsc = Queues;
    type Watch = Watches;
    type Oneshot = Letters;
    type Mutex<T: Send + 'static> = TaskLock<T>;

    fn spawn<T>(future: T) -> tokio::task::JoinHandle<T::Output>
    where
        T: Future + Send + 'static,
        T::Output: Send + 'static,
    {
        tokio::spawn(future)
    }

    fn sleep(duration: Duration) -> Sleep {
        TokioRuntime::sleep_until(boot_now() + duration)
    }

    fn sleep_until(until: Boot) -> Sleep {
        Sleep { until, timer: Box::pin(tokio::time::sleep(until.since(boot_now()))) }
    }

    fn timeout<R, F: Future<Output = R> + Send>(duration: Duration, future: F) -> Timeout<F, Sleep> {
        TokioRuntime::timeout_at(boot_now() + duration, future)
    }

    fn timeout_at<R, F: Future<Output = R> + Send>(until: Boot, future: F) -> Timeout<F, Sleep> {
        Timeout::new(future, TokioRuntime::sleep_until(until))
    }

    fn is_panic(error: &tokio::task::JoinError) -> bool {
        error.is_panic()
    }

    fn thread_rng() -> Chance {
        Chance(rand::random)
    }

    fn new(threads: usize) -> Self {
        TokioRuntime { threads }
    }

    fn block_on<F: Future<Output = T>, T>(&mut self, future: F) -> T {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(self.threads).enable_all().build();
        runtime.expect("threads can be had").block_on(future)
    }
}

impl openraft::Instant for Boot {
    fn now() -> Boot {
        boot_now()
    }
}

impl Sub<Boot> for Boot {
    type Output = Duration;
    fn sub(self, earlier: Boot) -> Duration {
        self.since(earlier)
    }
}

impl AddAssign<Duration> for Boot {
    fn add_assign(&mut self, by: Duration) {
        *self = *self + by;
    }
}

impl SubAssign<Duration> for Boot {
    fn sub_assign(&mut self, by: Duration) {
        *self = *self - by;
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        while self.timer.as_mut().poll(context).is_ready() {
            let left = self.until.since(boot_now());
            if left.is_zero() {
                return Poll::Ready(());
            }
            self.timer = Box::pin(tokio::time::sleep(left));
        }
        Poll::Pending
    }
}

impl<F: Future, S: Future<Output = ()> + Unpin> Future for Timeout<F, S> {
    type Output = Result<F::Output, TimeIsOver>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = self.future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        Pin::new(&mut self.sleep).poll(context).map(|()| Err(TimeIsOver))
    }
}

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.0)() as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok((self.0)())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill_with(|| (self.0)() as u8);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openraft::testing::runtime::Suite;

    type Tests = Suite<TokioRuntime>;

    /// Without the parts that ask the machine to be quick. `tests/sim/raft` runs them all, in virtual time.
    #[test]
    fn tasks_time_and_chance_are_what_openraft_expects() {
        TokioRuntime::new(2).block_on(async {
            Tests::test_spawn_join_handle().await;
            Tests::test_thread_rng().await;
            Tests::test_sleep().await;
            Tests::test_instant().await;
            Tests::test_instant_arithmetic().await;
            Tests::test_instant_saturating_duration_since().await;
            Tests::test_instant_ord().await;
            Tests::test_sleep_until().await;
            Tests::test_timeout().await;
            Tests::test_timeout_at().await;
            Tests::test_mutex().await;
            Tests::test_mutex_contention().await;
            Tests::test_mutex_lock_owned().await;
            Tests::test_mpsc_backpressure().await;
            Tests::test_watch_wait_loop_pattern().await;
            Tests::test_oneshot_send_from_another_task().await;
        });
    }
}
