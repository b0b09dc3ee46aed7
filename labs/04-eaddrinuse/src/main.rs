//! Two processes cannot listen on one port. Who holds it, which options help, and how soon random ports collide.
//!
//! Sockets made by hand are in `socket.rs`, the search for a port's holder in `holder.rs`, the dice in `random.rs`.

mod holder;
mod random;
mod socket;

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::ExitCode;

use forklore::child_process::{Command, Stdio};
use socket::{Options, listen, outcome};
use tokio::io::AsyncReadExt;
use transcript::{Transcript, yes};

/// So many that chance stays far below the ten points that the fact allows: the standard deviation is two.
const MANY: u16 = 200;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("second") => transcript::run_child(second),
        _ => transcript::run(&["first", "second"], first),
    }
}

/// The second process: tries to listen on the port of the first, and prints what came of it.
async fn second(t: Transcript) -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    let [address, options] = &arguments[..] else { return Err("usage: second ADDRESS OPTIONS".into()) };
    let (address, options): (SocketAddrV4, Options) = (address.parse()?, options.parse()?);
    let result = outcome(listen(address, options));
    t.say(format!("pid {}: listen on port {}, {options}: {result}", std::process::id(), address.port()));
    print!("{result}");
    Ok(())
}

async fn first(t: Transcript) -> Result<(), Box<dyn Error>> {
    t.step("One port, two processes");
    let (listener, address) = socket::listen_anywhere(Options::NONE)?;
    t.say(format!("pid {} listens on port {}", std::process::id(), address.port()));
    let plain = ask(&t, address, Options::NONE).await?;
    let holders = holder::of_port(address.port())?;
    for (pid, fd, name) in &holders {
        t.say(format!("/proc says who holds it: pid {pid} ({name}), as its fd {fd}"));
    }
    let found = holders.iter().any(|(pid, ..)| *pid == std::process::id());

    t.step("SO_REUSEADDR is for old connections, not for a socket that listens");
    drop(listener);
    let (listener, address) = socket::listen_anywhere(Options::ADDRESS)?;
    t.say(format!("I listen with it on port {}", address.port()));
    let reuse_address = ask(&t, address, Options::ADDRESS).await?;
    let elsewhere = ask(&t, SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 2), address.port()), Options::NONE).await?;
    t.say("that was 127.0.0.2: a port belongs to an address");
    drop(listener);
    let after = ask(&t, address, Options::NONE).await?;
    t.say("closed mine, and it was free at once");
    let address = socket::leave_an_old_connection()?;
    t.say("served one connection and closed it first: it stays in TIME_WAIT");
    ask(&t, address, Options::NONE).await?;
    ask(&t, address, Options::ADDRESS).await?;

    t.step("SO_REUSEPORT lets both listen, if both ask for it");
    let (alone, address) = socket::listen_anywhere(Options::NONE)?;
    t.say("I listen without it");
    ask(&t, address, Options::PORT).await?;
    drop(alone);
    let (_shared, address) = socket::listen_anywhere(Options::PORT)?;
    t.say("I listen with it");
    ask(&t, address, Options::PORT).await?;
    let (reset, waiting) = socket::close_one_of_two()?;
    t.say("the cost: two queues, which the kernel fills by a hash of addresses;");
    t.say(format!("I closed one of two; of {waiting} that waited {reset} clients were reset"));

    t.step("Random ports out of 1000 to 2000 collide soon");
    let processes = (1..).find(|n| random::collision(*n) > 0.5).ok_or("never")?;
    for n in [2, 4, 8, 16, processes] {
        t.say(format!("{n} processes: two choose the same port in {:.1} of 100 cases", 100.0 * random::collision(n)));
    }
    let (computed, observed) = (random::refused(MANY), random::observed(MANY)?);
    t.say(format!("{MANY} processes: computed {:.1} of 100 find their port taken", 100.0 * computed));
    t.say(format!("{MANY} processes: observed {:.1} of 100, on real ports", 100.0 * observed));

    t.fact("a second listen on the same port", plain);
    t.fact("the holder found in /proc is the first process", yes(found));
    t.fact("SO_REUSEADDR while the first one listens", reuse_address);
    t.fact("the same port on another address", elsewhere);
    t.fact("after the first one closed", after);
    t.fact("processes at which a collision is likelier than not", processes);
    t.fact("observed within 10 points of computed", yes((computed - observed).abs() < 0.1));
    Ok(())
}

/// Starts the second process and gives what it says.
async fn ask(t: &Transcript, address: SocketAddrV4, options: Options) -> Result<String, Box<dyn Error>> {
    let command = Command::new(std::env::current_exe()?).arg("second").arg(address.to_string());
    let command = command.arg(options.to_string()).stdin(Stdio::Ignore).stderr(Stdio::Inherit).kill_on_drop();
    let mut second = t.seat("second", command)?.spawn()?;
    let mut said = String::new();
    second.stdout.take().ok_or("no pipe")?.read_to_string(&mut said).await?;
    match second.close().await? {
        exit if exit.success() => Ok(said),
        exit => Err(format!("the second process ended with {exit}").into()),
    }
}
