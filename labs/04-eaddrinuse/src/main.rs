//! Two processes cannot listen on one port. Who holds it, which options help, and how soon random ports collide.
//!
//! The first process is here, the second one in `second.rs`, sockets made by hand in `socket.rs`, the dice in `random.rs`.

mod random;
mod second;
mod socket;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::ExitCode;

use forklore::child_process::exec_file;
use kit::{Result, proc, roles};
use socket::{NO_OPTION, REUSE_ADDRESS, REUSE_PORT, listen_anywhere, shown};
use transcript::{Transcript, yes};

fn main() -> ExitCode {
    match roles::played().as_deref() {
        Some("second") => transcript::run_child(second::second),
        _ => transcript::run(&["first", "second"], first),
    }
}

async fn first(t: Transcript) -> Result {
    t.step("One port, two processes");
    let (listener, address) = listen_anywhere(NO_OPTION)?;
    t.say(format!("pid {} listens on {}", std::process::id(), shown(address)));
    let plain = ask(&t, address, NO_OPTION).await?;
    let holders = proc::holders(&proc::listeners(address.port())?)?;
    for proc::Holder { pid, fd, name } in &holders {
        t.say(format!("/proc says who holds it: pid {pid} ({name}), as its fd {fd}"));
    }

    t.step("SO_REUSEADDR is for old connections, not for a socket that listens");
    drop(listener);
    let (listener, address) = listen_anywhere(REUSE_ADDRESS)?;
    t.say(format!("I listen with it on {}", shown(address)));
    let reuse_address = ask(&t, address, REUSE_ADDRESS).await?;
    let elsewhere = ask(&t, SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 2), address.port()), NO_OPTION).await?;
    t.say("a port belongs to an address");
    drop(listener);
    let after = ask(&t, address, NO_OPTION).await?;
    t.say("closed mine, and it was free at once");
    let address = socket::leave_an_old_connection()?;
    t.say("served one connection and closed it first: it stays in TIME_WAIT");
    ask(&t, address, NO_OPTION).await?;
    ask(&t, address, REUSE_ADDRESS).await?;

    t.step("SO_REUSEPORT lets both listen, if both ask for it");
    let (alone, address) = listen_anywhere(NO_OPTION)?;
    t.say("I listen without it");
    ask(&t, address, REUSE_PORT).await?;
    drop(alone);
    let (_shared, address) = listen_anywhere(REUSE_PORT)?;
    t.say("I listen with it");
    ask(&t, address, REUSE_PORT).await?;
    let (reset, waiting) = socket::close_one_of_two()?;
    t.say("the cost: two queues, which the kernel fills by a hash of addresses;");
    t.say(format!("I closed one of two; of {waiting} that waited {reset} clients were reset"));

    t.step("Random ports out of 1000 to 2000 collide soon");
    let (likely, computed, observed) = random::collide(&t)?;

    t.fact("a second listen on the same port", plain);
    let found = holders.iter().any(|holder| holder.pid == std::process::id());
    t.fact("the holder found in /proc is the first process", yes(found));
    t.fact("SO_REUSEADDR while the first one listens", reuse_address);
    t.fact("the same port on another address", elsewhere);
    t.fact("after the first one closed", after);
    t.fact("processes at which a collision is likelier than not", likely);
    t.fact("observed within 10 points of computed", yes((computed - observed).abs() < 0.1));
    Ok(())
}

/// Starts the second process and returns what came of its attempt to listen.
async fn ask(t: &Transcript, address: SocketAddrV4, option: &str) -> Result<String> {
    let second = roles::command(t, "second", "second")?.args([&address.to_string(), option]);
    Ok(exec_file(second).await?.stdout_lossy())
}
