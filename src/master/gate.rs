//! Pure. The check that every answer passes, on any thread: what it depends on is answered, and the lease is valid.

use crate::types::SequenceNumber;
use crate::types::mutant::{self, Mutant};
use crate::types::time::Boot;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Written by the driver, read by whoever evaluated a query.
#[derive(Debug, Default)]
pub struct Gate {
    serving: AtomicBool,
    mark: AtomicU64,
    /// End of the lease in nanoseconds of the boot clock; 0 when every answer must go through the driver.
    lease_until: AtomicU64,
    /// For those who watch, one by one: see [`Standing`].
    epoch: AtomicU64,
    position: AtomicU64,
    durable: AtomicU64,
    /// When that was told, in nanoseconds of the boot clock.
    told: AtomicU64,
    /// Calls under way that change something outside.
    outside: AtomicUsize,
}

/// A call under way that changes something outside, until this is dropped.
#[derive(Debug)]
pub struct OutsideCall(Arc<Gate>);

impl OutsideCall {
    /// None when the gate is closed. Whoever closes it and counts no calls then knows that none will come.
    pub(super) fn begin(gate: &Arc<Gate>) -> Option<OutsideCall> {
        gate.outside.fetch_add(1, Ordering::SeqCst);
        let call = OutsideCall(Arc::clone(gate));
        gate.serving.load(Ordering::SeqCst).then_some(call)
    }
}

impl Drop for OutsideCall {
    fn drop(&mut self) {
        self.0.outside.fetch_sub(1, Ordering::SeqCst);
    }
}

/// How far a master is, in any role, for those who watch it. Nothing is decided by it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// The newest epoch that it knows of: its own while it leads.
    pub epoch: u64,
    /// The last record in its memory: of a primary what it has decided, of a standby what it has applied.
    pub position: SequenceNumber,
    /// The last record that it takes for permanent.
    pub durable: SequenceNumber,
}

impl Standing {
    /// The last record that is in its memory and that it takes for permanent.
    pub fn settled(&self) -> SequenceNumber {
        self.position.min(self.durable)
    }
}

/// What becomes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may leave.
    Pass,
    /// The driver holds it until it may.
    Hold,
    /// This master is not primary.
    Closed,
}

impl Gate {
    /// Sets all three. `lease_until` is none when answers must be confirmed one by one.
    pub fn set(&self, serving: bool, mark: SequenceNumber, lease_until: Option<Boot>) {
        let nanos = lease_until.map_or(0, |until| until.since(Boot::default()).as_nanos() as u64);
        self.mark.store(mark.0, Ordering::Release);
        self.lease_until.store(nanos, Ordering::Release);
        self.serving.store(serving, Ordering::Release);
    }

    /// Has nothing pass any more; says whether no call to the outside is under way, and so none will be.
    pub fn close(&self) -> bool {
        self.serving.store(false, Ordering::SeqCst);
        self.outside.load(Ordering::SeqCst) == 0
    }

    /// Tells how far the master is at the end of a step.
    pub fn tell(&self, standing: Standing, now: Boot) {
        self.told.store(now.since(Boot::default()).as_nanos() as u64, Ordering::Relaxed);
        self.epoch.store(standing.epoch, Ordering::Relaxed);
        self.position.store(standing.position.0, Ordering::Relaxed);
        self.durable.store(standing.durable.0, Ordering::Relaxed);
    }

    /// How far the master is, or was at the end of the last step of its loop.
    pub fn standing(&self) -> Standing {
        Standing {
            epoch: self.epoch.load(Ordering::Relaxed),
            position: SequenceNumber(self.position.load(Ordering::Relaxed)),
            durable: SequenceNumber(self.durable.load(Ordering::Relaxed)),
        }
    }

    /// How long ago a step of the loop has ended.
    pub fn stands_still_for(&self, now: Boot) -> Duration {
        now.since(Boot::from_start(Duration::from_nanos(self.told.load(Ordering::Relaxed))))
    }

    /// Whether this master serves clients.
    pub fn is_serving(&self) -> bool {
        self.serving.load(Ordering::Acquire)
    }

    /// How long the lease lasts yet; none when every answer must go through the driver.
    pub fn lease_left(&self, now: Boot) -> Option<Duration> {
        let nanos = Some(self.lease_until.load(Ordering::Acquire)).filter(|nanos| *nanos > 0)?;
        Some(Boot::from_start(Duration::from_nanos(nanos)).since(now))
    }

    /// Whether an answer that was evaluated *before* the clock read `now` may leave.
    pub fn check(&self, wait_for: SequenceNumber, now: Boot) -> Verdict {
        if !self.is_serving() {
            return Verdict::Closed;
        }
        let until = Boot::from_start(Duration::from_nanos(self.lease_until.load(Ordering::Acquire)));
        let answered = wait_for.0 <= self.mark.load(Ordering::Acquire) || mutant::is(Mutant::GateWithoutWait);
        let leads = now < until || (mutant::is(Mutant::GateWithoutLease) && until > Boot::default());
        if answered && leads { Verdict::Pass } else { Verdict::Hold }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_that_was_closed_without_calls_to_the_outside_gets_none() {
        let gate = Arc::new(Gate::default());
        assert!(OutsideCall::begin(&gate).is_none() && gate.close());
        gate.set(true, SequenceNumber(0), None);
        let call = OutsideCall::begin(&gate).expect("it is open");
        assert!(!gate.close() && OutsideCall::begin(&gate).is_none());
        drop(call);
        assert!(gate.close());
    }

    #[test]
    fn an_answer_passes_only_when_served_answered_and_under_the_lease() {
        let (gate, at) = (Gate::default(), |ms| Boot::from_start(Duration::from_millis(ms)));
        assert_eq!(gate.check(SequenceNumber(0), at(1)), Verdict::Closed);
        gate.set(true, SequenceNumber(5), Some(at(100)));
        assert_eq!(gate.check(SequenceNumber(5), at(99)), Verdict::Pass);
        assert_eq!(gate.check(SequenceNumber(6), at(99)), Verdict::Hold);
        assert_eq!(gate.check(SequenceNumber(5), at(100)), Verdict::Hold);
        gate.set(true, SequenceNumber(5), None);
        assert_eq!(gate.check(SequenceNumber(0), at(1)), Verdict::Hold);
    }
}
