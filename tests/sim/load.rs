//! Faults that hurt only when much is under way: stops and deaths while flushes are slow, a leader that is passed
//! over while it cannot know. And what a stop owes.

use crate::coverage::Met;
use crate::world::{Action, MS, SECOND, Ticket, World};
use alluxio::master::event::Event;

/// A stopped leader answers what is under way for five seconds of its clock, which may be fast.
const DRAIN: u64 = 4_800 * MS;

impl World {
    /// Whether flushes take long.
    pub fn is_slow(&self) -> bool {
        self.slow_until > self.now && !self.healing
    }

    fn slow_down(&mut self) {
        let time = self.rng.range(300 * MS, 2 * SECOND);
        self.note(|| format!("flushes are slow for {} ms", time / MS));
        self.slow_until = self.now + time;
    }

    /// SIGTERM after a while.
    pub fn stop_after(&mut self, host: usize, delay: u64) {
        self.note(|| format!("host {host} is told to stop in {} ms", delay / MS));
        let life = self.hosts[host].lives;
        self.after(delay, Action::Deliver(host, life, Event::Stop));
    }

    /// A planned stop with answers under way, while flushes are slow and renewals late.
    pub fn stop_under_load(&mut self, host: usize) {
        self.slow_down();
        self.hosts[host].late_until = self.now + 3 * SECOND;
        let delay = self.rng.range(10 * MS, 600 * MS);
        self.stop_after(host, delay);
    }

    /// A death with some flushes done and others not.
    pub fn kill_under_load(&mut self, host: usize) {
        self.slow_down();
        self.coverage.met(Met::DeathUnderLoad);
        let life = self.hosts[host].lives;
        let delay = self.rng.range(10 * MS, 600 * MS);
        self.after(delay, Action::Kill { host, life });
    }

    /// It cannot reach ZooKeeper, and its latch node is deleted by hand: it answers until its lease ends, and another
    /// master may claim as soon as its own clock allows.
    pub fn usurp(&mut self, host: usize) {
        self.coverage.met(Met::Usurped);
        let time = self.rng.range(3 * SECOND, 6 * SECOND);
        self.passed_over_for(host, time);
        let delay = self.rng.range(0, 2 * SECOND);
        self.after(delay, Action::DeleteLatch { host });
    }

    /// It cannot reach ZooKeeper, and clients cannot know.
    pub fn passed_over_for(&mut self, host: usize, time: u64) {
        self.cut_off_for(host, time);
        self.passed_over = Some((host, self.now + time));
    }

    /// A leader is passed over while its flushes are under way, and its successor is held up after its reading.
    pub fn duel(&mut self, host: usize) {
        let host = self.leader().unwrap_or(host);
        self.slow_down();
        self.usurp(host);
        self.doom_after_reading();
    }

    /// A master took a request in.
    pub fn owe(&mut self, host: usize, ticket: Ticket) {
        if let Some(process) = self.hosts[host].process.as_mut() {
            process.owed.insert(ticket);
        }
    }

    /// It was answered.
    pub fn paid(&mut self, host: usize, ticket: Ticket) {
        if let Some(process) = self.hosts[host].process.as_mut() {
            process.owed.remove(&ticket);
        }
    }

    /// The order to stop arrived.
    pub fn told_to_stop(&mut self, host: usize) {
        let now = self.now;
        let Some(process) = self.hosts[host].process.as_mut().filter(|process| process.gate.is_serving()) else {
            return;
        };
        process.stopped_at.get_or_insert(now);
        if !process.owed.is_empty() {
            self.coverage.met(Met::StopUnderLoad);
        }
    }

    /// Whoever stops as planned answers before what it took in, or waits as long as it may.
    pub fn owes_nobody(&self, host: usize) -> Result<(), String> {
        let Some(process) = self.hosts[host].process.as_ref() else { return Ok(()) };
        match process.stopped_at {
            Some(at) if self.now < at + DRAIN && !process.owed.is_empty() => {
                Err(format!("host {host} stopped and left {} calls without an answer", process.owed.len()))
            }
            _ => Ok(()),
        }
    }
}
