//! In turn, each as often as its weight says.

#[cfg(test)]
mod tests;

use super::members::Slot;
use super::order::Order;
use super::tournament::{NOBODY, Tournament};

/// Turns and rounds are counted in fixed point.
const ONE: u64 = 1 << 24;

/// The greatest weight; more counts as this. Ends of turns that differ do so by `ONE / MOST²` at least, which is 1.
const MOST: u32 = 1 << 12;

const BEGUN: usize = 0;
const LATER: usize = 1;

/// Time is counted in rounds, in each of which every worker gets as many items as its weight. Turn `k` of a worker with
/// weight `w` begins at `k/w` and ends at `(k+1)/w`. Of the turns that have begun the one that ends first is next
/// (Tijdeman's chairman assignment, 1980; in processor scheduling, Pfair and EEVDF): as long as nobody comes, goes or
/// misses a turn, nobody is ever a whole item ahead of its share or behind it. Node has no weights; nginx's smooth
/// round robin looks at every worker each time.
///
/// The time is where the workers are, on the weighted average: the sum of their turns over the sum of their weights. A
/// worker without room keeps its turn until the turn comes; then it is absent, and its weight no longer counts. It
/// comes back where the others are: what it missed is neither made up for nor held against it.
#[derive(Debug)]
pub(super) struct Weighted {
    seats: Vec<Seat>,
    /// Those present: in `BEGUN` those whose turn has begun, by its end; in `LATER` the others, by its beginning.
    present: Tournament<2>,
    /// The sums of the turns and of the weights of those present.
    turns: u128,
    weights: u64,
    /// The same sums when somebody was present last: where the time stands while nobody is.
    stopped: (u128, u64),
}

#[derive(Clone, Copy, Debug, Default)]
struct Seat {
    weight: u64,
    /// How many rounds a turn takes, and what was rounded off, in parts of `weight`.
    length: u64,
    rest: u64,
    /// How many turns it has had, or would have had, since the time began.
    turns: u64,
    /// In which round its turn begins and ends, and what was rounded off the end.
    begin: u64,
    end: u64,
    end_rest: u64,
    open: bool,
    present: bool,
}

/// The clock is put back by half of these rounds when it has reached them: ranks have 24 bits for whole rounds.
const ROUNDS: u64 = if cfg!(test) { 8 } else { 1 << 23 };

impl Seat {
    fn new(weight: u32, turns: u64) -> Seat {
        let weight = u64::from(weight.clamp(1, MOST));
        Seat { weight, length: ONE / weight, rest: ONE % weight, turns, ..Seat::default() }
    }

    /// Its next turn comes after this many.
    fn jump(&mut self, turns: u64) {
        self.turns = turns;
        (self.end, self.end_rest) = (turns / self.weight, turns % self.weight);
        self.find_end();
    }

    /// Its turn is over.
    fn step(&mut self) {
        self.turns += ONE;
        self.find_end();
    }

    /// A turn begins where the one before ended.
    fn find_end(&mut self) {
        self.begin = self.end;
        self.end += self.length;
        self.end_rest += self.rest;
        if self.end_rest >= self.weight {
            self.end_rest -= self.weight;
            self.end += 1;
        }
    }
}

impl Weighted {
    pub(super) fn new() -> Weighted {
        Weighted { seats: Vec::new(), present: Tournament::new(), turns: 0, weights: 0, stopped: (0, 1) }
    }

    /// Whether its turn begins before the time of the next item is over.
    fn has_begun(&self, seat: &Seat) -> bool {
        u128::from(seat.turns) * u128::from(self.weights) < (self.turns + u128::from(ONE)) * u128::from(seat.weight)
    }

    fn begin(&mut self) {
        while let Some(slot) = self.present.first(LATER) {
            let seat = &self.seats[usize::from(slot)];
            if !self.has_begun(seat) {
                break;
            }
            self.present.set(slot, [seat.end, NOBODY]);
        }
    }

    fn enter(&mut self, slot: Slot) {
        let (turns, weights) = if self.weights > 0 { (self.turns, self.weights) } else { self.stopped };
        let seat = &self.seats[usize::from(slot)];
        let now = (turns * u128::from(seat.weight) / u128::from(weights)) as u64;
        let turns = seat.turns.clamp(now, now + ONE);
        self.sit(slot, turns);
    }

    /// It is present, after this many turns.
    fn sit(&mut self, slot: Slot, turns: u64) {
        let seat = &mut self.seats[usize::from(slot)];
        seat.jump(turns);
        seat.present = true;
        self.turns += u128::from(seat.turns);
        self.weights += seat.weight;
        self.present.set(slot, [NOBODY, seat.begin]);
    }

    fn leave(&mut self, slot: Slot) {
        let seat = &mut self.seats[usize::from(slot)];
        seat.present = false;
        self.stopped = (self.turns, self.weights);
        self.turns -= u128::from(seat.turns);
        self.weights -= seat.weight;
        self.present.set(slot, [NOBODY; 2]);
    }

    /// Puts the clock back. Everybody is as far from the others as before.
    #[cold]
    fn put_back(&mut self) {
        (self.turns, self.weights) = (0, 0);
        for slot in (0..=Slot::MAX).take(self.seats.len()) {
            let seat = &mut self.seats[usize::from(slot)];
            seat.turns = seat.turns.saturating_sub(ROUNDS / 2 * seat.weight * ONE);
            if seat.present {
                let turns = seat.turns;
                self.sit(slot, turns);
            }
        }
    }
}

impl Order for Weighted {
    fn add(&mut self, slot: Slot, weight: u32) {
        if self.seats.len() <= usize::from(slot) {
            self.seats.resize(usize::from(slot) + 1, Seat::default());
        }
        self.seats[usize::from(slot)] = Seat::new(weight, 0);
    }

    fn remove(&mut self, slot: Slot) {
        if self.seats[usize::from(slot)].present {
            self.leave(slot);
        }
    }

    fn set_weight(&mut self, slot: Slot, weight: u32) {
        let before = self.seats[usize::from(slot)];
        let after = Seat::new(weight, 0);
        if after.weight == before.weight {
            return;
        }
        if before.present {
            self.leave(slot);
        }
        let turns = (u128::from(before.turns) * u128::from(after.weight) / u128::from(before.weight)) as u64;
        self.seats[usize::from(slot)] = Seat { turns, open: before.open, ..after };
        if before.present {
            self.enter(slot);
        }
    }

    fn open(&mut self, slot: Slot) {
        let seat = &mut self.seats[usize::from(slot)];
        seat.open = true;
        if !seat.present {
            self.enter(slot);
        }
    }

    fn close(&mut self, slot: Slot) {
        self.seats[usize::from(slot)].open = false;
    }

    fn first(&mut self) -> Option<Slot> {
        loop {
            self.begin();
            let slot = self.present.first(BEGUN)?;
            if self.seats[usize::from(slot)].open {
                return Some(slot);
            }
            self.leave(slot);
        }
    }

    fn given(&mut self, slot: Slot, open: bool) {
        let seat = &mut self.seats[usize::from(slot)];
        seat.open = open;
        seat.step();
        let seat = *seat;
        self.turns += u128::from(ONE);
        self.present.set(slot, if self.has_begun(&seat) { [seat.end, NOBODY] } else { [NOBODY, seat.begin] });
        if self.turns >= u128::from(self.weights) * u128::from(ROUNDS * ONE) {
            self.put_back();
        }
    }
}
