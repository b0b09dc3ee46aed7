//! The birthday problem, with ports for days.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddrV4};

use kit::Result;
use nix::errno::Errno;
use transcript::Transcript;

use crate::socket::{NO_OPTION, listen};

/// 1000 to 2000, both included.
const PORTS: u16 = 1001;
/// So many that chance stays far below the ten points that the fact allows: the standard deviation is two.
const MANY: u16 = 200;

/// Returns how many processes make a collision likelier than not, and which share of [`MANY`] find their port taken, computed and observed.
pub(crate) fn collide(t: &Transcript) -> Result<(u16, f64, f64)> {
    let likely = (1..).find(|n| collision(*n) > 0.5).ok_or("never")?;
    for n in [2, 4, 8, 16, likely] {
        t.say(format!("{n} processes: two choose the same port in {:.1} of 100 cases", 100.0 * collision(n)));
    }
    let (computed, observed) = (refused(MANY), observed(MANY)?);
    t.say(format!("{MANY} processes: computed {:.1} of 100 find their port taken", 100.0 * computed));
    t.say(format!("{MANY} processes: observed {:.1} of 100, on real ports", 100.0 * observed));
    Ok((likely, computed, observed))
}

// ANCHOR: odds
/// How likely it is that of `processes`, each choosing one of [`PORTS`] at random, two choose the same one.
fn collision(processes: u16) -> f64 {
    let distinct: f64 = (0..processes).map(|taken| 1.0 - f64::from(taken) / f64::from(PORTS)).product();
    1.0 - distinct
}

/// The share of `processes` that find their port taken: all but the first on each port that is drawn at all.
fn refused(processes: u16) -> f64 {
    let (ports, processes) = (f64::from(PORTS), f64::from(processes));
    let drawn = ports * (1.0 - (1.0 - 1.0 / ports).powf(processes));
    1.0 - drawn / processes
}
// ANCHOR_END: odds

/// The same, by asking the kernel for as many real ports.
fn observed(processes: u16) -> nix::Result<f64> {
    // As many ports, but where no privilege is needed, on a loopback address of this run's own: all of 127.0.0.0/8 is loopback.
    const BASE: u16 = 20_000;
    let [_, a, b, c] = std::process::id().to_be_bytes();
    let address = Ipv4Addr::new(127, a | 128, b, c);
    // Rust seeds every RandomState differently, from the kernel's randomness at first.
    let chance = RandomState::new();
    let mut open = Vec::new();
    for draw in 0..processes {
        let port = BASE + (chance.hash_one(draw) % u64::from(PORTS)) as u16;
        match listen(SocketAddrV4::new(address, port), NO_OPTION) {
            Ok(socket) => open.push(socket),
            Err(Errno::EADDRINUSE) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(1.0 - open.len() as f64 / f64::from(processes))
}
