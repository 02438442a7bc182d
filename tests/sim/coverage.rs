//! What seeds have met: a fault that never came about proves nothing.

/// One line each: the name, and what is counted.
macro_rules! met {
    ($($name:ident: $text:literal,)*) => {
        /// What is counted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Met { $($name,)* }

        /// All of it, in words.
        pub const ALL: &[(Met, &str)] = &[$((Met::$name, $text),)*];
    };
}

met! {
    Step: "steps",
    Fault: "faults",
    Operation: "operations answered",
    Takeover: "takeovers",
    Doomed: "takeovers cut short by a death or a pause at a chosen step",
    TakenOverTwice: "second and third leaders in a row that were cut short",
    DeathAfterRoll: "deaths just after another segment was made, which then is not seen at once",
    HalfStep: "deaths between two effects of one step",
    HeldStep: "pauses between the clock and the effects of a step",
    Ambiguous: "operations without a reply in time",
    ZombieWrite: "writes that landed after their writer's death",
    LateAcknowledgement: "acknowledgements after the flush was given up",
    FailedFlush: "flushes that failed",
    Overlapped: "flushes that began while another one was under way",
    BrokenIdle: "segments that broke while nothing was under way",
    FailedOverlapped: "flushes that failed with another one behind or before them",
    NotClosed: "segments that could not be closed",
    TornTail: "torn appends",
    LateCreate: "segments created after their creation was given up",
    StaleListing: "listings that lacked a segment",
    UnknownLength: "lengths that no DataNode told",
    AllRestarted: "restarts of all DataNodes of a segment",
    ReplicaLost: "lost replicas",
    RecoveredByHand: "open segments recovered by hand",
    CutShort: "recoveries to less than the longest replica",
    StoreOutage: "outages of the store",
    Full: "changes refused because too much was not acknowledged",
    CheckpointLoaded: "starts from a checkpoint",
    CheckpointCompared: "checkpoints compared with the history",
    Collected: "segments that checkpoints had made superfluous, and that were deleted",
    Reloaded: "standbys that began again, from a newer checkpoint",
    HeldRead: "reads held back",
    Fenced: "fenced leaders",
    StopUnderLoad: "planned stops with calls under way",
    DeathUnderLoad: "deaths with flushes under way",
    DeathInFlush: "deaths in a flush that reached no DataNode, while others waited for it",
    Usurped: "latch nodes deleted under a leader that cannot know",
    WrongEvidence: "living leaders that seemed to be gone",
    ZookeeperAway: "outages of ZooKeeper",
    ZookeeperRestored: "ZooKeeper restored from an old copy",
    RestoredAsSeen: "ZooKeeper restored to what a standby had seen all the while",
    EpochDeleted: "epoch nodes deleted by hand",
    WallStep: "steps of a wall clock",
    StoodStill: "pauses that the boot clock did not count",
    Formatted: "formats under living masters",
    ForeignHistory: "masters that met another history",
    Audit: "audits: what a leader that began now would find",
    Effect: "changes of the UFS",
    Look: "looks at the UFS",
    LookFound: "answers of the UFS to looks that showed something",
    Load: "loads of what was seen",
    LoadKeptOut: "loads that an open intent kept out",
    Outside: "objects that others put into the UFS",
    MadeForOthers: "directories made in the UFS for something below",
    Settled: "intents of dead masters settled",
    SettledMake: "directories that dead masters had begun to make in the UFS",
    FileWritten: "files of writers",
    WorkerDeath: "deaths of workers",
    WorkerPause: "pauses of workers",
    Evicted: "copies that workers gave up by themselves",
    Dropped: "copies dropped by order",
    Echoed: "operations repeated after their answer, and answered as before",
    EchoedElsewhere: "the same at a later leader",
    Misused: "operation ids used again with other arguments, and refused",
    DamageNamed: "damaged files that were named before serving",
    DamagePassed: "damaged files that nobody needed",
}

/// How often each was met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage(Vec<u64>);

impl Default for Coverage {
    fn default() -> Coverage {
        Coverage(vec![0; ALL.len()])
    }
}

impl Coverage {
    pub fn met(&mut self, what: Met) {
        self.0[what as usize] += 1;
    }

    pub fn of(&self, what: Met) -> u64 {
        self.0[what as usize]
    }

    pub fn add(&mut self, other: &Coverage) {
        self.0.iter_mut().zip(&other.0).for_each(|(sum, one)| *sum += one);
    }

    /// A line for each.
    pub fn table(&self) -> String {
        let line = |(what, text): &(Met, &str)| format!("{:>13}  {text}", self.of(*what));
        ALL.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// What no seed has met.
    pub fn missing(&self) -> Vec<&'static str> {
        ALL.iter().filter(|(what, _)| self.of(*what) == 0).map(|(_, text)| *text).collect()
    }
}
