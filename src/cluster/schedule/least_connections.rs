//! Whoever has the fewest.

use super::members::Slot;
use super::order::Order;
use super::tournament::{NOBODY, Tournament};

/// The open workers by load, and by how long ago they were given something.
#[derive(Debug)]
pub(super) struct LeastConnections {
    open: Tournament<1>,
    seats: Vec<Seat>,
    /// The number of the last item that was given.
    given: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Seat {
    load: u64,
    /// The number of the last item that it was given; 0: none.
    last: u64,
    open: bool,
}

/// Half of a rank's 48 bits are the number of an item. When they have been used up the numbers begin anew.
const NUMBERS: u64 = if cfg!(test) { 1 << 4 } else { 1 << 24 };

/// The other half are the load; greater ones are taken to be equal.
const HIGHEST: u64 = (1 << 24) - 1;

impl LeastConnections {
    pub(super) fn new() -> LeastConnections {
        LeastConnections { open: Tournament::new(), seats: Vec::new(), given: 0 }
    }

    // ANCHOR: put
    fn put(&mut self, slot: Slot) {
        let seat = &self.seats[usize::from(slot)];
        let rank = seat.load.min(HIGHEST) * NUMBERS + seat.last;
        self.open.set(slot, [if seat.open { rank } else { NOBODY }]);
    }
    // ANCHOR_END: put

    /// Gives the workers' last items the least numbers that keep their order.
    fn number_anew(&mut self) {
        let mut order: Vec<Slot> = (0..=Slot::MAX).take(self.seats.len()).collect();
        order.retain(|slot| self.seats[usize::from(*slot)].last > 0);
        order.sort_by_key(|slot| self.seats[usize::from(*slot)].last);
        self.given = order.len() as u64;
        for (last, slot) in (1..).zip(order) {
            self.seats[usize::from(slot)].last = last;
            self.put(slot);
        }
    }
}

impl Order for LeastConnections {
    fn add(&mut self, slot: Slot, _weight: u32) {
        if self.seats.len() <= usize::from(slot) {
            self.seats.resize(usize::from(slot) + 1, Seat::default());
        }
    }

    fn remove(&mut self, slot: Slot) {
        self.seats[usize::from(slot)] = Seat::default();
    }

    fn open(&mut self, slot: Slot) {
        self.seats[usize::from(slot)].open = true;
        self.put(slot);
    }

    fn close(&mut self, slot: Slot) {
        self.seats[usize::from(slot)].open = false;
        self.put(slot);
    }

    fn first(&mut self) -> Option<Slot> {
        self.open.first(0)
    }

    fn given(&mut self, slot: Slot, open: bool) {
        if self.given + 1 >= NUMBERS {
            self.number_anew();
        }
        self.given += 1;
        let seat = &mut self.seats[usize::from(slot)];
        *seat = Seat { load: seat.load + 1, last: self.given, open };
        self.put(slot);
    }

    fn done(&mut self, slot: Slot) {
        let seat = &mut self.seats[usize::from(slot)];
        seat.load -= 1;
        if seat.open {
            self.put(slot);
        }
    }
}
