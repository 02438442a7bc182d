//! When inodes were last read.

use super::{Answer, Context, Decision};
use crate::journal::entry::{Entry, UpdateInode};
use crate::types::InodeId;
use crate::types::time::Millis;

/// Keeps the times that are later than those which are there. What is gone by now is passed over.
pub(super) fn decide(at: &Context<'_>, accessed: &[(InodeId, Millis)]) -> Decision {
    let is_later =
        |(id, time): &&(InodeId, Millis)| at.state.inodes().get(*id).is_some_and(|inode| inode.access_time_ms < time.0);
    let update = |(id, time): &(InodeId, Millis)| {
        Entry::UpdateInode(UpdateInode { access_time_ms: Some(time.0), ..UpdateInode::of(*id) })
    };
    Decision { entries: accessed.iter().filter(is_later).map(update).collect(), answer: Answer::Done }
}

#[cfg(test)]
mod tests {
    use super::super::Operation;
    use super::super::tests::{mkdir, run, started, stat};
    use super::*;

    #[test]
    fn times_go_forward_only_and_of_what_is_there() {
        let mut state = started();
        run(&mut state, mkdir("/d")).unwrap();
        let (id, made) = (stat(&state, "/d").id, stat(&state, "/d").access_time_ms);
        let accessed = |state: &mut _, times: &[(InodeId, i64)]| {
            let times = times.iter().map(|(id, time)| (*id, Millis(*time))).collect();
            run(state, Operation::Accessed(times)).unwrap();
        };
        accessed(&mut state, &[(InodeId(77_777), made + 9), (id, made + 5)]);
        assert_eq!(stat(&state, "/d").access_time_ms, made + 5);
        accessed(&mut state, &[(id, made + 4)]);
        assert_eq!(stat(&state, "/d").access_time_ms, made + 5);
    }
}
