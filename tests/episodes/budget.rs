//! How long a fault may keep changes from being answered.

use std::time::Duration;

use crate::episode::Outage;
use crate::faults::{Fault, Peer, Role};

/// How often a budget may be exceeded without EPISODES_SLACK: machines that run this do other things, too.
pub const SLACK: u64 = 3;
/// Until a fault is noticed that hinders nobody who leads, or that is told.
const PLANNED: Duration = Duration::from_millis(500);
const KILL: Duration = Duration::from_secs(2);
/// The lease, by which others wait, and a second.
const KILL_WITH_GUARDIAN: Duration = Duration::from_millis(3200);
/// What has to be found out by waiting.
const LOST: Duration = Duration::from_secs(7);
/// After a service is back.
const BACK: Duration = Duration::from_secs(5);

/// What a fault may cost.
enum Budget {
    /// Changes are answered again so long after its beginning.
    Begun(Duration),
    /// It takes away what changes need: they are answered again so long after its end.
    Ended(Duration),
}

fn budget(fault: Fault) -> Budget {
    match fault {
        Fault::PlannedStop(Role::Standby)
        | Fault::Kill(Role::Standby)
        | Fault::KillWithGuardian(Role::Standby)
        | Fault::Pause(Role::Standby)
        | Fault::Isolate(Role::Standby)
        | Fault::Cut(Role::Standby, _)
        | Fault::Deafen(Role::Standby, _)
        | Fault::Mute(Role::Standby, _)
        | Fault::ClockForward(_)
        | Fault::ClockBack(_)
        | Fault::PlannedStop(Role::Leader) => Budget::Begun(PLANNED),
        Fault::Kill(Role::Leader) => Budget::Begun(KILL),
        Fault::KillWithGuardian(Role::Leader) => Budget::Begun(KILL_WITH_GUARDIAN),
        // The leader goes on to lead: without the clients, or without the active NameNode if it is on that host.
        Fault::Cut(Role::Leader, Peer::Clients | Peer::Services(_))
        | Fault::Deafen(Role::Leader, Peer::Clients | Peer::Services(_))
        | Fault::Mute(Role::Leader, Peer::Clients | Peer::Services(_)) => Budget::Ended(LOST),
        Fault::Pause(Role::Leader)
        | Fault::Isolate(Role::Leader)
        | Fault::Cut(Role::Leader, _)
        | Fault::Deafen(Role::Leader, _)
        | Fault::Mute(Role::Leader, _)
        | Fault::DataNodeKill
        | Fault::DataNodePause
        | Fault::DataNodeFull
        | Fault::ZookeeperKill => Budget::Begun(LOST),
        // All others take a service away.
        _ => Budget::Ended(BACK),
    }
}

/// What was exceeded, if anything was, by more than `slack` times.
pub fn exceeded(outage: &Outage, slack: u64) -> Option<String> {
    let Outage { fault, lasted_ms, service_ms, back_ms, .. } = outage;
    let times = |budget: Duration| slack * budget.as_millis() as u64;
    match budget(*fault) {
        Budget::Begun(budget) if *service_ms > times(budget) => {
            Some(format!("{fault}: no change answered for {service_ms} ms, may be {slack} times {budget:?}"))
        }
        Budget::Ended(budget) if *back_ms > times(budget) || *service_ms > lasted_ms + times(budget) => Some(format!(
            "{fault}: over after {lasted_ms} ms, no change answered for {service_ms} ms and for {back_ms} ms after it, may \
             be {slack} times {budget:?} after it"
        )),
        Budget::Begun(_) | Budget::Ended(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_too_long_is_told() {
        let outage = |fault, lasted_ms, service_ms, back_ms| Outage {
            fault,
            lasted_ms,
            service_ms,
            back_ms,
            client_ms: Vec::new(),
        };
        let kill = Fault::Kill(Role::Leader);
        assert_eq!(exceeded(&outage(kill, 9_000, 6_000, 0), 3), None);
        assert!(exceeded(&outage(kill, 9_000, 6_001, 0), 3).is_some());
        let away = Fault::ZookeeperAway;
        assert_eq!(exceeded(&outage(away, 60_000, 75_000, 15_000), 3), None);
        assert!(exceeded(&outage(away, 60_000, 75_001, 0), 3).is_some());
        assert!(exceeded(&outage(away, 60_000, 60_000, 15_001), 3).is_some());
    }
}
