//! The end of any program under [`Host`].

use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use forklore::child_process::Signal;
use forklore::cluster::Event;
use forklore::cluster::schedule::Policy;
use tokio::time::timeout;
use transcript::EndRequests;

use super::program::{Host, name, tell_exit};

/// The time that workers have to finish what they have begun.
const GRACE: Duration = Duration::from_secs(2);

/// Asks the workers to end and waits until they have. Kills those that take too long.
pub(super) async fn end(host: &Host, requests: &mut EndRequests) -> kit::Result {
    let ends = async {
        let mut grace = pin!(timeout(GRACE, pending::<()>()));
        let mut patient = true;
        loop {
            tokio::select! {
                event = host.primary.next_event() => match event {
                    Some(Event::Exit(worker, exit)) => tell_exit(&host.t, &worker, exit?),
                    Some(_) => {}
                    None => return Ok(()),
                },
                _ = &mut grace, if patient => {
                    patient = false;
                    kill(host, &format!("{} s are over", GRACE.as_secs()));
                }
                signal = requests.next() => kill(host, &format!("{signal} once more")),
            }
        }
    };
    let ((), ended) = tokio::join!(host.primary.disconnect(), ends);
    if host.options.port_report {
        report(host);
    }
    ended
}

fn kill(host: &Host, why: &str) {
    host.t.say(format!("{why}: SIGKILL to those that are left"));
    for worker in host.primary.workers() {
        // One that has just ended needs no signal.
        let _ = worker.kill(Signal::SIGKILL);
    }
}

/// Prints how many connections each worker got.
fn report(host: &Host) {
    host.t.step("Who got how many connections");
    if host.options.policy == Policy::Shared {
        host.t.say("unknown: the workers take them from the kernel, the primary sees none of them");
        return;
    }
    for worker in &host.workers {
        host.t.say(format!("{}: given {}, taken {}", name(worker), worker.given(), worker.taken()));
    }
}
