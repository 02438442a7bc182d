//! Broken rules, to see the simulation object. Only in builds with the feature `mutants`; otherwise nothing is broken
//! and nothing is compiled in.

/// A rule to break. The names of the counterexamples are those of `docs/journal.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// F4: answers leave before their record is flushed.
    AnswerBeforeFlush,
    /// F4: the lease is not looked at.
    NoLeaseCheck,
    /// F1: the lease counts from the reply.
    LeaseFromReply,
    /// F2: claims at once.
    ClaimAtOnce,
    /// F2: the wait is that of our own lease, whatever the owner's is.
    OwnLeaseOnly,
    /// F3: released is written while answers may still leave.
    ReleaseEarly,
    /// F3: released is written while a flush is under way.
    ReleaseUnflushed,
    /// F3: released is written while what is flushed waits to be answered.
    ReleaseUnanswered,
    /// F5: what was read before the claim is used.
    ReadBeforeClaim,
    /// F7: a flush that failed counts.
    FailedFlushCounts,
    /// F8: the new leader copies nothing.
    NoCopies,
    /// F8: incomplete segments are taken for the tip.
    TornHeader,
    /// F8: a segment without an answer is named as base.
    NameUnanswered,
    /// F9: standbys apply all that they see.
    TailToEnd,
    /// F9: the mark is raised at the flush.
    MarkWhenFlushed,
    /// Refusals and reads do not wait for what they depend on.
    RefuseAtOnce,
    /// Nobody waits for a name that was changed twice, once the first change is answered.
    SettleTooMuch,
    /// An entry is not journaled.
    DropEntry,
    /// A standby has workers drop blocks that it does not know yet.
    StandbyDrops,
    /// Workers are told to drop blocks before it is durable that nobody needs them.
    DropBeforeFlush,
    /// A new primary begins without what workers told it as a standby.
    ForgetCopies,
}

impl Mutant {
    /// All of them.
    pub const ALL: &[Mutant] = &[
        Mutant::AnswerBeforeFlush,
        Mutant::NoLeaseCheck,
        Mutant::LeaseFromReply,
        Mutant::ClaimAtOnce,
        Mutant::OwnLeaseOnly,
        Mutant::ReleaseEarly,
        Mutant::ReleaseUnflushed,
        Mutant::ReleaseUnanswered,
        Mutant::ReadBeforeClaim,
        Mutant::FailedFlushCounts,
        Mutant::NoCopies,
        Mutant::TornHeader,
        Mutant::NameUnanswered,
        Mutant::TailToEnd,
        Mutant::MarkWhenFlushed,
        Mutant::RefuseAtOnce,
        Mutant::SettleTooMuch,
        Mutant::DropEntry,
        Mutant::StandbyDrops,
        Mutant::DropBeforeFlush,
        Mutant::ForgetCopies,
    ];
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
