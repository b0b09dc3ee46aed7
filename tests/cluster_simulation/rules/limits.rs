//! The primary's rules 15 to 20: limits.

use std::time::Duration;

use forklore::cluster::Options;
use forklore::cluster::state::primary::{Closed, Effect, Input, Notice, STALL_LIMIT};
use forklore::cluster::state::{FromPrimary, FromWorker};
use proptest::prelude::*;

use super::primary::{Primary, closed, handed, has};
use crate::step::Port;

const MOMENT: Duration = Duration::from_millis(1);
const EACCES: i32 = 13;
const EMFILE: i32 = 24;

/// The error in the reply to a query, if the query was refused.
fn refused(effects: &[Effect]) -> Option<i32> {
    effects.iter().find_map(|effect| match effect {
        Effect::Send { message: FromPrimary::Reply(reply), .. } => reply.errno.map(|errno| -errno),
        _ => None,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rule_15_what_waits_is_closed_at_its_age(limit in 2..500_u64, apart in 0..400_u64, comes_back: bool) {
        let limit = Duration::from_millis(limit);
        let mut primary = Primary::new(Options::default().window(1).waiting_time(limit), 1);
        let (.., held) = handed(&primary.accept())[0];
        if comes_back {
            primary.now += limit / 2;
            primary.accept();
            assert_eq!(handed(&primary.die(1, &[held])), vec![]);
            assert!(closed(&primary.later(limit - limit / 2 - MOMENT), Closed::TooOld).is_empty());
            assert_eq!(closed(&primary.later(MOMENT), Closed::TooOld), vec![held]);
            assert_eq!(closed(&primary.later(limit / 2), Closed::TooOld), vec![held + 1]);
        } else {
            primary.accept();
            let apart = Duration::from_millis(apart).min(limit - MOMENT);
            primary.now += apart;
            primary.accept();
            assert!(closed(&primary.later(limit - apart - MOMENT), Closed::TooOld).is_empty());
            let first = if apart.is_zero() { vec![2, 3] } else { vec![2] };
            assert_eq!(closed(&primary.later(MOMENT), Closed::TooOld), first);
            primary.later(apart);
        }
        assert_eq!(primary.waiting(), 0);
    }

    #[test]
    fn rule_16_the_broken_are_closed_and_then_the_oldest(
        waits in 1..30_usize,
        missing in 1..16_usize,
        broken in proptest::collection::btree_set(1..30_u64, 0..10),
    ) {
        let mut primary = Primary::new(Options::default(), 0);
        let worker = primary.fork();
        primary.query(worker, Port(80, 0));
        primary.die(worker, &[]);
        for _ in 0..waits {
            primary.accept();
            primary.now += MOMENT;
        }
        let all: Vec<u64> = (1..=waits as u64).collect();
        let effects = primary.on(Input::SparesMissing { count: missing });
        let looks = |effect: &Effect| matches!(effect, Effect::FindBroken { connections, .. } if *connections == all);
        assert!(has(&effects, looks), "{:?}", effects);
        let (gone, kept): (Vec<u64>, Vec<u64>) = all.iter().partition(|one| broken.contains(one));
        let effects = primary.on(Input::Broken { connections: broken.into_iter().collect(), missing });
        assert_eq!(closed(&effects, Closed::ClientGone), gone);
        let oldest: Vec<u64> = kept.into_iter().take(missing.saturating_sub(gone.len())).collect();
        assert_eq!(closed(&effects, Closed::Scarce), oldest);
        assert_eq!(primary.waiting(), waits - gone.len() - oldest.len());
    }

    #[test]
    fn rule_16_accepting_pauses_near_the_limit_while_something_waits(serves: bool) {
        let mut primary = Primary::new(Options::default().window(1), 1);
        if !serves {
            primary.accept();
        }
        let pauses = |effect: &Effect| matches!(effect, Effect::PauseAccepting { listener: 1 });
        assert_eq!(has(&primary.accept_the_last(), pauses), !serves);
    }

    #[test]
    fn rule_17_only_announced_descriptors_are_given(allowed in 0..9_u16, asked in 0..9_u16, times in 1..5_usize) {
        let mut primary = Primary::new(Options::default().allow_descriptor(allowed.into()), 0);
        let worker = primary.fork();
        let mut told = 0;
        for _ in 0..times {
            let effects = primary.query(worker, Port(300 + asked, 0));
            assert_eq!(refused(&effects), (asked != allowed).then_some(EACCES));
            let is_told = |effect: &&Effect| matches!(effect, Effect::Tell(Notice::DescriptorRefused(1, _)));
            told += effects.iter().filter(is_told).count();
        }
        assert_eq!(told, usize::from(asked != allowed));
        assert_eq!(primary.state.listeners().count(), usize::from(asked == allowed));
    }

    #[test]
    fn rule_18_a_worker_has_at_most_so_many_listeners(limit in 1..20_u16, user_closes: bool) {
        let mut primary = Primary::new(Options::default().listeners(limit.into()), 0);
        let worker = primary.fork();
        for port in 0..limit {
            assert_eq!(refused(&primary.query(worker, Port(80 + port, 0))), None);
        }
        assert_eq!(refused(&primary.query(worker, Port(100, 0))), Some(EMFILE));
        if user_closes {
            primary.on(Input::CloseListener { listener: 1 });
        } else {
            primary.says(worker, FromWorker::Close { key: Port(80, 0).key().into() });
        }
        assert_eq!(refused(&primary.query(worker, Port(100, 0))), None);
        assert_eq!(refused(&primary.query(worker, Port(101, 0))), Some(EMFILE));
    }

    #[test]
    fn rule_18_what_a_worker_has_left_makes_room(limit in 1..20_u16, keeps in 0..20_u16, opens in 1..40_u16) {
        let mut primary = Primary::new(Options::default().listeners(limit.into()), 0);
        let worker = primary.fork();
        let keeps = keeps.min(limit - 1);
        for port in 0..keeps {
            primary.query(worker, Port(80 + port, 0));
        }
        for number in 0..opens {
            let port = Port(200 + number, 0);
            let effects = primary.query(worker, port);
            assert_eq!(refused(&effects), None);
            // The one that was left first.
            let first = u32::from(number + 1 + 2 * keeps).checked_sub(limit.into());
            let closes = |effect: &Effect| matches!(effect, Effect::CloseListener { listener } if Some(*listener) == first);
            assert_eq!(has(&effects, closes), number >= limit - keeps, "{effects:?}");
            primary.says(worker, FromWorker::Close { key: port.key().into() });
            primary.now += MOMENT;
            assert!(primary.state.listeners().count() <= usize::from(limit));
        }
    }

    #[test]
    fn rule_18_a_listener_without_workers_is_closed_in_time(limit in 2..500_u64, successor: bool) {
        let limit = Duration::from_millis(limit);
        let mut primary = Primary::new(Options::default().idle_listener_limit(limit), 1);
        let is_told = |effect: &Effect| matches!(effect, Effect::Tell(Notice::ListenerClosed(_)));
        primary.die(1, &[]);
        assert!(!has(&primary.later(limit - MOMENT), is_told));
        if successor {
            let worker = primary.fork();
            primary.query(worker, Port(80, 0));
        }
        let effects = primary.later(MOMENT);
        assert_eq!(has(&effects, is_told), !successor);
        assert_eq!(has(&effects, |effect| matches!(effect, Effect::CloseListener { listener: 1 })), !successor);
    }

    #[test]
    fn rule_19_nothing_is_read_while_16_sockets_are_on_their_way(more in 0..3_usize, refuses: bool) {
        let mut primary = Primary::new(Options::default(), 0);
        let worker = primary.fork();
        let pauses = |effect: &Effect| matches!(effect, Effect::PauseReading { worker: 1 });
        let resumes = |effect: &Effect| matches!(effect, Effect::ResumeReading { worker: 1 });
        for number in 1..=16 + more {
            assert_eq!(has(&primary.query(worker, Port(200, 0)), pauses), number == 16);
        }
        for number in (0..16 + more).rev() {
            let effects = primary.on(match refuses {
                true => Input::ListenerRefused { worker, ack: 7, listener: 1 },
                false => Input::ListenerArrived { worker },
            });
            assert_eq!(has(&effects, resumes), number == 15);
        }
    }

    #[test]
    fn rule_20_a_worker_that_stands_still_is_killed_once(by_sockets: bool, moves in 0..3_u32, end in 0..3_u32) {
        let mut primary = Primary::new(Options::default(), 0);
        let worker = primary.fork();
        let stands_still = |primary: &mut Primary, stalled: bool| match (by_sockets, stalled) {
            (true, true) => (0..16).for_each(|_| drop(primary.query(worker, Port(200, 0)))),
            (true, false) => (0..16).for_each(|_| drop(primary.on(Input::ListenerArrived { worker }))),
            (false, stalled) => drop(primary.on(Input::ChannelStalled { worker, stalled })),
        };
        let kills = |effect: &Effect| matches!(effect, Effect::Kill { worker: 1 });
        for _ in 0..moves {
            stands_still(&mut primary, true);
            assert!(!has(&primary.later(STALL_LIMIT - MOMENT), kills));
            stands_still(&mut primary, false);
            assert!(!has(&primary.later(MOMENT), kills));
        }
        stands_still(&mut primary, true);
        if end == 0 && !by_sockets {
            // What its channel held is gone: there is nothing that it leaves unread.
            primary.on(Input::ChannelEnded { worker });
            assert!(!has(&primary.later(STALL_LIMIT), kills));
            return Ok(());
        }
        let effects = primary.later(STALL_LIMIT);
        assert!(has(&effects, kills));
        assert!(has(&effects, |effect| matches!(effect, Effect::Tell(Notice::Stalled(1)))));
        for _ in 0..end {
            stands_still(&mut primary, false);
            stands_still(&mut primary, true);
            assert!(!has(&primary.later(STALL_LIMIT), kills));
        }
    }
}
