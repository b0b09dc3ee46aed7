//! Any sequence of calls, against a scheduler that is slow and obvious.

use std::collections::BTreeMap;

use forklore::cluster::schedule::{Policy, Scheduler};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum SchedulerCall {
    Add(u32, u32),
    Remove(u32),
    Room(u32, usize),
    Weight(u32, u32),
    Offer(u64),
    /// The item at this place among those that were given comes back.
    Back(usize),
    Next,
    Done(usize),
}

fn call() -> impl Strategy<Value = SchedulerCall> {
    let worker = || 0u32..6;
    prop_oneof![
        2 => (worker(), 0u32..5).prop_map(|(worker, weight)| SchedulerCall::Add(worker, weight)),
        1 => worker().prop_map(SchedulerCall::Remove),
        4 => (worker(), 0usize..4).prop_map(|(worker, room)| SchedulerCall::Room(worker, room)),
        1 => (worker(), 0u32..5).prop_map(|(worker, weight)| SchedulerCall::Weight(worker, weight)),
        8 => (0u64..9).prop_map(SchedulerCall::Offer),
        1 => any::<usize>().prop_map(SchedulerCall::Back),
        8 => Just(SchedulerCall::Next),
        4 => any::<usize>().prop_map(SchedulerCall::Done),
    ]
}

#[derive(Clone, Copy, Debug, Default)]
struct ModelWorker {
    room: usize,
    load: usize,
    /// When it was given an item last.
    given: usize,
    /// When it opened last: got room or, with sticky, an item that waits.
    opened: usize,
}

#[derive(Clone, Copy, Debug)]
struct WaitingItem {
    name: usize,
    client: u64,
    /// For which worker it waits. `None`: for any.
    owner: Option<u32>,
}

struct SchedulerModel {
    policy: Policy,
    workers: BTreeMap<u32, ModelWorker>,
    /// In the order in which they are to be given.
    waiting: Vec<WaitingItem>,
    given: Vec<(u32, WaitingItem)>,
    now: usize,
    owners: BTreeMap<(Vec<u32>, u64), u32>,
}

impl SchedulerModel {
    /// Returns the owner of this client, according to a scheduler that was asked nothing before.
    fn owner(&mut self, client: u64) -> Option<u32> {
        if self.policy != Policy::Sticky || self.workers.is_empty() {
            return None;
        }
        let workers: Vec<u32> = self.workers.keys().copied().collect();
        let ask = |workers: &[u32]| {
            let mut fresh = scheduler(self.policy);
            workers.iter().for_each(|worker| fresh.add(*worker, 1));
            fresh.offer((), client);
            fresh.next().expect("all have room").0
        };
        Some(*self.owners.entry((workers.clone(), client)).or_insert_with(|| ask(&workers)))
    }

    /// Gives an owner to the items whose owner has gone.
    fn assign(&mut self) {
        for index in 0..self.waiting.len() {
            let WaitingItem { client, owner, .. } = self.waiting[index];
            if owner.is_none_or(|owner| !self.workers.contains_key(&owner)) {
                self.waiting[index].owner = self.owner(client);
            }
        }
    }

    /// Returns the place of the first item that this worker may have.
    fn first_for(&self, worker: u32) -> Option<usize> {
        self.waiting.iter().position(|item| self.policy != Policy::Sticky || item.owner == Some(worker))
    }

    fn is_open(&self, name: u32) -> bool {
        let has_room = self.workers.get(&name).is_some_and(|worker| worker.room > 0);
        has_room && (self.policy != Policy::Sticky || self.first_for(name).is_some())
    }

    fn open(&self) -> impl Iterator<Item = (u32, ModelWorker)> {
        self.workers.iter().filter(|(name, _)| self.is_open(**name)).map(|(name, worker)| (*name, *worker))
    }

    /// Changes the model, and notes which workers that opens.
    fn change(&mut self, change: impl FnOnce(&mut SchedulerModel)) {
        let before: Vec<u32> = self.open().map(|(name, _)| name).collect();
        change(self);
        self.now += 1;
        for name in self.open().map(|(name, _)| name).filter(|name| !before.contains(name)).collect::<Vec<_>>() {
            self.workers.entry(name).and_modify(|worker| worker.opened = self.now);
        }
    }

    /// Checks what the scheduler gave.
    fn next(&mut self, given: Option<(u32, usize)>) -> Result<(), TestCaseError> {
        self.now += 1;
        let Some((name, item)) = given else {
            prop_assert!(self.waiting.is_empty() || self.open().next().is_none(), "a worker has room");
            return Ok(());
        };
        prop_assert!(self.is_open(name), "{name} is open");
        let worker = self.workers[&name];
        let is_first =
            |rank: fn(&ModelWorker) -> (usize, usize)| self.open().all(|(_, other)| rank(&worker) <= rank(&other));
        prop_assert!(
            match self.policy {
                // Workers that opened in the same call may be in any order.
                Policy::RoundRobin | Policy::Sticky => is_first(|worker| (worker.given.max(worker.opened), 0)),
                Policy::LeastConnections => is_first(|worker| (worker.load, worker.given)),
                // Its shares have tests of their own.
                Policy::Weighted | Policy::Shared => true,
                other => panic!("{other} has no rule here"),
            },
            "it is the turn of {name}"
        );
        let index = self.first_for(name);
        prop_assert_eq!(index.map(|index| self.waiting[index].name), Some(item), "the oldest for {}", name);
        let item = self.waiting.remove(index.unwrap_or(0));
        self.given.push((name, item));
        self.workers
            .insert(name, ModelWorker { room: worker.room - 1, load: worker.load + 1, given: self.now, ..worker });
        Ok(())
    }

    fn done(&mut self, name: u32) {
        if let Some(worker) = self.workers.get_mut(&name) {
            worker.load = worker.load.saturating_sub(1);
        }
    }
}

fn scheduler<T>(policy: Policy) -> Scheduler<T> {
    Scheduler::new(policy).expect("the primary decides")
}

fn run(policy: Policy, calls: &[SchedulerCall]) -> Result<(), TestCaseError> {
    let mut scheduler = scheduler(policy);
    let (workers, owners) = (BTreeMap::new(), BTreeMap::new());
    let mut model = SchedulerModel { policy, workers, waiting: Vec::new(), given: Vec::new(), now: 0, owners };
    for (name, call) in calls.iter().enumerate() {
        match *call {
            SchedulerCall::Add(worker, weight) => {
                scheduler.add(worker, weight);
                model.change(|model| {
                    model.workers.entry(worker).or_insert(ModelWorker { room: 1, ..ModelWorker::default() });
                    model.assign();
                });
            }
            SchedulerCall::Remove(worker) => {
                scheduler.remove(worker);
                model.change(|model| {
                    model.workers.remove(&worker);
                    model.assign();
                });
            }
            SchedulerCall::Room(worker, room) => {
                scheduler.set_room(worker, room);
                model.change(|model| {
                    model.workers.entry(worker).and_modify(|worker| worker.room = room);
                });
            }
            SchedulerCall::Weight(worker, weight) => scheduler.set_weight(worker, weight),
            SchedulerCall::Offer(client) => {
                scheduler.offer(name, client);
                let owner = model.owner(client);
                model.change(|model| model.waiting.push(WaitingItem { name, client, owner }));
            }
            SchedulerCall::Back(index) if !model.given.is_empty() => {
                let (worker, item) = model.given.swap_remove(index % model.given.len());
                scheduler.done(worker);
                scheduler.offer_again(item.name, item.client);
                model.done(worker);
                let owner = model.owner(item.client);
                model.change(|model| model.waiting.insert(0, WaitingItem { owner, ..item }));
            }
            SchedulerCall::Done(index) if !model.given.is_empty() => {
                let (worker, _) = model.given.swap_remove(index % model.given.len());
                scheduler.done(worker);
                model.done(worker);
            }
            SchedulerCall::Next => model.next(scheduler.next())?,
            SchedulerCall::Back(_) | SchedulerCall::Done(_) => {}
        }
        prop_assert_eq!(scheduler.waiting(), model.waiting.len());
        for worker in 0..6 {
            prop_assert_eq!(scheduler.load(worker), model.workers.get(&worker).map_or(0, |worker| worker.load));
        }
    }
    // With room for everything, everything is given.
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
        for policy in Policy::ALL.into_iter().filter(|policy| policy.order().is_some()) {
            run(policy, &calls).map_err(|error| TestCaseError::fail(format!("{policy}: {error}")))?;
        }
    }

    #[test]
    fn among_workers_with_room_round_robin_lets_none_be_two_items_ahead(
        rooms in prop::collection::vec(1usize..20, 1..20),
    ) {
        let mut scheduler = scheduler(Policy::RoundRobin);
        for (worker, room) in (0..).zip(&rooms) {
            scheduler.add(worker, 1);
            scheduler.set_room(worker, *room);
        }
        (0..rooms.iter().sum()).for_each(|item: usize| scheduler.offer(item, 0));
        while let Some((worker, _)) = scheduler.next() {
            let load = scheduler.load(worker);
            let mut others = (0..).zip(&rooms).filter(|(other, room)| scheduler.load(*other) < **room);
            prop_assert!(others.all(|(other, _)| scheduler.load(other) + 1 >= load));
        }
        prop_assert_eq!(scheduler.waiting(), 0);
    }
}

#[test]
fn a_stuck_worker_delays_its_own_clients_only() {
    let mut scheduler = scheduler(Policy::Sticky);
    (0..4).for_each(|worker| scheduler.add(worker, 1));
    scheduler.set_room(0, 0);
    (1..4).for_each(|worker| scheduler.set_room(worker, usize::MAX));
    (0..4_000).for_each(|client| scheduler.offer(client, client));
    let served: Vec<_> = std::iter::from_fn(|| scheduler.next()).collect();
    assert!((2_000..4_000).contains(&served.len()), "{} were served", served.len());
    assert!(served.iter().all(|(worker, _)| *worker != 0));
    assert_eq!(scheduler.waiting(), 4_000 - served.len());
    scheduler.remove(0);
    let rest: Vec<_> = std::iter::from_fn(|| scheduler.next()).collect();
    assert_eq!(rest.len(), 4_000 - served.len());
}
