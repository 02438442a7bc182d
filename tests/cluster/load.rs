//! Clients that change something again and again while a test goes on.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

/// Four clients, each of which calls `one(client, n)` for n = 0, 1, … until `during` has ended, well or by a panic. What
/// that gave.
pub fn under_load<T>(one: impl Fn(usize, usize) + Sync, during: impl FnOnce() -> T) -> T {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in 0..4 {
            let (one, stop) = (&one, &stop);
            scope.spawn(move || {
                for n in 0.. {
                    one(client, n);
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        let ended = catch_unwind(AssertUnwindSafe(during));
        stop.store(true, Ordering::Relaxed);
        ended.unwrap_or_else(|panic| resume_unwind(panic))
    })
}
