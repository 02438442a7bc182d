//! Pure. The tailer and when it is asked: polling, pauses after failures, recovery of old segments in the background.

use super::event::{Effect, Told};
use crate::journal::folder::SegmentId;
use crate::journal::tailer::{Ask, Tailer};
use crate::types::time::Boot;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a standby looks for new records.
const POLL: Duration = Duration::from_millis(20);
/// How often a standby lists the folder although nothing told it of a new segment.
const LIST: Duration = Duration::from_secs(1);
/// Pause after a failed call to the store.
const STORE_RETRY: Duration = Duration::from_millis(100);
/// Pause between two orders to recover the same old segment; doubles up to the last.
const RECOVER_RETRY: Duration = Duration::from_secs(1);
const RECOVER_RETRY_MAX: Duration = Duration::from_secs(60);
/// Old segments that are recovered at a time: there may be thousands.
const RECOVERING_MAX: usize = 4;

/// See the module text.
#[derive(Debug)]
pub(super) struct Follower {
    pub(super) tailer: Tailer,
    poll_at: Boot,
    list_at: Boot,
    ask_not_before: Boot,
    /// Old segments whose writers are to be cut off.
    recovering: BTreeMap<SegmentId, Recovering>,
    blocked: bool,
    /// The last failure of the store, and the one that the log was told of.
    failure: Option<String>,
    warned: Option<String>,
}

/// An old segment whose writer is to be cut off.
#[derive(Debug)]
struct Recovering {
    /// When to ask; none while asking.
    due: Option<Boot>,
    /// Before it is asked again.
    pause: Duration,
}

impl Recovering {
    fn at(now: Boot) -> Recovering {
        Recovering { due: Some(now), pause: RECOVER_RETRY }
    }
}

impl Follower {
    pub(super) fn new(tailer: Tailer) -> Follower {
        Follower {
            tailer,
            poll_at: Boot::default(),
            list_at: Boot::default(),
            ask_not_before: Boot::default(),
            recovering: BTreeMap::new(),
            blocked: false,
            failure: None,
            warned: None,
        }
    }

    /// Takes the answer to what the tailer asked.
    pub(super) fn told(&mut self, ask: Ask, told: Told, now: Boot) {
        match (ask, told) {
            (_, Told::Listed(segments)) => {
                if let Some(missing) = self.tailer.listed(&segments) {
                    self.ask_not_before = now + STORE_RETRY;
                    self.failure =
                        Some(format!("the listing lacks a segment that exists, trying again segment={missing}"));
                    return;
                }
            }
            (Ask::Length(segment), Told::Length(length)) => self.tailer.length(segment, length),
            (Ask::Read { segment, offset, .. }, Told::Bytes(bytes)) => self.tailer.bytes(segment, offset, &bytes),
            (Ask::Recover(segment), Told::Recovered(true)) => self.tailer.recovered(segment),
            (ask, told) => {
                self.tailer.failed(ask);
                self.ask_not_before = now + STORE_RETRY;
                if let Told::Failed(reason) = told {
                    self.failure = Some(format!("cannot read the journal, trying again ask={ask:?} reason={reason}"));
                    // What was listed may be gone.
                    self.tailer.begin_round(true);
                }
                return;
            }
        }
        self.failure = None;
    }

    /// Asks what is to be asked; `settled`: nothing is missing, so a standby looks again after a pause.
    pub(super) fn ask<T>(&mut self, poll: bool, newer: bool, now: Boot, effects: &mut Vec<Effect<T>>) {
        if poll && now >= self.poll_at && self.tailer.is_settled().unwrap_or(false) {
            let list = newer || now >= self.list_at;
            self.list_at = if list { now + LIST } else { self.list_at };
            self.poll_at = now + POLL;
            self.tailer.begin_round(list);
        }
        if now < self.ask_not_before {
            return;
        }
        if self.failure != self.warned {
            self.warned.clone_from(&self.failure);
            effects.extend(self.failure.clone().map(Effect::Warn));
        }
        for ask in self.tailer.asks() {
            match ask {
                // Only who has claimed may cut a writer off (F10, F11): it may be a leader in good health.
                Ask::Recover(segment) if poll => {
                    self.tailer.not_recovered(segment);
                    // Of one that the leader has not seen either, it has no recovery to make: a later one tells the rest.
                    if now >= self.list_at {
                        self.list_at = now + LIST;
                        self.tailer.begin_round(true);
                    }
                    self.ask_not_before = now + STORE_RETRY;
                    self.blocked = true;
                }
                ask => effects.push(Effect::Tail(ask)),
            }
        }
    }

    /// Whether this standby could get no further without cutting somebody off: it has caught up as far as it may.
    pub(super) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// When `ask` or `recover`, which had nothing more to say at `now`, may have something new without an event.
    pub(super) fn wake_at(&self, following: bool, now: Boot) -> Option<Boot> {
        let asks = [self.ask_not_before, self.poll_at].into_iter().filter(|_| following);
        asks.chain(self.recovering.values().filter_map(|segment| segment.due)).filter(|at| *at > now).min()
    }

    /// Has the writers of these segments cut off, in the background (F10).
    pub(super) fn recover_all(&mut self, segments: Vec<SegmentId>, now: Boot) {
        self.recovering = segments.into_iter().map(|segment| (segment, Recovering::at(now))).collect();
    }

    /// Has the writer of one segment more cut off: ourselves, after a flush that failed.
    pub(super) fn recover_also(&mut self, segment: SegmentId, now: Boot) {
        self.recovering.insert(segment, Recovering::at(now));
    }

    /// The newest first, which may really be open.
    pub(super) fn recover<T>(&mut self, now: Boot, effects: &mut Vec<Effect<T>>) {
        let under_way = self.recovering.values().filter(|segment| segment.due.is_none()).count();
        let due = self.recovering.iter_mut().rev().filter(|(_, segment)| segment.due.is_some_and(|at| now >= at));
        for (id, segment) in due.take(RECOVERING_MAX.saturating_sub(under_way)) {
            segment.due = None;
            effects.push(Effect::Recover(*id));
        }
    }

    pub(super) fn recovered(&mut self, segment: SegmentId, done: bool, now: Boot) {
        if done {
            self.recovering.remove(&segment);
        } else if let Some(again) = self.recovering.get_mut(&segment) {
            again.due = Some(now + again.pause);
            again.pause = (again.pause * 2).min(RECOVER_RETRY_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::chain::{Position, SegmentHeader};
    use crate::journal::codec;
    use crate::journal::folder::Length;
    use crate::types::SequenceNumber;

    const START: Duration = Duration::from_secs(1000);

    fn at(ms: u64) -> Boot {
        Boot::from_start(START + Duration::from_millis(ms))
    }

    fn asked(follower: &mut Follower, now: Boot) -> Vec<Ask> {
        let mut effects: Vec<Effect<()>> = Vec::new();
        follower.ask(true, false, now, &mut effects);
        let asks = effects.iter().filter_map(|effect| if let Effect::Tail(ask) = effect { Some(*ask) } else { None });
        asks.collect()
    }

    /// A standby that has read all of a journal of one open segment, at `at(0)`.
    fn settled() -> (Follower, SegmentId) {
        let segment = SegmentId { epoch: 1, index: 0 };
        let header =
            SegmentHeader { cluster_id: "c".into(), genesis: 7, segment, base: None, through: SequenceNumber(0) };
        let mut bytes = Vec::new();
        codec::encode_header(&mut bytes, &header);
        let mut follower = Follower::new(Tailer::new(Position::START, None));
        loop {
            let asks = asked(&mut follower, at(0));
            let [ask] = asks[..] else { break };
            let told = match ask {
                Ask::List => Told::Listed(vec![segment]),
                Ask::Length(_) => Told::Length(Length::Open(bytes.len() as u64)),
                Ask::Read { .. } => Told::Bytes(bytes.clone().into()),
                Ask::Recover(_) => Told::Recovered(true),
            };
            follower.told(ask, told, at(0));
        }
        assert_eq!(follower.tailer.is_settled(), Ok(true));
        (follower, segment)
    }

    #[test]
    fn a_settled_standby_wakes_for_its_next_poll() {
        let (mut follower, segment) = settled();
        assert_eq!(follower.wake_at(true, at(0)), Some(at(20)));
        assert_eq!(asked(&mut follower, at(19)), []);
        assert_eq!(asked(&mut follower, at(20)), [Ask::Length(segment)]);
        assert_eq!(follower.wake_at(false, at(20)), None, "a leader does not poll");
    }

    #[test]
    fn old_segments_are_recovered_a_few_at_a_time_and_the_newest_first() {
        let (mut follower, _) = settled();
        let orders = |follower: &mut Follower, now: Boot| -> Vec<u64> {
            let mut effects: Vec<Effect<()>> = Vec::new();
            follower.recover(now, &mut effects);
            let orders = effects.iter().map(|effect| if let Effect::Recover(id) = effect { id.epoch } else { 0 });
            orders.collect()
        };
        let id = |epoch| SegmentId { epoch, index: 0 };
        follower.recover_all((1..=6).map(id).collect(), at(0));
        assert_eq!(orders(&mut follower, at(0)), [6, 5, 4, 3]);
        assert!(orders(&mut follower, at(1)).is_empty());
        follower.recovered(id(5), true, at(2));
        follower.recovered(id(6), false, at(2));
        assert_eq!(orders(&mut follower, at(2)), [2, 1]);
        follower.recovered(id(4), true, at(3));
        assert!(orders(&mut follower, at(1001)).is_empty());
        assert_eq!(orders(&mut follower, at(1002)), [6]);
        follower.recovered(id(6), false, at(1002));
        assert_eq!(follower.wake_at(false, at(1002)), Some(at(3002)), "twice as long");
    }

    #[test]
    fn a_standby_that_nobody_tells_a_length_looks_for_a_later_segment() {
        let (mut follower, segment) = settled();
        assert_eq!(asked(&mut follower, at(20)), [Ask::Length(segment)]);
        follower.told(Ask::Length(segment), Told::Length(Length::Unknown), at(21));
        let mut asks = Vec::new();
        for ms in (21..1_500).step_by(50) {
            for ask in asked(&mut follower, at(ms)) {
                asks.push(ask);
                if ask == Ask::Length(segment) {
                    follower.told(ask, Told::Length(Length::Unknown), at(ms));
                }
            }
        }
        assert!(asks.contains(&Ask::List) && follower.is_blocked(), "{asks:?}");
    }

    #[test]
    fn a_standby_whose_store_failed_wakes_for_its_next_try() {
        let (mut follower, segment) = settled();
        assert_eq!(asked(&mut follower, at(20)), [Ask::Length(segment)]);
        follower.told(Ask::Length(segment), Told::Failed("away".into()), at(500));
        assert_eq!(asked(&mut follower, at(500)), []);
        assert_eq!(follower.wake_at(true, at(500)), Some(at(600)));
        assert_eq!(asked(&mut follower, at(600)), [Ask::List]);
    }
}
