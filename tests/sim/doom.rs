//! Processes that are cut short: between the clock and the effects of a step, between two effects, and leaders at a
//! chosen step of their takeover, several in a row, of whom some wake up later.

use crate::coverage::Met;
use crate::staged::Flush;
use crate::world::{Action, MS, SECOND, Ticket, World};
use alluxio::election::LatchCall;
use alluxio::journal::writer::WriterEffect;
use alluxio::master::event::Effect;

/// A step of a takeover, before or after which its leader is cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Claim,
    Reading,
    Create,
    Header,
    Register,
    Serving,
    FirstAnswer,
}

const MOMENTS: &[Moment] = &[
    Moment::Claim,
    Moment::Reading,
    Moment::Create,
    Moment::Header,
    Moment::Register,
    Moment::Serving,
    Moment::FirstAnswer,
];

/// How many of the next leaders are cut short, and where the next one is.
#[derive(Debug, Default)]
pub struct Doom {
    left: u32,
    row: u32,
    at: Option<Moment>,
    /// The next leader that has made another segment dies soon.
    at_roll: bool,
    /// The next leader that begins a flush, with others behind it, dies in it.
    pub in_flush: bool,
    pub flush: Flush,
    /// Until then, listings mostly lack what was made after the other moment.
    pub lags_until: u64,
    pub lags_from: u64,
    /// Until then listings tell all.
    pub exact_until: u64,
    /// Until then the epoch node may come out of an old copy, and a guardian may release it there.
    pub old_copy_until: u64,
}

/// How far a process is with its takeover.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Progress {
    #[default]
    Following,
    Claimed,
    Served,
    Answered,
}

/// What becomes of the rest of a step.
enum Cut {
    None,
    DiesBefore,
    DiesAfter,
    /// It is held up, and done later.
    Holds(u64),
}

impl World {
    /// The next leaders do not get far.
    pub fn doom_next(&mut self) {
        let left = self.rng.range(1, 4) as u32;
        self.doom =
            Doom { left, row: 0, at: Some(MOMENTS[self.rng.index(MOMENTS.len())]), ..std::mem::take(&mut self.doom) };
        self.note(|| format!("the next {left} leaders are doomed"));
    }

    /// The next leader knows what there is, and then takes its time.
    pub fn doom_after_reading(&mut self) {
        let at = [Moment::Create, Moment::Header][self.rng.index(2)];
        self.doom = Doom { left: 1, row: 0, at: Some(at), ..std::mem::take(&mut self.doom) };
    }

    /// The next leader that makes another segment does not live long, and the next ones do not see that segment.
    pub fn doom_at_roll(&mut self) {
        self.doom.at_roll = true;
    }

    /// A leader has made another segment.
    pub fn rolled(&mut self, host: usize, life: u64) {
        if !std::mem::take(&mut self.doom.at_roll) || self.healing {
            return;
        }
        self.note(|| format!("host {host} is doomed, as it has made another segment"));
        self.coverage.met(Met::DeathAfterRoll);
        self.doom.lags_from = self.now - 1;
        let delay = if (self.now / MS).is_multiple_of(2) {
            self.doom.lags_until = self.now + SECOND;
            self.hosts[host].late_until = self.now + SECOND;
            self.rng.range(MS, 60 * MS)
        } else {
            // It does tell ZooKeeper, but its successor does not come as far as a segment.
            self.doom.lags_until = self.now + 6 * SECOND;
            self.doom_after_reading();
            self.rng.range(20 * MS, 300 * MS)
        };
        self.after(delay, Action::Kill { host, life });
    }

    /// Does what a step wants done, unless it is cut short.
    pub fn perform_all(&mut self, host: usize, life: u64, effects: Vec<Effect<Ticket>>) -> Result<(), String> {
        let mut effects = effects.into_iter();
        while let Some(effect) = effects.next() {
            match self.cut(host, life, &effect) {
                Cut::None => self.perform(host, life, effect)?,
                Cut::DiesBefore => return self.dies_here(host, life),
                Cut::DiesAfter => {
                    self.perform(host, life, effect)?;
                    return self.dies_here(host, life);
                }
                Cut::Holds(time) => {
                    self.pause_for(host, time);
                    let effects = std::iter::once(effect).chain(effects).collect();
                    self.after(time, Action::Resume { host, life, effects });
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// The rest of a step, once its process goes on.
    pub fn resume(&mut self, host: usize, life: u64, effects: Vec<Effect<Ticket>>) -> Result<(), String> {
        if self.process(host, life).is_none() {
            return Ok(());
        }
        if self.is_paused(host) {
            let later = self.hosts[host].paused_until - self.now;
            self.after(later, Action::Resume { host, life, effects });
            return Ok(());
        }
        self.is_late = true;
        let outcome = effects.into_iter().try_for_each(|effect| self.perform(host, life, effect));
        self.is_late = false;
        outcome
    }

    fn dies_here(&mut self, host: usize, life: u64) -> Result<(), String> {
        if self.process(host, life).is_some() {
            let with_guardian = self.rng.chance(1, 2);
            self.kill(host, with_guardian);
        }
        Ok(())
    }

    fn cut(&mut self, host: usize, life: u64, effect: &Effect<Ticket>) -> Cut {
        let moment = self.moment(host, life, effect);
        if self.healing || matches!(effect, Effect::Exit(_)) {
            return Cut::None;
        }
        if self.doom.left > 0 && moment.is_some() && moment == self.doom.at {
            self.doom.left -= 1;
            self.doom.row += 1;
            self.doom.at = Some(MOMENTS[self.rng.index(MOMENTS.len())]);
            self.coverage.met(Met::Doomed);
            if self.doom.row > 1 {
                self.coverage.met(Met::TakenOverTwice);
            }
            self.note(|| format!("host {host} is cut short at {moment:?}"));
            if self.rng.chance(1, 2) {
                let delay = self.rng.range(MS, SECOND);
                self.after(delay, Action::CollectAtOnce);
            }
            return match self.rng.range(0, 4) {
                0 => Cut::DiesBefore,
                1 => Cut::DiesAfter,
                _ => Cut::Holds(self.rng.range(500 * MS, 12 * SECOND)),
            };
        }
        match self.rng.range(0, 6_000) {
            0..2 => {
                self.coverage.met(Met::HalfStep);
                if self.rng.chance(1, 2) { Cut::DiesBefore } else { Cut::DiesAfter }
            }
            2..10 => {
                self.coverage.met(Met::HeldStep);
                Cut::Holds(self.rng.range(MS, 6 * SECOND))
            }
            _ => Cut::None,
        }
    }

    /// Which step of a takeover an effect is.
    fn moment(&mut self, host: usize, life: u64, effect: &Effect<Ticket>) -> Option<Moment> {
        let process = self.process(host, life)?;
        let before = process.progress;
        match effect {
            Effect::Latch(LatchCall::Claim { .. }) => {
                process.progress = Progress::Claimed;
                Some(Moment::Claim)
            }
            Effect::Tail(_) if before == Progress::Claimed => Some(Moment::Reading),
            Effect::Write(WriterEffect::Create(segment)) if segment.index == 0 => Some(Moment::Create),
            Effect::Write(WriterEffect::Append { segment, bytes }) if segment.index == 0 && bytes[0] == b'H' => {
                Some(Moment::Header)
            }
            Effect::Latch(LatchCall::Renew { .. }) if before == Progress::Claimed => Some(Moment::Register),
            Effect::Serving { .. } => {
                process.progress = Progress::Served;
                Some(Moment::Serving)
            }
            Effect::Answer(..) if before == Progress::Served => {
                process.progress = Progress::Answered;
                Some(Moment::FirstAnswer)
            }
            _ => None,
        }
    }
}
