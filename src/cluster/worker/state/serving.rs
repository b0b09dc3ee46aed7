//! What becomes of wishes to listen, and of the connections that are handed over (rules 1 to 4).

use std::sync::Arc;

use super::server::{Known, Request, Server};
use super::{Effect, FromWorker, Grant, HandleId, Next, Phase, Query, Refusal, RequestId, ServerId, WorkerState};
use crate::cluster::protocol::Reply;

impl WorkerState {
    pub(super) fn listen(&mut self, request: RequestId, mut query: Box<Query>, effects: &mut Vec<Effect>) {
        if self.phase != Phase::Serving || self.channel_ended {
            return effects.push(Effect::Refuse { request, why: Refusal::Leaving });
        }
        query.index = 0;
        let place = query.key();
        let index = self.indexes.entry(place.clone()).or_default();
        query.index = index.next;
        index.next += 1;
        index.live += 1;
        let seq = self.send(FromWorker::QueryServer(query.clone()), effects);
        self.requests.insert(seq, Request { request, query, place });
    }

    /// The primary answers a query (rule 3).
    pub(super) fn replied(&mut self, reply: Reply, handle: Option<HandleId>, effects: &mut Vec<Effect>) {
        let close = handle.map(|handle| Effect::Close { handle });
        let Some(Request { request, query, place }) = self.requests.remove(&reply.ack) else {
            return effects.extend(close);
        };
        let refusal = match (reply.errno, &reply.key) {
            (Some(errno), _) if errno != 0 => Some(Refusal::Errno(errno.saturating_abs())),
            (_, None) => Some(Refusal::NoKey),
            (_, Some(key)) if self.keys.contains_key(&**key) => Some(Refusal::DuplicateKey),
            _ => None,
        };
        if let Some(why) = refusal {
            self.release(&place);
            effects.extend(close);
            return effects.push(Effect::Refuse { request, why });
        }
        let key: Arc<str> = reply.key.unwrap_or_default().into();
        let known = Known { key: key.clone(), place, query, reports: reply.closed && handle.is_none() };
        let server = self.add_server(Server::new(Some(known), handle.is_some()));
        self.keys.insert(key, server);
        let grant = handle.map_or(Grant::Handed(reply.sockname), Grant::Socket);
        let data = reply.data.map(|data| data.get().to_owned());
        effects.push(Effect::Grant { request, server, data, grant });
    }

    pub(super) fn listen_alone(&mut self, request: RequestId, effects: &mut Vec<Effect>) {
        effects.push(if self.phase == Phase::Serving {
            let server = self.add_server(Server::new(None, true));
            Effect::Grant { request, server, data: None, grant: Grant::Alone }
        } else {
            Effect::Refuse { request, why: Refusal::Leaving }
        });
    }

    fn add_server(&mut self, server: Server) -> ServerId {
        self.last_server += 1;
        self.servers.insert(self.last_server, server);
        self.last_server
    }

    /// Tells the primary that a server listens.
    pub(super) fn listening(&mut self, server: ServerId, port: Option<u16>, effects: &mut Vec<Effect>) {
        let Some(server) = self.servers.get(&server).filter(|server| !server.is_closed) else { return };
        if let Some(known) = &server.known {
            let mut query = known.query.clone();
            query.port = port.filter(|port| *port != 0).map(i64::from).or(query.port);
            self.send(FromWorker::Listening(query), effects);
        }
    }

    /// The primary hands over a connection (rule 1).
    pub(super) fn handed(&mut self, seq: u64, key: &str, handle: Option<HandleId>, effects: &mut Vec<Effect>) {
        let id = self.keys.get(key).copied();
        let server = id.and_then(|id| self.servers.get_mut(&id));
        match (id, server, handle) {
            (Some(id), Some(server), Some(handle)) if server.open + server.waiting.len() < server.limit => {
                server.waiting.push_back((seq, handle));
                effects.push(Effect::WakeOne { server: id });
            }
            _ => {
                effects.extend(handle.map(|handle| Effect::Close { handle }));
                self.send(FromWorker::Answer { ack: seq, accepted: false }, effects);
            }
        }
    }

    /// Decides what a user who waits for a connection of this server does. A connection that is taken counts as open.
    pub fn take(&mut self, server: ServerId) -> Next {
        let Some(server) = self.servers.get_mut(&server).filter(|server| !server.is_closed) else { return Next::End };
        match server.waiting.pop_front() {
            Some((seq, handle)) => {
                server.open += 1;
                self.open += 1;
                Next::Take { seq, handle }
            }
            None if server.accepts && server.open < server.limit => Next::Accept,
            None => Next::Wait,
        }
    }

    /// A connection is no longer open. Its server may have room for another one.
    pub(super) fn connection_gone(&mut self, id: ServerId, effects: &mut Vec<Effect>) {
        self.open -= 1;
        let Some(server) = self.servers.get_mut(&id) else { return };
        server.open -= 1;
        if server.open + 1 == server.limit {
            effects.push(Effect::WakeOne { server: id });
        }
        if server.is_closed && server.open == 0 {
            self.servers.remove(&id);
        }
    }

    /// Closes a server (rule 4).
    pub(super) fn close_server(&mut self, id: ServerId, effects: &mut Vec<Effect>) {
        let Some(server) = self.servers.get_mut(&id).filter(|server| !server.is_closed) else { return };
        server.is_closed = true;
        let waiting = std::mem::take(&mut server.waiting);
        let known = server.known.as_ref().map(|known| (known.key.clone(), known.place.clone()));
        if server.open == 0 {
            self.servers.remove(&id);
        }
        effects.push(Effect::CloseSocket { server: id });
        for (seq, handle) in waiting {
            effects.push(Effect::Close { handle });
            self.send(FromWorker::Answer { ack: seq, accepted: false }, effects);
        }
        if let Some((key, place)) = known {
            self.keys.remove(&key);
            self.release(&place);
            self.send(FromWorker::Close { key }, effects);
        }
        effects.push(Effect::WakeAll { server: id });
    }

    /// Closes every server, and gives up what was asked for.
    pub(super) fn close_servers(&mut self, effects: &mut Vec<Effect>) {
        let requests = std::mem::take(&mut self.requests);
        effects.extend(
            requests.into_values().map(|asked| Effect::Refuse { request: asked.request, why: Refusal::Leaving }),
        );
        let all: Vec<_> = self.servers.keys().copied().collect();
        all.into_iter().for_each(|server| self.close_server(server, effects));
    }

    /// One server less on this address (rule 2).
    fn release(&mut self, place: &str) {
        if let Some(index) = self.indexes.get_mut(place) {
            index.live -= 1;
            if index.live == 0 {
                self.indexes.remove(place);
            }
        }
    }
}
