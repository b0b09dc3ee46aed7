//! The names of processes, and who is at the other end of a socket or a pipe.

use std::collections::{BTreeMap, BTreeSet};

use crate::decode::{gives_bytes, takes_bytes};
use crate::lanes::Lanes;
use crate::words::ends;
use crate::{Call, Event, What};

/// The processes that use each end of the sockets and pipes of a run.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    users: BTreeMap<String, BTreeSet<u32>>,
}

impl Peers {
    pub(crate) fn of(events: &[Event]) -> Peers {
        let mut users: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
        for event in events {
            let What::Call(call) = &event.what else { continue };
            let name = call.call.as_str();
            if gives_bytes(name) || takes_bytes(name) || name.starts_with("dup") {
                let near = ends(call.is(0)).map_or(call.is(0), |(near, _)| near);
                users.entry(near.to_owned()).or_default().insert(event.pid);
            }
        }
        Peers { users }
    }

    /// Returns the processes at the other end of what a call of the process `pid` is about.
    pub(crate) fn at_the_other_end(&self, pid: u32, call: &Call) -> Vec<u32> {
        let is = call.is(0);
        let far = ends(is).map(|(_, far)| far).or_else(|| is.starts_with("pipe:").then_some(is));
        let users = far.and_then(|far| self.users.get(far)).into_iter().flatten();
        users.copied().filter(|user| *user != pid).collect()
    }
}

/// The names of the processes.
pub(crate) struct Names {
    lanes: Lanes,
}

impl Names {
    pub(crate) fn of(events: &[Event]) -> Names {
        Names { lanes: Lanes::of(events) }
    }

    /// Returns the name of a process: of its lane, otherwise `pid 7`.
    pub(crate) fn name(&self, pid: u32) -> String {
        self.known(pid).map_or_else(|| format!("pid {pid}"), str::to_owned)
    }

    /// Returns the name of a process that has one.
    pub(crate) fn known(&self, pid: u32) -> Option<&str> {
        let lane = self.lanes.process(pid).map(|lane| self.lanes.all()[lane].name.as_str());
        lane.filter(|name| !name.starts_with("pid "))
    }
}
