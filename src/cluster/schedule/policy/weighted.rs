//! In turn, each worker as often as its weight says.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::cluster::schedule::order::{Candidate, Order};

/// The greatest weight; a greater one counts as this.
const MOST: u32 = 1 << 12;

/// Time is counted in rounds, in each of which every worker gets as many items as its weight. Turn `k` of a worker with
/// weight `w` begins at `k/w` and ends at `(k+1)/w`. Of the turns that have begun the one that ends first is next
/// (Tijdeman's chairman assignment, 1980; in processor scheduling, Pfair and EEVDF): as long as no worker comes, goes
/// or misses a turn, none is ever a whole item ahead of its share or behind it. A decision looks at one worker of each
/// weight in use. Node has no weights; nginx's smooth round robin looks at every worker each time.
///
/// A worker without room keeps its turn until the turn comes; then it is absent, and its weight no longer counts. It
/// comes back where the others are: what it missed in earlier rounds is neither made up for nor held against it.
#[derive(Debug)]
pub(super) struct Weighted {
    shares: HashMap<u32, Share>,
    /// The workers that are present, by weight; those of the same weight by turn, then by id.
    present: BTreeMap<u64, VecDeque<(u64, u32)>>,
    /// The weighted average of where those present are. While there are none, the time stands still.
    now: Time,
}

#[derive(Clone, Copy, Debug)]
struct Share {
    /// Its weight, and the number of its turn.
    turn: Time,
    open: bool,
    present: bool,
}

/// `turns / weight` rounds.
#[derive(Clone, Copy, Debug)]
struct Time {
    turns: u64,
    weight: u64,
}

impl Time {
    /// One turn later.
    fn next(self) -> Time {
        Time { turns: self.turns + 1, ..self }
    }

    fn compare(self, other: Time) -> Ordering {
        let product = |a: u64, b: u64| u128::from(a) * u128::from(b);
        product(self.turns, other.weight).cmp(&product(other.turns, self.weight))
    }

    /// How many whole turns of a worker with this weight have passed.
    fn turns_of(self, weight: u64) -> u64 {
        (u128::from(self.turns) * u128::from(weight) / u128::from(self.weight)) as u64
    }
}

impl Default for Weighted {
    fn default() -> Weighted {
        Weighted { shares: HashMap::new(), present: BTreeMap::new(), now: Time { turns: 0, weight: 1 } }
    }
}

impl Weighted {
    fn enter(&mut self, worker: u32) {
        let Some(share) = self.shares.get_mut(&worker) else { return };
        let Time { turns, weight } = share.turn;
        let passed = self.now.turns_of(weight);
        let turns = turns.clamp(passed, passed + 1);
        (share.turn.turns, share.present) = (turns, true);
        let others = if self.present.is_empty() { Time { turns: 0, weight: 0 } } else { self.now };
        self.now = Time { turns: others.turns + turns, weight: others.weight + weight };
        insert(self.present.entry(weight).or_default(), (turns, worker));
    }

    fn leave(&mut self, worker: u32) {
        let Some(share) = self.shares.get_mut(&worker).filter(|share| share.present) else { return };
        share.present = false;
        let Time { turns, weight } = share.turn;
        if let Some(equals) = self.present.get_mut(&weight) {
            equals.retain(|turn| *turn != (turns, worker));
            if equals.is_empty() {
                self.present.remove(&weight);
            }
        }
        if !self.present.is_empty() {
            self.now = Time { turns: self.now.turns - turns, weight: self.now.weight - weight };
        }
    }
}

fn insert(equals: &mut VecDeque<(u64, u32)>, turn: (u64, u32)) {
    let place = equals.partition_point(|other| *other < turn);
    equals.insert(place, turn);
}

impl Order for Weighted {
    fn add(&mut self, worker: u32, weight: u32) {
        let turn = Time { turns: 0, weight: weight.clamp(1, MOST).into() };
        self.shares.insert(worker, Share { turn, open: false, present: false });
    }

    fn remove(&mut self, worker: u32) {
        self.leave(worker);
        self.shares.remove(&worker);
    }

    fn set_weight(&mut self, worker: u32, weight: u32) {
        let weight = weight.clamp(1, MOST).into();
        let Some(before) = self.shares.get(&worker).copied().filter(|share| share.turn.weight != weight) else {
            return;
        };
        self.leave(worker);
        let turn = Time { turns: before.turn.turns_of(weight), weight };
        self.shares.insert(worker, Share { turn, open: before.open, present: false });
        if before.present {
            self.enter(worker);
        }
    }

    fn open(&mut self, worker: &Candidate) {
        let Some(share) = self.shares.get_mut(&worker.id) else { return };
        share.open = true;
        if !share.present {
            self.enter(worker.id);
        }
    }

    fn close(&mut self, worker: &Candidate) {
        if let Some(share) = self.shares.get_mut(&worker.id) {
            share.open = false;
        }
    }

    fn first(&mut self) -> Option<u32> {
        loop {
            // Of those with the same weight, the first turn begins first and ends first.
            let firsts = self.present.iter().filter_map(|(weight, equals)| {
                equals.front().map(|(turns, worker)| (Time { turns: *turns, weight: *weight }, *worker))
            });
            // Before the next item's time is over.
            let begun = firsts.filter(|(turn, _)| turn.compare(self.now.next()).is_lt());
            let (_, worker) = begun.min_by(|a, b| a.0.next().compare(b.0.next()).then(a.1.cmp(&b.1)))?;
            if self.shares.get(&worker)?.open {
                return Some(worker);
            }
            self.leave(worker);
        }
    }

    fn given(&mut self, worker: &Candidate, still_open: bool) {
        let Some(share) = self.shares.get_mut(&worker.id) else { return };
        share.open = still_open;
        if let Some(equals) = self.present.get_mut(&share.turn.weight) {
            equals.pop_front();
            share.turn = share.turn.next();
            insert(equals, (share.turn.turns, worker.id));
        }
        self.now = self.now.next();
    }
}
