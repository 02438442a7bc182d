//! One thread that polls the tasks of several processes, in an order and at times that follow from a seed.
//!
//! openraft finds its runtime by a type, so the executor is one for the thread. A process is a number; whatever a task of
//! it spawns belongs to it, and is dropped where it stands when the process dies.

use crate::rng::Rng;
use alluxio::journal::embedded::channels::{LetterReceiver, Letters, Queues, TaskLock};
use alluxio::journal::embedded::runtime::{Chance, TimeIsOver, Timeout};
use alluxio::journal::embedded::watch::Watches;
use openraft::AsyncRuntime;
use openraft::async_runtime::{Oneshot, OneshotSender};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Tasks of the world itself: they never die, and their clock is right.
pub const WORLD: u64 = 0;
/// What a poll takes.
const POLL: Duration = Duration::from_micros(1);

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
type Ready = Arc<Mutex<BTreeSet<u64>>>;

/// See the module text.
pub struct Executor {
    now: Duration,
    rng: Rng,
    /// By their numbers; the future is out while it is polled.
    tasks: BTreeMap<u64, (u64, Option<Task>)>,
    ready: Ready,
    timers: BTreeMap<(Duration, u64), Waker>,
    /// Parts in a million by which the clock of a process runs faster.
    drifts: BTreeMap<u64, i64>,
    process: u64,
    next: u64,
    /// Of all that was polled, and when.
    trace: u64,
    polls: u64,
    panics: Vec<(u64, String)>,
}

thread_local! {
    static EXECUTOR: RefCell<Executor> = RefCell::new(Executor::new(0));
}

fn with<T>(work: impl FnOnce(&mut Executor) -> T) -> T {
    EXECUTOR.with_borrow_mut(work)
}

struct TaskWaker {
    task: u64,
    ready: Ready,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.lock().unwrap().insert(self.task);
    }
}

impl Executor {
    fn new(seed: u64) -> Executor {
        Executor {
            now: Duration::from_secs(1000),
            rng: Rng::new(seed),
            tasks: BTreeMap::new(),
            ready: Ready::default(),
            timers: BTreeMap::new(),
            drifts: BTreeMap::new(),
            process: WORLD,
            next: 1,
            trace: 0,
            polls: 0,
            panics: Vec::new(),
        }
    }

    fn fresh(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn local(&self, process: u64) -> Duration {
        let drift = self.drifts.get(&process).copied().unwrap_or(0);
        let nanos = self.now.as_nanos() as i128;
        Duration::from_nanos((nanos + nanos * i128::from(drift) / 1_000_000) as u64)
    }

    /// When the clock of the process shows `local`, or a little later.
    fn world_time(&self, process: u64, local: Duration) -> Duration {
        let drift = self.drifts.get(&process).copied().unwrap_or(0);
        let nanos = local.as_nanos() as i128;
        Duration::from_nanos((nanos * 1_000_000 / i128::from(1_000_000 + drift) + 2) as u64)
    }

    /// A task that can be polled, by chance.
    fn choose(&mut self) -> Option<u64> {
        let mut ready = self.ready.lock().unwrap();
        if ready.is_empty() {
            return None;
        }
        let at = self.rng.index(ready.len());
        let task = *ready.iter().nth(at).unwrap();
        ready.remove(&task);
        self.now += POLL;
        Some(task)
    }

    /// The time of the next timer comes; false if there is none.
    fn ring(&mut self) -> bool {
        let Some(((at, _), waker)) = self.timers.pop_first() else { return false };
        self.now = self.now.max(at);
        waker.wake();
        true
    }
}

/// Begins anew on this thread; what ran before is dropped.
pub fn reset(seed: u64) {
    let old = with(|executor| std::mem::replace(executor, Executor::new(seed)));
    drop(old);
}

/// A number by chance, at least `low` and below `high`.
pub fn random(low: u64, high: u64) -> u64 {
    with(|executor| executor.rng.range(low, high))
}

/// True in `part` of `whole` cases.
pub fn chance(part: u64, whole: u64) -> bool {
    with(|executor| executor.rng.chance(part, whole))
}

/// A process of a number that no other has had, whose clock is so much faster.
pub fn new_process(drift: i64) -> u64 {
    with(|executor| {
        let process = executor.fresh();
        executor.drifts.insert(process, drift);
        process
    })
}

/// Ends a process: all its tasks are gone.
pub fn kill(process: u64) {
    let dead = with(|executor| {
        let tasks = executor.tasks.iter().filter(|(_, (of, _))| *of == process).map(|(task, _)| *task);
        let tasks: Vec<u64> = tasks.collect();
        tasks.into_iter().filter_map(|task| executor.tasks.remove(&task)).collect::<Vec<_>>()
    });
    drop(dead);
}

/// Processes of which a task has panicked, and what it said.
pub fn take_panics() -> Vec<(u64, String)> {
    with(|executor| std::mem::take(&mut executor.panics))
}

/// The same for the same seed, if all is well.
pub fn trace() -> (u64, u64) {
    with(|executor| (executor.trace, executor.polls))
}

/// Since the world began.
pub fn elapsed() -> Duration {
    with(|executor| executor.now - Duration::from_secs(1000))
}

/// Runs a task in a process.
pub fn spawn_in<T: Send + 'static>(process: u64, future: impl Future<Output = T> + Send + 'static) -> Joining<T> {
    let (sender, receiver) = Letters::channel();
    let task: Task = Box::pin(async move {
        let _ = sender.send(future.await);
    });
    with(|executor| {
        let number = executor.fresh();
        executor.tasks.insert(number, (process, Some(task)));
        executor.ready.lock().unwrap().insert(number);
    });
    Joining(receiver)
}

/// Polls one task, or lets time pass; false when nothing will ever happen again.
fn step() -> bool {
    let Some(number) = with(Executor::choose) else { return with(Executor::ring) };
    let taken = with(|executor| {
        let (process, task) = executor.tasks.get_mut(&number)?;
        let (process, task) = (*process, task.take());
        executor.process = process;
        executor.polls += 1;
        let sum = executor.trace ^ number.rotate_left(32) ^ executor.now.as_nanos() as u64;
        executor.trace = sum.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        Some((process, task?, executor.ready.clone()))
    });
    let Some((process, mut task, ready)) = taken else { return true };
    let waker = Waker::from(Arc::new(TaskWaker { task: number, ready }));
    let polled = catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut Context::from_waker(&waker))));
    let is_over = !matches!(polled, Ok(Poll::Pending));
    if let Err(panic) = polled {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or(panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
        with(|executor| executor.panics.push((process, text)));
    }
    let rest = with(|executor| {
        let entry = executor.tasks.get_mut(&number);
        match entry {
            Some(entry) if !is_over => entry.1 = Some(task),
            _ => {
                executor.tasks.remove(&number);
                return Some(task);
            }
        }
        None
    });
    // What it drops may wake, spawn and ask for the time.
    drop(rest);
    with(|executor| executor.process = WORLD);
    true
}

/// Runs until the future is ready.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let woken = Ready::default();
    let waker = Waker::from(Arc::new(TaskWaker { task: 0, ready: woken.clone() }));
    woken.lock().unwrap().insert(0);
    loop {
        if woken.lock().unwrap().pop_first().is_some()
            && let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker))
        {
            return value;
        }
        let is_woken = !woken.lock().unwrap().is_empty();
        assert!(is_woken || step(), "nothing happens any more");
    }
}

/// The runtime of openraft.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sim;

/// A point of the clock of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Duration);

/// The result of a task.
pub struct Joining<T>(LetterReceiver<T>);

/// The task is gone.
#[derive(Debug)]
pub struct Gone;

pub struct Sleep {
    until: Moment,
    timer: Option<(Duration, u64)>,
}

impl AsyncRuntime for Sim {
    type JoinError = Gone;
    type JoinHandle<T: Send + 'static> = Joining<T>;
    type Sleep = Sleep;
    type Instant = Moment;
    type TimeoutError = TimeIsOver;
    type Timeout<R, T: Future<Output = R> + Send> = Timeout<T, Sleep>;
    type ThreadLocalRng = Chance;
    type Mpsc = Queues;
    type Watch = Watches;
    type Oneshot = Letters;
    type Mutex<T: Send + 'static> = TaskLock<T>;

    fn spawn<T>(future: T) -> Joining<T::Output>
    where
        T: Future + Send + 'static,
        T::Output: Send + 'static,
    {
        spawn_in(with(|executor| executor.process), future)
    }

    fn sleep(duration: Duration) -> Sleep {
        Sim::sleep_until(<Moment as openraft::Instant>::now() + duration)
    }

    fn sleep_until(until: Moment) -> Sleep {
        Sleep { until, timer: None }
    }

    fn timeout<R, F: Future<Output = R> + Send>(duration: Duration, future: F) -> Timeout<F, Sleep> {
        Timeout::new(future, Sim::sleep(duration))
    }

    fn timeout_at<R, F: Future<Output = R> + Send>(until: Moment, future: F) -> Timeout<F, Sleep> {
        Timeout::new(future, Sim::sleep_until(until))
    }

    fn is_panic(_: &Gone) -> bool {
        false
    }

    fn thread_rng() -> Chance {
        Chance(|| with(|executor| executor.rng.next()))
    }

    fn new(_: usize) -> Sim {
        Sim
    }

    fn block_on<F: Future<Output = T>, T>(&mut self, future: F) -> T {
        block_on(future)
    }
}

impl openraft::Instant for Moment {
    fn now() -> Moment {
        Moment(with(|executor| executor.local(executor.process)))
    }
}

impl Add<Duration> for Moment {
    type Output = Moment;
    fn add(self, by: Duration) -> Moment {
        Moment(self.0 + by)
    }
}

impl Sub<Duration> for Moment {
    type Output = Moment;
    fn sub(self, by: Duration) -> Moment {
        Moment(self.0 - by)
    }
}

impl Sub<Moment> for Moment {
    type Output = Duration;
    fn sub(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl AddAssign<Duration> for Moment {
    fn add_assign(&mut self, by: Duration) {
        self.0 += by;
    }
}

impl SubAssign<Duration> for Moment {
    fn sub_assign(&mut self, by: Duration) {
        self.0 -= by;
    }
}

impl<T> Future for Joining<T> {
    type Output = Result<T, Gone>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map_err(|_| Gone)
    }
}

impl fmt::Display for Gone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task is over")
    }
}

impl std::error::Error for Gone {}

impl Future for Sleep {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        with(|executor| {
            let old = self.timer.take().and_then(|timer| executor.timers.remove(&timer));
            drop(old);
            if executor.local(executor.process) >= self.until.0 {
                return Poll::Ready(());
            }
            let at = executor.world_time(executor.process, self.until.0);
            let timer = (at, executor.fresh());
            executor.timers.insert(timer, context.waker().clone());
            self.timer = Some(timer);
            Poll::Pending
        })
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(timer) = self.timer.take() {
            drop(with(|executor| executor.timers.remove(&timer)));
        }
    }
}
