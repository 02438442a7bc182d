//! Pure. When a flush had better wait a moment for company.
//!
//! Clients that were answered together send their next requests one after another. If the first of them begins a flush,
//! all others wait for that one and for their own: two flushes for each request. If the first waits until all are back,
//! each request waits for one flush and for those who are slower to come back. So it waits when, as far as the last time
//! tells, coming back takes clearly less than a flush.
//!
//! Where two flushes may be under way, clients form two groups: while the answers to one come back as new requests, the
//! other is flushed. So a flush waits for half of all, and behind another one, which takes its time anyway, as long as
//! that is under way.

use crate::types::time::Boot;
use std::collections::VecDeque;
use std::time::Duration;

/// Longest wait for those who were expected and do not come. The timer that ends it may be a millisecond late.
const GATHER_MAX: Duration = Duration::from_millis(2);
/// Who waited in vain does not wait for so many flushes: it was chance that the last ones came soon.
const FLUSHES_WITHOUT_TRUST: u32 = 16;

/// See the module text.
#[derive(Debug, Clone, Default)]
pub(super) struct Gather {
    /// Operations that the next flush will answer.
    queued: usize,
    /// How many flushes may be under way.
    flights_max: usize,
    /// Operations that each flush under way will answer, and when it began; in order.
    flights: VecDeque<(usize, Boot)>,
    /// When the last flush ended, and how many operations it answered.
    answered: (usize, Boot),
    /// How many were queued since then.
    back: usize,
    /// How long it took until as many were queued as it had answered.
    turnaround: Option<Duration>,
    /// The next flush waits for so many operations; none: it does not wait.
    expected: usize,
    /// A flush behind another one is of so many operations at least.
    share: usize,
    /// But no longer than this.
    until: Boot,
    /// So many flushes more do not wait.
    without_trust: u32,
}

impl Gather {
    /// Of a writer that may have so many flushes under way.
    pub(super) fn new(flights_max: usize) -> Gather {
        Gather { flights_max, ..Gather::default() }
    }

    /// So many operations more will be answered by the next flush.
    pub(super) fn queue(&mut self, operations: usize) {
        self.queued += operations;
        self.back += operations;
    }

    /// To be called after each change of what is queued.
    pub(super) fn look(&mut self, now: Boot) {
        let (answered, ended) = self.answered;
        // Nobody can come back after one that answered nobody.
        if answered > 0 && self.back >= answered && self.turnaround.is_none() {
            self.turnaround = Some(now.since(ended));
        }
    }

    /// A flush began with all that was queued.
    pub(super) fn begin(&mut self, now: Boot) {
        let in_vain = self.queued < self.expected;
        self.without_trust = if in_vain { FLUSHES_WITHOUT_TRUST } else { self.without_trust.saturating_sub(1) };
        self.flights.push_back((std::mem::take(&mut self.queued), now));
    }

    /// The first has ended, well or not; one that failed takes the others with it, and nobody is waited for then.
    pub(super) fn end(&mut self, durable: bool, now: Boot) {
        let Some((operations, began)) = self.flights.pop_front() else { return };
        self.expected = 0;
        let others: usize = self.flights.iter().map(|(operations, _)| operations).sum();
        if !durable {
            self.queued += operations + others;
            self.flights.clear();
            return;
        }
        let flush = now.since(began);
        self.share = (operations + others + self.queued).div_ceil(self.flights_max);
        // More of them take longer; if they are many more, what the few took tells no more than that.
        let more = (self.share as f64 / self.answered.0.max(1) as f64).clamp(1.0, 2.0);
        let pays = self.turnaround.take().is_some_and(|turnaround| turnaround.mul_f64(more) < flush * 3 / 4);
        if pays && self.without_trust == 0 {
            self.expected = self.share;
            self.until = now + flush.min(GATHER_MAX);
        }
        (self.answered, self.back) = ((operations, now), 0);
    }

    /// Whether the next flush, for which something is queued, is to begin.
    pub(super) fn is_over(&self, now: Boot) -> bool {
        if self.flights.is_empty() { self.waits_until(now).is_none() } else { self.queued >= self.share }
    }

    /// Until when the next flush is to wait, if nothing more is queued and no other one is under way.
    pub(super) fn waits_until(&self, now: Boot) -> Option<Boot> {
        (self.queued < self.expected && now < self.until).then_some(self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(us: u64) -> Boot {
        Boot::from_start(Duration::from_micros(us))
    }

    /// A flush of so many operations, who come back one by one in this time; then one of all of them, from 1,000,000 to
    /// 1,001,000.
    fn after_two_flushes_of(operations: usize, coming_back_us: u64) -> Gather {
        let mut gather = Gather::new(1);
        gather.queue(operations);
        gather.begin(at(0));
        gather.end(true, at(1000));
        for _ in 0..operations {
            gather.queue(1);
        }
        gather.look(at(1000 + coming_back_us));
        gather.begin(at(1_000_000));
        gather.end(true, at(1_001_000));
        gather
    }

    #[test]
    fn a_flush_waits_for_those_who_come_back_soon_no_longer_than_a_flush() {
        let mut gather = after_two_flushes_of(3, 700);
        gather.queue(1);
        assert_eq!(gather.waits_until(at(1_001_100)), Some(at(1_002_000)));
        assert_eq!(gather.waits_until(at(1_002_000)), None, "as long as it may");
        gather.queue(2);
        assert_eq!(gather.waits_until(at(1_001_200)), None, "all are back");
    }

    #[test]
    fn nobody_is_waited_for_who_is_slower_than_a_flush() {
        let mut gather = after_two_flushes_of(3, 800);
        gather.queue(1);
        assert_eq!(gather.waits_until(at(1_001_000)), None);
    }

    #[test]
    fn behind_another_flush_one_is_of_half_of_all_at_least() {
        let mut gather = Gather::new(2);
        gather.queue(1);
        assert!(gather.is_over(at(0)));
        gather.begin(at(0));
        gather.queue(5);
        assert!(gather.is_over(at(10)), "nothing is known yet");
        gather.begin(at(10));
        gather.end(true, at(1000));
        // Six in all, five of them under way.
        gather.queue(1);
        assert!(!gather.is_over(at(1100)));
        gather.end(true, at(1500));
        assert!(gather.is_over(at(1500)), "none is under way");
        gather.queue(2);
        gather.begin(at(1600));
        gather.queue(2);
        assert!(!gather.is_over(at(1700)));
        gather.queue(1);
        assert!(gather.is_over(at(1800)), "three of six");
        // One that failed takes the others with it.
        gather.begin(at(1800));
        gather.end(false, at(2000));
        assert_eq!((gather.queued, gather.flights.len()), (6, 0));
    }

    #[test]
    fn one_client_never_waits() {
        let mut gather = after_two_flushes_of(1, 10);
        gather.queue(1);
        assert_eq!(gather.waits_until(at(1_001_010)), None);
    }

    #[test]
    fn those_that_came_during_the_flush_are_among_those_waited_for_and_take_longer_to_come_back() {
        for (coming_back_us, waits) in [(300, true), (400, false)] {
            let mut gather = after_two_flushes_of(2, 10);
            gather.queue(2);
            gather.look(at(1_001_000 + coming_back_us));
            gather.begin(at(1_001_500));
            gather.queue(2);
            gather.end(true, at(1_002_500));
            // Four, of whom two are there: twice as many as those who needed this long.
            assert_eq!(gather.waits_until(at(1_002_500)).is_some(), waits, "{coming_back_us}");
            gather.queue(2);
            assert_eq!(gather.waits_until(at(1_002_500)), None);
        }
    }

    #[test]
    fn who_did_not_come_back_is_not_waited_for_again() {
        let mut gather = after_two_flushes_of(3, 10);
        gather.queue(2);
        gather.look(at(1_002_000));
        gather.begin(at(1_002_000));
        gather.end(true, at(1_003_000));
        gather.queue(1);
        assert_eq!(gather.waits_until(at(1_003_000)), None);
    }

    #[test]
    fn nobody_comes_back_after_a_flush_that_answered_nobody() {
        // A mark, then a burst.
        let mut gather = after_two_flushes_of(0, 0);
        gather.look(at(1_001_000));
        gather.queue(4);
        gather.begin(at(1_100_000));
        gather.queue(28);
        gather.end(true, at(1_101_000));
        assert_eq!(gather.waits_until(at(1_101_000)), None);
    }

    #[test]
    fn who_waited_in_vain_does_not_for_a_while() {
        let mut gather = after_two_flushes_of(2, 10);
        let mut waits = Vec::new();
        for round in 1..=FLUSHES_WITHOUT_TRUST + 3 {
            let from = 1_000_000 + 10_000 * u64::from(round);
            // Always two, who come back soon; the first time one of them is late.
            gather.queue(1);
            waits.push(gather.waits_until(at(1_001_000)).is_some());
            gather.queue(usize::from(round > 1));
            gather.look(at(from - 8_990));
            gather.begin(at(from));
            gather.end(true, at(from + 1000));
        }
        let in_vain = waits.iter().position(|waits| !waits);
        assert_eq!(in_vain, Some(1), "{waits:?}");
        let trusts_again = waits[1..].iter().position(|waits| *waits);
        assert_eq!(trusts_again, Some(FLUSHES_WITHOUT_TRUST as usize), "{waits:?}");
    }

    #[test]
    fn a_slow_flush_makes_nobody_wait_long() {
        let mut gather = after_two_flushes_of(2, 10);
        gather.queue(2);
        gather.look(at(1_001_010));
        gather.begin(at(1_001_010));
        gather.end(true, at(60_000_000));
        gather.queue(1);
        assert_eq!(gather.waits_until(at(60_000_000)), Some(at(60_000_000) + GATHER_MAX));
    }

    #[test]
    fn nobody_is_waited_for_after_a_flush_that_failed() {
        let mut gather = after_two_flushes_of(2, 10);
        gather.queue(2);
        gather.look(at(1_001_010));
        gather.begin(at(1_001_010));
        gather.end(false, at(1_002_000));
        assert_eq!(gather.waits_until(at(1_002_000)), None);
        assert_eq!(gather.queued, 2, "the next flush answers them");
    }
}
