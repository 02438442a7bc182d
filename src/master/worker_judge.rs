//! Pure. What a driver lets its workers be told.

use super::driver::{Driver, Phase};
use super::event::{Core, Effect};
use super::ops::Answer;
use super::worker_call::{Command, WorkerAnswer, WorkerCall};
use super::workers::Known;
use crate::types::mutant::{self, Mutant};
use crate::types::time::{Boot, Millis};
use std::time::Duration;

/// So long a primary has served before it has unknown blocks dropped: nobody can commit them belatedly any more.
const JUDGE_BLOCKS_AFTER: Duration = Duration::from_secs(60);

impl<T> Driver<T> {
    /// Takes what a worker says, in any role. What makes it drop something waits like every answer: it may rest on
    /// anything that is queued.
    pub(super) fn worker_call(&mut self, core: &mut Core, who: T, call: WorkerCall, now: Boot, wall: Millis) {
        let state = &core.state;
        let is_known = |block| state.blocks().length(block).is_some();
        let known = match self.phase {
            Phase::Serving { since } if now.since(since) >= JUDGE_BLOCKS_AFTER => Known::All(&is_known),
            Phase::Serving { .. } => Known::OwnOrders,
            _ if mutant::is(Mutant::StandbyDrops) => Known::All(&is_known),
            _ => Known::Nothing,
        };
        let answer = core.workers.take(call, known, now, wall).map(Answer::Worker);
        match (&answer, &self.writer) {
            (Ok(Answer::Worker(WorkerAnswer::Command(Command::Free(_)))), Some(writer))
                if !mutant::is(Mutant::DropBeforeFlush) =>
            {
                let wait_for = writer.last().sequence;
                self.hold(who, answer, wait_for);
            }
            _ => self.effects.push(Effect::Answer(who, answer)),
        }
    }
}
