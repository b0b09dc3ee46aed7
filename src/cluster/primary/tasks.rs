//! The tasks that tell the state machine what happens: one serves each worker, one keeps the time.

use std::sync::{Arc, PoisonError, Weak};

use tokio::sync::Notify;

use super::member::{Member, QueuedEvent};
use super::run::{Cluster, Returned};
use super::state::Input;
use crate::cluster::protocol::FromWorker;

/// How many messages of one worker are handled before other tasks have their turn.
const TURN: usize = 16;

/// Starts the tasks of a worker, and those of its cluster with the first worker.
pub(super) fn serve(cluster: &Arc<Cluster>, member: Arc<Member>, returned: Returned) {
    if !std::mem::replace(&mut cluster.lock().has_timer, true) {
        tokio::spawn(wake_in_time(Arc::downgrade(cluster), cluster.wake_changed.clone()));
    }
    tokio::spawn(supervise_worker(cluster.clone(), member, returned));
}

/// Sends the state machine a tick whenever it has asked for one, as long as there is a cluster.
async fn wake_in_time(cluster: Weak<Cluster>, wake_changed: Arc<Notify>) {
    loop {
        let wake_at = match cluster.upgrade() {
            Some(cluster) => cluster.wake_at(),
            None => return,
        };
        let changed = wake_changed.notified();
        let Some(time) = wake_at else {
            changed.await;
            continue;
        };
        if tokio::time::timeout_at(time.into(), changed).await.is_err()
            && let Some(cluster) = cluster.upgrade()
        {
            cluster.tick();
        }
    }
}

/// Serves one worker, until its channel and its process have ended.
async fn supervise_worker(cluster: Arc<Cluster>, member: Arc<Member>, returned: Returned) {
    let exited = member.with_child(|child| child.exit_later());
    let wait_for_exit = async {
        let exit = exited.await;
        *member.exit.lock().unwrap_or_else(PoisonError::into_inner) = Some(exit);
        cluster.on(Input::Exited { worker: member.id });
    };
    tokio::join!(wait_for_exit, handle_messages(&cluster, &member, returned), deliver_messages(&cluster, &member));
}

/// Passes on what a worker says to the cluster, and the connections that come back.
async fn handle_messages(cluster: &Arc<Cluster>, member: &Member, mut returned: Returned) {
    let worker = member.id;
    let mut turn = 0;
    loop {
        let resumed = member.resumed.notified();
        let may_read = member.may_read();
        tokio::select! {
            // A connection is back before the worker answers for it: its acknowledgement is written first.
            biased;
            Some((connection, outcome)) = returned.recv() => cluster.returned(worker, connection, outcome),
            stalled = member.channel.stall_changed() => cluster.on(Input::ChannelStalled { worker, stalled }),
            () = resumed, if !may_read => {}
            message = member.channel.recv_internal(), if may_read => match message {
                Ok(Some(message)) => {
                    if let Some((seq, message)) = FromWorker::read(&message) {
                        cluster.on(Input::Message { worker, seq, message });
                    }
                }
                Ok(None) => break,
                Err(error) => break member.failed(error),
            }
        }
        // However much one worker says, the other ones have their turn.
        turn += 1;
        if turn % TURN == 0 {
            tokio::task::yield_now().await;
        }
    }
    cluster.on(Input::ChannelEnded { worker });
    // Ends when the cluster has forgotten the worker.
    while let Some((connection, outcome)) = returned.recv().await {
        cluster.returned(worker, connection, outcome);
    }
}

/// Passes on what a worker says to the user.
async fn deliver_messages(cluster: &Arc<Cluster>, member: &Arc<Member>) {
    loop {
        match member.channel.recv().await {
            Ok(Some(message)) => {
                tokio::select! {
                    () = cluster.events.has_room() => {}
                    // What is left is at most what a channel holds.
                    _ = member.channel.closed() => {}
                }
                cluster.events.push(QueuedEvent::Message(member.clone(), message));
            }
            Ok(None) => break,
            Err(error) => break member.failed(error),
        }
    }
    cluster.on(Input::MessagesDelivered { worker: member.id });
}
