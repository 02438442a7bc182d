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

/// How long a fault may keep changes in Alluxio alone from being answered, if what it takes away is not needed for them.
fn budget_alone(fault: Fault) -> Option<Duration> {
    match fault {
        Fault::NameNodeRestart | Fault::NameNodeFailover | Fault::NameNodeSilent => Some(KILL),
        // With a DataNode of the open segment.
        Fault::NameNodeHostAway => Some(LOST),
        _ => None,
    }
}

/// What was exceeded, if anything was, by more than `slack` times.
pub fn exceeded(outage: &Outage, slack: u64) -> Option<String> {
    let Outage { fault, lasted_ms, service, alone, through, .. } = outage;
    let times = |budget: Duration| slack * budget.as_millis() as u64;
    if let Some(budget) = budget_alone(*fault).filter(|budget| alone.longest_ms > times(*budget)) {
        let longest = alone.longest_ms;
        return Some(format!(
            "{fault}: no change in Alluxio alone answered for {longest} ms, may be {slack} times {budget:?}"
        ));
    }
    let (service_ms, back_ms) = match budget_alone(*fault) {
        Some(_) => (&through.longest_ms, &through.back_ms),
        None => (&service.longest_ms, &service.back_ms),
    };
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
    use crate::episode::Silence;

    #[test]
    fn what_takes_too_long_is_told() {
        let silence = |longest_ms, back_ms| Silence { longest_ms, back_ms };
        let outage = |fault, lasted_ms, service_ms, back_ms| Outage {
            fault,
            lasted_ms,
            service: silence(service_ms, back_ms),
            alone: silence(0, 0),
            through: silence(service_ms, back_ms),
            client_ms: Vec::new(),
        };
        let kill = Fault::Kill(Role::Leader);
        assert_eq!(exceeded(&outage(kill, 9_000, 6_000, 0), 3), None);
        assert!(exceeded(&outage(kill, 9_000, 6_001, 0), 3).is_some());
        let away = Fault::ZookeeperAway;
        assert_eq!(exceeded(&outage(away, 60_000, 75_000, 15_000), 3), None);
        assert!(exceeded(&outage(away, 60_000, 75_001, 0), 3).is_some());
        assert!(exceeded(&outage(away, 60_000, 60_000, 15_001), 3).is_some());
        let silent = outage(Fault::NameNodeSilent, 20_000, 20_000, 100);
        assert_eq!(exceeded(&silent, 3), None);
        let stuck = Outage { alone: silence(6_001, 0), ..outage(Fault::NameNodeSilent, 20_000, 20_000, 100) };
        assert!(exceeded(&stuck, 3).is_some_and(|text| text.contains("in Alluxio alone")));
    }
}
