//! Memory that a process has resident, so that copying it costs something.

use std::hint::black_box;

/// Some memory, every page of it written to: resident, and in the page tables that fork(2) copies.
///
/// Whether these are pages of 4 KiB is up to the machine (`/sys/kernel/mm/transparent_hugepage/enabled`): where it says `always`, there are
/// 512 times fewer of them to copy.
#[derive(Debug, Default)]
pub struct Ballast(Vec<u8>);

impl Ballast {
    /// From now on this much.
    pub fn hold(&mut self, mebibytes: usize) {
        if self.0.len() != mebibytes << 20 {
            self.0 = Vec::new();
            self.0 = black_box(vec![1; mebibytes << 20]);
        }
    }
}
