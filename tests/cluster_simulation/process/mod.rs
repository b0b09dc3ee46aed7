//! A worker's process and its channel.

mod honest;
mod lie;
mod sent;
mod stall;
mod stub;
mod user;
mod wire;

use std::collections::VecDeque;

use forklore::cluster::state::primary::{ConnectionId, Delivery, WorkerId};
use forklore::cluster::state::worker::{Input, Stage};
use forklore::cluster::state::{FromPrimary, FromWorker};

use crate::broken::Checked;
use crate::step::Kind;
pub(crate) use honest::{Honest, Sent};
pub(crate) use stub::Stub;
pub(crate) use wire::{Down, Parcel, Up};

/// What a worker's program is.
#[derive(Debug)]
pub(crate) enum Program {
    Honest(Box<Honest>),
    Stub(Stub),
}

/// A worker's process, with both directions of its channel.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: WorkerId,
    pub(crate) kind: Kind,
    pub(crate) program: Program,
    pub(crate) runs: bool,
    pub(crate) hangs: bool,
    pub(crate) exit_told: bool,
    pub(crate) down: VecDeque<Down>,
    pub(crate) up: VecDeque<Up>,
    /// The handles that the primary has posted and that came to no end yet.
    pub(crate) posted: VecDeque<Parcel>,
    /// What the process has started holds its end of the channel.
    pub(crate) channel_held: bool,
    /// The worker has closed its end.
    left: bool,
    /// The worker has sent what is not a message.
    pub(super) failed: bool,
    /// The primary has begun to close the channel.
    pub(crate) is_disconnecting: bool,
    /// The primary waits for the end no longer.
    pub(crate) is_severed: bool,
    /// The primary's channel has ended.
    pub(crate) is_broken: bool,
    /// The user has its messages.
    pub(crate) messages_told: bool,
    /// The primary handles none of its messages for the moment.
    pub(crate) is_paused: bool,
    /// The primary knows that its channel stands still.
    pub(crate) stall_told: bool,
    /// How many handles it may have.
    pub(crate) descriptors: usize,
    /// Connections that the program uses, in this step.
    pub(crate) used: Vec<ConnectionId>,
    sent: Sent,
}

impl Process {
    pub(crate) fn new(id: WorkerId, kind: Kind) -> Process {
        let program = match kind.is_rust() {
            true => Program::Honest(Box::new(Honest::new(kind == Kind::Survivor))),
            false => Program::Stub(Stub::new(kind)),
        };
        Process {
            id,
            kind,
            program,
            runs: true,
            hangs: false,
            exit_told: false,
            down: VecDeque::new(),
            up: VecDeque::new(),
            posted: VecDeque::new(),
            channel_held: false,
            left: false,
            failed: false,
            is_disconnecting: false,
            is_severed: false,
            is_broken: false,
            messages_told: false,
            is_paused: false,
            stall_told: false,
            descriptors: usize::MAX,
            used: Vec::new(),
            sent: Sent::new(),
        }
    }

    /// Whether the primary's end takes anything.
    pub(crate) fn takes(&self) -> bool {
        !self.is_disconnecting && !self.is_broken
    }

    fn is_connected(&self) -> bool {
        !self.left && !self.is_broken
    }

    /// Whether the primary can find out that the channel has ended.
    pub(crate) fn can_break(&self) -> bool {
        let is_closed = (!self.runs && !self.channel_held) || self.left || self.failed || self.is_severed;
        !self.is_broken && (is_closed || (self.is_disconnecting && self.posted.is_empty()))
    }

    /// Whether its program has something to read and would read it.
    pub(crate) fn can_read(&self) -> bool {
        self.runs && !self.hangs && !self.left && !self.down.is_empty()
    }

    /// Has the program do something, and puts what it says on the wire.
    pub(crate) fn act(&mut self, act: impl FnOnce(&mut Program, &mut Sent) -> Checked) -> Checked {
        if !self.runs || self.hangs {
            return Ok(());
        }
        let mut sent = std::mem::take(&mut self.sent);
        let acted = act(&mut self.program, &mut sent);
        let is_connected = self.is_connected();
        self.up.extend(sent.drain(..).filter(|_| is_connected).map(|(seq, message)| Up::Message(Some(seq), message)));
        self.sent = sent;
        let (exits, leaves) = match &self.program {
            Program::Honest(honest) => (honest.exits || honest.stage == Some(Stage::Ended), false),
            Program::Stub(stub) => (false, stub.leaves),
        };
        self.left |= leaves;
        if exits || leaves {
            self.die(false);
        }
        acted
    }

    pub(crate) fn start(&mut self) -> Checked {
        self.act(|program, sent| match program {
            Program::Honest(honest) => honest.on(Input::Started, sent),
            Program::Stub(stub) => {
                stub.say(FromWorker::Online, sent);
                Ok(())
            }
        })
    }

    /// Reads one message. A handle for which there is no descriptor goes back.
    pub(crate) fn read(&mut self) -> Checked {
        if !self.can_read() {
            return Ok(());
        }
        let (seq, message, parcel) = match self.down.pop_front() {
            Some(Down::Message { seq, message, parcel }) => (seq, message, parcel),
            _ if self.kind.is_rust() => return self.with_honest(|honest, sent| honest.on(Input::ChannelEnded, sent)),
            _ if self.kind == Kind::Liar => return Ok(()),
            _ => {
                self.die(false);
                return Ok(());
            }
        };
        if let Some(parcel) = parcel {
            let has_room = self.open_descriptors() < self.descriptors;
            let delivery = if has_room { Delivery::Arrived } else { Delivery::Refused };
            if self.is_connected() {
                self.posted.retain(|posted| *posted != parcel);
                self.up.push_back(Up::Back(parcel, delivery));
            }
            if !has_room {
                return Ok(());
            }
        }
        let mut used = None;
        self.act(|program, sent| match program {
            Program::Honest(honest) => honest.arrived((seq, message), parcel, sent),
            Program::Stub(stub) => {
                used = stub.arrived((seq, message), parcel, sent);
                Ok(())
            }
        })?;
        if let (true, Some(Parcel::Connection(connection))) = (self.is_connected(), used) {
            self.used.push(connection);
        }
        Ok(())
    }

    pub(crate) fn with_honest(&mut self, act: impl FnOnce(&mut Honest, &mut Sent) -> Checked) -> Checked {
        self.act(|program, sent| match program {
            Program::Honest(honest) => act(honest, sent),
            Program::Stub(_) => Ok(()),
        })
    }

    /// The user's part of taking a connection. It is the worker's when the answer is on the wire.
    pub(crate) fn taken(&mut self, usable: bool) -> Checked {
        let is_connected = self.is_connected();
        let mut used = None;
        self.with_honest(|honest, sent| {
            let Some((server, seq, parcel)) = honest.taking.take() else { return Ok(()) };
            honest.on(Input::Taken { server, seq, usable }, sent)?;
            used = Some(parcel).filter(|_| usable && is_connected);
            if usable && !is_connected {
                let place = honest.servers.iter().position(|known| known.id == server);
                place.map_or(Ok(false), |place| honest.close_connection(place, sent))?;
            }
            Ok(())
        })?;
        if let Some(Parcel::Connection(connection)) = used {
            self.used.push(connection);
        }
        Ok(())
    }

    /// The worker's channel is closed, if its state machine has asked for that.
    pub(crate) fn close_channel(&mut self) -> Checked {
        if !self.runs || self.hangs || !self.honest().is_some_and(|honest| honest.close_due) || self.left {
            return Ok(());
        }
        self.left = true;
        self.with_honest(|honest, sent| honest.on(Input::ChannelClosed, sent))
    }

    /// The process ends.
    pub(crate) fn die(&mut self, channel_held: bool) {
        if std::mem::replace(&mut self.runs, false) {
            self.channel_held = channel_held;
        }
    }

    /// The primary's channel ends: what is on its way is lost.
    pub(crate) fn break_channel(&mut self, lost_first: bool) {
        if !self.can_break() {
            return;
        }
        self.is_broken = true;
        let lost: Vec<_> = self.posted.drain(..).map(|parcel| Up::Back(parcel, Delivery::Unknown)).collect();
        let (before, after) = if lost_first { (lost, Vec::new()) } else { (Vec::new(), lost) };
        self.up.extend(before.into_iter().chain([Up::End]).chain(after));
        self.down.push_back(Down::End);
    }

    /// The number of the first connection that it was handed and has not read.
    pub(crate) fn unread_connection(&self) -> Option<u64> {
        self.down.iter().find_map(|down| match down {
            Down::Message { seq, message: FromPrimary::Newconn { .. }, .. } => Some(*seq),
            _ => None,
        })
    }

    pub(crate) fn honest(&self) -> Option<&Honest> {
        match &self.program {
            Program::Honest(honest) => Some(honest),
            Program::Stub(_) => None,
        }
    }

    pub(crate) fn stub(&self) -> Option<&Stub> {
        match &self.program {
            Program::Honest(_) => None,
            Program::Stub(stub) => Some(stub),
        }
    }

    fn open_descriptors(&self) -> usize {
        match &self.program {
            Program::Honest(honest) => honest.descriptors(),
            Program::Stub(stub) => stub.descriptors,
        }
    }

    /// Whether its users wait for an answer of the primary.
    pub(crate) fn has_unanswered_query(&self) -> bool {
        self.is_connected() && self.takes() && self.honest().is_some_and(Honest::has_requests)
    }

    /// Whether it takes connections at a key as long as there are any.
    pub(crate) fn serves(&self, key: &str) -> bool {
        let can_take =
            self.runs && !self.hangs && self.is_connected() && self.takes() && self.descriptors == usize::MAX;
        can_take
            && match &self.program {
                Program::Honest(honest) => honest.serves(key),
                Program::Stub(stub) => self.kind.accepts() && stub.keys.iter().any(|known| known == key),
            }
    }
}
