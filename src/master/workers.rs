//! Pure. Which workers there are, what they hold, and what they are to drop.
//!
//! Nothing of it is journaled: workers tell every master anew. The loop alone changes it, in any role; a standby keeps
//! it, too, so that it knows every copy when it becomes primary. Invariant: `copies` and the `blocks` of all workers
//! say the same.

use super::worker_call::{
    Command, Heartbeat, LeaseRule, Place, PlacedBlocks, Registration, WorkerAnswer, WorkerCall, WorkerInfo, WorkerState,
};
use super::worker_entry::{Phase, Worker};
use crate::types::time::{Boot, Millis};
use crate::types::{BlockId, BlockLocation, ErrorKind, FsError, InodeId, WorkerAddress, WorkerId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often it is looked for workers that are silent.
const CHECK: Duration = Duration::from_secs(1);
/// How long a lost worker is still spoken of, as in 2.9.6.
const FORGET_LOST: Duration = Duration::from_secs(30 * 60);
/// How long a lease to register lasts, as in 2.9.6.
const LEASE: Duration = Duration::from_secs(60);
/// Leases at a time, as in 2.9.6.
const LEASES_MAX: usize = 25;
/// Workers that are known at a time, so that made-up addresses fill no memory.
const WORKERS_MAX: usize = 100_000;
/// Blocks that one command names at most; the others come with the next.
const FREED_PER_COMMAND_MAX: usize = 100_000;

/// What operators set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerLimits {
    /// `alluxio.master.worker.timeout`
    pub timeout: Duration,
    /// `alluxio.master.worker.connect.wait.time`
    pub connect_wait: Duration,
}

/// What the one who answers a worker knows of the namespace.
#[derive(Clone, Copy)]
pub enum Known<'a> {
    /// A standby: it orders nothing.
    Nothing,
    /// A new primary: it orders what its own clients had dropped.
    OwnOrders,
    /// A primary that has been one for a while: what it does not know may go.
    All(&'a dyn Fn(BlockId) -> bool),
}

/// See the module text.
#[derive(Debug, Clone, Default)]
pub struct Workers {
    by_id: BTreeMap<WorkerId, Worker>,
    ids: BTreeMap<WorkerAddress, WorkerId>,
    /// Where in `places` each copy lies.
    copies: BTreeMap<(BlockId, WorkerId), u16>,
    places: Vec<Place>,
    leases: BTreeMap<WorkerId, Boot>,
    now: Boot,
    checked: Boot,
    /// Until when, at the latest, it is waited for workers, and for whom.
    safe_until: Option<Boot>,
    awaited: BTreeSet<WorkerId>,
    /// Those that are refused when they register.
    disabled: BTreeSet<WorkerAddress>,
}

impl Workers {
    /// Takes note of the time: silent workers are lost. Gives what an operator should know.
    pub fn pass(&mut self, limits: &WorkerLimits, now: Boot) -> Vec<String> {
        self.now = now;
        if now.since(self.checked) < CHECK {
            return Vec::new();
        }
        self.checked = now;
        let silent = |worker: &Worker, limit| now.since(worker.contact) > limit;
        let lost: Vec<WorkerId> = (self.by_id.iter())
            .filter(|(_, worker)| worker.may_be_lost() && silent(worker, limits.timeout))
            .map(|(id, _)| *id)
            .collect();
        let mut notes = Vec::new();
        for id in lost {
            notes.extend(self.lose(id));
        }
        let is_out = |worker: &Worker| matches!(worker.phase, Phase::Lost | Phase::Decommissioned);
        let gone = |worker: &Worker| is_out(worker) && silent(worker, limits.timeout + FORGET_LOST);
        self.by_id.retain(|_, worker| !gone(worker));
        self.ids.retain(|_, id| self.by_id.contains_key(id));
        notes
    }

    /// This master serves from now on: it waits for the workers that it does not know, or for those that it knows.
    pub fn begin_to_serve(&mut self, limits: &WorkerLimits, now: Boot) {
        self.now = now;
        self.safe_until = Some(now + limits.connect_wait);
        self.awaited = self.by_id.iter().filter(|(_, worker)| worker.is_there()).map(|(id, _)| *id).collect();
    }

    /// Whether workers may be there of which this master does not know yet.
    pub fn is_in_safe_mode(&self) -> bool {
        self.safe_until.is_some_and(|until| self.now < until)
    }

    /// Takes the call of a worker.
    ///
    /// # Errors
    /// No worker has that id, or it may not register now.
    pub fn take(
        &mut self,
        call: WorkerCall,
        known: Known<'_>,
        now: Boot,
        wall: Millis,
    ) -> Result<WorkerAnswer, FsError> {
        self.now = now;
        match call {
            WorkerCall::GetId { address, fresh } => self.name(address, fresh).map(WorkerAnswer::Id),
            WorkerCall::NotifyId { worker, address } => self.name(address, worker).map(|_| WorkerAnswer::Taken),
            WorkerCall::RequestLease { worker } => Ok(self.lease(worker, wall)),
            WorkerCall::Begin(registration) => self.begin(*registration, wall),
            WorkerCall::Holds { worker, blocks } => self.hold(worker, blocks),
            WorkerCall::End { worker } => self.end(worker),
            WorkerCall::Heartbeat(heartbeat) => Ok(WorkerAnswer::Command(self.heartbeat(*heartbeat, known))),
            WorkerCall::Decommission { host, web_port, disable } => self.decommission(&host, web_port, disable),
            WorkerCall::Enable { host, web_port } => {
                self.disabled.retain(|address| address.host != host || address.web_port != web_port);
                Ok(WorkerAnswer::Taken)
            }
        }
    }

    /// Whether the worker is registered and reports. One that is decommissioned ends what it has begun.
    pub fn is_live(&self, id: WorkerId) -> bool {
        self.by_id.get(&id).is_some_and(Worker::reports)
    }

    /// A worker has committed a block. One that no file has is dropped again.
    pub fn committed(&mut self, id: WorkerId, block: BlockId, place: Place, used_on_tier: i64, is_known: bool) {
        let place_number = self.place(&place);
        let Some(worker) = self.by_id.get_mut(&id) else { return };
        worker.contact = self.now;
        worker.used_bytes.insert(place.tier_alias, used_on_tier);
        if is_known {
            worker.to_drop.remove(&block);
        } else {
            worker.to_drop.insert(block);
        }
        worker.blocks.insert(block);
        self.copies.insert((block, id), place_number);
    }

    /// All copies of this block are to be dropped.
    pub fn drop_copies(&mut self, block: BlockId) {
        for ((block, id), _) in self.copies.range(copies_of(block)) {
            let worker = self.by_id.get_mut(id).expect("copies are those of workers that are there");
            worker.to_drop.insert(*block);
        }
    }

    /// The copies of a block on live workers; where there are none, those on workers that are decommissioned.
    // Compatible: not with 2.9.6, which tells nothing of the latter: there a file that is in Alluxio only is lost with them.
    pub fn locations(&self, block: BlockId) -> Vec<BlockLocation> {
        let copies = |wanted: fn(&Worker) -> bool| -> Vec<BlockLocation> {
            let copies = self.copies.range(copies_of(block)).filter_map(|((_, id), place)| {
                let worker = self.by_id.get(id).filter(|worker| wanted(worker))?;
                let Place { tier_alias, medium_type } = self.places[usize::from(*place)].clone();
                Some(BlockLocation { worker: *id, address: worker.address.clone(), tier_alias, medium_type })
            });
            copies.collect()
        };
        match copies(|worker| worker.phase != Phase::Decommissioned) {
            serving if serving.is_empty() => copies(|worker| worker.phase == Phase::Decommissioned),
            serving => serving,
        }
    }

    /// Files of which a live worker holds a block, by id, after this one.
    pub fn files_held(&self, after: InodeId) -> impl Iterator<Item = InodeId> {
        let next = |after: InodeId| {
            let first = (BlockId::of(after.container().checked_add(1)?, 0), WorkerId(i64::MIN));
            self.copies.range(first..).next().map(|((block, _), _)| block.file())
        };
        std::iter::successors(next(after), move |file| next(*file))
    }

    /// All registered workers, lost ones too.
    pub fn infos(&self) -> impl Iterator<Item = WorkerInfo> {
        self.by_id.iter().filter_map(|(id, worker)| {
            let state = match worker.phase {
                Phase::Named | Phase::Registering { .. } => return None,
                Phase::Live => WorkerState::Live,
                Phase::Lost => WorkerState::Lost,
                Phase::Decommissioned if self.disabled.contains(&worker.address) => WorkerState::Disabled,
                Phase::Decommissioned => WorkerState::Decommissioned,
            };
            Some(WorkerInfo {
                id: *id,
                address: worker.address.clone(),
                state,
                last_contact_s: self.now.since(worker.contact).as_secs(),
                start_time: worker.start_time,
                capacity_bytes: worker.capacity_bytes.clone(),
                used_bytes: worker.used_bytes.clone(),
                lost_storage: worker.lost_storage.clone(),
                build: worker.build.clone(),
                vcpus: worker.vcpus,
                blocks: worker.blocks.len() as u64,
            })
        })
    }

    fn name(&mut self, address: WorkerAddress, fresh: WorkerId) -> Result<WorkerId, FsError> {
        if let Some(id) = self.ids.get(&address) {
            if let Some(worker) = self.by_id.get_mut(id).filter(|worker| worker.phase == Phase::Named) {
                worker.contact = self.now;
            }
            return Ok(*id);
        }
        if self.by_id.contains_key(&fresh) || self.by_id.len() >= WORKERS_MAX {
            return Err(FsError::new(ErrorKind::Unavailable, "There is no id for another worker now. Try again."));
        }
        self.ids.insert(address.clone(), fresh);
        self.by_id.insert(fresh, Worker::named(address, self.now));
        Ok(fresh)
    }

    fn lease(&mut self, id: WorkerId, wall: Millis) -> WorkerAnswer {
        self.leases.retain(|_, until| self.now < *until);
        let free = self.leases.len() < LEASES_MAX;
        let until = match self.leases.get(&id) {
            Some(until) => Some(*until),
            None if free => Some(*self.leases.entry(id).or_insert(self.now + LEASE)),
            None => None,
        };
        let left = until.map_or(Duration::ZERO, |until| until.since(self.now));
        let expires = Millis(wall.0 + left.as_millis() as i64);
        WorkerAnswer::Lease { allowed: until.is_some(), expires }
    }

    fn begin(&mut self, new: Registration, wall: Millis) -> Result<WorkerAnswer, FsError> {
        let worker = self.by_id.get_mut(&new.worker).ok_or_else(|| no_worker(new.worker))?;
        if new.lease == LeaseRule::Needed && self.leases.get(&new.worker).is_none_or(|until| *until <= self.now) {
            let message = format!(
                "Worker {} does not have a lease or the lease has expired. The worker should acquire a new lease and \
                 retry to register.",
                new.worker.0
            );
            return Err(FsError::new(ErrorKind::Unavailable, message));
        }
        if self.disabled.contains(&worker.address) {
            return Err(FsError::new(ErrorKind::Unavailable, worker.disabled()));
        }
        worker.contact = self.now;
        worker.start_time = wall;
        worker.capacity_bytes = new.capacity_bytes;
        worker.used_bytes = new.used_bytes;
        worker.lost_storage = new.lost_storage;
        worker.build = new.build;
        worker.vcpus = new.vcpus;
        worker.to_drop.clear();
        worker.judged = None;
        worker.phase = Phase::Registering { unnamed: worker.blocks.clone() };
        Ok(WorkerAnswer::Taken)
    }

    fn hold(&mut self, id: WorkerId, blocks: PlacedBlocks) -> Result<WorkerAnswer, FsError> {
        let registering = |worker: &&mut Worker| matches!(worker.phase, Phase::Registering { .. });
        let worker = self.by_id.get_mut(&id).filter(registering).ok_or_else(|| no_worker(id))?;
        worker.contact = self.now;
        if let Phase::Registering { unnamed } = &mut worker.phase {
            for block in blocks.iter().flat_map(|(_, blocks)| blocks) {
                unnamed.remove(block);
            }
        }
        self.add(id, &blocks);
        Ok(WorkerAnswer::Taken)
    }

    fn end(&mut self, id: WorkerId) -> Result<WorkerAnswer, FsError> {
        let registering = |worker: &&mut Worker| matches!(worker.phase, Phase::Registering { .. });
        let worker = self.by_id.get_mut(&id).filter(registering).ok_or_else(|| no_worker(id))?;
        worker.contact = self.now;
        self.leases.remove(&id);
        if let Phase::Registering { unnamed } = std::mem::replace(&mut worker.phase, Phase::Live) {
            self.remove(id, unnamed);
        }
        self.reported(id);
        Ok(WorkerAnswer::Taken)
    }

    // Compatible: 2.9.6 DefaultBlockMaster.decommissionWorker; one that is decommissioned already may be disabled now.
    fn decommission(&mut self, host: &str, web_port: u16, disable: bool) -> Result<WorkerAnswer, FsError> {
        let named = |worker: &&mut Worker| worker.address.host == host && worker.address.web_port == web_port;
        let not_found = |text: String| FsError::new(ErrorKind::NotFound, text);
        let found = self.by_id.values_mut().filter(named).min_by_key(|worker| worker.rank());
        let worker = found.ok_or_else(|| not_found(format!("Worker {host}:{web_port} not found")))?;
        if matches!(worker.phase, Phase::Named | Phase::Registering { .. }) {
            let text = format!(
                "Attempting to decommission an unregistered worker {host}:{web_port}. Please wait until this worker is \
                 registered."
            );
            return Err(not_found(text));
        }
        worker.phase = Phase::Decommissioned;
        let address = worker.address.clone();
        if disable {
            self.disabled.insert(address.clone());
        }
        if let Some(id) = self.ids.get(&address).copied() {
            self.reported(id);
        }
        Ok(WorkerAnswer::Taken)
    }

    fn heartbeat(&mut self, news: Heartbeat, known: Known<'_>) -> Command {
        let id = news.worker;
        let Some(worker) = self.by_id.get_mut(&id).filter(|worker| worker.reports()) else {
            return Command::Register;
        };
        worker.contact = self.now;
        worker.used_bytes = news.used_bytes;
        if !news.capacity_bytes.is_empty() {
            worker.capacity_bytes = news.capacity_bytes;
        }
        for (tier, folders) in news.lost_storage {
            worker.lost_storage.entry(tier).or_default().extend(folders);
        }
        self.remove(id, news.removed);
        self.add(id, &news.added);
        self.reported(id);
        let worker = self.by_id.get_mut(&id).expect("just seen");
        if worker.phase == Phase::Decommissioned {
            let is_disabled = self.disabled.contains(&worker.address);
            return if is_disabled { Command::Disabled } else { Command::Decommissioned };
        }
        if let Known::All(is_known) = known {
            worker.judge(is_known, self.now);
        }
        if worker.to_drop.is_empty() || matches!(known, Known::Nothing) {
            return Command::Nothing;
        }
        Command::Free(worker.to_drop.iter().take(FREED_PER_COMMAND_MAX).copied().collect())
    }

    /// One of those that safe mode waits for is here.
    fn reported(&mut self, id: WorkerId) {
        if self.awaited.remove(&id) && self.awaited.is_empty() {
            self.safe_until = None;
        }
    }

    fn add(&mut self, id: WorkerId, blocks: &PlacedBlocks) {
        for (place, blocks) in blocks {
            let place = self.place(place);
            let worker = self.by_id.get_mut(&id).expect("the caller has seen it");
            worker.blocks.extend(blocks);
            self.copies.extend(blocks.iter().map(|block| ((*block, id), place)));
        }
    }

    fn remove(&mut self, id: WorkerId, blocks: impl IntoIterator<Item = BlockId>) {
        let worker = self.by_id.get_mut(&id).expect("the caller has seen it");
        for block in blocks {
            worker.blocks.remove(&block);
            worker.to_drop.remove(&block);
            self.copies.remove(&(block, id));
        }
    }

    /// The number of a place; there are a handful in a cluster.
    fn place(&mut self, place: &Place) -> u16 {
        let known = self.places.iter().position(|known| known == place);
        // More would be made-up ones; they are told as the last.
        let number = known.unwrap_or(self.places.len()).min(usize::from(u16::MAX));
        if number == self.places.len() {
            self.places.push(place.clone());
        }
        number as u16
    }

    fn lose(&mut self, id: WorkerId) -> Option<String> {
        let worker = self.by_id.get_mut(&id)?;
        if worker.phase == Phase::Named {
            self.by_id.remove(&id);
            return None;
        }
        if worker.phase != Phase::Decommissioned {
            worker.phase = Phase::Lost;
        }
        let blocks = std::mem::take(&mut worker.blocks);
        let (address, count) = (worker.address.endpoint(), blocks.len());
        let silent_s = self.now.since(worker.contact).as_secs();
        self.remove(id, blocks);
        self.awaited.remove(&id);
        Some(format!("lost a worker id={} address={address} blocks={count} silent_s={silent_s}", id.0))
    }
}

fn copies_of(block: BlockId) -> std::ops::RangeInclusive<(BlockId, WorkerId)> {
    (block, WorkerId(i64::MIN))..=(block, WorkerId(i64::MAX))
}

fn no_worker(id: WorkerId) -> FsError {
    FsError::new(ErrorKind::NotFound, format!("No worker with workerId {} is found", id.0))
}

#[cfg(test)]
#[path = "workers_tests.rs"]
mod tests;
