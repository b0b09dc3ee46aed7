//! The birthday problem, with ports for days.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddrV4};

use nix::errno::Errno;

use crate::socket::take;

/// 1000 to 2000, both included.
const PORTS: u16 = 1001;
// ANCHOR: odds
/// How likely it is that of `processes`, each choosing one of [`PORTS`] at random, two choose the same one.
pub(crate) fn collision(processes: u16) -> f64 {
    let distinct: f64 = (0..processes).map(|taken| 1.0 - f64::from(taken) / f64::from(PORTS)).product();
    1.0 - distinct
}

/// The share of `processes` that find their port taken: all but the first on each port that is drawn at all.
pub(crate) fn refused(processes: u16) -> f64 {
    let (ports, processes) = (f64::from(PORTS), f64::from(processes));
    let drawn = ports * (1.0 - (1.0 - 1.0 / ports).powf(processes));
    1.0 - drawn / processes
}
// ANCHOR_END: odds

/// The same, by asking the kernel for as many real ports.
pub(crate) fn observed(processes: u16) -> nix::Result<f64> {
    // As many ports, but where no privilege is needed, on a loopback address of this run's own: all of 127.0.0.0/8 is loopback.
    const BASE: u16 = 20_000;
    let [_, a, b, c] = std::process::id().to_be_bytes();
    let address = Ipv4Addr::new(127, a | 128, b, c);
    // Rust seeds every RandomState differently, from the kernel's randomness at first.
    let chance = RandomState::new();
    let mut open = Vec::new();
    for draw in 0..processes {
        let port = BASE + (chance.hash_one(draw) % u64::from(PORTS)) as u16;
        match take(SocketAddrV4::new(address, port)) {
            Ok(socket) => open.push(socket),
            Err(Errno::EADDRINUSE) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(1.0 - open.len() as f64 / f64::from(processes))
}
