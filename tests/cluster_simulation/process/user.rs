//! What the users of the library do in an honest worker.

use forklore::cluster::state::worker::{Input, Next};

use super::honest::{Honest, Request, Sent};
use crate::broken::{Broken, Checked, require};
use crate::step::Port;

impl Honest {
    pub(crate) fn listen(&mut self, port: u16, cancelled: bool, sent: &mut Sent) -> Checked {
        self.last_request += 1;
        self.requests.push(Request { id: self.last_request, port, cancelled });
        self.on(Input::Listen { request: self.last_request, query: Port(port, 0).query() }, sent)
    }

    pub(crate) fn listen_alone(&mut self, sent: &mut Sent) -> Checked {
        self.last_request += 1;
        self.requests.push(Request { id: self.last_request, port: 0, cancelled: false });
        self.on(Input::ListenAlone { request: self.last_request }, sent)
    }

    /// A user looks for a connection of its server.
    pub(crate) fn take(&mut self, server: usize, sent: &mut Sent) -> Checked {
        let Some(known) = self.servers.get_mut(server) else { return Ok(()) };
        let id = known.id;
        if self.taking.is_some() || !std::mem::take(&mut known.awake) {
            return Ok(());
        }
        match self.state.take(id) {
            Next::Take { seq, handle } => {
                known.awake = true;
                let first = known.waiting.first() == Some(&seq);
                require(first, "a server's connections are taken in their order", || format!("number {seq}"))?;
                known.waiting.remove(0);
                known.open += 1;
                let place = self.handles.iter().position(|(known, _)| *known == handle);
                let parcel = place.map(|place| self.handles.swap_remove(place).1);
                require(parcel.is_some(), "a handle is used once", || format!("handle {handle}"))?;
                self.taking = parcel.map(|parcel| (id, seq, parcel));
            }
            Next::Accept => {
                let may = known.has_socket && !known.is_closed && known.open < known.limit;
                require(may, "a worker accepts from its own socket as long as it may", || format!("server {id}"))?;
                if known.clients > 0 {
                    known.clients -= 1;
                    known.open += 1;
                    known.awake = true;
                    self.on(Input::AcceptedAlone { server: id }, sent)?;
                }
            }
            Next::Wait => {
                let nothing = known.waiting.is_empty() && !(known.has_socket && known.open < known.limit);
                require(nothing, "a user waits only when there is nothing to take", || format!("server {id}"))?;
            }
            Next::End => require(known.is_closed, "only a closed server ends", || format!("server {id}"))?,
        }
        Ok(())
    }

    /// A user closes a connection. Whether there was one.
    pub(crate) fn close_connection(&mut self, server: usize, sent: &mut Sent) -> Result<bool, Broken> {
        let Some(known) = self.servers.get_mut(server) else { return Ok(false) };
        let is_being_taken = self.taking.is_some_and(|(taking, ..)| taking == known.id);
        if known.open <= usize::from(is_being_taken) {
            return Ok(false);
        }
        known.open -= 1;
        self.unreported += u64::from(known.reports);
        let id = known.id;
        self.on(Input::ConnectionClosed { server: id }, sent).map(|()| true)
    }

    /// A client connects to a server's own socket.
    pub(crate) fn connect(&mut self, server: usize) {
        if let Some(known) = self.servers.get_mut(server).filter(|known| known.has_socket && !known.is_closed) {
            known.clients += 1;
            known.awake = true;
        }
    }

    pub(crate) fn close_server(&mut self, server: usize, sent: &mut Sent) -> Checked {
        let Some(id) = self.servers.get(server).map(|server| server.id) else { return Ok(()) };
        self.on(Input::CloseServer { server: id }, sent)
    }

    pub(crate) fn limit(&mut self, server: usize, limit: usize, sent: &mut Sent) -> Checked {
        let Some(known) = self.servers.get_mut(server) else { return Ok(()) };
        known.limit = limit;
        let id = known.id;
        self.on(Input::LimitConnections { server: id, limit }, sent)
    }
}
