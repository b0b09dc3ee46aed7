//! The primary's rules 9 to 14: listeners and workers.

use std::time::Duration;

use forklore::cluster::Options;
use forklore::cluster::state::primary::{Closed, Effect, Input, Notice};
use forklore::cluster::state::{FromPrimary, FromWorker};
use proptest::prelude::*;

use super::primary::{Primary, closed, handed, has};
use crate::step::Port;

fn options(window: usize) -> Options {
    Options::default().window(window)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rule_9_equal_keys_share_a_listener_and_the_reply_comes_first(
        ports in proptest::collection::vec(80..84_u16, 1..12),
    ) {
        let mut primary = Primary::new(options(1), 0);
        for port in &ports {
            let worker = primary.fork();
            primary.query(worker, Port(*port, 0));
        }
        let different: std::collections::BTreeSet<u16> = ports.iter().copied().collect();
        assert_eq!(primary.state.listeners().count(), different.len());
        primary.state.listeners().for_each(|listener| {
            let sharing = ports.iter().filter(|port| **port == listener.address.port).count();
            assert_eq!(listener.workers, sharing);
        });
        primary.says(1, FromWorker::Close { key: Port(ports[0], 0).key().into() });
        primary.state.workers().collect::<Vec<_>>().into_iter().for_each(|worker| drop(primary.die(worker, &[])));
        primary.accept();
        let worker = primary.fork();
        let effects = primary.query(worker, Port(ports[0], 0));
        let is_reply = |effect: &Effect| matches!(effect, Effect::Send { message: FromPrimary::Reply(_), .. });
        let reply = effects.iter().position(is_reply);
        let connection = effects.iter().position(|effect| matches!(effect, Effect::HandOver { .. }));
        assert!(reply.is_some() && reply < connection, "{:?}", effects);
    }

    #[test]
    fn rule_10_a_closed_listener_lingers_unless_its_workers_died(
        linger in 1..500_u64,
        dies: bool,
        port in prop_oneof![Just(80), Just(200)],
    ) {
        let mut primary = Primary::new(options(1).linger(Duration::from_millis(linger)), 0);
        let worker = primary.fork();
        primary.query(worker, Port(port, 0));
        let is_udp = port == 200;
        let closes = |effect: &Effect| matches!(effect, Effect::CloseListener { .. });
        if dies {
            primary.die(worker, &[]);
            assert!(!has(&primary.later(Duration::from_secs(60)), closes));
        } else {
            primary.says(worker, FromWorker::Close { key: Port(port, 0).key().into() });
            assert_eq!(has(&primary.later(Duration::from_millis(linger - 1)), closes), is_udp);
            assert_eq!(has(&primary.later(Duration::from_millis(1)), closes), !is_udp);
        }
    }

    #[test]
    fn rule_11_a_worker_that_leaves_is_asked_once_and_gets_nothing(own_wish: bool, times in 1..5_usize) {
        let mut primary = Primary::new(options(4), 1);
        let held = handed(&primary.accept());
        let mut asked = 0;
        if own_wish {
            let effects = primary.says(1, FromWorker::ExitedAfterDisconnect);
            let acknowledged = |effect: &Effect| {
                matches!(effect, Effect::Send { message: FromPrimary::Acknowledged { ack: 7 }, .. })
            };
            assert!(has(&effects, acknowledged));
        }
        for _ in 0..times {
            let effects = primary.on(Input::Disconnect { worker: 1 });
            let asks = |effect: &Effect| matches!(effect, Effect::Send { message: FromPrimary::Disconnect, .. });
            asked += usize::from(has(&effects, asks));
        }
        assert_eq!(asked, usize::from(!own_wish));
        assert!(primary.query(1, Port(81, 0)).is_empty());
        assert_eq!(handed(&primary.accept()), vec![]);
        assert_eq!(primary.state.worker(1).map(|status| status.unanswered), Some(held.len()));
    }

    #[test]
    fn rule_12_a_silent_worker_is_killed_once(limit in 11..500_u64) {
        let mut primary = Primary::new(options(1).answer_limit(Duration::from_millis(limit)), 1);
        let held = handed(&primary.accept());
        let kills = |effect: &Effect| matches!(effect, Effect::Kill { worker: 1 });
        assert!(!has(&primary.later(Duration::from_millis(limit - 1)), kills));
        assert!(has(&primary.later(Duration::from_millis(1)), kills));
        for _ in 0..3 {
            assert!(!has(&primary.later(Duration::from_millis(limit)), kills));
        }
        assert_eq!(handed(&primary.die(1, &[held[0].2])), vec![]);
        assert_eq!(primary.waiting(), 1);
    }

    #[test]
    fn rule_13_the_end_is_told_in_order(order in Just(vec![0, 1, 2]).prop_shuffle()) {
        let mut primary = Primary::new(options(1), 1);
        let mut told = Vec::new();
        for what in &order {
            let effects = primary.on(match what {
                0 => Input::ChannelEnded { worker: 1 },
                1 => Input::MessagesDelivered { worker: 1 },
                _ => Input::Exited { worker: 1 },
            });
            for effect in &effects {
                match effect {
                    Effect::Tell(Notice::Disconnect(1)) => told.push("disconnect"),
                    Effect::Tell(Notice::Exit(1)) => told.push("exit"),
                    Effect::Forget { .. } => told.push("forget"),
                    _ => {}
                }
            }
            let place = |what: &i32| order.iter().position(|one| one == what);
            let done = [0, 1].iter().all(|needed| place(needed) <= place(what));
            assert_eq!(told.contains(&"disconnect"), done);
        }
        assert_eq!(told, vec!["disconnect", "exit", "forget"]);
        assert!(primary.state.worker(1).is_none());
    }

    #[test]
    fn rule_14_the_end_asks_every_worker_and_closes_what_waits(workers in 1..6_u32, waits in 0..9_usize) {
        let mut primary = Primary::new(options(1), workers);
        (0..workers as usize + waits).for_each(|_| drop(primary.accept()));
        let effects = primary.on(Input::Shutdown);
        let asks = |effect: &&Effect| matches!(effect, Effect::Send { message: FromPrimary::Disconnect, .. });
        assert_eq!(effects.iter().filter(asks).count(), workers as usize);
        assert_eq!(closed(&effects, Closed::NoListener).len(), waits);
        assert!(has(&effects, |effect| matches!(effect, Effect::CloseListener { listener: 1 })));
        assert_eq!(primary.state.listeners().count(), 0);
    }
}
