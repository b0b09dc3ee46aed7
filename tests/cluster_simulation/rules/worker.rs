//! A property test for each rule of `cluster::worker::state`, against the state machine alone.

use forklore::cluster::state::worker::{Effect, Grant, Input, Next, Refusal, ServerId, Stage, WorkerState};
use forklore::cluster::state::{FromPrimary, FromWorker, Query, Reply};
use proptest::prelude::*;

use crate::step::Port;

struct Worker {
    state: WorkerState,
    handles: u64,
}

impl Worker {
    fn new(survives: bool) -> Worker {
        Worker { state: WorkerState::new(survives), handles: 0 }
    }

    fn on(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.state.on(input, &mut effects);
        effects
    }

    /// A user asks to listen. Returns the query and its number.
    fn asks(&mut self) -> (u64, Box<Query>) {
        let effects = self.on(Input::Listen { request: 1, query: Port(80, 0).query() });
        let asked = effects.into_iter().find_map(|effect| match effect {
            Effect::Send { seq, message: FromWorker::QueryServer(query) } => Some((seq, query)),
            _ => None,
        });
        asked.expect("a query")
    }

    fn replied(&mut self, reply: Reply) -> Vec<Effect> {
        let message = FromPrimary::Reply(Box::new(reply));
        self.on(Input::Message { seq: Some(0), message, handle: None })
    }

    /// A user gets a server with this key.
    fn listens(&mut self, key: &str, closed: bool) -> ServerId {
        let (ack, _) = self.asks();
        granted(&self.replied(Reply { key: Some(key.to_owned()), ack, closed, ..Reply::default() })).expect("granted")
    }

    fn handed(&mut self, key: &str, seq: u64) -> Vec<Effect> {
        self.handles += 1;
        let message = FromPrimary::Newconn { key: key.into() };
        self.on(Input::Message { seq: Some(seq), message, handle: Some(self.handles) })
    }

    /// A user takes a connection, if there is one.
    fn takes(&mut self, server: ServerId) -> Option<Vec<Effect>> {
        match self.state.take(server) {
            Next::Take { seq, .. } => Some(self.on(Input::Taken { server, seq, usable: true })),
            _ => None,
        }
    }
}

fn granted(effects: &[Effect]) -> Option<ServerId> {
    effects.iter().find_map(|effect| match effect {
        Effect::Grant { server, grant: Grant::Handed(_), .. } => Some(*server),
        _ => None,
    })
}

fn answers(effects: &[Effect]) -> Vec<(u64, bool)> {
    let answers = effects.iter().filter_map(|effect| match effect {
        Effect::Send { message: FromWorker::Answer { ack, accepted }, .. } => Some((*ack, *accepted)),
        _ => None,
    });
    answers.collect()
}

fn announces(effects: &[Effect]) -> Option<u64> {
    effects.iter().find_map(|effect| match effect {
        Effect::Send { seq, message: FromWorker::ExitedAfterDisconnect } => Some(*seq),
        _ => None,
    })
}

fn closes_channel(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::CloseChannel))
}

fn ends(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Reach(Stage::Ended)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rule_1_a_connection_is_accepted_when_a_user_takes_it(limit in 0..6_usize, handed in 1..10_u64) {
        let mut worker = Worker::new(false);
        let server = worker.listens("K", false);
        worker.on(Input::LimitConnections { server, limit });
        for seq in 0..handed {
            let refused = answers(&worker.handed("K", seq)) == [(seq, false)];
            assert_eq!(refused, seq as usize >= limit);
        }
        assert_eq!(answers(&worker.handed("unknown", 77)), vec![(77, false)]);
        let newconn = FromPrimary::Newconn { key: "K".into() };
        let effects = worker.on(Input::Message { seq: Some(78), message: newconn, handle: None });
        assert_eq!(answers(&effects), vec![(78, false)], "it has no handle");
        for seq in 0..handed.min(limit as u64) {
            assert_eq!(worker.takes(server).map(|effects| answers(&effects)), Some(vec![(seq, true)]));
        }
        assert!(worker.takes(server).is_none());
    }

    #[test]
    fn rule_2_servers_on_one_address_are_numbered_and_begin_anew(servers in 1..8_u64) {
        let mut worker = Worker::new(false);
        let mut open = Vec::new();
        for number in 0..servers {
            let (ack, query) = worker.asks();
            assert_eq!(query.index, number);
            let key = Some(number.to_string());
            open.extend(granted(&worker.replied(Reply { key, ack, ..Reply::default() })));
        }
        let last = open.pop().expect("a server");
        open.into_iter().for_each(|server| drop(worker.on(Input::CloseServer { server })));
        let (ack, query) = worker.asks();
        assert_eq!(query.index, servers);
        worker.replied(Reply { errno: Some(-98), ack, ..Reply::default() });
        worker.on(Input::CloseServer { server: last });
        assert_eq!(worker.asks().1.index, 0);
    }

    #[test]
    fn rule_3_a_reply_grants_or_refuses(
        errno in prop_oneof![Just(None), Just(Some(0)), (-130..-1).prop_map(Some)],
        key: bool,
        used: bool,
    ) {
        let mut worker = Worker::new(false);
        if used {
            worker.listens("K", false);
        }
        let (ack, _) = worker.asks();
        let effects = worker.replied(Reply { errno, key: key.then(|| "K".to_owned()), ack, ..Reply::default() });
        let expected = match errno.unwrap_or_default() {
            0 if !key => Some(Refusal::NoKey),
            0 if used => Some(Refusal::DuplicateKey),
            0 => None,
            errno => Some(Refusal::Errno(-errno)),
        };
        let refused = effects.iter().find_map(|effect| match effect {
            Effect::Refuse { why, .. } => Some(*why),
            _ => None,
        });
        assert_eq!(refused, expected);
        assert_eq!(granted(&effects).is_some(), expected.is_none());
        assert_eq!(answers(&worker.handed("K", 5)).is_empty(), used || expected.is_none());
    }

    #[test]
    fn rule_4_a_closed_server_refuses_what_waits_and_says_so_once(waits in 0..8_u64) {
        let mut worker = Worker::new(false);
        let server = worker.listens("K", false);
        (0..waits).for_each(|seq| drop(worker.handed("K", seq)));
        let effects = worker.on(Input::CloseServer { server });
        assert_eq!(answers(&effects), (0..waits).map(|seq| (seq, false)).collect::<Vec<_>>());
        let is_close = |effect: &&Effect| matches!(effect, Effect::Send { message: FromWorker::Close { .. }, .. });
        assert_eq!(effects.iter().filter(is_close).count(), 1);
        assert!(worker.on(Input::CloseServer { server }).is_empty());
    }

    #[test]
    fn rule_5_a_worker_leaves_when_its_connections_are_closed(asked: bool, kills: bool, open in 0..5_u64) {
        let mut worker = Worker::new(false);
        let server = worker.listens("K", false);
        for seq in 0..open {
            worker.handed("K", seq);
            worker.takes(server);
        }
        if kills {
            let seq = announces(&worker.on(Input::Kill));
            assert!(seq.is_some());
            return Ok(());
        }
        let leave = match asked {
            true => Input::Message { seq: Some(0), message: FromPrimary::Disconnect, handle: None },
            false => Input::Leave,
        };
        let mut effects = worker.on(leave);
        for _ in 0..open {
            assert!(!closes_channel(&effects) && announces(&effects).is_none());
            effects = worker.on(Input::ConnectionClosed { server });
        }
        assert_eq!(closes_channel(&effects), asked);
        assert_eq!(announces(&effects).is_some(), !asked);
        if let Some(ack) = announces(&effects) {
            let other = FromPrimary::Acknowledged { ack: ack + 1 };
            assert!(!closes_channel(&worker.on(Input::Message { seq: None, message: other, handle: None })));
            let message = FromPrimary::Acknowledged { ack };
            assert!(closes_channel(&worker.on(Input::Message { seq: None, message, handle: None })));
        }
    }

    #[test]
    fn rule_6_a_worker_without_a_primary_exits_or_finishes(survives: bool, leaves: bool, open in 0..4_u64) {
        let mut worker = Worker::new(survives);
        let server = worker.listens("K", false);
        for seq in 0..open {
            worker.handed("K", seq);
            worker.takes(server);
        }
        if leaves {
            worker.on(Input::Leave);
        }
        let mut effects = worker.on(Input::ChannelEnded);
        let exits = effects.iter().any(|effect| matches!(effect, Effect::Exit));
        assert_eq!(exits, !leaves && !survives);
        if leaves {
            for _ in 0..open {
                assert!(!ends(&effects));
                effects = worker.on(Input::ConnectionClosed { server });
            }
        }
        assert_eq!(ends(&effects), !exits);
    }

    #[test]
    fn rule_7_closed_connections_are_reported_together_where_asked(asked: bool, closes in 1..9_u64) {
        let mut worker = Worker::new(false);
        let server = worker.listens("K", asked);
        let mut turns = 0;
        for seq in 0..closes {
            worker.handed("K", seq);
            worker.takes(server);
            let effects = worker.on(Input::ConnectionClosed { server });
            turns += effects.iter().filter(|effect| matches!(effect, Effect::ReportSoon)).count();
        }
        assert_eq!(turns, usize::from(asked));
        let effects = worker.on(Input::Report);
        let counts = effects.iter().filter_map(|effect| match effect {
            Effect::Send { message: FromWorker::Closed { count, .. }, .. } => Some(*count),
            _ => None,
        });
        assert_eq!(counts.sum::<u64>(), if asked { closes } else { 0 });
        assert!(worker.on(Input::Report).is_empty());
    }
}
