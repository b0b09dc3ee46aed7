//! The task that attends to one worker, from its start to its end.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{Duration, Interval, MissedTickBehavior, interval};

use super::event::{Address, Event};
use super::table::Inner;
use super::{State, Worker};
use crate::child_process::{Exit, Signal};
use crate::cluster::protocol::{Acknowledged, Act, Head, Outgoing, Query, body};
use crate::error::Result;
use crate::ipc::{Message, Outcome};

/// What the channel gives back of the connections that it was given.
pub(super) type Returned = UnboundedReceiver<(u64, Outcome)>;

/// Attends to a worker until its channel and its process have ended.
pub(super) async fn attend(cluster: Arc<Inner>, worker: Worker, returned: Returned, limit: Option<Duration>) {
    let talk = async {
        tokio::join!(converse(&cluster, &worker, returned, limit), pass_on(&cluster, &worker));
        worker.reached(State::Disconnected);
        cluster.events.push(Event::Disconnect(worker.clone()));
    };
    let (exit, ()) = tokio::join!(wait(&worker), talk);
    cluster.events.push(Event::Exit(worker.clone(), exit));
    cluster.remove(worker.id());
}

/// Waits for the process's end, and has its channel end with it: what it has started may hold the other end for ever.
async fn wait(worker: &Worker) -> Result<Exit> {
    let exit = worker.exit().await;
    worker.reached(State::Dead);
    worker.channel().sever();
    exit
}

/// Passes on what it says to the user.
async fn pass_on(cluster: &Inner, worker: &Worker) {
    // An error is the channel's end, too, and its reason: what came was no message.
    while let Ok(Some(message)) = worker.channel().recv().await {
        tokio::select! {
            () = cluster.events.has_room() => {}
            // What is left is no more than a channel holds.
            _ = worker.channel().closed() => {}
        }
        cluster.events.push(Event::Message(worker.clone(), message));
    }
}

/// Deals with what it says to the cluster, and with the connections that come back.
async fn converse(cluster: &Arc<Inner>, worker: &Worker, mut returned: Returned, limit: Option<Duration>) {
    let id = worker.id();
    let mut clock = limit.map(ticks);
    loop {
        tokio::select! {
            // A connection has come back before its answer comes: the acknowledgement of its descriptor is written first.
            biased;
            Some((number, outcome)) = returned.recv() => cluster.outcome(id, number, outcome),
            message = worker.channel().recv_internal() => match message {
                Ok(Some(message)) => hear(cluster, worker, &message),
                _ => break,
            },
            limit = tick(&mut clock, limit) => if cluster.is_silent(id, limit) {
                clock = None;
                cluster.events.push(Event::Silent(worker.clone()));
                // A refusal means that it is dead already.
                let _ = worker.kill(Signal::SIGKILL);
            },
        }
    }
    cluster.take_out(id);
    while cluster.is_owed(id)
        && let Some((number, outcome)) = returned.recv().await
    {
        cluster.outcome(id, number, outcome);
    }
    cluster.redistribute(id);
}

/// Looks four times in the time that a worker may be silent.
fn ticks(limit: Duration) -> Interval {
    let mut clock = interval((limit / 4).max(Duration::from_millis(1)));
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    clock
}

/// The next look; never without a limit.
async fn tick(clock: &mut Option<Interval>, limit: Option<Duration>) -> Duration {
    match (clock, limit) {
        (Some(clock), Some(limit)) => {
            clock.tick().await;
            limit
        }
        _ => std::future::pending().await,
    }
}

fn hear(cluster: &Arc<Inner>, worker: &Worker, message: &Message) {
    let Some(head) = Head::of(message) else { return };
    let id = worker.id();
    match (head.act, head.ack) {
        (None, Some(ack)) => {
            if let Some(accepted) = head.accepted {
                cluster.answered(id, ack, accepted);
            }
        }
        (Some(Act::Online), _) => {
            worker.reached(State::Online);
            cluster.events.push(Event::Online(worker.clone()));
        }
        (Some(Act::QueryServer), _) => {
            if let Some((seq, query)) = head.seq.zip(body(message)) {
                cluster.listen(worker, seq, query);
            }
        }
        (Some(Act::Listening), _) => {
            if let Some(query) = body::<Query>(message) {
                worker.reached(State::Listening);
                cluster.events.push(Event::Listening(worker.clone(), Address::of(&query)));
            }
        }
        (Some(Act::Close), _) => {
            if let Some(key) = head.key {
                cluster.close(worker, &key);
            }
        }
        (Some(Act::ExitedAfterDisconnect), _) => {
            worker.leaves_in_order();
            cluster.take_out(id);
            if let Some(ack) = head.seq {
                // If it has gone meanwhile it does not wait for this.
                let _ = worker.channel().post(&Outgoing::new(cluster.sequence.next(), Acknowledged { ack }));
            }
        }
        (Some(Act::Closed), _) => {
            if let Some((key, count)) = head.key.zip(head.count) {
                cluster.closed(id, &key, count);
            }
        }
        _ => {}
    }
}
