//! Broken rules, to see the simulation object. Only in builds with the feature `mutants`; otherwise nothing is broken
//! and nothing is compiled in.

/// A rule to break. The names of the counterexamples are those of `docs/journal.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// F1: the lease counts from the reply.
    LeaseFromReply,
    /// F1: a read that shows our epoch gives a lease.
    LeaseFromRead,
    /// F1: a renewal that was refused counts.
    RefusedCounts,
    /// F2: claims at once.
    ClaimAtOnce,
    /// F2: the wait is that of our own lease, whatever the owner's is.
    OwnLeaseOnly,
    /// F2: who is refused a connection does not wait.
    SuspicionIsEnough,
    /// F2: the next epoch is that of the node, whatever the journal has.
    EpochFromNode,
    /// F2: a node that was seen before and after a break of the connection has stood still in between.
    StillAcrossBreaks,
    /// F2: released counts, whatever the journal has and was seen before.
    OldRelease,
    /// F3: released is written while answers may still leave.
    ReleaseEarly,
    /// F3: released is written while a flush is under way.
    ReleaseUnflushed,
    /// F3: released is written while what is flushed waits to be answered.
    ReleaseUnanswered,
    /// F4: answers leave before their record is flushed.
    AnswerBeforeFlush,
    /// F4: the lease is not looked at.
    NoLeaseCheck,
    /// F4: the lease is looked at when the flush begins.
    CheckBeforeFlush,
    /// F4: in mode `confirm`, a renewal that was sent before the flush counts.
    ConfirmedBefore,
    /// F4: reads are answered without a look at the lease.
    GateWithoutLease,
    /// F4: reads do not wait for what they show.
    GateWithoutWait,
    /// F4: refusals and reads do not wait for what they depend on.
    RefuseAtOnce,
    /// F4: nobody waits for a name that was changed twice, once the first change is answered.
    SettleTooMuch,
    /// F5: what was read before the claim is used.
    ReadBeforeClaim,
    /// F5: a listing without a segment that exists is used.
    StaleListing,
    /// F5: a segment that the epoch node names is waited for even when a later one is complete.
    NamedIsNeeded,
    /// F7: a flush that failed counts.
    FailedFlushCounts,
    /// F7: a late acknowledgement of an old segment counts.
    OldSegmentCounts,
    /// F7: a new segment names what was sent to the old one, acknowledged or not.
    RollNamesSent,
    /// F7: a new segment names what is flushed and not answered.
    RollUnanswered,
    /// F7: a new segment begins while flushes of the old one are under way.
    RollUnderWay,
    /// F7: an acknowledgement counts for all flushes that are under way.
    FirstCountsForAll,
    /// F7: a base ends where what was sent ends.
    BaseOfAllSent,
    /// F7: flushes behind one that failed count as under way.
    OthersSurvive,
    /// F8: the new leader copies nothing.
    NoCopies,
    /// F8: the new leader names all that it can read.
    NameVisibleEnd,
    /// F8: incomplete segments are taken for the tip.
    TornHeader,
    /// F8: a segment without an answer is named as base.
    NameUnanswered,
    /// F8: answers from a new segment leave before it is registered.
    ServeUnregistered,
    /// F8: who claims hides how many segments the leader before it had.
    HiddenSegments,
    /// F9: standbys apply all that they see.
    TailToEnd,
    /// F9: the mark is raised at the flush.
    MarkWhenFlushed,
    /// F9: an idle leader does not write its mark.
    NoIdleMark,
    /// F10: old segments are not recovered.
    NoRecovery,
    /// F11: a segment that no DataNode shows is empty.
    UnknownIsEmpty,
    /// F9: a primary writes a checkpoint before it is answered.
    CheckpointAhead,
    /// Collection: a segment that nobody answered from keeps what is before it.
    CollectUnanswered,
    /// Collection: what only the newest checkpoint holds is deleted.
    CollectToNewest,
    /// Collection: checkpoints of a history before the last format count.
    CollectForeign,
    /// Format: a master goes on in another history.
    ForeignHistory,
    /// Format: what the epoch node tells of a history before it is held against the journal.
    OldHistoryCounts,
    /// Damage is taken for a torn end.
    DamageIsTorn,
    /// A journal that lacks answered records is taken for whole.
    NoDurableCheck,
    /// The time in the journal follows the wall clock.
    TimeRunsBack,
    /// First answers are not kept.
    ForgetAnswers,
    /// A kept answer is given whatever is asked under its id.
    AnyArguments,
    /// An entry is not journaled.
    DropEntry,
    /// A directory is made in the UFS before it is durable that it will be.
    UnannouncedMake,
    /// A directory that is made in the UFS, for something below it, may be deleted meanwhile.
    DeleteWhileMade,
    /// A directory that the UFS refuses to make was not made by an earlier call either.
    RefusedIsAbsent,
    /// A standby has workers drop blocks that it does not know yet.
    StandbyDrops,
    /// Workers are told to drop blocks before it is durable that nobody needs them.
    DropBeforeFlush,
    /// A new primary begins without what workers told it as a standby.
    ForgetCopies,
    /// R1: a leader that restarts leads on in its term.
    RestoreLeader,
    /// R2: a voter that restarts votes at once.
    VoteAtOnce,
    /// The log tells that it is durable before it is flushed.
    AckBeforeFsync,
}

impl Mutant {
    /// All of them.
    pub const ALL: &[Mutant] = &[
        Mutant::LeaseFromReply,
        Mutant::LeaseFromRead,
        Mutant::RefusedCounts,
        Mutant::ClaimAtOnce,
        Mutant::OwnLeaseOnly,
        Mutant::SuspicionIsEnough,
        Mutant::EpochFromNode,
        Mutant::StillAcrossBreaks,
        Mutant::OldRelease,
        Mutant::ReleaseEarly,
        Mutant::ReleaseUnflushed,
        Mutant::ReleaseUnanswered,
        Mutant::AnswerBeforeFlush,
        Mutant::NoLeaseCheck,
        Mutant::CheckBeforeFlush,
        Mutant::ConfirmedBefore,
        Mutant::GateWithoutLease,
        Mutant::GateWithoutWait,
        Mutant::RefuseAtOnce,
        Mutant::SettleTooMuch,
        Mutant::ReadBeforeClaim,
        Mutant::StaleListing,
        Mutant::NamedIsNeeded,
        Mutant::FailedFlushCounts,
        Mutant::OldSegmentCounts,
        Mutant::RollNamesSent,
        Mutant::RollUnanswered,
        Mutant::RollUnderWay,
        Mutant::FirstCountsForAll,
        Mutant::BaseOfAllSent,
        Mutant::OthersSurvive,
        Mutant::NoCopies,
        Mutant::NameVisibleEnd,
        Mutant::TornHeader,
        Mutant::NameUnanswered,
        Mutant::ServeUnregistered,
        Mutant::HiddenSegments,
        Mutant::TailToEnd,
        Mutant::MarkWhenFlushed,
        Mutant::NoIdleMark,
        Mutant::NoRecovery,
        Mutant::UnknownIsEmpty,
        Mutant::CheckpointAhead,
        Mutant::CollectUnanswered,
        Mutant::CollectToNewest,
        Mutant::CollectForeign,
        Mutant::ForeignHistory,
        Mutant::OldHistoryCounts,
        Mutant::DamageIsTorn,
        Mutant::NoDurableCheck,
        Mutant::TimeRunsBack,
        Mutant::ForgetAnswers,
        Mutant::AnyArguments,
        Mutant::DropEntry,
        Mutant::UnannouncedMake,
        Mutant::DeleteWhileMade,
        Mutant::RefusedIsAbsent,
        Mutant::StandbyDrops,
        Mutant::DropBeforeFlush,
        Mutant::ForgetCopies,
    ];

    /// Rules of the embedded journal (`docs/plans/embedded-journal.md`), which has a world of its own.
    pub const EMBEDDED: &[Mutant] = &[Mutant::RestoreLeader, Mutant::VoteAtOnce, Mutant::AckBeforeFsync];
}

#[cfg(feature = "mutants")]
mod active {
    use super::Mutant;
    use std::cell::Cell;

    thread_local! {
        static ACTIVE: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Breaks this rule on this thread from now on; none mends all.
    pub fn set(mutant: Option<Mutant>) {
        ACTIVE.set(mutant);
    }

    /// Whether this rule is broken.
    pub fn is(mutant: Mutant) -> bool {
        ACTIVE.get() == Some(mutant)
    }
}

#[cfg(not(feature = "mutants"))]
mod active {
    use super::Mutant;

    /// Whether this rule is broken: never.
    pub const fn is(_: Mutant) -> bool {
        false
    }
}

pub use active::*;
