//! Any sequence of calls, against a scheduler that is slow and obvious.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Policy, Scheduler};

#[derive(Clone, Debug)]
enum Call {
    Add(u8, u32),
    Remove(u8),
    Room(u8, usize),
    Weight(u8, u32),
    Offer(u64),
    /// The item that this one of those out was given comes back.
    Back(usize),
    Next,
    Done(usize),
    Drain,
}

fn call() -> impl Strategy<Value = Call> {
    let worker = || 0u8..6;
    prop_oneof![
        2 => (worker(), 0u32..5).prop_map(|(worker, weight)| Call::Add(worker, weight)),
        1 => worker().prop_map(Call::Remove),
        4 => (worker(), 0usize..4).prop_map(|(worker, room)| Call::Room(worker, room)),
        1 => (worker(), 0u32..5).prop_map(|(worker, weight)| Call::Weight(worker, weight)),
        8 => (0u64..9).prop_map(Call::Offer),
        1 => any::<usize>().prop_map(Call::Back),
        8 => Just(Call::Next),
        4 => any::<usize>().prop_map(Call::Done),
        1 => prop::bool::weighted(0.1).prop_map(|drain| if drain { Call::Drain } else { Call::Next }),
    ]
}

#[derive(Clone, Copy, Debug, Default)]
struct Worker {
    room: usize,
    load: usize,
    /// When it was given something last.
    given: usize,
    /// When it got room last.
    opened: usize,
}

#[derive(Clone, Copy, Debug)]
struct Item {
    name: usize,
    client: u64,
    /// For whom it waits; None: for anybody.
    owner: Option<u8>,
}

#[derive(Default)]
struct Model {
    workers: BTreeMap<u8, Worker>,
    /// In the order in which they are to be given.
    waiting: Vec<Item>,
    out: Vec<(u8, Item)>,
    now: usize,
    owners: BTreeMap<(Vec<u8>, u64), u8>,
}

impl Model {
    /// Whose client this is, as a scheduler says that has never seen anything else.
    fn owner(&mut self, policy: Policy, client: u64) -> Option<u8> {
        if policy != Policy::Sticky || self.workers.is_empty() {
            return None;
        }
        let workers: Vec<u8> = self.workers.keys().copied().collect();
        let ask = |workers: &[u8]| {
            let mut fresh = Scheduler::new(policy);
            workers.iter().for_each(|worker| fresh.add(*worker, 1));
            fresh.offer((), client);
            fresh.next().expect("all have room").0
        };
        Some(*self.owners.entry((workers.clone(), client)).or_insert_with(|| ask(&workers)))
    }

    /// Items that wait for nobody who is there are given an owner.
    fn assign(&mut self, policy: Policy) {
        for index in 0..self.waiting.len() {
            let Item { client, owner, .. } = self.waiting[index];
            if owner.is_none_or(|owner| !self.workers.contains_key(&owner)) {
                self.waiting[index].owner = self.owner(policy, client);
            }
        }
    }

    /// The first item that this worker may have.
    fn first_for(&self, worker: u8, policy: Policy) -> Option<usize> {
        self.waiting.iter().position(|item| policy != Policy::Sticky || item.owner == Some(worker))
    }

    fn open(&self) -> impl Iterator<Item = (u8, Worker)> {
        self.workers.iter().filter(|(_, worker)| worker.room > 0).map(|(name, worker)| (*name, *worker))
    }

    fn set_room(&mut self, name: u8, room: usize) {
        self.now += 1;
        if let Some(worker) = self.workers.get_mut(&name) {
            worker.opened = if worker.room == 0 { self.now } else { worker.opened };
            worker.room = room;
        }
    }

    fn next(&mut self, given: Option<(u8, usize)>, policy: Policy) -> Result<(), TestCaseError> {
        self.now += 1;
        let Some((name, item)) = given else {
            prop_assert!(self.open().all(|(name, _)| self.first_for(name, policy).is_none()), "somebody has room");
            return Ok(());
        };
        let worker = self.workers[&name];
        prop_assert!(worker.room > 0, "{name} has room");
        let mut others = self.open();
        match policy {
            Policy::RoundRobin => {
                let turn = |worker: &Worker| worker.given.max(worker.opened);
                prop_assert!(others.all(|(_, other)| turn(&worker) <= turn(&other)), "it is the turn of {}", name);
            }
            Policy::Shared => {
                prop_assert!(others.all(|(_, other)| worker.opened >= other.opened), "{} lies on top", name)
            }
            Policy::LeastConnections => {
                let rank = |worker: &Worker| (worker.load, worker.given);
                prop_assert!(others.all(|(_, other)| rank(&worker) <= rank(&other)), "{} has the least", name);
            }
            Policy::Weighted | Policy::Sticky => {}
        }
        drop(others);
        let index = self.first_for(name, policy);
        prop_assert_eq!(index.map(|index| self.waiting[index].name), Some(item), "the oldest for {}", name);
        self.out.push((name, self.waiting.remove(index.unwrap_or(0))));
        self.workers.insert(name, Worker { room: worker.room - 1, load: worker.load + 1, given: self.now, ..worker });
        Ok(())
    }

    fn done(&mut self, name: u8) {
        if let Some(worker) = self.workers.get_mut(&name) {
            worker.load = worker.load.saturating_sub(1);
        }
    }
}

fn run(policy: Policy, calls: &[Call]) -> Result<(), TestCaseError> {
    let (mut scheduler, mut model) = (Scheduler::new(policy), Model::default());
    for (name, call) in calls.iter().enumerate() {
        match *call {
            Call::Add(worker, weight) => {
                scheduler.add(worker, weight);
                let fresh = Worker { room: 1, opened: model.now + 1, ..Worker::default() };
                model.workers.entry(worker).or_insert(fresh);
                model.now += 1;
                model.assign(policy);
            }
            Call::Remove(worker) => {
                scheduler.remove(worker);
                model.workers.remove(&worker);
                model.assign(policy);
            }
            Call::Room(worker, room) => {
                scheduler.set_room(worker, room);
                model.set_room(worker, room);
            }
            Call::Weight(worker, weight) => scheduler.set_weight(worker, weight),
            Call::Offer(client) => {
                scheduler.offer(name, client);
                let owner = model.owner(policy, client);
                model.waiting.push(Item { name, client, owner });
            }
            Call::Back(index) if !model.out.is_empty() => {
                let (worker, item) = model.out.swap_remove(index % model.out.len());
                scheduler.done(worker);
                scheduler.offer_again(item.name, item.client);
                model.done(worker);
                let owner = model.owner(policy, item.client);
                model.waiting.insert(0, Item { owner, ..item });
            }
            Call::Done(index) if !model.out.is_empty() => {
                let (worker, _) = model.out.swap_remove(index % model.out.len());
                scheduler.done(worker);
                model.done(worker);
            }
            Call::Next => model.next(scheduler.next(), policy)?,
            Call::Drain => {
                let names: Vec<_> = model.waiting.drain(..).map(|item| item.name).collect();
                prop_assert_eq!(scheduler.drain().collect::<Vec<_>>(), names);
            }
            Call::Back(_) | Call::Done(_) => {}
        }
        prop_assert_eq!(scheduler.waiting(), model.waiting.len());
        let mut workers: Vec<u8> = scheduler.workers().collect();
        workers.sort_unstable();
        prop_assert!(workers.iter().eq(model.workers.keys()));
        for worker in 0..6 {
            prop_assert_eq!(scheduler.contains(worker), model.workers.contains_key(&worker));
            prop_assert_eq!(scheduler.load(worker), model.workers.get(&worker).map_or(0, |worker| worker.load));
        }
    }
    // Whoever comes now gets everything that waits.
    for worker in 0..7 {
        scheduler.add(worker, 1);
        scheduler.set_room(worker, usize::MAX);
    }
    let mut rest: Vec<_> = std::iter::from_fn(|| scheduler.next()).map(|(_, item)| item).collect();
    let mut names: Vec<_> = model.waiting.iter().map(|item| item.name).collect();
    rest.sort_unstable();
    names.sort_unstable();
    prop_assert_eq!(rest, names);
    Ok(())
}

proptest! {
    #[test]
    fn every_policy_does_what_it_says(calls in prop::collection::vec(call(), 0..200)) {
        for policy in Policy::ALL {
            run(policy, &calls).map_err(|error| TestCaseError::fail(format!("{policy}: {error}")))?;
        }
    }
}

#[test]
fn ids_of_any_kind_serve() {
    let mut scheduler = Scheduler::new(Policy::Sticky);
    scheduler.add("the first of two", 1);
    scheduler.add("the second of two", 1);
    (0..100).for_each(|client| scheduler.offer(client, client));
    scheduler.remove("the first of two");
    scheduler.set_room("the second of two", 100);
    let given: Vec<_> = std::iter::from_fn(|| scheduler.next()).collect();
    assert!(given.into_iter().eq((0..100).map(|client| ("the second of two", client))));
}

#[test]
fn a_stuck_worker_delays_its_own_clients_only() {
    let mut scheduler = Scheduler::new(Policy::Sticky);
    (0..4).for_each(|worker| scheduler.add(worker, 1));
    scheduler.set_room(0, 0);
    (1..4).for_each(|worker| scheduler.set_room(worker, usize::MAX));
    (0..4_000).for_each(|client| scheduler.offer(client, client));
    let served: Vec<_> = std::iter::from_fn(|| scheduler.next()).collect();
    assert!((2_000..4_000).contains(&served.len()), "{} were served", served.len());
    assert!(served.iter().all(|(worker, _)| *worker != 0));
    assert_eq!(scheduler.waiting(), 4_000 - served.len());
    scheduler.remove(0);
    assert_eq!(std::iter::from_fn(|| scheduler.next()).count(), 4_000 - served.len());
}
