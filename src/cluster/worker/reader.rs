//! The task that reads what the primary says, and by which the worker leaves.

use std::sync::Arc;

use super::server::Newconn;
use super::shared::{Phase, Shared, Stage};
use crate::cluster::protocol::{Accepted, Act, Head, Plain};
use crate::error::Error;
use crate::ipc::Message;

/// Serves the worker until it has left.
pub(super) async fn run(shared: Arc<Shared>, survive: bool) {
    let ended = loop {
        tokio::select! {
            message = shared.channel.recv_internal() => match message {
                Ok(Some(message)) => shared.arrived(message),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            },
            () = shared.stirred.notified() => shared.report_closures(),
        }
        if shared.may_close() {
            shared.close_servers();
            shared.channel.disconnect().await;
            return shared.end();
        }
    };
    if shared.is_serving() && !survive {
        exit(ended);
    }
    // The primary has gone while we were leaving: the connections come to their end all the same.
    while shared.is_draining() {
        shared.stirred.notified().await;
    }
    shared.end();
}

/// A worker without its primary is of no use: nobody would end it. What Node's workers do: they end at once, and well unless the
/// primary has sent what is not allowed.
#[allow(clippy::disallowed_methods)] // a task cannot return from main, and what main waits for may never come
fn exit(ended: Result<(), Error>) -> ! {
    let code = match ended {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error}");
            1
        }
    };
    std::process::exit(code)
}

impl Shared {
    pub(super) fn arrived(self: &Arc<Self>, message: Message) {
        let Some(head) = Head::of(&message) else { return };
        let message = match head.ack {
            Some(ack) => self.answered(ack, message),
            None => Some(message),
        };
        let Some(message) = message else { return };
        match head.act {
            Some(Act::Newconn) => self.connection_arrived(head, message),
            Some(Act::Disconnect) => self.leave(true),
            _ => {}
        }
    }

    /// The primary hands over a connection. It stays the primary's until somebody accepts it.
    fn connection_arrived(&self, head: Head, message: Message) {
        let Some(seq) = head.seq else { return };
        let server = head.key.as_deref().and_then(|key| self.server(key));
        let refused = match (server, message.handle) {
            (Some(server), Some(handle)) => server.offer(Newconn { seq, fd: handle.into() }).is_err(),
            _ => true,
        };
        if refused {
            self.answer(seq, false);
        }
    }

    /// Answers for a connection that we were handed; whether the answer can be on its way.
    pub(super) fn answer(&self, seq: u64, accepted: bool) -> bool {
        self.post(Accepted { ack: seq, accepted }).is_ok()
    }

    /// Takes nothing more; leaves when no connection is open. `asked`: because the primary wants it.
    pub(super) fn leave(&self, asked: bool) {
        let mut state = self.lock();
        match &mut state.phase {
            Phase::Serving => state.phase = Phase::Draining { asked },
            Phase::Draining { asked: already } => *already |= asked,
            Phase::Announced(_) | Phase::Closing => return,
        }
        state.exited_after_disconnect = true;
        drop(state);
        self.close_servers();
        self.proceed_to(Stage::Leaving);
        self.stirred.notify_one();
    }

    /// Leaves at once.
    pub(super) fn announce(&self) {
        let mut state = self.lock();
        if let Phase::Serving | Phase::Draining { .. } = state.phase {
            state.exited_after_disconnect = true;
            // If it cannot be sent the channel has ended already.
            state.phase = self.post(Plain::act(Act::ExitedAfterDisconnect)).map_or(Phase::Closing, Phase::Announced);
        }
        drop(state);
        self.proceed_to(Stage::Leaving);
        self.stirred.notify_one();
    }

    /// Closes the channel without a word.
    pub(super) fn abandon(&self) {
        self.lock().phase = Phase::Closing;
        self.stirred.notify_one();
    }

    /// Whether there is nothing left to wait for. Tells the primary that we go, when it is time and it does not know.
    fn may_close(&self) -> bool {
        let mut state = self.lock();
        if state.phase == (Phase::Draining { asked: false }) && state.open == 0 {
            state.phase = self.post(Plain::act(Act::ExitedAfterDisconnect)).map_or(Phase::Closing, Phase::Announced);
        }
        match state.phase {
            Phase::Serving | Phase::Announced(_) => false,
            Phase::Draining { .. } => state.open == 0,
            Phase::Closing => true,
        }
    }

    fn is_serving(&self) -> bool {
        self.lock().phase == Phase::Serving
    }

    fn is_draining(&self) -> bool {
        let state = self.lock();
        matches!(state.phase, Phase::Draining { .. }) && state.open > 0
    }

    /// Tells a primary that wants to know how many connections were closed.
    fn report_closures(&self) {
        let closures = std::mem::take(&mut self.lock().closures);
        for (key, count) in closures {
            let _ = self.post(Plain { act: Act::Closed, key: Some(&key), count: Some(count) });
        }
    }

    /// The channel is closed: whoever waits learns it.
    fn end(&self) {
        self.lock().phase = Phase::Closing;
        self.close_servers();
        self.proceed_to(Stage::Ended);
    }

    /// Gives back what waits at the servers, and gives up what was asked for.
    fn close_servers(&self) {
        let (servers, asked) = self.lock().take_servers();
        drop(asked);
        servers.iter().for_each(|server| server.close());
    }

    fn proceed_to(&self, stage: Stage) {
        self.stage.send_if_modified(|now| {
            let further = *now < stage;
            *now = stage.max(*now);
            further
        });
    }
}
