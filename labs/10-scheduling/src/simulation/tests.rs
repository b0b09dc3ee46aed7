//! The simulation against what theory says of the simplest cases.

use std::sync::atomic::AtomicU64;

use forklore::cluster::schedule::Policy;

use super::figures::Figures;
use super::model::Model;
use super::simulate;

fn figures(policy: Policy, model: Model) -> Figures {
    simulate(policy, &model, &AtomicU64::new(0))
}

const MODEL: Model = Model { seed: 1, workers: 1000, requests: 100_000, load: 0.9 };

/// M/M/1: ρ/(1-ρ) on average, and longer than t with a chance of ρ·e^(-(1-ρ)t).
#[test]
fn one_worker_keeps_them_waiting_as_long_as_theory_says() {
    for (load, policy) in [(0.5, Policy::RoundRobin), (0.8, Policy::Shared), (0.8, Policy::LeastConnections)] {
        let found = figures(policy, Model { workers: 1, requests: 1_000_000, load, ..MODEL });
        let (mean, p99) = (load / (1.0 - load), (load * 100.0).ln() / (1.0 - load));
        assert!((found.mean / mean - 1.0).abs() < 0.03, "{policy}, load {load}: {} for {mean}", found.mean);
        assert!((found.p99 / p99 - 1.0).abs() < 0.05, "{policy}, load {load}: {} for {p99}", found.p99);
        assert!((found.busy.0 - load).abs() < 0.01, "{policy}, load {load}: busy {}", found.busy.0);
        assert_eq!((found.idle, found.requests), (0.0, (1_000_000, 1_000_000)));
    }
}

/// M/M/n, by Erlang's C formula.
#[test]
fn workers_with_one_queue_keep_them_waiting_as_long_as_erlang_says() {
    let (workers, load) = (8u32, 0.85);
    let offered = f64::from(workers) * load;
    let blocked = (1..=workers).fold(1.0, |blocked, n| offered * blocked / (f64::from(n) + offered * blocked));
    let waits = blocked / (1.0 - load * (1.0 - blocked));
    let mean = waits / (f64::from(workers) - offered);
    let found = figures(Policy::Shared, Model { workers, requests: 1_000_000, load, ..MODEL });
    assert!((found.mean / mean - 1.0).abs() < 0.03, "{} for {mean}", found.mean);
    assert_eq!(found.idle, 0.0);
}

#[test]
fn one_queue_beats_round_robin_and_least_connections_comes_near() {
    for (workers, load) in [(4, 0.9), (9, 0.7), (100, 0.95)] {
        let model = Model { workers, load, ..MODEL };
        let [in_turn, shared, least] =
            [Policy::RoundRobin, Policy::Shared, Policy::LeastConnections].map(|policy| figures(policy, model));
        assert!(shared.p99 < least.p99 && least.p99 < in_turn.p99, "{shared:?} {least:?} {in_turn:?}");
        assert!(shared.idle < least.idle && least.idle < in_turn.idle, "{shared:?} {least:?} {in_turn:?}");
    }
}

#[test]
fn round_robin_is_even_in_requests_and_weights_are_in_work() {
    let in_turn = figures(Policy::RoundRobin, MODEL);
    assert_eq!(in_turn.requests, (100, 100));
    assert!(in_turn.busy.1 > 0.99, "a slow worker is never done: {in_turn:?}");
    let weighted = figures(Policy::Weighted, MODEL);
    assert!(weighted.requests.1.abs_diff(3 * weighted.requests.0) <= 3, "{weighted:?}");
    assert!(weighted.p99 < in_turn.p99 / 2.0, "{weighted:?} {in_turn:?}");
}

#[test]
fn the_same_seed_gives_the_same_figures_and_another_one_others() {
    let model = Model { workers: 100, requests: 10_000, ..MODEL };
    for policy in Policy::ALL {
        let one = figures(policy, model);
        assert_eq!(one, figures(policy, model), "{policy}");
        assert_ne!(one, figures(policy, Model { seed: 2, ..model }), "{policy}");
    }
}
