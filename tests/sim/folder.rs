//! Calls to the journal folder, and what becomes of appended bytes on DataNodes.

use crate::coverage::Met;
use crate::perform::DEADLINE;
use crate::world::{Action, MS, SECOND, World};
use alluxio::journal::folder::{AppendId, Length, SegmentId, StoreError};
use alluxio::journal::tailer::Ask;
use alluxio::master::event::{Event, Told};
use bytes::Bytes;

/// How long a flush may take.
const FLUSH_DEADLINE: u64 = 2 * SECOND;

impl World {
    /// A question of the tailer reaches the store.
    pub fn store_effect(&mut self, host: usize, life: u64, ask: Ask) {
        let told = match ask {
            Ask::List => self.list().map(Told::Listed),
            Ask::Length(segment) => self.any_length(segment).map(Told::Length),
            Ask::Read { segment, offset, bytes } => self.any_replica(segment, offset, bytes).map(Told::Bytes),
            Ask::Recover(segment) => Ok(Told::Recovered(self.recover_to_anything(segment))),
        };
        let told = told.unwrap_or_else(|error| Told::Failed(error.to_string()));
        if matches!(told, Told::Length(Length::Unknown)) {
            self.coverage.met(Met::UnknownLength);
        }
        let lost = self.rng.chance(1, 200) && !self.healing;
        let event = Event::Tail(ask, if lost { Told::Failed("no reply".into()) } else { told });
        let delay = if self.rng.chance(1, 60) { self.rng.range(0, 2 * SECOND) } else { self.rng.range(50, MS) };
        self.after(delay, Action::Deliver(host, life, event));
    }

    /// What one of the DataNodes tells.
    pub fn any_length(&mut self, segment: SegmentId) -> Result<Length, StoreError> {
        let first = self.rng.index(self.options.replicas);
        for at in 0..self.options.replicas {
            match self.folder.visible(segment, (first + at) % self.options.replicas)? {
                Length::Unknown => {}
                length => return Ok(length),
            }
        }
        Ok(Length::Unknown)
    }

    /// What one of the DataNodes has.
    pub fn any_replica(&mut self, segment: SegmentId, offset: u64, bytes: u64) -> Result<Bytes, StoreError> {
        let first = self.rng.index(self.options.replicas);
        let mut result = self.folder.read(segment, first, offset, bytes);
        for at in 1..self.options.replicas {
            result = result.or_else(|_| self.folder.read(segment, (first + at) % self.options.replicas, offset, bytes));
        }
        result
    }

    /// HDFS recovers a file to some length between the shortest and the longest replica. Whether it is closed.
    pub fn recover_to_anything(&mut self, segment: SegmentId) -> bool {
        match self.folder.recovery_range(segment) {
            Err(StoreError::NotFound { .. }) => true,
            Err(_) => false,
            Ok(None) => true,
            Ok(Some(range)) => {
                let length = self.rng.range(*range.start(), *range.end() + 1);
                if length < *range.end() {
                    self.coverage.met(Met::CutShort);
                }
                self.note(|| format!("{segment} is recovered to {length} of {range:?}"));
                self.folder.recover_to(segment, length).is_ok()
            }
        }
    }

    /// What the NameNode lists, as it is or as it was a while ago.
    pub fn list(&mut self) -> Result<Vec<SegmentId>, StoreError> {
        let mut segments = self.folder.list()?.segments;
        let lags = self.doom.lags_until > self.now && self.rng.chance(3, 4);
        if (lags || self.rng.chance(1, 5)) && !self.healing && self.now >= self.doom.exact_until {
            let then = if lags { self.doom.lags_from } else { self.now - self.rng.range(MS, SECOND) };
            let before = segments.len();
            let was_there = |segment: &SegmentId| self.created_at.get(segment).is_none_or(|at| *at <= then);
            segments.retain(was_there);
            if segments.len() < before {
                self.coverage.met(Met::StaleListing);
            }
            let still_there = self.deleted_at.iter().filter(|(segment, at)| **at > then && was_there(segment));
            segments.extend(still_there.map(|(segment, _)| *segment));
            segments.sort_unstable();
        }
        Ok(segments)
    }

    /// A segment goes; listings that lag show it for a while.
    pub fn delete_segment(&mut self, segment: SegmentId) -> Result<(), StoreError> {
        self.folder.delete_segment(segment)?;
        self.deleted_at.insert(segment, self.now);
        Ok(())
    }

    /// A creation leaves for the NameNode: its reply may be lost, or it takes effect when nobody waits for it any more.
    pub fn ask_to_create(&mut self, host: usize, life: u64, segment: SegmentId) {
        let late = self.rng.chance(1, 40) && !self.healing;
        let lost = self.rng.chance(1, 60) && !self.healing;
        let delay = if late { self.rng.range(DEADLINE, 6 * SECOND) } else { self.rng.range(MS, 20 * MS) };
        if late {
            self.coverage.met(Met::LateCreate);
        }
        if late || lost {
            self.after(DEADLINE, Action::Deliver(host, life, Event::Created(segment, Err("no reply".into()))));
        }
        self.after(delay, Action::Create { host, life, segment, lost });
    }

    /// A segment is created, or not.
    pub fn create_effect(&mut self, host: usize, life: u64, segment: SegmentId, lost: bool) {
        let created = self.folder.create(segment).map_err(|error| error.to_string());
        self.note(|| format!("{segment} is created for host {host}: {created:?}, lost {lost}"));
        if created.is_ok() {
            self.created_at.insert(segment, self.now);
        }
        if let (Ok(file), Some(process)) = (&created, self.process(host, life)) {
            process.files.insert(segment, *file);
            if segment.index > 0 {
                self.rolled(host, life);
            }
        }
        if !lost {
            self.tell_later(host, life, Event::Created(segment, created.map(|_| 60_000)));
        }
    }

    /// A flush begins: its bytes land on one DataNode after the other.
    pub fn append(&mut self, host: usize, life: u64, segment: SegmentId, bytes: &[u8]) {
        let process = self.process(host, life).expect("it just asked for it");
        if process.ended.contains(&segment) {
            // Its appender has ended with the flush that failed; that is still on its way to the driver.
            return self.tell_later(host, life, Event::Appended(segment, Err("it has ended".into())));
        }
        process.flights += 1;
        let (flight, overlaps) = (process.flights, !process.in_flight.is_empty());
        if !overlaps {
            process.landing_at.fill(0);
            process.acknowledged_at = 0;
        }
        process.in_flight.push_back(flight);
        let Some(file) = process.files.get(&segment).copied() else { return };
        if overlaps {
            self.coverage.met(Met::Overlapped);
        }
        let append = self.folder.begin_append(file, bytes);
        self.after(FLUSH_DEADLINE, Action::FlushDeadline { host, life, segment, flight });
        if self.datanodes_away_until > self.now || self.dies_in_flush(host, life) {
            return;
        }
        let mut slowest = if self.is_slow() { self.rng.range(MS, 300 * MS) } else { 0 };
        for replica in 0..self.options.replicas {
            let mut delay = slowest + self.rng.range(100, 2 * MS);
            if self.rng.chance(1, 40) && !self.healing {
                delay += self.rng.range(MS, 8 * SECOND);
            }
            // A header with its copies is the append whose tearing matters most, the more so if its writer dies.
            let one_in = if bytes[0] == b'H' {
                10
            } else if self.is_slow() {
                25
            } else {
                100
            };
            let torn = self.rng.chance(1, one_in) && !self.healing;
            let part = torn.then(|| self.rng.index(bytes.len()));
            // Behind what was sent before.
            let now = self.now;
            let landing = &mut self.process(host, life).expect("it just asked for it").landing_at[replica];
            *landing = (*landing + 1).max(now + delay);
            let delay = *landing - now;
            self.after(delay, Action::Land { append, replica, bytes: part });
            slowest = delay;
            if torn {
                self.coverage.met(Met::TornTail);
                if self.rng.chance(1, 2) {
                    // The rest comes later, to all that it had not reached.
                    let later = delay + self.rng.range(MS, 3 * SECOND);
                    for replica in replica..self.options.replicas {
                        self.after(later, Action::Land { append, replica, bytes: None });
                    }
                    let at = self.now + later;
                    let process = self.process(host, life).expect("it just asked for it");
                    process.landing_at[replica..].iter_mut().for_each(|landing| *landing = at.max(*landing));
                }
                if self.rng.chance(1, 2) {
                    let soon = self.rng.range(MS, 20 * MS);
                    self.after(delay + soon, Action::Kill { host, life });
                }
                break;
            }
        }
        let delay = slowest + self.rng.range(50, MS);
        let now = self.now;
        let process = self.process(host, life).expect("it just asked for it");
        process.acknowledged_at = (process.acknowledged_at + 1).max(now + delay);
        let delay = process.acknowledged_at - now;
        self.after(delay, Action::Acknowledge { host, life, segment, append, flight });
    }

    /// Bytes arrive at a DataNode.
    pub fn land(&mut self, append: AppendId, replica: usize, bytes: Option<usize>) {
        match bytes {
            _ if self.datanodes_away_until > self.now => {}
            None => drop(self.folder.land(append, replica)),
            Some(bytes) => drop(self.folder.land_part(append, replica, bytes)),
        }
    }

    /// The whole pipeline has them, and says so.
    pub fn acknowledge(&mut self, host: usize, life: u64, segment: SegmentId, append: AppendId, flight: u64) {
        if !self.folder.acknowledged(append) || (self.rng.chance(1, 150) && !self.healing) {
            return;
        }
        let Some(process) = self.process(host, life) else {
            self.coverage.met(Met::ZombieWrite);
            return;
        };
        match process.in_flight.iter().position(|under_way| *under_way == flight) {
            Some(0) => drop(process.in_flight.pop_front()),
            // The one before was not, and so the pipeline is over.
            Some(_) => return,
            None => self.coverage.met(Met::LateAcknowledgement),
        }
        self.note(|| format!("an append of host {host} to {segment} is acknowledged"));
        self.flush_ends(host, life);
        self.tell_later(host, life, Event::Appended(segment, Ok(())));
    }

    /// Who writes a segment and waits for nothing learns that it is broken.
    pub fn pipeline_is_broken(&mut self, segment: SegmentId) {
        for host in 0..self.hosts.len() {
            let life = self.hosts[host].lives;
            let Some(process) = self.process(host, life) else { continue };
            let writes = process.files.contains_key(&segment) && process.in_flight.is_empty();
            if writes && process.ended.insert(segment) {
                self.coverage.met(Met::BrokenIdle);
                self.tell_later(host, life, Event::Appended(segment, Err("it is broken".into())));
            }
        }
    }

    /// No acknowledgement came.
    pub fn flush_deadline(&mut self, host: usize, life: u64, segment: SegmentId, flight: u64) {
        let Some(process) = self.process(host, life) else { return };
        if process.in_flight.contains(&flight) {
            let with_others = process.in_flight.len() > 1;
            process.in_flight.clear();
            process.ended.insert(segment);
            if with_others {
                self.coverage.met(Met::FailedOverlapped);
            }
            self.coverage.met(Met::FailedFlush);
            self.tell_later(host, life, Event::Appended(segment, Err("deadline".into())));
        }
    }
}
