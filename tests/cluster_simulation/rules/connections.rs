//! The primary's rules 1 to 8: connections on their way.

use std::time::Duration;

use forklore::cluster::Options;
use forklore::cluster::state::FromWorker;
use forklore::cluster::state::primary::{Closed, Delivery, Effect, Input, Notice, PROMPT, RETRY_DELAY};
use proptest::prelude::*;

use super::primary::{Handed, Primary, closed, handed, has};
use crate::step::Port;

const LATE: Duration = Duration::from_millis(PROMPT.as_millis() as u64 + 1);

fn options(window: usize) -> Options {
    Options::default().window(window)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rule_1_the_window_grows_with_prompt_answers_up_to_its_limit(limit in 1..20_usize, prompt in 0..30_usize) {
        let mut primary = Primary::new(options(limit), 1);
        let mut held: Handed = Vec::new();
        for _ in 0..80 {
            held.extend(handed(&primary.accept()));
        }
        for _ in 0..prompt {
            let (worker, seq, connection) = held.remove(0);
            held.extend(handed(&primary.answer(worker, seq, connection, true)));
        }
        assert_eq!(held.len(), (1 + prompt).min(limit));
        primary.now += LATE;
        while !held.is_empty() {
            let (worker, seq, connection) = held.remove(0);
            let more = handed(&primary.answer(worker, seq, connection, true));
            // A late answer leaves a window of one, which counts when the others are answered, too.
            assert_eq!(more.len(), usize::from(held.is_empty()));
            if held.is_empty() {
                break;
            }
        }
    }

    #[test]
    fn rule_2_a_late_worker_is_handed_nothing(others in 1..5_u32, late in 1..50_u64) {
        let mut primary = Primary::new(options(4), others + 1);
        let (worker, seq, connection) = handed(&primary.accept())[0];
        let (_, seq_two, two) = handed(&primary.accept())[0];
        assert!(seq < seq_two && two > connection);
        primary.now += PROMPT + Duration::from_millis(late);
        for _ in 0..2 * others {
            let given = handed(&primary.accept());
            assert!(given.iter().all(|(to, ..)| *to != worker));
        }
        let freed = handed(&primary.answer(worker, seq, connection, true));
        assert!(!freed.is_empty(), "another listener's answer makes room again");
    }

    #[test]
    fn rule_3_what_waits_is_handed_out_in_its_order(waits in 2..40_u64) {
        let mut primary = Primary::new(options(1), 1);
        let mut held = handed(&primary.accept());
        (1..waits).for_each(|_| drop(primary.accept()));
        for expected in 1..=waits {
            let (worker, seq, connection) = held.remove(0);
            assert_eq!(connection, expected);
            held.extend(handed(&primary.answer(worker, seq, connection, true)));
        }
    }

    #[test]
    fn rule_4_a_refused_connection_goes_to_each_worker_and_then_waits(workers in 1..8_u32) {
        let mut primary = Primary::new(options(4), workers);
        let mut held = handed(&primary.accept());
        let mut asked = Vec::new();
        while let Some((worker, seq, connection)) = held.pop() {
            asked.push(worker);
            held = handed(&primary.answer(worker, seq, connection, false));
        }
        asked.sort_unstable();
        assert_eq!(asked, (1..=workers).collect::<Vec<_>>());
        assert_eq!(handed(&primary.later(RETRY_DELAY - Duration::from_millis(1))), vec![]);
        assert_eq!(handed(&primary.later(Duration::from_millis(1))).len(), 1);
    }

    #[test]
    fn rule_5_what_a_worker_held_goes_on_in_order_when_everything_is_back(window in 1..9_usize) {
        let mut primary = Primary::new(options(window), 1);
        let mut held = handed(&primary.accept());
        (0..40).for_each(|_| drop(primary.accept()));
        while held.len() < window {
            let (worker, seq, connection) = held.remove(0);
            held.extend(handed(&primary.answer(worker, seq, connection, true)));
        }
        let lost: Vec<u64> = held.iter().map(|(.., connection)| *connection).collect();
        let successor = primary.fork();
        assert_eq!(handed(&primary.die(1, &lost[1..])), vec![]);
        let all_back = primary.on(Input::Returned { worker: 1, connection: lost[0], delivery: Delivery::Unknown });
        assert_eq!(handed(&all_back), vec![]);
        let mut given = handed(&primary.query(successor, Port(80, 0)));
        let mut order = Vec::new();
        while order.len() < lost.len() {
            let (worker, seq, connection) = given.remove(0);
            order.push(connection);
            given.extend(handed(&primary.answer(worker, seq, connection, true)));
        }
        assert_eq!(order, lost);
    }

    #[test]
    fn rule_6_the_first_answer_counts(first: bool, answers in proptest::collection::vec(any::<bool>(), 1..8)) {
        let mut primary = Primary::new(options(4), 2);
        let (worker, seq, connection) = handed(&primary.accept())[0];
        let effects = primary.answer(worker, seq, connection, first);
        assert_eq!(closed(&effects, Closed::Accepted).len(), usize::from(first));
        for accepted in answers {
            assert!(primary.says(worker, FromWorker::Answer { ack: seq, accepted }).is_empty());
            assert!(primary.says(worker, FromWorker::Answer { ack: 999, accepted }).is_empty());
        }
    }

    #[test]
    fn rule_7_accepting_pauses_when_as_many_wait_as_may(waiting in 1..30_usize) {
        let mut primary = Primary::new(options(1).waiting(waiting), 1);
        let (worker, seq, connection) = handed(&primary.accept())[0];
        for number in 1..=waiting {
            let pauses = has(&primary.accept(), |effect| matches!(effect, Effect::PauseAccepting { .. }));
            assert_eq!(pauses, number == waiting);
        }
        let effects = primary.answer(worker, seq, connection, true);
        let resumes = has(&effects, |effect| matches!(effect, Effect::ResumeAccepting { .. }));
        assert!(resumes, "{:?}", effects);
    }

    #[test]
    fn rule_8_accepting_pauses_after_a_failure_which_is_told_once(failures in 1..6_u32, frees: bool) {
        let mut primary = Primary::new(options(1), 1);
        let (worker, seq, connection) = handed(&primary.accept())[0];
        let is_told = |effect: &Effect| matches!(effect, Effect::Tell(Notice::AcceptFailed(..)));
        let resumes = |effect: &Effect| matches!(effect, Effect::ResumeAccepting { .. });
        for number in 0..failures {
            let effects = primary.on(Input::AcceptFailed { listener: 1, errno: 24 });
            assert_eq!(has(&effects, is_told), number == 0);
            assert!(has(&effects, |effect| matches!(effect, Effect::PauseAccepting { .. })));
            let early = primary.later(RETRY_DELAY - Duration::from_millis(1));
            assert!(!has(&early, resumes));
            if frees && number == failures - 1 {
                assert!(has(&primary.answer(worker, seq, connection, true), resumes));
            } else {
                assert!(has(&primary.later(Duration::from_millis(1)), resumes));
            }
        }
        primary.on(Input::BacklogEmpty { listener: 1 });
        assert!(has(&primary.on(Input::AcceptFailed { listener: 1, errno: 24 }), is_told));
    }
}
