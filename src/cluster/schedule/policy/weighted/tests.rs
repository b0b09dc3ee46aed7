//! Shares, measured.

use proptest::prelude::*;

use super::*;
use crate::cluster::schedule::{Policy, Scheduler};

fn scheduler(weights: &[u32]) -> Scheduler<()> {
    let mut scheduler = Scheduler::new(Policy::Weighted).expect("the primary decides");
    (0..).zip(weights).for_each(|(worker, weight)| scheduler.add(worker, *weight));
    scheduler
}

/// Returns the worker that gets the next item. The item is done at once, and there is room again.
fn next(scheduler: &mut Scheduler<()>) -> usize {
    scheduler.offer((), 0);
    let (worker, ()) = scheduler.next().expect("a worker has room");
    scheduler.set_room(worker, 1);
    worker as usize
}

/// Returns the greatest distance, in items, of any worker from its share of what is given from now on.
fn distance(scheduler: &mut Scheduler<()>, weights: &[u32], items: u32) -> f64 {
    let total: u32 = weights.iter().sum();
    let (mut given, mut distance) = (vec![0u32; weights.len()], 0f64);
    for item in 1..=items {
        given[next(scheduler)] += 1;
        for (given, weight) in given.iter().zip(weights) {
            distance = distance.max((f64::from(*given) - f64::from(item * weight) / f64::from(total)).abs());
        }
    }
    distance
}

#[derive(Clone, Debug)]
enum Change {
    Room(u32, bool),
    Again(u32, u32),
    Weight(u32, u32),
    Items(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0u32..8, any::<bool>()).prop_map(|(worker, room)| Change::Room(worker, room)),
        (0u32..8, 1u32..30).prop_map(|(worker, weight)| Change::Again(worker, weight)),
        (0u32..8, 1u32..30).prop_map(|(worker, weight)| Change::Weight(worker, weight)),
        (1usize..40).prop_map(Change::Items),
    ]
}

proptest! {
    #[test]
    fn each_gets_its_weight_in_every_round_and_is_never_an_item_from_its_share(
        weights in prop::collection::vec(prop_oneof![1u32..4, 1u32..60, Just(100)], 1..12),
    ) {
        let (mut scheduler, total) = (scheduler(&weights), weights.iter().sum::<u32>());
        let mut given = vec![0u32; weights.len()];
        for item in 1..=2_000.max(2 * total) {
            given[next(&mut scheduler)] += 1;
            for (given, weight) in given.iter().zip(&weights) {
                prop_assert!((given * total).abs_diff(item * weight) < total, "{given} of {item} for {weight}");
            }
        }
    }

    #[test]
    fn whatever_happened_before_shares_are_kept_from_now_on(changes in prop::collection::vec(change(), 0..60)) {
        let mut weights = [1, 1, 2, 3, 5, 8, 13, 21];
        let mut scheduler = scheduler(&weights);
        for change in changes {
            match change {
                Change::Room(worker, room) => scheduler.set_room(worker, usize::from(room)),
                Change::Again(worker, weight) => {
                    scheduler.remove(worker);
                    scheduler.add(worker, weight);
                    weights[worker as usize] = weight;
                }
                Change::Weight(worker, weight) => {
                    scheduler.set_weight(worker, weight);
                    weights[worker as usize] = weight;
                }
                Change::Items(items) => {
                    (scheduler.waiting()..items).for_each(|_| scheduler.offer((), 0));
                    while let Some((worker, ())) = scheduler.next() {
                        if !scheduler.waiting().is_multiple_of(3) {
                            scheduler.set_room(worker, 1);
                        }
                    }
                }
            }
        }
        (0..8).for_each(|worker| scheduler.set_room(worker, 1));
        while let Some((worker, ())) = scheduler.next() {
            scheduler.set_room(worker, 1);
        }
        let distance = distance(&mut scheduler, &weights, 600);
        // Rarely above two. A worker that goes leaves its own distance to those that stay.
        prop_assert!(distance < 5.0, "{distance}");
    }
}

#[test]
fn a_heavy_worker_among_light_ones_is_mixed_in_evenly() {
    let weights: Vec<u32> = std::iter::once(100).chain([1; 100]).collect();
    let mut scheduler = scheduler(&weights);
    let heavy: Vec<bool> = (0..400).map(|_| next(&mut scheduler) == 0).collect();
    assert!(heavy.chunks(2).all(|pair| pair.contains(&true) && pair.contains(&false)));
}

#[test]
fn one_that_comes_back_gets_its_share_and_no_more() {
    let weights = [4, 2, 1];
    let mut scheduler = scheduler(&weights);
    scheduler.set_room(0, 0);
    let without: Vec<usize> = (0..300).map(|_| next(&mut scheduler)).collect();
    assert_eq!(without.iter().filter(|worker| **worker == 1).count(), 200);
    scheduler.set_room(0, 1);
    assert!(distance(&mut scheduler, &weights, 700) < 2.0);
}

#[test]
fn a_weight_out_of_range_counts_as_the_nearest_in_it() {
    let mut scheduler = scheduler(&[0, u32::MAX]);
    let first = (0..=MOST).filter(|_| next(&mut scheduler) == 0).count();
    assert_eq!(first, 1);
}
